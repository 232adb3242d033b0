//! Files that take their name when they are whole, so that a crash leaves no half thread.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{Disk, RolloutError, Writer, append, form::Form};

/// What such a file's name ends with; no rollout's does.
const SUFFIX: &str = ".unfinished";

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
        Ok(Self { path, file, disk: disk.clone(), finished: false })
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
