//! An empty home: starts, turns against a model that answers at once, a long stream, many threads at once.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use testkit::{Answer, MockModel, events};

use super::{mebibytes, middle, millis, say_hi, start_thread, turn};
use crate::{
    server::{Server, ServerCommand},
    sheet::{Cell, Column},
};

const STARTS: usize = 8;
const TURNS: usize = 40;
const DELTAS: usize = 20_000;
const THREADS: usize = 50;

/// How many threads are loaded for the memory of one.
const LOADED: u64 = 400;

/// Measures a server on a home without threads.
pub fn measure(
    column: &mut Column<'_>,
    command: &ServerCommand,
    home: &Path,
    model: &MockModel,
) -> Result<()> {
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let (server, took) = Server::start(command, home)?;
        starts.push(took);
        server.stop()?;
    }
    column.put_beside("spawn until initialize is answered", millis(6), middle(starts));

    let (mut server, _) = Server::start(command, home)?;
    let (first, thread) = start_thread(&mut server, home)?;
    let mut starts = vec![first];
    for _ in 1..10 {
        starts.push(start_thread(&mut server, home)?.0);
    }
    column.put("thread/start", middle(starts));
    column.put("first turn", turn(&mut server, &thread).map(Cell::Time));
    let turns: Result<Vec<_>> = (0..TURNS).map(|_| turn(&mut server, &thread)).collect();
    column.put_beside("turn/start until turn/completed", millis(6), turns.and_then(middle));
    column.put_beside("memory, idle", mebibytes(20), Ok(Cell::Bytes(server.usage().resident)));
    stream(column, &mut server, home, &thread, model);
    let together = at_once(&mut server, home);
    column.put_beside(
        &format!("{THREADS} threads, a turn each, at once"),
        millis(250),
        together.map(Cell::Time),
    );
    server.stop()?;
    memory(column, command, home)
}

/// One turn of many small pieces of text.
fn stream(column: &mut Column<'_>, server: &mut Server, home: &Path, thread: &str, model: &MockModel) {
    let text = "word ".repeat(DELTAS);
    let deltas = std::iter::repeat_n(events::delta("word "), DELTAS);
    let begin = [events::created(), events::message_added("streamed")];
    let end = [events::message("streamed", &text), events::completed()];
    model.script([Answer::stream(begin.into_iter().chain(deltas).chain(end))]);
    server.forget_notes("");
    let (before, size) = (server.counters(), size_of(&home.join("sessions")));
    let took = turn(server, thread);
    let used = server.counters() - before;
    let kept = size_of(&home.join("sessions")).saturating_sub(size);
    let what = format!("stream of {DELTAS} pieces");
    column.put(&what, took.map(Cell::Time));
    column.put(&format!("{what}: processor time"), Ok(Cell::Time(used.cpu)));
    column.put(&format!("{what}: bytes written to files"), Ok(Cell::Bytes(used.stored)));
    column.put(&format!("{what}: bytes kept"), Ok(Cell::Bytes(kept)));
    let told = server.forget_notes("item/agentMessage/delta");
    column.put(&format!("{what}: messages about it"), Ok(Cell::Count(told as u64)));
}

/// Many threads, begun before, each with a turn, all asked for at once.
fn at_once(server: &mut Server, home: &Path) -> Result<Duration> {
    let threads: Result<Vec<_>> = (0..THREADS).map(|_| Ok(start_thread(server, home)?.1)).collect();
    let threads = threads?;
    let began = Instant::now();
    let sent: Result<Vec<_>> =
        threads.iter().map(|thread| server.send("turn/start", say_hi(thread))).collect();
    for id in sent? {
        server.answer(id)?;
    }
    for thread in &threads {
        server.note("turn/completed", |params| params["threadId"] == thread.as_str())?;
    }
    Ok(began.elapsed())
}

/// Memory of a thread that is loaded, and of load and unload in turn.
fn memory(column: &mut Column<'_>, command: &ServerCommand, home: &Path) -> Result<()> {
    let (mut server, _) = Server::start(command, home)?;
    start_thread(&mut server, home)?;
    let before = server.usage().resident;
    for _ in 0..LOADED {
        start_thread(&mut server, home)?;
    }
    let each = server.usage().resident.saturating_sub(before) / LOADED;
    column.put_beside("memory of a loaded thread", Some(Cell::Bytes(200 << 10)), Ok(Cell::Bytes(each)));
    server.stop()
}

/// The bytes of all rollouts of a home.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
        true => size_of(&entry.path()),
        false => entry.metadata().map_or(0, |meta| meta.len()),
    };
    entries.map(size).sum()
}
