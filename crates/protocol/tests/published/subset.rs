//! Whether all that one schema allows is allowed by another, field by field.
//!
//! Sound for the kind of schemas that are made from types, not for all of JSON Schema: a fault may be reported where
//! there is none, but none is passed over. A field that only the other schema knows is taken not to be sent.

use serde_json::Value;

/// Returns where `ours` allows what `theirs` does not; both are documents with their definitions.
pub(crate) fn faults(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = vec![];
    Comparison { ours, theirs }.compare(ours, theirs, ".", &mut found);
    found
}

/// How a fault tells of a word that the other schema does not know.
const WRONG_WORD: &str = "is not within";

struct Comparison<'a> {
    ours: &'a Value,
    theirs: &'a Value,
}

impl Comparison<'_> {
    fn compare(&self, ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
        let (ours, theirs) = (resolved(self.ours, ours), resolved(self.theirs, theirs));
        if let Some(branches) = branches(ours) {
            let whole = |branch| joined(resolved(self.ours, branch), ours);
            branches.iter().for_each(|branch| self.compare(&whole(branch), theirs, at, found));
        } else if let Some(kinds) = ours["type"].as_array() {
            for kind in kinds {
                let mut one = ours.clone();
                one["type"] = kind.clone();
                self.compare(&one, theirs, at, found);
            }
        } else if let Some(branches) = branches(theirs) {
            self.compare_with_branches(ours, branches, at, found);
            if theirs.get("properties").is_some() {
                self.compare_objects(ours, theirs, at, found);
            }
        } else {
            self.compare_plain(ours, theirs, at, found);
        }
    }

    /// One branch must allow everything; where none does, the one whose fixed words fit best tells why.
    fn compare_with_branches(&self, ours: &Value, branches: &[Value], at: &str, found: &mut Vec<String>) {
        if let Some(words) = ours["enum"].as_array().filter(|words| words.len() > 1) {
            // The releases cut their words into branches where some are commented.
            for word in words {
                let mut one = ours.clone();
                one["enum"] = Value::Array(vec![word.clone()]);
                self.compare_with_branches(&one, branches, at, found);
            }
            return;
        }
        let tried = branches.iter().map(|branch| {
            let mut faults = vec![];
            self.compare(ours, branch, at, &mut faults);
            faults
        });
        let distance =
            |faults: &Vec<String>| (faults.iter().any(|fault| fault.contains(WRONG_WORD)), faults.len());
        found.extend(tried.min_by_key(distance).unwrap_or_default());
    }

    fn compare_plain(&self, ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(allowed) = theirs["enum"].as_array() {
            let words =
                ours["enum"].as_array().filter(|words| words.iter().all(|word| allowed.contains(word)));
            if words.is_none() {
                found.push(format!("{at}: {ours} {WRONG_WORD} {}", theirs["enum"]));
            }
            return;
        }
        let Some(kind) = theirs.get("type") else { return };
        let kinds = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
        if !kinds.contains(&ours["type"]) {
            found.push(format!("{at}: {} is not {kind}", ours["type"]));
            return;
        }
        match ours["type"].as_str() {
            Some("object") => self.compare_objects(ours, theirs, at, found),
            Some("array") => self.compare(&ours["items"], &theirs["items"], &format!("{at}[]"), found),
            Some("integer") => compare_ranges(ours, theirs, at, found),
            _ => {}
        }
    }

    fn compare_objects(&self, ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
        let names = |schema: &Value| schema["required"].as_array().cloned().unwrap_or_default();
        let sent = names(ours);
        for name in names(theirs).iter().filter(|name| !sent.contains(name)) {
            found.push(format!("{at}: {name} is required"));
        }
        for (name, field) in ours["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match theirs["properties"].get(name) {
                Some(known) => self.compare(field, known, &at, found),
                None if theirs["additionalProperties"] == false => {
                    found.push(format!("{at}: is not allowed"))
                }
                None => {}
            }
        }
        if theirs["additionalProperties"].is_object() && ours["additionalProperties"] != Value::Null {
            let (ours, theirs) = (&ours["additionalProperties"], &theirs["additionalProperties"]);
            self.compare(ours, theirs, &format!("{at}/*"), found);
        }
    }
}

fn compare_ranges(ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
    let least = |schema: &Value| schema["minimum"].as_f64();
    if least(theirs).is_some_and(|bound| least(ours).is_none_or(|least| least < bound)) {
        found.push(format!("{at}: may be below {}", theirs["minimum"]));
    }
    let bits =
        |schema: &Value| schema["format"].as_str().map(|format| format.trim_start_matches("uint").to_owned());
    if bits(ours) != bits(theirs) {
        found.push(format!("{at}: {} is not {}", ours["format"], theirs["format"]));
    }
}

