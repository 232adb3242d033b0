//! What is wrong with a configuration, and where.

use std::{fmt, path::PathBuf};

use crate::Layer;

/// Why there is no configuration.
///
/// The text reads `PATH:LINE:COLUMN: MESSAGE`, as far as the place is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", Place(self))]
pub struct ConfigError {
    /// Where the bad value comes from.
    pub layer: Layer,
    /// The file that it stands in; `None` for what came from the command line or from a client.
    pub path: Option<PathBuf>,
    /// Where in the file; `None` where the trouble is with the file as a whole.
    pub range: Option<TextRange>,
    /// Names the key, the value and what is accepted.
    pub message: String,
}

/// A piece of a text file. Both ends are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextRange {
    /// Where the first character is.
    pub start: Position,
    /// Where the last character is.
    pub end: Position,
}

/// Where one character is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

struct Place<'a>(&'a ConfigError);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(path) = &self.0.path else { return Ok(()) };
        write!(f, "{}:", path.display())?;
        if let Some(TextRange { start: Position { line, column }, .. }) = self.0.range {
            write!(f, "{line}:{column}:")?;
        }
        f.write_str(" ")
    }
}
