//! Our own requests to clients that wait for their answers.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::{Outcome, RequestId};

/// What the answer to one request of ours comes through; an error means that none will come any more.
pub type Reply = oneshot::Receiver<Outcome>;

/// The requests that wait for an answer, each with what its owner knows about it.
///
/// One table may serve many connections: an id is given once. It has no lock of its own, since who was asked and what
/// was asked must change together, under the owner's.
#[derive(Debug)]
pub struct Pending<T> {
    next: i64,
    waiting: BTreeMap<i64, Waiting<T>>,
}

#[derive(Debug)]
struct Waiting<T> {
    about: T,
    reply: oneshot::Sender<Outcome>,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new() }
    }
}

impl<T> Pending<T> {
    /// Gives out the next id, from 0, and where its answer will arrive; where `about` fails, nothing waits.
    pub fn register<E>(
        &mut self,
        about: impl FnOnce(&RequestId) -> Result<T, E>,
    ) -> Result<(RequestId, Reply), E> {
        let id = RequestId::Integer(self.next);
        let about = about(&id)?;
        let (reply, receiver) = oneshot::channel();
        self.waiting.insert(self.next, Waiting { about, reply });
        self.next += 1;
        Ok((id, receiver))
    }

    /// Returns what is known about a request that waits.
    pub fn get(&self, id: &RequestId) -> Option<&T> {
        self.waiting.get(&key(id)?).map(|waiting| &waiting.about)
    }

    /// Returns what is known about a request that waits, to be changed.
    pub fn get_mut(&mut self, id: &RequestId) -> Option<&mut T> {
        self.waiting.get_mut(&key(id)?).map(|waiting| &mut waiting.about)
    }

    /// Returns the requests that wait, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (RequestId, &T)> {
        self.waiting.iter().map(|(id, waiting)| (RequestId::Integer(*id), &waiting.about))
    }

    /// Hands an answer to who waits for it; `None` when nobody does, as with an id that we never gave.
    pub fn answer(&mut self, id: &RequestId, outcome: Outcome) -> Option<T> {
        let Waiting { about, reply } = self.waiting.remove(&key(id)?)?;
        // Who no longer wants the answer has dropped the other end.
        let _ = reply.send(outcome);
        Some(about)
    }

    /// Ends the waiting for an answer; one that comes all the same is then ignored.
    pub fn withdraw(&mut self, id: &RequestId) -> Option<T> {
        self.waiting.remove(&key(id)?).map(|waiting| waiting.about)
    }
}

/// We give integers; whoever sends a text does not mean a request of ours.
fn key(id: &RequestId) -> Option<i64> {
    match id {
        RequestId::Integer(id) => Some(*id),
        RequestId::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use pretty_assertions::assert_eq;
    use serde_json::value::RawValue;

    use super::*;
    use crate::RpcError;

    fn register(pending: &mut Pending<&'static str>, about: &'static str) -> (RequestId, Reply) {
        pending.register(|_| Ok::<_, Infallible>(about)).unwrap()
    }

    fn result(text: &str) -> Outcome {
        Ok(RawValue::from_string(text.to_owned()).unwrap())
    }

    #[tokio::test]
    async fn an_answer_reaches_who_asked_once() {
        let mut pending = Pending::default();
        let (first, first_reply) = register(&mut pending, "a");
        let (second, second_reply) = register(&mut pending, "b");
        assert_eq!((&first, &second), (&RequestId::Integer(0), &RequestId::Integer(1)));
        assert_eq!(pending.answer(&second, result("2")), Some("b"));
        assert_eq!(pending.answer(&second, result("3")), None);
        assert_eq!(pending.answer(&first, Err(RpcError::internal("no"))), Some("a"));
        assert_eq!(first_reply.await.unwrap().unwrap_err(), RpcError::internal("no"));
        assert_eq!(second_reply.await.unwrap().unwrap().get(), "2");
    }

    #[test]
    fn an_answer_that_nobody_waits_for_is_ignored() {
        let mut pending = Pending::default();
        let (open, _reply) = register(&mut pending, "a");
        for id in [13.into(), (-1).into(), "0".into()] {
            assert_eq!(pending.answer(&id, result("null")), None, "{id}");
        }
        assert_eq!(pending.get(&open), Some(&"a"));
    }

    #[tokio::test]
    async fn nobody_waits_for_what_was_withdrawn() {
        let mut pending = Pending::default();
        let (id, reply) = register(&mut pending, "a");
        assert_eq!(pending.withdraw(&id), Some("a"));
        assert_eq!(pending.withdraw(&id), None);
        assert!(reply.await.is_err());
        assert_eq!(pending.iter().count(), 0);
    }

    #[test]
    fn a_request_that_could_not_be_made_takes_no_id() {
        let mut pending = Pending::default();
        assert_eq!(pending.register(|id| Err(id.clone())).unwrap_err(), 0.into());
        let (id, _reply) = register(&mut pending, "a");
        assert_eq!(id, 0.into());
        assert_eq!(pending.iter().collect::<Vec<_>>(), [(id, &"a")]);
    }
}
