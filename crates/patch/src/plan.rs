//! What a patch does to the files that are there: nothing is written yet.

use std::borrow::Cow;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::disk::{self, Content, Found};
use crate::fit::{Unfit, fit};
use crate::patch::{Action, Hunk, Patch};
use crate::{PatchError, unified};

/// A patch that fits, with everything that is to be written.
///
/// Sections about one file are one change, so a file that a patch adds and deletes again does not appear.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order in which the patch names them.
    pub(crate) files: Vec<Planned>,
}

/// One file before and after.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub path: PathBuf,
    pub before: Option<Content>,
    pub after: After,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// The patch reads the file, or adds and deletes it.
    AsBefore,
    Gone,
    /// A file that the patch adds.
    Added(String),
    /// What has become of the file that stood at `from`, here or elsewhere, before the patch.
    Edited {
        from: PathBuf,
        text: String,
    },
}

/// One change, as it is shown to who may refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'a> {
    /// The file, absolute; where it was, if it moves.
    pub path: &'a Path,
    /// What happens to it.
    pub kind: ChangeKind<'a>,
}

/// What happens to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind<'a> {
    /// It is made, in place of what may have been there.
    Add {
        /// All of it.
        content: &'a str,
    },
    /// It goes.
    Delete {
        /// What it held, which need not be text.
        content: &'a [u8],
    },
    /// Its text changes, or it moves, or both.
    Update {
        /// The text before.
        old: Cow<'a, str>,
        /// The text after.
        new: &'a str,
        /// Where it is from then on, if elsewhere, in place of what may have been there.
        move_to: Option<&'a Path>,
    },
}

impl Patch {
    /// Fits the patch to the files that are there, and returns what is to be done.
    ///
    /// `cwd` is absolute, and relative paths are below it. Each file is read once, by `read`, which is
    /// [`on_disk`](crate::on_disk) but for tests; a later section sees what an earlier one has done.
    pub fn plan(&self, cwd: &Path, read: impl FnMut(&Path) -> io::Result<Found>) -> Result<Plan, PatchError> {
        let mut draft = Draft { files: Vec::new(), read };
        for section in &self.sections {
            let path = resolve(cwd, &section.path);
            match &section.action {
                Action::Add { content } => draft.file(&path)?.after = After::Added(content.clone()),
                Action::Delete => draft.file(&path)?.delete()?,
                Action::Update { move_to, hunks } => {
                    let target = move_to.as_ref().map_or_else(|| path.clone(), |to| resolve(cwd, to));
                    draft.update(&path, &target, hunks)?;
                }
            }
        }
        Ok(Plan { files: draft.files })
    }
}

impl Plan {
    /// Returns what happens to each file, in the order of the patch.
    pub fn changes(&self) -> Vec<Change<'_>> {
        self.files.iter().filter_map(|file| self.change(file)).collect()
    }

    /// Returns the paths that are written or removed, each once: what has to be allowed.
    ///
    /// They are absolute and without `..`, but links are not looked at: see [`Plan::landings`].
    pub fn touched(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter(|file| file.after != After::AsBefore).map(|file| file.path.as_path())
    }

    /// Returns what [`Plan::touched`] comes to on this machine, with all links followed as they are now.
    ///
    /// A link in a writable folder may lead out of it, so this is what a fence has to be asked about, right before the
    /// plan is applied.
    pub fn landings(&self) -> Result<Vec<PathBuf>, PatchError> {
        let landing = |file: &Planned| match &file.after {
            // A link that is removed leaves alone what it leads to.
            After::Gone => disk::in_real_folder(&file.path),
            _ => disk::landing(&file.path).and_then(|path| disk::in_real_folder(&path)),
        };
        let touched = self.files.iter().filter(|file| file.after != After::AsBefore);
        touched.map(|file| landing(file).map_err(PatchError::unreadable(&file.path))).collect()
    }

    fn change<'a>(&'a self, file: &'a Planned) -> Option<Change<'a>> {
        let (path, kind) = match &file.after {
            After::AsBefore => return None,
            After::Gone => {
                let moved = |other: &Planned| matches!(&other.after, After::Edited { from, .. } if *from == file.path);
                let before = file.before.as_ref().filter(|_| !self.files.iter().any(moved))?;
                (&file.path, ChangeKind::Delete { content: &before.bytes })
            }
            After::Added(content) => (&file.path, ChangeKind::Add { content }),
            After::Edited { from, text } => {
                let before = self.files.iter().find(|file| file.path == *from)?.before.as_ref()?;
                // It was found to be text when it was edited.
                let old = String::from_utf8_lossy(&before.bytes);
                let move_to = (*from != file.path).then_some(file.path.as_path());
                (from, ChangeKind::Update { old, new: text, move_to })
            }
        };
        Some(Change { path, kind })
    }
}

