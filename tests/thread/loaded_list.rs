//! `thread/loaded/list`: what is in memory.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadArchive, ThreadLoadedList, ThreadLoadedListParams, ThreadLoadedListResponse, ThreadResume,
    ThreadStart, ThreadStartParams,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{refused, start};

fn page(cursor: Option<&str>, limit: Option<u32>) -> ThreadLoadedListParams {
    ThreadLoadedListParams { cursor: cursor.map(str::to_owned), limit }
}

#[tokio::test]
async fn the_ids_come_in_order_page_by_page() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    assert_eq!(d.call::<ThreadLoadedList>(page(None, None)).await, ThreadLoadedListResponse::default());
    d.call::<ThreadResume>(of(home.thread(1))).await;
    let fresh = start(&mut d).await;
    let params = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let ephemeral = d.call::<ThreadStart>(params).await.thread.id;
    let all = [home.thread(1).id.clone(), fresh, ephemeral];
    assert_eq!(d.call::<ThreadLoadedList>(page(None, None)).await.data, all);
    let first = d.call::<ThreadLoadedList>(page(None, Some(2))).await;
    assert_eq!((&first.data[..], first.next_cursor.as_deref()), (&all[..2], Some(all[1].as_str())));
    let second = d.call::<ThreadLoadedList>(page(first.next_cursor.as_deref(), Some(2))).await;
    assert_eq!((&second.data[..], second.next_cursor), (&all[2..], None));
    d.call::<ThreadArchive>(of(home.thread(1))).await;
    assert_eq!(d.call::<ThreadLoadedList>(page(None, None)).await.data, all[1..]);
    assert_eq!(d.restart().await.call::<ThreadLoadedList>(page(None, None)).await.data, Vec::<String>::new());
}

#[tokio::test]
async fn an_unreadable_cursor_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    assert_eq!(refused(d.fail::<ThreadLoadedList>(page(Some("x"), None)).await), "invalid cursor: x");
}
