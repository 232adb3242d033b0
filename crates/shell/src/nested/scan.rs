//! A tolerant reader: every command of any script, however it is nested, quoted or broken.
//!
//! One pass, no recursion, and nothing that it gives up on but depth. What it makes of odd scripts may be more than a
//! shell would run, seldom less. Not the grammar of tree-sitter-bash: a script of two characters (`{` and one beyond
//! the basic plane) crashes the process in version 0.25.1, and a few thousand `|` keep it busy for seconds.

use std::{iter::Peekable, mem, str::Chars};

use super::Unreadable;
use crate::words::LONGEST_SCRIPT;

/// So deep may a script be nested. Every level costs memory, and people lose count before ten.
const DEEPEST: usize = 200;

/// So many heredocs are looked into, as each may hold the next, and so many may have no end.
const MOST_BODIES: usize = 100;

/// What stands before a command without being one.
const BEFORE_COMMANDS: &[&str] =
    &["!", "coproc", "do", "done", "elif", "else", "esac", "fi", "if", "then", "until", "while", "{", "}"];

/// Returns every command of a script, at any depth and in any order; expansions stand as they are written.
pub(super) fn commands(script: &str) -> Result<Vec<Vec<String>>, Unreadable> {
    if script.len() > LONGEST_SCRIPT {
        return Err(Unreadable);
    }
    let mut commands = Vec::new();
    let mut bodies = vec![];
    Scanner::new(script, Kind::Commands, &mut commands, &mut bodies).run()?;
    let mut looked_into = 0;
    while let Some(body) = bodies.pop() {
        looked_into += 1;
        if looked_into > MOST_BODIES {
            return Err(Unreadable);
        }
        Scanner::new(&body, Kind::Text, &mut commands, &mut bodies).run()?;
    }
    Ok(commands)
}

/// What a level of nesting holds, and so what ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The script itself, up to its end.
    Commands,
    /// Commands up to `)`.
    Paren,
    /// Commands up to a backtick.
    Backtick,
    /// Text up to the end, as in a heredoc.
    Text,
    /// Text up to `"`.
    Quote,
    /// The inside of `${...}`.
    Brace,
}

/// A level of nesting. A text is all in `word`.
struct Level {
    kind: Kind,
    words: Vec<String>,
    word: String,
    in_word: bool,
    /// The next word is a file, not an argument.
    is_file_next: bool,
    /// It is within `((`, where `<<` shifts.
    may_calculate: bool,
}

/// A heredoc whose body has not begun yet.
struct Heredoc {
    end: String,
    is_literal: bool,
    is_indented: bool,
}

struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    /// The levels around the innermost one.
    outer: Vec<Level>,
    level: Level,
    open_backticks: usize,
    heredocs: Vec<Heredoc>,
    /// How many heredocs have no end.
    unended: usize,
    commands: &'a mut Vec<Vec<String>>,
    bodies: &'a mut Vec<String>,
}

impl Level {
    fn new(kind: Kind) -> Self {
        let (words, word) = (Vec::new(), String::new());
        Self { kind, words, word, in_word: false, is_file_next: false, may_calculate: false }
    }

    fn push(&mut self, c: char) {
        self.word.push(c);
        self.in_word = true;
    }

    fn end_word(&mut self) {
        let word = mem::take(&mut self.word);
        if mem::take(&mut self.in_word) && !mem::take(&mut self.is_file_next) {
            self.words.push(word);
        }
    }
}

impl<'a> Scanner<'a> {
    fn new(
        text: &'a str,
        kind: Kind,
        commands: &'a mut Vec<Vec<String>>,
        bodies: &'a mut Vec<String>,
    ) -> Self {
        let (rest, level) = (text.chars().peekable(), Level::new(kind));
        Self {
            rest,
            outer: Vec::new(),
            level,
            open_backticks: 0,
            heredocs: Vec::new(),
            unended: 0,
            commands,
            bodies,
        }
    }

