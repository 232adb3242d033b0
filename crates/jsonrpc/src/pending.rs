//! Our own requests to the client that wait for their answers.

use std::{collections::HashMap, sync::Mutex};

use tokio::sync::oneshot;

use crate::{Outcome, RequestId};

/// What the answer to one request of ours comes through; an error means that none will come any more.
pub type Reply = oneshot::Receiver<Outcome>;

/// The requests of one connection that wait for an answer.
///
/// Whoever stops waiting drops the [`Reply`]; an answer that comes all the same is then ignored.
#[derive(Debug, Default)]
pub struct Pending {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: i64,
    waiting: HashMap<i64, oneshot::Sender<Outcome>>,
    ended: bool,
}

impl Pending {
    /// Gives out the next id, from 0, and where its answer will arrive. After [`Self::cancel_all`] none ever does.
    pub fn register(&self) -> (RequestId, Reply) {
        let (sender, reply) = oneshot::channel();
        let mut table = self.table();
        let id = table.next;
        table.next += 1;
        // Requests that nobody waits for any more go here, so the table is never larger than what is under way.
        table.waiting.retain(|_, waiting| !waiting.is_closed());
        if !table.ended {
            table.waiting.insert(id, sender);
        }
        (RequestId::Integer(id), reply)
    }

    /// Hands an answer to who waits for it; `false` when nobody does, as with an id that we never gave.
    pub fn resolve(&self, id: &RequestId, outcome: Outcome) -> bool {
        let RequestId::Integer(id) = id else { return false };
        let waiting = self.table().waiting.remove(id);
        waiting.is_some_and(|waiting| waiting.send(outcome).is_ok())
    }

    /// Ends all waiting, now and later: the client is gone.
    pub fn cancel_all(&self) {
        let mut table = self.table();
        table.ended = true;
        table.waiting.clear();
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        // Nothing under the lock can panic half way through a change.
        self.table.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::RpcError;

    fn result(text: &str) -> Outcome {
        Ok(RawValue::from_string(text.to_owned()).unwrap())
    }

    #[tokio::test]
    async fn an_answer_reaches_who_asked_once() {
        let pending = Pending::default();
        let (first, first_reply) = pending.register();
        let (second, second_reply) = pending.register();
        assert_eq!((&first, &second), (&RequestId::Integer(0), &RequestId::Integer(1)));
        assert!(pending.resolve(&second, result("2")));
        assert!(!pending.resolve(&second, result("3")));
        assert!(pending.resolve(&first, Err(RpcError::internal("no"))));
        assert_eq!(first_reply.await.unwrap().unwrap_err(), RpcError::internal("no"));
        assert_eq!(second_reply.await.unwrap().unwrap().get(), "2");
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_ignored() {
        let pending = Pending::default();
        let (dropped, _) = pending.register();
        for id in [dropped, 13.into(), "0".into()] {
            assert!(!pending.resolve(&id, result("null")), "{id}");
        }
    }

    #[test]
    fn the_table_keeps_only_what_is_waited_for() {
        let pending = Pending::default();
        for _ in 0..100 {
            drop(pending.register());
        }
        assert!(pending.table().waiting.len() <= 1);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_client_that_is_gone() {
        let pending = Pending::default();
        let (_, before) = pending.register();
        pending.cancel_all();
        let (_, after) = pending.register();
        assert!(before.await.is_err());
        assert!(after.await.is_err());
    }
}
