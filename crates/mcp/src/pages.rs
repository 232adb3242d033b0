//! Lists that come in pages.

use std::mem;

use serde_json::Value;

use crate::{MAX_MESSAGE, result::fits};

/// No list is longer: a server whose pages never end must not fill the memory, nor a model's context.
const MOST_ENTRIES: usize = 1000;

/// More pages than this are a server that goes in circles.
const MOST_PAGES: usize = 100;

/// Joins what stands under one key of the pages of a list.
pub(crate) struct Pages {
    key: &'static str,
    entries: Vec<Value>,
    cursor: Option<String>,
    /// How many pages may be fetched yet.
    left: usize,
    /// How many bytes the entries may have yet, together.
    room: usize,
}

impl Pages {
    pub(crate) fn new(key: &'static str) -> Self {
        Self { key, entries: Vec::new(), cursor: None, left: MOST_PAGES, room: MAX_MESSAGE }
    }

    /// Returns where the page to fetch begins; `None` is the start of the list.
    pub(crate) fn cursor(&mut self) -> Option<String> {
        self.cursor.take()
    }

    /// Takes in a page; returns all entries when it is the last. Entries that would be too much are left out.
    pub(crate) fn add(&mut self, mut page: Value) -> Option<Vec<Value>> {
        let fitting = take(&mut page, self.key).into_iter().filter(|entry| fits(entry, &mut self.room));
        self.entries.extend(fitting);
        self.cursor = next(&page);
        self.left -= 1;
        if self.cursor.is_some() && self.left > 0 && self.entries.len() < MOST_ENTRIES {
            return None;
        }
        self.entries.truncate(MOST_ENTRIES);
        Some(mem::take(&mut self.entries))
    }
}

/// Takes the entries out of one page.
pub(crate) fn take(page: &mut Value, key: &str) -> Vec<Value> {
    match page.get_mut(key).map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    }
}

/// Returns where the next page begins, if there is one.
pub(crate) fn next(page: &Value) -> Option<String> {
    page.get("nextCursor").and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    /// Fetches a list whose pages come by cursor.
    fn fetched(page: impl Fn(Option<&str>) -> Value) -> Vec<Value> {
        let mut pages = Pages::new("tools");
        loop {
            let cursor = pages.cursor();
            if let Some(entries) = pages.add(page(cursor.as_deref())) {
                return entries;
            }
        }
    }

    #[test]
    fn pages_are_joined_until_they_end_or_are_too_many() {
        let two = |cursor: Option<&str>| match cursor {
            None => json!({ "tools": [1, 2], "nextCursor": "b" }),
            Some("b") => json!({ "tools": [3] }),
            _ => panic!("{cursor:?}"),
        };
        assert_eq!(fetched(two), [1, 2, 3]);
        for (each, kept) in [(0, 0), (1, MOST_PAGES), (300, MOST_ENTRIES)] {
            let endless = |_: Option<&str>| json!({ "tools": vec![json!({}); each], "nextCursor": "more" });
            assert_eq!(fetched(endless).len(), kept);
        }
        let half = "x".repeat(MAX_MESSAGE / 2);
        assert_eq!(fetched(|_| json!({ "tools": [half, half, 1] })), [json!(half), json!(1)]);
        assert_eq!(fetched(|_| json!({ "tools": 5 })).len(), 0);
        assert_eq!(fetched(|_| json!("odd")).len(), 0);
    }
}
