//! The reader of plain scripts: one pass, no nesting, every character accounted for.
//!
//! Not a parse tree on purpose. The tree of tree-sitter-bash takes `a\⏎#b; rm x` for a command and a comment, where a
//! shell joins the lines and runs `rm`; and it needs seconds for a few thousand `|`. Plain scripts need no tree.

use std::{iter::Peekable, str::Chars};

use super::{Joint, Plain};

/// What a shell does not take for the name of a program.
const RESERVED: &[&str] = &[
    "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "foreach", "function",
    "if", "in", "repeat", "select", "then", "time", "until", "while", "{", "{}", "}",
];

pub(super) struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable() }
    }

    /// Reads a whole script.
    pub(super) fn commands(mut self) -> Option<Vec<Plain>> {
        let mut commands = Vec::new();
        let (mut words, mut joint) = (Vec::new(), Joint::Then);
        loop {
            let next = match self.rest.peek() {
                None => break,
                Some(' ' | '\t') => {
                    self.rest.next();
                    continue;
                }
                Some('#') => {
                    self.skip_comment();
                    continue;
                }
                // A line may end behind an operator: the command goes on in the next one.
                Some('\n') if words.is_empty() => {
                    self.rest.next();
                    continue;
                }
                Some('\n' | ';' | '&' | '|') => self.joint()?,
                Some(_) => {
                    words.extend(self.word()?);
                    continue;
                }
            };
            commands.push(command(std::mem::take(&mut words), joint)?);
            joint = next;
        }
        if !words.is_empty() {
            commands.push(command(words, joint)?);
        } else if joint != Joint::Then {
            return None;
        }
        (!commands.is_empty()).then_some(commands)
    }

    /// Reads a text that is one word.
    pub(super) fn only_word(mut self) -> Option<String> {
        let word = self.word()??;
        self.rest.next().is_none().then_some(word)
    }

    /// Leaves the newline: a comment cannot be continued in the next line.
    fn skip_comment(&mut self) {
        while self.rest.next_if(|&next| next != '\n').is_some() {}
    }

    fn joint(&mut self) -> Option<Joint> {
        let first = self.rest.next()?;
        let doubled = matches!(first, '&' | '|') && self.rest.next_if_eq(&first).is_some();
        match (first, doubled, self.rest.peek()) {
            ('&', true, _) => Some(Joint::And),
            ('|', true, _) => Some(Joint::Or),
            ('|', false, Some('&')) => None,
            ('|', false, _) => Some(Joint::Pipe),
            (';' | '\n', ..) => Some(Joint::Then),
            _ => None,
        }
    }

    /// Reads one word; `Some(None)` where there was nothing but a joint of two lines.
    fn word(&mut self) -> Option<Option<String>> {
        let (mut word, mut seen) = (String::new(), false);
        loop {
            match self.rest.peek().copied() {
                None | Some(' ' | '\t' | '\n' | ';' | '&' | '|') => return Some(seen.then_some(word)),
                // Between words, the joint of two lines is nothing: what follows begins anew.
                Some('#') if !seen => return Some(None),
                _ => {}
            }
            match self.rest.next()? {
                '\'' => self.single_quoted(&mut word)?,
                '"' => self.double_quoted(&mut word)?,
                '\\' => match self.rest.next()? {
                    '\n' => continue,
                    '\0' => return None,
                    escaped => word.push(escaped),
                },
                '{' => {
                    self.rest.next_if_eq(&'}')?;
                    word.push_str("{}");
                }
                // At the start, or where a path may begin in something like an assignment, it is somebody's home.
                '~' if !word.is_empty() && !word.ends_with(['=', ':']) => word.push('~'),
                // At the start, zsh puts the path of a program in its place.
                '=' if word.is_empty() => return None,
                bare if bare.is_alphanumeric() || "_-./,:=+@%^#]!".contains(bare) => word.push(bare),
                _ => return None,
            }
            seen = true;
        }
    }

    fn single_quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            match self.rest.next()? {
                '\'' => return Some(()),
                '\0' => return None,
                literal => word.push(literal),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            match self.rest.next()? {
                '"' => return Some(()),
                '\0' | '`' => return None,
                '\\' => match self.rest.next()? {
                    '\n' => {}
                    '\0' => return None,
                    escaped @ ('$' | '`' | '"' | '\\') => word.push(escaped),
                    literal => word.extend(['\\', literal]),
                },
                // The end of a regular expression, as in `"^x$"`: nothing can be expanded there.
                '$' if matches!(self.rest.peek(), Some('"' | ' ' | '|' | ')' | '/')) => word.push('$'),
                '$' => return None,
                literal => word.push(literal),
            }
        }
    }
}

/// Makes a command of words, unless a shell reads the first one as something else than a program.
fn command(words: Vec<String>, joint: Joint) -> Option<Plain> {
    let first = words.first()?;
    let is_program = !first.is_empty()
        && !first.starts_with('!')
        && !RESERVED.contains(&first.as_str())
        && !is_assignment(first);
    is_program.then_some(Plain { words, joint })
}

/// Whether a word reads like `NAME=VALUE`; some that are quoted count as well.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
