//! From the text of a patch to its sections.
//!
//! Models are sloppy with what surrounds a patch and with blank lines, and no meaning is lost by that, so it is
//! accepted. Everything else is refused with the line and with what could have stood there: a patch that is read
//! wrongly is worse than one that is written again.

use crate::PatchError;
use crate::patch::{Action, Hunk, HunkLine, Patch, Section};

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File:";
const DELETE: &str = "*** Delete File:";
const UPDATE: &str = "*** Update File:";
const MOVE: &str = "*** Move to:";
const END_OF_FILE: &str = "*** End of File";
const PLACE: &str = "@@";
/// What all lines between hunks begin with.
const MARK: &str = "***";

const SECTION: &str =
    "a section, which begins with `*** Add File: `, `*** Delete File: ` or `*** Update File: ` and a path";

/// A longer line is quoted in part: the number of the line tells the rest.
const MAX_QUOTED_CHARS: usize = 120;

impl Patch {
    /// Reads a patch.
    ///
    /// Taken as well: blank lines and blanks around its first and last line, a here-document around it, line breaks of
    /// either kind, a first hunk without `@@`, empty lines without the blank or plus sign before them, and hunks with
    /// the line numbers of other diffs, which are ignored.
    pub fn parse(text: &str) -> Result<Self, PatchError> {
        let lines: Vec<_> = text.trim_start_matches('\u{feff}').lines().collect();
        let mut rest = Rest::within_marks(&lines)?;
        let mut sections = Vec::new();
        while rest.skip_blank().is_some() {
            sections.push(section(&mut rest)?);
        }
        match sections.is_empty() {
            true => Err(rest.expected(SECTION)),
            false => Ok(Self { sections }),
        }
    }
}

/// The lines that are yet to be read.
#[derive(Clone, Copy)]
struct Rest<'a> {
    lines: &'a [&'a str],
    next: usize,
    /// Where the last line of the patch stands, which is no longer read.
    end: usize,
}

impl<'a> Rest<'a> {
    /// Finds the first and the last line of the patch, and returns what is between them.
    fn within_marks(lines: &'a [&'a str]) -> Result<Self, PatchError> {
        let mut rest = Self { lines, next: 0, end: lines.len() };
        let tag = rest.skip_blank().and_then(here_document);
        if tag.is_some() {
            rest.next += 1;
            rest.skip_blank();
        }
        let mut last = rest.last_filled();
        if let Some(at) = last.filter(|at| tag == Some(lines[*at].trim())) {
            rest.end = at;
            last = rest.last_filled();
        }
        if rest.peek().is_none_or(|line| line.trim() != BEGIN) {
            return Err(rest.expected("`*** Begin Patch`"));
        }
        rest.next += 1;
        let last = last.filter(|last| *last >= rest.next);
        rest.end = last.unwrap_or(lines.len());
        if last.is_none_or(|last| lines[last].trim() != END) {
            let at_end = Self { next: rest.end, ..rest };
            return Err(at_end.expected("`*** End Patch` as the last line"));
        }
        Ok(rest)
    }

    fn peek(&self) -> Option<&'a str> {
        (self.next < self.end).then(|| self.lines[self.next])
    }

    /// Returns the next line that is not blank, without stepping over it.
    fn skip_blank(&mut self) -> Option<&'a str> {
        while self.peek()?.trim().is_empty() {
            self.next += 1;
        }
        self.peek()
    }

    /// Steps over blank lines that are not the context of a hunk, since a mark or nothing follows.
    fn skip_blank_before_mark(&mut self) -> Option<&'a str> {
        let mut ahead = *self;
        if ahead.skip_blank().is_none_or(|line| line.starts_with(MARK) || line.starts_with(PLACE)) {
            *self = ahead;
        }
        self.peek()
    }

    fn last_filled(&self) -> Option<usize> {
        (self.next..self.end).rev().find(|at| !self.lines[*at].trim().is_empty())
    }

    /// Says that the next line is not what it should be.
    fn expected(&self, expected: &'static str) -> PatchError {
        let found = match self.lines.get(self.next) {
            None => "the end of the text".to_owned(),
            Some(line) => {
                let mut quoted: String = line.chars().take(MAX_QUOTED_CHARS).collect();
                if quoted.len() < line.len() {
                    quoted.push('…');
                }
                format!("`{quoted}`")
            }
        };
        PatchError::Syntax { line: self.next + 1, expected, found }
    }
}

