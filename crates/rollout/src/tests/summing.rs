//! A summary says what a list shows, however the file was treated.

use std::fs;

use pretty_assertions::assert_eq;

use super::*;
use crate::{Disk, Stamp, Summary, append_meta, summarize};

/// Summarizes a file of this content.
fn summary(content: impl AsRef<[u8]>) -> Option<Summary> {
    let scratch = Scratch::new();
    let path = scratch.file("x", content);
    let (summary, stamp) = summarize(&path).unwrap()?;
    assert_eq!(stamp, Stamp::of(&fs::metadata(&path).unwrap()));
    Some(summary)
}

fn preview(content: impl AsRef<[u8]>) -> Option<String> {
    summary(content).unwrap().preview
}

fn item_line(text: &str) -> String {
    let content = json!([{ "type": "text", "text": text }, { "type": "local_image", "path": "/i" }]);
    let item = json!({ "type": "UserMessage", "id": "i", "content": content });
    line("event_msg", json!({ "type": "item_completed", "thread_id": "t", "turn_id": "u", "item": item }))
}

fn response_line(text: &str) -> String {
    let content = json!([{ "type": "input_text", "text": text }]);
    line("response_item", json!({ "type": "message", "role": "user", "content": content }))
}

fn context_line(model: &str, effort: Option<&str>) -> String {
    line("turn_context", json!({ "turn_id": "u", "cwd": "/w", "model": model, "effort": effort }))
}

#[test]
fn the_preview_is_the_first_message_of_the_person() {
    let meta = meta_line(ThreadId::new());
    let context = "<environment_context>\n</environment_context>";
    for (lines, expected) in [
        (vec![user_line("hi"), user_line("later")], Some("hi")),
        (vec![item_line("hi"), item_line("later")], Some("hi")),
        (vec![user_line(context), user_line("hi")], Some("hi")),
        (vec![item_line(context), item_line("hi")], Some("hi")),
        (vec![user_line("  two\nlines ")], Some("  two\nlines ")),
        // What only the model is told is no message, and a word in a text is no kind.
        (vec![response_line("hi \"type\":\"user_message\"")], None),
        (vec![line("event_msg", json!({ "type": "agent_message", "message": "user_message" }))], None),
        (vec![response_line("x"), "garbage\n".into(), user_line("hi")], Some("hi")),
        (vec![], None),
    ] {
        let content = meta.clone() + &lines.concat();
        assert_eq!(preview(content.as_bytes()).as_deref(), expected, "{content}");
        assert_eq!(preview(content.replace('\n', "\r\n")).as_deref(), expected);
    }
}

#[test]
fn the_preview_is_found_behind_much_that_comes_first() {
    let id = ThreadId::new();
    let prompt = |size: usize| {
        line("session_meta", json!({ "id": id, "base_instructions": { "text": "x\n".repeat(size / 2) } }))
    };
    let many = response_line(&"x".repeat(1000)).repeat(500);
    for size in [20, 31_000, 33_000, 64_000, 300_000] {
        for between in ["", many.as_str()] {
            for behind in ["", many.as_str()] {
                let content = prompt(size) + between + &user_line("hi") + behind;
                let summary = summary(&content).unwrap();
                assert_eq!((summary.id, summary.preview.as_deref()), (id, Some("hi")), "{size}");
            }
        }
    }
}

#[test]
fn damage_in_front_of_the_session_record_costs_itself() {
    let content = meta_line(ThreadId::new()) + &user_line("hi");
    for front in [
        &b"\xef\xbb\xbf"[..],
        b"garbage\n",
        b"\xff\xfe\n",
        b"\n\0\0\n",
        b"{\"type\":\n",
        &[b'x'; 200_000],
        &[0; 64],
    ] {
        let mut bytes = front.to_vec();
        if front.len() > 100 {
            bytes.push(b'\n');
        }
        bytes.extend(content.as_bytes());
        assert_eq!(preview(&bytes).as_deref(), Some("hi"), "{:?}", &front[..front.len().min(9)]);
    }
}

