//! A small append-only JSONL log that several servers share, and the state that its lines fold into.
//!
//! Each use first takes in what others appended since, so that there is nothing to notify. A log that was replaced or
//! cut is read anew. A line that cannot be read costs that line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rollout::Disk;
use serde::Serialize;

/// What the lines of a log add up to.
pub(crate) trait Fold: Default {
    /// Takes in a line; one that means nothing here is passed over.
    ///
    /// The last line may come twice: it is taken in before its line break is there, and again with it. So to take in
    /// a line twice in a row must be the same as once.
    fn fold(&mut self, line: &[u8], at: Span);
}

/// Where a line lies in its log, for what is too large to be kept in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u64,
    len: usize,
}

/// The log at a path, and what its lines add up to as far as it was read.
pub(crate) struct Log<S> {
    disk: Disk,
    path: PathBuf,
    seen: Mutex<Seen<S>>,
}

#[derive(Default)]
struct Seen<S> {
    stamp: Option<LogStamp>,
    offset: u64,
    state: S,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct LogStamp {
    ino: u64,
    len: u64,
}

/// The log held for writing: no other server appends to it while this lives.
pub(crate) struct Held<'a, S> {
    log: &'a Log<S>,
    file: File,
}

impl<S: Fold> Log<S> {
    /// Makes the log at `path`; nothing is opened before the first use.
    pub(crate) fn new(disk: Disk, path: PathBuf) -> Self {
        Self { disk, path, seen: Mutex::default() }
    }

    /// Returns where the log lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the state, after taking in what was appended since.
    ///
    /// A log that cannot be read is taken as it was last seen, and the cause is logged: what it holds adorns a
    /// thread, so a call goes on without it.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        let mut seen = self.lock();
        if let Err(error) = self.take_in(&mut seen) {
            tracing::warn!(path = %self.path.display(), %error, "cannot read the log");
        }
        look(&seen.state)
    }

    /// Reads a line again.
    pub(crate) fn line(&self, at: Span) -> io::Result<Vec<u8>> {
        let mut line = vec![0; at.len];
        File::open(&self.path)?.read_exact_at(&mut line, at.start)?;
        Ok(line)
    }

    /// Takes the log for writing; waits for other servers that are writing a line.
    pub(crate) fn hold(&self) -> io::Result<Held<'_, S>> {
        if let Some(folder) = self.path.parent() {
            self.disk.make_folder(folder)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        rollout::lock(&file, &self.path).map_err(io::Error::other)?;
        Ok(Held { log: self, file })
    }

    /// Tells whether there is a log.
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Removes the log; one that is gone already is no failure.
    pub(crate) fn remove(&self) -> io::Result<()> {
        self.disk.remove(&self.path)
    }

    fn lock(&self) -> MutexGuard<'_, Seen<S>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, seen: &mut Seen<S>) -> io::Result<()> {
        let now = match fs::metadata(&self.path) {
            Ok(meta) => LogStamp { ino: meta.ino(), len: meta.len() },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *seen = Seen::default();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if seen.stamp == Some(now) {
            return Ok(());
        }
        if seen.stamp.is_none_or(|then| then.ino != now.ino || now.len < seen.offset) {
            *seen = Seen::default();
        }
        let mut file = BufReader::new(File::open(&self.path)?);
        file.seek(SeekFrom::Start(seen.offset))?;
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 {
            seen.state.fold(line.trim_ascii(), Span { start: seen.offset, len: line.len() });
            if line.ends_with(b"\n") {
                seen.offset += line.len() as u64; // an unfinished line is read again when it has grown
            }
            line.clear();
        }
        seen.stamp = Some(now);
        Ok(())
    }
}

