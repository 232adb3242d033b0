//! Which pieces of which files make up a thread's history.
//!
//! A thread is one file. Two operations of newer releases make it several: a fork, and a history that was cut back,
//! begin a file whose session record says where in which other thread the history before it ends (`history_base`).

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Home, Line, MAX_LINE, Place, RolloutError, RolloutName, SessionMeta, ThreadId, locate};

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// Where the piece begins.
    pub start: u64,
    /// Where it ends; `None` at the end of the file.
    pub end: Option<u64>,
    /// The thread that the file says it is of.
    pub thread: Option<ThreadId>,
}

/// Where the history before a file is.
#[derive(Deserialize)]
struct Base {
    thread_id: ThreadId,
    #[serde(default)]
    end_byte_offset: Option<u64>,
    /// Which of the files of that thread, where it has several.
    #[serde(default)]
    rollout_id: Option<uuid::Uuid>,
}

/// How many files a history may be made of. Each is a fork or a cut by hand; this many is a loop in disguise.
const MAX_SEGMENTS: usize = 1000;

/// Returns the pieces of the history that a file ends, oldest first.
pub fn segments(home: &Home, path: &Path) -> Result<Vec<Segment>, RolloutError> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut next = Some((path.to_owned(), None));
    while let Some((path, end)) = next {
        if segments.len() == MAX_SEGMENTS || segments.iter().any(|seen| seen.path == path) {
            return Err(RolloutError::Circular(path));
        }
        let meta = first_meta(&path)?;
        let base = meta.as_ref().and_then(|meta| meta.history_base.clone());
        let base = base.and_then(|base| serde_json::from_value::<Base>(base).ok());
        let thread = meta.map(|meta| meta.id);
        segments.push(Segment { path: path.clone(), start: 0, end, thread });
        next = match base {
            None => None,
            Some(base) => Some((source(home, &path, &base)?, base.end_byte_offset)),
        };
    }
    segments.reverse();
    Ok(segments)
}

/// Finds the file that another one goes on from: of the same thread the file before it, else the thread's own.
fn source(home: &Home, path: &Path, base: &Base) -> Result<PathBuf, RolloutError> {
    let missing = || RolloutError::MissingSource { path: path.to_owned(), id: base.thread_id };
    let own = RolloutName::of(path);
    let files = locate::files_of(home, base.thread_id, Place::Anywhere)
        .map_err(RolloutError::io("search", home.root()))?;
    let mut candidates = files.into_iter().filter(|file| file.path != path);
    let found = match (base.rollout_id, own) {
        (Some(id), _) => candidates.find(|file| file.name.segment.unwrap_or(file.name.id.as_uuid()) == id),
        (None, Some(own)) if own.id == base.thread_id => {
            candidates.rfind(|file| file.name.local_time <= own.local_time)
        }
        (None, _) => candidates.next(),
    };
    found.map(|file| file.path).ok_or_else(missing)
}

/// Reads the first session record of a file, if it stands in one of its first lines.
fn first_meta(path: &Path) -> Result<Option<SessionMeta>, RolloutError> {
    let file = File::open(path).map_err(RolloutError::io("open", path))?;
    let mut reader = BufReader::new(file.take(MAX_LINE as u64));
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(RolloutError::io("read", path))? == 0 {
            return Ok(None);
        }
        if let Some(meta) = Line::parse(&line).and_then(|line| line.session_meta()) {
            return Ok(Some(meta));
        }
    }
}
