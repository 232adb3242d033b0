//! The pauses that providers ask for before they are asked again.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Retry;

/// The longest pause that is made because a provider asks for it. Limits count by the minute, so two of them are
/// enough; whom the provider wants back only tomorrow is better told so than left waiting.
pub(super) const LONGEST: Duration = Duration::from_secs(120);

/// Asks again after the pause that the provider wants; not at all when nobody would wait that long.
pub(super) fn then_retry(after: Option<Duration>) -> Retry {
    match after {
        Some(after) if after > LONGEST => Retry::No,
        Some(after) => Retry::After(after),
        None => Retry::Stream,
    }
}

/// Reads `Retry-After`: seconds, or a date.
pub(super) fn from_header(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let seconds = value.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.or_else(|| {
        let at = DateTime::parse_from_rfc2822(value.trim()).ok()?;
        // A date that has passed asks for no pause.
        Some((at.to_utc() - now).to_std().unwrap_or_default())
    })
}

/// Reads the pause in "... Please try again in 1m6.5s." (or `28ms`, or `35 seconds`).
pub(super) fn from_words(words: &str) -> Option<Duration> {
    let (_, mut rest) = words.split_once("try again in ")?;
    let mut pause = None;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse::<f64>() else { return pause };
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ms" => number / 1000.0,
            "s" | "second" | "seconds" => number,
            "m" | "minute" | "minutes" => number * 60.0,
            "h" | "hour" | "hours" => number * 3600.0,
            _ => return pause,
        };
        let further = Duration::try_from_secs_f64(seconds).ok()?;
        pause = Some(pause.unwrap_or_default().saturating_add(further));
        rest = &rest[letters..];
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_pause_is_read_from_words() {
        for (words, pause) in [
            ("Rate limit reached. Please try again in 3s.", Some(3.0)),
            ("try again in 28ms", Some(0.028)),
            ("try again in 35 seconds.", Some(35.0)),
            ("try again in 1m6.5s. Visit us", Some(66.5)),
            ("try again in 1h", Some(3600.0)),
            ("try again in a while", None),
            ("try again in 5 apples", None),
            ("try again in 1.2.3s", None),
            ("try again in ", None),
            ("try again later", None),
        ] {
            assert_eq!(from_words(words), pause.map(Duration::from_secs_f64), "{words}");
        }
    }
}
