//! Rollouts and what the model is told of them.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::testing::{agent, event, line, message, model, recorded_turn, stored, user};

/// Shows a context as `u:text a:text call:id out:id ...`.
fn known(lines: &[String]) -> String {
    let Context { items, .. } = context(&stored(lines).segments).unwrap();
    let show = |item: &ResponseItem| match item.role() {
        Some(role) => format!("{}:{}", &role.as_str()[..1], item.text()),
        None => format!("{}:{}", item.kind(), item.call_id().unwrap_or_default()),
    };
    items.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn compacted(replacement: Value) -> Vec<String> {
    vec![line("compacted", json!({"message": "SUM", "replacement_history": replacement}))]
}

fn rolled_back(count: u32) -> Vec<String> {
    vec![event(json!({"type": "thread_rolled_back", "num_turns": count}))]
}

/// A turn with marks in which the server tells the model of a changed folder before the person's words.
fn moved_turn(id: &str, asked: &str, folder: &str) -> Vec<String> {
    let mut lines = recorded_turn(id, asked, "ok");
    lines.insert(1, message("user", &format!("<environment_context>{folder}")));
    lines.insert(2, line("turn_context", json!({"turn_id": id, "cwd": folder})));
    lines
}

#[test]
fn the_model_knows_what_was_said_since_the_last_compaction() {
    let call =
        || vec![model(json!({"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}))];
    let output = || vec![model(json!({"type": "function_call_output", "call_id": "c", "output": "o"}))];
    let summary =
        || json!([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "SUM"}]}]);
    let t = |id: &str| recorded_turn(id, &format!("q{id}"), &format!("a{id}"));
    for (name, lines, expected) in [
        ("nothing", vec![], ""),
        ("a turn", t("1"), "u:q1 a:a1"),
        ("with damage", [t("1"), vec!["garbage".into()], t("2")].concat(), "u:q1 a:a1 u:q2 a:a2"),
        ("a call", [user("q"), call(), output()].concat(), "u:q function_call:c function_call_output:c"),
        ("a call without output", [call(), user("q")].concat(), "function_call:c function_call_output:c u:q"),
        ("an output without call", [user("q"), output()].concat(), "u:q"),
        ("compacted", [t("1"), compacted(summary()), t("2")].concat(), "u:SUM u:q2 a:a2"),
        (
            "compacted twice",
            [compacted(summary()), t("1"), compacted(json!([])), t("2")].concat(),
            "u:q2 a:a2",
        ),
        (
            "compacted by an old release",
            [t("1"), vec![line("compacted", json!({"message": "OLD"}))], t("2")].concat(),
            "u:q1 u:OLD u:q2 a:a2",
        ),
        ("rolled back", [t("1"), t("2"), t("3"), rolled_back(2)].concat(), "u:q1 a:a1"),
        ("rolled back, then on", [t("1"), t("2"), rolled_back(1), t("3")].concat(), "u:q1 a:a1 u:q3 a:a3"),
        (
            "rolled back twice",
            [t("1"), t("2"), t("3"), rolled_back(1), t("4"), rolled_back(2)].concat(),
            "u:q1 a:a1",
        ),
        (
            "rolled back without marks",
            [user("q1"), agent("a1"), user("q2"), agent("a2"), rolled_back(1)].concat(),
            "u:q1 a:a1",
        ),
        ("rolled back beyond the first", [t("1"), rolled_back(9)].concat(), ""),
        ("rolled back by none", [t("1"), rolled_back(0)].concat(), "u:q1 a:a1"),
        (
            "what was told before the words stays",
            [t("1"), moved_turn("2", "q2", "/w"), rolled_back(1)].concat(),
            "u:q1 a:a1 u:<environment_context>/w",
        ),
        (
            "a compaction that was taken back does not count",
            [
                t("1"),
                vec![event(json!({"type": "task_started", "turn_id": "C"}))],
                compacted(summary()),
                rolled_back(1),
                t("2"),
            ]
            .concat(),
            "u:q1 a:a1 u:q2 a:a2",
        ),
        (
            "a rollback before the compaction is done with",
            [t("1"), t("2"), rolled_back(1), compacted(summary()), t("3")].concat(),
            "u:SUM u:q3 a:a3",
        ),
    ] {
        assert_eq!(known(&lines), expected, "{name}");
    }
}

#[test]
fn settings_and_counts_are_the_newest_that_stand() {
    let usage = |total: i64| {
        let part = |total: i64| json!({"input_tokens": total, "cached_input_tokens": 0, "output_tokens": 0, "reasoning_output_tokens": 0, "total_tokens": total});
        event(
            json!({"type": "token_count", "info": {"total_token_usage": part(total), "last_token_usage": part(1), "model_context_window": 9}}),
        )
    };
    let nothing_counted = event(json!({"type": "token_count", "info": null}));
    for (name, lines, folder, counted) in [
        ("none", vec![], None, None),
        (
            "the newest",
            [
                moved_turn("1", "q", "/a"),
                vec![usage(1)],
                moved_turn("2", "q", "/b"),
                vec![usage(2), nothing_counted],
            ]
            .concat(),
            Some("/b"),
            Some((2, 1)),
        ),
        (
            "behind a compaction",
            [moved_turn("1", "q", "/a"), vec![usage(1)], compacted(json!([]))].concat(),
            Some("/a"),
            Some((1, 0)),
        ),
        (
            "counted since a compaction",
            [moved_turn("1", "q", "/a"), vec![usage(1)], compacted(json!([])), vec![usage(2)]].concat(),
            Some("/a"),
            Some((2, 1)),
        ),
        (
            "a turn that was taken back had told the model of its folder before the words",
            [moved_turn("1", "q", "/a"), moved_turn("2", "q", "/b"), rolled_back(1)].concat(),
            Some("/b"),
            None,
        ),
        (
            "nor does a compaction bring back the settings of one",
            [
                moved_turn("1", "q", "/a"),
                moved_turn("2", "q", "/b"),
                moved_turn("3", "q", "/c"),
                rolled_back(2),
                compacted(json!([])),
            ]
            .concat(),
            Some("/b"),
            None,
        ),
        (
            "but not the one after it",
            [
                moved_turn("1", "q", "/a"),
                moved_turn("2", "q", "/b"),
                moved_turn("3", "q", "/c"),
                rolled_back(2),
            ]
            .concat(),
            Some("/b"),
            None,
        ),
    ] {
        let Context { turn_context, usage, .. } = context(&stored(&lines).segments).unwrap();
        assert_eq!(turn_context.and_then(|context| context.cwd).as_deref(), folder, "{name}");
        let read = usage.map(|usage| (usage.total.total_tokens, usage.last.total_tokens));
        assert_eq!(read, counted, "{name}");
    }
}

#[test]
fn of_more_than_any_model_takes_the_newest_is_kept_from_the_persons_words_on() {
    let long = "x".repeat(MAX_CONTEXT / 8);
    let lines: Vec<_> = (0..10).flat_map(|n| [user(&format!("q{n}")), agent(&long)].concat()).collect();
    let Context { items, is_cut, .. } = context(&stored(&lines).segments).unwrap();
    assert!(is_cut);
    assert_eq!(items.first().map(ResponseItem::text).as_deref(), Some("q3"));
    assert_eq!(items.len(), 14);
}

#[test]
fn of_a_giant_item_the_model_knows_the_ends_and_that_a_giant_image_was_there() {
    let giant = "x".repeat(crate::MAX_TEXT + 1);
    let call = json!({"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"});
    let output = json!({"type": "function_call_output", "call_id": "c", "output": giant});
    let image = json!({"type": "message", "role": "user", "content": [
        {"type": "input_image", "image_url": format!("data:image/png;base64,{giant}")},
    ]});
    let lines = vec![model(call), model(output), model(image)];
    let Context { items, is_cut, .. } = context(&stored(&lines).segments).unwrap();
    assert!(!is_cut);
    let output = items[1].str("output").unwrap();
    assert!(output.contains(" bytes left out]") && output.len() < 1 << 20, "{} bytes", output.len());
    assert_eq!(items[2].text(), "[image left out: too large]");
}
