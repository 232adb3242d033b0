//! `thread/attachment/*` and `thread/attachmentOwner/list`.

use pretty_assertions::assert_eq;
use protocol::{
    ThreadArchive, ThreadAttachment, ThreadAttachmentAdd, ThreadAttachmentAddOutcome as Outcome,
    ThreadAttachmentAddParams, ThreadAttachmentAddResponse, ThreadAttachmentList, ThreadAttachmentListParams,
    ThreadAttachmentOperation, ThreadAttachmentOwner, ThreadAttachmentOwnerList,
    ThreadAttachmentOwnerListParams, ThreadAttachmentRemove, ThreadAttachmentRemoveParams,
    ThreadAttachmentUpdatedNotification, ThreadDelete, ThreadFork, ThreadForkParams,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Rollout, RpcError, of};

use crate::index;
use crate::steps::{UNKNOWN, start};

/// Returns the text of a refusal with the code that attachments have for what is wrong with them.
fn refused(error: RpcError) -> String {
    assert_eq!((error.code, error.data), (-32602, None), "{}", error.message);
    error.message
}

fn to_add(thread: impl AsRef<str>, key: &str, payload: Value) -> ThreadAttachmentAddParams {
    ThreadAttachmentAddParams {
        thread_id: thread.as_ref().into(),
        attachment_type: "pr".into(),
        identity_key: key.into(),
        payload,
    }
}

fn to_remove(thread: impl AsRef<str>, key: &str) -> ThreadAttachmentRemoveParams {
    ThreadAttachmentRemoveParams {
        thread_id: thread.as_ref().into(),
        attachment_type: "pr".into(),
        identity_key: key.into(),
    }
}

async fn add(
    d: &mut Daemon,
    thread: impl AsRef<str>,
    key: &str,
    payload: Value,
) -> ThreadAttachmentAddResponse {
    d.call::<ThreadAttachmentAdd>(to_add(thread, key, payload)).await
}

async fn attached(d: &mut Daemon, thread: impl AsRef<str>) -> Vec<ThreadAttachment> {
    let thread_id = thread.as_ref().to_owned();
    let params = ThreadAttachmentListParams { thread_id, ..Default::default() };
    d.call::<ThreadAttachmentList>(params).await.data
}

fn keys(attachments: &[ThreadAttachment]) -> Vec<&str> {
    attachments.iter().map(|attachment| attachment.identity_key.as_str()).collect()
}

fn owning(key: &str) -> ThreadAttachmentOwnerListParams {
    ThreadAttachmentOwnerListParams {
        attachment_type: "pr".into(),
        identity_key: key.into(),
        ..Default::default()
    }
}

async fn owners(d: &mut Daemon, params: ThreadAttachmentOwnerListParams) -> Vec<(String, bool)> {
    let owners = d.call::<ThreadAttachmentOwnerList>(params).await.data;
    owners.into_iter().map(|ThreadAttachmentOwner { thread_id, archived }| (thread_id, archived)).collect()
}

#[tokio::test]
async fn the_first_of_an_identity_stays_until_it_is_removed() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let created = add(&mut d, home.thread(0), "k", json!({ "a": [1, null, "ü"] })).await;
    assert_eq!(
        (created.outcome, &created.attachment.payload),
        (Outcome::Created, &json!({ "a": [1, null, "ü"] }))
    );
    let told = d.note::<ThreadAttachmentUpdatedNotification>().await;
    let expected = |operation, id: &str| ThreadAttachmentUpdatedNotification {
        thread_id: home.thread(0).id.clone(),
        attachment_type: "pr".into(),
        identity_key: "k".into(),
        attachment_id: id.to_owned(),
        operation,
    };
    assert_eq!(told, expected(ThreadAttachmentOperation::Created, &created.attachment.id));
    for told in [1, 0] {
        let existing = add(&mut d, home.thread(0), "k", json!({ "b": 2 })).await;
        assert_eq!((existing.outcome, &existing.attachment), (Outcome::Existing, &created.attachment));
        assert_eq!(attached(&mut d, home.thread(0)).await, std::slice::from_ref(&created.attachment));
        assert_eq!(d.notes().len(), told);
        d.restart().await;
    }
    for _ in 0..2 {
        d.call::<ThreadAttachmentRemove>(to_remove(home.thread(0), "k")).await;
        assert_eq!(attached(&mut d, home.thread(0)).await, []);
    }
    let told = d.note::<ThreadAttachmentUpdatedNotification>().await;
    assert_eq!(told, expected(ThreadAttachmentOperation::Deleted, &created.attachment.id));
    let again = add(&mut d, home.thread(0), "k", json!({ "b": 2 })).await;
    assert_eq!((again.outcome, again.attachment.payload), (Outcome::Created, json!({ "b": 2 })));
    assert_ne!(again.attachment.id, created.attachment.id);
    let told = d.note::<ThreadAttachmentUpdatedNotification>().await;
    assert_eq!(told, expected(ThreadAttachmentOperation::Created, &again.attachment.id));
    assert_eq!(d.notes().len(), 2);
}

