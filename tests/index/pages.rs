//! Bytes of the database that changed by themselves: page by page, whatever stands there.

use std::fs;
use std::path::Path;

use testkit::{Daemon, Home};

use super::session::{after, home, session};
use super::{complete, healed};

/// How many pages are tried where time is short; all of them with `SKEIN_LONG_TESTS=1`.
const SHORT: usize = 3;

/// How many bytes of a page change.
const FLIPS: usize = 64;

const PAGE: usize = 4096;

/// The next number of a sequence that looks random and is the same each time (xorshift).
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

fn flip(database: &Path, page: usize) {
    let mut bytes = fs::read(database).unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15 ^ (page as u64 + 1);
    for _ in 0..FLIPS {
        let at = page * PAGE + next(&mut seed) as usize % PAGE;
        bytes[at] ^= (next(&mut seed) % 255 + 1) as u8;
    }
    // In place, as a disk does it.
    use std::os::unix::fs::FileExt;
    let file = fs::File::options().write(true).open(database).unwrap();
    file.write_all_at(&bytes[page * PAGE..(page + 1) * PAGE], (page * PAGE) as u64).unwrap();
}

/// The answers with the index built anew, and of the next server.
async fn lists_after(d: &mut Daemon, home: &Home, state: &String) {
    after(d, home, state).await;
    after(d.restart().await, home, state).await;
}

fn pages(count: usize) -> Vec<usize> {
    let step = match std::env::var_os("SKEIN_LONG_TESTS").is_some_and(|set| set == "1") {
        true => 1,
        false => count.div_ceil(SHORT),
    };
    (0..count).step_by(step).collect()
}

/// When a page changes.
#[derive(Clone, Copy, PartialEq)]
enum When {
    NoServerRuns,
    UnderAServer,
}

/// Lets one page after the other change, each in a home of its own.
async fn flip_each_page(when: When) {
    let mut page = 0;
    let mut todo: Option<Vec<usize>> = None;
    while todo.as_ref().is_none_or(|todo| page < todo.len()) {
        let home = home();
        let mut d = Daemon::start(&home).await;
        complete(&home).await;
        // Written back from the log, so that the pages are those of the database.
        assert_eq!(d.stop().await, Some(0));
        if when == When::UnderAServer {
            d.restart().await;
            complete(&home).await;
        }
        let count = fs::metadata(home.index()).unwrap().len() as usize / PAGE;
        let number = todo.get_or_insert_with(|| pages(count))[page];
        flip(&home.index(), number);
        let mut state = format!("page {number} of {count}");
        match when {
            When::NoServerRuns => drop(d.restart().await),
            When::UnderAServer => state += ", under a server",
        }
        session(&mut d, &home, &state).await;
        healed(&d, &home, &state).await;
        lists_after(&mut d, &home, &state).await;
        page += 1;
    }
}

#[tokio::test]
async fn a_page_that_changed_while_no_server_ran_changes_no_answer() {
    flip_each_page(When::NoServerRuns).await;
}

#[tokio::test]
async fn a_page_that_changes_under_a_server_changes_no_answer() {
    flip_each_page(When::UnderAServer).await;
}
