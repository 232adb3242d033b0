//! Lanes: requests in one lane run in order, lanes run in parallel.
//!
//! A lane exists while something is in it. How many requests wait or run over all lanes is bounded by
//! [`MAX_REQUESTS`]; one more is refused, so that a flood is answered instead of buffered.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::future::BoxFuture;
use tokio_util::task::TaskTracker;

/// How many requests of a connection wait or run at once. Published clients pipeline up to 128 and expect all of
/// them to succeed; a page of 1,000 threads read one by one is the largest burst seen.
pub(crate) const MAX_REQUESTS: usize = 1024;

/// What a request has to wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// Nothing.
    Free,
    /// Earlier requests about the same thread.
    Thread(String),
    /// Earlier requests about the same part of what all threads share.
    Global(&'static str),
}

impl Lane {
    /// The lane of a thread; the same one for every spelling of its id.
    pub(crate) fn thread(id: &str) -> Self {
        Self::Thread(uuid::Uuid::parse_str(id).map_or_else(|_| id.to_owned(), |id| id.to_string()))
    }
}

/// One request, ready to run.
pub(crate) type Job = BoxFuture<'static, ()>;

/// The lanes of one connection.
#[derive(Clone, Default)]
pub(crate) struct Lanes {
    waiting: Arc<Mutex<HashMap<Lane, VecDeque<Job>>>>,
    count: Arc<AtomicUsize>,
    tasks: TaskTracker,
}

/// One more request than there is room for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

impl Lanes {
    /// Runs a job when its lane is free.
    pub(crate) fn run(&self, lane: Lane, job: Job) -> Result<(), Full> {
        if self.count.fetch_add(1, Ordering::Relaxed) >= MAX_REQUESTS {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(Full);
        }
        let lanes = self.clone();
        if lane == Lane::Free {
            self.tasks.spawn(async move { lanes.one(job).await });
            return Ok(());
        }
        let mut waiting = self.lock();
        match waiting.get_mut(&lane) {
            Some(queue) => queue.push_back(job),
            None => {
                waiting.insert(lane.clone(), VecDeque::new());
                self.tasks.spawn(async move { lanes.drain(lane, job).await });
            }
        }
        Ok(())
    }

    /// Waits until everything that was taken in is done.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn drain(&self, lane: Lane, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            self.one(job).await;
            next = self.next(&lane);
        }
    }

    async fn one(&self, job: Job) {
        job.await;
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes the next job of a lane; a lane that has none is gone.
    fn next(&self, lane: &Lane) -> Option<Job> {
        let mut waiting = self.lock();
        let job = waiting.get_mut(lane)?.pop_front();
        if job.is_none() {
            waiting.remove(lane);
        }
        job
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lane, VecDeque<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use pretty_assertions::assert_eq;
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn one_lane_keeps_the_order_and_another_does_not_wait() {
        let lanes = Lanes::default();
        let (done, mut order) = mpsc::unbounded_channel();
        let (go, wait) = oneshot::channel::<()>();
        let job = |name: &'static str, wait: Option<oneshot::Receiver<()>>| {
            let done = done.clone();
            async move {
                if let Some(wait) = wait {
                    drop(wait.await);
                }
                let _ = done.send(name);
            }
            .boxed()
        };
        lanes.run(Lane::thread("a"), job("a1", Some(wait))).unwrap();
        lanes.run(Lane::thread("a"), job("a2", None)).unwrap();
        lanes.run(Lane::thread("b"), job("b", None)).unwrap();
        assert_eq!(order.recv().await, Some("b"));
        drop(go);
        lanes.finish().await;
        assert_eq!((order.recv().await, order.recv().await), (Some("a1"), Some("a2")));
        assert!(lanes.lock().is_empty());
    }

    #[tokio::test]
    async fn a_request_beyond_the_bound_is_refused_and_room_comes_back() {
        let lanes = Lanes::default();
        let (go, wait) = tokio::sync::watch::channel(false);
        for _ in 0..MAX_REQUESTS {
            let mut wait = wait.clone();
            lanes.run(Lane::Free, async move { drop(wait.changed().await) }.boxed()).unwrap();
        }
        assert!(lanes.run(Lane::Free, async {}.boxed()).is_err());
        go.send(true).unwrap();
        lanes.finish().await;
        assert!(lanes.run(Lane::Free, async {}.boxed()).is_ok());
    }

    #[test]
    fn every_spelling_of_an_id_is_the_same_lane() {
        let id = "67E55044-10B1-426F-9247-BB680E5FE0C8";
        assert_eq!(Lane::thread(id), Lane::thread(&id.to_lowercase().replace('-', "")));
    }
}
