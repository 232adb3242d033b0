//! The tools of the servers of one lease, and the names under which a model calls them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// What model APIs take for the name of a function.
const LONGEST_NAME: usize = 64;

/// How much of a digest tells names apart: with a thousand tools, two are alike once in ten thousand cases.
const DIGEST_CHARS: usize = 8;

/// The tools of a lease at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tools(Vec<Tool>);

/// A tool of a server.
#[derive(Clone, Debug)]
pub struct Tool {
    name: String,
    server: Arc<str>,
    definition: Arc<Value>,
}

/// What a server says that a tool does. Nothing else vouches for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// It changes nothing.
    pub read_only: Option<bool>,
    /// It may destroy something.
    pub destructive: Option<bool>,
    /// It reaches beyond this machine.
    pub open_world: Option<bool>,
}

impl Tools {
    /// Gives names to tools, which come by server. A tool that a server lists twice counts once.
    pub(crate) fn new(listed: impl IntoIterator<Item = (Arc<str>, Arc<Value>)>) -> Self {
        let tool = |(server, definition)| Tool { name: String::new(), server, definition };
        let mut seen = BTreeSet::new();
        let mut tools: Vec<Tool> = listed.into_iter().map(tool).collect();
        tools.retain(|tool| seen.insert((Arc::clone(&tool.server), tool.tool().to_owned())));
        let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
        for tool in &tools {
            *wanted.entry(plain_name(tool)).or_default() += 1;
        }
        for tool in &mut tools {
            let plain = plain_name(tool);
            let alone = wanted.get(&plain) == Some(&1);
            tool.name = if alone && plain.len() <= LONGEST_NAME { plain } else { marked_name(tool, &plain) };
        }
        Self(tools)
    }

    /// Returns the tools, by server, each server's in its own order.
    pub fn iter(&self) -> impl Iterator<Item = &Tool> {
        self.0.iter()
    }

    /// Returns the tool that a model calls by this name.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.0.iter().find(|tool| tool.name == name)
    }
}

impl Tool {
    /// Returns the name for models: `mcp__SERVER__TOOL`, in characters that their APIs take.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the tool's own name.
    pub fn tool(&self) -> &str {
        text(&self.definition, "name").unwrap_or_default()
    }

    /// Returns what people call it, where that is another name.
    pub fn title(&self) -> Option<&str> {
        text(&self.definition, "title")
    }

    /// Returns what it does, as the server says.
    pub fn description(&self) -> Option<&str> {
        text(&self.definition, "description")
    }

    /// Returns the JSON Schema of its arguments, an object.
    pub fn input_schema(&self) -> &Value {
        &self.definition["inputSchema"]
    }

    /// Returns what the server says of its effects.
    pub fn hints(&self) -> Hints {
        let hint = |key: &str| self.definition.get("annotations")?.get(key)?.as_bool();
        Hints {
            read_only: hint("readOnlyHint"),
            destructive: hint("destructiveHint"),
            open_world: hint("openWorldHint"),
        }
    }

    /// Returns all that the server says of it, in the words of the protocol.
    pub fn definition(&self) -> &Value {
        &self.definition
    }
}

/// Takes one tool as a server lists it; what has no name is none.
pub(crate) fn definition(mut listed: Value) -> Option<Value> {
    let tool = listed.as_object_mut()?;
    tool.get("name")?.as_str()?;
    match tool.entry("inputSchema").or_insert(Value::Null) {
        Value::Object(_) => {}
        other => *other = json!({ "type": "object", "properties": {} }),
    }
    Some(listed)
}

fn text<'a>(definition: &'a Value, key: &str) -> Option<&'a str> {
    definition.get(key)?.as_str()
}

fn plain_name(tool: &Tool) -> String {
    let taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = format!("mcp__{}__{}", tool.server(), tool.tool());
    name.chars().map(|c| if taken(c) { c } else { '_' }).collect()
}

