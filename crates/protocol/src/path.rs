//! Paths that a client must give whole.

use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

/// An absolute path, `.` and `..` folded by its text alone: links are not looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema, TS)]
#[schemars(transparent)]
#[ts(type = "string")]
pub struct AbsolutePathBuf(#[schemars(with = "String")] PathBuf);

impl AbsolutePathBuf {
    /// Folds an absolute path; `None` for a relative one.
    pub fn new(path: &Path) -> Option<Self> {
        if !path.is_absolute() {
            return None;
        }
        let mut folded = PathBuf::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                // `pop` stops at the root, as the kernel does with `/..`.
                Component::ParentDir => {
                    folded.pop();
                }
                Component::Prefix(_) | Component::RootDir | Component::Normal(_) => folded.push(part),
            }
        }
        Some(Self(folded))
    }

    /// Returns the path.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// Gives the path away.
    pub fn into_path_buf(self) -> PathBuf {
        self.0
    }
}

impl AsRef<Path> for AbsolutePathBuf {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl<'de> Deserialize<'de> for AbsolutePathBuf {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(from)?;
        // The published server's own words, on which clients may match.
        Self::new(&path).ok_or_else(|| D::Error::custom("AbsolutePathBuf deserialized without a base path"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn dots_are_folded_by_text() {
        for (given, folded) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b/", "/a/b"),
            ("/a/none/../f", "/a/f"),
            ("/../../a", "/a"),
            ("/..", "/"),
        ] {
            let path: AbsolutePathBuf = serde_json::from_value(given.into()).unwrap();
            assert_eq!(path.as_path(), Path::new(folded), "{given}");
        }
    }

    #[test]
    fn anything_else_is_refused_in_the_words_of_the_published_server() {
        for (given, text) in [
            (r#""""#, "AbsolutePathBuf deserialized without a base path"),
            (r#"".""#, "AbsolutePathBuf deserialized without a base path"),
            (r#""~/x""#, "AbsolutePathBuf deserialized without a base path"),
            ("5", "invalid type: integer `5`, expected path string"),
        ] {
            let value = serde_json::from_str(given).unwrap();
            let error = serde_json::from_value::<AbsolutePathBuf>(value).unwrap_err();
            assert_eq!(error.to_string(), text, "{given}");
        }
    }
}
