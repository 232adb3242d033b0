//! What can go wrong with the index, by what is done about it.

use std::{borrow::Cow, error::Error, io, path::PathBuf};

/// Why the index cannot answer; whoever gets one goes to the files instead, and tells [`Index::failed`](crate::Index::failed).
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database is not what its schema says; it is set aside and built again.
    #[error("the index is damaged")]
    Corrupt(#[source] Box<dyn Error + Send + Sync>),
    /// Another process holds the database; worth trying again a little later.
    #[error("the index is locked by another process")]
    Locked(#[source] Box<dyn Error + Send + Sync>),
    /// The database has a schema that this build does not know; it is left alone.
    #[error("the index was made by another version ({0})")]
    Newer(String),
    /// The file cannot be used: a read-only or missing folder, a full disk.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Any other failure of a query; a read-only file and a full disk show up here too.
    #[error("index query failed")]
    Sql(#[source] sqlx::Error),
    /// The database is not open yet, is being healed, or was closed.
    #[error("the index is not open")]
    NotOpen,
}

impl StateError {
    /// Wraps an I/O failure with what was being done to which path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// Returns an error with the whole chain of its causes, on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Some of them repeat the text of their own cause.
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

// Primary result codes, https://www.sqlite.org/rescode.html
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const CORRUPT: i32 = 11;
const PROTOCOL: i32 = 15;
const NOT_A_DATABASE: i32 = 26;

/// The extended code of a file that ends before what its head, or its log's memory, says: somebody cut it.
const SHORT_READ: &str = "522";

impl From<sqlx::Error> for StateError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.code().as_deref() == Some(SHORT_READ) => {
                Self::Corrupt(error.into())
            }
            sqlx::Error::Database(cause) => match cause.code().as_deref().and_then(primary) {
                Some(BUSY | LOCKED | PROTOCOL) => Self::Locked(error.into()),
                Some(CORRUPT | NOT_A_DATABASE) => Self::Corrupt(error.into()),
                _ => Self::Sql(error),
            },
            // A value that does not decode was not written by us: a page was damaged without SQLite noticing.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                Self::Corrupt(error.into())
            }
            sqlx::Error::PoolTimedOut => Self::Locked(error.into()),
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::NotOpen,
            _ => Self::Sql(error),
        }
    }
}

/// Extended codes carry the primary one in their low byte.
fn primary(code: &str) -> Option<i32> {
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// A value in the database that no version of us writes.
pub(crate) fn nonsense(what: impl Into<Cow<'static, str>>) -> StateError {
    StateError::Corrupt(what.into().into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_repeats_nothing() {
        let inner = io::Error::other("disk on fire");
        let error = StateError::Locked(format!("cannot write: {inner}").into());
        assert_eq!(chain(&error), "the index is locked by another process: cannot write: disk on fire");
        let error = StateError::Sql(sqlx::Error::Io(inner));
        let words = chain(&error);
        assert_eq!(words.matches("disk on fire").count(), 1, "{words}");
    }

    #[test]
    fn extended_codes_count_as_their_primary_one() {
        for (code, expected) in
            [("5", Some(BUSY)), ("261", Some(BUSY)), ("517", Some(BUSY)), ("779", Some(CORRUPT)), ("x", None)]
        {
            assert_eq!(primary(code), expected, "{code}");
        }
    }
}
