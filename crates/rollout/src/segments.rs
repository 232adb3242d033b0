//! Which pieces of which files make up a thread's history.
//!
//! A thread is one file. Two operations of newer releases make it several: a fork, and a history that was cut back,
//! begin a file whose session record says where in which other file the history before it ends (`history_base`). That
//! file is found by its id wherever in the home it lies, never by a path that a file names.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use uuid::Uuid;

use crate::{Home, RolloutError, SessionMeta, ThreadId, head, locate};

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
    /// The other file's own id: a thread's for the first file of it, that in the name for a later one.
    thread_id: Uuid,
    /// Where in that file.
    #[serde(default)]
    end_byte_offset: Option<u64>,
}

/// How many files a history may be made of. Each is a fork or a cut by hand; this many is a loop in disguise.
const MAX_SEGMENTS: usize = 1000;

impl Segment {
    /// Takes all of a file.
    pub(crate) fn whole(path: &Path) -> Self {
        Self { path: path.to_owned(), start: 0, end: None, thread: None }
    }
}

/// Returns the pieces of a history, oldest first; the last one is the file itself.
pub fn segments(home: &Home, path: &Path) -> Result<Vec<Segment>, RolloutError> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut next = Some(Segment::whole(path));
    while let Some(mut segment) = next.take() {
        let path = &segment.path;
        if segments.len() == MAX_SEGMENTS || segments.iter().any(|seen| seen.path == *path) {
            return Err(RolloutError::Circular(path.clone()));
        }
        let meta = head::first(path).map_err(RolloutError::io("read", path))?.map(|first| first.meta);
        segment.thread = meta.as_ref().map(|meta| meta.id);
        if let Some(Base { thread_id, end_byte_offset }) = meta.and_then(|meta| base(meta, path)) {
            let found = locate::find_piece(home, thread_id);
            let missing = || RolloutError::MissingSource { path: path.clone(), id: thread_id.into() };
            let source = found.map_err(RolloutError::io("search", home.root()))?.ok_or_else(missing)?;
            next = Some(Segment { end: end_byte_offset, ..Segment::whole(&source) });
        }
        segments.push(segment);
    }
    segments.reverse();
    Ok(segments)
}

fn base(meta: SessionMeta, path: &Path) -> Option<Base> {
    serde_json::from_value(meta.history_base?)
        .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "a history begins in the dark"))
        .ok()
}
