//! What is asked of the clients that listen to a thread, until one of them has answered.
//!
//! A question is open from [`Live::ask`] until an answer, a refusal, or until it is withdrawn. It outlives the
//! connections that were asked: whoever listens to the thread next is asked, too.
//!
//! Invariant: whoever was asked hears that the question is over, and behind the question. It holds because questions are
//! sent, and end, under one lock. Since nobody may wait under it, they go past the bound of the outbox, and have one of
//! their own.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use jsonrpc::{Frame, Outcome, Reply, RequestId, RpcError};
use protocol::{
    DynamicToolCall, ServerMethod, ServerNotification, ServerRequestResolvedNotification, decode_answer,
};
use threads::ThreadId;
use tokio_util::sync::CancellationToken;

use super::{Clients, Live};
use crate::{connection::Connection, wire};

/// How many questions of one thread may be open. Each is a dialog before a person, and all are sent at once to who
/// resumes; the calls that a model makes in one response have not been seen to be more than a dozen.
const MAX_OPEN: usize = 64;

/// How a question ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer<R> {
    /// A client answered.
    Given(R),
    /// A client sent an error, or what is no answer to the question; or too much is open already.
    Refused(RpcError),
    /// Nobody wants to know any more: it was cancelled, or the thread was unloaded.
    Withdrawn,
}

/// A question that is open.
pub(super) struct Question {
    thread: ThreadId,
    method: &'static str,
    frame: Frame,
    /// The connections that were asked: they may answer, and hear when it is over.
    asked: BTreeSet<u64>,
}

impl Live {
    /// Asks every client that listens to a thread, and waits for the first answer.
    ///
    /// Those who were asked have heard that it is over when this returns, and when it is dropped before.
    pub(crate) async fn ask<M: ServerMethod>(
        &self,
        thread: ThreadId,
        params: &M::Params,
        cancel: &CancellationToken,
    ) -> Answer<M::Response> {
        if cancel.is_cancelled() {
            return Answer::Withdrawn;
        }
        let (open, reply) = match self.open::<M>(thread, params) {
            Ok(opened) => opened,
            Err(error) => return Answer::Refused(error),
        };
        let outcome = cancel.run_until_cancelled(reply).await;
        drop(open);
        match outcome {
            Some(Ok(Ok(result))) => match decode_answer::<M>(&result) {
                Ok(response) => Answer::Given(response),
                Err(unfit) => Answer::Refused(RpcError::invalid_request(unfit.to_string())),
            },
            Some(Ok(Err(error))) => Answer::Refused(error),
            None | Some(Err(_)) => Answer::Withdrawn,
        }
    }

    /// Takes in an answer. One to no open question, or of who was not asked, is ignored.
    pub(crate) fn answered(&self, by: &Connection, id: &RequestId, outcome: Outcome) {
        let mut clients = self.lock();
        if clients.questions.get(id).is_some_and(|question| question.asked.contains(&by.id)) {
            clients.tell_resolved(id);
            clients.questions.answer(id, outcome);
        } else {
            tracing::debug!(%id, "an answer that nobody waits for");
        }
    }

    /// Asks a client what was open when it began to listen, and still is.
    pub(crate) fn ask_again(&self, connection: &Connection, questions: &[RequestId]) {
        let mut clients = self.lock();
        for id in questions {
            if let Some(question) = clients.questions.get_mut(id) {
                question.asked.insert(connection.id);
                connection.ask(question.frame.clone());
            }
        }
    }

    fn open<M: ServerMethod>(
        &self,
        thread: ThreadId,
        params: &M::Params,
    ) -> Result<(Open<'_>, Reply), RpcError> {
        let mut clients = self.lock();
        if clients.questions_of(thread).len() >= MAX_OPEN {
            return Err(RpcError::overloaded());
        }
        let asked = clients.listening.get(&thread).cloned().unwrap_or_default();
        let question = |id: &RequestId| {
            Ok(Question { thread, method: M::NAME, frame: Frame::request(id, M::NAME, params)?, asked })
        };
        let registered: Result<_, serde_json::Error> = clients.questions.register(question);
        let (id, reply) =
            registered.map_err(|cause| RpcError::internal(format!("cannot encode the question: {cause}")))?;
        if let Some(question) = clients.questions.get(&id) {
            clients.connections(&question.asked).for_each(|asked| asked.ask(question.frame.clone()));
        }
        Ok((Open { live: self, id }, reply))
    }
}

impl Clients {
    /// Returns the open questions of a thread.
    pub(super) fn questions_of(&self, thread: ThreadId) -> Vec<RequestId> {
        self.questions.iter().filter(|(_, question)| question.thread == thread).map(|(id, _)| id).collect()
    }

    /// Takes back whatever a thread asks.
    pub(super) fn withdraw_all(&mut self, thread: ThreadId) {
        for id in self.questions_of(thread) {
            self.withdraw(&id);
        }
    }

    fn withdraw(&mut self, id: &RequestId) {
        self.tell_resolved(id);
        self.questions.withdraw(id);
    }

    /// Tells those who were asked that a question is over, if it is open.
    fn tell_resolved(&self, id: &RequestId) {
        let Some(question) = self.questions.get(id) else { return };
        // The end of such a call is told by its item; the published server sends no more either.
        if question.method == DynamicToolCall::NAME {
            return;
        }
        let resolved = ServerNotification::ServerRequestResolved(ServerRequestResolvedNotification {
            thread_id: question.thread.to_string(),
            request_id: wire::request_id(id),
        });
        self.connections(&question.asked).for_each(|asked| asked.notify_at_once(&resolved));
    }
}

/// Takes a question back when nobody waits for its answer any more; one that has it is not touched.
struct Open<'a> {
    live: &'a Live,
    id: RequestId,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.live.lock().withdraw(&self.id);
    }
}
