//! Whose requests a server works on, so that its questions reach who asked for the work.
//!
//! No question says to which request it belongs. Where only one lease has requests open, it is from there. So a server
//! that asked once gets the requests of one lease at a time from then on; until it did, they run side by side, and a
//! first question that could be from two leases is declined.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use crate::{Answer, Observer, Question};

/// The number of a lease.
pub(crate) type LeaseId = u64;

/// The requests that one server works on.
#[derive(Default)]
pub(crate) struct Calls {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Default)]
struct State {
    asks: bool,
    callers: HashMap<LeaseId, Caller>,
}

/// A lease with requests open.
#[derive(Clone)]
struct Caller {
    observer: Arc<dyn Observer>,
    /// How many questions it is thinking about. Each open request has a receiver.
    questions: Arc<watch::Sender<usize>>,
}

/// One open request.
pub(crate) struct Open<'a> {
    calls: &'a Calls,
    lease: LeaseId,
    questions: watch::Receiver<usize>,
}

impl Calls {
    /// Opens a request, as soon as the server may have it.
    pub(crate) async fn open(&self, lease: LeaseId, observer: &Arc<dyn Observer>) -> Open<'_> {
        loop {
            let left = self.left.notified();
            {
                let mut state = self.state();
                let busy = state.callers.keys().any(|other| *other != lease);
                if !(state.asks && busy) {
                    let caller = state.callers.entry(lease).or_insert_with(|| Caller {
                        observer: Arc::clone(observer),
                        questions: Arc::new(watch::Sender::new(0)),
                    });
                    return Open { calls: self, lease, questions: caller.questions.subscribe() };
                }
            }
            left.await;
        }
    }

    /// Asks whoever the question is for.
    pub(crate) async fn ask(&self, question: Question, withdrawn: &CancellationToken) -> Answer {
        let Some(Caller { observer, questions }) = self.asked() else {
            tracing::warn!(server = question.server, "a question that is from no one request is declined");
            return Answer::Decline;
        };
        let _thinking = Thinking::new(&questions);
        tokio::select! {
            answer = observer.elicit(question) => answer,
            () = questions.closed() => Answer::Cancel,
            () = withdrawn.cancelled() => Answer::Cancel,
        }
    }

    fn asked(&self) -> Option<Caller> {
        let mut state = self.state();
        state.asks = true;
        let mut callers = state.callers.values();
        callers.next().filter(|_| callers.next().is_none()).cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open<'_> {
    /// Ends when so much time has passed, not counting that in which people were thinking about questions.
    pub(crate) async fn out_of_time(&self, limit: Duration) {
        let mut questions = self.questions.clone();
        let mut rest = limit;
        // The sender is there as long as the request is.
        while questions.wait_for(|open| *open == 0).await.is_ok() {
            let start = Instant::now();
            tokio::select! {
                () = sleep(rest) => return,
                _ = questions.wait_for(|open| *open > 0) => rest = rest.saturating_sub(start.elapsed()),
            }
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut state = self.calls.state();
        let last = |caller: &Caller| caller.questions.receiver_count() == 1;
        if state.callers.get(&self.lease).is_some_and(last) {
            state.callers.remove(&self.lease);
            self.calls.left.notify_waiters();
        }
    }
}

/// Counts a question for as long as it is open.
struct Thinking<'a>(&'a watch::Sender<usize>);

impl<'a> Thinking<'a> {
    fn new(questions: &'a watch::Sender<usize>) -> Self {
        questions.send_modify(|open| *open += 1);
        Self(questions)
    }
}

impl Drop for Thinking<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use futures::{
        FutureExt,
        future::{BoxFuture, pending, ready},
    };
    use pretty_assertions::assert_eq;
    use serde_json::Value;

    use super::*;
    use crate::Status;

    /// Thinks for ever, or answers at once.
    #[derive(Default)]
    struct Person {
        thinks: bool,
        asked: AtomicBool,
    }

    impl Observer for Person {
        fn status<'a>(&'a self, _: &'a str, _: Status) -> BoxFuture<'a, ()> {
            ready(()).boxed()
        }

        fn elicit(&self, _: Question) -> BoxFuture<'_, Answer> {
            self.asked.store(true, Ordering::Relaxed);
            if self.thinks { pending().boxed() } else { ready(Answer::Accept { content: None }).boxed() }
        }
    }

    fn question() -> Question {
        let (server, message) = ("s".to_owned(), "m".to_owned());
        Question { server, message, requested_schema: Value::Null, meta: None }
    }

    async fn asked(calls: &Calls) -> Answer {
        calls.ask(question(), &CancellationToken::new()).await
    }

    #[tokio::test]
    async fn a_question_is_for_the_one_lease_with_requests_open() {
        let calls = Calls::default();
        let people = [Arc::new(Person::default()), Arc::new(Person::default())];
        let [first, second] = people.clone().map(|person| person as Arc<dyn Observer>);
        assert_eq!(asked(&calls).await, Answer::Decline);
        let calls = Calls::default();
        let (one, two, other) =
            (calls.open(1, &first).await, calls.open(1, &first).await, calls.open(2, &second).await);
        assert_eq!(asked(&calls).await, Answer::Decline);
        drop(other);
        assert_eq!(asked(&calls).await, Answer::Accept { content: None });
        drop(one);
        assert_eq!(asked(&calls).await, Answer::Accept { content: None });
        drop(two);
        assert_eq!(people.map(|person| person.asked.load(Ordering::Relaxed)), [true, false]);
    }

    #[tokio::test]
    async fn a_server_that_asked_gets_the_requests_of_one_lease_at_a_time() {
        let calls = Calls::default();
        let person: Arc<dyn Observer> = Arc::new(Person::default());
        let first = calls.open(1, &person).await;
        assert!(calls.open(2, &person).now_or_never().is_some());
        asked(&calls).await;
        assert!(calls.open(1, &person).now_or_never().is_some());
        let mut other = Box::pin(calls.open(2, &person));
        assert!((&mut other).now_or_never().is_none());
        drop(first);
        let _other = other.await;
        assert!(calls.open(1, &person).now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn time_stands_still_while_people_think() {
        let calls = Calls::default();
        let person: Arc<dyn Observer> = Arc::new(Person { thinks: true, ..Person::default() });
        let call = calls.open(1, &person).await;
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let thinking = async {
            sleep(second).await;
            let withdrawn = CancellationToken::new();
            let withdraw = async {
                sleep(60 * second).await;
                withdrawn.cancel();
            };
            tokio::join!(calls.ask(question(), &withdrawn), withdraw).0
        };
        let ((), answer) = tokio::join!(call.out_of_time(3 * second), thinking);
        assert_eq!((answer, start.elapsed()), (Answer::Cancel, 63 * second));
    }

    #[tokio::test]
    async fn a_question_is_moot_when_the_requests_have_ended() {
        let calls = Calls::default();
        let person: Arc<dyn Observer> = Arc::new(Person { thinks: true, ..Person::default() });
        let call = calls.open(1, &person).await;
        let mut asking = Box::pin(asked(&calls));
        assert!((&mut asking).now_or_never().is_none());
        drop(call);
        assert_eq!(asking.await, Answer::Cancel);
    }
}
