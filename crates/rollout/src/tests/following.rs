//! A history that goes on from another file is read as one, as release 0.169 writes it.

use std::fs;

use pretty_assertions::assert_eq;
use uuid::Uuid;

use super::*;
use crate::{Disk, RolloutError, RolloutName, Writer, fork, segments, summarize};

struct Files {
    scratch: Scratch,
    made: u32,
}

impl Files {
    fn new() -> Self {
        Self { scratch: Scratch::new(), made: 0 }
    }

    /// Writes a numbered file with these messages; returns its path, and where each line ends.
    fn write(
        &mut self,
        id: ThreadId,
        piece: Option<Uuid>,
        base: Option<Value>,
        messages: &[&str],
    ) -> (PathBuf, Vec<usize>) {
        self.made += 1;
        let local_time = format!("2025-01-05T12:00:{:02}", self.made).parse().unwrap();
        let name = RolloutName { local_time, id, segment: piece };
        let path = self.scratch.home.active_path(&name);
        let time = format!("2025-01-05T12:00:{:02}.000Z", self.made);
        let mut first = json!({ "id": id, "timestamp": time, "history_mode": "paginated" });
        if let Some(base) = base {
            first["history_base"] = base;
        }
        let lines = messages.iter().map(|text| {
            let item =
                json!({ "type": "UserMessage", "id": text, "content": [{ "type": "text", "text": text }] });
            line("event_msg", json!({ "type": "item_completed", "item": item }))
        });
        let mut content = String::new();
        let mut ends = Vec::new();
        for (number, line) in [line("session_meta", first)].into_iter().chain(lines).enumerate() {
            content += &line.replacen('{', &format!(r#"{{"ordinal":{number},"#), 1);
            ends.push(content.len());
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        (path, ends)
    }

    fn read(&self, path: &Path) -> Vec<String> {
        let mut lines = forward(&segments(&self.scratch.home, path).unwrap());
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            if let Some(Event::ItemCompleted { item, .. }) = Line::parse(line.bytes).unwrap().event() {
                read.push(item["id"].as_str().unwrap().to_owned());
            }
        }
        read
    }

    fn preview(&self, path: &Path) -> Option<String> {
        summarize(path).unwrap().unwrap().0.preview
    }
}

fn base(piece: Uuid, end: usize) -> Option<Value> {
    Some(json!({ "thread_id": piece, "end_ordinal_exclusive": 1, "end_byte_offset": end }))
}

#[test]
fn forks_and_cuts_are_followed_through_every_file() {
    let mut files = Files::new();
    let [source, other] = [ThreadId::new(), ThreadId::new()];
    let piece = Uuid::now_v7();
    let (first, ends) = files.write(source, None, None, &["a", "b", "c"]);
    // Cut back to behind `b`, gone on with `d`, then forked behind `d`, and that fork forked without a word.
    let (cut, cut_ends) = files.write(source, Some(piece), base(source.as_uuid(), ends[2]), &["d", "e"]);
    let (fork, fork_ends) = files.write(other, None, base(piece, cut_ends[1]), &["f"]);
    let (last, _) = files.write(ThreadId::new(), None, base(other.as_uuid(), fork_ends[1]), &[]);
    assert_eq!(files.read(&first), ["a", "b", "c"]);
    assert_eq!(files.read(&cut), ["a", "b", "d", "e"]);
    assert_eq!(files.read(&fork), ["a", "b", "d", "f"]);
    assert_eq!(files.read(&last), ["a", "b", "d", "f"]);
    for path in [&first, &cut, &fork, &last] {
        assert_eq!(files.preview(path).as_deref(), Some("a"));
    }
    let created = |path| summarize(path).unwrap().unwrap().0.created_at;
    assert_eq!(created(&cut), created(&first), "a thread that was cut back is as old as it was");
    assert!(created(&fork) > created(&cut));
}

#[test]
fn a_source_may_be_archived() {
    let mut files = Files::new();
    let source = ThreadId::new();
    let (first, ends) = files.write(source, None, None, &["a", "b"]);
    let (fork, _) = files.write(ThreadId::new(), None, base(source.as_uuid(), ends[1]), &["c"]);
    let archived = files.scratch.home.archived().join(first.file_name().unwrap());
    fs::create_dir_all(archived.parent().unwrap()).unwrap();
    fs::rename(first, archived).unwrap();
    assert_eq!(files.read(&fork), ["a", "c"]);
}

#[test]
fn a_history_that_cannot_be_followed_is_an_error_that_names_the_file() {
    let mut files = Files::new();
    let [one, two, missing] = [ThreadId::new(), ThreadId::new(), ThreadId::new()];
    let (a, _) = files.write(one, None, base(two.as_uuid(), 10), &["a"]);
    let (b, _) = files.write(two, None, base(one.as_uuid(), 10), &["b"]);
    let home = &files.scratch.home;
    assert!(matches!(segments(home, &a), Err(RolloutError::Circular(path)) if path == a));
    assert!(matches!(segments(home, &b), Err(RolloutError::Circular(path)) if path == b));
    assert_eq!(files.preview(&a).as_deref(), Some("a"), "the summary is of what is there");
    let (c, _) = files.write(ThreadId::new(), None, base(missing.as_uuid(), 10), &["c"]);
    let error = segments(&files.scratch.home, &c).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("invalid paginated history lineage for {}: missing source rollout {missing}", c.display())
    );
    assert_eq!(files.preview(&c).as_deref(), Some("c"));
}

#[test]
fn a_fork_of_ours_stands_by_itself() {
    let mut files = Files::new();
    let source = ThreadId::new();
    let (first, ends) = files.write(source, None, None, &["a", "b"]);
    let (theirs, _) = files.write(ThreadId::new(), None, base(source.as_uuid(), ends[1]), &["c"]);
    let path = files.scratch.home.new_rollout(ThreadId::new(), "2025-01-06T12:00:00".parse().unwrap());
    let id = ThreadId::new();
    drop(
        fork(&Disk::default(), &segments(&files.scratch.home, &theirs).unwrap(), &path, meta(id, None))
            .unwrap(),
    );
    fs::remove_file(first).unwrap();
    fs::remove_file(theirs).unwrap();
    assert_eq!(files.read(&path), ["a", "c"]);
    let mut writer = Writer::open(&Disk::default(), &path).unwrap();
    writer.append(&[said("d")]).unwrap();
    let (summary, _) = summarize(&path).unwrap().unwrap();
    assert_eq!(
        (summary.id, summary.preview.as_deref(), summary.history_mode.as_deref()),
        (id, Some("a"), Some("paginated"))
    );
    assert_eq!(sayings(&path).last(), Some(&("d".to_owned(), Some(3))));
}
