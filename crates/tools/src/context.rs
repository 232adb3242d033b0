//! What a tool works with, and the steps that several tools have in common.

use std::sync::{Arc, Mutex, PoisonError};

use patch::{Plan, TurnDiff};
use rollout::Event;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    host::{Began, Change, Host, News, Question, Reply, WaitsOn},
    thread::ThreadTools,
    turn::TurnFacts,
};

/// The turn that a tool works in, the thread behind it, and whom to tell.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) thread: Arc<ThreadTools>,
    pub(crate) turn: Arc<TurnFacts>,
    pub(crate) host: Arc<dyn Host>,
    /// Cancelled when the turn is interrupted.
    pub(crate) cancel: CancellationToken,
    /// What the turn changed so far.
    pub(crate) diff: Arc<Mutex<TurnDiff>>,
}

/// Why a question has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The client refused to answer, or is gone for good.
    Refused,
    /// The turn was interrupted meanwhile.
    Interrupted,
}

impl Context {
    /// Tells that an item begins; returns what its end is told with.
    pub(crate) async fn begin(&self, item: Event) -> Began {
        let at_ms = chrono::Utc::now().timestamp_millis();
        self.host.tell(News::Began(item, at_ms)).await;
        Began::At(at_ms)
    }

    /// Tells what the turn changed so far, where it changed something; a plan that was just applied is taken in first.
    pub(crate) async fn show_diff(&self, applied: Option<Arc<Plan>>) {
        if applied.is_none() && self.diff.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return;
        }
        let diff = Arc::clone(&self.diff);
        let printed = tokio::task::spawn_blocking(move || {
            let mut diff = diff.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(plan) = applied {
                diff.record(&plan);
            }
            diff.print(patch::on_disk)
        });
        if let Ok(diff) = printed.await {
            self.host.tell(News::Diff(diff)).await;
        }
    }

    /// Asks, and waits for the answer; an interruption takes the question back.
    pub(crate) async fn ask<T>(&self, question: impl FnOnce(Reply<T>) -> Question) -> Result<T, NoAnswer> {
        let (reply, answer) = oneshot::channel();
        let asked = async {
            self.host.ask(question(reply)).await;
            answer.await
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(NoAnswer::Interrupted),
            answer = asked => answer.map_err(|_| NoAnswer::Refused),
        }
    }

    /// The same, with the thread shown as waiting for it.
    pub(crate) async fn ask_person<T>(
        &self,
        on: WaitsOn,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> Result<T, NoAnswer> {
        self.host.waits(on, Change::Begins).await;
        let answer = self.ask(question).await;
        self.host.waits(on, Change::Ends).await;
        answer
    }

    /// The same for an item that begins with the question.
    pub(crate) async fn ask_about<T>(
        &self,
        item: Event,
        question: impl FnOnce(Reply<T>) -> Question,
    ) -> (Began, Result<T, NoAnswer>) {
        self.host.waits(WaitsOn::Approval, Change::Begins).await;
        let began = self.begin(item).await;
        let answer = self.ask(question).await;
        self.host.waits(WaitsOn::Approval, Change::Ends).await;
        (began, answer)
    }
}
