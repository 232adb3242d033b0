//! Compaction: the history that the model knows becomes what the person said and a summary of the rest.
//!
//! Invariant: atomic in the rollout. One `compacted` record replaces the history, or nothing changes.

use std::{collections::HashSet, sync::Arc};

use items::{ResponseItem, Role};
use model::{ErrorKind, TokenUsage};
use rollout::Record;
use uuid::Uuid;

use crate::{
    AgentError,
    event::{Event, Opened, OpenedKind, Usage},
    failure::Failure,
    records,
    response::{self, Heard},
    session::Session,
    turn::{Progress, Stop},
};

/// What the model is asked to write, where the config has no words of its own.
pub const COMPACT_PROMPT: &str = include_str!("prompts/compact.md");

/// What stands before the summary in the new history.
const PREAMBLE: &str =
    "What happened in this conversation so far, written down before the older part of it was set aside:";

/// How many bytes of text make a token, about.
const BYTES_A_TOKEN: usize = 4;

/// How much an image counts for, in bytes of text: models see a thousand tokens or two in it, however long its data is.
const IMAGE_BYTES: usize = 6_000;

/// How much of what the person said is kept word for word, in bytes, newest first: about 20,000 tokens.
const KEPT_WORDS: usize = 80_000;

/// Stands behind words of which only the beginning is kept.
const CUT: &str = "\n[... the rest was set aside ...]";

/// How much of what the model said last is kept where no summary can be had, in bytes.
const KEPT_ANSWER: usize = 8_000;

/// How often the older half of a history that is too long to be summed up is left out of the question.
const MAX_HALVINGS: u32 = 6;

/// Which part of the usable window is filled before room is made; the rest is for the summary and for one more answer.
const FULL_PERCENT: i64 = 90;

/// Where in a turn the history is compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before anything was said: what the model is told of its surroundings follows.
    Before,
    /// Between two requests: the model goes on at once, so that it is told here.
    Within,
}

impl Session {
    /// Compacts the history where the last response left too little room for another one.
    pub(crate) async fn make_room(&mut self, progress: &Progress, moment: Moment) -> Result<(), Stop> {
        let full = self.window().saturating_mul(FULL_PERCENT) / 100;
        let limit = self.shared.parts.compact_at.map_or(full, |limit| limit.min(full));
        match &self.known {
            // Nothing of a conversation of its own is written down.
            _ if progress.is_aside() => Ok(()),
            // Outputs that came since the last count may fill the window as well. They are estimated, so they count for the
            // window only, beyond which the provider would refuse the request.
            Some(known)
                if (known.counted >= limit || known.counted.saturating_add(known.uncounted) >= full)
                    && !known.items.is_empty() =>
            {
                run(self, progress, moment).await
            }
            _ => Ok(()),
        }
    }
}

/// Compacts the history, as one item of the turn.
pub(crate) async fn run(session: &mut Session, progress: &Progress, moment: Moment) -> Result<(), Stop> {
    let item = Uuid::now_v7().to_string();
    let at_ms = records::now().timestamp_millis();
    let turn = progress.id.clone();
    let opened = Opened { turn: turn.clone(), item: item.clone(), kind: OpenedKind::Compaction, at_ms };
    session.shared.tell(Event::Opened(opened)).await;

    let summary = summarize(session, progress).await?;
    let known = session.known.get_or_insert_default();
    known.announced = None; // what the model was told of its surroundings goes with the rest
    let mut replacement = replacement(&known.items, &summary);
    if moment == Moment::Within {
        let surroundings = session.announcements();
        // Before the words that the model is working on, and the summary, which is last.
        let at = replacement.len().saturating_sub(2);
        replacement.splice(at..at, surroundings);
    }
    let compacted = records::context_compacted(&turn, &item);
    let left = left(session, progress, &replacement);
    let records = [
        Record::Compacted(records::compacted(&summary, &replacement)),
        Record::EventMsg(compacted.clone()),
        Record::EventMsg(records::token_count(&left)),
    ];
    session.shared.store.append(&records).map_err(AgentError::from)?;
    let known = session.known.get_or_insert_default();
    known.items = Arc::new(replacement);
    (known.counted, known.uncounted) = (0, 0);
    session.show(progress, vec![compacted], true, Some(at_ms)).await;
    session.shared.tell(Event::Usage { turn, usage: left }).await;
    Ok(())
}

/// Estimates how many tokens items take: their bytes, but for those of images, which count for so much each.
pub(crate) fn estimate(items: &[ResponseItem]) -> i64 {
    let bytes: usize = items.iter().map(|item| item.weight(IMAGE_BYTES)).sum();
    i64::try_from(bytes.div_ceil(BYTES_A_TOKEN)).unwrap_or(i64::MAX)
}

/// Estimates how much the next request takes, in the form of the count of a response: until there is one, whoever reads
/// the thread would take the question for the summary as what is left.
fn left(session: &Session, progress: &Progress, replacement: &[ResponseItem]) -> Usage {
    let instructions = records::instructions(&session.settings, progress).len().div_ceil(BYTES_A_TOKEN);
    let total_tokens = estimate(replacement).saturating_add(i64::try_from(instructions).unwrap_or(i64::MAX));
    Usage {
        last: TokenUsage { total_tokens, ..TokenUsage::default() },
        total: session.known.as_ref().map(|known| known.total.clone()).unwrap_or_default(),
        window: Some(session.window()),
    }
}

