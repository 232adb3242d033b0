//! What one stored event means for the structure of its thread, without building what it shows.
//!
//! Long threads are walked by these marks alone: large fields are stepped over and nothing is copied. Whoever needs
//! the shown item reads the whole event besides, so that both always agree on which turn it belongs to.

use std::borrow::Cow;
use std::fmt;

use rollout::{Kind, Line};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The meaning of an event for turns.
#[derive(Debug, PartialEq)]
pub(crate) enum Mark<'a> {
    /// A turn begins; old releases stored no id.
    Start { turn_id: Option<Cow<'a, str>>, root_turn_id: Option<Cow<'a, str>> },
    /// A turn ends, however it went.
    End(Option<Cow<'a, str>>),
    /// A turn has failed: the current one, where none is named.
    Failure(Option<Cow<'a, str>>),
    /// The last turns, this many, are taken back.
    RollBack(u32),
    /// An item is complete.
    Item(ItemMark<'a>),
}

/// The meaning of an event that completes an item.
#[derive(Debug, PartialEq)]
pub(crate) struct ItemMark<'a> {
    pub turn_id: Option<Cow<'a, str>>,
    /// The id that the record itself carries.
    pub id: Option<Cow<'a, str>>,
    pub role: ItemRole,
}

/// What matters about an item before its content does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemRole {
    /// Words of the person: where no marks are, these begin a turn.
    UserMessage,
    /// Words of the model, of which the last are the answer.
    AgentMessage,
    /// One part of a reasoning item, which may be spread over several records.
    Thought,
    Other,
}

/// The kinds of `item_completed` that are shown; others are of releases to come.
const SHOWN: [&str; 16] = [
    "UserMessage",
    "HookPrompt",
    "AgentMessage",
    "Plan",
    "Reasoning",
    "CommandExecution",
    "FileChange",
    "McpToolCall",
    "DynamicToolCall",
    "CollabAgentToolCall",
    "WebSearch",
    "ImageView",
    "ImageGeneration",
    "EnteredReviewMode",
    "ExitedReviewMode",
    "ContextCompaction",
];

/// Errors that concern a request, not the turn that ran beside it.
const NOT_OF_THE_TURN: [&str; 2] = ["thread_rollback_failed", "active_turn_not_steerable"];

impl<'a> Mark<'a> {
    /// Reads the mark of a line; `None` where turns do not care.
    pub(crate) fn of(line: &Line<'a>) -> Option<Self> {
        if line.kind == Kind::EventMsg { Self::read(line.payload.get()) } else { None }
    }

    /// Reads the mark of an event's payload; `None` where turns do not care.
    pub(crate) fn read(payload: &'a str) -> Option<Self> {
        let fields: Fields<'a> = serde_json::from_str(payload).ok()?;
        let role = match &*fields.kind {
            "task_started" | "turn_started" => {
                let (turn_id, root_turn_id) = (filled(fields.turn_id), filled(fields.root_turn_id));
                return Some(Self::Start { turn_id, root_turn_id });
            }
            "task_complete" | "turn_complete" | "turn_aborted" => {
                return Some(Self::End(filled(fields.turn_id)));
            }
            "thread_rolled_back" => return fields.num_turns.map(Self::RollBack),
            "error" if fields.codex_error_info.0 => return None,
            "error" => return Some(Self::Failure(filled(fields.turn_id))),
            "user_message" => ItemRole::UserMessage,
            "agent_message" if fields.item_id.is_none() && fields.message.blank => return None,
            "agent_reasoning" | "agent_reasoning_raw_content" => {
                if fields.item_id.is_none() && fields.text.blank {
                    return None;
                }
                ItemRole::Thought
            }
            "agent_message" => ItemRole::AgentMessage,
            "exec_command_end"
            | "patch_apply_end"
            | "mcp_tool_call_end"
            | "dynamic_tool_call_response"
            | "web_search_end"
            | "view_image_tool_call"
            | "entered_review_mode"
            | "exited_review_mode"
            | "context_compacted" => ItemRole::Other,
            "item_completed" => match fields.item.as_ref() {
                Some(item) if item.kind == "UserMessage" => ItemRole::UserMessage,
                Some(item) if item.kind == "AgentMessage" => ItemRole::AgentMessage,
                Some(item) if SHOWN.contains(&&*item.kind) => ItemRole::Other,
                _ => return None,
            },
            _ => return None,
        };
        let own = fields.item.and_then(|item| item.id);
        Some(Self::Item(ItemMark {
            turn_id: filled(fields.turn_id),
            id: filled(fields.item_id).or(filled(own)).or(filled(fields.call_id)),
            role,
        }))
    }
}

/// Old releases stored `""` where they had no id.
fn filled(id: Option<Cow<'_, str>>) -> Option<Cow<'_, str>> {
    id.filter(|id| !id.is_empty())
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    turn_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    root_turn_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    item_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    call_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    item: Option<ItemFields<'a>>,
    #[serde(default)]
    message: Text,
    #[serde(default)]
    text: Text,
    #[serde(default)]
    num_turns: Option<u32>,
    #[serde(default)]
    codex_error_info: Unrelated,
}

#[derive(Deserialize)]
struct ItemFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
}

