//! Patching what a rollout says of its thread: a session record is never changed, a newer one is appended.

use std::{fs::File, path::Path};

use chrono::Utc;
use serde_json::{Map, Value};

use crate::{
    Disk, Line, RolloutError, Segment, SessionMeta,
    append::{self, Locked},
    backward,
    form::Form,
    forward, head,
};

/// Appends the thread's newest session record, patched, and returns it.
///
/// The time of change is put back afterwards: a patch of metadata is no activity, and must not reorder lists.
pub fn append_meta(
    disk: &Disk,
    path: &Path,
    patch: impl FnOnce(&mut SessionMeta),
) -> Result<SessionMeta, RolloutError> {
    let file = append::open(path)?;
    let mut locked = Locked::take(disk, &file, path)?;
    let mut newest = newest_meta(path, locked.len)?;
    let before = fields(&newest.meta)?;
    patch(&mut newest.meta);
    let after = fields(&newest.meta)?;
    let record = carry_over(newest.record, &before, after);
    let mut form = Form::of(path).map_err(RolloutError::io("read", path))?;
    let line = form.meta_line(&record, Utc::now())?;
    let modified = file.metadata().and_then(|before| before.modified());
    locked.append(&line)?;
    if let Err(error) = modified.and_then(|time| File::set_modified(&file, time)) {
        tracing::warn!(path = %path.display(), %error, "the time of change could not be put back");
    }
    Ok(newest.meta)
}

/// How far from the end a later record is looked for; one that lies farther back is known from the journal, or from
/// the content pass, and the caller's patch has it in hand.
const REACH: u64 = 1 << 20;

/// A session record: as we know it, and as it stands in the file.
struct Stored {
    meta: SessionMeta,
    record: Map<String, Value>,
}

/// Returns the last session record of the thread that the file is of, else the first one.
fn newest_meta(path: &Path, len: u64) -> Result<Stored, RolloutError> {
    let failed = || RolloutError::io("read", path);
    let whole = [Segment::whole(path)];
    let mut lines = forward(&whole);
    let first = loop {
        match lines.next().map_err(failed())?.filter(|line| line.offset <= head::MAX_HEAD) {
            None => return Err(RolloutError::NoSession(path.to_owned())),
            Some(line) => {
                if let Some(stored) = stored(line.bytes) {
                    break stored;
                }
            }
        }
    };
    let mut lines = backward(&whole);
    while let Some(line) = lines.next().map_err(failed())?
        && line.offset + REACH >= len
    {
        if let Some(stored) = stored(line.bytes).filter(|stored| stored.meta.id == first.meta.id) {
            return Ok(stored);
        }
    }
    Ok(first)
}

fn stored(line: &[u8]) -> Option<Stored> {
    let line = Line::parse(line)?;
    let meta = line.session_meta()?;
    Some(Stored { meta, record: serde_json::from_str(line.payload.get()).ok()? })
}

fn fields(meta: &SessionMeta) -> serde_json::Result<Map<String, Value>> {
    serde_json::to_value(meta).and_then(serde_json::from_value)
}

/// Changes in a record what the patch changed, and nothing else: parts that we do not know, or that are not of the
/// type that we know, stay as they are.
fn carry_over(
    mut record: Map<String, Value>,
    before: &Map<String, Value>,
    after: Map<String, Value>,
) -> Map<String, Value> {
    record.retain(|field, _| !before.contains_key(field) || after.contains_key(field));
    let changed = after.into_iter().filter(|(field, value)| before.get(field) != Some(value));
    record.extend(changed);
    record
}