#[tokio::test]
async fn pages_are_in_the_order_of_addition_and_fit_into_a_line() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for number in 0..7 {
        add(&mut d, home.thread(0), &format!("k{number}"), "x".repeat(9000 * (number % 3)).into()).await;
    }
    let thread_id = home.thread(0).id.clone();
    let mut params = ThreadAttachmentListParams { thread_id, limit: Some(3), cursor: None };
    let mut seen = Vec::new();
    loop {
        let page = d.call::<ThreadAttachmentList>(params.clone()).await;
        assert!((1..=3).contains(&page.data.len()), "{}", page.data.len());
        seen.extend(page.data);
        let Some(cursor) = page.next_cursor else { break };
        params.cursor = Some(cursor);
    }
    assert_eq!(keys(&seen), ["k0", "k1", "k2", "k3", "k4", "k5", "k6"]);
    let longest = d.lines().iter().map(String::len).max().unwrap();
    assert!(longest < 64 << 10, "{longest}");
    // What was removed meanwhile does not move the rest.
    params = ThreadAttachmentListParams { limit: Some(2), cursor: None, ..params };
    let first = d.call::<ThreadAttachmentList>(params.clone()).await;
    d.call::<ThreadAttachmentRemove>(to_remove(home.thread(0), "k1")).await;
    let second =
        d.call::<ThreadAttachmentList>(ThreadAttachmentListParams { cursor: first.next_cursor, ..params });
    assert_eq!(keys(&second.await.data), ["k2", "k3"]);
}

#[tokio::test]
async fn owners_are_told_archived_or_not_in_the_order_of_their_ids() {
    let home =
        Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new()).with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for thread in [2, 0, 1] {
        add(&mut d, home.thread(thread), "k", Value::Null).await;
    }
    add(&mut d, home.thread(0), "other", Value::Null).await;
    d.call::<ThreadArchive>(of(home.thread(1))).await;
    let [a, b, c] = [(0, false), (1, true), (2, false)]
        .map(|(thread, archived)| (home.thread(thread).id.clone(), archived));
    for (archived, expected) in [
        (None, vec![a.clone(), b.clone(), c.clone()]),
        (Some(false), vec![a.clone(), c.clone()]),
        (Some(true), vec![b.clone()]),
    ] {
        let params = ThreadAttachmentOwnerListParams { archived, limit: Some(1), ..owning("k") };
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let page = ThreadAttachmentOwnerListParams { cursor, ..params.clone() };
            let page = d.call::<ThreadAttachmentOwnerList>(page).await;
            assert_eq!(page.data.len(), 1);
            seen.extend(page.data.into_iter().map(|owner| (owner.thread_id, owner.archived)));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{archived:?}");
    }
    assert_eq!(owners(&mut d, owning("none")).await, []);
    d.call::<ThreadDelete>(of(home.thread(0))).await;
    assert_eq!(attached(&mut d, home.thread(0)).await, []);
    // A thread whose file somebody else removed owns nothing either.
    std::fs::remove_file(&home.thread(2).path).unwrap();
    assert_eq!(owners(&mut d, owning("k")).await, [b]);
}

#[tokio::test]
async fn a_fork_has_copies_of_its_own() {
    let home = Home::new().with_rollout(Rollout::new().turn("t", "hi", "ho"));
    let mut d = Daemon::start(&home).await;
    for key in ["k", "l"] {
        add(&mut d, home.thread(0), key, json!({ "key": key })).await;
    }
    let fork = d.call::<ThreadFork>(of(home.thread(0))).await.thread.id;
    let (source, copies) = (attached(&mut d, home.thread(0)).await, attached(&mut d, &fork).await);
    assert_eq!((keys(&copies), &copies[1].payload), (keys(&source), &json!({ "key": "l" })));
    assert_ne!(source[0].id, copies[0].id);
    d.call::<ThreadAttachmentRemove>(to_remove(&fork, "k")).await;
    d.call::<ThreadDelete>(of(home.thread(0))).await;
    assert_eq!(attached(d.restart().await, &fork).await, copies[1..]);
    let ephemeral = ThreadForkParams { ephemeral: Some(true), ..of(&fork).into() };
    let fork = d.call::<ThreadFork>(ephemeral).await.thread.id;
    assert_eq!(attached(&mut d, &fork).await, []);
}

