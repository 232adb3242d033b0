//! What tools did: commands, patches, MCP calls, searches.

use protocol::{
    CommandAction, CommandExecutionStatus, FileUpdateChange, McpToolCallError, McpToolCallResult,
    McpToolCallStatus, PatchChangeKind, ThreadItem, WebSearchAction,
};
use serde_json::{Map, Value};

use crate::stored::{camel, millis, path, wire, word};

/// The fields of a finished command, in whichever record they stand.
pub(super) struct Command<'a> {
    pub argv: &'a [String],
    pub cwd: &'a str,
    pub process_id: Option<&'a str>,
    pub source: Option<&'a str>,
    pub status: Option<&'a str>,
    pub parsed: &'a [Value],
    pub output: Option<&'a str>,
    pub exit_code: Option<i32>,
    pub duration: Option<&'a Value>,
}

impl Command<'_> {
    pub(super) fn into_item(self, id: String) -> ThreadItem {
        let Self { argv, cwd, process_id, source, status, parsed, output, exit_code, duration } = self;
        let status = word(status).unwrap_or(match exit_code {
            Some(0) => CommandExecutionStatus::Completed,
            _ => CommandExecutionStatus::Failed,
        });
        // What was declined did not run, whatever stands in the record.
        let ran = status != CommandExecutionStatus::Declined;
        ThreadItem::CommandExecution {
            id,
            command: shell::quoted(argv),
            cwd: path(cwd),
            process_id: process_id.map(str::to_owned),
            source: word(source).unwrap_or_default(),
            status,
            command_actions: parsed.iter().map(action).collect(),
            aggregated_output: output.filter(|output| ran && !output.is_empty()).map(str::to_owned),
            exit_code: exit_code.filter(|_| ran),
            duration_ms: millis(duration),
        }
    }
}

/// Reads what a command does, as rollouts keep it.
pub fn action(stored: &Value) -> CommandAction {
    let text = |field: &str| stored[field].as_str().map(str::to_owned);
    let command = text("cmd").unwrap_or_default();
    match (stored["type"].as_str(), text("name"), text("path")) {
        (Some("read"), Some(name), Some(path)) => CommandAction::Read { command, name, path },
        (Some("list_files"), _, path) => CommandAction::ListFiles { command, path },
        (Some("search"), _, path) => CommandAction::Search { command, query: text("query"), path },
        _ => CommandAction::Unknown { command },
    }
}

