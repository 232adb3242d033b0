//! What a command may do, as a value that travels to the helper.

mod git;
mod map;
mod workspace;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use map::{Access, KERNEL, Map};
pub use workspace::Workspace;

/// What a command may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Which files it may change.
    pub files: Files,
    /// Whether it may reach others.
    pub network: Network,
}

/// Which files a command may change; it may read whatever its user may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Files {
    /// None.
    ReadOnly,
    /// Those below some folders; [`Workspace::files`] makes this.
    ///
    /// The paths are absolute and hold no symbolic links. Where both lists speak of a file, the longer path decides,
    /// and `protected` where they are the same.
    Workspace {
        /// Folders, and single files, that may be changed.
        writable: Vec<PathBuf>,
        /// What may not be changed although it is inside of one of them.
        protected: Vec<PathBuf>,
        /// What may not be made although it would be inside of one of them.
        absent: Vec<PathBuf>,
    },
    /// All.
    Full,
}

/// Whether a command may open sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// No sockets at all, also none of the Unix family: behind those sit daemons that act for whoever asks.
    Denied,
    /// All of them.
    Granted,
}

impl Policy {
    /// Returns whether there is nothing to hold back.
    pub fn is_unrestricted(&self) -> bool {
        self.files == Files::Full && self.network == Network::Granted
    }
}

impl Files {
    /// Returns which access holds where; `with_absent` also where nothing is yet.
    pub(crate) fn map(&self, with_absent: bool) -> Map {
        match self {
            Self::ReadOnly => Map::default(),
            Self::Workspace { writable, protected, absent } if with_absent => {
                Map::new(writable, &[&protected[..], absent].concat())
            }
            Self::Workspace { writable, protected, absent: _ } => Map::new(writable, protected),
            Self::Full => Map::new(&["/".into()], &[]),
        }
    }
}
