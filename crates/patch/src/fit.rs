//! Finds where the hunks of an update belong in a file, and makes the new text.

use crate::patch::{Hunk, HunkLine};

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How a line of a patch may differ from the line of the file that it stands for: the stricter way first.
const LIKENESSES: [fn(&str, &str) -> bool; 4] = [
    |a, b| a == b,
    |a, b| a.trim_end() == b.trim_end(),
    |a, b| a.trim() == b.trim(),
    |a, b| a.trim().chars().map(plain).eq(b.trim().chars().map(plain)),
];

/// A hunk that belongs nowhere in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// Where the hunk begins in the patch.
    pub line: usize,
    pub what: &'static str,
    pub hint: &'static str,
    pub missing: String,
}

/// Returns the text with all hunks carried out.
///
/// A line that comes new ends as most lines of the file do, at the end of the file too. Every other line stays as it
/// is, with its line break or without one.
pub(crate) fn fit(text: &str, hunks: &[Hunk]) -> Result<String, Unfit> {
    let (mark, body) = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(body) => (BYTE_ORDER_MARK, body),
        None => ("", text),
    };
    let whole: Vec<_> = body.split_inclusive('\n').collect();
    let lines: Vec<_> = whole.iter().map(|line| without_break(line)).collect();
    let line_break = usual_break(&whole);

    let mut new = String::with_capacity(body.len());
    let mut next = 0;
    for hunk in hunks {
        let place = find_place(&lines, next, hunk)?;
        new.extend(whole[next..place.at].iter().copied());
        next = place.at;
        for line in place.lines {
            match line {
                HunkLine::Keep(_) => {
                    new.push_str(whole[next]);
                    next += 1;
                }
                HunkLine::Remove(_) => next += 1,
                HunkLine::Insert(line) => {
                    if !new.is_empty() && !new.ends_with('\n') {
                        new.push_str(line_break);
                    }
                    new.push_str(line);
                    new.push_str(line_break);
                }
            }
        }
    }
    new.extend(whole[next..].iter().copied());
    new.insert_str(0, mark);
    Ok(new)
}

fn without_break(line: &str) -> &str {
    match line.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => line,
    }
}

fn usual_break(lines: &[&str]) -> &'static str {
    let crlf = lines.iter().filter(|line| line.ends_with("\r\n")).count();
    let ended = lines.iter().filter(|line| line.ends_with('\n')).count();
    if crlf * 2 > ended { "\r\n" } else { "\n" }
}

/// Where a hunk belongs.
struct Place<'a> {
    /// The line of the file.
    at: usize,
    /// The lines of the hunk that count.
    lines: &'a [HunkLine],
}

/// Finds the first place from a line on.
fn find_place<'a>(file: &[&str], from: usize, hunk: &'a Hunk) -> Result<Place<'a>, Unfit> {
    let mut below = from;
    for anchor in &hunk.anchors {
        let Some(at) = find(file, below, &[anchor]) else {
            return Err(unfit(file, hunk, "the `@@` line", &[anchor]));
        };
        below = at + 1;
    }
    let old: Vec<_> = hunk.lines.iter().filter_map(HunkLine::old).collect();
    if old.is_empty() {
        let at = if hunk.anchors.is_empty() || hunk.at_end { file.len() } else { below };
        return Ok(Place { at, lines: &hunk.lines });
    }
    // Some models repeat the `@@` line as the first line of the hunk.
    let starts = if hunk.anchors.is_empty() { below..=below } else { below - 1..=below };
    for start in starts.rev() {
        // A blank line at an end of the hunk may only part it from what stands beside it in the patch.
        for lines in [&hunk.lines, without_blank_ends(&hunk.lines)] {
            let old: Vec<_> = lines.iter().filter_map(HunkLine::old).collect();
            let at_end = hunk.at_end.then(|| find_at_end(file, start, &old)).flatten();
            if let Some(at) = at_end.or_else(|| find(file, start, &old)) {
                return Ok(Place { at, lines });
            }
        }
    }
    Err(unfit(file, hunk, "the lines", &old))
}

fn without_blank_ends(lines: &[HunkLine]) -> &[HunkLine] {
    let is_filled = |line: &HunkLine| !line.is_blank_context();
    let start = lines.iter().position(is_filled).unwrap_or(lines.len());
    let end = lines.iter().rposition(is_filled).map_or(start, |last| last + 1);
    &lines[start..end]
}

/// Finds lines that stand together, the first from a line on. There is no place for no lines.
fn find(file: &[&str], from: usize, wanted: &[&str]) -> Option<usize> {
    let last = file.len().checked_sub(wanted.len())?;
    if wanted.is_empty() {
        return None;
    }
    LIKENESSES.iter().find_map(|alike| (from..=last).find(|at| are_at(file, *at, wanted, alike)))
}

fn find_at_end(file: &[&str], from: usize, wanted: &[&str]) -> Option<usize> {
    let last = file.len().checked_sub(wanted.len()).filter(|last| *last >= from)?;
    LIKENESSES.iter().any(|alike| are_at(file, last, wanted, alike)).then_some(last)
}

fn are_at(file: &[&str], at: usize, wanted: &[&str], alike: &fn(&str, &str) -> bool) -> bool {
    wanted.iter().zip(&file[at..]).all(|(wanted, line)| alike(wanted, line))
}

fn unfit(file: &[&str], hunk: &Hunk, what: &'static str, missing: &[&str]) -> Unfit {
    let hint = match find(file, 0, missing) {
        Some(_) => {
            " below the hunk or `@@` line before it, only above: hunks must be in the order of the file"
        }
        None => "",
    };
    Unfit { line: hunk.line, what, hint, missing: missing.join("\n") }
}

/// Returns the character that a keyboard has in place of a typographic one.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests;
