//! `thread/items/list`: the items of a thread or of one turn, page by page.

use pretty_assertions::assert_eq;
use protocol::{
    SortDirection, ThreadItemEntry, ThreadItemsList, ThreadItemsListAnchor, ThreadItemsListCursor,
    ThreadItemsListParams,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, refused, start, talk, turns};

/// Follows the cursor to the end.
async fn walk(d: &mut Daemon, mut params: ThreadItemsListParams) -> Vec<ThreadItemEntry> {
    let mut entries = Vec::new();
    loop {
        let page = d.call::<ThreadItemsList>(params.clone()).await;
        entries.extend(page.data);
        match page.next_cursor {
            Some(cursor) => params.cursor = Some(ThreadItemsListCursor::Opaque(cursor)),
            None => return entries,
        }
    }
}

fn ids(entries: &[ThreadItemEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.item.id()).collect()
}

#[tokio::test]
async fn pages_show_every_item_once_with_its_turn() {
    let stored =
        Rollout::new().silent().turn("t-1", "q1", "a1").turn("t-2", "q2", "a2").turn("t-3", "q3", "a3");
    let home = Home::new().with_rollout(stored);
    let mut d = Daemon::start(&home).await;
    let turns = turns(&mut d, home.thread(0)).await;
    let expected: Vec<_> =
        turns.iter().flat_map(|turn| turn.items.iter().map(|item| (turn.id.clone(), item.clone()))).collect();
    assert_eq!(expected.len(), 6);
    for limit in [1, 2, 5, 6, 100] {
        let params = ThreadItemsListParams { limit: Some(limit), ..of(home.thread(0)).into() };
        let entries = walk(&mut d, params.clone()).await;
        let shown: Vec<_> = entries.into_iter().map(|entry| (entry.turn_id, entry.item)).collect();
        assert_eq!(shown, expected, "{limit}");
        let backwards = ThreadItemsListParams { sort_direction: Some(SortDirection::Desc), ..params };
        let mut entries = walk(&mut d, backwards).await;
        entries.reverse();
        let shown: Vec<_> = entries.into_iter().map(|entry| (entry.turn_id, entry.item)).collect();
        assert_eq!(shown, expected, "{limit} backwards");
    }
}

#[tokio::test]
async fn the_items_of_one_turn_and_those_behind_one_item() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let turns = talk(&home, &mut d, &id, [("q1", "a1"), ("q2", "a2")]).await;
    let of_turn = |turn: &str| ThreadItemsListParams { turn_id: Some(turn.into()), ..of(&id).into() };
    let all = walk(&mut d, of(&id).into()).await;
    let second = walk(&mut d, of_turn(&turns[1])).await;
    assert_eq!((second.len(), &second[..]), (2, &all[2..]));
    assert!(second.iter().all(|entry| entry.turn_id == turns[1]));
    assert_eq!(walk(&mut d, of_turn("nope")).await, vec![]);
    let anchor = ThreadItemsListAnchor::Item { item_id: second[0].item.id().to_owned() };
    let behind =
        ThreadItemsListParams { cursor: Some(ThreadItemsListCursor::Anchor(anchor)), ..of_turn(&turns[1]) };
    assert_eq!(ids(&walk(&mut d, behind).await), ids(&second[1..]));
}

#[tokio::test]
async fn what_cannot_be_listed_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    assert_eq!(
        refused(d.fail::<ThreadItemsList>(of(UNKNOWN)).await),
        format!("thread not loaded: {UNKNOWN}")
    );
    let cursor = Some(ThreadItemsListCursor::Opaque("zzz".into()));
    let params = ThreadItemsListParams { cursor, ..of(home.thread(0)).into() };
    assert_eq!(refused(d.fail::<ThreadItemsList>(params).await), "invalid cursor: zzz");
    let fresh = start(&mut d).await;
    let refusal = refused(d.fail::<ThreadItemsList>(of(&fresh)).await);
    assert!(refusal.contains("is not materialized yet"), "{refusal}");
}
