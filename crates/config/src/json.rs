//! JSON to TOML: what clients send along with a thread.

use serde_json::Value as Json;
use toml::Value;

/// Converts a value. TOML has no null: one stands for "not set", here and anywhere inside.
pub(crate) fn to_toml(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer),
            // Beyond 64 bits with a sign it is nobody's setting; as a fraction it is at least named in the error.
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(values) => values.iter().filter_map(to_toml).collect::<Vec<_>>().into(),
        Json::Object(members) => Value::Table(
            members.iter().filter_map(|(key, value)| Some((key.clone(), to_toml(value)?))).collect(),
        ),
    })
}
