//! `thread/archive`: a thread is set aside, and comes out of memory first.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadArchive, ThreadArchivedNotification, ThreadListParams, ThreadLoadedList, ThreadLoadedListParams,
    ThreadNameSet, ThreadSetNameParams, ThreadStatus, ThreadStatusChangedNotification,
    TurnCompletedNotification, TurnStart, TurnStatus,
};
use testkit::{Daemon, Home, Rollout, ask, of};

use crate::steps::{UNKNOWN, begin_slow, ids, list, listed, read, refused, start, turn, turns};

fn archived() -> ThreadListParams {
    ThreadListParams { archived: Some(true), ..ThreadListParams::default() }
}

#[tokio::test]
async fn the_file_moves_and_every_client_is_told() {
    let home = Home::new().with_rollout(Rollout::new().mtime(1_736_200_000)).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadArchive>(of(home.thread(0))).await;
    assert_eq!(d.note::<ThreadArchivedNotification>().await.thread_id, home.thread(0).id);
    let moved = home.root().join("archived_sessions").join(home.thread(0).path.file_name().unwrap());
    assert_eq!((home.thread(0).path.exists(), moved.exists()), (false, true));
    for _ in 0..2 {
        assert_eq!(listed(&mut d).await, [home.thread(1).id.as_str()]);
        assert_eq!(ids(list(&mut d, archived()).await), [home.thread(0).id.as_str()]);
        let thread = read(&mut d, home.thread(0)).await;
        assert_eq!((thread.path, thread.updated_at), (Some(moved.display().to_string()), 1_736_200_000));
        d.restart().await;
    }
}

#[tokio::test]
async fn a_loaded_thread_is_unloaded_first() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    let before = d.notes().len();
    d.call::<ThreadArchive>(of(&id)).await;
    d.note::<ThreadArchivedNotification>().await;
    assert_eq!(d.methods_from(before), ["thread/status/changed", "thread/archived"]);
    let unloaded = |note: &ThreadStatusChangedNotification| note.status == ThreadStatus::NotLoaded;
    assert_eq!(d.note_where(unloaded).await.thread_id, id);
    assert_eq!(
        d.call::<ThreadLoadedList>(ThreadLoadedListParams::default()).await.data,
        Vec::<String>::new()
    );
    assert_eq!(refused(d.fail::<TurnStart>(ask(&id, "hi")).await), format!("thread not found: {id}"));
}

#[tokio::test]
async fn a_running_turn_is_interrupted() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, _gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    d.call::<ThreadArchive>(of(&id)).await;
    let told = d.note::<TurnCompletedNotification>().await.turn;
    assert_eq!((&told.id, told.status), (&running, TurnStatus::Interrupted));
    d.note::<ThreadArchivedNotification>().await;
    let stored = turns(&mut d, &id).await;
    assert_eq!((&stored[0].id, stored[0].status), (&running, TurnStatus::Interrupted));
    let methods = d.methods_from(0);
    let place = |method: &str| methods.iter().position(|told| *told == method);
    assert!(place("turn/completed") < place("thread/archived"), "{methods:?}");
}

#[tokio::test]
async fn a_name_goes_with_the_thread() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let name = ThreadSetNameParams { thread_id: home.thread(0).id.clone(), name: "kept".into() };
    d.call::<ThreadNameSet>(name).await;
    d.call::<ThreadArchive>(of(home.thread(0))).await;
    let names: Vec<_> = list(&mut d, archived()).await.into_iter().map(|thread| thread.name).collect();
    assert_eq!(names, [Some("kept".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_archived_is_refused() {
    let home = Home::new().with_rollout(Rollout::new().archived());
    let mut d = Daemon::start(&home).await;
    let fresh = start(&mut d).await;
    for id in [&home.thread(0).id, UNKNOWN, &fresh] {
        assert_eq!(
            refused(d.fail::<ThreadArchive>(of(id)).await),
            format!("no rollout found for thread id {id}")
        );
    }
    for id in ["", "../../x"] {
        let refusal = refused(d.fail::<ThreadArchive>(of(id)).await);
        assert!(refusal.starts_with("invalid session id: "), "{refusal}");
    }
    assert_eq!(d.methods_from(0), ["thread/started"]);
    // Refused, and still there.
    turn(&mut d, &fresh, "hi").await;
}

#[tokio::test]
async fn archiving_twice_at_once_is_answered_once_with_each() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let first = d.send::<ThreadArchive>(of(home.thread(0)));
    let second = d.send::<ThreadArchive>(of(home.thread(0)));
    d.answer(first).await;
    let refusal = refused(d.refusal(second).await);
    assert_eq!(refusal, format!("no rollout found for thread id {}", home.thread(0).id));
}
