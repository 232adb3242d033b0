//! The pages of `thread/list`, and the cursors between them.

use pretty_assertions::assert_eq;
use protocol::{SortDirection, ThreadList, ThreadListParams, ThreadSortKey};
use testkit::{Daemon, Home, Rollout};

use super::{by, four, limit, numbers, searching, walk};
use crate::index::{self, Index};
use crate::steps::{ids, list, listed, refused};

#[tokio::test]
async fn pages_show_every_thread_once() {
    for state in [Index::Absent, Index::Left, Index::Unopenable] {
        let home = Home::new();
        for number in 0..40 {
            // Many of one time, and file names in another order than that of activity.
            let at = ["2025-01-01T10-00-00", "2025-01-02T10-00-00", "2025-01-03T10-00-00"][number % 3];
            home.store(Rollout::new().at(at).mtime(1_736_000_000 + (number * 37 % 5) as u64));
        }
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for sort_key in [ThreadSortKey::CreatedAt, ThreadSortKey::UpdatedAt] {
            for sort_direction in [SortDirection::Asc, SortDirection::Desc] {
                let params = ThreadListParams { sort_direction: Some(sort_direction), ..by(sort_key) };
                let whole = list(&mut d, ThreadListParams { limit: Some(100), ..params.clone() }).await;
                assert_eq!(whole.len(), 40);
                let (paged, sizes) = walk(&mut d, ThreadListParams { limit: Some(7), ..params }).await;
                assert_eq!(sizes, [7, 7, 7, 7, 7, 5], "{state:?}");
                assert_eq!(ids(paged), ids(whole), "{sort_key:?} {sort_direction:?} {state:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_reaches_more_threads_than_the_published_servers_look_at() {
    const MANY: usize = 10_050;
    let home = Home::new();
    for _ in 0..MANY {
        home.store(Rollout::new());
    }
    let oldest = home.store(Rollout::new().at("2024-01-01T00-00-00").preview("the needle"));
    let mut d = Daemon::start(&home).await;
    assert_eq!(ids(list(&mut d, searching("needle")).await), [oldest.id.as_str()]);
    index::complete(&home).await;
    let (threads, _) = walk(&mut d, limit(100)).await;
    let mut numbers = numbers(threads);
    assert_eq!(numbers.pop(), Some(MANY));
    assert!(numbers.into_iter().eq((0..MANY).rev()), "each once, the newest first");
}

#[tokio::test]
async fn a_page_holds_25_unless_the_client_says_otherwise() {
    let home = Home::new();
    for _ in 0..101 {
        home.store(Rollout::new());
    }
    let mut d = Daemon::start(&home).await;
    assert_eq!(listed(&mut d).await.len(), 25);
    for (asked, given) in [(0, 1), (1, 1), (50, 50)] {
        assert_eq!(list(&mut d, limit(asked)).await.len(), given, "{asked}");
    }
}

#[tokio::test]
async fn a_page_is_never_longer_than_clients_can_read() {
    let home = Home::new();
    for number in 0..120 {
        home.store(Rollout::new().preview("x".repeat(number * 20)));
    }
    let mut d = Daemon::start(&home).await;
    for asked in [100, 101, u32::MAX] {
        let (threads, sizes) = walk(&mut d, limit(asked)).await;
        assert!(numbers(threads).into_iter().eq((0..120).rev()), "each once, in order");
        assert!(sizes.iter().all(|size| *size <= 100), "{sizes:?}");
    }
    let longest = d.lines().iter().map(String::len).max();
    assert!(longest < Some(64 << 10), "{longest:?}");
}

#[tokio::test]
async fn a_last_page_that_is_full_has_no_cursor() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    assert_eq!(walk(&mut d, limit(2)).await.1, [2, 2]);
}

#[tokio::test]
async fn a_cursor_is_a_place_that_holds_over_restarts_and_changes() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    let page = d.call::<ThreadList>(limit(2)).await;
    home.store(Rollout::new().at("2025-02-01T10-00-00").preview("newer"));
    home.store(Rollout::new().at("2025-01-01T09-00-00").preview("older"));
    let rest = ThreadListParams { cursor: page.next_cursor, ..limit(10) };
    for _ in 0..2 {
        assert_eq!(numbers(list(&mut d, rest.clone()).await), [1, 0, 5]);
        d.restart().await;
    }
}

#[tokio::test]
async fn the_way_back_begins_with_the_thread_that_a_page_began_with() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    for sort_key in [ThreadSortKey::CreatedAt, ThreadSortKey::UpdatedAt] {
        let all = ids(list(&mut d, by(sort_key)).await);
        let first = d.call::<ThreadList>(ThreadListParams { limit: Some(1), ..by(sort_key) }).await;
        let second = d
            .call::<ThreadList>(ThreadListParams {
                cursor: first.next_cursor,
                limit: Some(2),
                ..by(sort_key)
            })
            .await;
        assert_eq!(ids(second.data), all[1..3]);
        let back = ThreadListParams {
            cursor: second.backwards_cursor,
            sort_direction: Some(SortDirection::Asc),
            ..by(sort_key)
        };
        let mut expected = all[..2].to_vec();
        expected.reverse();
        let mut shown = ids(list(&mut d, back).await);
        // A time that two threads share cannot tell them apart: the other one may come again.
        shown.retain(|id| expected.contains(id));
        assert_eq!(shown, expected, "{sort_key:?}");
    }
}

#[tokio::test]
async fn an_unreadable_cursor_is_refused() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    for cursor in
        ["", "not-a-cursor", "2025-01-05T20:00:00Z|../../../etc/passwd", "|", "2025-13-05T20:00:00Z"]
    {
        let params = ThreadListParams { cursor: Some(cursor.into()), ..ThreadListParams::default() };
        assert_eq!(refused(d.fail::<ThreadList>(params).await), format!("invalid cursor: {cursor}"));
    }
}
