//! What is known of how far the rows are behind the files.
//!
//! Invariant: when [`Freshness::is_current`] says so, every change of a rollout that was complete before the call is in
//! the database. It can say so only while the kernel tells of changes, and after one look at every file since.

use std::collections::{HashMap, HashSet};

use rollout::Home;
use tokio::time::{Duration, Instant};

use crate::{
    reconcile::Unread,
    row::FileKey,
    watch::{Lost, Watcher},
};

/// Beyond this many changed files a look at all of them is as quick, and takes less room.
const MAX_DIRTY: usize = 20_000;

/// How long after a failure watching is tried again; what it lacked is mostly held by other programs.
const WATCH_AGAIN: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(crate) struct Freshness {
    watch: Watch,
    /// Whether every file was looked at since the watch began.
    swept: bool,
    /// Counts what makes an earlier look at every file worthless.
    losses: u64,
    /// Files to look at, with a number that grows when one changes again.
    dirty: HashMap<FileKey, u64>,
    changes: u64,
    rounds: u64,
}

#[derive(Debug, Default)]
enum Watch {
    #[default]
    Unset,
    On(Watcher),
    /// It failed; every answer follows a look at every file.
    Off(Instant),
}

/// What a round of reconciling has to do.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) number: u64,
    pub(crate) sweep: bool,
    pub(crate) dirty: Vec<(FileKey, u64)>,
}

/// A point in time that a look at every file began at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SweepBegun(u64);

impl Freshness {
    /// Takes in what changed, and tells whether nothing did.
    pub(crate) fn is_current(&mut self, home: &Home) -> bool {
        self.take_in(home);
        self.swept && matches!(self.watch, Watch::On(_)) && self.dirty.is_empty()
    }

    /// Returns the number of the first round that will see everything up to now.
    pub(crate) fn next_round(&self) -> u64 {
        self.rounds + 1
    }

    pub(crate) fn begin_round(&mut self, home: &Home) -> Round {
        self.take_in(home);
        self.rounds += 1;
        Round {
            number: self.rounds,
            sweep: !self.swept || !matches!(self.watch, Watch::On(_)),
            dirty: self.dirty.iter().map(|(key, change)| (key.clone(), *change)).collect(),
        }
    }

    /// Strikes out files that were brought along, but for those that changed again meanwhile or could not be read.
    pub(crate) fn settled(&mut self, files: &[(FileKey, u64)], unread: &[FileKey]) {
        let unread: HashSet<_> = unread.iter().collect();
        for (key, change) in files {
            if self.dirty.get(key) == Some(change) && !unread.contains(key) {
                self.dirty.remove(key);
            }
        }
    }

    /// Notes a change that the kernel tells of as well where it can.
    pub(crate) fn hint(&mut self, key: FileKey) {
        if !matches!(self.watch, Watch::On(_)) {
            self.note(key);
        }
    }

    fn note(&mut self, key: FileKey) {
        self.changes += 1;
        self.dirty.insert(key, self.changes);
        if self.dirty.len() > MAX_DIRTY {
            self.lose();
        }
    }

    /// Tells whether a watch should be set up before the next look at every file.
    pub(crate) fn wants_watch(&self) -> bool {
        match self.watch {
            Watch::Unset => true,
            Watch::On(_) => false,
            Watch::Off(since) => since.elapsed() > WATCH_AGAIN,
        }
    }

    pub(crate) fn watch(&mut self, watcher: std::io::Result<Watcher>) {
        self.lose();
        self.watch = watcher.map_or_else(|_| Watch::Off(Instant::now()), Watch::On);
    }

    pub(crate) fn sweep_begins(&self) -> SweepBegun {
        SweepBegun(self.losses)
    }

    /// Notes that every file was looked at, but for those that could not be: they are looked at again.
    pub(crate) fn sweep_ended(&mut self, begun: SweepBegun, unread: Unread) {
        let Unread { files, folders } = unread;
        self.swept = self.swept || begun.0 == self.losses && !folders;
        files.into_iter().for_each(|key| self.note(key));
    }

    /// Forgets that files were looked at: the rows are others now, or changes went by unseen.
    pub(crate) fn lose(&mut self) {
        self.losses += 1;
        self.swept = false;
        self.dirty.clear();
    }

    fn take_in(&mut self, home: &Home) {
        let Watch::On(watcher) = &mut self.watch else { return };
        let mut changed = Vec::new();
        let told = watcher.drain(&mut |path| changed.extend(FileKey::of(home, &path)));
        if told == Err(Lost) {
            self.watch = Watch::Unset;
            self.lose();
            return;
        }
        for key in changed {
            self.note(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> FileKey {
        FileKey { folder: "sessions/2026/01/02".into(), name: name.into() }
    }

    #[test]
    fn a_file_that_changes_during_a_round_stays_to_be_looked_at() {
        let (mut fresh, home) = (Freshness::default(), Home::new("/nowhere".into()));
        fresh.note(key("a"));
        fresh.note(key("b"));
        let round = fresh.begin_round(&home);
        fresh.note(key("a"));
        fresh.settled(&round.dirty, &[]);
        let left: Vec<_> = fresh.begin_round(&home).dirty.into_iter().map(|(key, _)| key).collect();
        assert_eq!(left, [key("a")]);
    }

    #[test]
    fn what_could_not_be_read_stays_to_be_looked_at() {
        let (mut fresh, home) = (Freshness::default(), Home::new("/nowhere".into()));
        let begun = fresh.sweep_begins();
        fresh.sweep_ended(begun, Unread { files: vec![key("a"), key("b")], folders: false });
        let round = fresh.begin_round(&home);
        fresh.settled(&round.dirty, &[key("b")]);
        let left: Vec<_> = fresh.begin_round(&home).dirty.into_iter().map(|(key, _)| key).collect();
        assert_eq!((fresh.swept, left), (true, vec![key("b")]));
        let (mut fresh, begun) = (Freshness::default(), fresh.sweep_begins());
        fresh.sweep_ended(begun, Unread { files: Vec::new(), folders: true });
        assert!(!fresh.swept);
    }

    #[test]
    fn a_loss_during_a_sweep_spoils_it() {
        for (lost, swept) in [(false, true), (true, false)] {
            let mut fresh = Freshness::default();
            let begun = fresh.sweep_begins();
            if lost {
                fresh.lose();
            }
            fresh.sweep_ended(begun, Unread::default());
            assert_eq!(fresh.swept, swept);
        }
    }

    #[test]
    fn too_many_changes_are_a_loss() {
        let mut fresh = Freshness::default();
        let begun = fresh.sweep_begins();
        fresh.sweep_ended(begun, Unread::default());
        for number in 0..=MAX_DIRTY {
            fresh.note(key(&number.to_string()));
        }
        assert!(!fresh.swept && fresh.dirty.is_empty());
    }
}
