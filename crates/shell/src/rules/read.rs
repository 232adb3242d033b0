//! A rule from the arguments of its statement.

use super::statement::{Arguments, Value};
use super::{Decision, Rule};

/// A rule, and what its own examples say against it.
pub(super) struct Read {
    pub rule: Rule,
    pub error: Option<String>,
}

/// Reads a `prefix_rule`; one that says nothing about the decision allows.
pub(super) fn rule(arguments: Arguments) -> Result<Read, String> {
    let (mut prefix, mut decision, mut justification) = (Vec::new(), Decision::Allow, None);
    let (mut examples, mut counterexamples) = (Vec::new(), Vec::new());
    for (name, value) in arguments {
        match (name.as_str(), value) {
            ("pattern", Value::List(words)) => {
                prefix = words.into_iter().map(alternatives).collect::<Result<_, _>>()?
            }
            ("decision", Value::Text(word)) => decision = self::decision(&word)?,
            ("justification", Value::Text(text)) => justification = Some(text),
            ("match", Value::List(commands)) => {
                examples = commands.into_iter().map(example).collect::<Result<_, _>>()?
            }
            ("not_match", Value::List(commands)) => {
                counterexamples = commands.into_iter().map(example).collect::<Result<_, _>>()?;
            }
            ("pattern" | "match" | "not_match", Value::Text(_)) => {
                return Err(format!("`{name}` must be a list"));
            }
            ("decision" | "justification", Value::List(_)) => return Err(format!("`{name}` must be a text")),
            _ => return Err(format!("`prefix_rule` has no argument `{name}`")),
        }
    }
    if prefix.is_empty() {
        return Err("`pattern` must have at least one word".to_owned());
    }
    let rule = Rule { prefix, decision, justification };
    let missed = examples.iter().find(|example| !rule.matches(example));
    let caught = counterexamples.iter().find(|example| rule.matches(example));
    let error = match (missed, caught) {
        (Some(example), _) => {
            Some(format!("`{}` is under `match`, but the pattern does not match it", example.join(" ")))
        }
        (None, Some(example)) => {
            Some(format!("`{}` is under `not_match`, but the pattern matches it", example.join(" ")))
        }
        (None, None) => None,
    };
    Ok(Read { rule, error })
}

fn decision(word: &str) -> Result<Decision, String> {
    match word {
        "allow" => Ok(Decision::Allow),
        "prompt" => Ok(Decision::Prompt),
        "forbidden" => Ok(Decision::Forbidden),
        _ => Err(format!("`decision` must be `allow`, `prompt` or `forbidden`, not `{word}`")),
    }
}

/// A word of a pattern, or a list of what it may be.
fn alternatives(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Text(word) => Ok(vec![word]),
        Value::List(words) if words.is_empty() => Err("a list of words in `pattern` is empty".to_owned()),
        Value::List(words) => texts(words),
    }
}

/// A command as a list of words, or as one types it.
fn example(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::List(words) => texts(words),
        Value::Text(line) => {
            shlex::split(&line).ok_or_else(|| format!("`{line}` has a quote without an end"))
        }
    }
}

fn texts(values: Vec<Value>) -> Result<Vec<String>, String> {
    let text = |value| match value {
        Value::Text(text) => Ok(text),
        Value::List(_) => Err("a list stands where a text must".to_owned()),
    };
    values.into_iter().map(text).collect()
}
