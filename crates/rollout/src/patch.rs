//! Patching what a rollout says of its thread: a session record is never changed, a newer one is appended.

use std::{fs::File, path::Path};

use chrono::Utc;

use crate::{
    Line, Record, RolloutError, Segment, SessionMeta,
    append::{self, Locked},
    backward,
    form::Form,
    forward,
};

/// Appends the thread's newest session record, patched, and returns it.
///
/// The time of change is put back afterwards: a patch of metadata is no activity, and must not reorder lists.
pub fn append_meta(path: &Path, patch: impl FnOnce(&mut SessionMeta)) -> Result<SessionMeta, RolloutError> {
    let file = append::open(path)?;
    let mut locked = Locked::take(&file, path)?;
    let mut meta = newest_meta(path)?;
    patch(&mut meta);
    let mut form = Form::of(path).map_err(RolloutError::io("read", path))?;
    let record = Record::SessionMeta(Box::new(meta.clone()));
    let lines = form.render(&[record], Utc::now())?;
    let modified = file.metadata().and_then(|before| before.modified());
    locked.append(&lines)?;
    if let Err(error) = modified.and_then(|time| File::set_modified(&file, time)) {
        tracing::warn!(path = %path.display(), %error, "the time of change could not be put back");
    }
    Ok(meta)
}

/// How far from the end a later record is looked for; one that lies farther back is known from the journal, or from
/// the content pass, and the caller's patch has it in hand.
const REACH: u64 = 1 << 20;

/// Returns the last session record of the thread that the file is of, else the first one.
fn newest_meta(path: &Path) -> Result<SessionMeta, RolloutError> {
    let failed = || RolloutError::io("read", path);
    let whole = [Segment { path: path.to_owned(), start: 0, end: None, thread: None }];
    let mut lines = forward(&whole);
    let first = loop {
        match lines.next().map_err(failed())? {
            None => return Err(RolloutError::NoSession(path.to_owned())),
            Some(line) => {
                if let Some(meta) = Line::parse(line.bytes).and_then(|line| line.session_meta()) {
                    break meta;
                }
            }
        }
    };
    let len = path.metadata().map_err(failed())?.len();
    let mut lines = backward(&whole);
    while let Some(line) = lines.next().map_err(failed())? {
        if line.offset + REACH < len {
            break;
        }
        let meta = Line::parse(line.bytes).and_then(|line| line.session_meta());
        if let Some(meta) = meta.filter(|meta| meta.id == first.id) {
            return Ok(meta);
        }
    }
    Ok(first)
}
