//! `thread/delete`: a thread is gone for good, file and all.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadDelete, ThreadDeletedNotification, ThreadListParams, ThreadLoadedList, ThreadLoadedListParams,
    ThreadNameSet, ThreadRead, ThreadSetNameParams, TurnStart,
};
use testkit::{Daemon, Home, Rollout, ask, of};

use crate::steps::{UNKNOWN, begin_slow, list, listed, refused, start, turn};

#[tokio::test]
async fn nothing_of_the_thread_is_left() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new().archived());
    let mut d = Daemon::start(&home).await;
    for stored in [home.thread(0), home.thread(1)] {
        d.call::<ThreadDelete>(of(stored)).await;
        assert_eq!(d.note::<ThreadDeletedNotification>().await.thread_id, stored.id);
        assert!(!stored.path.exists());
        let refusal = refused(d.fail::<ThreadRead>(of(stored)).await);
        assert_eq!(refusal, format!("thread not loaded: {}", stored.id));
        let refusal = refused(d.fail::<ThreadDelete>(of(stored)).await);
        assert_eq!(refusal, format!("no rollout found for thread id {}", stored.id));
    }
    for _ in 0..2 {
        let archived = ThreadListParams { archived: Some(true), ..ThreadListParams::default() };
        assert_eq!((listed(&mut d).await, list(&mut d, archived).await), (vec![], vec![]));
        d.restart().await;
    }
}

#[tokio::test]
async fn a_loaded_thread_is_unloaded_first_in_the_middle_of_a_turn_too() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    for slowly in [false, true] {
        let id = start(&mut d).await;
        turn(&mut d, &id, "hi").await;
        if slowly {
            begin_slow(&home, &mut d, &id, "slowly").await;
        }
        let before = d.notes().len();
        d.call::<ThreadDelete>(of(&id)).await;
        d.note::<ThreadDeletedNotification>().await;
        let told = d.methods_from(before);
        assert!(told.ends_with(&["thread/status/changed", "thread/deleted"]), "{told:?}");
        assert_eq!(told.contains(&"turn/completed"), slowly, "{told:?}");
        assert_eq!(refused(d.fail::<TurnStart>(ask(&id, "hi")).await), format!("thread not found: {id}"));
        let loaded = d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data;
        assert_eq!((loaded, home.files(&id).len()), (vec![], 0));
    }
}

#[tokio::test]
async fn a_name_does_not_come_back_with_another_thread_of_the_id() {
    let home = Home::new().with_rollout(Rollout::new());
    let id = home.thread(0).id.clone();
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadNameSet>(ThreadSetNameParams { thread_id: id.clone(), name: "gone".into() }).await;
    d.call::<ThreadDelete>(of(&id)).await;
    assert_eq!(listed(&mut d).await, Vec::<String>::new());
    let named = ThreadListParams { search_term: Some("gone".into()), ..ThreadListParams::default() };
    assert_eq!(list(d.restart().await, named).await, vec![]);
}

#[tokio::test]
async fn what_cannot_be_deleted_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let refusal = refused(d.fail::<ThreadDelete>(of(UNKNOWN)).await);
    assert_eq!(refusal, format!("no rollout found for thread id {UNKNOWN}"));
    for id in ["", "../../config.toml", "."] {
        let refusal = refused(d.fail::<ThreadDelete>(of(id)).await);
        assert!(refusal.starts_with("invalid session id: "), "{refusal}");
    }
    assert_eq!(listed(&mut d).await, [home.thread(0).id.as_str()]);
    assert!(home.root().join("config.toml").exists());
}