#[tokio::test]
async fn what_makes_no_sense_is_a_wrong_param() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    let unsaid = start(&mut d).await;
    let add = |thread: &str, kind: &str, key: &str, payload: Value| ThreadAttachmentAddParams {
        attachment_type: kind.into(),
        ..to_add(thread, key, payload)
    };
    let id = home.thread(0).id.as_str();
    let (long, longer) = ("x".repeat(256), "x".repeat(257));
    for (params, text) in [
        (add(id, " ", "", Value::Null), "attachmentType must not be empty"),
        (add(id, "pr", "\u{a0}", Value::Null), "identityKey must not be empty"),
        (add(id, &longer, "k", Value::Null), "attachmentType must not exceed 256 bytes"),
        (add("zz", "pr", &longer, Value::Null), "identityKey must not exceed 256 bytes"),
        (add(id, "pr", "k", "x".repeat(65_535).into()), "attachment payload must not exceed 65536 bytes"),
        (add("zz", "pr", "k", Value::Null), "invalid thread id: "),
        (add(UNKNOWN, "pr", "k", Value::Null), &format!("thread not found: {UNKNOWN}")),
        (add(&unsaid, "pr", "k", Value::Null), &format!("thread not found: {unsaid}")),
    ] {
        let message = refused(d.fail::<ThreadAttachmentAdd>(params).await);
        assert!(message.starts_with(text), "{message}");
    }
    assert_eq!(attached(&mut d, id).await, []);
    d.call::<ThreadAttachmentAdd>(add(id, &long, &long, "x".repeat(65_534).into())).await;
    let message = refused(d.fail::<ThreadAttachmentRemove>(to_remove(UNKNOWN, "k")).await);
    assert_eq!(message, format!("thread not found: {UNKNOWN}"));
    assert_eq!(attached(&mut d, UNKNOWN).await, []);

    let other = format!("{UNKNOWN}|1|{UNKNOWN}");
    for cursor in ["", "zz", UNKNOWN, &other] {
        let cursor = Some(cursor.to_owned());
        let listing =
            ThreadAttachmentListParams { thread_id: id.into(), cursor: cursor.clone(), limit: None };
        let owners = ThreadAttachmentOwnerListParams { cursor, ..owning("k") };
        for error in
            [d.fail::<ThreadAttachmentList>(listing).await, d.fail::<ThreadAttachmentOwnerList>(owners).await]
        {
            assert_eq!(refused(error), "invalid pagination cursor");
        }
    }
}

#[tokio::test]
async fn a_thread_has_no_more_than_a_hundred() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for number in 0..100 {
        add(&mut d, home.thread(0), &number.to_string(), Value::Null).await;
    }
    let error = d.fail::<ThreadAttachmentAdd>(to_add(home.thread(0), "more", Value::Null)).await;
    assert_eq!(refused(error), "thread attachment identity count exceeds 100");
    assert_eq!(add(&mut d, home.thread(0), "7", Value::Null).await.outcome, Outcome::Existing);
    d.call::<ThreadAttachmentRemove>(to_remove(home.thread(0), "7")).await;
    assert_eq!(add(&mut d, home.thread(0), "more", Value::Null).await.outcome, Outcome::Created);
}

#[tokio::test]
async fn two_servers_and_every_state_of_the_index_see_the_same() {
    for state in index::ALL {
        let home = Home::new().with_rollout(Rollout::new()).with_rollout(Rollout::new().archived());
        let mut one = Daemon::start(&home).await;
        add(&mut one, home.thread(0), "k", json!(0)).await;
        add(&mut one, home.thread(1), "k", json!(1)).await;
        one.stop().await;
        home.delete_index();
        let _kept = state.prepare(&home).await;
        let mut other = Daemon::start(&home).await;
        one.restart().await;
        let existing = add(&mut other, home.thread(0), "k", json!(2)).await;
        assert_eq!(
            (existing.outcome, existing.attachment.payload),
            (Outcome::Existing, json!(0)),
            "{state:?}"
        );
        add(&mut other, home.thread(0), "l", json!(3)).await;
        assert_eq!(keys(&attached(&mut one, home.thread(0)).await), ["k", "l"], "{state:?}");
        let expected = [(home.thread(0).id.clone(), false), (home.thread(1).id.clone(), true)];
        assert_eq!(owners(&mut one, owning("k")).await, expected, "{state:?}");
    }
}