/// Asks the model for a summary; nothing of the question or the answer is kept but the text.
///
/// The model that answered last is asked, since the history fits into its window; the thread may have gone over to one
/// with a smaller window. What is too long even so is asked about without its older half; where that does not help
/// either, what was said last has to do.
async fn summarize(session: &mut Session, progress: &Progress) -> Result<String, Stop> {
    let mut request = session.request(progress, None);
    request.tools = Vec::new();
    if let Some(model) = session.known.as_ref().and_then(|known| known.model.clone()) {
        request.model = model;
    }
    let mut items = Arc::clone(&request.input);
    for _ in 0..=MAX_HALVINGS {
        let mut asked = request.clone();
        asked.input = Arc::clone(&items);
        Arc::make_mut(&mut asked.input)
            .push(ResponseItem::message(Role::User, &session.shared.parts.compact_prompt));
        match response::text_of(session, progress, asked).await? {
            (Heard::Completed(usage), text) => {
                session.count(progress, usage).await?;
                return Ok(text);
            }
            (Heard::Broken(error), _) if error.kind == ErrorKind::ContextWindowExceeded => {
                tracing::warn!(thread = %session.shared.id, "the history is too long to be summed up as a whole");
                items = Arc::new(newer_half(&items));
            }
            (Heard::Broken(error), _) => return Err(Stop::Failed(Failure::from(&error))),
        }
    }
    Ok(last_words(&request.input))
}

/// Leaves out the older half; no answer stays without its call.
fn newer_half(items: &[ResponseItem]) -> Vec<ResponseItem> {
    let mut newer = items[items.len() / 2..].to_vec();
    let calls: HashSet<_> = newer
        .iter()
        .filter(|item| item.is_call())
        .filter_map(|call| call.call_id().map(str::to_owned))
        .collect();
    newer.retain(|item| !item.is_output() || item.call_id().is_some_and(|id| calls.contains(id)));
    newer
}

/// Stands in for a summary that no model can make: what was said last.
fn last_words(items: &[ResponseItem]) -> String {
    let said = items.iter().rev().find(|item| item.role() == Some(Role::Assistant)).map(ResponseItem::text);
    let said = said.unwrap_or_default();
    let end = said.floor_char_boundary(KEPT_ANSWER);
    format!("(It was too long to be summed up. The last answer in it was:)\n{}", &said[..end])
}

/// The person's words, newest last, as far as they fit, and then the summary; of the oldest that are kept, there may be
/// the beginning only. Images are not copied again.
fn replacement(items: &[ResponseItem], summary: &str) -> Vec<ResponseItem> {
    let mut room = KEPT_WORDS;
    let mut words = Vec::new();
    let said =
        items.iter().rev().filter(|item| item.role() == Some(Role::User) && !item.is_injected_context());
    for text in said.map(ResponseItem::text).filter(|text| !text.is_empty() && !text.starts_with(PREAMBLE)) {
        let Some(left) = room.checked_sub(text.len()) else {
            let kept = &text[..text.floor_char_boundary(room)];
            if !kept.is_empty() {
                words.push(ResponseItem::message(Role::User, format!("{kept}{CUT}")));
            }
            break;
        };
        room = left;
        words.push(ResponseItem::message(Role::User, text));
    }
    words.reverse();
    words.push(ResponseItem::message(Role::User, format!("{PREAMBLE}\n{summary}")));
    words
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn user(text: &str) -> ResponseItem {
        ResponseItem::message(Role::User, text)
    }

    #[test]
    fn the_persons_words_stay_and_an_older_summary_does_not() {
        let older = user(&format!("{PREAMBLE}\nold"));
        let items = [
            older,
            user("<environment_context>x"),
            user("q1"),
            ResponseItem::message(Role::Assistant, "a1"),
            user("q2"),
        ];
        let kept: Vec<_> = replacement(&items, "new").iter().map(ResponseItem::text).collect();
        assert_eq!(kept, ["q1".to_owned(), "q2".to_owned(), format!("{PREAMBLE}\nnew")]);
    }

    #[test]
    fn the_newer_half_has_no_answer_without_its_call() {
        let item = |value| ResponseItem::try_from(value).unwrap();
        let call = |id| item(serde_json::json!({"type": "function_call", "call_id": id, "name": "t"}));
        let output =
            |id| item(serde_json::json!({"type": "function_call_output", "call_id": id, "output": ""}));
        let items =
            [user("q"), call("a"), call("b"), output("b"), output("a"), call("c"), output("c"), user("r")];
        let kept = newer_half(&items);
        assert_eq!(kept, [call("c"), output("c"), user("r")]);
        assert_eq!(newer_half(&[user("one")]).len(), 1);
    }

    #[test]
    fn what_is_kept_word_for_word_has_a_limit() {
        let full = "x".repeat(KEPT_WORDS - "kept".len());
        let items = [user("gone"), user(&full), user("kept")];
        assert_eq!(replacement(&items, "s")[..2], items[1..]);
        // The last character has no room.
        let items = [user(&format!("{full}é")), user("kept")];
        assert_eq!(replacement(&items, "s")[..2], [user(&format!("{full}{CUT}")), user("kept")]);
        let giant = "é".repeat(KEPT_WORDS);
        let kept: Vec<_> = replacement(&[user(&giant)], "s").iter().map(ResponseItem::text).collect();
        assert_eq!(kept[0].strip_suffix(CUT).map(str::len), Some(KEPT_WORDS));
        assert_eq!(kept.len(), 2);
    }
}
