//! Reading lines backward, block by block.

use std::{fs::File, io, os::unix::fs::FileExt};

use crate::{
    RawLine, Segment,
    forward::{Limits, empty, is_blank, named},
};

/// Lines, newest first.
#[derive(Debug)]
pub struct Backward {
    /// Those not read yet, oldest first.
    segments: Vec<Segment>,
    open: Option<Open>,
    line: Vec<u8>,
    limits: Limits,
}

#[derive(Debug)]
struct Open {
    file: File,
    start: u64,
    /// What of the file is in front of `held`.
    unread: u64,
    /// Bytes behind `unread` that were not handed over yet.
    held: Vec<u8>,
    done: bool,
}

/// Reads the lines of the segments from the end. A blank line, or one beyond [`MAX_LINE`](crate::MAX_LINE), is passed
/// over.
pub fn backward(segments: &[Segment]) -> Backward {
    Backward::with(segments, Limits::default())
}

impl Backward {
    pub(crate) fn with(segments: &[Segment], limits: Limits) -> Self {
        Self { segments: segments.to_vec(), open: None, line: Vec::new(), limits }
    }

    /// Returns how many bytes it has room for.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.line.capacity() + self.open.as_ref().map_or(0, |open| open.held.capacity())
    }

    /// Returns the line before, or `None` in front of the first one.
    #[allow(clippy::should_implement_trait, reason = "it lends its buffer, which an iterator cannot")]
    pub fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        loop {
            if self.open.is_none() {
                let Some(segment) = self.segments.last() else { return Ok(None) };
                self.open = Some(Open::new(segment)?);
            }
            let Some(open) = &mut self.open else { return Ok(None) };
            let segment = self.segments.len() - 1;
            match open.line_before(&mut self.line, self.limits)? {
                None => {
                    self.open = None;
                    self.segments.pop();
                }
                Some(offset) if !is_blank(&self.line) => {
                    return Ok(Some(RawLine { segment, offset, bytes: &self.line }));
                }
                Some(_) => {}
            }
        }
    }
}

impl Open {
    fn new(segment: &Segment) -> io::Result<Self> {
        let Segment { path, start, end, .. } = segment;
        let file = File::open(path).map_err(|error| named(error, path))?;
        let len = file.metadata()?.len();
        let unread = end.map_or(len, |end| end.min(len));
        Ok(Self { file, start: *start, unread, held: Vec::new(), done: unread <= *start })
    }

    /// Puts the line before into `line` and returns where it begins; an empty one for a line that is too long.
    fn line_before(&mut self, line: &mut Vec<u8>, limits: Limits) -> io::Result<Option<u64>> {
        empty(line, limits);
        if self.done {
            return Ok(None);
        }
        let end = self.unread + self.held.len() as u64;
        let (mut breaks, mut blocks) = (memchr::memrchr(b'\n', &self.held), 0);
        while breaks.is_none() && self.unread > self.start {
            self.read_block(limits.block)?;
            breaks = memchr::memrchr(b'\n', &self.held);
            blocks += 1;
        }
        self.done = breaks.is_none();
        let begin = breaks.map_or(0, |at| at + 1);
        let offset = self.unread + begin as u64;
        if end - offset > limits.max as u64 {
            // Passed over.
        } else if blocks == 0 {
            line.extend_from_slice(&self.held[begin..]);
        } else {
            // Looked for block by block and then read at once: a line of 40 MB takes 40 MB.
            line.resize((end - offset) as usize, 0);
            self.file.read_exact_at(line, offset)?;
        }
        self.held.truncate(begin.saturating_sub(1));
        Ok(Some(offset))
    }

    /// Reads what is in front of what was held, in its place.
    fn read_block(&mut self, block: usize) -> io::Result<()> {
        let want = (block as u64).min(self.unread - self.start);
        self.held.resize(want as usize, 0);
        self.file.read_exact_at(&mut self.held, self.unread - want)?;
        self.unread -= want;
        Ok(())
    }
}
