//! Writes what was planned, all or nothing.
//!
//! Each file is written beside its place and renamed, so that nobody sees half of one. Files are written before others
//! are removed, unless they need their place, so that a crash in between loses none. What fails is taken back, as well
//! as that can be: an undone file has its content, mode and owner again, but is not the same inode.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, symlink};
use std::path::{Path, PathBuf};

use crate::PatchError;
use crate::disk::{Found, landing, on_disk};
use crate::plan::{After, Plan, Planned};

/// The mode of a new file and what its creator's mask leaves of it, as every program makes one.
const NEW_FILE_MODE: u32 = 0o666;

/// The mode of a file that is yet to get that of another, which may be a secret.
const UNFINISHED_MODE: u32 = 0o600;

impl Plan {
    /// Carries the plan out.
    ///
    /// Refuses with [`PatchError::Changed`] when a file is not as it was when the plan was made: a person may have
    /// edited it while another was asked. Links are written through, and a deleted link leaves its target alone. A new
    /// file gets its folders; a file that moves keeps its mode.
    ///
    /// Nothing is changed but where the plan led when [`Plan::landings`] was asked: a program may put a link in the place
    /// of a folder meanwhile.
    pub fn apply(&self, landings: &[PathBuf]) -> Result<(), PatchError> {
        let mut steps = Vec::new();
        for file in &self.files {
            steps.extend(Step::prepare(file)?);
        }
        // A file makes room before others are written below its name; else what goes, goes last.
        let written: Vec<_> = steps.iter().filter(|step| step.is_write()).map(|step| step.path).collect();
        let order = |step: &Step<'_>| match step.action {
            Action::Write { .. } => 1,
            Action::Remove { .. } if written.iter().any(|path| path.starts_with(step.path)) => 0,
            Action::Remove { .. } => 2,
        };
        steps.sort_by_key(order);

        let mut done = Vec::new();
        for step in steps {
            let path = step.path;
            if let Err((step, source)) = step.run(landings, &mut done) {
                let left = put_back(landings, done);
                return Err(PatchError::Apply { step, path: path.to_owned(), source, left });
            }
        }
        Ok(())
    }
}

/// What is to be done at one path.
struct Step<'a> {
    path: &'a Path,
    action: Action<'a>,
}

enum Action<'a> {
    /// Write it, with the mode and owner of the file that it was.
    Write {
        text: &'a str,
        like: Option<Metadata>,
        before: Option<Before<'a>>,
    },
    Remove {
        before: Before<'a>,
    },
}

/// A file that is to be put back if a later step fails.
struct Before<'a> {
    bytes: &'a [u8],
    metadata: Metadata,
}

/// What was done, with what it takes to undo it.
enum Done<'a> {
    MadeFolder(PathBuf),
    MadeFile(PathBuf),
    /// A file was written over, or removed.
    Replaced(PathBuf, Before<'a>),
    RemovedLink {
        path: &'a Path,
        target: PathBuf,
    },
}

impl<'a> Step<'a> {
    /// Checks that the file is as it was when the plan was made.
    fn prepare(file: &'a Planned) -> Result<Option<Self>, PatchError> {
        let path = file.path.as_path();
        if file.after == After::AsBefore {
            return Ok(None);
        }
        let before = match (on_disk(path).map_err(PatchError::unreadable(path))?, &file.before) {
            (Found::Nothing, None) => None,
            (Found::File(now), Some(before)) if now.bytes == before.bytes => {
                Some(Before { bytes: &before.bytes, metadata: metadata(path)? })
            }
            _ => return Err(PatchError::Changed(path.to_owned())),
        };
        let action = match (&file.after, before) {
            (After::AsBefore, _) | (After::Gone, None) => return Ok(None),
            (After::Gone, Some(before)) => Action::Remove { before },
            (After::Added(text), before) => {
                let like = before.as_ref().map(|before| before.metadata.clone());
                Action::Write { text, like, before }
            }
            (After::Edited { from, text }, before) => {
                Action::Write { text, like: Some(metadata(from)?), before }
            }
        };
        Ok(Some(Self { path, action }))
    }

    fn is_write(&self) -> bool {
        matches!(self.action, Action::Write { .. })
    }

