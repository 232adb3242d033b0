//! Pages against a whole read, on recorded and on random sessions.

use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::ThreadItem;
use serde_json::{Value, json};

use super::*;
use crate::shelf::Shelf;
use crate::testing::{Stored, agent, event, message, model, recorded_turn, stored, stored_in_pieces, user};

const ASC: Option<SortDirection> = Some(SortDirection::Asc);
const DESC: Option<SortDirection> = Some(SortDirection::Desc);
const FULL: Option<TurnItemsView> = Some(TurnItemsView::Full);
/// Room for everything.
const ANY: usize = usize::MAX;

/// A request for everything that a page has room for.
const ALL: PageRequest<'static> =
    PageRequest { cursor: None, limit: Some(MAX_PAGE), direction: None, view: None, max_bytes: ANY };
const ALL_ITEMS: ItemPageRequest<'static> =
    ItemPageRequest { turn_id: None, cursor: None, limit: Some(MAX_PAGE), direction: None, max_bytes: ANY };

/// Follows the cursors of turn pages to the end.
fn turn_pages(stored: &Stored, request: PageRequest<'_>) -> Vec<TurnsPage> {
    let mut pages: Vec<TurnsPage> = Vec::new();
    loop {
        let cursor = pages.last().and_then(|page| page.next_cursor.clone());
        let cursor = cursor.as_deref().or(request.cursor);
        pages.push(turn_page(&stored.segments, &PageRequest { cursor, ..request }, None).unwrap());
        if pages.last().is_none_or(|page| page.next_cursor.is_none()) {
            return pages;
        }
    }
}

/// Follows the cursors of item pages to the end.
fn item_pages(stored: &Stored, request: ItemPageRequest<'_>) -> Vec<ThreadItemsListResponse> {
    let mut pages: Vec<ThreadItemsListResponse> = Vec::new();
    loop {
        let next = pages.last().and_then(|page| page.next_cursor.clone()).map(ThreadItemsListCursor::Opaque);
        let cursor = next.as_ref().or(request.cursor);
        pages.push(item_page(&stored.segments, &ItemPageRequest { cursor, ..request }).unwrap());
        if pages.last().is_none_or(|page| page.next_cursor.is_none()) {
            return pages;
        }
    }
}

fn ids(page: &TurnsPage) -> Vec<&str> {
    page.data.iter().map(|turn| turn.id.as_str()).collect()
}

fn seven() -> Vec<String> {
    (0..7).flat_map(|n| recorded_turn(&format!("t-{n}"), &format!("q{n}"), &format!("a{n}"))).collect()
}

#[test]
fn turns_come_newest_first_and_as_summaries_unless_asked_otherwise() {
    let stored = stored(
        &[seven(), vec![event(json!({"type": "exec_command_end", "call_id": "c", "turn_id": "t-6"}))]]
            .concat(),
    );
    let asked = PageRequest { limit: None, ..ALL };
    let page = turn_page(&stored.segments, &asked, None).unwrap();
    assert_eq!(ids(&page), ["t-6", "t-5", "t-4", "t-3", "t-2", "t-1", "t-0"]);
    assert_eq!((page.data[0].items_view, page.data[0].items.len()), (TurnItemsView::Summary, 2));
    for (view, items) in
        [(TurnItemsView::NotLoaded, 0), (TurnItemsView::Summary, 2), (TurnItemsView::Full, 3)]
    {
        let page = turn_page(&stored.segments, &PageRequest { view: Some(view), ..asked }, None).unwrap();
        assert_eq!((page.data[0].items_view, page.data[0].items.len()), (view, items));
        assert_eq!(page.next_cursor, None);
    }
}

