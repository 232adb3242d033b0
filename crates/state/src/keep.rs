//! The task that has the index open: not before it is needed, and anew whenever it has to be.

use std::{convert::Infallible, sync::Arc};

use rollout::Home;
use tokio::time::{Duration, sleep, sleep_until};

use crate::{Index, Progress, StateError, StateRuntime, backfill, open, trust::SUSPECT_FOR};

/// How long after the start a home is looked at that nobody asked for: a client's first requests come before.
const START_AFTER: Duration = Duration::from_millis(200);

/// How long a backfill rests when another process held the database for too long.
const RETRY_LOCKED: Duration = Duration::from_secs(1);

/// How long it rests after another failure, a full disk say; it is tried again as long as it is not done.
const RETRY_FAILED: Duration = Duration::from_secs(30);

/// Opens the database when it is needed, fills it, and opens it again when it was lost.
pub(crate) async fn keep(index: Arc<Index>) {
    tokio::select! {
        () = index.stop.cancelled() => return,
        () = index.wanted.notified() => {}
        () = rollouts_to_index(&index.home) => {}
    }
    loop {
        let (damaged, not_before) = index.to_open();
        let open = async {
            if let Some(until) = not_before {
                sleep_until(until).await;
            }
            open::open(&index.home, damaged).await
        };
        let opened = tokio::select! {
            () = index.stop.cancelled() => return,
            opened = open => opened,
        };
        match opened {
            Ok(runtime) => {
                let (runtime, ended) = index.publish(runtime);
                tokio::select! {
                    () = ended.cancelled() => {}
                    never = fill(&index, &runtime) => match never {},
                    never = look_again(&index) => match never {},
                }
                runtime.close().await;
            }
            Err(error) => {
                index.not_opened(&error);
                tokio::select! {
                    () = index.stop.cancelled() => {}
                    () = index.wanted.notified() => {}
                }
            }
        }
        if index.stop.is_cancelled() {
            return;
        }
    }
}

/// Returns when a home was found to hold rollouts, and never for one without: that is not charged with a database.
async fn rollouts_to_index(home: &Home) {
    sleep(START_AFTER).await;
    let home = home.clone();
    if !tokio::task::spawn_blocking(move || has_rollouts(&home)).await.unwrap_or(false) {
        std::future::pending().await
    }
}

fn has_rollouts(home: &Home) -> bool {
    [false, true].iter().any(|archived| rollout::walk(home, *archived).any(|located| located.is_ok()))
}

/// Looks again, a while after the database was found otherwise than noted: nobody may ask for it by then.
async fn look_again(index: &Index) -> Infallible {
    loop {
        index.suspected.notified().await;
        sleep(SUSPECT_FOR).await;
        index.look_again();
    }
}

/// Fills the database, and again when there is more to do; until it is lost.
async fn fill(index: &Index, runtime: &StateRuntime) -> Infallible {
    loop {
        match backfill::run(index, runtime).await {
            Ok(()) => {
                index.set_progress(Progress::Done);
                index.unscanned.notified().await;
            }
            Err(error) => {
                index.failed(&error);
                let is_brief = matches!(error, StateError::Locked(_) | StateError::NotOpen);
                sleep(if is_brief { RETRY_LOCKED } else { RETRY_FAILED }).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestHome, rollout_text, write};

    #[test]
    fn a_home_without_rollouts_needs_no_index() {
        let home = TestHome::new();
        assert!(!has_rollouts(&home.home));
        write(&home.home.sessions().join("2026/01/02/notes.txt"), "");
        assert!(!has_rollouts(&home.home));
        write(&home.archived_path(1), &rollout_text(1, "x"));
        assert!(has_rollouts(&home.home));
    }
}
