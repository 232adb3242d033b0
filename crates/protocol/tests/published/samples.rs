//! Values that a schema allows: the least, the most, and each choice once.

use serde_json::{Map, Value, json};

/// Returns values that the schema allows; a nested choice is made in a value that is otherwise full.
pub(crate) fn samples(document: &Value) -> Vec<Value> {
    Sampler { document }.of(document, 0)
}

/// Deeper than this only one choice is taken, since some schemas of the releases contain themselves.
const DEEP: usize = 12;

struct Sampler<'a> {
    document: &'a Value,
}

impl Sampler<'_> {
    fn of(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let mut found = self.choices(schema, depth);
        if depth > DEEP {
            found.truncate(1);
        }
        found
    }

    fn choices(&self, schema: &Value, depth: usize) -> Vec<Value> {
        if let Some(target) = schema["$ref"].as_str() {
            return self.of(self.document.pointer(&target[1..]).unwrap(), depth + 1);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.clone();
        }
        let branches = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema[key].as_array());
        let branches =
            branches.map(|branches| branches.iter().flat_map(|branch| self.of(branch, depth + 1)).collect());
        match (branches, schema["properties"].as_object()) {
            (Some(branches), None) => branches,
            (None, Some(_)) => self.objects(schema, depth),
            (Some(branches), Some(_)) => merged(&branches, &self.objects(schema, depth)),
            (None, None) => match &schema["type"] {
                Value::Array(kinds) => {
                    kinds.iter().flat_map(|kind| self.of_kind(kind, schema, depth)).collect()
                }
                kind => self.of_kind(kind, schema, depth),
            },
        }
    }

    fn of_kind(&self, kind: &Value, schema: &Value, depth: usize) -> Vec<Value> {
        match kind.as_str() {
            Some("null") => vec![Value::Null],
            Some("boolean") => vec![true.into(), false.into()],
            Some("integer" | "number") => vec![7.into()],
            // A path, so that it also fits where only an absolute one does.
            Some("string") => vec!["/text".into()],
            Some("array") => {
                let items = self.of(&schema["items"], depth + 1).into_iter().map(|item| json!([item]));
                [json!([])].into_iter().chain(items).collect()
            }
            Some("object") => {
                let values = self.of(&schema["additionalProperties"], depth + 1);
                let values = values.into_iter().map(|value| json!({ "key": value }));
                [json!({})].into_iter().chain(values).collect()
            }
            _ => vec![json!({ "any": [1, null] })],
        }
    }

    fn objects(&self, schema: &Value, depth: usize) -> Vec<Value> {
        let fields = schema["properties"].as_object().unwrap();
        let choices: Vec<_> = fields.iter().map(|(name, field)| (name, self.of(field, depth + 1))).collect();
        let full: Map<_, _> =
            choices.iter().map(|(name, values)| ((*name).clone(), values[0].clone())).collect();
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let least: Map<_, _> =
            required.filter_map(|name| Some((name.to_owned(), full.get(name)?.clone()))).collect();
        let mut found = vec![Value::Object(least), Value::Object(full.clone())];
        for (name, values) in choices {
            found.extend(values.into_iter().skip(1).map(|value| {
                let mut other = full.clone();
                other.insert(name.clone(), value);
                Value::Object(other)
            }));
        }
        found
    }
}

/// Joins what the branches say with what is said beside them: each of either once.
fn merged(branches: &[Value], beside: &[Value]) -> Vec<Value> {
    let join = |branch: &Value, beside: &Value| {
        let fields = branch.as_object().into_iter().chain(beside.as_object()).flatten();
        Value::Object(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    let first = branches.iter().map(|branch| join(branch, &beside[0]));
    first.chain(beside.iter().skip(1).map(|beside| join(&branches[0], beside))).collect()
}
