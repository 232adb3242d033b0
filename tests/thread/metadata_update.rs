//! `thread/metadata/update`: what a client stores about a thread stays, whatever happens to the index.

use std::fs;
use std::path::Path;

use pretty_assertions::assert_eq;
use protocol::PatchField::Clear;
use protocol::{
    GitInfo, Thread, ThreadArchive, ThreadListParams, ThreadMetadataUpdate, ThreadResume, ThreadStart,
    ThreadStartParams, ThreadStatus, ThreadUnarchive,
};
use serde_json::json;
use testkit::{Daemon, Home, Patch, Rollout, json_lines, of, patch};

use crate::index;
use crate::steps::{UNKNOWN, begin_slow, ended, list, read, refused, start, talk, texts, turn, turns};

async fn update(d: &mut Daemon, patch: Patch) -> Thread {
    d.call::<ThreadMetadataUpdate>(patch).await.thread
}

fn git(sha: Option<&str>, branch: Option<&str>, origin_url: Option<&str>) -> Option<GitInfo> {
    let text = |text: Option<&str>| text.map(str::to_owned);
    Some(GitInfo { sha: text(sha), branch: text(branch), origin_url: text(origin_url) })
}

fn stored() -> Rollout {
    Rollout::new().preview("Stored words").git("abc", "main", "https://example.com/r").mtime(1_736_200_000)
}

async fn listed_git(d: &mut Daemon, archived: bool) -> Vec<Option<GitInfo>> {
    let params = ThreadListParams { archived: Some(archived), ..ThreadListParams::default() };
    list(d, params).await.into_iter().map(|thread| thread.git_info).collect()
}

#[tokio::test]
async fn a_field_is_kept_cleared_or_set() {
    for (change, expected) in [
        (patch("").branch("new"), git(Some("abc"), Some("new"), Some("https://example.com/r"))),
        (patch("").sha(Clear), git(None, Some("main"), Some("https://example.com/r"))),
        (patch("").sha("f00").branch(Clear).origin_url("x"), git(Some("f00"), None, Some("x"))),
        (patch("").sha(Clear).branch(Clear).origin_url(Clear), None),
    ] {
        let home = Home::new().with_rollout(stored());
        let mut d = Daemon::start(&home).await;
        let change = change.thread(home.thread(0));
        assert_eq!(update(&mut d, change.clone()).await.git_info, expected, "{change:?}");
        assert_eq!(read(&mut d, home.thread(0)).await.git_info, expected, "{change:?}");
        assert_eq!(read(d.restart().await, home.thread(0)).await.git_info, expected, "{change:?}");
        assert_eq!(listed_git(&mut d, false).await, [expected], "{change:?}");
    }
}

#[tokio::test]
async fn a_patch_changes_neither_the_preview_nor_the_dates_nor_the_order() {
    let home = Home::new().with_rollout(stored()).with_rollout(Rollout::new().mtime(1_736_300_000));
    let mut d = Daemon::start(&home).await;
    let before = read(&mut d, home.thread(0)).await;
    let after = update(&mut d, patch(home.thread(0)).branch("new")).await;
    assert_eq!(after, Thread { git_info: after.git_info.clone(), ..before });
    assert_eq!(
        (after.preview.as_str(), after.created_at, after.updated_at),
        ("Stored words", 1_736_078_400, 1_736_200_000)
    );
    let by_activity = ThreadListParams {
        sort_key: Some(protocol::ThreadSortKey::UpdatedAt),
        ..ThreadListParams::default()
    };
    for _ in 0..2 {
        let listed = list(&mut d, by_activity.clone()).await;
        assert_eq!(listed[1], after);
        assert_eq!(listed[0].id, home.thread(1).id);
        d.restart().await;
    }
}

#[tokio::test]
async fn the_state_of_the_index_changes_nothing() {
    for state in index::ALL {
        let home = Home::new().with_rollout(stored()).with_rollout(stored().archived());
        let kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for stored in [home.thread(0), home.thread(1)] {
            let thread = update(&mut d, patch(stored).branch(Clear).sha("f00")).await;
            let expected = git(Some("f00"), None, Some("https://example.com/r"));
            assert_eq!((thread.git_info, thread.preview.as_str()), (expected, "Stored words"), "{state:?}");
            assert_eq!((thread.created_at, thread.updated_at), (1_736_078_400, 1_736_200_000), "{state:?}");
        }
        let expected = [git(Some("f00"), None, Some("https://example.com/r"))];
        assert_eq!(listed_git(&mut d, false).await, expected, "{state:?}");
        assert_eq!(listed_git(d.restart().await, true).await, expected, "{state:?}");
        drop(kept);
        // And with the trouble over.
        assert_eq!(listed_git(d.restart().await, false).await, expected, "{state:?}");
        assert_eq!(read(&mut d, home.thread(1)).await.git_info, expected[0], "{state:?}");
    }
}

