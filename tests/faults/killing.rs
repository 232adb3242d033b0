//! The server is killed at an operation, whole or in the midst of a write.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::check::check;
use super::plan::{Beside, Plan, turns};
use super::session;

#[tokio::test]
async fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    let mut failed = Vec::new();
    // Among all operations the ones that a thread is made of are few.
    for (kinds, act) in [("any", "kill"), ("write,name,lock", "torn")] {
        let plan = Plan { kinds, act, at: None };
        let (all, _) = round(&plan).await;
        let turns = turns(all, 10);
        let mut killed = 0;
        for at in &turns {
            let plan = Plan { at: Some(*at), ..plan };
            match AssertUnwindSafe(round(&plan)).catch_unwind().await {
                Ok((_, was_killed)) => killed += u64::from(was_killed),
                Err(_) => failed.push(format!("{act} at {at}")),
            }
        }
        println!("{act}: {} of {all} operations, {killed} servers killed", turns.len());
    }
    assert!(failed.is_empty(), "{} rounds failed: {failed:#?}", failed.len());
}

/// Runs the session, looks at what it left, and tells how many operations there were and whether it was cut off.
async fn round(plan: &Plan<'_>) -> (u64, bool) {
    let (home, beside) = (session::home(), Beside::new());
    let left = session::run(&home, plan.launch(&home, &beside)).await;
    let (seen, killed) = beside.seen();
    assert_eq!(left.code, (killed == 0).then_some(0), "the server's end");
    check(&home, &left.told).await;
    (seen, killed > 0)
}
