//! The statements of a file of rules, in the small part of Starlark that such files are written in: calls with named
//! arguments that are texts and lists.

use std::{iter::Peekable, str::Chars};

/// Lists within lists: alternatives within a pattern, or an example that is a list of words.
const DEEPEST: usize = 2;

/// Calls that say nothing about the words of a command, or that would only let more of them match.
const PASSED_OVER: &[&str] = &["host_executable", "network_rule"];

/// The arguments of a `prefix_rule`.
pub(super) type Arguments = Vec<(String, Value)>;

/// What an argument can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Value>),
}

/// Reads every statement with the line that it begins in, or that it is wrong in; `None` for one that is no rule.
///
/// After one that is not understood, reading goes on at the next line that may begin another.
pub(super) fn statements(text: &str) -> Vec<(usize, Result<Option<Arguments>, String>)> {
    let mut reader = Reader { rest: text.chars().peekable(), line: 1 };
    let mut statements = Vec::new();
    loop {
        reader.skip_blank(Across::Lines);
        while reader.rest.next_if_eq(&';').is_some() {
            reader.skip_blank(Across::Lines);
        }
        if reader.rest.peek().is_none() {
            return statements;
        }
        let start = reader.clone();
        let statement = reader.statement();
        if statement.is_err() {
            statements.push((reader.line, statement));
            reader = start;
            reader.skip_to_next();
        } else {
            statements.push((start.line, statement));
        }
    }
}

/// Whether blanks are skipped up to the end of a line or beyond, as between brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Across {
    Line,
    Lines,
}

#[derive(Clone)]
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Reader<'_> {
    fn statement(&mut self) -> Result<Option<Arguments>, String> {
        // A text that stands alone is a comment to people who know Python.
        let name = match self.rest.peek() {
            Some('"' | '\'') => {
                self.text()?;
                return self.end().map(|()| None);
            }
            _ => self.name(),
        };
        self.skip_blank(Across::Line);
        let is_rule = name == "prefix_rule";
        if !is_rule && !PASSED_OVER.contains(&name.as_str()) || self.rest.next_if_eq(&'(').is_none() {
            return Err("only calls of `prefix_rule(...)` are understood".to_owned());
        }
        let arguments = self.arguments()?;
        self.end()?;
        Ok(is_rule.then_some(arguments))
    }

    /// Reads named arguments up to the closing bracket.
    fn arguments(&mut self) -> Result<Arguments, String> {
        let mut arguments: Arguments = Vec::new();
        loop {
            self.skip_blank(Across::Lines);
            if self.rest.next_if_eq(&')').is_some() {
                return Ok(arguments);
            }
            let name = self.name();
            self.skip_blank(Across::Lines);
            if name.is_empty() || self.rest.next_if_eq(&'=').is_none() {
                return Err("expected an argument like `pattern=[...]`, or `)`".to_owned());
            }
            if arguments.iter().any(|(known, _)| *known == name) {
                return Err(format!("`{name}` is given twice"));
            }
            arguments.push((name, self.value(0)?));
            self.end_of_element(')')?;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.skip_blank(Across::Lines);
        if depth == DEEPEST || self.rest.next_if_eq(&'[').is_none() {
            return self.text().map(Value::Text);
        }
        let mut values = Vec::new();
        loop {
            self.skip_blank(Across::Lines);
            if self.rest.next_if_eq(&']').is_some() {
                return Ok(Value::List(values));
            }
            values.push(self.value(depth + 1)?);
            self.end_of_element(']')?;
        }
    }

    /// Passes over a comma, or stays before the bracket that closes.
    fn end_of_element(&mut self, close: char) -> Result<(), String> {
        self.skip_blank(Across::Lines);
        let ends = self.rest.next_if_eq(&',').is_some() || self.rest.peek() == Some(&close);
        ends.then_some(()).ok_or_else(|| format!("expected `,` or `{close}`"))
    }

    fn text(&mut self) -> Result<String, String> {
        let is_raw = self.rest.next_if_eq(&'r').is_some();
        let Some(quote) = self.rest.next_if(|&c| matches!(c, '"' | '\'')) else {
            return Err("expected a text in quotes".to_owned());
        };
        let is_long = self.rest.next_if_eq(&quote).is_some();
        if is_long && self.rest.next_if_eq(&quote).is_none() {
            return Ok(String::new());
        }
        let (mut text, mut quotes) = (String::new(), 0);
        loop {
            match self.rest.next() {
                Some(c) if c == quote => {
                    quotes += 1;
                    text.push(c);
                    if !is_long || quotes == 3 {
                        text.truncate(text.len() - quotes);
                        return Ok(text);
                    }
                    continue;
                }
                None => return Err("a text has no end".to_owned()),
                Some('\n') if !is_long => return Err("a text has no end".to_owned()),
                Some('\\') if is_raw => {
                    text.push('\\');
                    let escaped = self.rest.next().ok_or("a text has no end")?;
                    self.line += usize::from(escaped == '\n');
                    text.push(escaped);
                }
                Some('\\') => text.extend(self.escaped()?),
                Some(c) => {
                    self.line += usize::from(c == '\n');
                    text.push(c);
                }
            }
            quotes = 0;
        }
    }

    /// Reads what stands behind a backslash; nothing, where that joins two lines.
    fn escaped(&mut self) -> Result<Option<char>, String> {
        let unknown = |c: char| format!("`\\{c}` is no escape");
        Ok(Some(match self.rest.next() {
            Some('\n') => {
                self.line += 1;
                return Ok(None);
            }
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(c @ ('\\' | '\'' | '"')) => c,
            Some(c @ ('x' | 'u' | 'U')) => {
                let digits = match c {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let code: String = self.rest.by_ref().take(digits).collect();
                let is_whole = code.len() == digits && code.bytes().all(|digit| digit.is_ascii_hexdigit());
                let code = u32::from_str_radix(&code, 16).ok().filter(|_| is_whole);
                code.and_then(char::from_u32).ok_or_else(|| unknown(c))?
            }
            Some(c) => return Err(unknown(c)),
            None => return Err("a text has no end".to_owned()),
        }))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.rest.next_if(|&c| c.is_ascii_alphanumeric() || c == '_') {
            name.push(c);
        }
        name
    }

    /// Nothing more may stand in the line.
    fn end(&mut self) -> Result<(), String> {
        self.skip_blank(Across::Line);
        match self.rest.peek() {
            None | Some('\n' | ';') => Ok(()),
            Some(_) => Err("expected the end of the line".to_owned()),
        }
    }

    /// Passes over blanks and comments.
    fn skip_blank(&mut self, across: Across) {
        loop {
            match self.rest.peek() {
                Some(' ' | '\t' | '\r') => drop(self.rest.next()),
                Some('\n') if across == Across::Lines => {
                    self.rest.next();
                    self.line += 1;
                }
                Some('#') => while self.rest.next_if(|&c| c != '\n').is_some() {},
                _ => return,
            }
        }
    }

    /// Goes to the next line that begins with a letter: what is indented or begins with a bracket belongs to something.
    fn skip_to_next(&mut self) {
        loop {
            match self.rest.by_ref().find(|&c| c == '\n') {
                Some(_) => self.line += 1,
                None => return,
            }
            if self.rest.peek().is_some_and(|&c| c.is_alphabetic() || c == '_') {
                return;
            }
        }
    }
}