    fn run(mut self) -> Result<(), Unreadable> {
        while let Some(c) = self.rest.next() {
            if self.outer.len() >= DEEPEST || self.unended > MOST_BODIES {
                return Err(Unreadable);
            }
            match (self.level.kind, c) {
                (Kind::Commands | Kind::Paren | Kind::Backtick, c) => self.in_commands(c),
                (_, c) => self.in_text(c),
            }
        }
        while !self.outer.is_empty() {
            self.close();
        }
        self.end_command();
        Ok(())
    }

    fn in_commands(&mut self, c: char) {
        match c {
            ' ' | '\t' => self.level.end_word(),
            '\n' => {
                self.end_command();
                self.skip_bodies();
            }
            '&' if self.rest.next_if_eq(&'>').is_some() => self.redirection('>'),
            ';' | '&' | '|' => self.end_command(),
            '#' if !self.level.in_word => {
                let in_backticks = self.open_backticks > 0;
                while self.rest.next_if(|&next| next != '\n' && !(in_backticks && next == '`')).is_some() {}
            }
            '(' => {
                self.end_command();
                self.open_paren();
            }
            // Elsewhere it is the end of a pattern of `case`.
            ')' if self.level.kind != Kind::Paren => self.end_command(),
            ')' => self.close(),
            '<' | '>' => self.redirection(c),
            '\'' => self.single_quoted(),
            '"' => self.open(Kind::Quote),
            '\\' => match self.rest.next() {
                // Within backticks, others are written like this.
                Some('`') if self.open_backticks > 0 => self.end_command(),
                Some('\n') | None => {}
                Some(escaped) => self.level.push(escaped),
            },
            _ => self.expansion_or(c),
        }
    }

    fn in_text(&mut self, c: char) {
        match (self.level.kind, c) {
            (Kind::Quote, '"') | (Kind::Brace, '}') => self.close(),
            (Kind::Brace, '"') => self.open(Kind::Quote),
            (Kind::Brace, '\'') if !self.outer.iter().any(|level| level.kind == Kind::Quote) => {
                self.single_quoted()
            }
            (_, '\\') => match self.rest.next() {
                Some('\n') | None => {}
                Some(escaped @ ('$' | '`' | '"' | '\\')) => self.level.push(escaped),
                Some(literal) => self.level.word.extend(['\\', literal]),
            },
            _ => self.expansion_or(c),
        }
    }

    /// Handles what has a meaning in commands and in texts alike; everything else is a letter of a word.
    fn expansion_or(&mut self, c: char) {
        match (c, self.rest.peek()) {
            ('`', _) if self.open_backticks > 0 => {
                while self.level.kind != Kind::Backtick {
                    self.close();
                }
                self.close();
            }
            ('`', _) => {
                self.add("`...`");
                self.open(Kind::Backtick);
            }
            ('$', Some('(')) => {
                self.rest.next();
                self.add("$(...)");
                self.open_paren();
            }
            ('$', Some('{')) => {
                self.rest.next();
                self.open(Kind::Brace);
            }
            ('$', Some('\'')) if !matches!(self.level.kind, Kind::Quote | Kind::Text) => {
                self.rest.next();
                self.escaped_quoted();
            }
            (c, _) => self.level.push(c),
        }
    }

    fn open_paren(&mut self) {
        self.open(Kind::Paren);
        if self.rest.next_if_eq(&'(').is_some() {
            self.open(Kind::Paren);
            self.level.may_calculate = true;
        }
    }

    fn open(&mut self, kind: Kind) {
        self.open_backticks += usize::from(kind == Kind::Backtick);
        self.outer.push(mem::replace(&mut self.level, Level::new(kind)));
    }