/// Joins a branch with what is said beside it, for all branches.
fn joined(branch: &Value, beside: &Value) -> Value {
    let mut whole = branch.clone();
    if let Some(fields) = beside["properties"].as_object() {
        for (name, field) in fields {
            whole["properties"][name] = field.clone();
        }
        let required = beside["required"].as_array().into_iter().chain(branch["required"].as_array());
        whole["required"] = required.flatten().cloned().collect();
    }
    whole
}

fn branches(schema: &Value) -> Option<&[Value]> {
    ["oneOf", "anyOf"].iter().find_map(|key| schema[key].as_array()).map(Vec::as_slice)
}

/// Follows references, also those that stand alone in an `allOf` to carry a comment beside them.
fn resolved<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    loop {
        schema = match (schema["$ref"].as_str(), schema["allOf"].as_array().map(Vec::as_slice)) {
            (Some(target), _) => document.pointer(&target[1..]).unwrap(),
            (None, Some([only])) => only,
            _ => return schema,
        };
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_goes_beyond_the_other_schema_is_told_by_its_place() {
        let tagged = |word: &str, field: Value| {
            let kind = json!({ "type": "string", "enum": [word] });
            json!({ "type": "object", "required": ["type"], "properties": { "type": kind, "field": field } })
        };
        let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer", "format": "int64" }));
        let object = |name: &str| json!({ "type": "object", "properties": { name: text } });
        let needs =
            |name: &str| json!({ "type": "object", "properties": { name: text }, "required": [name] });
        let beside = |name: &str| {
            let mut choice = json!({ "oneOf": [tagged("x", text.clone())] });
            choice["properties"][name] = text.clone();
            choice["required"] = json!([name]);
            choice
        };
        for (ours, theirs, told) in [
            (beside("a"), beside("b"), r#".: "b" is required"#),
            (json!({ "type": ["string", "null"] }), text.clone(), r#".: "null" is not "string""#),
            (number.clone(), json!({ "type": "integer", "format": "int32" }), r#".: "int64" is not "int32""#),
            (
                number.clone(),
                json!({ "type": "integer", "format": "int64", "minimum": 0 }),
                ".: may be below 0",
            ),
            (json!({ "anyOf": [text, number] }), text.clone(), r#".: "integer" is not "string""#),
            (
                json!({ "type": "array", "items": number }),
                json!({ "type": "array", "items": text }),
                r#".[]: "integer" is not "string""#,
            ),
            (object("a"), needs("a"), r#".: "a" is required"#),
            (needs("b"), needs("a"), r#".: "a" is required"#),
            (json!({ "type": "object" }), needs("a"), r#".: "a" is required"#),
            (
                json!({ "anyOf": [tagged("x", text.clone()), tagged("y", number.clone())] }),
                json!({ "oneOf": [tagged("x", text.clone()), tagged("y", text.clone())] }),
                r#"./field: "integer" is not "string""#,
            ),
            (
                json!({ "oneOf": [tagged("x", text.clone()), tagged("z", text.clone())] }),
                json!({ "oneOf": [tagged("x", text.clone()), tagged("y", text.clone())] }),
                r#"./type: {"enum":["z"],"type":"string"} is not within ["x"]"#,
            ),
            (
                json!({ "type": "string", "enum": ["a", "b"] }),
                json!({ "oneOf": [{ "type": "string", "enum": ["a"] }, { "type": "string", "enum": ["c"] }] }),
                r#".: {"enum":["b"],"type":"string"} is not within ["a"]"#,
            ),
            (
                text.clone(),
                json!({ "type": "string", "enum": ["a"] }),
                r#".: {"type":"string"} is not within ["a"]"#,
            ),
            (json!(true), text.clone(), r#".: null is not "string""#),
        ] {
            assert_eq!(faults(&ours, &theirs), [told], "{ours} within {theirs}");
        }
    }

    #[test]
    fn what_stays_within_the_other_schema_is_no_fault() {
        let reference = json!({ "$ref": "#/definitions/A", "definitions": { "A": { "type": "string" } } });
        let carried =
            json!({ "allOf": [{ "$ref": "#/definitions/A" }], "definitions": { "A": { "type": "string" } } });
        for (ours, theirs) in [
            (json!({ "type": "string" }), json!({ "type": ["string", "null"] })),
            (json!({ "type": "string", "enum": ["a"] }), json!({ "type": "string" })),
            (reference, carried),
            (json!({ "type": "integer" }), json!(true)),
            (
                json!({ "type": "object", "properties": { "more": { "type": "null" } } }),
                json!({ "type": "object", "properties": { "less": { "type": "null" } } }),
            ),
        ] {
            assert_eq!(faults(&ours, &theirs), Vec::<String>::new(), "{ours} within {theirs}");
        }
    }
}
