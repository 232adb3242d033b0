//! What can go wrong with a patch, in words that the model that wrote it can act on.

use std::io;
use std::path::{Path, PathBuf};

/// Why a patch was not carried out.
///
/// The text is whole but for the cause of an I/O error, which is the source.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The text is not in the language.
    #[error("line {line}: expected {expected}, found {found}")]
    Syntax {
        /// The line of the text, from 1.
        line: usize,
        /// What could have stood there.
        expected: &'static str,
        /// What stands there, quoted.
        found: String,
    },
    /// A hunk names lines that the file does not have.
    #[error("cannot find {what} of the hunk at line {line} of the patch in {}{hint}:\n{missing}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Where the hunk begins in the text of the patch, from 1.
        line: usize,
        /// Which of its lines.
        what: &'static str,
        /// Where the lines are found instead, if they are.
        hint: &'static str,
        /// The lines themselves.
        missing: String,
    },
    /// A file that is to be changed or deleted is not there.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A folder stands where a file was expected.
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    /// The file would be damaged by an edit of its text.
    #[error("{} is not text in UTF-8", .0.display())]
    NotText(PathBuf),
    /// A file cannot be looked at.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no longer the one for which the plan was made.
    #[error("{} has changed since the patch was checked", .0.display())]
    Changed(PathBuf),
    /// A step failed, and those before it were taken back.
    #[error("cannot {step} {}{}", path.display(), left_behind(left))]
    Apply {
        /// What was being done.
        step: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
        /// What could not be put back as it was.
        left: Vec<PathBuf>,
    },
}

fn left_behind(left: &[PathBuf]) -> String {
    match left {
        [] => "; no file was changed".to_owned(),
        left => {
            let paths: Vec<_> = left.iter().map(|path| path.display().to_string()).collect();
            format!("; could not be put back: {}", paths.join(", "))
        }
    }
}

impl PatchError {
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }
}