/// Reads what a patch did, by path.
pub(super) fn changes(stored: &Map<String, Value>) -> Vec<FileUpdateChange> {
    let mut changes: Vec<_> = stored.iter().map(|(path, change)| file_change(path, change)).collect();
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn file_change(path: &str, stored: &Value) -> FileUpdateChange {
    let text = |field: &str| stored[field].as_str().unwrap_or_default().to_owned();
    let (kind, diff) = match stored["type"].as_str() {
        Some("add") => (PatchChangeKind::Add, text("content")),
        Some("delete") => (PatchChangeKind::Delete, text("content")),
        _ => {
            let move_path = stored["move_path"].as_str().map(crate::stored::path);
            let mut diff = text("unified_diff");
            if let Some(to) = &move_path {
                diff.push_str("\n\nMoved to: ");
                diff.push_str(to);
            }
            (PatchChangeKind::Update { move_path }, diff)
        }
    };
    FileUpdateChange { path: crate::stored::path(path), kind, diff }
}

/// What became of a call of an MCP tool.
pub(super) struct McpOutcome {
    pub status: McpToolCallStatus,
    pub result: Option<McpToolCallResult>,
    pub error: Option<McpToolCallError>,
}

/// Reads an outcome stored as `{"Ok": result}` or `{"Err": text}`.
pub(super) fn mcp_outcome(stored: &Value) -> McpOutcome {
    match (stored.get("Ok"), stored.get("Err").and_then(Value::as_str)) {
        (Some(result), _) => mcp_answer(result),
        (None, error) => McpOutcome {
            status: McpToolCallStatus::Failed,
            result: None,
            error: error.map(|message| McpToolCallError { message: message.to_owned() }),
        },
    }
}

/// Reads the answer of a tool that answered; it may say itself that it failed.
pub(super) fn mcp_answer(result: &Value) -> McpOutcome {
    let failed = result["isError"].as_bool() == Some(true) || result["is_error"].as_bool() == Some(true);
    McpOutcome {
        status: if failed { McpToolCallStatus::Failed } else { McpToolCallStatus::Completed },
        result: wire(result),
        error: None,
    }
}

/// Reads what a web search did.
pub(super) fn search_action(stored: Option<&Value>) -> Option<WebSearchAction> {
    let mut action = stored.filter(|action| action.is_object())?.clone();
    action["type"] = camel(action["type"].as_str()?).into();
    wire(&action)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_command_does_is_read() {
        for (stored, expected) in [
            (
                json!({"type": "read", "cmd": "cat a", "name": "a", "path": "/a"}),
                json!({"type": "read", "command": "cat a", "name": "a", "path": "/a"}),
            ),
            (json!({"type": "read", "cmd": "cat"}), json!({"type": "unknown", "command": "cat"})),
            (
                json!({"type": "list_files", "cmd": "ls", "path": null}),
                json!({"type": "listFiles", "command": "ls", "path": null}),
            ),
            (
                json!({"type": "search", "cmd": "rg x", "query": "x", "path": null}),
                json!({"type": "search", "command": "rg x", "query": "x", "path": null}),
            ),
            (json!({"type": "of_the_future", "cmd": "x"}), json!({"type": "unknown", "command": "x"})),
        ] {
            assert_eq!(serde_json::to_value(action(&stored)).unwrap(), expected);
        }
    }

    #[test]
    fn an_argv_is_quoted_as_the_published_servers_do() {
        for (argv, expected) in [
            (&["bash", "-lc", "ls"][..], "bash -lc ls"),
            (&["/bin/bash", "-lc", "echo hi; ls"], "/bin/bash -lc 'echo hi; ls'"),
            (&["a\0", "b"], "a\0 b"),
        ] {
            let argv: Vec<_> = argv.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(shell::quoted(&argv), expected);
        }
    }

    #[test]
    fn a_change_is_read_with_its_diff() {
        let stored = json!({
            "/w/b": {"type": "update", "unified_diff": "@@\n", "move_path": "/w/c"},
            "/w/a": {"type": "add", "content": "x"},
            "file:///w/d%20e": {"type": "delete", "content": "old"},
            "/w/f": {"type": "update", "unified_diff": "@@\n", "move_path": null},
        });
        assert_eq!(
            serde_json::to_value(changes(stored.as_object().unwrap())).unwrap(),
            json!([
                {"path": "/w/a", "kind": {"type": "add"}, "diff": "x"},
                {"path": "/w/b", "kind": {"type": "update", "move_path": "/w/c"}, "diff": "@@\n\n\nMoved to: /w/c"},
                {"path": "/w/d e", "kind": {"type": "delete"}, "diff": "old"},
                {"path": "/w/f", "kind": {"type": "update", "move_path": null}, "diff": "@@\n"},
            ])
        );
    }

    #[test]
    fn an_mcp_call_has_a_result_or_an_error() {
        for (stored, status, result, error) in [
            (json!({"Ok": {"content": [1], "isError": false}}), "completed", true, None),
            (json!({"Ok": {"content": [], "isError": true, "_meta": {"k": 1}}}), "failed", true, None),
            (json!({"Err": "no"}), "failed", false, Some("no")),
            (json!("odd"), "failed", false, None),
        ] {
            let outcome = mcp_outcome(&stored);
            assert_eq!(serde_json::to_value(outcome.status).unwrap(), status);
            assert_eq!(outcome.result.is_some(), result);
            assert_eq!(outcome.error.map(|error| error.message).as_deref(), error);
        }
    }

    #[test]
    fn a_search_is_respelled() {
        for (stored, expected) in [
            (
                json!({"type": "search", "query": "q"}),
                json!({"type": "search", "query": "q", "queries": null}),
            ),
            (json!({"type": "open_page", "url": "u"}), json!({"type": "openPage", "url": "u"})),
            (json!({"type": "of_the_future"}), json!({"type": "other"})),
            (json!(null), json!(null)),
        ] {
            assert_eq!(serde_json::to_value(search_action(Some(&stored))).unwrap(), expected);
        }
    }
}
