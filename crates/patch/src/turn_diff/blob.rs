//! What a file is to git: an id, a mode, and text if it can be compared.

use std::io;

use sha1::{Digest, Sha1};

use crate::disk::{Content, Found};

/// The id of a file that is not there.
const NO_ID: &str = "0000000000000000000000000000000000000000";

/// A larger file is not compared but only said to differ: the diff of a turn is printed anew after each patch.
pub(super) const MAX_COMPARED: usize = 1024 * 1024;

/// Git looks this far for a NUL byte to tell that a file is no text.
const BINARY_HEAD: usize = 8000;

/// What stands at a path before or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Absent,
    File(Blob),
    /// Something is there that cannot be read, or is too large.
    Unreadable,
}

/// A file as far as a diff needs it.
#[derive(Clone, Debug, Eq)]
pub(super) struct Blob {
    id: String,
    executable: bool,
    text: Option<String>,
}

impl Side {
    pub(super) fn read(found: io::Result<Found>) -> Self {
        match found {
            // A folder in its place means that the file is gone.
            Ok(Found::Nothing | Found::Folder) => Self::Absent,
            Ok(Found::File(content)) => Self::File(Blob::new(&content, MAX_COMPARED)),
            Err(_) => Self::Unreadable,
        }
    }

    /// Returns the text if the side can be compared, which is empty where nothing is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Absent => Some(""),
            Self::File(blob) => blob.text.as_deref(),
            Self::Unreadable => None,
        }
    }

    /// Returns the id of a file or of none; nothing where it is not known.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Absent => Some(NO_ID),
            Self::File(blob) => Some(blob.id()),
            Self::Unreadable => None,
        }
    }
}

impl Blob {
    /// Keeps the text only if it fits into the room that there is for it.
    pub(super) fn new(content: &Content, room: usize) -> Self {
        let Content { bytes, executable } = content;
        let mut hash = Sha1::new();
        hash.update(format!("blob {}\0", bytes.len()));
        hash.update(bytes);
        let id = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let is_compared =
            bytes.len() <= room.min(MAX_COMPARED) && !bytes[..bytes.len().min(BINARY_HEAD)].contains(&0);
        let text =
            Some(bytes).filter(|_| is_compared).and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        Self { id, executable: *executable, text }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn mode(&self) -> &'static str {
        if self.executable { "100755" } else { "100644" }
    }
}

impl PartialEq for Blob {
    /// The id stands for the text, which is not always kept.
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.executable) == (&other.id, other.executable)
    }
}
