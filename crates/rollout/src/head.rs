//! The first session record of a file, which says of which thread it is and in which form.

use std::{io, path::Path};

use crate::{Line, MAX_LINE, Segment, SessionMeta, forward};

/// How far it is looked for, and the first message of the person. Damage and other programs' lines may stand before
/// them, the longest line that is read among these; behind more than that there is none.
pub(crate) const MAX_HEAD: u64 = MAX_LINE as u64 + (16 << 20);

/// The first session record.
pub(crate) struct First {
    pub(crate) meta: SessionMeta,
    /// Whether every line of the file has a number.
    pub(crate) numbered: bool,
}

/// Reads the first session record of a file.
pub(crate) fn first(path: &Path) -> io::Result<Option<First>> {
    let mut lines = forward(&[Segment::whole(path)]);
    while let Some(line) = lines.next()?
        && line.offset <= MAX_HEAD
    {
        let Some(line) = Line::parse(line.bytes) else { continue };
        if let Some(meta) = line.session_meta() {
            let numbered = line.ordinal.is_some() || meta.history_mode.as_deref() == Some("paginated");
            return Ok(Some(First { meta, numbered }));
        }
    }
    Ok(None)
}