/// Returns the word that ends a here-document which the line begins, as in `apply_patch <<'EOF'`.
fn here_document(line: &str) -> Option<&str> {
    let line = line.trim();
    let redirection = line.strip_prefix("apply_patch").unwrap_or(line).trim_start();
    let tag = redirection.strip_prefix("<<")?.trim().trim_matches(['\'', '"']);
    (!tag.is_empty() && tag.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(tag)
}

fn section(rest: &mut Rest<'_>) -> Result<Section, PatchError> {
    let header = rest.peek().unwrap_or_default().trim();
    let path_behind = |mark| match header.strip_prefix(mark).map(str::trim) {
        Some("") => Err(rest.expected("a path behind the colon")),
        path => Ok(path.map(str::to_owned)),
    };
    let (add, delete, update) = (path_behind(ADD)?, path_behind(DELETE)?, path_behind(UPDATE)?);
    if let Some(path) = add {
        rest.next += 1;
        return Ok(Section { path, action: Action::Add { content: added(rest)? } });
    }
    if let Some(path) = delete {
        rest.next += 1;
        return Ok(Section { path, action: Action::Delete });
    }
    let Some(path) = update else { return Err(rest.expected(SECTION)) };
    rest.next += 1;
    Ok(Section { path, action: update_of(rest)? })
}

/// Reads the lines of a new file. Blank ones are part of it only if more follows.
fn added(rest: &mut Rest<'_>) -> Result<String, PatchError> {
    let mut content = String::new();
    let mut blank = 0;
    while let Some(line) = rest.peek() {
        if let Some(text) = line.strip_prefix('+') {
            content.extend(std::iter::repeat_n('\n', blank));
            content.push_str(text);
            content.push('\n');
            blank = 0;
        } else if line.trim().is_empty() {
            blank += 1;
        } else if line.trim_start().starts_with(MARK) {
            break;
        } else {
            return Err(rest.expected("a line of the new file, which begins with `+`, or a section"));
        }
        rest.next += 1;
    }
    Ok(content)
}

fn update_of(rest: &mut Rest<'_>) -> Result<Action, PatchError> {
    let mut move_to = None;
    if let Some(path) = rest.skip_blank_before_mark().and_then(|line| line.strip_prefix(MOVE)) {
        if path.trim().is_empty() {
            return Err(rest.expected("a path behind the colon"));
        }
        move_to = Some(path.trim().to_owned());
        rest.next += 1;
    }
    let mut hunks: Vec<Hunk> = Vec::new();
    while let Some(line) = rest.skip_blank_before_mark() {
        let is_end_of_file = line.trim_end() == END_OF_FILE;
        if line.starts_with(MARK) && !is_end_of_file {
            break;
        }
        if !hunks.is_empty() && !line.starts_with(PLACE) {
            return Err(rest.expected("`@@` or a section"));
        }
        hunks.push(hunk(rest)?);
    }
    if hunks.is_empty() && move_to.is_none() {
        return Err(rest.expected("a hunk, which begins with `@@`, or `*** Move to: ` and a path"));
    }
    Ok(Action::Update { move_to, hunks })
}

fn hunk(rest: &mut Rest<'_>) -> Result<Hunk, PatchError> {
    let mut hunk = Hunk { line: rest.next + 1, ..Hunk::default() };
    while let Some(place) = rest.skip_blank_before_mark().and_then(|line| line.strip_prefix(PLACE)) {
        hunk.anchors.extend(anchor(place).map(str::to_owned));
        rest.next += 1;
    }
    // How many lines at the end are blank and bare, so that they may as well be what parts two sections.
    let mut bare = 0;
    while let Some(line) = rest.peek().filter(|line| !line.starts_with(PLACE)) {
        let ends_file = line.trim_end() == END_OF_FILE;
        if line.starts_with(MARK) && !ends_file {
            break;
        }
        if ends_file && !hunk.lines.is_empty() {
            hunk.at_end = true;
            rest.next += 1;
            break;
        }
        hunk.lines.push(hunk_line(line).ok_or_else(|| {
            rest.expected("a line of a hunk, which begins with a blank, `+` or `-`, or `@@`, or a section")
        })?);
        bare = if line.is_empty() { bare + 1 } else { 0 };
        rest.next += 1;
    }
    let filled = hunk.lines.len() - bare;
    if hunk.lines[..filled].iter().all(|line| line.old().is_none()) {
        hunk.lines.truncate(filled);
    }
    match hunk.lines.is_empty() {
        true => Err(rest.expected("a line of the hunk, which begins with a blank, `+` or `-`")),
        false => Ok(hunk),
    }
}

fn hunk_line(line: &str) -> Option<HunkLine> {
    let mut chars = line.chars();
    let line: fn(String) -> HunkLine = match chars.next() {
        None | Some(' ') => HunkLine::Keep,
        Some('-') => HunkLine::Remove,
        Some('+') => HunkLine::Insert,
        Some(_) => return None,
    };
    Some(line(chars.as_str().to_owned()))
}

/// Returns the line that a place names, from what stands behind its `@@`.
fn anchor(place: &str) -> Option<&str> {
    let place = place.strip_prefix(' ').unwrap_or(place).trim_end();
    let is_numbers = |text: &str| {
        text.starts_with('-') && text.contains(" +") && !text.contains(|c| !"-+, 0123456789".contains(c))
    };
    // Other diffs give numbers here, and the line that is looked for only behind a second `@@`.
    let line = match place.split_once(PLACE) {
        Some((numbers, line)) if is_numbers(numbers) => line.trim(),
        _ => place,
    };
    Some(line).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests;
