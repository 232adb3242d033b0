//! A home of many threads: the start, lists while the index is built and afterwards, and calls on single threads.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{median, middle, millis, rest};
use crate::{
    corpus::{SEARCHED, Written},
    server::{Server, ServerCommand},
    sheet::{Cell, Column},
};

/// How often a list is asked for, once the index is there.
const TIMES: usize = 21;

/// How often a server is started on a home that it knows.
const STARTS: usize = 5;

/// How many threads are read and changed.
const PICKED: usize = 51;

/// A walk ends here, lest a server that repeats a page be walked for ever.
const PAGES: usize = 4000;

/// Measures a server on a home that no server has seen.
pub fn measure(
    column: &mut Column<'_>,
    command: &ServerCommand,
    home: &Path,
    written: &Written,
) -> Result<()> {
    let began = Instant::now();
    let (mut server, took) = Server::start(command, home)?;
    column.put_beside("initialize, no index", millis(20), Ok(Cell::Time(took)));
    for (what, budget, params) in lists() {
        let listed = server.timed("thread/list", params).map(|(took, _)| Cell::Time(took));
        column.put_beside(&format!("{what}, at once"), millis(budget), listed);
    }
    walk(column, &mut server, written, "while the index is built");
    // Servers without an index at this size do it all before they answer `initialize`.
    rest(&server);
    column.put("spawn until at rest", Ok(Cell::Time(began.elapsed().saturating_sub(super::REST))));
    resources(column, &server, "first run");
    server.stop()?;

    let mut starts = Vec::new();
    for _ in 1..STARTS {
        let (server, took) = Server::start(command, home)?;
        starts.push(took);
        server.stop()?;
    }
    let (mut server, took) = Server::start(command, home)?;
    starts.push(took);
    column.put_beside("initialize, indexed", millis(20), middle(starts));
    for (what, _, params) in lists() {
        let listed = median(&mut server, "thread/list", vec![params; TIMES]);
        column.put(&format!("{what}, indexed"), listed);
    }
    again(column, &mut server)?;
    walk(column, &mut server, written, "indexed");
    threads(column, &mut server, written);
    resources(column, &server, "second run");
    server.stop()
}

/// The lists that are asked for, with their budgets in milliseconds while there is no index.
fn lists() -> [(&'static str, u64, Value); 6] {
    [
        ("list, newest first", 100, json!({ "limit": 25 })),
        ("list, last changed first", 1500, json!({ "limit": 25, "sortKey": "updated_at" })),
        ("list, one folder", 1500, json!({ "limit": 25, "cwd": "/home/dev/project-7" })),
        ("list, one source", 1500, json!({ "limit": 25, "sourceKinds": ["exec"] })),
        ("list, searched", 1500, json!({ "limit": 25, "searchTerm": SEARCHED })),
        ("list, archived", 1500, json!({ "limit": 25, "archived": true })),
    ]
}

/// Counts what an unchanged list costs that is asked for again.
fn again(column: &mut Column<'_>, server: &mut Server) -> Result<()> {
    let [(what, _, params), ..] = lists();
    rest(server);
    let before = server.counters();
    for _ in 0..TIMES {
        server.call("thread/list", params.clone())?;
    }
    let used = server.counters() - before;
    let times = TIMES as u64;
    column.put(&format!("{what}, again: bytes read"), Ok(Cell::Bytes(used.read / times)));
    column.put(&format!("{what}, again: reads and writes"), Ok(Cell::Count(used.calls / times)));
    Ok(())
}

/// Walks through all pages of the list.
fn walk(column: &mut Column<'_>, server: &mut Server, written: &Written, when: &str) {
    let began = Instant::now();
    let walked =
        count(server).map(|found| (Cell::Time(began.elapsed()), written.listed.len().saturating_sub(found)));
    // The budget is that of 120,000 visible threads.
    let budget = millis((written.listed.len() as u64 * 3000).div_ceil(120_000));
    let what = format!("walk of all pages of 100, {when}");
    match walked {
        Ok((time, missed)) => {
            column.put_beside(&what, budget, Ok(time));
            column.put(&format!("threads that the walk missed, {when}"), Ok(Cell::Count(missed as u64)));
        }
        Err(error) => column.put_beside(&what, budget, Err(error)),
    }
}

fn count(server: &mut Server) -> Result<usize> {
    let (mut cursor, mut found) = (Value::Null, 0);
    for _ in 0..PAGES {
        let mut page = server.call("thread/list", json!({ "limit": 100, "cursor": cursor }))?;
        found += page["data"].as_array().map_or(0, Vec::len);
        cursor = page["nextCursor"].take();
        if cursor.is_null() {
            return Ok(found);
        }
    }
    bail!("{PAGES} pages, and no end")
}

/// Calls on single threads.
fn threads(column: &mut Column<'_>, server: &mut Server, written: &Written) {
    let mut random = Rng::with_seed(11);
    let picked: Vec<_> =
        (0..PICKED).map(|_| &written.listed[random.usize(0..written.listed.len())]).collect();
    // The budgets are in microseconds.
    let calls: [(&str, u64, &str, Value); 7] = [
        ("read", 1000, "thread/read", json!({})),
        ("read with turns", 1000, "thread/read", json!({ "includeTurns": true })),
        ("turns/list", 1000, "thread/turns/list", json!({ "limit": 10 })),
        ("metadata/update", 1500, "thread/metadata/update", json!({ "gitInfo": { "branch": "measured" } })),
        ("name/set", 1500, "thread/name/set", json!({ "name": "measured" })),
        ("resume", 3000, "thread/resume", json!({ "excludeTurns": true })),
        ("fork", 30_000, "thread/fork", json!({ "excludeTurns": true })),
    ];
    for (what, budget, method, params) in calls {
        let budget = Cell::Time(Duration::from_micros(budget));
        let mut times = Vec::new();
        for id in &picked {
            let mut params = params.clone();
            params["threadId"] = json!(id);
            times.push(params);
        }
        column.put_beside(what, Some(budget), median(server, method, times));
    }
}

fn resources(column: &mut Column<'_>, server: &Server, run: &str) {
    let (usage, counters) = (server.usage(), server.counters());
    column.put(&format!("peak memory, {run}"), Ok(Cell::Bytes(usage.peak)));
    column.put(&format!("processor time, {run}"), Ok(Cell::Time(counters.cpu)));
    column.put(&format!("bytes read, {run}"), Ok(Cell::Bytes(counters.read)));
    column.put(&format!("bytes written, {run}"), Ok(Cell::Bytes(counters.stored)));
}
