//! Telling whether the database is as its users left it.
//!
//! SQLite keeps no checksums: a page that somebody else changed answers wrongly more often than not, and says nothing. But
//! the file changes only when pages of the log are written back to it, so whoever does that notes how the file was
//! afterwards, beside it, for all servers. A file that is otherwise was changed by somebody else.
//!
//! Invariant: a state of the file is noted only by who wrote to it while it was as noted. Without a note the file counts
//! as it is: an earlier version of the program left none.
//! Not here: what a disk changed without a trace.

use std::{
    fs::{self, TryLockError},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use rollout::Stamp;
use tokio::time::{Duration, Instant};

use crate::{index::lock, open::suffixed};

/// How long a file may be otherwise than noted before it counts as changed by somebody else. Between the last page that
/// a server writes back and its note lies one wait for the disk.
pub(crate) const SUSPECT_FOR: Duration = Duration::from_secs(2);

/// How often the lock of the note is tried, which is held for microseconds, and how long to wait in between.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// How a file was: its length, and when it was written to.
type Noted = (u64, i64);

/// What is known of the database's file.
#[derive(Debug)]
pub(crate) struct Trust {
    database: PathBuf,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// How we know the file to have been in order.
    good: Option<Noted>,
    /// How it is otherwise, and since when.
    suspect: Option<(Noted, Instant)>,
    /// Whether it was in order when the transaction began that runs.
    writing: bool,
}

/// Whether the database may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trusted {
    Yes,
    /// It may be that another server is about to note what it wrote.
    NotYet,
    No,
}

impl Trust {
    pub(crate) fn new(database: &Path) -> Self {
        Self { database: database.to_owned(), seen: Mutex::default() }
    }

    /// Tells whether the file is as it was noted.
    pub(crate) fn now(&self, now: Instant) -> Trusted {
        let Some(found) = self.found() else { return Trusted::Yes }; // one that is gone is another matter
        let seen = &mut *lock(&self.seen);
        if self.is_good(seen, found) {
            return Trusted::Yes;
        }
        match seen.suspect {
            Some((then, since)) if then == found && now >= since + SUSPECT_FOR => Trusted::No,
            Some((then, _)) if then == found => Trusted::NotYet,
            _ => {
                seen.suspect = Some((found, now));
                Trusted::NotYet
            }
        }
    }

    /// Takes the file for good as it is, whatever was noted: it was just made, or nobody reads it yet.
    pub(crate) fn accept(&self) {
        self.note(&mut lock(&self.seen));
    }

    /// Takes in that the file is about to be written to.
    pub(crate) fn before_write(&self) {
        let found = self.found();
        let seen = &mut *lock(&self.seen);
        seen.writing = found.is_some_and(|found| self.is_good(seen, found));
    }

    /// Takes in that it was, and notes how it is now.
    pub(crate) fn after_write(&self) {
        let seen = &mut *lock(&self.seen);
        if seen.writing && self.found() != seen.good {
            self.note(seen);
        }
    }

    fn is_good(&self, seen: &mut Seen, found: Noted) -> bool {
        if seen.good != Some(found) {
            match self.noted() {
                Some(noted) if noted != found => return false,
                Some(_) => seen.good = Some(found),
                None => self.note(seen),
            }
        }
        seen.suspect = None;
        true
    }

    /// Notes how the file is, for other servers too.
    ///
    /// Where that fails they build the database anew for nothing, no more.
    fn note(&self, seen: &mut Seen) {
        let written = self.write_note().inspect_err(|error| {
            tracing::debug!(path = %self.path().display(), %error, "the state of the index cannot be noted");
        });
        (seen.good, seen.suspect) = (written.ok().or_else(|| self.found()), None);
    }

    fn found(&self) -> Option<Noted> {
        let meta = fs::metadata(&self.database).ok()?;
        Some((meta.len(), Stamp::of(&meta).mtime_ns))
    }

    /// Reads the note; one that cannot be read is none.
    fn noted(&self) -> Option<Noted> {
        let text = fs::read_to_string(self.path()).ok()?;
        let (len, mtime_ns) = text.trim_end().split_once(' ')?;
        Some((len.parse().ok()?, mtime_ns.parse().ok()?))
    }

    /// Writes the note, in one piece and of one length. Who holds its lock looks at the file and notes that, so that of two
    /// servers the later one notes the later state.
    fn write_note(&self) -> io::Result<Noted> {
        let note = self.path();
        let file = fs::File::options().write(true).create(true).truncate(false).mode(0o600).open(&note)?;
        for _ in 1..TRIES {
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
                _ => break,
            }
        }
        file.try_lock()?;
        let noted = self.found().ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(format!("{:020} {:020}\n", noted.0, noted.1).as_bytes(), 0)?;
        Ok(noted)
    }

    fn path(&self) -> PathBuf {
        suffixed(&self.database, "-noted")
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::{reconcile, testing::TestHome};

    #[test]
    fn only_who_wrote_to_a_file_in_order_says_that_it_still_is() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.sqlite");
        fs::write(&database, "1").unwrap();
        let (one, other) = (Trust::new(&database), Trust::new(&database));
        let now = Instant::now();
        assert_eq!((one.now(now), other.now(now)), (Trusted::Yes, Trusted::Yes), "without a note");
        one.before_write();
        fs::write(&database, "12").unwrap();
        assert_eq!(other.now(now), Trusted::NotYet);
        one.after_write();
        assert_eq!((one.now(now), other.now(now)), (Trusted::Yes, Trusted::Yes));
        fs::write(&database, "123").unwrap();
        one.before_write();
        fs::write(&database, "1234").unwrap();
        one.after_write();
        let later = now + SUSPECT_FOR;
        assert_eq!((one.now(now), one.now(later)), (Trusted::NotYet, Trusted::No));
        assert_eq!((other.now(later), Trust::new(&database).now(now)), (Trusted::NotYet, Trusted::NotYet));
        fs::write(&database, "12345").unwrap();
        assert_eq!(one.now(later), Trusted::NotYet, "it changes still");
        one.accept();
        assert_eq!((one.now(later), other.now(later)), (Trusted::Yes, Trusted::Yes));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn what_one_server_writes_back_from_the_log_no_other_suspects() {
        let home = TestHome::new();
        home.write(1, &"x".repeat(20 << 20));
        let (one, other) = (home.open().await, home.open().await);
        let before = one.trust.found();
        assert_eq!(other.trust.now(Instant::now()), Trusted::Yes);
        reconcile::sweep(&one, |_| {}).await.unwrap();
        one.mark_complete().await.unwrap();
        assert_ne!(one.trust.found(), before, "the log was long enough to be written back");
        let runtimes = [one, other, home.open().await];
        for runtime in &runtimes {
            assert_eq!(runtime.trust.now(Instant::now()), Trusted::Yes);
        }
        // One that is dropped instead may write the log back as the last one, and nobody notes it.
        for runtime in runtimes {
            runtime.close().await;
        }
        assert_eq!(home.open().await.trust.now(Instant::now()), Trusted::Yes);
    }
}
