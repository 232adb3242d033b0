//! Copying a history into the rollout of a new thread.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::Path,
    slice,
};

use chrono::Utc;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Disk, Kind, Line, Record, RolloutError, Segment, SessionMeta, Writer, append::Locked, form::Form,
    forward, line, unfinished::Unfinished,
};

/// How much is written at once.
const BLOCK: usize = 128 << 10;

/// Makes the rollout of a new thread: its session record, then every line of the segments as it is.
///
/// Lines that have numbers are numbered anew, without a gap, and session records of the source are left out among them:
/// release 0.169 would take one for the beginning. Of the others no byte changes. The file takes its name when it is
/// whole, so that a crash leaves no half thread.
pub fn fork(
    disk: &Disk,
    segments: &[Segment],
    path: &Path,
    mut meta: SessionMeta,
) -> Result<Writer, RolloutError> {
    let source = closed(segments)?;
    let numbered = match source.last() {
        Some(last) => Form::of(&last.path).map_err(RolloutError::io("read", &last.path))?.is_numbered(),
        None => false,
    };
    meta.history_base = None;
    meta.history_mode = match numbered {
        true => Some("paginated".to_owned()),
        false => meta.history_mode.filter(|mode| mode != "paginated"),
    };
    let mut form = Form::of_new(&meta);
    let head = form.render(&[Record::SessionMeta(Box::new(meta))], Utc::now())?;

    let unfinished = Unfinished::beside(disk, path)?;
    let mut target = BufWriter::with_capacity(BLOCK, &unfinished.file);
    let copied = target.write_all(&head).and_then(|()| match &mut form {
        Form::Events => source.iter().try_for_each(|segment| copy(segment, &mut target)),
        Form::Ordinals { next, .. } => {
            source.iter().try_for_each(|segment| renumber(segment, next, &mut target))
        }
    });
    copied.and_then(|()| target.flush()).map_err(RolloutError::io("write", &unfinished.path))?;
    drop(target);
    unfinished.finish(path, form)
}

/// Gives each segment its end: what is appended from now on is no part of the copy.
fn closed(segments: &[Segment]) -> Result<Vec<Segment>, RolloutError> {
    let mut closed = segments.to_vec();
    for Segment { path, end, .. } in &mut closed {
        let file = File::open(&*path).map_err(RolloutError::io("open", &*path))?;
        // Under its lock a file ends with a whole line, unless a crash tore it.
        let len = Locked::take(&Disk::default(), &file, path)?.len;
        *end = Some(end.map_or(len, |end| end.min(len)));
    }
    Ok(closed)
}

/// Copies the bytes of a segment, and a line break behind a torn last line.
fn copy(segment: &Segment, target: &mut BufWriter<&File>) -> io::Result<()> {
    let (file, end) = open(segment)?;
    copy_range(&file, segment.start, end, target)?;
    break_line(&file, segment.start, end, target)
}

/// Copies a segment with new numbers. What is no line, or too long to be read as one, stays as it is.
fn renumber(segment: &Segment, next: &mut u64, target: &mut BufWriter<&File>) -> io::Result<()> {
    let (file, end) = open(segment)?;
    let mut copied = segment.start;
    let mut lines = forward(slice::from_ref(segment));
    while let Some(line) = lines.next()? {
        let Some(parsed) = Line::parse(line.bytes) else { continue };
        copy_range(&file, copied, line.offset, target)?;
        copied = line.offset + line.bytes.len() as u64;
        if parsed.kind == Kind::SessionMeta {
            copied += 1; // its line break
            continue;
        }
        let place = place_of_ordinal(line.bytes);
        target.write_all(&line.bytes[..place.start])?;
        match place.is_empty() {
            true => write!(target, r#""ordinal":{next},"#)?,
            false => write!(target, "{next}")?,
        }
        target.write_all(&line.bytes[place.end..])?;
        *next += 1;
    }
    if copied > end {
        return Ok(()); // a last line without its break was left out
    }
    copy_range(&file, copied, end, target)?;
    break_line(&file, segment.start, end, target)
}

/// Returns where in a line its number stands; an empty place at its head where it has none.
fn place_of_ordinal(line: &[u8]) -> Range<usize> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        ordinal: Option<&'a RawValue>,
    }
    let text = line::trimmed(line);
    let ordinal = serde_json::from_slice(text).ok().and_then(|Envelope { ordinal }| ordinal);
    let place = ordinal.map_or(&text[1..1], |ordinal| ordinal.get().as_bytes());
    let start = place.as_ptr().addr() - line.as_ptr().addr();
    start..start + place.len()
}

fn open(segment: &Segment) -> io::Result<(File, u64)> {
    let file = File::open(&segment.path)?;
    let end = segment.end.unwrap_or(file.metadata()?.len());
    Ok((file, end.max(segment.start)))
}

/// Copies bytes past the buffer: the kernel does that better.
fn copy_range(mut file: &File, start: u64, end: u64, target: &mut BufWriter<&File>) -> io::Result<()> {
    if start >= end {
        return Ok(());
    }
    file.seek(SeekFrom::Start(start))?;
    if end - start < BLOCK as u64 {
        io::copy(&mut file.take(end - start), target)?;
        return Ok(());
    }
    target.flush()?;
    io::copy(&mut file.take(end - start), target.get_mut())?;
    Ok(())
}

