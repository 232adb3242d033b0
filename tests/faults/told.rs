//! What a server told of threads: what has to be there afterwards, and what may be.

use std::collections::BTreeMap;

use protocol::{ServerNotification, ThreadItem, TurnStatus};

/// All that a server told, by thread.
#[derive(Debug, Default)]
pub struct Told {
    pub threads: BTreeMap<String, Thread>,
}

/// What it told of one.
#[derive(Debug)]
pub struct Thread {
    pub name: Maybe<Option<String>>,
    /// The word in each field of the git metadata.
    pub git: Maybe<Option<String>>,
    pub place: Maybe<Place>,
    /// The items that were told to be complete, with their turns.
    pub items: Vec<(String, ThreadItem)>,
    /// The words with which turns were acknowledged to begin.
    pub said: Vec<(String, String)>,
    /// How turns ended.
    pub ended: BTreeMap<String, TurnStatus>,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Active,
    Archived,
    /// It was deleted, or nothing of it was ever stored.
    Nowhere,
}

/// What something may be: one value where it was acknowledged, more where what was asked for was refused or not answered,
/// since it may be done all the same. Nothing between them.
#[derive(Clone, Debug)]
pub struct Maybe<T> {
    now: Vec<T>,
    /// All that it was at any time.
    ever: Vec<T>,
}

impl<T: Clone + PartialEq> Maybe<T> {
    pub fn new(values: impl IntoIterator<Item = T>) -> Self {
        let now: Vec<_> = values.into_iter().collect();
        Self { ever: now.clone(), now }
    }

    /// It was acknowledged to be this.
    pub fn is(&mut self, value: T) {
        self.now.clear();
        self.may_be(value);
    }

    /// It may be this too.
    pub fn may_be(&mut self, value: T) {
        self.ever.push(value.clone());
        self.now.push(value);
    }

    /// It was told to be something else than this.
    pub fn is_not(&mut self, value: &T) {
        self.now.retain(|one| one != value);
    }

    pub fn allows(&self, value: &T) -> bool {
        self.now.contains(value)
    }

    /// It may be whatever it was.
    fn lasts_not(&mut self) {
        self.now.clone_from(&self.ever);
    }
}

impl Thread {
    /// A thread that was begun, of which nothing need be stored.
    pub fn begun() -> Self {
        Self {
            name: Maybe::new([None]),
            git: Maybe::new([None]),
            place: Maybe::new([Place::Active, Place::Nowhere]),
            items: Vec::new(),
            said: Vec::new(),
            ended: BTreeMap::new(),
        }
    }
}

impl Told {
    /// Nothing of it has to be there.
    pub fn lasts_not(&mut self) {
        for thread in self.threads.values_mut() {
            thread.items.clear();
            thread.said.clear();
            thread.ended.clear();
            thread.place.lasts_not();
            thread.name.lasts_not();
            thread.git.lasts_not();
        }
    }

    /// Takes in what a server told by itself, in its order.
    pub fn hear(&mut self, notes: Vec<ServerNotification>) {
        for note in notes {
            match note {
                ServerNotification::ItemCompleted(note) => {
                    let thread =
                        self.threads.get_mut(&note.thread_id).expect("an item of a thread that was begun");
                    thread.place.is_not(&Place::Nowhere);
                    thread.items.push((note.turn_id, note.item));
                }
                ServerNotification::TurnCompleted(note) => {
                    let thread =
                        self.threads.get_mut(&note.thread_id).expect("a turn of a thread that was begun");
                    let before = thread.ended.insert(note.turn.id.clone(), note.turn.status);
                    assert_eq!(before, None, "a second end of turn {}", note.turn.id);
                }
                _ => {}
            }
        }
    }
}
