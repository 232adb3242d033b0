//! `thread/unarchive`: a thread comes out of the archive, to where it was.

use std::fs;

use pretty_assertions::assert_eq;
use protocol::{
    ThreadArchive, ThreadListParams, ThreadResume, ThreadStatus, ThreadUnarchive,
    ThreadUnarchivedNotification,
};
use testkit::{Daemon, Home, Rollout, of};

use crate::steps::{UNKNOWN, list, listed, read, refused, talk, texts};

#[tokio::test]
async fn the_file_moves_back_and_every_client_is_told() {
    let home = Home::new().with_rollout(Rollout::new().archived().mtime(1_736_200_000));
    let mut d = Daemon::start(&home).await;
    let thread = d.call::<ThreadUnarchive>(of(home.thread(0))).await.thread;
    let back = home.root().join("sessions/2025/01/05").join(home.thread(0).path.file_name().unwrap());
    assert_eq!(thread.path, Some(back.display().to_string()));
    assert_eq!((home.thread(0).path.exists(), back.exists()), (false, true));
    assert_eq!(
        (thread.preview.as_str(), thread.status, thread.created_at),
        ("Hello", ThreadStatus::NotLoaded, 1_736_078_400)
    );
    assert_eq!(d.note::<ThreadUnarchivedNotification>().await.thread_id, home.thread(0).id);
    // To take it out again is activity: it comes to the top of the list.
    assert!(thread.updated_at > 1_736_200_000);
    for _ in 0..2 {
        assert_eq!(read(&mut d, home.thread(0)).await.updated_at, thread.updated_at);
        assert_eq!(listed(&mut d).await, [home.thread(0).id.as_str()]);
        let archived = ThreadListParams { archived: Some(true), ..ThreadListParams::default() };
        assert_eq!(list(&mut d, archived).await, vec![]);
        d.restart().await;
    }
}

#[tokio::test]
async fn a_thread_goes_into_the_archive_and_out_of_it_and_on() {
    let home = Home::new().with_rollout(Rollout::new().tail("{\"torn"));
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    for _ in 0..2 {
        d.call::<ThreadArchive>(of(home.thread(0))).await;
        d.call::<ThreadUnarchive>(of(home.thread(0))).await;
    }
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
    d.call::<ThreadResume>(of(home.thread(0))).await;
    talk(&home, &mut d, home.thread(0), [("q", "a")]).await;
    let thread = d.restart().await.call::<ThreadResume>(of(home.thread(0))).await.thread;
    assert_eq!(texts(&thread.turns), [vec!["Hello"], vec!["q", "a"]]);
}

#[tokio::test]
async fn what_is_not_archived_is_refused() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for id in [&home.thread(0).id, UNKNOWN] {
        let refusal = refused(d.fail::<ThreadUnarchive>(of(id)).await);
        assert_eq!(refusal, format!("no archived rollout found for thread id {id}"));
    }
    let refusal = refused(d.fail::<ThreadUnarchive>(of("x")).await);
    assert!(refusal.starts_with("invalid session id: "), "{refusal}");
    assert!(home.thread(0).path.exists());
    assert_eq!(d.methods_from(0), Vec::<&str>::new());
}

#[tokio::test]
async fn a_file_that_is_there_already_is_not_overwritten() {
    let home = Home::new().with_rollout(Rollout::new().archived());
    let active = home.store(Rollout::new().id(&home.thread(0).id).preview("the active one"));
    let before = (fs::read(&home.thread(0).path).unwrap(), fs::read(&active.path).unwrap());
    let mut d = Daemon::start(&home).await;
    d.fail::<ThreadUnarchive>(of(&active)).await;
    assert_eq!((fs::read(&home.thread(0).path).unwrap(), fs::read(&active.path).unwrap()), before);
}
