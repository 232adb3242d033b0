//! A page of something that is listed from memory.

/// Some of a list, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// Whether others follow.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes the same page of something else.
    pub fn map<U>(self, of: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(of).collect(), more: self.more }
    }

    /// Takes as many as a page holds.
    pub(crate) fn of(mut all: impl Iterator<Item = T>, limit: u32) -> Self {
        let items: Vec<_> = all.by_ref().take(limit as usize).collect();
        Self { items, more: all.next().is_some() }
    }
}
