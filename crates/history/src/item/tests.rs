//! Stored events and the items that they show.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

/// Reads an event as a line would be read, and shows its item under the id `i`.
fn shown(event: Value) -> Value {
    let event = serde_json::from_value(event).unwrap();
    serde_json::to_value(item(event, "i".into())).unwrap()
}

#[test]
fn recorded_events_read_back_as_items() {
    for (event, expected) in [
        (
            json!({"type": "agent_reasoning", "text": "thinking"}),
            json!({"type": "reasoning", "id": "i", "summary": ["thinking"], "content": []}),
        ),
        (
            json!({"type": "agent_reasoning_raw_content", "text": "raw"}),
            json!({"type": "reasoning", "id": "i", "summary": [], "content": ["raw"]}),
        ),
        (
            json!({"type": "agent_message", "message": "a", "phase": "final_answer", "memory_citation": {"entries": [{"path": "p", "line_start": 1, "line_end": 2, "note": "n"}], "rollout_ids": ["r"]}}),
            json!({"type": "agentMessage", "id": "i", "text": "a", "phase": "final_answer", "memoryCitation": {"entries": [{"path": "p", "lineStart": 1, "lineEnd": 2, "note": "n"}], "threadIds": ["r"]}}),
        ),
        (
            json!({"type": "patch_apply_end", "call_id": "c3", "turn_id": "t-1", "stdout": "", "stderr": "", "success": true, "changes": {"/a": {"type": "add", "content": "x"}}, "status": "completed"}),
            json!({"type": "fileChange", "id": "i", "changes": [{"path": "/a", "kind": {"type": "add"}, "diff": "x"}], "status": "completed"}),
        ),
        (
            json!({"type": "patch_apply_end", "call_id": "c3", "success": false, "changes": {}}),
            json!({"type": "fileChange", "id": "i", "changes": [], "status": "failed"}),
        ),
        (
            json!({"type": "mcp_tool_call_end", "call_id": "c4", "invocation": {"server": "s", "tool": "t", "arguments": {}}, "duration": {"secs": 0, "nanos": 5_000_000}, "result": {"Ok": {"content": [], "isError": false}}}),
            json!({"type": "mcpToolCall", "id": "i", "server": "s", "tool": "t", "status": "completed", "arguments": {}, "result": {"content": [], "structuredContent": null, "_meta": null}, "error": null, "durationMs": 5}),
        ),
        (
            json!({"type": "web_search_end", "call_id": "c5", "query": "wq", "action": {"type": "search", "query": "wq"}}),
            json!({"type": "webSearch", "id": "i", "query": "wq", "action": {"type": "search", "query": "wq", "queries": null}, "results": null}),
        ),
        (
            json!({"type": "view_image_tool_call", "call_id": "c6", "path": "/i.png"}),
            json!({"type": "imageView", "id": "i", "path": "/i.png"}),
        ),
        (
            json!({"type": "entered_review_mode", "target": {"type": "uncommittedChanges"}, "user_facing_hint": "hint"}),
            json!({"type": "enteredReviewMode", "id": "i", "review": "hint"}),
        ),
        (
            json!({"type": "exited_review_mode", "review_output": {"findings": [], "overall_explanation": "exp"}}),
            json!({"type": "exitedReviewMode", "id": "i", "review": "exp"}),
        ),
        (
            json!({"type": "item_completed", "turn_id": "t-1", "item": {"type": "Plan", "id": "p1", "text": "the plan"}}),
            json!({"type": "plan", "id": "i", "text": "the plan"}),
        ),
        (json!({"type": "context_compacted"}), json!({"type": "contextCompaction", "id": "i"})),
        (
            json!({"type": "exec_command_end", "call_id": "c2", "turn_id": "t-1", "command": ["bash", "-lc", "ls"], "cwd": "/", "parsed_cmd": [{"type": "unknown", "cmd": "ls"}], "source": "agent",
                "stdout": "o", "stderr": "", "aggregated_output": "o", "exit_code": 0, "duration": {"secs": 1, "nanos": 0}, "formatted_output": "o", "status": "completed"}),
            json!({"type": "commandExecution", "id": "i", "command": "bash -lc ls", "cwd": "/", "processId": null, "source": "agent", "status": "completed",
                "commandActions": [{"type": "unknown", "command": "ls"}], "aggregatedOutput": "o", "exitCode": 0, "durationMs": 1000}),
        ),
        (
            json!({"type": "exec_command_end", "call_id": "c2", "command": ["rm"], "source": "user_shell", "aggregated_output": "rejected", "exit_code": -1, "status": "declined"}),
            json!({"type": "commandExecution", "id": "i", "command": "rm", "cwd": "", "processId": null, "source": "userShell", "status": "declined",
                "commandActions": [], "aggregatedOutput": null, "exitCode": null, "durationMs": null}),
        ),
        (
            json!({"type": "exec_command_end", "call_id": "c2", "aggregated_output": "", "exit_code": 3}),
            json!({"type": "commandExecution", "id": "i", "command": "", "cwd": "", "processId": null, "source": "agent", "status": "failed",
                "commandActions": [], "aggregatedOutput": null, "exitCode": 3, "durationMs": null}),
        ),
        (json!({"type": "token_count", "info": null}), json!(null)),
        (json!({"type": "event_of_the_future"}), json!(null)),
    ] {
        assert_eq!(shown(event), expected);
    }
}

