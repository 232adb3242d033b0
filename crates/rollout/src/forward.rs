//! Reading lines forward, with bounded memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom},
    path::Path,
};

use crate::Segment;

/// The longest line that is read. Lines of 40 MB were seen in the wild; this is well above them, and still far from
/// what would make reading one file a danger to the server.
pub const MAX_LINE: usize = 64 << 20;

/// What bounds the memory of a reader; tests set it small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The longest line that is read.
    pub(crate) max: usize,
    /// How much is read at once.
    pub(crate) block: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max: MAX_LINE, block: 128 << 10 }
    }
}

/// One line of a file, without its line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Which of the segments it is from.
    pub segment: usize,
    /// Where it begins in its file.
    pub offset: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Lines, oldest first.
#[derive(Debug)]
pub struct Forward {
    segments: Vec<Segment>,
    segment: usize,
    open: Option<BufReader<io::Take<File>>>,
    offset: u64,
    line: Vec<u8>,
    limits: Limits,
}

/// Reads the lines of the segments in their order. A blank line, or one beyond [`MAX_LINE`], is passed over.
pub fn forward(segments: &[Segment]) -> Forward {
    Forward::with(segments, Limits::default())
}

impl Forward {
    pub(crate) fn with(segments: &[Segment], limits: Limits) -> Self {
        Self { segments: segments.to_vec(), segment: 0, open: None, offset: 0, line: Vec::new(), limits }
    }

    /// Returns how many bytes it has room for.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.line.capacity() + self.limits.block
    }

    /// Returns the next line, or `None` behind the last one.
    #[allow(clippy::should_implement_trait, reason = "it lends its buffer, which an iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        loop {
            let Some(segment) = self.segments.get(self.segment) else { return Ok(None) };
            let reader = match &mut self.open {
                Some(reader) => reader,
                None => {
                    self.offset = segment.start;
                    self.open.insert(open(segment, self.limits.block)?)
                }
            };
            empty(&mut self.line, self.limits);
            let Read { bytes, whole, ended: _ } = read_line(reader, &mut self.line, self.limits.max)?;
            if bytes == 0 {
                (self.open, self.segment) = (None, self.segment + 1);
                continue;
            }
            let offset = self.offset;
            self.offset += bytes;
            if !whole {
                tracing::warn!(path = %segment.path.display(), offset, bytes, "a line is too long to be read");
                continue;
            }
            if !is_blank(&self.line) {
                return Ok(Some(RawLine { segment: self.segment, offset, bytes: &self.line }));
            }
        }
    }
}

fn open(segment: &Segment, block: usize) -> io::Result<BufReader<io::Take<File>>> {
    let Segment { path, start, end, .. } = segment;
    let mut file = File::open(path).map_err(|error| named(error, path))?;
    file.seek(SeekFrom::Start(*start))?;
    let room = end.map_or(u64::MAX, |end| end.saturating_sub(*start));
    Ok(BufReader::with_capacity(block, file.take(room)))
}

/// Makes room for the next line; the memory of a long one is not kept for short ones.
pub(crate) fn empty(line: &mut Vec<u8>, limits: Limits) {
    match line.capacity() > limits.block {
        true => *line = Vec::new(),
        false => line.clear(),
    }
}

/// Tells whether there is nothing in a line.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty()
}

/// Puts the path into an error that will be told without it.
pub(crate) fn named(error: io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What was read of a line.
pub(crate) struct Read {
    /// With the line break, and with what was not kept.
    pub(crate) bytes: u64,
    /// Whether all of it was kept.
    pub(crate) whole: bool,
    /// Whether there was a line break.
    pub(crate) ended: bool,
}

/// Reads up to and with the next line break, and keeps the line unless it is longer than `max`.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, max: usize) -> io::Result<Read> {
    let mut read = Read { bytes: 0, whole: true, ended: false };
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            return Ok(read);
        }
        let (taken, text) = match memchr::memchr(b'\n', block) {
            Some(end) => (end + 1, &block[..end]),
            None => (block.len(), block),
        };
        read.ended = text.len() < taken;
        read.whole &= line.len() + text.len() <= max;
        if read.whole {
            line.extend_from_slice(text);
        } else {
            *line = Vec::new(); // its memory goes too
        }
        reader.consume(taken);
        read.bytes += taken as u64;
        if read.ended {
            return Ok(read);
        }
    }
}