fn break_line(file: &File, start: u64, end: u64, target: &mut impl Write) -> io::Result<()> {
    let mut last = [b'\n'];
    if start < end {
        file.read_exact_at(&mut last, end - 1)?;
    }
    match last {
        [b'\n'] => Ok(()),
        _ => target.write_all(b"\n"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;
    use tempfile::TempDir;

    use super::*;
    use crate::{Event, ThreadId};

    const SOURCE: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

    fn files(contents: &[&[u8]]) -> (TempDir, Vec<Segment>) {
        let folder = tempfile::tempdir().unwrap();
        let segments = contents.iter().enumerate().map(|(index, content)| {
            let path = folder.path().join(index.to_string());
            fs::write(&path, content).unwrap();
            Segment { path, start: 0, end: None, thread: None }
        });
        let segments = segments.collect();
        (folder, segments)
    }

    /// Forks, and returns the file behind its first line, and the first line.
    fn forked(contents: &[&[u8]], ends: &[Option<u64>]) -> (String, SessionMeta) {
        let (folder, mut segments) = files(contents);
        for (segment, end) in segments.iter_mut().zip(ends) {
            segment.end = *end;
        }
        let path = folder.path().join("2025/fork");
        let meta =
            SessionMeta { id: ThreadId::new(), history_base: Some(1.into()), ..SessionMeta::default() };
        fork(&Disk::default(), &segments, &path, meta).unwrap();
        let names = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(names.count(), 1, "nothing but the fork is left");
        let text = fs::read(&path).unwrap();
        let end = text.iter().position(|byte| *byte == b'\n').unwrap();
        let meta = Line::parse(&text[..end]).unwrap().session_meta().unwrap();
        (String::from_utf8_lossy(&text[end + 1..]).into_owned(), meta)
    }

    #[test]
    fn lines_without_numbers_are_copied_to_the_byte() {
        let meta = format!(r#"{{"type":"session_meta","payload":{{"id":"{SOURCE}"}}}}"#);
        let odd = b"garbage \xff\r\n\n\0\0{\"type\":\"future\",\"payload\":1}\r\n{\"torn";
        let (copy, forked) = forked(&[meta.as_bytes(), odd, b"", b"last\n"], &[]);
        assert_eq!(copy, format!("{meta}\n{}\nlast\n", String::from_utf8_lossy(odd)));
        assert_eq!((forked.history_mode, forked.history_base), (None, None));
    }

    #[test]
    fn what_is_behind_the_end_of_a_segment_is_left_out() {
        for (ends, copy) in [
            ([Some(2), None], "a\nc\nd\n"),
            ([None, Some(0)], "a\nb\n"),
            ([None, Some(2)], "a\nb\nc\n"),
            ([Some(99), Some(99)], "a\nb\nc\nd\n"),
        ] {
            assert_eq!(forked(&[b"a\nb\n", b"c\nd\n"], &ends).0, copy, "{ends:?}");
        }
    }

    #[test]
    fn numbers_are_gapless_over_segments_and_damage() {
        let line = |head: &str| format!(r#"{{{head}"type":"x","payload":{{"ordinal":7}}}}"#);
        let meta = format!(r#"{{"ordinal":4,"type":"session_meta","payload":{{"id":"{SOURCE}"}}}}"#);
        let file = |meta: &str, numbers: [&str; 3]| {
            let [one, two, three] = numbers.map(line);
            format!("{meta}garbage\n\u{feff}{one}\r\n{{\"ordinal\":3,\"ty\n\n{two}\n{three}")
        };
        let first =
            file(&format!("{meta}\n"), [r#""timestamp":"t","ordinal": 5 ,"#, "", r#""ordinal":"x","#]);
        let (copy, forked) = forked(&[first.as_bytes(), meta.as_bytes()], &[]);
        let numbers = [r#""timestamp":"t","ordinal": 1 ,"#, r#""ordinal":2,"#, r#""ordinal":3,"#];
        assert_eq!(copy, file("", numbers) + "\n");
        assert_eq!(forked.history_mode.as_deref(), Some("paginated"));
    }

    #[test]
    fn the_writer_goes_on_where_the_copy_ends() {
        let numbered =
            br#"{"ordinal":0,"type":"session_meta","payload":{"id":"67e55044-10b1-426f-9247-bb680e5fe0c8"}}"#;
        let (folder, segments) = files(&[numbered]);
        let path = folder.path().join("fork");
        let mut writer = fork(&Disk::default(), &segments, &path, SessionMeta::default()).unwrap();
        assert!(!writer.has_grown());
        writer.append(&[Record::EventMsg(Event::ThreadRolledBack { num_turns: 1 })]).unwrap();
        let text = fs::read(&path).unwrap();
        let ordinals: Vec<_> =
            text.split(|byte| *byte == b'\n').filter_map(Line::parse).map(|line| line.ordinal).collect();
        assert_eq!(ordinals, [Some(0), Some(1)]);
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let (folder, segments) = files(&[b"a\n"]);
        let path = folder.path().join("fork");
        fs::write(&path, "mine").unwrap();
        assert!(fork(&Disk::default(), &segments, &path, SessionMeta::default()).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        let missing = [Segment { path: "/nowhere".into(), ..segments[0].clone() }];
        assert!(
            fork(&Disk::default(), &missing, &folder.path().join("other"), SessionMeta::default()).is_err()
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