#[test]
fn a_user_message_gives_back_what_the_client_sent() {
    let inputs = json!([
        {"type": "text", "text": "$s look", "text_elements": [{"byteRange": {"start": 0, "end": 2}, "placeholder": null}]},
        {"type": "skill", "name": "s", "path": "/s/SKILL.md"},
        {"type": "localImage", "path": "/i.png", "detail": null},
        {"type": "text", "text": "again", "text_elements": []},
    ]);
    assert_eq!(
        shown(
            json!({"type": "user_message", "message": "$s lookagain", "local_images": ["/i.png"], "inputs": inputs, "client_id": "c"})
        ),
        json!({"type": "userMessage", "id": "i", "clientId": "c", "content": inputs})
    );
    assert_eq!(
        shown(json!({"type": "user_message", "message": "m", "images": null, "kind": "plain"})),
        json!({"type": "userMessage", "id": "i", "clientId": null, "content": [{"type": "text", "text": "m", "text_elements": []}]})
    );
}

#[test]
fn items_of_the_newer_release_are_read() {
    for (stored, expected) in [
        (
            json!({"type": "UserMessage", "id": "x", "client_id": "c", "content": [{"type": "text", "text": "q", "text_elements": []}, {"type": "local_image", "path": "/i.png"}]}),
            json!({"type": "userMessage", "id": "i", "clientId": "c", "content": [{"type": "text", "text": "q", "text_elements": []}, {"type": "localImage", "path": "/i.png", "detail": null}]}),
        ),
        (
            json!({"type": "AgentMessage", "id": "x", "content": [{"type": "Text", "text": "I will "}, {"type": "Text", "text": "look"}], "phase": "commentary"}),
            json!({"type": "agentMessage", "id": "i", "text": "I will look", "phase": "commentary", "memoryCitation": null}),
        ),
        (
            json!({"type": "Reasoning", "id": "x", "summary_text": ["a", "b"], "raw_content": ["c"]}),
            json!({"type": "reasoning", "id": "i", "summary": ["a", "b"], "content": ["c"]}),
        ),
        (
            json!({"type": "CommandExecution", "id": "x", "process_id": "58047", "command": ["/bin/bash", "-lc", "echo hi; ls"], "cwd": "file:///w%20s", "parsed_cmd": [{"type": "list_files", "cmd": "ls", "path": null}],
                "source": "unified_exec_startup", "status": "completed", "aggregated_output": "hi\n", "exit_code": 0, "duration": {"secs": 0, "nanos": 21260}}),
            json!({"type": "commandExecution", "id": "i", "command": "/bin/bash -lc 'echo hi; ls'", "cwd": "/w s", "processId": "58047", "source": "unifiedExecStartup", "status": "completed",
                "commandActions": [{"type": "listFiles", "command": "ls", "path": null}], "aggregatedOutput": "hi\n", "exitCode": 0, "durationMs": 0}),
        ),
        (
            json!({"type": "FileChange", "id": "x", "changes": {"/w/n": {"type": "update", "unified_diff": "@@\n", "move_path": "/w/m"}}, "status": "completed", "stdout": "", "stderr": ""}),
            json!({"type": "fileChange", "id": "i", "changes": [{"path": "/w/n", "kind": {"type": "update", "move_path": "/w/m"}, "diff": "@@\n\n\nMoved to: /w/m"}], "status": "completed"}),
        ),
        (
            json!({"type": "McpToolCall", "id": "x", "server": "e", "tool": "bad", "arguments": {"a_b": 1}, "readOnlyHint": true, "status": "failed", "result": {"content": [], "structuredContent": {"x": 1}, "isError": true, "_meta": {"k": 1}}, "duration": {"secs": 0, "nanos": 1039291}}),
            json!({"type": "mcpToolCall", "id": "i", "server": "e", "tool": "bad", "status": "failed", "arguments": {"a_b": 1}, "result": {"content": [], "structuredContent": {"x": 1}, "_meta": {"k": 1}}, "error": null, "durationMs": 1}),
        ),
        (
            json!({"type": "McpToolCall", "id": "x", "server": "e", "tool": "t", "arguments": null, "status": "failed", "error": {"message": "no"}}),
            json!({"type": "mcpToolCall", "id": "i", "server": "e", "tool": "t", "status": "failed", "arguments": null, "result": null, "error": {"message": "no"}, "durationMs": null}),
        ),
        (
            json!({"type": "DynamicToolCall", "id": "x", "tool": "my_tool", "arguments": {"a_b": 1}, "status": "completed", "content_items": [{"type": "inputText", "text": "r"}], "success": true, "duration": {"secs": 1, "nanos": 0}}),
            json!({"type": "dynamicToolCall", "id": "i", "namespace": null, "tool": "my_tool", "arguments": {"a_b": 1}, "status": "completed", "contentItems": [{"type": "inputText", "text": "r"}], "success": true, "durationMs": 1000}),
        ),
        (
            json!({"type": "WebSearch", "id": "x", "query": "rust", "action": {"type": "open_page", "url": "u"}}),
            json!({"type": "webSearch", "id": "i", "query": "rust", "action": {"type": "openPage", "url": "u"}, "results": null}),
        ),
        (
            json!({"type": "ImageView", "id": "x", "path": "file:///w/i.png"}),
            json!({"type": "imageView", "id": "i", "path": "/w/i.png"}),
        ),
        (
            json!({"type": "EnteredReviewMode", "id": "x", "target": {"type": "custom"}, "user_facing_hint": "check it"}),
            json!({"type": "enteredReviewMode", "id": "i", "review": "check it"}),
        ),
        (
            json!({"type": "ExitedReviewMode", "id": "x", "review_output": {"findings": [], "overall_explanation": "EXPL"}}),
            json!({"type": "exitedReviewMode", "id": "i", "review": "EXPL"}),
        ),
        (
            json!({"type": "HookPrompt", "id": "x", "fragments": [{"text": "t", "hook_run_id": "h"}]}),
            json!({"type": "hookPrompt", "id": "i", "fragments": [{"text": "t", "hookRunId": "h"}]}),
        ),
        (json!({"type": "ContextCompaction", "id": "x"}), json!({"type": "contextCompaction", "id": "i"})),
        (json!({"type": "Sleep", "id": "x", "duration_ms": 5}), json!(null)),
        (json!({"id": "x"}), json!(null)),
        (json!("odd"), json!(null)),
    ] {
        assert_eq!(shown(json!({"type": "item_completed", "item": stored})), expected);
    }
}

