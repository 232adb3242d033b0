//! Rollouts for tests.

use std::fs;

use rollout::Segment;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A rollout on disk, of one or more files.
pub(crate) struct Stored {
    _folder: TempDir,
    pub segments: Vec<Segment>,
}

/// Stores lines as one file.
pub(crate) fn stored(lines: &[String]) -> Stored {
    stored_in_pieces(lines, &[])
}

/// Stores lines as several files, cut before the lines of these indexes.
pub(crate) fn stored_in_pieces(lines: &[String], cuts: &[usize]) -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut % (lines.len() + 1)).collect();
    bounds.extend([0, lines.len()]);
    bounds.sort_unstable();
    let pieces = bounds.windows(2).enumerate().map(|(index, bounds)| {
        let path = folder.path().join(format!("{index}.jsonl"));
        let text: String = lines[bounds[0]..bounds[1]].iter().map(|line| format!("{line}\n")).collect();
        // What stands behind the end of a piece is not of this thread.
        fs::write(
            &path,
            format!("{text}{}\n", event(json!({"type": "user_message", "message": "not mine"}))),
        )
        .unwrap();
        Segment { path, start: 0, end: Some(text.len() as u64), thread: None }
    });
    let segments = pieces.collect();
    Stored { _folder: folder, segments }
}

/// Makes a line.
pub(crate) fn line(kind: &str, payload: Value) -> String {
    json!({"timestamp": "2025-01-05T12:00:00.000Z", "type": kind, "payload": payload}).to_string()
}

/// Makes the line of an event.
pub(crate) fn event(payload: Value) -> String {
    line("event_msg", payload)
}

/// Makes the line of an item that the model knows.
pub(crate) fn model(payload: Value) -> String {
    line("response_item", payload)
}

/// Makes the line of a message that the model knows.
pub(crate) fn message(role: &str, text: &str) -> String {
    let kind = if role == "assistant" { "output_text" } else { "input_text" };
    model(json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]}))
}

/// The two lines that a user message leaves.
pub(crate) fn user(text: &str) -> Vec<String> {
    vec![message("user", text), event(json!({"type": "user_message", "message": text, "kind": "plain"}))]
}

/// The two lines that an answer leaves.
pub(crate) fn agent(text: &str) -> Vec<String> {
    vec![event(json!({"type": "agent_message", "message": text})), message("assistant", text)]
}

/// A turn with marks, as older releases record it.
pub(crate) fn recorded_turn(id: &str, asked: &str, answered: &str) -> Vec<String> {
    [
        vec![event(json!({"type": "task_started", "turn_id": id, "model_context_window": null}))],
        user(asked),
        agent(answered),
        vec![event(json!({"type": "task_complete", "turn_id": id, "last_agent_message": answered}))],
    ]
    .concat()
}
