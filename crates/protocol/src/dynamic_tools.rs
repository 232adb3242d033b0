//! Tools that the client offers and runs: how it describes them, and `item/tool/call`.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::DynamicToolCallOutputContentItem;

/// A tool that the client runs, or some that share a name before theirs.
///
/// Clients of the older release leave out `type`, and mean a function.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum DynamicToolSpec {
    Function(DynamicToolFunction),
    Namespace(DynamicToolNamespace),
}

/// One tool that the client runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct DynamicToolFunction {
    pub name: String,
    pub description: String,
    /// A JSON Schema of the arguments.
    pub input_schema: Value,
    /// Whether the model is to look for the tool before it is told of it.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub defer_loading: bool,
}

/// Tools that share a name before theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct DynamicToolNamespace {
    pub name: String,
    pub description: String,
    pub tools: Vec<DynamicToolNamespaceTool>,
}

/// A tool in a namespace; there is one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub enum DynamicToolNamespaceTool {
    Function(DynamicToolFunction),
}

impl<'de> Deserialize<'de> for DynamicToolSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(tag = "type", rename_all = "camelCase")]
        enum Tagged {
            Function(DynamicToolFunction),
            Namespace(DynamicToolNamespace),
        }
        let mut spec = Value::deserialize(from)?;
        if let Value::Object(fields) = &mut spec {
            fields.entry("type").or_insert_with(|| "function".into());
        }
        match serde_json::from_value(spec).map_err(D::Error::custom)? {
            Tagged::Function(function) => Ok(Self::Function(function)),
            Tagged::Namespace(namespace) => Ok(Self::Namespace(namespace)),
        }
    }
}

/// Has the client run one of its tools.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct DynamicToolCallParams {
    pub thread_id: String,
    pub turn_id: String,
    pub call_id: String,
    pub namespace: Option<String>,
    pub tool: String,
    pub arguments: Value,
}

/// What the client's tool answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export_to = "v2/")]
pub struct DynamicToolCallResponse {
    pub content_items: Vec<DynamicToolCallOutputContentItem>,
    pub success: bool,
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_without_a_type_is_a_function() {
        let plain = json!({ "name": "t", "description": "d", "inputSchema": {} });
        let mut told = plain.clone();
        told["type"] = "function".into();
        told["deferLoading"] = false.into();
        let read: DynamicToolSpec = serde_json::from_value(plain).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), told);
    }

    #[test]
    fn a_tool_that_does_not_fit_is_refused_in_words_that_name_what_is_wrong() {
        for (spec, text) in [
            (json!({ "name": "t", "description": "d" }), "missing field `inputSchema`"),
            (json!({ "type": "namespace", "name": "n", "description": "d" }), "missing field `tools`"),
            (json!({ "type": "x" }), "unknown variant `x`, expected `function` or `namespace`"),
            (json!("t"), "invalid type: string \"t\", expected internally tagged enum Tagged"),
        ] {
            let error = serde_json::from_value::<DynamicToolSpec>(spec).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
    }
}
