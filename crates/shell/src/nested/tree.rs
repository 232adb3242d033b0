//! The commands of a script that is not plain, from its syntax tree.

use std::{ops::ControlFlow, time::Instant};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use super::Unreadable;
use crate::words::{self, LONGEST_SCRIPT};

/// Returns every command of a script, at any depth and in any order; a word with expansions stands as it is written.
///
/// What the grammar does not understand is passed over: a script may begin well and end badly, and shells run the beginning.
pub(super) fn commands(script: &str, deadline: Instant) -> Result<Vec<Vec<String>>, Unreadable> {
    if script.len() > LONGEST_SCRIPT {
        return Err(Unreadable);
    }
    // Shells join lines first of all; the grammar takes what is joined for two words, or for a comment.
    let script = script.replace("\\\n", "");
    let tree = parse(&script, deadline).ok_or(Unreadable)?;
    let mut commands = Vec::new();
    // By hand, because a script can be nested deeper than the stack.
    let mut cursor = tree.walk();
    loop {
        if let Some(command) = command(cursor.node(), &script) {
            commands.push(command);
        }
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Ok(commands);
            }
        }
    }
}

fn parse(script: &str, deadline: Instant) -> Option<Tree> {
    std::fs::write("/tmp/probe/last.sh", script).unwrap();
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    let mut in_time = |_: &_| match Instant::now() < deadline {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    let mut rest = |start, _| script.as_bytes().get(start..).unwrap_or_default();
    parser.parse_with_options(&mut rest, None, Some(ParseOptions::new().progress_callback(&mut in_time)))
}

/// Returns the words of a node that is a command, without what is assigned or redirected.
fn command(node: Node<'_>, script: &str) -> Option<Vec<String>> {
    let words = match node.kind() {
        "command" => words_of(node),
        // Once more, with the words that stand behind a redirection: its first one is the file.
        "redirected_statement" => {
            let body = node.child_by_field_name("body").filter(|body| body.kind() == "command")?;
            let redirections = children(node).into_iter().filter(|child| child.kind() == "file_redirect");
            let behind: Vec<_> =
                redirections.flat_map(|redirection| words_of(redirection).into_iter().skip(1)).collect();
            if behind.is_empty() {
                return None;
            }
            [words_of(body), behind].concat()
        }
        _ => return None,
    };
    (!words.is_empty()).then(|| words.into_iter().map(|word| text(word, script)).collect())
}

fn words_of(node: Node<'_>) -> Vec<Node<'_>> {
    let is_word = |child: &Node<'_>| {
        let kind = child.kind();
        !matches!(kind, "variable_assignment" | "file_descriptor" | "comment") && !kind.ends_with("_redirect")
    };
    children(node).into_iter().filter(is_word).collect()
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    node.named_children(&mut node.walk()).collect()
}

/// Returns what a word says, or how it is written where only a shell knows what it says.
fn text(node: Node<'_>, script: &str) -> String {
    let written = script.get(node.byte_range()).unwrap_or_default();
    words::plain_word(written).unwrap_or_else(|| written.to_owned())
}