/// Cuts a name to the length that leaves room for a digest of what it stands for.
fn marked_name(tool: &Tool, plain: &str) -> String {
    let digest = Sha256::new().chain_update(tool.server()).chain_update([0]).chain_update(tool.tool());
    let digest = format!("{:x}", digest.finalize());
    let kept = plain.get(..LONGEST_NAME - DIGEST_CHARS - 1).unwrap_or(plain);
    format!("{kept}_{}", &digest[..DIGEST_CHARS])
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    fn tools(listed: &[(&str, &str)]) -> Tools {
        let define = |name| Arc::new(definition(json!({ "name": name })).unwrap());
        Tools::new(listed.iter().map(|&(server, tool)| (Arc::from(server), define(tool))))
    }

    fn names(listed: &[(&str, &str)]) -> Vec<String> {
        tools(listed).iter().map(|tool| tool.name().to_owned()).collect()
    }

    #[test]
    fn names_are_plain_where_they_can_be() {
        let long = "x".repeat(64);
        for (listed, expected) in [
            (vec![("lab", "echo"), ("lab", "echo")], vec!["mcp__lab__echo"]),
            (vec![("my.server", "do it/now é")], vec!["mcp__my_server__do_it_now__"]),
            // Alike: both are marked, whichever came first.
            (vec![("a.b", "c"), ("a_b", "c")], vec!["mcp__a_b__c_8b745bb4", "mcp__a_b__c_0c1d18f5"]),
            (vec![("a__b", "c"), ("a", "b__c")], vec!["mcp__a__b__c_a92700ce", "mcp__a__b__c_01b8a75b"]),
            (vec![("s", &long)], vec!["mcp__s__xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_092e71aa"]),
        ] {
            assert_eq!(names(&listed), expected);
        }
    }

    proptest! {
        #[test]
        fn every_tool_is_found_by_its_name_and_every_name_is_taken(
            listed in prop::collection::vec((".{0,40}", "[a-c._é ]{0,80}"), 0..20),
        ) {
            let pairs: Vec<_> = listed.iter().map(|(server, tool)| (server.as_str(), tool.as_str())).collect();
            let tools = tools(&pairs);
            let distinct: BTreeSet<_> = pairs.iter().copied().collect();
            prop_assert_eq!(tools.iter().count(), distinct.len());
            for tool in tools.iter() {
                let found = tools.find(tool.name()).unwrap();
                prop_assert_eq!((found.server(), found.tool()), (tool.server(), tool.tool()));
                prop_assert!(tool.name().len() <= LONGEST_NAME);
                let taken = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                prop_assert!(tool.name().chars().all(taken), "{}", tool.name());
            }
        }
    }

    #[test]
    fn a_definition_has_a_name_and_a_schema() {
        let schema = json!({ "type": "object", "properties": {} });
        for (listed, expected) in [
            (json!({ "name": "a" }), Some(json!({ "name": "a", "inputSchema": schema }))),
            (json!({ "name": "a", "inputSchema": 5 }), Some(json!({ "name": "a", "inputSchema": schema }))),
            (
                json!({ "name": "a", "inputSchema": { "x": 1 } }),
                Some(json!({ "name": "a", "inputSchema": { "x": 1 } })),
            ),
            (json!({ "name": 5 }), None),
            (json!("a"), None),
        ] {
            assert_eq!(definition(listed), expected);
        }
    }

    #[test]
    fn hints_are_what_the_server_says() {
        let annotations = json!({ "readOnlyHint": true, "destructiveHint": false, "openWorldHint": "x" });
        for (annotations, expected) in [
            (Value::Null, Hints::default()),
            (annotations, Hints { read_only: Some(true), destructive: Some(false), open_world: None }),
        ] {
            let listed = json!({ "name": "a", "annotations": annotations });
            let tools = Tools::new([(Arc::from("s"), Arc::new(listed))]);
            assert_eq!(tools.iter().next().unwrap().hints(), expected);
        }
    }
}
