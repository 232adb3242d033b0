//! Names of files as git writes them.

use std::fmt::{self, Write};
use std::path::Path;

/// The name of a file in a diff, without the `a/` or `b/` before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(String);

impl Name {
    /// Below the root the name is relative; elsewhere it is the absolute path without its first slash.
    pub(super) fn new(path: &Path, root: &Path) -> Self {
        let path = path.strip_prefix(root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
        Self(path.to_string_lossy().into_owned())
    }

    /// Returns the name on one side, `a` or `b`.
    pub(super) fn side(&self, side: &str) -> String {
        Self(format!("{side}/{}", self.0)).to_string()
    }

    fn is_quoted(&self) -> bool {
        self.0.contains(|c: char| c.is_ascii_control() || c == '"' || c == '\\')
    }
}

impl fmt::Display for Name {
    /// Quotes a name that would not stay on its line or not be seen to end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_quoted() {
            return f.write_str(&self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c if c.is_ascii_control() => write!(f, "\\{:03o}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
