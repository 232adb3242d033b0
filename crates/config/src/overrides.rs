//! Values that do not come from a file: `-c`, `--enable`, `--disable`, and what a client sends along with a thread.

use serde_json::{Map, Value as Json};
use toml::{Table, Value};

use crate::{ConfigError, Layer, features, json, keys};

/// One value from the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    path: Vec<String>,
    value: Value,
}

/// Reads `KEY=VALUE`: a dotted key, and TOML or, where it is none, the text itself.
pub fn parse_override(text: &str) -> Result<Override, ConfigError> {
    let (key, value) =
        text.split_once('=').ok_or_else(|| refused(format!("missing '=' in override: {text}")))?;
    if key.trim().is_empty() {
        return Err(refused(format!("empty key in override: {text}")));
    }
    Ok(Override { path: keys::split(key.trim()), value: parse_value(value.trim()) })
}

impl Override {
    /// Turns a feature on or off; one that no release knows is an error, most likely a typing mistake.
    pub fn feature(name: &str, enabled: bool) -> Result<Self, ConfigError> {
        if !features::is_known(name) {
            return Err(refused(format!("Unknown feature flag: {name}")));
        }
        Ok(Self { path: vec!["features".to_owned(), name.to_owned()], value: Value::Boolean(enabled) })
    }
}

/// Puts overrides into one table, later ones over earlier ones.
pub(crate) fn table(overrides: impl IntoIterator<Item = Override>) -> Table {
    let mut table = Table::new();
    for Override { path, value } in overrides {
        insert(&mut table, &path, value);
    }
    table
}

/// Puts what a client sent into a table; its keys may be dotted.
pub(crate) fn thread_table(overrides: &Map<String, Json>) -> Table {
    table(
        overrides.iter().filter_map(|(key, value)| {
            Some(Override { path: keys::split(key), value: json::to_toml(value)? })
        }),
    )
}

fn insert(table: &mut Table, path: &[String], value: Value) {
    let [key, rest @ ..] = path else { return };
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return;
    }
    let below = table.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
    if !below.is_table() {
        *below = Value::Table(Table::new());
    }
    if let Value::Table(below) = below {
        insert(below, rest, value);
    }
}

fn parse_value(text: &str) -> Value {
    let document = format!("value = {text}");
    match document.parse::<Table>() {
        // More than one key: the text had a line break and went on behind the value.
        Ok(mut table) if table.len() == 1 => table.remove("value"),
        _ => None,
    }
    .unwrap_or_else(|| Value::String(text.trim_matches(['"', '\'']).to_owned()))
}

fn refused(message: String) -> ConfigError {
    ConfigError { layer: Layer::SessionFlags, path: None, range: None, message }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_toml_or_else_the_text() {
        for (text, expected) in [
            ("model=m", r#"model = "m""#),
            (r#"model="m""#, r#"model = "m""#),
            ("model='m'", r#"model = "m""#),
            (" model = m ", r#"model = "m""#),
            ("model=m=n", r#"model = "m=n""#),
            ("model=", r#"model = """#),
            (r#"model="a b"#, r#"model = "a b""#),
            (r#"model="a" # b"#, r#"model = "a""#),
            ("model=[1", r#"model = "[1""#),
            ("n=7", "n = 7"),
            ("n=true", "n = true"),
            ("n=[1, true]", "n = [1, true]"),
            ("n={a = 1}", "n = {a = 1}"),
            ("n=1\nm=2", "n = \"1\\nm=2\""),
            ("a.b.c=1", "a.b.c = 1"),
            (r#"a."b.c"=1"#, r#"a."b.c" = 1"#),
        ] {
            let expected: Table = expected.parse().unwrap();
            assert_eq!(table([parse_override(text).unwrap()]), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_override_is_refused() {
        for (text, expected) in [
            ("model", "missing '=' in override: model"),
            ("", "missing '=' in override: "),
            ("=x", "empty key in override: =x"),
            (" =x", "empty key in override:  =x"),
        ] {
            assert_eq!(parse_override(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_later_override_wins() {
        let overrides = ["a=1", "a.b=2", "a.c=3", "d={e = 1}", "d.f=2", "g.h=1", "g=2"];
        let expected: Table = "a = {b = 2, c = 3}\nd = {e = 1, f = 2}\ng = 2".parse().unwrap();
        assert_eq!(table(overrides.map(|text| parse_override(text).unwrap())), expected);
    }

    #[test]
    fn a_feature_must_exist() {
        let on = Override::feature("unified_exec", true).unwrap();
        assert_eq!(table([on]), "features.unified_exec = true".parse().unwrap());
        let error = Override::feature("no_such_feature", true).unwrap_err();
        assert_eq!(error.to_string(), "Unknown feature flag: no_such_feature");
    }

    #[test]
    fn what_a_client_sends_may_be_nested_dotted_or_null() {
        let Json::Object(sent) = json!({
            "model": null,
            "a": { "b": 1, "c": null, "d": [1, null, "x"] },
            "a.e": 1.5,
            "f.g": true,
            "h": u64::MAX,
        }) else {
            unreachable!()
        };
        let expected = "a = {b = 1, d = [1, 'x'], e = 1.5}\nf = {g = true}\nh = 18446744073709551615.0";
        assert_eq!(thread_table(&sent), expected.parse().unwrap());
    }
}
