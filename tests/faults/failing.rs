//! One operation fails, or all from one on, and the server goes on with what can be gone on with.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use super::check::check;
use super::plan::{Beside, Plan, turns};
use super::session;

const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENOSPC: i32 = 28;

/// Runs the session once for each of the operations, or of a sample of them; a round that fails does not stop the others.
async fn rounds(kinds: &str, acts: &[(&str, i32)], sample: u64) {
    let mut failed = Vec::new();
    for (act, errno) in acts {
        let act = format!("{act}:{errno}");
        let plan = Plan { kinds, act: &act, at: None };
        let (all, _, refused) = round(&plan).await;
        assert!(
            all > 0 && refused == 0,
            "{kinds} {act}: {all} operations, {refused} refusals without a fault"
        );
        let turns = turns(all, sample);
        let (mut hit, mut refusals) = (0, 0);
        for at in &turns {
            let plan = Plan { at: Some(*at), ..plan };
            match AssertUnwindSafe(round(&plan)).catch_unwind().await {
                Ok((_, faults, refused)) => {
                    hit += u64::from(faults > 0);
                    refusals += refused;
                }
                Err(_) => failed.push(format!("{kinds} {act} at {at}")),
            }
        }
        println!(
            "{kinds} {act}: {} of {all} operations, {hit} hit, {refusals} requests refused",
            turns.len()
        );
    }
    assert!(failed.is_empty(), "{} rounds failed: {failed:#?}", failed.len());
}

/// Runs the session under a plan, and looks at what it left. Returns the operations, the faults and the refusals.
async fn round(plan: &Plan<'_>) -> (u64, u64, usize) {
    let (home, beside) = (session::home(), Beside::new());
    let left = session::run(&home, plan.launch(&home, &beside)).await;
    assert_eq!(left.code, Some(0), "the server's end");
    let (seen, faults) = beside.seen();
    let active = check(&home, &left.told).await;
    // A fault that is over hides nothing from a list behind it: of two, one at least was not hit itself.
    let is_over = ["once", "short"].iter().any(|act| plan.act.starts_with(act));
    assert!(!is_over || left.listed.contains(&active), "listed: {:?}, there: {active:?}", left.listed);
    (seen, faults, left.refused)
}

#[tokio::test]
async fn a_write_may_fail() {
    rounds("write", &[("once", EIO), ("always", EIO), ("short", EIO), ("full", ENOSPC)], 4).await;
}

#[tokio::test]
async fn a_name_may_not_be_made_changed_or_removed() {
    rounds("name", &[("once", EIO), ("always", EACCES), ("full", ENOSPC)], 4).await;
}

#[tokio::test]
async fn a_file_may_not_open() {
    rounds("open", &[("once", EACCES), ("always", EIO), ("full", ENOSPC)], 4).await;
}

#[tokio::test]
async fn a_sync_may_fail() {
    rounds("sync", &[("once", EIO), ("always", EIO)], 3).await;
}

#[tokio::test]
async fn a_lock_may_not_be_had() {
    rounds("lock", &[("once", EIO), ("always", EIO), ("once", EAGAIN)], 4).await;
}

#[tokio::test]
async fn the_index_may_fail() {
    rounds("index", &[("once", EIO), ("always", EIO), ("full", ENOSPC), ("once", EBUSY)], 3).await;
}
