//! The language of rules: calls with named arguments, whose values are texts and lists.

use super::{Decision, Rule};

/// Something that cannot be read: its line, from 1, and what is wrong.
pub(super) type Wrong = (usize, String);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<Value>),
}

/// How deep lists may be in lists; a pattern needs two.
const DEEPEST: usize = 8;

/// Reads the rules of a file, and what of it cannot be read. A statement that is none costs itself and nothing else.
pub(super) fn rules(text: &str) -> (Vec<Rule>, Vec<Wrong>) {
    let mut reader = Reader { text, at: 0 };
    let (mut rules, mut wrong) = (Vec::new(), Vec::new());
    loop {
        reader.skip_blank();
        if reader.rest().is_empty() {
            return (rules, wrong);
        }
        let start = reader.at;
        match reader.rule() {
            Ok(rule) => rules.push(rule),
            Err(reason) => {
                wrong.push((reader.line(start), reason));
                reader.skip_statement(start);
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    /// Goes to the next line that begins like a statement, behind the one that could not be read.
    fn skip_statement(&mut self, start: usize) {
        let mut at = start;
        loop {
            let rest = &self.text[at..];
            let Some(end) = rest.find('\n') else {
                self.at = self.text.len();
                return;
            };
            at += end + 1;
            if self.text[at..].starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
                self.at = at;
                return;
            }
        }
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_blank();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        match self.take(token) {
            true => Ok(()),
            false => Err(format!("expected `{token}`")),
        }
    }

    fn name(&mut self) -> Result<&'a str, String> {
        self.skip_blank();
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        if end == 0 {
            return Err("expected a name".to_owned());
        }
        self.at += end;
        Ok(&rest[..end])
    }

    fn rule(&mut self) -> Result<Rule, String> {
        let function = self.name()?;
        if function != "prefix_rule" {
            return Err(format!("`{function}` is no rule; only `prefix_rule(...)` is"));
        }
        self.expect("(")?;
        let (mut pattern, mut decision, mut justification) = (None, Decision::Allow, None);
        while !self.take(")") {
            let name = self.name()?;
            self.expect("=")?;
            let value = self.value(0)?;
            match name {
                "pattern" => pattern = Some(read_pattern(value)?),
                "decision" => decision = read_decision(&value)?,
                "justification" => justification = Some(read_text(value, name)?),
                // Examples, for who writes the rules.
                "match" | "not_match" => {}
                other => return Err(format!("`prefix_rule` has no argument `{other}`")),
            }
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        let pattern = pattern.ok_or("`pattern` is missing")?;
        Ok(Rule { pattern, decision, justification })
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err("the lists are too deep".to_owned());
        }
        if !self.take("[") {
            return self.text_value().map(Value::Text);
        }
        let mut list = Vec::new();
        while !self.take("]") {
            list.push(self.value(depth + 1)?);
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(Value::List(list))
    }

    fn text_value(&mut self) -> Result<String, String> {
        self.skip_blank();
        let quote = self.rest().chars().next().filter(|quote| matches!(quote, '"' | '\''));
        let quote = quote.ok_or("expected a text in quotes or a list")?;
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\\' => match letters.next().map(|(_, escaped)| escaped) {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(escaped @ ('\\' | '"' | '\'')) => text.push(escaped),
                    _ => return Err("an escape that is not known".to_owned()),
                },
                '\n' => break,
                letter if letter == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                letter => text.push(letter),
            }
        }
        Err("a text without an end".to_owned())
    }
}

fn read_pattern(value: Value) -> Result<Vec<Vec<String>>, String> {
    let Value::List(words) = value else { return Err("`pattern` is a list of words".to_owned()) };
    if words.is_empty() {
        return Err("`pattern` must not be empty".to_owned());
    }
    let word = |value| match value {
        Value::Text(word) => Ok(vec![word]),
        Value::List(any) if any.is_empty() => Err("a list of alternatives must not be empty".to_owned()),
        Value::List(any) => any.into_iter().map(|value| read_text(value, "pattern")).collect(),
    };
    words.into_iter().map(word).collect()
}

fn read_decision(value: &Value) -> Result<Decision, String> {
    match value {
        Value::Text(word) if word == "allow" => Ok(Decision::Allow),
        Value::Text(word) if word == "prompt" => Ok(Decision::Prompt),
        Value::Text(word) if word == "forbidden" => Ok(Decision::Forbidden),
        _ => Err("`decision` is \"allow\", \"prompt\" or \"forbidden\"".to_owned()),
    }
}

fn read_text(value: Value, name: &str) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::List(_) => Err(format!("a text is expected in `{name}`")),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rule_is_read_in_every_form_that_people_write() {
        let rule = |pattern: &[&[&str]], decision| Rule {
            pattern: pattern.iter().map(|any| any.iter().map(|word| (*word).to_owned()).collect()).collect(),
            decision,
            justification: None,
        };
        let text = "# rules\nprefix_rule(\n    pattern = ['git', [\"add\", 'commit'],],  # both\n    decision = \"prompt\",\n    \
                    match = [[\"git\", \"add\"]],\n)\nprefix_rule(pattern=[\"a\\\"\\n\"])";
        assert_eq!(
            rules(text),
            (
                vec![
                    rule(&[&["git"], &["add", "commit"]], Decision::Prompt),
                    rule(&[&["a\"\n"]], Decision::Allow),
                ],
                vec![]
            )
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, reason) in [
            ("x = 1", 1, "`x` is no rule; only `prefix_rule(...)` is"),
            ("\n\nprefix_rule(pattern=[])", 3, "`pattern` must not be empty"),
            ("prefix_rule(decision=\"allow\")", 1, "`pattern` is missing"),
            (
                "prefix_rule(pattern=[\"a\"], decision=\"maybe\")",
                1,
                "`decision` is \"allow\", \"prompt\" or \"forbidden\"",
            ),
            ("prefix_rule(pattern=[\"a)", 1, "a text without an end"),
            ("prefix_rule(pattern=[\"a\"], other=\"b\")", 1, "`prefix_rule` has no argument `other`"),
            ("prefix_rule(pattern=[\"a\"]", 1, "expected `)`"),
            ("(", 1, "expected a name"),
        ] {
            assert_eq!(rules(text), (vec![], vec![(line, reason.to_owned())]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(prefix_rule|[\\[\\](),=\"'#;\\\\ \na-z])*|\\PC*") {
            let (_, _) = rules(&text);
        }
    }
}
