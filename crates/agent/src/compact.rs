//! Compaction: the history that the model knows becomes what the person said and a summary of the rest.
//!
//! Invariant: atomic in the rollout. One `compacted` record replaces the history, or nothing changes.

use std::sync::Arc;

use items::{ResponseItem, Role};
use rollout::Record;
use uuid::Uuid;

use crate::{
    AgentError,
    event::{Event, Opened, OpenedKind},
    failure::Failure,
    records,
    response::{self, Heard},
    session::Session,
    turn::{Progress, Stop},
};

/// What the model is asked to write.
const PROMPT: &str = include_str!("prompts/compact.md");

/// What stands before the summary in the new history.
const PREAMBLE: &str =
    "What happened in this conversation so far, written down before the older part of it was set aside:";

/// How much of what the person said is kept word for word, in bytes, newest first: about 20,000 tokens.
const KEPT_WORDS: usize = 80_000;

/// Runs a compaction as the only item of its turn.
pub(crate) async fn run(session: &mut Session, progress: &Progress) -> Result<(), Stop> {
    let item = Uuid::now_v7().to_string();
    let at_ms = records::now().timestamp_millis();
    let turn = progress.id.clone();
    let opened = Opened { turn: turn.clone(), item: item.clone(), kind: OpenedKind::Compaction, at_ms };
    session.shared.tell(Event::Opened(opened)).await;

    let summary = summarize(session, progress).await?;
    let known = session.known.get_or_insert_default();
    let replacement = replacement(&known.items, &summary);
    let compacted = records::context_compacted(&turn, &item);
    let records =
        [Record::Compacted(records::compacted(&summary, &replacement)), Record::EventMsg(compacted.clone())];
    session.store.append(&records).map_err(AgentError::from)?;
    let known = session.known.get_or_insert_default();
    known.items = Arc::new(replacement);
    known.announced = None; // what the model was told of its surroundings is gone with the rest
    session.show(progress, vec![compacted], true, Some(at_ms)).await;
    Ok(())
}

/// Asks the model for a summary; nothing of the question or the answer is kept but the text.
async fn summarize(session: &mut Session, progress: &Progress) -> Result<String, Stop> {
    let mut request = session.request(progress, None);
    Arc::make_mut(&mut request.input).push(ResponseItem::message(Role::User, PROMPT));
    request.tools = Vec::new();
    match response::text_of(session, progress, request).await? {
        (Heard::Completed(usage), text) => {
            session.count(progress, usage).await?;
            Ok(text)
        }
        (Heard::Broken(error), _) => Err(Stop::Failed(Failure::from(&error))),
    }
}

/// The person's words, newest last, as far as they fit, and then the summary. Images are not copied again.
fn replacement(items: &[ResponseItem], summary: &str) -> Vec<ResponseItem> {
    let mut room = KEPT_WORDS;
    let mut words: Vec<_> = items
        .iter()
        .rev()
        .filter(|item| item.role() == Some(Role::User) && !item.is_injected_context())
        .map(ResponseItem::text)
        .filter(|text| !text.is_empty() && !text.starts_with(PREAMBLE))
        .take_while(|text| {
            let fits = text.len() <= room;
            room = room.saturating_sub(text.len());
            fits
        })
        .map(|text| ResponseItem::message(Role::User, text))
        .collect();
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
    fn what_is_kept_word_for_word_has_a_limit() {
        let items = [user("gone"), user(&"x".repeat(KEPT_WORDS)), user("kept")];
        assert_eq!(replacement(&items, "s").len(), 2);
    }
}
