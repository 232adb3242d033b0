//! Files that take their name when they are whole, so that a crash leaves no half thread.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{Disk, Home, RolloutError, Writer, append, form::Form, locate};

/// What such a file's name ends with; no rollout's does.
const SUFFIX: &str = ".unfinished";

/// How long nobody has written to a file that a crash left behind. Who writes one has it locked as well, but for the
/// moment between making and locking it.
const LEFT_FOR: Duration = Duration::from_secs(60);

/// A file that does not have its name yet; it goes if it never gets it.
pub(crate) struct Unfinished {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    disk: Disk,
    finished: bool,
}

impl Unfinished {
    /// Makes a file in the folder of the path, under a name that is no rollout's.
    pub(crate) fn beside(disk: &Disk, path: &Path) -> Result<Self, RolloutError> {
        if let Some(folder) = path.parent() {
            disk.make_folder(folder).map_err(RolloutError::io("make", folder))?;
        }
        if fs::exists(path).map_err(RolloutError::io("look for", path))? {
            return Err(RolloutError::io("make", path)(io::ErrorKind::AlreadyExists.into()));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(SUFFIX);
        let path = PathBuf::from(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(RolloutError::io("make", &path))?;
        let unfinished = Self { path, file, disk: disk.clone(), finished: false };
        // Let go when the file is closed.
        unfinished
            .file
            .try_lock()
            .map_err(|error| RolloutError::io("lock", &unfinished.path)(error.into()))?;
        Ok(unfinished)
    }

    /// Gives the file its name; the writer goes on in this form.
    pub(crate) fn finish(mut self, path: &Path, form: Form) -> Result<Writer, RolloutError> {
        let file = append::open(&self.path)?;
        let meta = file.metadata().map_err(RolloutError::io("look at", &self.path))?;
        fs::rename(&self.path, path).map_err(RolloutError::io("make", path))?;
        self.finished = true;
        self.disk.written(&file, &meta);
        self.disk.named(path);
        Ok(Writer::of_new(self.disk.clone(), path, file, form, meta.len()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a file that was not finished stays behind");
        }
    }
}

/// Removes what crashes left: files that never got their name, and that nobody writes any more.
///
/// `go_on` is asked between two folders.
pub fn sweep(home: &Home, go_on: impl Fn() -> bool) -> io::Result<()> {
    for folder in locate::day_folders(home)?.into_iter().take_while(|_| go_on()) {
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.file_name().as_encoded_bytes().ends_with(SUFFIX.as_bytes())
                && let Err(error) = remove_left(&entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "a file that was not finished stays behind");
            }
        }
    }
    Ok(())
}

fn remove_left(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    let modified = file.metadata()?.modified()?;
    let is_left = SystemTime::now().duration_since(modified).is_ok_and(|age| age > LEFT_FOR);
    match is_left && file.try_lock().is_ok() {
        true => fs::remove_file(path),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let day = home.sessions().join("2025/01/05");
        fs::create_dir_all(&day).unwrap();
        let make = |name: &str, age: u64| {
            let file = File::create(day.join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            file
        };
        make("left.unfinished", 3600);
        make("fresh.unfinished", 0);
        make("rollout.jsonl", 3600);
        let written = make("written.unfinished", 3600);
        written.lock().unwrap();
        sweep(&home, || true).unwrap();
        let mut left: Vec<_> = fs::read_dir(&day)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["fresh.unfinished", "rollout.jsonl", "written.unfinished"]);
    }
}