#[tokio::test]
async fn what_was_cleared_stays_cleared_when_the_index_is_made_anew() {
    let home = Home::new().with_rollout(stored());
    let mut d = Daemon::start(&home).await;
    listed_git(&mut d, false).await;
    update(&mut d, patch(home.thread(0)).sha(Clear).branch(Clear).origin_url(Clear)).await;
    for _ in 0..2 {
        assert_eq!(listed_git(&mut d, false).await, [None]);
        assert_eq!(read(d.restart().await, home.thread(0)).await.git_info, None);
        d.stop().await;
        home.delete_index();
        d.restart().await;
    }
}

#[tokio::test]
async fn the_index_may_go_while_the_server_runs() {
    let home = Home::new().with_rollout(stored()).with_rollout(stored());
    let mut d = Daemon::start(&home).await;
    assert_eq!(listed_git(&mut d, false).await.len(), 2);
    home.delete_index();
    update(&mut d, patch(home.thread(0)).branch("one")).await;
    fs::write(home.index(), "no database").unwrap();
    update(&mut d, patch(home.thread(1)).branch("two")).await;
    for _ in 0..2 {
        for (index, branch) in ["one", "two"].into_iter().enumerate() {
            let expected = git(Some("abc"), Some(branch), Some("https://example.com/r"));
            assert_eq!(read(&mut d, home.thread(index)).await.git_info, expected);
        }
        assert_eq!(listed_git(&mut d, false).await.len(), 2);
        d.restart().await;
    }
}

#[tokio::test]
async fn a_loaded_thread_is_patched_and_goes_on() {
    let home = Home::new().with_rollout(stored());
    let mut d = Daemon::start(&home).await;
    d.call::<ThreadResume>(of(home.thread(0))).await;
    let thread = update(&mut d, patch(home.thread(0)).branch("new")).await;
    assert_eq!((thread.status, thread.created_at), (ThreadStatus::Idle, 1_736_078_400));
    let ids = talk(&home, &mut d, home.thread(0), [("q", "a")]).await;
    let expected = git(Some("abc"), Some("new"), Some("https://example.com/r"));
    assert_eq!(read(&mut d, home.thread(0)).await.git_info, expected);
    let turns = turns(d.restart().await, home.thread(0)).await;
    assert_eq!((texts(&turns), &turns[1].id), (vec![vec!["Stored words"], vec!["q", "a"]], &ids[0]));
    assert_eq!(read(&mut d, home.thread(0)).await.git_info, expected);
}

#[tokio::test]
async fn a_thread_is_patched_while_its_turn_runs() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    let (running, gate) = begin_slow(&home, &mut d, &id, "slowly").await;
    let thread = update(&mut d, patch(&id).branch("meanwhile")).await;
    assert_eq!(thread.status, ThreadStatus::Active { active_flags: vec![] });
    gate.open();
    ended(&mut d, &running).await;
    assert_eq!(read(d.restart().await, &id).await.git_info, git(None, Some("meanwhile"), None));
    assert_eq!(texts(&turns(&mut d, &id).await), [["slowly", "at last"]]);
}

#[tokio::test]
async fn a_thread_in_which_nothing_was_said_is_patched() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let thread = d.call::<ThreadStart>(ThreadStartParams::default()).await.thread;
    let patched = update(&mut d, patch(&thread.id).branch("early")).await;
    assert_eq!((&patched.git_info, patched.status), (&git(None, Some("early"), None), ThreadStatus::Idle));
    assert_eq!(patched.path, thread.path);
    // Stored, and yet not listed: nobody said anything.
    assert_eq!(listed_git(&mut d, false).await, []);
    assert_eq!(read(d.restart().await, &thread.id).await.git_info, patched.git_info);
    d.call::<ThreadResume>(of(&thread.id)).await;
    turn(&mut d, &thread.id, "at last").await;
    assert_eq!(listed_git(d.restart().await, false).await, [patched.git_info]);
}

#[tokio::test]
async fn a_patch_goes_with_the_thread_into_the_archive_and_out_of_it() {
    let home = Home::new().with_rollout(stored());
    let mut d = Daemon::start(&home).await;
    update(&mut d, patch(home.thread(0)).branch("one")).await;
    d.call::<ThreadArchive>(of(home.thread(0))).await;
    let thread = update(&mut d, patch(home.thread(0)).sha("two")).await;
    let expected = git(Some("two"), Some("one"), Some("https://example.com/r"));
    assert_eq!(thread.git_info, expected);
    assert!(Path::new(thread.path.as_deref().unwrap()).starts_with(home.root().join("archived_sessions")));
    let thread = d.call::<ThreadUnarchive>(of(home.thread(0))).await.thread;
    assert_eq!(thread.git_info, expected);
    assert_eq!(listed_git(d.restart().await, false).await, [expected]);
}

