//! The ids that clients gave what they said: what comes again under the same id is not done again.
//!
//! A client that missed an answer asks again soon, so the newest ids are enough, and a thread of any length costs the
//! same. The rollout keeps them, which makes them hold across a resume.

use std::collections::VecDeque;

use crate::shared::Shared;

/// How many ids are remembered of a loaded thread.
const MOST: usize = 256;

/// The newest ids, and the turn that each was heard in.
#[derive(Debug, Default)]
pub(crate) struct ClientIds {
    newest: VecDeque<(String, String)>,
    /// Whether those of the rollout are among them.
    is_read: bool,
}

impl Shared {
    /// Returns the turn in which what has this id was heard.
    pub(crate) async fn heard_in(&self, id: &str) -> Option<String> {
        let was_read = std::mem::replace(&mut self.client_ids().is_read, true);
        if let Some(path) = self.store.file().filter(|_| !was_read || self.store.has_grown()) {
            match self.manager.client_ids(&path).await {
                Ok(stored) => stored.into_iter().for_each(|(id, turn)| self.client_ids().note(id, turn)),
                Err(error) => tracing::warn!(thread = %self.id, %error, "what was said before is not known"),
            }
        }
        self.client_ids().turn_of(id).map(str::to_owned)
    }
}

impl ClientIds {
    /// Returns the turn in which what has this id was heard.
    pub(crate) fn turn_of(&self, id: &str) -> Option<&str> {
        self.newest.iter().find(|(known, _)| known == id).map(|(_, turn)| turn.as_str())
    }

    /// Remembers an id; the oldest one makes room for it.
    pub(crate) fn note(&mut self, id: String, turn: String) {
        if self.turn_of(&id).is_none() {
            self.newest.push_back((id, turn));
            self.newest.drain(..self.newest.len().saturating_sub(MOST));
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn the_newest_ids_are_known_each_with_the_turn_that_heard_it_first() {
        let mut ids = ClientIds::default();
        for n in 0..=MOST {
            ids.note(format!("id-{n}"), format!("turn-{n}"));
        }
        ids.note("id-7".to_owned(), "another".to_owned());
        assert_eq!((ids.turn_of("id-0"), ids.turn_of("id-1")), (None, Some("turn-1")));
        assert_eq!(ids.turn_of("id-7"), Some("turn-7"));
    }
}
