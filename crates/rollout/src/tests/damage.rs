//! Damage costs the line that it is in, whoever reads it and from which end.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{
    Disk, Kind, RawLine, Writer,
    backward::Backward,
    fork,
    forward::{Forward, Limits},
};

/// Lines as crashes, editors and other programs leave them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..1000u32).prop_map(|n| line("event_msg", json!({"type": "agent_message", "message": n.to_string()})).into_bytes()),
        1 => "[ -~]{0,40}\n".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::sample::select(vec![&b"\n"[..], b"\r\n", b" \t\n", b"\0\0\0\0", b"\xef\xbb\xbf", b"\xff\n", b"{\"type\":"]).prop_map(<[u8]>::to_vec),
    ]
}

/// A file in either form, cut anywhere.
fn content() -> impl Strategy<Value = (bool, Vec<u8>)> {
    (any::<bool>(), prop::collection::vec(piece(), 0..12), any::<prop::sample::Index>()).prop_map(
        |(numbered, pieces, cut)| {
            let mode = if numbered { "paginated" } else { "legacy" };
            let mut content =
                line("session_meta", json!({ "id": ThreadId::default(), "history_mode": mode })).into_bytes();
            let head = content.len();
            content.extend(pieces.concat());
            content.truncate(head + cut.index(content.len() - head + 1));
            (numbered, content)
        },
    )
}

/// Reads a file as plainly as can be.
fn plainly(content: &[u8], max: usize) -> Vec<(u64, Vec<u8>)> {
    let mut offset = 0;
    let mut lines = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        if !line.trim_ascii().is_empty() && line.len() <= max {
            lines.push((offset, line.to_vec()));
        }
        offset += line.len() as u64 + 1;
    }
    lines
}

fn owned(line: RawLine<'_>) -> (u64, Vec<u8>) {
    (line.offset, line.bytes.to_vec())
}

proptest! {
    #[test]
    fn both_directions_read_the_same_lines(
        (_, content) in content(),
        start in any::<prop::sample::Index>(),
        max in 0..200usize,
        block in 1..40usize,
    ) {
        let scratch = Scratch::new();
        let path = scratch.file("x", &content);
        let limits = Limits { max, block };
        let start = start.index(content.len());
        let mut expected = plainly(&content[start..], max);
        expected.iter_mut().for_each(|(offset, _)| *offset += start as u64);
        let segments = [Segment { start: start as u64, ..Segment::whole(&path) }];

        let (mut lines, mut read) = (Forward::with(&segments, limits), Vec::new());
        while let Some(line) = lines.next().unwrap() {
            read.push(owned(line));
        }
        prop_assert_eq!(&read, &expected);
        let (mut lines, mut read) = (Backward::with(&segments, limits), Vec::new());
        while let Some(line) = lines.next().unwrap() {
            read.push(owned(line));
        }
        read.reverse();
        prop_assert_eq!(&read, &expected);
    }

    #[test]
    fn an_append_behind_damage_loses_nothing_and_is_read_once((numbered, content) in content()) {
        let scratch = Scratch::new();
        let path = scratch.file("x", &content);
        let before = sayings(&path);
        let mut writer = Writer::open(&Disk::default(), &path).unwrap();
        let appended = writer.append(&[said("one"), said("two")]).unwrap();
        writer.append(&[said("three")]).unwrap();

        let after = sayings(&path);
        prop_assert_eq!(&after[..before.len()], &before[..]);
        let new: Vec<_> = after[before.len()..].iter().map(|(text, _)| text.as_str()).collect();
        prop_assert_eq!(new, ["one", "two", "three"]);
        let numbers: Vec<_> = after[before.len()..].iter().map(|(_, number)| *number).collect();
        let expected = if numbered { [Some(0), Some(1), Some(2)] } else { [None; 3] };
        prop_assert_eq!(numbers, expected, "nothing in the file has a number");
        let bytes = fs::read(&path).unwrap();
        prop_assert!(bytes.starts_with(&content), "no byte is rewritten");
        prop_assert_eq!(plainly(&bytes[appended.start as usize..appended.end as usize], usize::MAX).len(), 2);
    }
}

proptest! {
    #[test]
    fn a_fork_has_the_same_lines((numbered, content) in content(), cut in any::<prop::sample::Index>()) {
        let scratch = Scratch::new();
        let (path, forked) = (scratch.file("x", &content), scratch.home.root().join("y"));
        let cut = cut.index(content.len() + 1);
        let source = [Segment { end: Some(cut as u64), ..Segment::whole(&path) }];
        drop(fork(&Disk::default(), &source, &forked, meta(ThreadId::new(), None)).unwrap());
        let copy = fs::read(&forked).unwrap();
        let copy = &copy[copy.iter().position(|byte| *byte == b'\n').unwrap() + 1..];
        prop_assert!(copy.is_empty() || copy.ends_with(b"\n"));
        let source = &content[..cut];
        if !numbered {
            prop_assert_eq!(copy.strip_suffix(b"\n").unwrap_or(copy), source.strip_suffix(b"\n").unwrap_or(source));
            return Ok(());
        }
        let read = |content: &[u8]| -> Vec<_> {
            let lines = content.split(|byte| *byte == b'\n').filter_map(Line::parse);
            let lines = lines.filter(|line| line.kind != Kind::SessionMeta);
            lines.map(|line| (line.ordinal, line.payload.get().to_owned())).collect()
        };
        let (source, copy) = (read(source), read(copy));
        prop_assert!(source.iter().map(|(_, payload)| payload).eq(copy.iter().map(|(_, payload)| payload)));
        prop_assert!(copy.iter().enumerate().all(|(at, (ordinal, _))| *ordinal == Some(at as u64 + 1)));
    }
}

#[test]
fn memory_does_not_grow_with_a_line_that_is_too_long() {
    let scratch = Scratch::new();
    let path = scratch.file("x", format!("a\n{}\nb", "x".repeat(1 << 20)));
    let limits = Limits { max: 100, block: 64 };
    let mut lines = Forward::with(&[Segment::whole(&path)], limits);
    let mut read = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        read.push(line.bytes.to_vec());
    }
    assert_eq!(read, [b"a", b"b"]);
    assert!(lines.held() <= 2 * (limits.max + limits.block), "{} bytes", lines.held());
    let mut lines = Backward::with(&[Segment::whole(&path)], limits);
    let mut most = 0;
    let mut read = Vec::new();
    while let Some(line) = lines.next().unwrap() {
        read.push(line.bytes.to_vec());
        most = most.max(lines.held());
    }
    assert_eq!(read, [b"b", b"a"]);
    assert!(most <= 4 * (limits.max + limits.block), "{most} bytes");
}
