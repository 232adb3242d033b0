//! Every state of the index, before a server starts and under one that runs: the answers are the same, and it heals.

use testkit::Daemon;

use super::session::{after, home, lists, session};
use super::{ALL, Index, complete, healed};

/// The states in which nothing of the index is left that could be wrong; the others are those in which there is.
fn states(gone: bool) -> impl Iterator<Item = Index> {
    use Index::{Absent, Deleted, Empty, FolderDeleted, Left, Unopenable};
    let is_gone =
        |state: &Index| matches!(state, Absent | Left | Deleted | FolderDeleted | Empty | Unopenable);
    ALL.into_iter().chain([FolderDeleted]).filter(move |state| is_gone(state) == gone)
}

#[tokio::test]
async fn every_method_answers_right_where_there_is_no_index_at_the_start() {
    at_the_start(states(true)).await;
}

#[tokio::test]
async fn every_method_answers_right_whatever_is_wrong_with_the_index_at_the_start() {
    at_the_start(states(false)).await;
}

#[tokio::test]
async fn every_method_answers_right_when_the_index_goes_under_a_server() {
    under_a_server(states(true)).await;
}

#[tokio::test]
async fn every_method_answers_right_whatever_is_done_to_the_index_under_a_server() {
    under_a_server(states(false)).await;
}

async fn at_the_start(states: impl Iterator<Item = Index>) {
    for state in states {
        let home = home();
        let kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        session(&mut d, &home, &state).await;
        match state {
            Index::Corrupt | Index::Torn => healed(&d, &home, &state).await,
            // Left alone, until whoever made it so changes that.
            Index::Newer | Index::Locked | Index::Held | Index::Unopenable => {}
            _ => {
                complete(&home).await;
                assert!(!d.log().contains("damaged"), "{state:?}: {}", d.log());
            }
        }
        drop(kept);
        after(d.restart().await, &home, &state).await;
    }
}

async fn under_a_server(states: impl Iterator<Item = Index>) {
    // Nobody gets a database for itself alone that is open elsewhere.
    for state in states.filter(|state| !matches!(state, Index::Locked)) {
        let home = home();
        let mut d = Daemon::start(&home).await;
        complete(&home).await;
        lists(&mut d, &home, &state).await;
        let kept = state.strike(&home).await;
        session(&mut d, &home, &state).await;
        match state {
            Index::Empty | Index::Corrupt | Index::Torn => healed(&d, &home, &state).await,
            // What the log lacks shows when it is read, which may be at the next start.
            Index::TornLog | Index::Newer | Index::Held | Index::Unopenable => {}
            _ => {
                complete(&home).await;
                assert!(!d.log().contains("damaged"), "{state:?}: {}", d.log());
            }
        }
        drop(kept);
        after(d.restart().await, &home, &state).await;
    }
}
