//! Every state of the index, before a server starts and under one that runs: the answers are the same, and it heals.

use testkit::Daemon;

use super::session::{after, home, lists, session};
use super::{ALL, Index, complete, healed};

fn states() -> impl Iterator<Item = Index> {
    ALL.into_iter().chain([Index::FolderDeleted])
}

#[tokio::test]
async fn every_method_answers_right_whatever_the_index_is_like_at_the_start() {
    for state in states() {
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

#[tokio::test]
async fn every_method_answers_right_whatever_happens_to_the_index_under_a_server() {
    // Nobody gets a database for itself alone that is open elsewhere.
    for state in states().filter(|state| !matches!(state, Index::Locked)) {
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
