//! Reads lines of bounded length from a stream.
//!
//! Invariant: a line beyond the bound is dropped whole, and the lines behind it are read as if it had not been there.

use std::io;

use memchr::memchr;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest line that is read.
///
/// The longest in practice is a file or an image in base64 (`fs/writeFile`); this lets 48 MiB of it pass, while a
/// stream that never sends a line feed cannot take all memory.
pub const MAX_LINE: usize = 64 << 20;

/// How much of a line beyond the bound is kept: enough for the id and the method, which clients write first.
const HEAD: usize = 4 << 10;

/// The buffer that is kept from one line to the next; one long line must not hold its memory for ever.
const KEPT: usize = 256 << 10;

/// One line, without its line feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The whole line.
    Whole(&'a [u8]),
    /// The beginning of a line beyond the bound; the rest of it was dropped.
    TooLong {
        /// See [`crate::Message::request_id_in`].
        head: &'a [u8],
    },
}

/// Cuts a stream into lines, blank ones left out.
#[derive(Debug)]
pub struct LineReader<R> {
    stream: R,
    line: Buffer,
}

impl<R: AsyncBufRead + Unpin> LineReader<R> {
    /// Reads lines of up to [`MAX_LINE`] bytes.
    pub fn new(stream: R) -> Self {
        Self::with_max(stream, MAX_LINE)
    }

    fn with_max(stream: R, max: usize) -> Self {
        Self { stream, line: Buffer { max, bytes: Vec::new(), state: State::Done } }
    }

    /// Returns the next line, or `None` at the end of the stream; a last line needs no line feed.
    ///
    /// Cancel safe: what was read of a line is kept for the next call.
    pub async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.begin();
        loop {
            let chunk = self.stream.fill_buf().await?;
            if chunk.is_empty() {
                break;
            }
            let end = memchr(b'\n', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            self.line.push(text);
            let taken = text.len() + usize::from(end.is_some());
            self.stream.consume(taken);
            if end.is_some() && !self.line.is_blank() {
                break;
            }
        }
        Ok(self.line.finish())
    }
}

/// The line that is being read.
#[derive(Debug)]
struct Buffer {
    max: usize,
    bytes: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The line was handed out.
    Done,
    /// `bytes` is all of the line so far.
    Within,
    /// `bytes` is the head of a line beyond the bound.
    Beyond,
}

impl Buffer {
    /// Makes room for a line, unless one is half read.
    fn begin(&mut self) {
        if self.state == State::Done {
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
            self.state = State::Within;
        }
    }

    fn push(&mut self, text: &[u8]) {
        if self.state == State::Beyond {
            return;
        }
        // Blanks in front count for nothing, or blank lines would add up.
        let text = if self.bytes.is_empty() { text.trim_ascii_start() } else { text };
        let room = self.max - self.bytes.len();
        self.bytes.extend_from_slice(&text[..text.len().min(room)]);
        if text.len() > room {
            self.bytes.truncate(HEAD);
            self.bytes.shrink_to(KEPT);
            self.state = State::Beyond;
        }
    }

    fn is_blank(&self) -> bool {
        self.bytes.is_empty()
    }

    fn finish(&mut self) -> Option<Line<'_>> {
        let state = std::mem::replace(&mut self.state, State::Done);
        match state {
            _ if self.is_blank() => None,
            State::Beyond => Some(Line::TooLong { head: &self.bytes }),
            State::Done | State::Within => Some(Line::Whole(&self.bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

    use super::*;

    /// Reads `pieces`, each a read of its own, to the end; a line beyond `max` is shown in brackets.
    fn lines(max: usize, pieces: &[&[u8]]) -> Vec<String> {
        let stream = pieces
            .iter()
            .fold(Box::new(tokio::io::empty()) as Box<dyn AsyncBufRead + Unpin>, |all, piece| {
                Box::new(all.chain(*piece))
            });
        let mut reader = LineReader::with_max(stream, max);
        let mut seen = Vec::new();
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
            while let Some(line) = reader.next().await.unwrap() {
                seen.push(match line {
                    Line::Whole(line) => String::from_utf8_lossy(line).into_owned(),
                    Line::TooLong { head } => format!("[{}]", String::from_utf8_lossy(head)),
                });
            }
        });
        seen
    }

    #[test]
    fn a_stream_is_cut_at_line_feeds() {
        for (stream, expected) in [
            ("", &[][..]),
            ("a\nb\n", &["a", "b"]),
            ("a\nb", &["a", "b"]),
            ("a\r\n\r\n\n  \nb\r\n", &["a\r", "b\r"]),
            ("   \n", &[]),
            ("  a \n", &["a "]),
            ("123456\n1234567\n123456\n", &["123456", "[123456]", "123456"]),
            ("12345678901234567890", &["[123456]"]),
            ("          123456\nx\n", &["123456", "x"]),
        ] {
            assert_eq!(lines(6, &[stream.as_bytes()]), expected, "{stream:?}");
        }
    }

    #[test]
    fn only_the_head_of_a_line_beyond_the_bound_is_kept() {
        let mut stream = "x".repeat(3 * HEAD);
        stream.push_str("\nnext\n");
        let seen = lines(2 * HEAD, &[stream.as_bytes()]);
        assert_eq!(seen, [format!("[{}]", "x".repeat(HEAD)), "next".to_owned()]);
    }

    #[tokio::test]
    async fn a_line_survives_a_cancelled_read() {
        let (mut far, near) = tokio::io::duplex(64);
        let mut reader = LineReader::new(BufReader::new(near));
        far.write_all(b"first ").await.unwrap();
        tokio::select! {
            biased;
            line = reader.next() => panic!("{line:?}"),
            () = std::future::ready(()) => {}
        }
        far.write_all(b"half\nsecond\n").await.unwrap();
        assert_eq!(reader.next().await.unwrap(), Some(Line::Whole(b"first half")));
        assert_eq!(reader.next().await.unwrap(), Some(Line::Whole(b"second")));
    }

    proptest! {
        #[test]
        fn where_a_stream_is_split_makes_no_difference(stream in "[ab\r\n ]{0,40}", cuts in prop::collection::vec(0..40_usize, 0..4)) {
            let mut ends: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).chain([0, stream.len()]).collect();
            ends.sort_unstable();
            ends.dedup();
            let pieces: Vec<_> = ends.windows(2).map(|w| &stream.as_bytes()[w[0]..w[1]]).collect();
            prop_assert_eq!(lines(6, &pieces), lines(6, &[stream.as_bytes()]));
        }
    }
}