#[tokio::test]
async fn two_servers_patch_one_thread() {
    let home = Home::new().with_rollout(stored());
    let (mut a, mut b) = (Daemon::start(&home).await, Daemon::start(&home).await);
    update(&mut a, patch(home.thread(0)).branch("of a")).await;
    update(&mut b, patch(home.thread(0)).sha("of b")).await;
    let expected = git(Some("of b"), Some("of a"), Some("https://example.com/r"));
    assert_eq!(read(&mut a, home.thread(0)).await.git_info, expected);
    assert_eq!(listed_git(&mut a, false).await, std::slice::from_ref(&expected));
    assert_eq!(listed_git(&mut b, false).await, [expected]);
}

#[tokio::test]
async fn a_patch_survives_a_kill_right_after_its_answer() {
    let home = Home::new().with_rollout(stored()).with_rollout(stored().archived());
    let mut d = Daemon::start(&home).await;
    for index in [0, 1] {
        update(&mut d, patch(home.thread(index)).branch("kept")).await;
        d.kill().await;
        let thread = read(d.restart().await, home.thread(index)).await;
        assert_eq!(thread.git_info, git(Some("abc"), Some("kept"), Some("https://example.com/r")));
    }
}

#[tokio::test]
async fn the_rest_of_the_first_line_survives_a_patch() {
    let home =
        Home::new().with_rollout(stored().meta("of_the_future", json!({ "x": [1, null] })).tail("{\"torn"));
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    update(&mut d, patch(home.thread(0)).branch("new")).await;
    d.stop().await;
    let after = fs::read(&home.thread(0).path).unwrap();
    assert!(after.starts_with(&before), "what was there is there");
    let added = &String::from_utf8(after).unwrap()[before.len()..];
    let added: serde_json::Value = serde_json::from_str(added.trim()).unwrap();
    let mut expected = json_lines_of(&before)[0]["payload"].clone();
    expected["git"]["branch"] = "new".into();
    assert_eq!((&added["type"], &added["payload"]), (&json!("session_meta"), &expected));
}

fn json_lines_of(bytes: &[u8]) -> Vec<serde_json::Value> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[tokio::test]
async fn a_patch_in_the_form_with_ordinals_goes_on_counting() {
    let home = Home::new().with_rollout(stored().ordinals());
    let mut d = Daemon::start(&home).await;
    update(&mut d, patch(home.thread(0)).branch("new")).await;
    let ordinals: Vec<_> =
        json_lines(&home.thread(0).path).iter().map(|line| line["ordinal"].as_u64()).collect();
    assert_eq!(ordinals, (0..ordinals.len() as u64).map(Some).collect::<Vec<_>>());
    assert_eq!(texts(&turns(&mut d, home.thread(0)).await), [["Stored words"]]);
}

#[tokio::test]
async fn what_cannot_be_patched_is_refused_and_changes_nothing() {
    let home = Home::new().with_rollout(stored());
    let before = fs::read(&home.thread(0).path).unwrap();
    let mut d = Daemon::start(&home).await;
    let id = &home.thread(0).id;
    let empty = "gitInfo must include at least one field";
    for (params, message) in [
        (json!({ "threadId": id }), empty),
        (json!({ "threadId": id, "gitInfo": null }), empty),
        (json!({ "threadId": id, "gitInfo": {} }), empty),
        (json!({ "threadId": id, "gitInfo": { "fromTheFuture": "x" } }), empty),
        (json!({ "threadId": id, "gitInfo": { "branch": 5 } }), "Invalid request: invalid type: integer `5`"),
        (json!({ "threadId": id, "gitInfo": "main" }), "Invalid request: invalid type: string \"main\""),
        (json!({ "gitInfo": { "branch": "x" } }), "Invalid request: missing field `threadId`"),
        (json!({ "threadId": "../../x", "gitInfo": { "branch": "x" } }), "invalid thread id: "),
    ] {
        let refusal = refused(d.fail_raw("thread/metadata/update", params.clone()).await);
        assert!(refusal.starts_with(message), "{params}: {refusal}");
    }
    let refusal = refused(d.fail::<ThreadMetadataUpdate>(patch(UNKNOWN).branch("x")).await);
    assert!(refusal.contains("thread") && refusal.contains(UNKNOWN), "{refusal}");
    let ephemeral = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let ephemeral = d.call::<ThreadStart>(ephemeral).await.thread.id;
    let refusal = refused(d.fail::<ThreadMetadataUpdate>(patch(&ephemeral).branch("x")).await);
    assert!(refusal.contains("ephemeral"), "{refusal}");
    assert_eq!(fs::read(&home.thread(0).path).unwrap(), before);
    assert_eq!(home.files("rollout-").len(), 1);
}
