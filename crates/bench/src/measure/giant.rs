//! One giant thread: each call on it, and how much memory the server has used by then.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::{mebibytes, millis, turn};
use crate::{
    server::{Server, ServerCommand},
    sheet::{Cell, Column},
};

/// How much memory a server may use, whatever the thread's size, in MiB.
const MEMORY: u64 = 60;

/// Measures each call on a fresh server, so that the peaks of memory are each call's own.
pub fn measure(column: &mut Column<'_>, command: &ServerCommand, home: &Path, giant: &str) -> Result<()> {
    let calls: [(&str, u64, &str, Value); 8] = [
        ("list", 100, "thread/list", json!({ "limit": 25 })),
        ("read", 300, "thread/read", json!({})),
        ("turns/list, newest 10", 300, "thread/turns/list", json!({ "limit": 10 })),
        ("items/list, newest 25", 300, "thread/items/list", json!({ "limit": 25, "sortDirection": "desc" })),
        ("metadata/update", 300, "thread/metadata/update", json!({ "gitInfo": { "branch": "measured" } })),
        ("name/set", 300, "thread/name/set", json!({ "name": "measured" })),
        ("resume without turns", 300, "thread/resume", json!({ "excludeTurns": true })),
        ("resume with its newest turns", 300, "thread/resume", json!({})),
    ];
    for (what, budget, method, mut params) in calls {
        if method != "thread/list" {
            params["threadId"] = json!(giant);
        }
        let (mut server, _) = Server::start(command, home)?;
        let called = server.timed(method, params).map(|(took, _)| Cell::Time(took));
        column.put_beside(what, millis(budget), called);
        peak(column, &server, what);
        server.stop()?;
    }
    let (mut server, _) = Server::start(command, home)?;
    let resumed = server.call("thread/resume", json!({ "threadId": giant, "excludeTurns": true }));
    let turned = resumed.and_then(|_| turn(&mut server, giant)).map(Cell::Time);
    column.put("first turn after resume", turned);
    peak(column, &server, "first turn after resume");
    server.stop()
}

fn peak(column: &mut Column<'_>, server: &Server, what: &str) {
    let peak = server.usage().peak;
    column.put_beside(&format!("{what}: peak memory"), mebibytes(MEMORY), Ok(Cell::Bytes(peak)));
}
