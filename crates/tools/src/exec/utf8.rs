//! Where UTF-8 may be cut.

/// Returns how many bytes at the end begin a character that is not all there yet: at most three.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    for length in 1..=bytes.len().min(3) {
        let needed = match bytes[bytes.len() - length] {
            0b1000_0000..=0b1011_1111 => continue,
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            _ => 1,
        };
        return if needed > length { length } else { 0 };
    }
    0
}

/// Returns how many bytes at the start continue a character that began before them: at most three.
pub(super) fn continued(bytes: &[u8]) -> usize {
    bytes.iter().take(3).take_while(|byte| matches!(byte, 0b1000_0000..=0b1011_1111)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_cut_anywhere_reads_as_text_up_to_the_cut(text in "\\PC{1,12}", cut in 0_usize..48) {
            let (before, behind) = text.as_bytes().split_at(cut.min(text.len()));
            let whole = before.len() - unfinished(before);
            prop_assert!(text.is_char_boundary(whole));
            prop_assert!(before.len() - whole < 4);
            prop_assert!(text.is_char_boundary(before.len() + continued(behind)));
        }

        #[test]
        fn no_bytes_are_held_back_for_ever(bytes in proptest::collection::vec(any::<u8>(), 0..8)) {
            prop_assert!(unfinished(&bytes) <= 3.min(bytes.len()));
            prop_assert!(continued(&bytes) <= 3.min(bytes.len()));
        }
    }
}
