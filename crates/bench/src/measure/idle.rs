//! A server that nobody asks anything: what it writes, and how much processor time it takes.

use std::{path::Path, thread, time::Duration};

use anyhow::Result;
use serde_json::json;

use super::{mebibytes, rest};
use crate::{
    server::{Server, ServerCommand},
    sheet::{Cell, Column},
};

/// Measures a server on a home that it knows, with one thread loaded.
pub fn measure(
    column: &mut Column<'_>,
    command: &ServerCommand,
    home: &Path,
    thread: &str,
    span: Duration,
) -> Result<()> {
    let (mut server, _) = Server::start(command, home)?;
    server.call("thread/list", json!({ "limit": 25 }))?;
    rest(&server);
    column.put_beside("memory, nothing loaded", mebibytes(25), Ok(Cell::Bytes(server.usage().resident)));
    server.call("thread/resume", json!({ "threadId": thread, "excludeTurns": true }))?;
    rest(&server);
    let before = server.counters();
    thread::sleep(span);
    let used = server.counters() - before;
    let what = format!("idle for {} s", span.as_secs());
    column.put_beside(&format!("{what}: bytes written"), Some(Cell::Bytes(0)), Ok(Cell::Bytes(used.stored)));
    column.put_beside(
        &format!("{what}: processor time"),
        Some(Cell::Time(span / 1000)),
        Ok(Cell::Time(used.cpu)),
    );
    column.put(&format!("{what}: reads and writes"), Ok(Cell::Count(used.calls)));
    server.stop()
}
