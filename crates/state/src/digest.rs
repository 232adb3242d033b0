//! A folder's files in one number.
//!
//! Invariant: two folders with the same digest hold the same files in the same states, but for a chance of one in 2^64.
//! The number is stored, so it must come out the same in every build.

use rollout::Stamp;

/// How many files there are, and the exclusive or of their fingerprints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) files: i64,
    pub(crate) sum: i64,
}

impl Digest {
    pub(crate) fn add(&mut self, name: &str, stamp: Stamp) {
        self.files += 1;
        self.sum ^= fingerprint(name, stamp);
    }

    pub(crate) fn remove(&mut self, name: &str, stamp: Stamp) {
        self.files -= 1;
        self.sum ^= fingerprint(name, stamp);
    }
}

/// FNV-1a, and the last step of MurmurHash3, without which similar names would differ in few bits.
fn fingerprint(name: &str, Stamp { size, mtime_ns, ino }: Stamp) -> i64 {
    let stamp = [size.to_le_bytes(), mtime_ns.to_le_bytes(), ino.to_le_bytes()];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes().chain(stamp.into_iter().flatten()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (hash ^ (hash >> 33)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_the_files_and_not_of_their_order() {
        let stamp = |size| Stamp { size, mtime_ns: -1, ino: 7 };
        let of = |files: &[(&str, u64)]| {
            let mut digest = Digest::default();
            files.iter().for_each(|(name, size)| digest.add(name, stamp(*size)));
            digest
        };
        let both = of(&[("a", 1), ("b", 2)]);
        assert_eq!(both, of(&[("b", 2), ("a", 1)]));
        for other in
            [&[("a", 2), ("b", 1)][..], &[("a", 1)], &[("a", 1), ("b", 2), ("c", 3)], &[("a1", 1), ("b", 2)]]
        {
            assert_ne!(both, of(other), "{other:?}");
        }
        let mut grown = of(&[("a", 1), ("b", 2), ("c", 3)]);
        grown.remove("c", stamp(3));
        assert_eq!(grown, both);
    }

    #[test]
    fn the_number_is_the_same_in_every_build() {
        let stamp = Stamp { size: 1, mtime_ns: 2, ino: 3 };
        assert_eq!(fingerprint("rollout", stamp), -5_335_674_064_104_267_092);
    }
}
