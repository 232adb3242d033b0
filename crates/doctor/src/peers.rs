//! What the reference servers (releases 0.120 and 0.169) make of what we cope with, as observed.

use rollout::Flaw;

/// How many files of a kind they look at for a list; what is older is never shown.
pub(crate) const SCANNED: u64 = 10_000;

/// They read whole lines without a bound. Lines of 8 MB were seen to do no harm.
pub(crate) const GIANT: u64 = 16 << 20;

pub(crate) const NO_SESSION: &str = "cannot be read or resumed";
pub(crate) const LATE_SESSION: &str = "0.169 reads it, but does not resume it";
pub(crate) const NAME: &str = "goes by the id of its session record; calls with the id of its name fail";
pub(crate) const DUPLICATE: &str = "is listed twice";
pub(crate) const BASE: &str = "0.169 does not open it: invalid paginated history lineage";
pub(crate) const ORDINAL: &str = "0.169 shows it, but fails every resume";
pub(crate) const GIANT_LINE: &str = "is held in memory as a whole, several times over";

/// Returns what they make of a line with a flaw; nothing where they pass it over as we do.
pub(crate) fn of_flaw(flaw: Flaw) -> Option<&'static str> {
    match flaw {
        Flaw::NotUtf8 => Some("the thread cannot be read or resumed, and 0.120 may not list it"),
        Flaw::Mark => Some("the thread cannot be read"),
        Flaw::Nul => Some("at the end of a file, 0.120 glues the next line to it and loses that"),
        Flaw::Torn => Some("0.120 glues the next line to it: the next turn loses its beginning"),
        Flaw::Unended => Some("0.120 glues the next line to it: both are lost"),
        Flaw::TooLong => Some(GIANT_LINE),
        Flaw::NotJson | Flaw::NotARecord => None,
    }
}
