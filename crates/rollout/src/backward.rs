//! Reading lines backward, block by block.

use std::{fs::File, io, os::unix::fs::FileExt};

use crate::{MAX_LINE, RawLine, Segment};

/// How much is read at once; more where a line is longer.
const BLOCK: u64 = 128 << 10;

/// Lines, newest first.
#[derive(Debug)]
pub struct Backward {
    /// Those not read yet, oldest first.
    segments: Vec<Segment>,
    open: Option<Open>,
    line: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    start: u64,
    /// What of the file is in front of `held`.
    unread: u64,
    /// Bytes behind `unread` that were not handed over yet.
    held: Vec<u8>,
    /// The line at the end of `held` is longer than is read; what is read of it is dropped.
    skipping: bool,
    done: bool,
}

/// Reads the lines of the segments from the end. A blank line, or one beyond [`MAX_LINE`], is passed over.
pub fn backward(segments: &[Segment]) -> Backward {
    Backward { segments: segments.to_vec(), open: None, line: Vec::new() }
}

impl Backward {
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
            match open.line_before(&mut self.line)? {
                None => {
                    self.open = None;
                    self.segments.pop();
                }
                Some(offset) if !self.line.trim_ascii().is_empty() => {
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
        let file =
            File::open(path).map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        let len = file.metadata()?.len();
        let unread = end.map_or(len, |end| end.min(len));
        Ok(Self { file, start: *start, unread, held: Vec::new(), skipping: false, done: unread <= *start })
    }

    /// Puts the line before into `line` and returns where it begins; an empty one for a line that is too long.
    fn line_before(&mut self, line: &mut Vec<u8>) -> io::Result<Option<u64>> {
        line.clear();
        if self.done {
            return Ok(None);
        }
        let mut searched = 0;
        loop {
            let fresh = &self.held[..self.held.len() - searched];
            if let Some(at) = memchr::memrchr(b'\n', fresh) {
                let offset = self.unread + at as u64 + 1;
                if !std::mem::take(&mut self.skipping) {
                    line.extend_from_slice(&self.held[at + 1..]);
                }
                self.held.truncate(at);
                return Ok(Some(offset));
            }
            if self.unread <= self.start {
                self.done = true;
                if !self.skipping {
                    line.extend_from_slice(&self.held);
                }
                return Ok(Some(self.start));
            }
            if self.held.len() > MAX_LINE {
                (self.skipping, self.held) = (true, Vec::new());
            }
            searched = self.held.len();
            self.read_block()?;
        }
    }

    fn read_block(&mut self) -> io::Result<()> {
        // As much again as is held, so that a long line costs a few reads and not one for each block of it.
        let want = BLOCK.max(self.held.len() as u64).min(self.unread - self.start);
        let mut block = vec![0; want as usize];
        self.file.read_exact_at(&mut block, self.unread - want)?;
        self.unread -= want;
        block.append(&mut self.held);
        self.held = block;
        Ok(())
    }
}