#[test]
fn without_a_session_record_there_is_no_summary() {
    let without_id = line("session_meta", json!({ "cwd": "/" }));
    for content in [String::new(), "garbage\n".repeat(20_000), user_line("hi"), without_id] {
        assert_eq!(summary(&content), None);
    }
    assert!(summarize(Path::new("/nowhere")).is_err());
}

#[test]
fn a_line_that_is_cut_off_is_left_out() {
    let content = meta_line(ThreadId::new()) + &user_line("hi");
    for cut in meta_line(ThreadId::new()).len()..content.len() - 2 {
        assert_eq!(preview(&content[..cut]), None, "{cut}");
    }
    assert_eq!(preview(content.trim_end()).as_deref(), Some("hi"), "only its line break is missing");
}

#[test]
fn the_settings_are_those_of_the_last_turn() {
    let turn = |model, effort| context_line(model, effort) + &user_line("hi");
    let fill = response_line(&"x".repeat(300)).repeat(1000);
    let meta = meta_line(ThreadId::new());
    for (lines, expected) in [
        (vec![turn("a", Some("low"))], (Some("a"), Some("low"))),
        (vec![turn("a", Some("low")), turn("b", None)], (Some("b"), None)),
        (vec![turn("a", Some("low")), fill.clone(), turn("b", Some("high"))], (Some("b"), Some("high"))),
        (vec![turn("a", Some("low")), fill.clone()], (Some("a"), Some("low"))),
        (vec![turn("a", None), turn("b", None), fill], (Some("a"), None)),
        (vec![user_line("hi")], (None, None)),
    ] {
        let summary = summary(meta.clone() + &lines.concat()).unwrap();
        assert_eq!((summary.model.as_deref(), summary.reasoning_effort.as_deref()), expected);
    }
}

#[test]
fn the_session_record_says_the_rest() {
    let [id, source, parent] = [ThreadId::new(), ThreadId::new(), ThreadId::new()];
    let spawned = json!({ "subagent": { "thread_spawn": { "parent_thread_id": parent, "depth": 1 } } });
    let read = summary(line(
        "session_meta",
        json!({
            "id": id, "timestamp": "2025-01-05T11:00:00.500Z", "cwd": "/w", "originator": "o", "cli_version": "1",
            "source": spawned, "model_provider": "p", "git": { "branch": "b" }, "forked_from_id": source, "history_mode": "legacy",
        }),
    ));
    let read = read.unwrap();
    assert_eq!(read.created_at.to_rfc3339(), "2025-01-05T11:00:00.500+00:00");
    assert_eq!((read.id, read.forked_from, read.parent), (id, Some(source), Some(parent)));
    assert_eq!((read.cwd.as_str(), read.originator.as_str(), read.cli_version.as_str()), ("/w", "o", "1"));
    assert_eq!((read.model_provider.as_deref(), read.history_mode.as_deref()), (Some("p"), Some("legacy")));
    assert_eq!((read.git.unwrap().branch.as_deref(), read.git_at, read.source), (Some("b"), None, spawned));

    let bare = summary(line(
        "session_meta",
        json!({ "id": id, "timestamp": "nonsense", "git": 7, "model_provider": [] }),
    ))
    .unwrap();
    assert_eq!(bare.created_at.to_rfc3339(), "2025-01-05T12:00:00+00:00", "that of the line");
    assert_eq!((bare.git, bare.model_provider, bare.source), (None, None, Value::Null));
}

#[test]
fn a_patch_is_seen_in_the_head_and_in_the_tail() {
    let scratch = Scratch::new();
    let fill = response_line(&"x".repeat(300)).repeat(1000);
    for (before, behind) in [("", ""), ("", fill.as_str()), (fill.as_str(), "")] {
        let path = scratch.file("x", meta_line(ThreadId::new()) + before);
        append_meta(&Disk::default(), &path, |meta| {
            meta.git = serde_json::from_value(json!({ "branch": "b" })).unwrap()
        })
        .unwrap();
        fs::write(&path, fs::read_to_string(&path).unwrap() + &user_line("hi") + behind).unwrap();
        let (summary, _) = summarize(&path).unwrap().unwrap();
        assert_eq!(summary.git.unwrap().branch.as_deref(), Some("b"));
        assert!(summary.git_at.is_some());
    }
}