#[test]
fn a_page_has_as_many_turns_as_asked_for_within_reason() {
    let lines: Vec<_> = (0..120).flat_map(|n| recorded_turn(&format!("t-{n}"), "q", "a")).collect();
    let stored = stored(&lines);
    for (limit, expected) in [(None, 25), (Some(0), 1), (Some(3), 3), (Some(1000), 100)] {
        let page = turn_page(&stored.segments, &PageRequest { limit, ..ALL }, None).unwrap();
        assert_eq!(page.data.len(), expected);
        let page = item_page(&stored.segments, &ItemPageRequest { limit, ..ALL_ITEMS }).unwrap();
        assert_eq!(page.data.len(), expected);
    }
}

#[test]
fn the_cursor_back_repeats_its_turn_and_then_gives_what_came_since() {
    let mut lines = seven();
    let before = stored(&lines[..lines.len() - 12]);
    let page = turn_page(&before.segments, &PageRequest { limit: Some(2), ..ALL }, None).unwrap();
    assert_eq!(ids(&page), ["t-4", "t-3"]);
    lines.push("garbage".into());
    let after = stored(&lines);
    let back = PageRequest { cursor: page.backwards_cursor.as_deref(), direction: ASC, ..ALL };
    assert_eq!(ids(&turn_page(&after.segments, &back, None).unwrap()), ["t-4", "t-5", "t-6"]);
    let on = PageRequest { cursor: page.next_cursor.as_deref(), ..ALL };
    assert_eq!(ids(&turn_page(&after.segments, &on, None).unwrap()), ["t-2", "t-1", "t-0"]);
}

#[test]
fn a_cursor_stays_a_place_when_its_turn_is_taken_back() {
    let lines = seven();
    let page = turn_page(&stored(&lines).segments, &PageRequest { limit: Some(2), ..ALL }, None).unwrap();
    let back = vec![event(json!({"type": "thread_rolled_back", "num_turns": 4}))];
    let stored = stored(&[lines, back, recorded_turn("t-7", "q", "a")].concat());
    let on = PageRequest { cursor: page.next_cursor.as_deref(), ..ALL };
    assert_eq!(ids(&turn_page(&stored.segments, &on, None).unwrap()), ["t-2", "t-1", "t-0"]);
    let newer = PageRequest { direction: ASC, ..on };
    assert_eq!(ids(&turn_page(&stored.segments, &newer, None).unwrap()), ["t-7"]);
}

#[test]
fn the_running_turn_is_in_progress_with_what_is_complete() {
    let lines = [
        recorded_turn("A", "q", "a"),
        vec![event(json!({"type": "task_started", "turn_id": "B"}))],
        user("q2"),
    ]
    .concat();
    let page = turn_page(&stored(&lines).segments, &ALL, Some("B")).unwrap();
    let status: Vec<_> = page.data.iter().map(|turn| (turn.status, turn.items.len())).collect();
    assert_eq!(status, [(protocol::TurnStatus::InProgress, 1), (protocol::TurnStatus::Completed, 2)]);
}

#[test]
fn a_page_ends_when_it_weighs_enough() {
    let long = "x".repeat(1000);
    let turn = |n: usize| recorded_turn(&format!("t-{n}"), "q", &long);
    let stored = stored(&(0..5).flat_map(turn).collect::<Vec<_>>());
    for (max_bytes, expected) in [(0, &[1, 1, 1, 1, 1][..]), (3500, &[2, 2, 1]), (ANY, &[5])] {
        let pages = turn_pages(&stored, PageRequest { max_bytes, ..ALL });
        assert_eq!(pages.iter().map(|page| page.data.len()).collect::<Vec<_>>(), expected);
    }
    let pages = item_pages(&stored, ItemPageRequest { max_bytes: 2500, ..ALL_ITEMS });
    assert_eq!(pages.iter().map(|page| page.data.len()).collect::<Vec<_>>(), [5, 4, 1]);
}

