//! How much of a file is found again in another, in git's measure.

use std::collections::HashMap;

use super::blob::Side;

/// Longer lines are compared in pieces of this many bytes.
const MAX_PIECE: usize = 64;

/// Returns the part of the larger file that was in the other, in percent; nothing for what cannot be compared.
pub(super) fn similarity(old: &Side, new: &Side) -> Option<usize> {
    if old.id()? == new.id()? {
        return Some(100);
    }
    let (old, new) = (old.text()?, new.text()?);
    let mut had: HashMap<Vec<u8>, usize> = HashMap::new();
    for piece in pieces(old) {
        *had.entry(piece).or_default() += 1;
    }
    let mut common = 0;
    for piece in pieces(new) {
        if let Some(left) = had.get_mut(&piece).filter(|left| **left > 0) {
            *left -= 1;
            common += piece.len();
        }
    }
    (common * 100).checked_div(old.len().max(new.len()))
}

/// Cuts a text at its line breaks, of which there is one kind, and after so many bytes.
fn pieces(text: &str) -> impl Iterator<Item = Vec<u8>> {
    let mut bytes = text.bytes().peekable();
    std::iter::from_fn(move || {
        let mut piece = Vec::new();
        while let Some(byte) = bytes.next() {
            if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                continue;
            }
            piece.push(byte);
            if byte == b'\n' || piece.len() == MAX_PIECE {
                break;
            }
        }
        (!piece.is_empty()).then_some(piece)
    })
}