impl Change<'_> {
    /// Returns the text that shows the change: the content of a file that comes or goes, else hunks.
    pub fn diff(&self) -> String {
        match &self.kind {
            ChangeKind::Add { content } => (*content).to_owned(),
            ChangeKind::Delete { content } => match str::from_utf8(content) {
                Ok(content) => content.to_owned(),
                Err(_) => format!("Binary file of {} bytes\n", content.len()),
            },
            ChangeKind::Update { old, new, move_to } => {
                let moved = move_to.map(|path| format!("\n\nMoved to: {}", path.display()));
                unified(old, new) + moved.as_deref().unwrap_or_default()
            }
        }
    }
}

/// A plan that is being made.
struct Draft<R> {
    files: Vec<Planned>,
    read: R,
}

impl<R: FnMut(&Path) -> io::Result<Found>> Draft<R> {
    /// Returns the file as the sections so far leave it.
    fn file(&mut self, path: &Path) -> Result<&mut Planned, PatchError> {
        let at = match self.files.iter().position(|file| file.path == path) {
            Some(at) => at,
            None => {
                let before = match (self.read)(path).map_err(PatchError::unreadable(path))? {
                    Found::Nothing => None,
                    Found::Folder => return Err(PatchError::Folder(path.to_owned())),
                    Found::File(content) => Some(content),
                };
                self.files.push(Planned { path: path.to_owned(), before, after: After::AsBefore });
                self.files.len() - 1
            }
        };
        Ok(&mut self.files[at])
    }

    fn update(&mut self, path: &Path, target: &Path, hunks: &[Hunk]) -> Result<(), PatchError> {
        let source = self.file(path)?;
        let edited = source.edited(hunks)?;
        if path != target {
            source.delete()?;
        }
        self.file(target)?.after = edited;
        Ok(())
    }
}

impl Planned {
    fn delete(&mut self) -> Result<(), PatchError> {
        self.after = match (&self.before, &self.after) {
            (None, After::AsBefore) | (_, After::Gone) => return Err(PatchError::Missing(self.path.clone())),
            (None, _) => After::AsBefore,
            (Some(_), _) => After::Gone,
        };
        Ok(())
    }

    fn edited(&self, hunks: &[Hunk]) -> Result<After, PatchError> {
        let fit = |text: &str| {
            fit(text, hunks).map_err(|Unfit { line, what, hint, missing }| PatchError::Unfit {
                path: self.path.clone(),
                line,
                what,
                hint,
                missing,
            })
        };
        match (&self.after, &self.before) {
            (After::Added(text), _) => Ok(After::Added(fit(text)?)),
            (After::Edited { from, text }, _) => Ok(After::Edited { from: from.clone(), text: fit(text)? }),
            (After::Gone, _) | (After::AsBefore, None) => Err(PatchError::Missing(self.path.clone())),
            (After::AsBefore, Some(before)) => {
                let text =
                    str::from_utf8(&before.bytes).map_err(|_| PatchError::NotText(self.path.clone()))?;
                Ok(After::Edited { from: self.path.clone(), text: fit(text)? })
            }
        }
    }
}

/// Returns an absolute path without `.` and `..`, so that what is checked is what is written. Links are not looked at.
pub fn resolve(cwd: &Path, written: impl AsRef<Path>) -> PathBuf {
    let mut path = PathBuf::new();
    for component in cwd.join(written).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(path.pop()),
            component => path.push(component),
        }
    }
    path
}

#[cfg(test)]
mod tests;
