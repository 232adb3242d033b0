//! Which rollouts changed, as the kernel tells it.
//!
//! Invariant: a change that was complete when [`Watcher::drain`] is called is noted by it, or it answers [`Lost`]. The
//! kernel queues an event within the call that makes the change, so there is nothing to wait for.
//! Not here: changes that another machine makes on a shared disk; no kernel tells of those.

#[cfg(target_os = "linux")]
pub(crate) use linux::Watcher;
#[cfg(not(target_os = "linux"))]
pub(crate) use none::Watcher;

/// Events were lost, or folders were moved: whoever wants to know must watch anew, and look at every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::HashMap,
        ffi::OsStr,
        fs, io,
        mem::MaybeUninit,
        os::{fd::OwnedFd, unix::ffi::OsStrExt},
        path::{Path, PathBuf},
    };

    use rollout::{Home, RolloutName};
    use rustix::{
        fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags},
        io::Errno,
    };

    use super::Lost;

    /// Room for about fifty events with names of rollouts.
    const BUFFER: usize = 4096;

    /// How many folders lie between `sessions` and a rollout: year, month, day.
    const DAY: u8 = 3;

    /// The home, the folders of active rollouts down to the days, and the folder of archived ones, watched.
    #[derive(Debug)]
    pub(crate) struct Watcher {
        queue: OwnedFd,
        folders: HashMap<i32, Folder>,
    }

    #[derive(Clone, Debug)]
    struct Folder {
        path: PathBuf,
        level: Level,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Level {
        Home,
        /// `sessions` is 0.
        Sessions(u8),
        Archived,
    }

    impl Watcher {
        /// Watches what is there now.
        pub(crate) fn new(home: &Home) -> io::Result<Self> {
            let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let mut watcher = Self { queue, folders: HashMap::new() };
            watcher.watch(home.root().to_owned(), Level::Home)?;
            let mut ignore = |_: PathBuf| {};
            for (path, level) in [(home.sessions(), Level::Sessions(0)), (home.archived(), Level::Archived)] {
                match watcher.watch_below(path, level, &mut ignore) {
                    // The home is watched, and tells when they are made.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    result => result?,
                }
            }
            Ok(watcher)
        }

        /// Notes the path of each rollout that was made, changed, moved or removed since the last time.
        pub(crate) fn drain(&mut self, note: &mut dyn FnMut(PathBuf)) -> Result<(), Lost> {
            let mut appeared = Vec::new();
            let mut buffer = [MaybeUninit::uninit(); BUFFER];
            let mut events = Reader::new(&self.queue, &mut buffer);
            loop {
                let event = match events.next() {
                    Ok(event) => event,
                    Err(Errno::AGAIN) => break,
                    Err(Errno::INTR) => continue,
                    Err(_) => return Err(Lost),
                };
                let what = event.events();
                if what.intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::UNMOUNT) {
                    return Err(Lost);
                }
                if what.contains(ReadFlags::IGNORED) {
                    self.folders.remove(&event.wd()); // it was removed, and each file in it told so before
                    continue;
                }
                let Some(folder) = self.folders.get(&event.wd()) else { continue };
                let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                match folder.meaning(what, name) {
                    Meaning::Nothing => {}
                    Meaning::Rollout(path) => note(path),
                    Meaning::NewFolder(path, level) => appeared.push((path, level)),
                    Meaning::Lost => return Err(Lost),
                }
            }
            for (path, level) in appeared {
                match self.watch_below(path, level, note) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {} // and gone again
                    result => result.map_err(|_| Lost)?,
                }
            }
            Ok(())
        }

        /// Watches a folder and those below it, and notes the rollouts that are in them by then.
        fn watch_below(
            &mut self,
            path: PathBuf,
            level: Level,
            note: &mut dyn FnMut(PathBuf),
        ) -> io::Result<()> {
            self.watch(path.clone(), level)?; // before it is listed: nothing falls between
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                match level.below() {
                    Some(level) if entry.file_type()?.is_dir() => {
                        self.watch_below(entry.path(), level, note)?
                    }
                    Some(_) => {}
                    None if is_rollout(&entry.file_name()) => note(entry.path()),
                    None => {}
                }
            }
            Ok(())
        }

        fn watch(&mut self, path: PathBuf, level: Level) -> io::Result<()> {
            let structure = WatchFlags::CREATE
                | WatchFlags::MOVE
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            let wanted = match level.below() {
                None => structure | WatchFlags::MODIFY | WatchFlags::ATTRIB,
                Some(_) => structure,
            };
            let watch = inotify::add_watch(&self.queue, &path, wanted)?;
            self.folders.insert(watch, Folder { path, level });
            Ok(())
        }
    }

    impl Level {
        /// Returns the level of folders below, or `None` where the rollouts are.
        fn below(self) -> Option<Self> {
            match self {
                Self::Home => Some(Self::Sessions(0)),
                Self::Sessions(DAY) | Self::Archived => None,
                Self::Sessions(level) => Some(Self::Sessions(level + 1)),
            }
        }
    }

    enum Meaning {
        Nothing,
        Rollout(PathBuf),
        NewFolder(PathBuf, Level),
        Lost,
    }

    impl Folder {
        fn meaning(&self, what: ReadFlags, name: Option<&OsStr>) -> Meaning {
            let Some(name) = name else {
                // Of the folder itself. One that was removed was empty; one that was moved took its files along.
                let gone = what.contains(ReadFlags::DELETE_SELF) && self.level == Level::Home;
                return if gone || what.contains(ReadFlags::MOVE_SELF) {
                    Meaning::Lost
                } else {
                    Meaning::Nothing
                };
            };
            let path = self.path.join(name);
            match (self.level, self.level.below()) {
                (Level::Home, _) if name == "sessions" || name == "archived_sessions" => Meaning::Lost,
                (Level::Home, _) => Meaning::Nothing,
                (_, None) if is_rollout(name) => Meaning::Rollout(path),
                (_, None) => Meaning::Nothing,
                (_, Some(level)) if what.contains(ReadFlags::ISDIR) => {
                    match what.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO) {
                        true => Meaning::NewFolder(path, level),
                        false if what.contains(ReadFlags::MOVED_FROM) => Meaning::Lost,
                        false => Meaning::Nothing,
                    }
                }
                (_, Some(_)) => Meaning::Nothing,
            }
        }
    }

    fn is_rollout(name: &OsStr) -> bool {
        Path::new(name).to_str().and_then(RolloutName::parse).is_some()
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::{convert::Infallible, io, path::PathBuf};

    use rollout::Home;

    use super::Lost;

    /// No kernel here tells before a read returns: there is never one of these, and every answer follows a sweep.
    #[derive(Debug)]
    pub(crate) struct Watcher(Infallible);

    impl Watcher {
        pub(crate) fn new(_: &Home) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn drain(&mut self, _: &mut dyn FnMut(PathBuf)) -> Result<(), Lost> {
            match self.0 {}
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use pretty_assertions::assert_eq;
    use rollout::Home;

    use super::{Lost, Watcher};

    const NAME: &str = "rollout-2026-01-02T10-00-00-67e55044-10b1-426f-9247-bb680e5fe0c8.jsonl";

    type Do<'a> = &'a dyn Fn();

    fn home() -> (tempfile::TempDir, Home, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let day = home.sessions().join("2026/01/02");
        fs::create_dir_all(&day).unwrap();
        fs::create_dir_all(home.archived()).unwrap();
        (folder, home, day)
    }

    fn drained(watcher: &mut Watcher) -> Result<Vec<PathBuf>, Lost> {
        let mut noted = Vec::new();
        watcher.drain(&mut |path| noted.push(path))?;
        noted.sort();
        noted.dedup();
        Ok(noted)
    }

    #[test]
    fn a_change_is_noted_once_it_is_complete() {
        let (_folder, home, day) = home();
        let (path, archived) = (day.join(NAME), home.archived().join(NAME));
        let mut watcher = Watcher::new(&home).unwrap();
        assert_eq!(drained(&mut watcher), Ok(vec![]));
        let touch = |path: &Path| {
            let file = fs::File::options().append(true).open(path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        };
        let changes: [(&str, Do<'_>, Vec<&PathBuf>); 7] = [
            ("made", &|| fs::write(&path, "").unwrap(), vec![&path]),
            ("written", &|| fs::write(&path, "x").unwrap(), vec![&path]),
            ("touched", &|| touch(&path), vec![&path]),
            ("read", &|| drop(fs::read(&path).unwrap()), vec![]),
            ("moved", &|| fs::rename(&path, &archived).unwrap(), vec![&archived, &path]),
            ("removed", &|| fs::remove_file(&archived).unwrap(), vec![&archived]),
            ("another file", &|| fs::write(day.join("notes.txt"), "x").unwrap(), vec![]),
        ];
        for (what, change, expected) in changes {
            change();
            assert_eq!(drained(&mut watcher), Ok(expected.into_iter().cloned().collect()), "{what}");
        }
    }

    #[test]
    fn rollouts_in_folders_that_appear_are_noted() {
        let (_folder, home, day) = home();
        let mut watcher = Watcher::new(&home).unwrap();
        let next = home.sessions().join("2027/03/04");
        fs::create_dir_all(&next).unwrap();
        fs::write(next.join(NAME), "x").unwrap();
        assert_eq!(drained(&mut watcher), Ok(vec![next.join(NAME)]));
        fs::write(next.join(NAME), "y").unwrap();
        assert_eq!(drained(&mut watcher), Ok(vec![next.join(NAME)]));
        fs::remove_dir_all(home.sessions().join("2027")).unwrap();
        assert_eq!(drained(&mut watcher), Ok(vec![next.join(NAME)]));
        fs::write(day.join(NAME), "x").unwrap();
        assert_eq!(drained(&mut watcher), Ok(vec![day.join(NAME)]));
    }

    #[test]
    fn moved_folders_are_a_loss() {
        for moved in ["sessions", "sessions/2026", "sessions/2026/01/02", "archived_sessions"] {
            let (_folder, home, _day) = home();
            let mut watcher = Watcher::new(&home).unwrap();
            fs::rename(home.root().join(moved), home.root().join("elsewhere")).unwrap();
            assert_eq!(drained(&mut watcher), Err(Lost), "{moved}");
        }
    }
}
