//! `thread/turns/list`: the turns of a thread, page by page.

use pretty_assertions::assert_eq;
use protocol::{
    SortDirection, ThreadItem, ThreadLoadedList, ThreadLoadedListParams, ThreadTurnsList,
    ThreadTurnsListParams, Turn, TurnItemsView, TurnStatus,
};
use serde_json::json;
use testkit::{Answer, Daemon, Home, Rollout, events, of};

use crate::steps::{UNKNOWN, begin_slow, ended, refused, start, talk, texts, turn};

fn ids(turns: &[Turn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.id.as_str()).collect()
}

/// Follows the cursor to the end.
async fn walk(d: &mut Daemon, mut params: ThreadTurnsListParams) -> Vec<Turn> {
    let mut turns = Vec::new();
    loop {
        let page = d.call::<ThreadTurnsList>(params.clone()).await.page;
        turns.extend(page.data);
        match page.next_cursor {
            Some(cursor) => params.cursor = Some(cursor),
            None => return turns,
        }
    }
}

fn seven() -> Rollout {
    let names = ["t-0", "t-1", "t-2", "t-3", "t-4", "t-5", "t-6"];
    names.into_iter().fold(Rollout::new().silent(), |rollout, id| rollout.turn(id, "q", id))
}

#[tokio::test]
async fn pages_show_every_turn_once_in_either_direction_without_loading() {
    for rollout in [seven(), seven().archived()] {
        let home = Home::new().with_rollout(rollout);
        let mut d = Daemon::start(&home).await;
        for limit in [1, 3, 7, 100] {
            let newest_first = ThreadTurnsListParams { limit: Some(limit), ..of(home.thread(0)).into() };
            let oldest_first =
                ThreadTurnsListParams { sort_direction: Some(SortDirection::Asc), ..newest_first.clone() };
            let mut expected = vec!["t-6", "t-5", "t-4", "t-3", "t-2", "t-1", "t-0"];
            assert_eq!(ids(&walk(&mut d, newest_first).await), expected, "{limit}");
            expected.reverse();
            assert_eq!(ids(&walk(&mut d, oldest_first).await), expected, "{limit}");
        }
        let loaded = d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data;
        assert_eq!(loaded, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_way_back_begins_with_the_turn_that_a_page_began_with() {
    let home = Home::new().with_rollout(seven());
    let mut d = Daemon::start(&home).await;
    let two = ThreadTurnsListParams { limit: Some(2), ..of(home.thread(0)).into() };
    let first = d.call::<ThreadTurnsList>(two.clone()).await.page;
    let second = d
        .call::<ThreadTurnsList>(ThreadTurnsListParams { cursor: first.next_cursor, ..two.clone() })
        .await
        .page;
    assert_eq!(ids(&second.data), ["t-4", "t-3"]);
    let back = ThreadTurnsListParams {
        cursor: second.backwards_cursor,
        sort_direction: Some(SortDirection::Asc),
        limit: Some(3),
        ..two
    };
    assert_eq!(ids(&d.call::<ThreadTurnsList>(back).await.page.data), ["t-4", "t-5", "t-6"]);
}

#[tokio::test]
async fn a_view_says_how_many_items_a_turn_shows() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    home.model().script([Answer::stream([
        events::created(),
        events::message("m-1", "on the way"),
        events::message("m-2", "the answer"),
        events::completed(),
    ])]);
    turn(&mut d, &id, "q").await;
    for (view, expected) in [
        (None, vec!["q", "the answer"]),
        (Some(TurnItemsView::NotLoaded), vec![]),
        (Some(TurnItemsView::Summary), vec!["q", "the answer"]),
        (Some(TurnItemsView::Full), vec!["q", "on the way", "the answer"]),
    ] {
        let params = ThreadTurnsListParams { items_view: view, ..of(&id).into() };
        let turns = d.call::<ThreadTurnsList>(params).await.page.data;
        assert_eq!(
            (texts(&turns), turns[0].items_view),
            (vec![expected], view.unwrap_or(TurnItemsView::Summary))
        );
    }
}

#[tokio::test]
async fn a_running_turn_is_on_the_first_page() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    talk(&home, &mut d, &id, [("q1", "a1")]).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    let turns = d.call::<ThreadTurnsList>(of(&id)).await.page.data;
    assert_eq!((&turns[0].id, turns[0].status), (&running, TurnStatus::InProgress));
    assert_eq!((texts(&turns)[1].clone(), turns.len()), (vec!["q1", "a1"], 2));
    gate.open();
    ended(&mut d, &running).await;
}

#[tokio::test]
async fn turns_that_were_rolled_back_are_on_no_page() {
    let rollout =
        seven().event(json!({ "type": "thread_rolled_back", "num_turns": 2 })).turn("t-7", "q", "a");
    let home = Home::new().with_rollout(rollout);
    let mut d = Daemon::start(&home).await;
    let params = ThreadTurnsListParams { limit: Some(2), ..of(home.thread(0)).into() };
    assert_eq!(ids(&walk(&mut d, params).await), ["t-7", "t-4", "t-3", "t-2", "t-1", "t-0"]);
}

#[tokio::test]
async fn a_page_is_never_longer_than_clients_can_read() {
    let long = "x".repeat(20_000);
    let rollout = ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .fold(Rollout::new().silent(), |rollout, id| rollout.turn(id, "q", &long));
    let home = Home::new().with_rollout(rollout);
    let mut d = Daemon::start(&home).await;
    let turns = walk(&mut d, of(home.thread(0)).into()).await;
    assert_eq!(ids(&turns), ["f", "e", "d", "c", "b", "a"]);
    assert!(matches!(&turns[0].items[1], ThreadItem::AgentMessage { text, .. } if *text == long));
    let longest = d.lines().iter().map(String::len).max();
    assert!(longest < Some(64 << 10), "{longest:?}");
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let fresh = start(&mut d).await;
    let refusal = refused(d.fail::<ThreadTurnsList>(of(&fresh)).await);
    let text = format!(
        "thread {fresh} is not materialized yet; thread/turns/list is unavailable before first user message"
    );
    assert_eq!(refusal, text);
    assert_eq!(
        refused(d.fail::<ThreadTurnsList>(of(UNKNOWN)).await),
        format!("thread not loaded: {UNKNOWN}")
    );
    for cursor in ["zzz", "", "{\"x\":1}", "99999999999999999999"] {
        let params = ThreadTurnsListParams { cursor: Some(cursor.into()), ..of(home.thread(0)).into() };
        assert_eq!(refused(d.fail::<ThreadTurnsList>(params).await), format!("invalid cursor: {cursor}"));
    }
}
