//! The content pass: what a summary cannot see, since it lies between head and tail.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::FileExt,
    path::Path,
};

use chrono::{DateTime, Utc};
use memchr::memmem::Finder;

use crate::{GitInfo, Line, ThreadId, forward::Limits};

/// The newest session record of a thread behind the beginning of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct LaterMeta {
    /// The git metadata that it says.
    pub git: Option<GitInfo>,
    /// When it was written.
    pub at: Option<DateTime<Utc>>,
}

/// The kind of a session record, the later ones of numbered files too. In a text it would stand behind a backslash.
const SESSION_META: &[u8] = b"\"session_meta";

/// Looks through a file from an offset for later session records of the thread.
///
/// Lines of other kinds are searched, not decoded, nor even told apart. One beyond [`MAX_LINE`](crate::MAX_LINE) cannot
/// be one, and is passed over.
pub fn later_meta(path: &Path, id: ThreadId, from: u64) -> io::Result<Option<LaterMeta>> {
    later_meta_within(path, id, from, Limits { block: 256 << 10, ..Limits::default() })
}

fn later_meta_within(path: &Path, id: ThreadId, from: u64, limits: Limits) -> io::Result<Option<LaterMeta>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let finder = Finder::new(SESSION_META);
    // What one block ends with, the next one may go on with.
    let overlap = SESSION_META.len() - 1;
    let mut buffer = vec![0; limits.block.max(2 * overlap)];
    let (mut held, mut offset) = (0, from);
    let (mut line, mut line_end) = (Vec::new(), from);
    let mut found = None;
    loop {
        let read = file.read(&mut buffer[held..])?;
        if read == 0 {
            return Ok(found);
        }
        let block = &buffer[..held + read];
        for at in finder.find_iter(block).map(|at| offset + at as u64) {
            if at < line_end {
                continue; // in the line that was just read
            }
            line_end = line_around(&file, at, limits, &mut line)?;
            let Some(line) = Line::parse(&line) else { continue };
            if let Some(meta) = line.session_meta().filter(|meta| meta.id == id) {
                found = Some(LaterMeta { git: meta.git, at: line.timestamp() });
            }
        }
        let kept = overlap.min(block.len());
        let consumed = block.len() - kept;
        offset += consumed as u64;
        buffer.copy_within(consumed..consumed + kept, 0);
        held = kept;
    }
}

/// Reads the line around an offset, and returns where it ends; one that is too long is left empty.
fn line_around(file: &File, at: u64, limits: Limits, line: &mut Vec<u8>) -> io::Result<u64> {
    line.clear();
    let mut block = vec![0; limits.block];
    let mut begin = at;
    while begin > 0 && line.len() <= limits.max {
        let want = (limits.block as u64).min(begin) as usize;
        file.read_exact_at(&mut block[..want], begin - want as u64)?;
        let text = memchr::memrchr(b'\n', &block[..want]).map_or(0, |end| end + 1);
        line.splice(..0, block[text..want].iter().copied());
        begin -= (want - text) as u64;
        if text > 0 {
            break;
        }
    }
    let mut end = at;
    loop {
        let read = file.read_at(&mut block, end)?;
        let text = memchr::memchr(b'\n', &block[..read]).unwrap_or(read);
        if line.len() <= limits.max {
            line.extend_from_slice(&block[..text]);
        }
        end += text as u64;
        if text < read || read == 0 {
            break;
        }
    }
    if line.len() > limits.max {
        line.clear();
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    use super::*;

    fn meta(id: ThreadId, kind: &str, branch: &str) -> String {
        format!(
            r#"{{"timestamp":"2025-01-05T12:00:00.000Z","type":"{kind}","payload":{{"id":"{id}","git":{{"branch":"{branch}"}}}}}}"#
        )
    }

    fn branch(content: &str, id: ThreadId, from: u64, limits: Limits) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        later_meta_within(file.path(), id, from, limits).unwrap()?.git?.branch
    }

    proptest! {
        #[test]
        fn the_newest_record_of_the_thread_is_found_wherever_it_lies(
            lines in prop::collection::vec((0..5u8, 0..200usize), 0..12),
            block in 1..300usize,
            from in 0..2usize,
        ) {
            let (own, other) = (ThreadId::new(), ThreadId::new());
            let mut content = "x".repeat(from) + "\n";
            let mut newest = None;
            for (index, (kind, fill)) in lines.into_iter().enumerate() {
                let fill = " ".repeat(fill);
                let named = index.to_string();
                let line = match kind {
                    0 => meta(own, "session_meta", &named) + &fill,
                    1 => fill + &meta(own, "session_meta_update", &named),
                    2 => meta(other, "session_meta", &named),
                    3 => format!(r#"{{"type":"response_item","payload":{{"session_meta":"{fill}","text":"\"session_meta\""}}}}"#),
                    _ => format!("garbage \"session_meta{fill}"),
                };
                if kind < 2 {
                    newest = Some(named);
                }
                content += &(line + "\n");
            }
            let limits = Limits { block, ..Limits::default() };
            prop_assert_eq!(branch(&content, own, from as u64, limits), newest);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let id = ThreadId::new();
        let (long, short) = (meta(id, "session_meta", &"x".repeat(500)), meta(id, "session_meta", "b"));
        let limits = Limits { block: 16, max: 300 };
        for content in
            [format!("{long}\n{short}\n{long}"), format!("{short}\n{long}\n"), format!("{long}\n{short}")]
        {
            assert_eq!(branch(&content, id, 0, limits).as_deref(), Some("b"), "{content}");
        }
        assert_eq!(branch(&long, id, 0, limits), None);
    }
}