/// Whether a text is missing or empty; the text itself, which may be long, is not kept.
struct Text {
    blank: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self { blank: true }
    }
}

/// Whether an error kind is one that leaves the turn alone.
#[derive(Default)]
struct Unrelated(bool);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Word(str::is_empty)).map(|blank| Self { blank: blank.unwrap_or(true) })
    }
}

impl<'de> Deserialize<'de> for Unrelated {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let unrelated = from.deserialize_any(Word(|kind| NOT_OF_THE_TURN.contains(&kind)))?;
        Ok(Self(unrelated.unwrap_or(false)))
    }
}

/// Answers a question about a string, or about the first key of an object; `None` for anything else.
struct Word(fn(&str) -> bool);

impl<'de> Visitor<'de> for Word {
    type Value = Option<bool>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, word: &str) -> Result<Self::Value, E> {
        Ok(Some((self.0)(word)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut answer = None;
        while let Some((key, IgnoredAny)) = map.next_entry::<Cow<'de, str>, _>()? {
            answer = answer.or(Some((self.0)(&key)));
        }
        Ok(answer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn item<'a>(turn: Option<&'a str>, id: Option<&'a str>, role: ItemRole) -> Option<Mark<'a>> {
        Some(Mark::Item(ItemMark { turn_id: turn.map(Cow::from), id: id.map(Cow::from), role }))
    }

    fn start<'a>(turn_id: Option<&'a str>, root_turn_id: Option<&'a str>) -> Option<Mark<'a>> {
        Some(Mark::Start { turn_id: turn_id.map(Cow::from), root_turn_id: root_turn_id.map(Cow::from) })
    }

    #[test]
    fn an_event_is_read_for_what_it_means_to_turns() {
        use ItemRole::{AgentMessage, Other, Thought, UserMessage};
        for (payload, mark) in [
            (r#"{"type":"task_started","turn_id":"t"}"#, start(Some("t"), None)),
            (r#"{"type":"task_started","turn_id":"t","root_turn_id":"r"}"#, start(Some("t"), Some("r"))),
            (r#"{"type":"turn_started","turn_id":""}"#, start(None, None)),
            (r#"{"type":"turn_complete","turn_id":"t"}"#, Some(Mark::End(Some("t".into())))),
            (r#"{"type":"turn_aborted","reason":"interrupted"}"#, Some(Mark::End(None))),
            (r#"{"type":"thread_rolled_back","num_turns":2}"#, Some(Mark::RollBack(2))),
            (r#"{"type":"thread_rolled_back"}"#, None),
            (r#"{"type":"error","message":"m"}"#, Some(Mark::Failure(None))),
            (r#"{"type":"error","message":"m","turn_id":"t"}"#, Some(Mark::Failure(Some("t".into())))),
            (r#"{"type":"error","message":"m","codex_error_info":{"x":{"y":1}}}"#, Some(Mark::Failure(None))),
            (r#"{"type":"error","message":"m","codex_error_info":"thread_rollback_failed"}"#, None),
            (r#"{"type":"error","message":"m","codex_error_info":{"active_turn_not_steerable":{}}}"#, None),
            (r#"{"type":"user_message","message":""}"#, item(None, None, UserMessage)),
            (
                r#"{"type":"user_message","message":"m","item_id":"i","turn_id":"t"}"#,
                item(Some("t"), Some("i"), UserMessage),
            ),
            (r#"{"type":"agent_message","message":""}"#, None),
            (r#"{"type":"agent_message","message":"","item_id":"i"}"#, item(None, Some("i"), AgentMessage)),
            (r#"{"type":"agent_message","message":"\u00e9"}"#, item(None, None, AgentMessage)),
            (r#"{"type":"agent_reasoning","text":"t"}"#, item(None, None, Thought)),
            (r#"{"type":"agent_reasoning","text":null}"#, None),
            (
                r#"{"type":"patch_apply_end","call_id":"c","turn_id":"","changes":{}}"#,
                item(None, Some("c"), Other),
            ),
            (
                r#"{"type":"item_completed","turn_id":"t","item":{"type":"UserMessage","id":"u"}}"#,
                item(Some("t"), Some("u"), UserMessage),
            ),
            (r#"{"type":"item_completed","turn_id":"t","item":{"type":"Sleep","id":"u"}}"#, None),
            (r#"{"type":"token_count","info":{"a":[1.5,-1,true]}}"#, None),
            (r#"{"type":"agent_message","message":["odd",{"a":1}]}"#, None),
            (
                r#"{"type":"item_completed","turn_id":"t","item":{"type":"AgentMessage","id":"m"}}"#,
                item(Some("t"), Some("m"), AgentMessage),
            ),
            ("not json", None),
        ] {
            assert_eq!(Mark::read(payload), mark, "{payload}");
        }
    }
}
