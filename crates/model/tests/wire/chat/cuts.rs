//! Streams that break off: what was complete is told, what was not is not, and nothing is told twice.

use model::{ChatModel, ErrorKind, ModelError, Retry, StreamEvent};
use pretty_assertions::assert_eq;

use super::{
    Told,
    dialects::{DIALECTS, Dialect},
    heard, question, recorded, short,
};
use crate::{
    provider::{Answer, Provider},
    settings,
};

/// Asks once for each answer.
async fn all(answers: Vec<Answer>) -> Vec<Told> {
    let count = answers.len();
    let provider = Provider::start(answers).await;
    let model = ChatModel::new(settings(&provider.url));
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(heard(&model, question()).await);
    }
    all
}

/// Parts what was told of a stream that broke off from how it ended: well, if only the count was missing.
fn parted(mut told: Told) -> (Told, Option<ModelError>) {
    let end = told.pop().unwrap();
    let completed = matches!(end, Ok(StreamEvent::Completed { .. }));
    (told, (!completed).then(|| end.unwrap_err()))
}

fn done(told: &Told) -> usize {
    told.iter().filter(|event| matches!(event, Ok(StreamEvent::ItemDone(_)))).count()
}

#[tokio::test]
async fn a_cut_behind_any_event_loses_nothing_that_was_complete() {
    for Dialect { name, stream, done: complete, told: whole } in DIALECTS {
        let events: Vec<_> = stream.split_inclusive("\n\n").collect();
        let cuts = (0..=events.len()).map(|end| recorded(events[..end].concat()).then_reset()).collect();
        let cuts: Vec<_> = all(cuts).await.into_iter().map(parted).collect();
        let counts: Vec<_> = cuts.iter().map(|(told, _)| done(told)).collect();
        assert_eq!(counts, complete, "{name}");
        for (end, (told, error)) in cuts.iter().enumerate() {
            let told = short(told);
            assert_eq!(told, whole[..told.len()], "{name} behind event {end}");
            assert_eq!(
                error.is_none(),
                told.len() == whole.len() - 1,
                "{name} behind event {end}: {error:?}"
            );
            let kind = error.as_ref().map(|error| (error.kind, error.retry));
            let cut = (ErrorKind::StreamDisconnected, Retry::Stream);
            assert!(kind.is_none_or(|kind| kind == cut), "{name} behind event {end}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_cut_at_any_byte_is_a_cut_behind_the_event_before() {
    // Thousands of requests: one stream with letters of several bytes and one with calls in pieces stand for the rest.
    let some = DIALECTS.into_iter().filter(|dialect| ["Azure", "llama.cpp"].contains(&dialect.name));
    for Dialect { name, stream, done: complete, .. } in some {
        let cuts = (0..stream.len()).map(|end| recorded(&stream.as_bytes()[..end]));
        for (end, told) in all(cuts.collect()).await.into_iter().enumerate() {
            let events = stream.as_bytes()[..end].windows(2).filter(|pair| pair == b"\n\n").count();
            assert_eq!(done(&told), complete[events], "{name} at byte {end}");
        }
    }
}
