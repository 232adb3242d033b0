//! Adding a rule to those of a home.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{LONGEST_FILE, Rules};
use crate::error::RulesError;

/// The file that programs add to; others are for people alone.
const FILE: &str = "default.rules";

/// How long to wait for another program that adds a rule. That takes microseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait between two tries.
const PAUSE: Duration = Duration::from_millis(1);

/// Returns the line that allows the commands which begin with these words.
pub fn amendment_line(prefix: &[String]) -> String {
    // JSON's texts are texts of Starlark as well.
    let words: Vec<_> =
        prefix.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("prefix_rule(pattern=[{}], decision=\"allow\")", words.join(", "))
}

impl Rules {
    /// Allows the commands that begin with these words, from the next [`Rules::load`] on. Blocks.
    ///
    /// A line that is there is not written again, also if several servers add it at once.
    pub fn append(folder: &Path, prefix: &[String]) -> Result<(), RulesError> {
        if prefix.is_empty() {
            return Err(RulesError::Empty);
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(RulesError::io("make", folder))?;
        let path = folder.join(FILE);
        let opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
        let mut file = opened.map_err(RulesError::io("open", &path))?;
        // Let go when the file is closed.
        lock(&file, &path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(RulesError::io("read", &path))?;
        let line = amendment_line(prefix);
        if text.lines().any(|there| there.trim() == line) {
            return Ok(());
        }
        let closing = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let added = format!("{closing}{line}\n");
        if (text.len() + added.len()) as u64 > LONGEST_FILE {
            return Err(RulesError::TooLong { path, most: LONGEST_FILE });
        }
        file.write_all(added.as_bytes()).map_err(|error| {
            // Half a rule would put all that allow out of force. Where it cannot be cut off, they are told of it.
            drop(file.set_len(text.len() as u64));
            RulesError::io("append to", &path)(error)
        })
    }
}

fn lock(file: &File, path: &Path) -> Result<(), RulesError> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(RulesError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(RulesError::io("lock", path)(error)),
        }
    }
}
