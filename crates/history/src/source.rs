//! The pieces of a thread's files as one run of bytes, so that a place in the thread is one number.
//!
//! Such a place stays: files only grow, and a history that goes on in another file keeps what was before it. What is
//! appended while a question is being answered is not seen by that question.

use std::io;
use std::ops::Range;
use std::path::Path;

use rollout::{Backward, Forward, Line, Segment, backward, forward};

use crate::mark::Mark;
use crate::slim::slimmed;

/// A thread's history on disk.
#[derive(Debug)]
pub(crate) struct Source {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    segment: Segment,
    /// Where the piece begins in the thread, and where it ends.
    span: Range<u64>,
}

/// One line and its place in the thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawLine<'a> {
    /// Where it begins and ends, without its line break.
    pub span: (u64, u64),
    /// What it says; of a giant line without its giant texts.
    pub bytes: &'a [u8],
}

impl Source {
    /// Measures the pieces.
    pub(crate) fn open(segments: &[Segment]) -> io::Result<Self> {
        let mut pieces = Vec::with_capacity(segments.len());
        let mut begin = 0;
        for segment in segments {
            let size = std::fs::metadata(&segment.path).map_err(|error| named(error, &segment.path))?.len();
            let end = segment.end.map_or(size, |end| end.min(size)).max(segment.start);
            let span = begin..begin + (end - segment.start);
            begin = span.end;
            pieces.push(Piece { segment: Segment { end: Some(end), ..segment.clone() }, span });
        }
        Ok(Self { pieces })
    }

    /// Returns where the thread ends.
    pub(crate) fn len(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.span.end)
    }

    /// Reads a stretch, oldest line first.
    pub(crate) fn forward(&self, span: Range<u64>) -> Lines<Forward> {
        let (segments, begins) = self.slice(span);
        Lines { lines: forward(&segments), begins, slim: Vec::new() }
    }

    /// Reads a stretch, newest line first.
    pub(crate) fn backward(&self, span: Range<u64>) -> Lines<Backward> {
        let (segments, begins) = self.slice(span);
        Lines { lines: backward(&segments), begins, slim: Vec::new() }
    }

    /// Returns the pieces that a stretch is made of.
    pub(crate) fn segments(&self, span: Range<u64>) -> Vec<Segment> {
        self.slice(span).0
    }

    /// Returns the pieces of a stretch, and for each where its file's first byte would be in the thread.
    fn slice(&self, span: Range<u64>) -> (Vec<Segment>, Vec<i64>) {
        let inside =
            self.pieces.iter().filter(|piece| piece.span.start < span.end && span.start < piece.span.end);
        inside
            .map(|Piece { segment, span: whole }| {
                let offset = |at: u64| segment.start + (at.clamp(whole.start, whole.end) - whole.start);
                let begin = whole.start as i64 - segment.start as i64;
                let (start, end) = (offset(span.start), Some(offset(span.end)));
                (Segment { start, end, ..segment.clone() }, begin)
            })
            .unzip()
    }
}

/// Lines of a stretch of a thread.
pub(crate) struct Lines<L> {
    lines: L,
    begins: Vec<i64>,
    /// A giant line, slimmed.
    slim: Vec<u8>,
}

impl Lines<Forward> {
    /// Returns the next line.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let Some(line) = self.lines.next()? else { return Ok(None) };
        Ok(Some(placed(line, &self.begins, &mut self.slim)))
    }
}

impl Lines<Backward> {
    /// Returns the line before.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let Some(line) = self.lines.next()? else { return Ok(None) };
        Ok(Some(placed(line, &self.begins, &mut self.slim)))
    }
}

fn placed<'a>(line: rollout::RawLine<'a>, begins: &[i64], slim: &'a mut Vec<u8>) -> RawLine<'a> {
    let start = begins[line.segment].saturating_add_unsigned(line.offset) as u64;
    let span = (start, start + line.bytes.len() as u64);
    *slim = slimmed(line.bytes).unwrap_or_default();
    RawLine { span, bytes: if slim.is_empty() { line.bytes } else { slim } }
}

fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl<'a> RawLine<'a> {
    /// Reads the line.
    pub(crate) fn parse(&self) -> Option<Line<'a>> {
        Line::parse(self.bytes)
    }

    /// Tells whether giant texts were taken out of it.
    pub(crate) fn is_slim(&self) -> bool {
        self.span.1 - self.span.0 != self.bytes.len() as u64
    }

    /// Reads the line, and what it means for turns, if it means anything.
    ///
    /// Most of a long thread is not for clients: what the first bytes show to be of another kind is not parsed at all.
    pub(crate) fn mark(&self) -> Option<(Line<'a>, Mark<'a>)> {
        if self.is_surely_none_of(b"event_msg") {
            return None;
        }
        let line = self.parse()?;
        Some((line, Mark::of(&line)?))
    }

    /// Tells whether the first bytes show another kind than this one, spelled as servers spell lines.
    pub(crate) fn is_surely_none_of(&self, kind: &[u8]) -> bool {
        const TYPE: &[u8] = br#""type":""#;
        /// A time, an ordinal and the kind have room in this.
        const HEAD: usize = 128;
        let head = &self.bytes[..self.bytes.len().min(HEAD)];
        let Some(at) = head.windows(TYPE.len()).position(|window| window == TYPE) else { return false };
        // Behind a second brace it would be the type of something nested.
        let nested = head[..at].iter().filter(|&&byte| byte == b'{').count() != 1;
        !nested && !head[at + TYPE.len()..].starts_with(kind)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use pretty_assertions::assert_eq;

    use super::*;

    fn piece(path: PathBuf, start: u64, end: Option<u64>) -> Segment {
        Segment { path, start, end, thread: None }
    }

    #[test]
    fn pieces_of_files_read_as_one_in_both_directions() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&first, "cut\none\ntwo\ncut\n").unwrap();
        fs::write(&second, "three\nfour").unwrap();
        let source = Source::open(&[piece(first, 4, Some(12)), piece(second, 0, None)]).unwrap();
        let whole = [(0, "one"), (4, "two"), (8, "three"), (14, "four")];
        for (span, expected) in [
            (0..source.len(), &whole[..]),
            (4..14, &whole[1..3]),
            (4..8, &whole[1..2]),
            (8..18, &whole[2..]),
            (14..17, &[(14, "fou")]),
            (18..18, &[]),
        ] {
            let mut lines = source.forward(span.clone());
            let mut read = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                read.push((line.span.0, str::from_utf8(line.bytes).unwrap().to_owned()));
            }
            let mut lines = source.backward(span);
            let mut back = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                back.insert(0, (line.span.0, str::from_utf8(line.bytes).unwrap().to_owned()));
            }
            let expected: Vec<_> = expected.iter().map(|(at, text)| (*at, (*text).to_owned())).collect();
            assert_eq!((&read, &back), (&expected, &expected));
        }
    }

    #[test]
    fn only_what_is_surely_of_another_kind_is_not_parsed() {
        for (line, surely) in [
            (r#"{"timestamp":"t","type":"response_item","payload":{"type":"event_msg"}}"#, true),
            (r#"{"timestamp":"t","ordinal":7,"type":"event_msg","payload":{}}"#, false),
            (r#"{"timestamp": "t", "type": "response_item", "payload": {}}"#, false),
            (r#"{"metadata":{"type":"response_item"},"type":"event_msg","payload":{}}"#, false),
            (r#"{"timestamp":"\"type\":\"response_item\"","type":"event_msg"}"#, false),
            ("garbage", false),
            ("", false),
        ] {
            let raw = RawLine { span: (0, 0), bytes: line.as_bytes() };
            assert_eq!(raw.is_surely_none_of(b"event_msg"), surely, "{line}");
        }
    }
}
