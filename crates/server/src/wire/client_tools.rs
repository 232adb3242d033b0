//! Tools that a client offers: checked, since a model cannot be told of one that is no tool.

use std::collections::HashSet;

use jsonrpc::RpcError;
use protocol::{DynamicToolFunction, DynamicToolNamespaceTool, DynamicToolSpec};
use serde_json::Value;
use tools::ClientTool;

use crate::error::invalid;

/// The beginning of the names of tools of MCP servers.
const MCP: &str = "mcp__";

/// Reads the tools that a client offers.
pub(crate) fn client_tools(specs: Vec<DynamicToolSpec>) -> Result<Vec<ClientTool>, RpcError> {
    let mut tools = Vec::new();
    for spec in specs {
        match spec {
            DynamicToolSpec::Function(function) => tools.push(tool(None, function)?),
            DynamicToolSpec::Namespace(namespace) => {
                named(&namespace.name)?;
                for DynamicToolNamespaceTool::Function(function) in namespace.tools {
                    tools.push(tool(Some(namespace.name.clone()), function)?);
                }
            }
        }
    }
    let mut seen = HashSet::new();
    for tool in &tools {
        if !seen.insert((&tool.namespace, &tool.name)) {
            return Err(invalid(format!("duplicate dynamic tool name: {}", tool.name)));
        }
    }
    Ok(tools)
}

fn tool(namespace: Option<String>, function: DynamicToolFunction) -> Result<ClientTool, RpcError> {
    let DynamicToolFunction { name, description, input_schema, defer_loading } = function;
    named(&name)?;
    let fits = input_schema.as_object().is_some_and(|schema| {
        schema.get("type").is_none_or(|kind| kind == "object")
            && schema.get("properties").is_none_or(Value::is_object)
    });
    if !fits {
        return Err(invalid(format!(
            "dynamic tool `{name}`: its inputSchema is not the schema of an object"
        )));
    }
    Ok(ClientTool { namespace, name, description, input_schema, defer_loading })
}

fn named(name: &str) -> Result<(), RpcError> {
    if name.trim().is_empty() {
        return Err(invalid("dynamic tool name must not be empty"));
    }
    if name.starts_with(MCP) {
        return Err(invalid(format!("dynamic tool name is reserved: {name}")));
    }
    Ok(())
}