    /// Ends the innermost level; a text becomes part of the word that it stands in.
    fn close(&mut self) {
        let is_text = matches!(self.level.kind, Kind::Quote | Kind::Brace);
        if !is_text {
            self.end_command();
        }
        let Some(outer) = self.outer.pop() else { return };
        let closed = mem::replace(&mut self.level, outer);
        match closed.kind {
            Kind::Quote => self.add(&closed.word),
            Kind::Brace => self.add(&format!("${{{}}}", closed.word)),
            Kind::Backtick => self.open_backticks -= 1,
            Kind::Commands | Kind::Paren | Kind::Text => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.level.word.push_str(text);
        self.level.in_word = true;
    }

    fn single_quoted(&mut self) {
        self.level.in_word = true;
        self.level.word.extend(self.rest.by_ref().take_while(|&c| c != '\''));
    }

    /// Reads `$'...'`, where a backslash escapes the quote too; other escapes are not worked out.
    fn escaped_quoted(&mut self) {
        self.level.in_word = true;
        while let Some(c) = self.rest.next() {
            match c {
                '\'' => return,
                '\\' => self.level.word.extend(self.rest.next()),
                c => self.level.word.push(c),
            }
        }
    }

    /// Puts what was read of a command to the others, without what stands before its program.
    fn end_command(&mut self) {
        self.level.end_word();
        self.level.is_file_next = false;
        let words = mem::take(&mut self.level.words);
        let mut start = 0;
        while let Some(word) = words.get(start) {
            match word.as_str() {
                // What follows is no command, in this line.
                "case" | "for" | "select" => return,
                "function" => start += 2,
                word if BEFORE_COMMANDS.contains(&word) || is_assignment(word) => start += 1,
                _ => break,
            }
        }
        if let Some(command) = words.get(start..).filter(|command| !command.is_empty()) {
            self.commands.push(command.to_vec());
        }
    }

    fn redirection(&mut self, sign: char) {
        // The number of what is redirected.
        if self.level.word.bytes().all(|c| c.is_ascii_digit()) {
            self.level.word.clear();
            self.level.in_word = false;
        }
        self.level.end_word();
        let doubled = self.rest.next_if_eq(&sign).is_some();
        match (sign, self.rest.peek()) {
            (_, Some('(')) if !doubled => {
                self.rest.next();
                self.add("<(...)");
                return self.open_paren();
            }
            ('<', next) if doubled && next != Some(&'<') && !self.level.may_calculate => {
                return self.heredoc();
            }
            _ => while self.rest.next_if(|next| "<>&|".contains(*next)).is_some() {},
        }
        self.level.is_file_next = true;
    }

    /// Notes the end of a heredoc; its body begins in the next line.
    fn heredoc(&mut self) {
        let is_indented = self.rest.next_if_eq(&'-').is_some();
        while self.rest.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
        let (mut end, mut is_literal, mut quote) = (String::new(), false, None);
        while let Some(c) = self.rest.next_if(|&c| quote.is_some() || !" \t\n;&|<>()".contains(c)) {
            match c {
                _ if quote == Some(c) => quote = None,
                '\'' | '"' if quote.is_none() => (quote, is_literal) = (Some(c), true),
                '\\' => {
                    is_literal = true;
                    end.extend(self.rest.next());
                }
                _ => end.push(c),
            }
        }
        self.heredocs.push(Heredoc { end, is_literal, is_indented });
    }

    /// Passes over the heredocs that begin with this line; those with expansions are looked at later.
    fn skip_bodies(&mut self) {
        for Heredoc { end, is_literal, is_indented } in mem::take(&mut self.heredocs) {
            let (mut rest, mut body, mut ends) = (self.rest.clone(), String::new(), false);
            while !ends && rest.peek().is_some() {
                let line: String = rest.by_ref().take_while(|&c| c != '\n').collect();
                ends = end == if is_indented { line.trim_start_matches('\t') } else { &line };
                body.push_str(&line);
                body.push('\n');
            }
            if !ends {
                // It may have been no heredoc: what follows is read like the rest.
                self.unended += 1;
                if self.unended > MOST_BODIES {
                    return;
                }
                continue;
            }
            self.rest = rest;
            if !is_literal && body.contains(['$', '`']) {
                self.bodies.push(body);
            }
        }
    }
}

/// Whether a word sets a variable or an element of one.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.split(['[', '+']).next().unwrap_or(name);
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
