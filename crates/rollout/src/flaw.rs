//! Reading a file of lines as its critic: every line that cannot be read is told, with its place and the reason.
//!
//! Not here: what is done about it. Readers pass such a line over, which is why nobody hears of it but from here.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};

use serde::de::IgnoredAny;

use crate::{
    RolloutError,
    forward::{self, Limits, Read, is_blank},
};

/// Why a line cannot be read, or not by everyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// It is longer than [`MAX_LINE`](crate::MAX_LINE).
    TooLong,
    /// It holds bytes that are no text.
    NotUtf8,
    /// It holds NULs, as a file system leaves after a power failure.
    Nul,
    /// It begins with a byte order mark.
    Mark,
    /// It is the last one, and ends in the middle.
    Torn,
    /// It is no JSON.
    NotJson,
    /// It is JSON, and no record.
    NotARecord,
    /// It is the last one, and whole, but for its line break.
    Unended,
}

/// One line, as its critic sees it.
#[derive(Debug)]
pub struct Looked<'a> {
    /// Which line it is, from 1 on.
    pub number: u64,
    /// Where it begins.
    pub offset: u64,
    /// How long it is, with its line break.
    pub len: u64,
    /// Its bytes without the line break; none of one that is too long.
    pub bytes: &'a [u8],
    whole: bool,
    ended: bool,
}

impl Looked<'_> {
    /// Returns what is wrong with the line, which its reader could make something of or not.
    ///
    /// Some flaws are none to us, but to other programs: a line with one of them may have been read.
    pub fn flaw(&self, was_read: bool) -> Option<Flaw> {
        let Self { number: _, offset: _, len: _, bytes, whole, ended } = *self;
        Some(match (was_read, ended) {
            _ if !whole => Flaw::TooLong,
            _ if memchr::memchr(0, bytes).is_some() => Flaw::Nul,
            _ if bytes.starts_with(b"\xef\xbb\xbf") => Flaw::Mark,
            (true, true) => return None,
            (true, false) => Flaw::Unended,
            (false, false) => Flaw::Torn,
            (false, true) if str::from_utf8(bytes).is_err() => Flaw::NotUtf8,
            (false, true) if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() => Flaw::NotARecord,
            (false, true) => Flaw::NotJson,
        })
    }
}

/// Hands over every line of a file that is not blank; returns how many bytes were read.
///
/// Memory is bounded by the longest line that is read. A last line without its break is looked at again when the file
/// has grown meanwhile: somebody was writing it.
pub fn look_through(path: &Path, look: impl FnMut(Looked<'_>)) -> Result<u64, RolloutError> {
    with(path, Limits::default(), look).map_err(RolloutError::io("read", path))
}

fn with(path: &Path, limits: Limits, mut look: impl FnMut(Looked<'_>)) -> io::Result<u64> {
    let mut file = BufReader::with_capacity(limits.block, File::open(path)?);
    let (mut bytes, mut number, mut offset) = (Vec::new(), 0, 0);
    loop {
        bytes.clear();
        let Read { bytes: mut len, mut whole, mut ended } =
            forward::read_line(&mut file, &mut bytes, limits.max)?;
        if len == 0 {
            return Ok(offset);
        }
        while !ended {
            let more = forward::read_line(&mut file, &mut bytes, limits.max)?;
            if more.bytes == 0 {
                break;
            }
            (len, whole, ended) = (len + more.bytes, whole && more.whole, more.ended);
        }
        number += 1;
        if !whole || !is_blank(&bytes) {
            look(Looked { number, offset, len, bytes: &bytes, whole, ended });
        }
        offset += len;
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Reads a file as one of JSON arrays, with small limits.
    fn flaws(content: &[u8]) -> Vec<(u64, u64, u64, Option<Flaw>)> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut found = Vec::new();
        let look = |line: Looked<'_>| {
            let was_read = serde_json::from_slice::<Vec<u8>>(line.bytes).is_ok();
            found.push((line.number, line.offset, line.len, line.flaw(was_read)));
        };
        with(file.path(), Limits { max: 20, block: 7 }, look).unwrap();
        found
    }

    #[test]
    fn each_flaw_is_told_with_its_place() {
        let content: &[u8] =
            b"[]\nno\n\n \r\n[\"\xff\"]\n\0\0[]\n\xef\xbb\xbf[]\n[1, 2, 3, 4, 5, 6, 7, 8]\n{\"x\":1}\r\n[1";
        let found = flaws(content);
        let expected = [
            (1, 0, 3, None),
            (2, 3, 3, Some(Flaw::NotJson)),
            (5, 10, 6, Some(Flaw::NotUtf8)),
            (6, 16, 5, Some(Flaw::Nul)),
            (7, 21, 6, Some(Flaw::Mark)),
            (8, 27, 25, Some(Flaw::TooLong)),
            (9, 52, 9, Some(Flaw::NotARecord)),
            (10, 61, 2, Some(Flaw::Torn)),
        ];
        assert_eq!(found, expected);
        assert_eq!(found.last().map(|(_, offset, len, _)| offset + len), Some(content.len() as u64));
    }

    #[test]
    fn a_last_line_that_is_whole_lacks_only_its_break() {
        assert_eq!(flaws(b"[]\n[]"), [(1, 0, 3, None), (2, 3, 2, Some(Flaw::Unended))]);
        assert_eq!(flaws(b"\xff"), [(1, 0, 1, Some(Flaw::Torn))]);
        assert_eq!(flaws(b"[0,0,0,0,0,0,0,0,0,0,0"), [(1, 0, 22, Some(Flaw::TooLong))]);
        assert_eq!(flaws(b""), []);
    }
}
