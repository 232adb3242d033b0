//! The content pass: what a summary cannot see, since it lies between head and tail.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Seek, SeekFrom},
    path::Path,
};

use chrono::{DateTime, Utc};

use crate::{GitInfo, Line, MAX_LINE, ThreadId};

/// The newest session record of a thread behind the beginning of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct LaterMeta {
    /// The git metadata that it says.
    pub git: Option<GitInfo>,
    /// When it was written.
    pub at: Option<DateTime<Utc>>,
}

/// How much is read at once.
const BLOCK: usize = 256 << 10;

/// Looks through a file from an offset for later session records of the thread.
///
/// Lines of other kinds are searched, not decoded. One beyond [`MAX_LINE`] cannot be one, and is passed over.
pub fn later_meta(path: &Path, id: ThreadId, from: u64) -> io::Result<Option<LaterMeta>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut reader = BufReader::with_capacity(BLOCK, file);
    let finder = memchr::memmem::Finder::new(b"\"session_meta\"");
    let mut line = Vec::new();
    let mut found = None;
    loop {
        line.clear();
        let mut too_long = false;
        loop {
            let block = reader.fill_buf()?;
            if block.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', block);
            let taken = end.map_or(block.len(), |end| end + 1);
            too_long |= line.len() + taken > MAX_LINE;
            match too_long {
                true => line.clear(),
                false => line.extend_from_slice(&block[..taken]),
            }
            reader.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if line.is_empty() && !too_long {
            return Ok(found);
        }
        if finder.find(&line).is_none() {
            continue;
        }
        let Some(line) = Line::parse(&line) else { continue };
        if let Some(meta) = line.session_meta().filter(|meta| meta.id == id) {
            found = Some(LaterMeta { git: meta.git, at: line.timestamp });
        }
    }
}
