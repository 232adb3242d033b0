//! Output as it is kept: its beginning, its end, and the count of everything.

use std::collections::VecDeque;

use super::utf8;

/// Output of any length, in bounded memory.
///
/// Bytes are kept as they came; where text is asked for, what is not UTF-8 becomes U+FFFD.
#[derive(Clone, Debug)]
pub struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// The most of each of the two.
    half: usize,
    bytes: u64,
    newlines: u64,
}

/// The beginning and the end of some output.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    /// The beginning, or everything where nothing was left out.
    pub head: String,
    /// How many bytes between the two were left out.
    pub left_out: u64,
    /// The end.
    pub tail: String,
}

impl Kept {
    /// Returns no output, of which at most so many bytes will be kept.
    pub fn new(most: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: most / 2, bytes: 0, newlines: 0 }
    }

    /// Adds what came.
    pub fn push(&mut self, output: &[u8]) {
        self.bytes += output.len() as u64;
        self.newlines += newlines(output);
        let (to_head, rest) = output.split_at(output.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(to_head);
        let to_tail = &rest[rest.len().saturating_sub(self.half)..];
        let crowded = (self.tail.len() + to_tail.len()).saturating_sub(self.half);
        self.tail.drain(..crowded);
        self.tail.extend(to_tail);
    }

    /// Returns how many bytes came.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns how many lines came, counting one that has no end.
    pub fn lines(&self) -> u64 {
        let last = self.tail.back().or(self.head.last());
        self.newlines + u64::from(last.is_some_and(|byte| *byte != b'\n'))
    }

    /// Returns everything that is kept, with a line in the middle where something is missing.
    pub fn text(&self) -> String {
        let Cut { head, left_out, tail } = self.cut(usize::MAX);
        if left_out == 0 { head } else { format!("{head}\n[... {left_out} bytes left out ...]\n{tail}") }
    }

    /// Returns the beginning and the end, together about so many bytes, cut between characters.
    pub fn cut(&self, most: usize) -> Cut {
        let mut kept = self.head.clone();
        kept.extend(&self.tail);
        let complete = kept.len() as u64 == self.bytes;
        if complete && kept.len() <= most {
            return Cut { head: text(&kept), left_out: 0, tail: String::new() };
        }
        let half = (most / 2).min(self.half);
        let head = &kept[..half];
        let head = &head[..head.len() - utf8::unfinished(head)];
        let tail = &kept[kept.len() - half..];
        let tail = &tail[utf8::continued(tail)..];
        let left_out = self.bytes - (head.len() + tail.len()) as u64;
        Cut { head: text(head), left_out, tail: text(tail) }
    }

    /// Takes what came and begins anew.
    pub(super) fn take_all(&mut self) -> Self {
        std::mem::replace(self, Self::new(self.half * 2))
    }

    /// Takes what came so far and begins anew, leaving the beginning of a character to its end.
    pub(super) fn take(&mut self) -> Self {
        let mut taken = self.take_all();
        let ends = taken.tail.iter().rev().chain(taken.head.iter().rev());
        let mut last: Vec<u8> = ends.take(3).copied().collect();
        last.reverse();
        let unfinished = &last[last.len() - utf8::unfinished(&last)..];
        for _ in unfinished {
            let _ = taken.tail.pop_back().or_else(|| taken.head.pop());
        }
        taken.bytes -= unfinished.len() as u64;
        self.push(unfinished);
        taken
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::{collection, prelude::*};

    use super::*;

    fn kept(most: usize, pieces: &[&[u8]]) -> Kept {
        let mut kept = Kept::new(most);
        pieces.iter().for_each(|piece| kept.push(piece));
        kept
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end() {
        let kept = kept(10, &[b"begin", b"much, much, much", b"-end-"]);
        assert_eq!(kept.text(), "begin\n[... 16 bytes left out ...]\n-end-");
        assert_eq!((kept.bytes(), kept.lines()), (26, 1));
    }

    #[test]
    fn lines_are_counted_where_nothing_is_kept() {
        assert_eq!(kept(4, &[b"a\nb\nc\n", b"d\ne\nf"]).lines(), 6);
        assert_eq!(kept(4, &[]).lines(), 0);
    }

    #[test]
    fn no_character_is_cut() {
        let kept = kept(8, &["aaäää€€bb".as_bytes()]);
        assert_eq!(kept.cut(8), Cut { head: "aaä".into(), left_out: 10, tail: "bb".into() });
        assert_eq!(kept.cut(6), Cut { head: "aa".into(), left_out: 12, tail: "bb".into() });
    }

    #[test]
    fn what_is_no_text_shows_as_that() {
        assert_eq!(kept(8, &[b"a\xff\xc3"]).text(), "a\u{fffd}\u{fffd}");
    }

    proptest! {
        #[test]
        fn takings_join_to_the_whole(text in "\\PC{0,20}", size in 1_usize..5, every in 1_usize..4) {
            let mut kept = Kept::new(1000);
            let mut joined = String::new();
            for (index, piece) in text.as_bytes().chunks(size).enumerate() {
                kept.push(piece);
                if index % every == 0 {
                    joined += &kept.take().text();
                }
            }
            prop_assert_eq!(joined + &kept.text(), text);
        }

        #[test]
        fn memory_and_counts_are_right_for_any_output(
            pieces in collection::vec(collection::vec(any::<u8>(), 0..30), 0..8),
            half in 4_usize..20,
            most in 0_usize..50,
        ) {
            let mut kept = Kept::new(2 * half);
            pieces.iter().for_each(|piece| kept.push(piece));
            let all = pieces.concat();
            prop_assert!(kept.head.len() <= half && kept.tail.len() <= half);
            prop_assert_eq!(kept.bytes(), all.len() as u64);
            prop_assert_eq!(kept.lines(), String::from_utf8_lossy(&all).lines().count() as u64);
            let cut = kept.cut(most);
            prop_assert_eq!(cut.left_out == 0, all.len() <= most.min(2 * half) || all.is_empty());
            prop_assert!(String::from_utf8_lossy(&all).starts_with(&cut.head));
        }
    }
}
