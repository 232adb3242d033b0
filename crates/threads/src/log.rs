//! A small append-only JSONL log that several servers share: the latest entry of a thread wins.
//!
//! Each use first reads what others appended since, so that there is nothing to notify. A log that was replaced or
//! cut is read anew. A line that cannot be read costs that line.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rollout::ThreadId;
use serde::Serialize;

use crate::files::make_private_folder;

/// The log at a path, and the latest entry of each thread as far as it was read.
pub(crate) struct Log<V> {
    path: PathBuf,
    parse: fn(&[u8]) -> Option<(ThreadId, V)>,
    seen: Mutex<Seen<V>>,
}

struct Seen<V> {
    stamp: Option<LogStamp>,
    offset: u64,
    latest: HashMap<ThreadId, V>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct LogStamp {
    ino: u64,
    len: u64,
}

/// The log held for writing: no other server appends to it while this lives.
pub(crate) struct Held<'a, V> {
    log: &'a Log<V>,
    file: File,
}

impl<V: Clone> Log<V> {
    /// Makes the log at `path`; nothing is opened before the first use.
    pub(crate) fn new(path: PathBuf, parse: fn(&[u8]) -> Option<(ThreadId, V)>) -> Self {
        Self { path, parse, seen: Mutex::new(Seen { stamp: None, offset: 0, latest: HashMap::new() }) }
    }

    /// Looks at the latest entries, after taking in what was appended since.
    ///
    /// A log that cannot be read is taken as it was last seen, and the cause is logged: what it holds adorns a
    /// thread, so a call goes on without it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&HashMap<ThreadId, V>) -> R) -> R {
        let mut seen = self.lock();
        if let Err(error) = self.take_in(&mut seen) {
            tracing::warn!(path = %self.path.display(), %error, "cannot read the log");
        }
        look(&seen.latest)
    }

    /// Returns the latest entry of one thread.
    pub(crate) fn get(&self, id: ThreadId) -> Option<V> {
        self.with(|latest| latest.get(&id).cloned())
    }

    /// Takes the log for writing; waits for other servers that are writing a line.
    pub(crate) fn hold(&self) -> io::Result<Held<'_, V>> {
        if let Some(folder) = self.path.parent() {
            make_private_folder(folder)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        file.lock()?;
        Ok(Held { log: self, file })
    }

    fn lock(&self) -> MutexGuard<'_, Seen<V>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, seen: &mut Seen<V>) -> io::Result<()> {
        let now = match fs::metadata(&self.path) {
            Ok(meta) => LogStamp { ino: meta.ino(), len: meta.len() },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *seen = Seen { stamp: None, offset: 0, latest: HashMap::new() };
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if seen.stamp == Some(now) {
            return Ok(());
        }
        if seen.stamp.is_none_or(|then| then.ino != now.ino || now.len < seen.offset) {
            *seen = Seen { stamp: None, offset: 0, latest: HashMap::new() };
        }
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(seen.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if let Some((id, entry)) = (self.parse)(line.trim_ascii()) {
                seen.latest.insert(id, entry);
            }
            if line.ends_with(b"\n") {
                seen.offset += line.len() as u64; // an unfinished line is read again when it has grown
            }
        }
        seen.stamp = Some(now);
        Ok(())
    }
}

impl<V: Clone> Held<'_, V> {
    /// Returns the latest entry of one thread; it stays the latest while the log is held.
    pub(crate) fn get(&self, id: ThreadId) -> Option<V> {
        self.log.get(id)
    }

    /// Appends one entry as one whole line; a torn line that a crash left is closed first.
    pub(crate) fn append(&mut self, entry: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if !self.ends_with_line()? {
            line.insert(0, b'\n');
        }
        self.file.write_all(&line)
    }

    fn ends_with_line(&self) -> io::Result<bool> {
        let len = self.file.metadata()?.len();
        let mut last = [b'\n'];
        if len > 0 {
            self.file.read_exact_at(&mut last, len - 1)?;
        }
        Ok(last == *b"\n")
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use std::path::Path;

    use super::*;

    fn log(folder: &Path) -> Log<String> {
        Log::new(folder.join("sub/log.jsonl"), |line| {
            let value: Value = serde_json::from_slice(line).ok()?;
            Some((value["id"].as_str()?.parse().ok()?, value["v"].as_str()?.to_owned()))
        })
    }

    fn put(log: &Log<String>, id: ThreadId, value: &str) {
        log.hold().unwrap().append(&json!({ "id": id, "v": value })).unwrap();
    }

    #[test]
    fn the_latest_entry_wins_whoever_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs, id) = (log(folder.path()), log(folder.path()), ThreadId::new());
        assert_eq!(ours.get(id), None);
        put(&ours, id, "a");
        put(&theirs, id, "b");
        assert_eq!((ours.get(id), theirs.get(id)), (Some("b".into()), Some("b".into())));
    }

    #[test]
    fn damage_costs_its_line_and_is_never_glued_to() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, id, other) = (log(folder.path()), ThreadId::new(), ThreadId::new());
        put(&ours, id, "a");
        let mut file = OpenOptions::new().append(true).open(&ours.path).unwrap();
        file.write_all(b"{\"id\":\"torn").unwrap();
        assert_eq!(ours.get(id), Some("a".into()));
        put(&ours, other, "b");
        assert_eq!((ours.get(id), ours.get(other)), (Some("a".into()), Some("b".into())));
        assert_eq!(log(folder.path()).get(other), Some("b".into()));
    }

    #[test]
    fn a_log_that_was_replaced_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, id) = (log(folder.path()), ThreadId::new());
        put(&ours, id, "a");
        assert_eq!(ours.get(id), Some("a".into()));
        fs::remove_file(&ours.path).unwrap();
        assert_eq!(ours.get(id), None);
        put(&ours, id, "c");
        assert_eq!(ours.get(id), Some("c".into()));
    }
}
