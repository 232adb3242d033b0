//! Tells the observer of a lease how one server is.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Observer, Status,
    server::{Phase, State},
};

/// Whom to tell of what.
pub(crate) struct Report {
    pub(crate) server: String,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) dropped: CancellationToken,
}

impl Report {
    /// Tells of an entry that cannot be started.
    pub(crate) async fn broken(self, error: Arc<str>) {
        self.tell(Status::Starting).await;
        self.tell(Status::Failed { error }).await;
    }

    /// Tells of each change, the first being that the server starts: for this lease it does, also when it runs.
    pub(crate) async fn follow(self, mut state: watch::Receiver<State>) {
        let mut told = Status::Starting;
        self.tell(told.clone()).await;
        loop {
            let (now, stopped) = {
                let state = state.borrow_and_update();
                (state.status(), matches!(state.phase, Phase::Stopped))
            };
            if stopped {
                break;
            }
            if now != told {
                told = now;
                self.tell(told.clone()).await;
            }
            tokio::select! {
                changed = state.changed() => if changed.is_err() { break },
                () = self.dropped.cancelled() => break,
            }
        }
        if told == Status::Starting {
            self.tell(Status::Cancelled).await;
        }
    }

    async fn tell(&self, status: Status) {
        self.observer.status(&self.server, status).await;
    }
}