#[test]
fn the_answer_of_a_clients_tool_is_read_from_an_event_of_its_own() {
    let event = json!({"type": "dynamic_tool_call_response", "call_id": "d1", "turn_id": "t", "tool": "my_tool", "arguments": {"a_b": 1},
        "content_items": [{"type": "inputText", "text": "r"}], "success": true, "error": null, "duration": {"secs": 0, "nanos": 2_820_037}});
    let shown = |event: &Value| {
        let event = serde_json::from_value(event.clone()).unwrap();
        serde_json::to_value(item(event, "i".into())).unwrap()
    };
    assert_eq!(
        shown(&event),
        json!({"type": "dynamicToolCall", "id": "i", "namespace": null, "tool": "my_tool", "arguments": {"a_b": 1}, "status": "completed",
            "contentItems": [{"type": "inputText", "text": "r"}], "success": true, "durationMs": 2})
    );
    let failed = json!({"type": "dynamic_tool_call_response", "call_id": "c", "tool": "t", "arguments": {}, "success": false, "error": "no"});
    assert_eq!(shown(&failed)["status"], "failed");
    assert_eq!(shown(&json!({"type": "event_of_the_future"})), json!(null));
}

#[test]
fn the_times_of_an_item_are_those_of_its_record() {
    let times = |event: Value, written| {
        let Times { started_at_ms, completed_at_ms } =
            times(&serde_json::from_value(event).unwrap(), written);
        (started_at_ms, completed_at_ms)
    };
    let command = json!({"type": "exec_command_end", "call_id": "c", "duration": {"secs": 2, "nanos": 0}});
    assert_eq!(times(command.clone(), Some(5000)), (Some(3000), Some(5000)));
    assert_eq!(times(command, None), (None, None));
    assert_eq!(times(json!({"type": "user_message", "message": "m"}), Some(5000)), (Some(5000), Some(5000)));
    assert_eq!(times(json!({"type": "agent_message", "message": "m"}), Some(5000)), (None, Some(5000)));
    let item = json!({"type": "item_completed", "item": {}, "started_at_ms": 1, "completed_at_ms": 2});
    assert_eq!(times(item, Some(5000)), (Some(1), Some(2)));
}