#[test]
fn a_turn_that_alone_is_too_much_is_given_as_its_summary() {
    let long = |n| {
        event(
            json!({"type": "exec_command_end", "call_id": format!("c{n}"), "turn_id": "A", "aggregated_output": "x".repeat(1000)}),
        )
    };
    let mut lines = recorded_turn("A", "q", "a");
    lines.splice(2..2, (0..9).map(long));
    let stored = stored(&[lines, recorded_turn("B", "q", "a")].concat());
    let pages = turn_pages(&stored, PageRequest { view: FULL, max_bytes: 5000, ..ALL });
    let shown: Vec<_> =
        pages.iter().flat_map(|page| &page.data).map(|turn| (turn.items_view, turn.items.len())).collect();
    assert_eq!(shown, [(TurnItemsView::Full, 2), (TurnItemsView::Summary, 2)]);
    assert_eq!(pages.len(), 2);
}

#[test]
fn items_come_oldest_first_with_their_turn_and_their_times() {
    let stored = stored(&seven());
    let page = item_page(&stored.segments, &ItemPageRequest { limit: Some(3), ..ALL_ITEMS }).unwrap();
    let at = |item: &ThreadItemEntry| {
        (item.turn_id.clone(), item.item.id().to_owned(), item.started_at_ms, item.completed_at_ms)
    };
    let written = Some(1_736_078_400_000);
    assert_eq!(
        page.data.iter().map(at).collect::<Vec<_>>(),
        [
            ("t-0".into(), "item-1".into(), written, written),
            ("t-0".into(), "item-2".into(), None, written),
            ("t-1".into(), "item-3".into(), written, written),
        ]
    );
    let of_one = ItemPageRequest { turn_id: Some("t-1"), ..ALL_ITEMS };
    assert_eq!(item_page(&stored.segments, &of_one).unwrap().data.len(), 2);
    let of_none = ItemPageRequest { turn_id: Some("nope"), ..ALL_ITEMS };
    assert_eq!(item_page(&stored.segments, &of_none).unwrap(), ThreadItemsListResponse::default());
}

#[test]
fn a_page_of_items_can_begin_beside_one() {
    let stored = stored(&seven());
    let beside = |item_id: &str| {
        ThreadItemsListCursor::Anchor(ThreadItemsListAnchor::Item { item_id: item_id.into() })
    };
    for (item, direction, expected) in
        [("item-3", ASC, &["item-4"][..]), ("item-4", ASC, &[]), ("item-4", DESC, &["item-3"])]
    {
        let request =
            ItemPageRequest { turn_id: Some("t-1"), cursor: Some(&beside(item)), direction, ..ALL_ITEMS };
        let page = item_page(&stored.segments, &request).unwrap();
        assert_eq!(page.data.iter().map(|entry| entry.item.id()).collect::<Vec<_>>(), expected);
    }
    for (turn_id, item) in [(None, "item-3"), (Some("t-1"), "item-1"), (Some("t-1"), "nope")] {
        let request = ItemPageRequest { turn_id, cursor: Some(&beside(item)), ..ALL_ITEMS };
        let error = item_page(&stored.segments, &request).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid cursor: {item}"));
    }
}

#[test]
fn what_is_no_cursor_is_refused() {
    let stored = stored(&seven());
    let turns = PageRequest { cursor: Some("zzz"), ..ALL };
    assert_eq!(turn_page(&stored.segments, &turns, None).unwrap_err().to_string(), "invalid cursor: zzz");
    let items = ItemPageRequest { cursor: Some(&ThreadItemsListCursor::Opaque("zzz".into())), ..ALL_ITEMS };
    assert_eq!(item_page(&stored.segments, &items).unwrap_err().to_string(), "invalid cursor: zzz");
}

/// A line or two of a session, in any order and on any turn: what servers write, and what damage makes of it.
#[derive(Clone, Debug)]
enum Step {
    Start(u8),
    End(u8),
    Abort(u8),
    Failure,
    User,
    OurUser(u8),
    Agent(usize),
    Commentary,
    Thought,
    OurThought(u8),
    Command(u8),
    Completed(u8),
    Compaction,
    RollBack(u8),
    Words,
    Garbage,
}

