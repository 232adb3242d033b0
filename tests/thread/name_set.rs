//! `thread/name/set`: names are shared with other programs, through the file that they all append to.

use std::fs;
use std::io::Write;

use pretty_assertions::assert_eq;
use protocol::{
    ThreadListParams, ThreadNameSet, ThreadNameUpdatedNotification, ThreadSetNameParams, ThreadSortKey,
    ThreadStart, ThreadStartParams,
};
use testkit::{Daemon, Home, Rollout, json_lines};

use crate::index;
use crate::steps::{UNKNOWN, begin_slow, ended, list, read, refused, start, turn};

fn name(thread: impl AsRef<str>, name: &str) -> ThreadSetNameParams {
    ThreadSetNameParams { thread_id: thread.as_ref().into(), name: name.into() }
}

async fn listed_names(d: &mut Daemon) -> Vec<Option<String>> {
    list(d, ThreadListParams::default()).await.into_iter().map(|thread| thread.name).collect()
}

#[tokio::test]
async fn a_name_is_trimmed_kept_and_told() {
    for given in ["plain", "  Ünïcode ☃ \n", "two\nlines", "\"quoted\\\""] {
        let home = Home::new().with_rollout(Rollout::new().mtime(1_736_200_000));
        let mut d = Daemon::start(&home).await;
        d.call::<ThreadNameSet>(name(home.thread(0), given)).await;
        let told = d.note::<ThreadNameUpdatedNotification>().await;
        assert_eq!(
            (told.thread_id.as_str(), told.thread_name.as_deref()),
            (home.thread(0).id.as_str(), Some(given.trim()))
        );
        for _ in 0..2 {
            let thread = read(&mut d, home.thread(0)).await;
            assert_eq!((thread.name.as_deref(), thread.updated_at), (Some(given.trim()), 1_736_200_000));
            assert_eq!(listed_names(&mut d).await, [Some(given.trim().to_owned())]);
            d.restart().await;
        }
    }
}

#[tokio::test]
async fn names_stand_in_the_shared_file_and_the_last_one_counts() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadNameSet>(name(home.thread(0), "first")).await;
    d.call::<ThreadNameSet>(name(home.thread(0), "second")).await;
    let lines = json_lines(home.root().join("session_index.jsonl"));
    let names: Vec<_> = lines.iter().map(|line| line["thread_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "second"]);
    for line in &lines {
        assert_eq!(line["id"], home.thread(0).id);
        assert!(line["updated_at"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    assert_eq!(listed_names(&mut d).await, [Some("second".to_owned())]);
}

#[tokio::test]
async fn a_name_that_another_program_set_is_seen_and_damage_costs_its_line() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadNameSet>(name(home.thread(0), "ours")).await;
    let path = home.root().join("session_index.jsonl");
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    let line =
        |id: &str| format!(r#"{{"id":"{id}","thread_name":"theirs","updated_at":"2030-01-01T00:00:00Z"}}"#);
    write!(file, "garbage\n\u{0}\n{}\n{{\"torn", line(&home.thread(1).id)).unwrap();
    assert_eq!(listed_names(&mut d).await, [Some("theirs".to_owned()), Some("ours".to_owned())]);
    d.call::<ThreadNameSet>(name(home.thread(0), "ours again")).await;
    for _ in 0..2 {
        assert_eq!(listed_names(&mut d).await, [Some("theirs".to_owned()), Some("ours again".to_owned())]);
        d.restart().await;
    }
    assert!(
        fs::read_to_string(path).unwrap().contains("\n{\"torn\n"),
        "the torn line is completed, not glued"
    );
}

#[tokio::test]
async fn the_state_of_the_index_changes_nothing() {
    for state in index::ALL {
        let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new());
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        d.call::<ThreadNameSet>(name(home.thread(1), "named")).await;
        for _ in 0..2 {
            assert_eq!(listed_names(&mut d).await, [Some("named".to_owned()), None], "{state:?}");
            d.restart().await;
        }
    }
}

#[tokio::test]
async fn a_thread_may_be_named_before_the_first_message_and_during_a_turn() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    d.call::<ThreadNameSet>(name(&id, "early")).await;
    assert_eq!(read(&mut d, &id).await.name.as_deref(), Some("early"));
    assert_eq!(listed_names(&mut d).await, []);
    turn(&mut d, &id, "hi").await;
    assert_eq!(listed_names(&mut d).await, [Some("early".to_owned())]);
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    d.call::<ThreadNameSet>(name(&id, "late")).await;
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(listed_names(d.restart().await).await, [Some("late".to_owned())]);
}

#[tokio::test]
async fn a_name_set_by_another_server_is_seen_on_a_loaded_thread() {
    let home = Home::new();
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let id = start(&mut a).await;
    turn(&mut a, &id, "hi").await;
    b.call::<ThreadNameSet>(name(&id, "by b")).await;
    assert_eq!(listed_names(&mut a).await, [Some("by b".to_owned())]);
    assert_eq!(read(&mut a, &id).await.name.as_deref(), Some("by b"));
}

#[tokio::test]
async fn a_name_moves_no_thread_in_the_order_of_activity() {
    let home = Home::new().with_rollout(Rollout::new().mtime(1)).with_rollout(Rollout::new().mtime(2));
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadNameSet>(name(home.thread(0), "named")).await;
    let params = ThreadListParams { sort_key: Some(ThreadSortKey::UpdatedAt), ..ThreadListParams::default() };
    let names: Vec<_> = list(&mut d, params).await.into_iter().map(|thread| thread.name).collect();
    assert_eq!(names, [None, Some("named".to_owned())]);
}

#[tokio::test]
async fn an_ephemeral_thread_keeps_its_name_in_memory() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let params = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let id = d.call::<ThreadStart>(params).await.thread.id;
    d.call::<ThreadNameSet>(name(&id, "fleeting")).await;
    assert_eq!(read(&mut d, &id).await.name.as_deref(), Some("fleeting"));
    assert_eq!(home.files("rollout-").len(), 0);
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new().archived());
    let mut d = Daemon::start(&home).await;
    for given in ["", "  \n\t"] {
        let refusal = refused(d.fail::<ThreadNameSet>(name(home.thread(0), given)).await);
        assert_eq!(refusal, "thread name must not be empty");
    }
    let refusal = refused(d.fail::<ThreadNameSet>(name(UNKNOWN, "x")).await);
    assert!(refusal.contains(UNKNOWN), "{refusal}");
    let refusal = refused(d.fail::<ThreadNameSet>(name("not-a-uuid", "x")).await);
    assert!(refusal.starts_with("invalid thread id: "), "{refusal}");
    assert_eq!(listed_names(&mut d).await, [None]);
    assert_eq!(d.methods_from(0), Vec::<&str>::new());
}