    /// Carries the step out; when that fails, says what was being done.
    fn run(self, landings: &[PathBuf], done: &mut Vec<Done<'a>>) -> Result<(), (&'static str, io::Error)> {
        match self.action {
            Action::Write { text, like, before } => {
                let path = landing(self.path).map_err(|error| ("follow the link", error))?;
                make_folders_of(&path, landings, done).map_err(|error| ("make the folder of", error))?;
                let written = in_place(&path, landings, |at| {
                    require_same(at, before.as_ref())?;
                    if before.is_some() {
                        // A rename would not mind that the file itself must not be written.
                        OpenOptions::new().write(true).open(at)?;
                    }
                    write(at, text.as_bytes(), like.as_ref())
                });
                written.map_err(|error| ("write", error))?;
                done.push(match before {
                    Some(before) => Done::Replaced(path, before),
                    None => Done::MadeFile(path),
                });
            }
            Action::Remove { before } => {
                let removed = in_place(self.path, landings, |at| {
                    let link = fs::read_link(at).ok();
                    if link.is_none() {
                        require_same(at, Some(&before))?;
                    }
                    fs::remove_file(at)?;
                    Ok(link)
                });
                let link = removed.map_err(|error| ("remove", error))?;
                done.push(match link {
                    Some(target) => Done::RemovedLink { path: self.path, target },
                    None => Done::Replaced(self.path.to_owned(), before),
                });
            }
        }
        Ok(())
    }
}

fn metadata(path: &Path) -> Result<Metadata, PatchError> {
    fs::metadata(path).map_err(PatchError::unreadable(path))
}

/// Fails when a path is no longer what it was, which the patch itself may have done: links give a file several names.
fn require_same(path: &Path, before: Option<&Before<'_>>) -> io::Result<()> {
    let id = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let was = before.map(|before| id(&before.metadata));
    let now = match fs::metadata(path) {
        Ok(metadata) => Some(id(&metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match was == now {
        true => Ok(()),
        false => Err(io::Error::other("it is not what it was: the patch or another program has changed it")),
    }
}

/// Does something to a file by a path that leads to it whatever becomes of the folders on the way: the folder is held
/// open, and has to be the one that it was when it was looked at.
fn in_place<T>(
    path: &Path,
    landings: &[PathBuf],
    work: impl FnOnce(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    let held = File::open(folder)?;
    let (open, real) = opened(&held, folder)?;
    let (at, real) = (open.join(name), real.join(name));
    if !landings.iter().any(|landing| landing.starts_with(&real)) {
        let message = format!("it would be {} by now", real.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    work(&at)
}

/// Returns a path to an open folder that no link can change, and where the folder is.
fn opened(folder: &File, path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    match cfg!(target_os = "linux") {
        true => {
            let open = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
            let real = fs::read_link(&open)?;
            Ok((open, real))
        }
        // Elsewhere there is no sandbox that a program could reach out of in this way.
        false => Ok((path.to_owned(), fs::canonicalize(path)?)),
    }
}

fn make_folders_of(path: &Path, landings: &[PathBuf], done: &mut Vec<Done<'_>>) -> io::Result<()> {
    let missing = path.ancestors().skip(1).take_while(|folder| !folder.exists());
    for folder in missing.collect::<Vec<_>>().into_iter().rev() {
        in_place(folder, landings, |at| fs::create_dir(at))?;
        done.push(Done::MadeFolder(folder.to_owned()));
    }
    Ok(())
}

/// Writes a whole file in place of what may be there.
fn write(path: &Path, bytes: &[u8], like: Option<&Metadata>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mode = if like.is_some() { UNFINISHED_MODE } else { NEW_FILE_MODE };
    let mut new = tempfile::Builder::new();
    let new = new.prefix(".patch-").permissions(Permissions::from_mode(mode));
    let mut file = new.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(like) = like {
        let now = file.as_file().metadata()?;
        if (now.uid(), now.gid()) != (like.uid(), like.gid()) {
            // Only root may give a file away; others own what they write.
            let _ = fchown(file.as_file(), Some(like.uid()), Some(like.gid()));
        }
        file.as_file().set_permissions(like.permissions())?;
    }
    // A rename may reach the disk before the content does, and a power cut then leaves an empty file.
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

/// Undoes the last first, and returns what it could not undo.
fn put_back(landings: &[PathBuf], done: Vec<Done<'_>>) -> Vec<PathBuf> {
    let mut left = Vec::new();
    for done in done.into_iter().rev() {
        let (path, undone) = match done {
            Done::MadeFolder(path) => {
                let undone = in_place(&path, landings, |at| fs::remove_dir(at));
                (path, undone)
            }
            Done::MadeFile(path) => {
                let undone = in_place(&path, landings, |at| fs::remove_file(at));
                (path, undone)
            }
            Done::Replaced(path, Before { bytes, metadata }) => {
                let undone = in_place(&path, landings, |at| write(at, bytes, Some(&metadata)));
                (path, undone)
            }
            Done::RemovedLink { path, target } => {
                (path.to_owned(), in_place(path, landings, |at| symlink(target, at)))
            }
        };
        if undone.is_err() {
            left.push(path);
        }
    }
    left
}

#[cfg(test)]
mod tests;