fn step() -> impl Strategy<Value = Step> {
    let turn = || 0..5u8;
    prop_oneof![
        6 => turn().prop_map(Step::Start),
        5 => turn().prop_map(Step::End),
        1 => turn().prop_map(Step::Abort),
        1 => Just(Step::Failure),
        4 => Just(Step::User),
        2 => turn().prop_map(Step::OurUser),
        4 => (0..300usize).prop_map(Step::Agent),
        1 => Just(Step::Commentary),
        2 => Just(Step::Thought),
        2 => turn().prop_map(Step::OurThought),
        3 => turn().prop_map(Step::Command),
        2 => turn().prop_map(Step::Completed),
        1 => Just(Step::Compaction),
        1 => (0..4u8).prop_map(Step::RollBack),
        1 => Just(Step::Words),
        1 => Just(Step::Garbage),
    ]
}

/// Sessions as servers write them when nothing goes wrong, each turn behind the other; some are taken back.
fn clean_steps() -> impl Strategy<Value = Vec<Step>> {
    let item = prop_oneof![
        3 => (0..300usize).prop_map(Step::Agent),
        2 => Just(Step::Thought),
        1 => (0..3u8).prop_map(Step::OurThought),
        1 => Just(Step::Compaction),
    ];
    let turn = (prop::collection::vec(item, 0..5), any::<bool>(), prop_oneof![9 => Just(0), 1 => 1..4u8]);
    prop::collection::vec(turn, 0..12).prop_map(|turns| {
        let steps = turns.into_iter().enumerate().flat_map(|(id, (items, ends, taken_back))| {
            let id = id as u8;
            let end = ends.then_some(Step::End(id));
            let back = (taken_back > 0).then_some(Step::RollBack(taken_back));
            [Step::Start(id), Step::User].into_iter().chain(items).chain(end).chain(back)
        });
        steps.collect()
    })
}

/// Either of the two kinds of sessions.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![prop::collection::vec(step(), 0..40), clean_steps()]
}

/// Renders steps; no two items look the same, so that none is taken for another.
fn rendered(steps: &[Step], with_ids: bool) -> Vec<String> {
    let turn = |n: u8| format!("T{n}");
    let render = |(n, step): (usize, &Step)| match *step {
        Step::Start(id) => vec![event(json!({"type": "task_started", "turn_id": turn(id), "started_at": n}))],
        Step::End(id) => {
            vec![event(json!({"type": "task_complete", "turn_id": turn(id), "completed_at": n}))]
        }
        Step::Abort(id) => vec![event(json!({"type": "turn_aborted", "turn_id": turn(id)}))],
        Step::Failure => vec![event(json!({"type": "error", "message": format!("e{n}")}))],
        Step::User => user(&format!("q{n}")),
        Step::OurUser(id) => vec![
            message("user", "q"),
            event(
                json!({"type": "user_message", "message": format!("q{n}"), "item_id": format!("u{n}"), "turn_id": turn(id)}),
            ),
        ],
        Step::Agent(length) => agent(&format!("a{n} {}", "x".repeat(length))),
        Step::Commentary => {
            vec![event(json!({"type": "agent_message", "message": format!("a{n}"), "phase": "commentary"}))]
        }
        Step::Thought => vec![event(json!({"type": "agent_reasoning", "text": format!("t{n}")}))],
        Step::OurThought(id) => vec![event(
            json!({"type": "agent_reasoning", "text": format!("t{n}"), "item_id": format!("r{id}")}),
        )],
        Step::Command(id) => vec![
            model(
                json!({"type": "function_call", "name": "f", "arguments": "{}", "call_id": format!("c{n}")}),
            ),
            event(json!({"type": "exec_command_end", "call_id": format!("c{n}"), "turn_id": turn(id)})),
        ],
        Step::Completed(id) => vec![event(
            json!({"type": "item_completed", "turn_id": turn(id), "item": {"type": "Plan", "id": format!("p{n}"), "text": "p"}}),
        )],
        Step::Compaction => vec![event(json!({"type": "context_compacted"}))],
        Step::RollBack(count) => vec![event(json!({"type": "thread_rolled_back", "num_turns": count}))],
        Step::Words => vec![message("user", &format!("injected {n}"))],
        Step::Garbage => vec!["garbage".to_owned()],
    };
    let mut lines: Vec<_> = steps.iter().enumerate().flat_map(render).collect();
    if with_ids {
        for (n, line) in lines.iter_mut().enumerate() {
            let Ok(mut value) = serde_json::from_str::<Value>(line) else { continue };
            if value["type"] == "event_msg" && value["payload"]["item_id"].is_null() {
                value["payload"]["item_id"] = format!("i{n}").into();
                *line = value.to_string();
            }
        }
    }
    lines
}

