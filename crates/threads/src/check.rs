//! Reading the two logs as their critic: which lines cannot be read, and which threads the others are about.
//!
//! Nothing is folded here: what the lines add up to is the business of [`Log`](crate::log::Log) alone.

use std::{io, path::Path};

use rollout::{Home, Looked, RolloutError, ThreadId};
use serde_json::{Map, Value};

use crate::{
    journal::{self, Entry},
    names,
};

/// What a line of a log is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// Threads, or none.
    Threads(Vec<ThreadId>),
    /// A thread that is gone from here on, as whoever wrote it knew.
    Deleted(ThreadId),
    /// Something that this build does not know; it is kept for one that does.
    Unknown,
    /// It cannot be read.
    Unreadable,
}

/// Hands over the lines of the journal of a home; there need not be one.
pub fn look_through_journal(
    home: &Home,
    mut look: impl FnMut(&Looked<'_>, Mention),
) -> Result<(), RolloutError> {
    each_line(journal::open(home).path(), |line| {
        let mention = match serde_json::from_slice(line.bytes.trim_ascii()) {
            Ok(journal::Line { timestamp: _, entry }) => of_entry(&entry),
            Err(_) if serde_json::from_slice::<Map<String, Value>>(line.bytes).is_ok() => Mention::Unknown,
            Err(_) => Mention::Unreadable,
        };
        look(line, mention);
    })
}

/// Hands over the lines of the log of names of a home; there need not be one.
pub fn look_through_names(
    home: &Home,
    mut look: impl FnMut(&Looked<'_>, Mention),
) -> Result<(), RolloutError> {
    each_line(&home.session_index(), |line| {
        let named = names::thread_of(line.bytes.trim_ascii());
        look(line, named.map_or(Mention::Unreadable, |thread| Mention::Threads(vec![thread])));
    })
}

fn each_line(path: &Path, mut look: impl FnMut(&Looked<'_>)) -> Result<(), RolloutError> {
    match rollout::look_through(path, |line| look(&line)) {
        Err(RolloutError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map(drop),
    }
}

fn of_entry(entry: &Entry) -> Mention {
    Mention::Threads(match entry {
        Entry::ThreadDeleted { thread_id } => return Mention::Deleted(*thread_id),
        Entry::Section(_) | Entry::SectionDeleted { .. } => vec![],
        Entry::SectionMove { thread_id, section_id: _, before_thread_id } => {
            [Some(*thread_id), *before_thread_id].into_iter().flatten().collect()
        }
        Entry::Git { thread_id, .. }
        | Entry::Attachment { thread_id, .. }
        | Entry::AttachmentRemoved { thread_id, .. }
        | Entry::Goal { thread_id, .. }
        | Entry::GoalSpent { thread_id, .. }
        | Entry::GoalCleared { thread_id } => vec![*thread_id],
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn each_line_is_told_with_the_threads_that_it_is_about() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let (one, other) = (ThreadId::new(), ThreadId::new());
        let mut seen = Vec::new();
        look_through_journal(&home, |_, mention| seen.push(mention)).unwrap();
        look_through_names(&home, |_, mention| seen.push(mention)).unwrap();
        assert_eq!(seen, []);
        let journal = journal::open(&home);
        let note = |entry: Entry| journal.note(|_, _| Ok((vec![entry], ()))).unwrap();
        note(Entry::Git { thread_id: one, git: None });
        note(Entry::SectionMove { thread_id: one, section_id: None, before_thread_id: Some(other) });
        note(Entry::ThreadDeleted { thread_id: one });
        let mut text = fs::read_to_string(journal.path()).unwrap();
        text.push_str("{\"type\":\"later\"}\n\n[]\n{\"torn");
        fs::write(journal.path(), text).unwrap();
        look_through_journal(&home, |_, mention| seen.push(mention)).unwrap();
        let expected = [
            Mention::Threads(vec![one]),
            Mention::Threads(vec![one, other]),
            Mention::Deleted(one),
            Mention::Unknown,
            Mention::Unreadable,
            Mention::Unreadable,
        ];
        assert_eq!(seen, expected);
        fs::write(home.session_index(), format!("{{\"id\":\"{one}\",\"thread_name\":\"n\"}}\n{{}}\n"))
            .unwrap();
        seen.clear();
        look_through_names(&home, |_, mention| seen.push(mention)).unwrap();
        assert_eq!(seen, [Mention::Threads(vec![one]), Mention::Unreadable]);
    }
}