impl<S: Fold> Held<'_, S> {
    /// Looks at the state, which stays the latest while the log is held.
    ///
    /// Unlike [`Log::with`] it fails where the log cannot be read: what is decided on the state is about to be stored.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&S) -> R) -> io::Result<R> {
        let mut seen = self.log.lock();
        self.log.take_in(&mut seen)?;
        Ok(look(&seen.state))
    }

    /// Appends entries as whole lines, all or none; a torn line that a crash left is closed first.
    pub(crate) fn append(&mut self, entries: &[impl Serialize]) -> io::Result<()> {
        let meta = self.file.metadata()?;
        let len = meta.len();
        let mut lines = Vec::new();
        if !self.ends_with_line(len)? {
            lines.push(b'\n');
        }
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).inspect_err(|_| {
            // Nothing was acknowledged; where even this fails, the next append closes the torn line.
            drop(self.file.set_len(len));
        })?;
        let disk = &self.log.disk;
        disk.written(&self.file, &meta);
        if len == 0 {
            disk.named(&self.log.path);
        }
        Ok(())
    }

    fn ends_with_line(&self, len: u64) -> io::Result<bool> {
        let mut last = [b'\n'];
        if len > 0 {
            self.file.read_exact_at(&mut last, len - 1)?;
        }
        Ok(last == *b"\n")
    }
}

impl<S> Drop for Held<'_, S> {
    /// Lets the lock go: to close the file is not enough while the disk has it open too.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(path = %self.log.path.display(), %error, "the lock could not be let go");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::*;

    /// The latest value of each id, and where it lies.
    #[derive(Default)]
    struct Latest(HashMap<String, (String, Span)>);

    impl Fold for Latest {
        fn fold(&mut self, line: &[u8], at: Span) {
            let Ok(value) = serde_json::from_slice::<Value>(line) else { return };
            let text = |field: &str| value[field].as_str().unwrap().to_owned();
            self.0.insert(text("id"), (text("v"), at));
        }
    }

    fn log(folder: &Path) -> Log<Latest> {
        Log::new(Disk::default(), folder.join("sub/log.jsonl"))
    }

    fn put(log: &Log<Latest>, id: &str, value: &str) {
        log.hold().unwrap().append(&[json!({ "id": id, "v": value })]).unwrap();
    }

    fn get(log: &Log<Latest>, id: &str) -> Option<String> {
        log.with(|Latest(latest)| latest.get(id).map(|(value, _)| value.clone()))
    }

    #[test]
    fn the_latest_entry_wins_whoever_wrote_it() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, theirs) = (log(folder.path()), log(folder.path()));
        assert_eq!(get(&ours, "x"), None);
        put(&ours, "x", "a");
        put(&theirs, "x", "b");
        assert_eq!((get(&ours, "x"), get(&theirs, "x")), (Some("b".into()), Some("b".into())));
        let held = ours.hold().unwrap();
        assert_eq!(held.with(|Latest(latest)| latest.len()).unwrap(), 1);
    }

    #[test]
    fn damage_costs_its_line_and_is_never_glued_to() {
        let folder = tempfile::tempdir().unwrap();
        let ours = log(folder.path());
        put(&ours, "x", "a");
        let mut file = OpenOptions::new().append(true).open(&ours.path).unwrap();
        file.write_all(b"{\"id\":\"torn").unwrap();
        assert_eq!(get(&ours, "x"), Some("a".into()));
        put(&ours, "y", "b");
        assert_eq!((get(&ours, "x"), get(&ours, "y")), (Some("a".into()), Some("b".into())));
        assert_eq!(get(&log(folder.path()), "y"), Some("b".into()));
    }

    #[test]
    fn a_log_that_was_replaced_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let ours = log(folder.path());
        put(&ours, "x", "a");
        assert_eq!(get(&ours, "x"), Some("a".into()));
        fs::remove_file(&ours.path).unwrap();
        assert_eq!(get(&ours, "x"), None);
        put(&ours, "x", "c");
        assert_eq!(get(&ours, "x"), Some("c".into()));
    }

    #[test]
    fn a_line_is_found_again_where_it_was_taken_in() {
        let folder = tempfile::tempdir().unwrap();
        let ours = log(folder.path());
        let entries = [("x", "a"), ("y", "ü"), ("x", "c")].map(|(id, v)| json!({ "id": id, "v": v }));
        ours.hold().unwrap().append(&entries).unwrap();
        for (id, entry) in [("x", &entries[2]), ("y", &entries[1])] {
            let at = ours.with(|Latest(latest)| latest[id].1);
            assert_eq!(serde_json::from_slice::<Value>(&ours.line(at).unwrap()).unwrap(), *entry);
        }
    }
}