fn summary(turn: &Turn) -> Turn {
    let mut shelf = Shelf::new(Keep::Summary);
    for item in turn.items.clone() {
        shelf.push(Kept { item, at: 0, times: Times::default() });
    }
    let items = shelf.into_items().into_iter().map(|kept| kept.item).collect();
    Turn { items, items_view: TurnItemsView::Summary, ..turn.clone() }
}

fn reversed<T>(mut values: Vec<T>, direction: Option<SortDirection>) -> Vec<T> {
    if direction == DESC {
        values.reverse();
    }
    values
}

fn entries(turns: &[Turn]) -> Vec<(String, ThreadItem)> {
    turns.iter().flat_map(|turn| turn.items.iter().map(|item| (turn.id.clone(), item.clone()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_turns_show_what_a_whole_read_shows(
        steps in steps(),
        with_ids: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..3),
        limit in 1..6u32,
        max_bytes in prop_oneof![Just(ANY), 0..3000usize],
        anchor: Index,
    ) {
        let stored = stored_in_pieces(&rendered(&steps, with_ids), &cuts);
        let whole = turns(&stored.segments, None, usize::MAX).unwrap().turns;
        for direction in [ASC, DESC] {
            let expected = reversed(whole.clone(), direction);
            let request = PageRequest { limit: Some(limit), direction, max_bytes, ..ALL };
            let pages = turn_pages(&stored, request);
            let shown: Vec<Turn> = pages.into_iter().flat_map(|page| page.data).collect();
            prop_assert_eq!(shown, expected.iter().map(summary).collect::<Vec<_>>());

            let pages = turn_pages(&stored, PageRequest { view: FULL, ..request });
            let shown = pages.iter().flat_map(|page| page.data.clone());
            let fits = |turn: &Turn| wire_size(turn) <= max_bytes;
            let expected: Vec<_> = expected.iter().map(|turn| if fits(turn) { turn.clone() } else { summary(turn) }).collect();
            prop_assert_eq!(shown.collect::<Vec<_>>(), expected.clone());
            prop_assert!(pages.iter().all(|page| page.data.len() <= limit as usize));
            prop_assert!(pages.iter().all(|page| page.data.len() < 2 || page.data.iter().map(wire_size).sum::<usize>() <= max_bytes));

            let index = anchor.index(pages.len());
            let first: usize = pages[..index].iter().map(|page| page.data.len()).sum();
            if let Some(page) = pages.get(index).filter(|page| !page.data.is_empty()) {
                let opposite = if direction == ASC { DESC } else { ASC };
                let back = PageRequest { cursor: page.backwards_cursor.as_deref(), direction: opposite, view: FULL, max_bytes, ..ALL };
                let shown: Vec<Turn> = turn_pages(&stored, back).into_iter().flat_map(|page| page.data).collect();
                prop_assert_eq!(shown, expected[..=first].iter().rev().cloned().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn turns_of_one_answer_are_the_newest_and_the_others_are_on_the_pages_from_its_cursor(
        steps in steps(),
        with_ids: bool,
        max_bytes in 0..3000usize,
    ) {
        let stored = stored_in_pieces(&rendered(&steps, with_ids), &[]);
        let fitting = |turn: Turn| if wire_size(&turn) <= max_bytes { turn } else { summary(&turn) };
        let whole = turns(&stored.segments, None, usize::MAX).unwrap().turns;
        let expected: Vec<_> = whole.into_iter().map(fitting).collect();
        let Turns { turns: mut shown, oldest } = turns(&stored.segments, None, max_bytes).unwrap();
        prop_assert!(shown.len() < 2 || shown.iter().map(wire_size).sum::<usize>() <= max_bytes);
        if oldest.is_some() {
            let others = PageRequest { cursor: oldest.as_deref(), direction: DESC, view: FULL, max_bytes, ..ALL };
            let others: Vec<Turn> = turn_pages(&stored, others).into_iter().flat_map(|page| page.data).collect();
            prop_assert_eq!(others.first(), shown.first());
            shown.splice(..1, others.into_iter().rev());
        }
        prop_assert_eq!(shown, expected);
    }

    #[test]
    fn pages_of_items_show_what_a_whole_read_shows(
        steps in steps(),
        with_ids: bool,
        cuts in prop::collection::vec(any::<usize>(), 0..3),
        limit in 1..6u32,
        max_bytes in prop_oneof![Just(ANY), 0..1000usize],
        one: Index,
    ) {
        let stored = stored_in_pieces(&rendered(&steps, with_ids), &cuts);
        let whole = turns(&stored.segments, None, usize::MAX).unwrap().turns;
        for direction in [ASC, DESC] {
            let request = ItemPageRequest { limit: Some(limit), direction, max_bytes, ..ALL_ITEMS };
            let shown = item_pages(&stored, request).into_iter().flat_map(|page| page.data);
            let shown: Vec<_> = shown.map(|entry| (entry.turn_id, entry.item)).collect();
            prop_assert_eq!(&shown, &reversed(entries(&whole), direction));

            let turn = whole.get(one.index(whole.len().max(1)));
            // An id may have been given twice; the last turn that has it is meant.
            if let Some(turn) = turn.and_then(|turn| whole.iter().rfind(|last| last.id == turn.id)) {
                let of_one = item_pages(&stored, ItemPageRequest { turn_id: Some(&turn.id), ..request });
                let shown = of_one.into_iter().flat_map(|page| page.data).map(|entry| entry.item);
                prop_assert_eq!(shown.collect::<Vec<_>>(), reversed(turn.items.clone(), direction));
            }
        }
    }

    #[test]
    fn damage_costs_no_other_line(steps in steps(), damaged: Index) {
        let whole = rendered(&steps, /*with_ids*/ false);
        let mut less = whole.clone();
        let mut torn = whole.clone();
        if !whole.is_empty() {
            let at = damaged.index(whole.len());
            less.remove(at);
            torn[at] = whole[at][..whole[at].len() / 2].to_owned();
        }
        // Turns without ids are named by their line, which is another one now.
        let shown = |lines: &[String]| {
            let turns = serde_json::to_value(turns(&stored(lines).segments, None, usize::MAX).unwrap().turns).unwrap();
            turns.as_array().into_iter().flatten().cloned().map(|mut turn| {
                if turn["id"].as_str().is_some_and(|id| id.starts_with("rollout-")) {
                    turn["id"] = Value::Null;
                }
                turn
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(shown(&torn), shown(&less));
    }

    #[test]
    fn the_models_context_does_not_depend_on_how_the_files_are_cut(
        steps in steps(),
        cuts in prop::collection::vec(any::<usize>(), 0..3),
    ) {
        let lines = rendered(&steps, /*with_ids*/ false);
        let whole = crate::context(&stored(&lines).segments).unwrap();
        prop_assert_eq!(crate::context(&stored_in_pieces(&lines, &cuts).segments).unwrap(), whole);
    }
}
