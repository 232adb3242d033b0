//! Where a history is cut: for a fork up to a turn, and for taking turns back.

use rollout::Segment;

use crate::HistoryError;
use crate::newest;
use crate::outline::Stretch;
use crate::source::Source;

/// Up to where a history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// The turn of this id is the last one.
    Through(&'a str),
    /// The turn of this id is the first one left out.
    Before(&'a str),
}

/// Returns the pieces of a thread's files that a fork begins with.
///
/// The cut is at a line: what the last turn's commands printed after a later turn had begun is left out.
pub fn fork_cut(segments: &[Segment], cut: Cut<'_>) -> Result<Vec<Segment>, HistoryError> {
    let source = Source::open(segments)?;
    let end = match cut {
        Cut::Through(turn_id) => require(&source, turn_id)?.1.end,
        Cut::Before(turn_id) => require(&source, turn_id)?.1.start,
    };
    Ok(source.segments(0..end))
}

/// Returns how many turns there are from this one to the end: so many a revert takes back.
pub fn turns_from(segments: &[Segment], turn_id: &str) -> Result<u32, HistoryError> {
    let (behind, _) = require(&Source::open(segments)?, turn_id)?;
    Ok(u32::try_from(behind).unwrap_or(u32::MAX).saturating_add(1))
}

fn require(source: &Source, turn_id: &str) -> Result<(usize, Stretch), HistoryError> {
    newest::find(source, turn_id)?.ok_or_else(|| HistoryError::TurnNotFound(turn_id.to_owned()))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::testing::{agent, event, recorded_turn, stored, stored_in_pieces, user};

    #[test]
    fn a_fork_begins_with_the_turns_up_to_the_cut_and_with_what_the_model_knew_then() {
        let t = |id: &str| recorded_turn(id, &format!("q{id}"), &format!("a{id}"));
        let back = || vec![event(json!({"type": "thread_rolled_back", "num_turns": 1}))];
        let marked = [t("1"), t("2"), back(), t("3"), t("4")].concat();
        let bare = [user("q1"), agent("a1"), user("q2"), agent("a2")].concat();
        for (lines, cut, expected) in [
            (&marked, Cut::Through("1"), "1 q1 a1"),
            (&marked, Cut::Through("3"), "1 3 q1 a1 q3 a3"),
            (&marked, Cut::Through("4"), "1 3 4 q1 a1 q3 a3 q4 a4"),
            (&marked, Cut::Before("4"), "1 3 q1 a1 q3 a3"),
            (&marked, Cut::Before("1"), ""),
            (&bare, Cut::Through("rollout-1"), "rollout-1 q1 a1"),
            (&bare, Cut::Before("rollout-5"), "rollout-1 q1 a1"),
        ] {
            for stored in [stored(lines), stored_in_pieces(lines, &[3, 9])] {
                let kept = fork_cut(&stored.segments, cut).unwrap();
                let turns =
                    crate::turns(&kept, None, usize::MAX).unwrap().turns.into_iter().map(|turn| turn.id);
                let known = crate::context(&kept).unwrap().items.into_iter().map(|item| item.text());
                assert_eq!(turns.chain(known).collect::<Vec<_>>().join(" "), expected, "{cut:?}");
            }
        }
    }

    #[test]
    fn a_revert_takes_back_the_turn_and_all_behind_it() {
        let lines =
            [recorded_turn("1", "q", "a"), recorded_turn("2", "q", "a"), recorded_turn("3", "q", "a")]
                .concat();
        let stored = stored(&lines);
        let segments = &stored.segments;
        assert_eq!(turns_from(segments, "2").unwrap(), 2);
        assert_eq!(turns_from(segments, "nope").unwrap_err().to_string(), "turn not found: nope");
        let unknown = fork_cut(segments, Cut::Through("nope")).unwrap_err();
        assert!(matches!(unknown, HistoryError::TurnNotFound(id) if id == "nope"));
    }
}
