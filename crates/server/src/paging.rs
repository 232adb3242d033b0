//! What the pages of several methods share.

use std::{
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use jsonrpc::RpcError;
use serde::Serialize;
use threads::Page;

/// How large the data of a page may be. Published clients read lines of 64 KiB and no more; the rest is room for
/// the envelope and the cursors.
pub(crate) const PAGE_BYTES: usize = 60 << 10;

/// How many things a page holds where the client does not say, and at most.
const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 100;

/// Returns how many things a page is to hold.
pub(crate) fn limit(asked: Option<u32>) -> u32 {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

/// Cuts a page to what fits into a line, and tells where the next one begins.
pub(crate) fn cut<T: Serialize>(
    page: Page<T>,
    cursor: impl FnOnce(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let Page { items, more } = page;
    let count = items.len();
    let data = fitting(items.into_iter(), PAGE_BYTES);
    let next = data.last().filter(|_| more || data.len() < count).map(cursor);
    (data, next)
}

/// What lists of attachments say of a cursor that no page of them gave.
pub(crate) fn bad_cursor() -> RpcError {
    RpcError::invalid_params("invalid pagination cursor")
}

/// Takes as much as fits into a page; the first is taken however large it is, so that a walk always goes on.
pub(crate) fn fitting<T: Serialize>(all: impl Iterator<Item = T>, room: usize) -> Vec<T> {
    let mut left = room;
    let mut fitting: Vec<T> = Vec::new();
    for one in all {
        let mut size = Size(1); // the comma
        // What cannot be written fails when the answer is.
        drop(serde_json::to_writer(&mut size, &one));
        let Size(size) = size;
        if size > left && !fitting.is_empty() {
            break;
        }
        left = left.saturating_sub(size);
        fitting.push(one);
    }
    fitting
}

/// Counts what is written.
struct Size(usize);

impl Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a folder as rollouts name it: absolute, without a slash at the end.
pub(crate) fn folder(text: &str, base: &Path) -> String {
    let mut path = PathBuf::new();
    for part in base.join(text).components() {
        if part != Component::CurDir {
            path.push(part);
        }
    }
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_by_bytes_but_never_empty() {
        let texts = ["x".repeat(50), "y".repeat(50), "z".repeat(500)];
        for (room, fit) in [(0, 1), (60, 1), (110, 2), (10_000, 3)] {
            assert_eq!(fitting(texts.iter(), room).len(), fit, "{room}");
        }
    }

    #[test]
    fn a_folder_is_named_one_way() {
        for (text, named) in [("/a/b/", "/a/b"), ("/a/./b", "/a/b"), ("c", "/base/c"), ("/", "/")] {
            assert_eq!(folder(text, Path::new("/base")), named);
        }
    }
}
