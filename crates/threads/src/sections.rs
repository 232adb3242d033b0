//! Sections: named shelves that a person sorts threads into, each with an order of its own.
//!
//! They stand in the journal, and belong to the home: every server of it sees the same ones.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, Utc};
use rollout::{Place, ThreadId};
use serde::{Deserialize, Serialize};
use state::{Direction, ListQuery};
use uuid::Uuid;

use crate::{ListPage, Page, Patch, ThreadError, ThreadManager, journal::Entry};

/// What a section goes by; clients may say any text, and mean none if it is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SectionId(String);

/// A section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// What it goes by, whatever its name.
    pub id: SectionId,
    /// What a person calls it; need not be unique.
    pub name: String,
    /// How clients show it, if any said so.
    pub appearance: Option<Appearance>,
}

/// How clients show a section; what the words mean is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appearance {
    /// A picture.
    pub icon: Option<String>,
    /// A colour.
    pub color: Option<String>,
}

/// Where a thread is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// In which section.
    pub section: Section,
    /// Where in its order; no two threads of a section are at one position.
    pub position: i64,
    /// When it came into the section.
    pub entered_at: DateTime<Utc>,
}

/// Where a thread is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionMove {
    /// Into no section.
    Out,
    /// Into a section, or elsewhere in it.
    Into {
        /// The section.
        section: SectionId,
        /// The thread there to stand before; without one the end.
        before: Option<ThreadId>,
    },
}

impl ThreadManager {
    /// Returns a page of the sections: the built-in one first, then the others as they were made.
    pub async fn sections(&self, after: Option<SectionId>, limit: u32) -> Result<Page<Section>, ThreadError> {
        self.blocking(move |stores| {
            Ok(stores
                .journal
                .with(|journal| Page::of(journal.sections.after(after.as_ref()).cloned(), limit)))
        })
        .await
    }

    /// Makes a section; its name is trimmed and must not be blank.
    pub async fn create_section(
        &self,
        name: &str,
        appearance: Option<Appearance>,
    ) -> Result<Section, ThreadError> {
        let section = Section::new(&checked_name(name)?, appearance);
        self.blocking(move |stores| {
            stores.journal.note(|_, _| Ok((vec![Entry::Section(section.clone())], section)))
        })
        .await
    }

    /// Renames a section, and patches how it looks; the built-in one stays as it is.
    pub async fn update_section(
        &self,
        id: SectionId,
        name: &str,
        appearance: Patch<Appearance>,
    ) -> Result<Section, ThreadError> {
        let name = checked_name(name)?;
        id.refuse_built_in("renamed")?;
        self.blocking(move |stores| {
            stores.journal.note(|journal, _| {
                let section = journal.sections.get(&id).ok_or(ThreadError::SectionNotFound(id))?;
                let mut section = Section { name, ..section.clone() };
                appearance.apply(&mut section.appearance);
                Ok((vec![Entry::Section(section.clone())], section))
            })
        })
        .await
    }

    /// Deletes a section; its threads are in none then.
    pub async fn delete_section(&self, id: SectionId) -> Result<(), ThreadError> {
        id.refuse_built_in("deleted")?;
        self.blocking(move |stores| {
            stores.journal.note(|journal, _| match journal.sections.get(&id) {
                Some(_) => Ok((vec![Entry::SectionDeleted { section_id: id }], ())),
                None => Err(ThreadError::SectionNotFound(id)),
            })
        })
        .await
    }

    /// Refuses a move that [`ThreadManager::move_to_section`] would refuse, for whoever has to prepare it.
    pub async fn check_move(&self, thread: ThreadId, to: SectionMove) -> Result<(), ThreadError> {
        self.blocking(move |stores| stores.journal.with(|journal| journal.sections.check(thread, &to))).await
    }

    /// Moves a stored thread, active or archived, into a section, elsewhere in its own, or out of it.
    pub async fn move_to_section(&self, thread: ThreadId, to: SectionMove) -> Result<(), ThreadError> {
        self.require(thread, Place::Anywhere).await?;
        self.blocking(move |stores| {
            stores.journal.note(|journal, _| {
                journal.sections.check(thread, &to)?;
                let (section_id, before_thread_id) = match to {
                    SectionMove::Into { section, before } => (Some(section), before),
                    SectionMove::Out if journal.sections.placed(thread).is_none() => return Ok((vec![], ())),
                    SectionMove::Out => (None, None),
                };
                Ok((vec![Entry::SectionMove { thread_id: thread, section_id, before_thread_id }], ()))
            })
        })
        .await
    }

    /// Narrows a list to the threads of a section, or to those that are in none.
    pub async fn narrow_to_section(
        &self,
        mut query: ListQuery,
        section: Option<SectionId>,
    ) -> Result<ListQuery, ThreadError> {
        self.blocking(move |stores| {
            stores.journal.with(|journal| match section {
                Some(section) => query.ids = Some(journal.sections.threads(&section)),
                None => query.excluded.extend(journal.sections.all_threads()),
            });
            Ok(query)
        })
        .await
    }

    /// Lists the threads of a section in its order, those behind a position.
    ///
    /// What else the query says narrows the list. All of the section is read for each page, since a section is what a
    /// person sorted by hand.
    pub async fn list_section(
        &self,
        query: ListQuery,
        section: SectionId,
        after: Option<i64>,
    ) -> Result<ListPage, ThreadError> {
        let (direction, limit) = (query.direction, query.limit);
        let mut query = self.narrow_to_section(query, Some(section.clone())).await?;
        query.after = None;
        query.limit = query.ids.as_ref().map_or(0, |ids| u32::try_from(ids.len()).unwrap_or(u32::MAX));
        let rows = self.rows(query).await?;
        self.blocking(move |stores| {
            let mut placed: Vec<_> = stores
                .all_stored(rows)
                .into_iter()
                // One that was moved since the ids were asked for is elsewhere now.
                .filter_map(|thread| Some((thread.position_in(&section)?, thread)))
                .filter(|(at, _)| after.is_none_or(|after| directed(direction, *at, after).is_gt()))
                .collect();
            placed.sort_by(|(a, _), (b, _)| directed(direction, *a, *b));
            let Page { items: threads, more } = Page::of(placed.into_iter().map(|(_, thread)| thread), limit);
            Ok(ListPage { threads, more })
        })
        .await
    }
}

impl SectionId {
    /// The section that is always there. The id is that of the published server, which clients know.
    const PINNED: &str = "01984de2-8f74-7c91-a3b2-5c5e937cf318";

    /// Makes one that is behind all that there are.
    fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    fn refuse_built_in(&self, what: &'static str) -> Result<(), ThreadError> {
        match self.0 == Self::PINNED {
            true => Err(ThreadError::BuiltInSection(what)),
            false => Ok(()),
        }
    }
}

impl From<String> for SectionId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for SectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Section {
    pub(crate) fn new(name: &str, appearance: Option<Appearance>) -> Self {
        Self { id: SectionId::new(), name: name.to_owned(), appearance }
    }

    /// The section that is always there.
    pub(crate) fn pinned() -> Self {
        Self { id: SectionId(SectionId::PINNED.to_owned()), name: "Pinned".to_owned(), appearance: None }
    }
}

fn checked_name(name: &str) -> Result<String, ThreadError> {
    match name.trim() {
        "" => Err(ThreadError::EmptySectionName),
        name => Ok(name.to_owned()),
    }
}

fn directed(direction: Direction, a: i64, b: i64) -> Ordering {
    match direction {
        Direction::Asc => a.cmp(&b),
        Direction::Desc => b.cmp(&a),
    }
}
