//! Calls and their outputs: the model API takes neither without the other.

use std::collections::HashMap;

use items::ResponseItem;

/// What the model is told of a call that was never answered.
const UNANSWERED: &str = "aborted";

/// The outputs that must have a call before them. Others are kept as they are: we do not know their calls.
const OUTPUTS: [&str; 2] = ["function_call_output", "custom_tool_call_output"];

/// Drops outputs without a call, and gives an output to every call that has none, right behind it.
pub(crate) fn paired(items: Vec<ResponseItem>) -> Vec<ResponseItem> {
    let fates = fates(&items);
    let mut paired = Vec::with_capacity(items.len());
    for (item, fate) in items.into_iter().zip(fates) {
        match fate {
            Fate::Stays => paired.push(item),
            Fate::Goes => {}
            Fate::NeedsOutput => {
                let output = ResponseItem::output_for(&item, UNANSWERED);
                paired.push(item);
                paired.extend(output);
            }
        }
    }
    paired
}

#[derive(Clone, Copy)]
enum Fate {
    Stays,
    Goes,
    NeedsOutput,
}

fn fates(items: &[ResponseItem]) -> Vec<Fate> {
    // An id may come again: models number their calls anew in each answer.
    let mut open = HashMap::new();
    let mut fates = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        fates.push(Fate::Stays);
        if let Some(call_id) = item.call_id().filter(|_| item.is_call()) {
            fates[index] = Fate::NeedsOutput;
            open.insert(call_id, index);
        } else if OUTPUTS.contains(&item.kind()) {
            match item.call_id().and_then(|call_id| open.remove(call_id)) {
                Some(call) => fates[call] = Fate::Stays,
                None => fates[index] = Fate::Goes,
            }
        }
    }
    fates
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_call_has_one_output_and_every_output_its_call() {
        for (given, expected) in [
            ("call:a out:a", "call:a out:a"),
            ("call:a user", "call:a out:a=aborted user"),
            ("call:a call:b out:b", "call:a out:a=aborted call:b out:b"),
            ("out:a call:a", "call:a out:a=aborted"),
            ("call:a out:a out:a", "call:a out:a"),
            ("call:a out:a call:a out:a", "call:a out:a call:a out:a"),
            ("call:a call:a out:a", "call:a out:a=aborted call:a out:a"),
            ("custom:a", "custom:a custom_out:a=aborted"),
            ("custom:a custom_out:a", "custom:a custom_out:a"),
            ("future_out:a user", "future_out:a user"),
            ("shell_without_id user", "shell_without_id user"),
        ] {
            let items = given.split(' ').map(item).collect();
            let shown: Vec<_> = paired(items).iter().map(show).collect();
            assert_eq!(shown.join(" "), expected, "{given}");
        }
    }

    const KINDS: [(&str, &str); 6] = [
        ("call", "function_call"),
        ("out", "function_call_output"),
        ("custom", "custom_tool_call"),
        ("custom_out", "custom_tool_call_output"),
        ("future_out", "tool_search_output"),
        ("shell_without_id", "local_shell_call"),
    ];

    fn item(word: &str) -> ResponseItem {
        let (name, id) = word.split_once(':').unwrap_or((word, ""));
        let kind = KINDS.iter().find(|(short, _)| *short == name).map_or(name, |(_, kind)| kind);
        let item = if id.is_empty() { json!({"type": kind}) } else { json!({"type": kind, "call_id": id}) };
        item.try_into().unwrap()
    }

    fn show(item: &ResponseItem) -> String {
        let name =
            KINDS.iter().find(|(_, kind)| *kind == item.kind()).map_or(item.kind(), |(short, _)| short);
        let id = item.call_id().map(|id| format!(":{id}")).unwrap_or_default();
        let output = item.str("output").map(|output| format!("={output}")).unwrap_or_default();
        format!("{name}{id}{output}")
    }
}
