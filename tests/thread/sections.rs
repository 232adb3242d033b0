//! `threadSection/*`, `thread/section/move` and what `thread/list` makes of them.

use pretty_assertions::assert_eq;
use protocol::{
    PatchField, SortDirection, Thread, ThreadArchive, ThreadDelete, ThreadFork, ThreadList, ThreadListParams,
    ThreadListResponse, ThreadResume, ThreadSection, ThreadSectionAppearance,
    ThreadSectionChangedNotification, ThreadSectionCreate, ThreadSectionCreateParams, ThreadSectionDelete,
    ThreadSectionDeleteParams, ThreadSectionList, ThreadSectionListParams, ThreadSectionMove,
    ThreadSectionMoveParams, ThreadSectionUpdate, ThreadSectionUpdateParams, ThreadSortKey, ThreadStart,
    ThreadStartParams, ThreadUnarchive,
};
use serde_json::json;
use testkit::{Daemon, Home, Rollout, RpcError, of};

use crate::index;
use crate::steps::{UNKNOWN, ids, list, listed, read, refused, start, turn};

const PINNED: &str = "01984de2-8f74-7c91-a3b2-5c5e937cf318";

/// Returns the text of a refusal with the code that sections have for what is wrong with them.
fn refused_section(error: RpcError) -> String {
    assert_eq!((error.code, error.data), (-32602, None), "{}", error.message);
    error.message
}

fn home(threads: usize) -> Home {
    let stored = |home: Home, at| home.with_rollout(Rollout::new().at(at));
    let days = ["2025-01-01T12-00-00", "2025-01-02T12-00-00", "2025-01-03T12-00-00", "2025-01-04T12-00-00"];
    days.into_iter().take(threads).fold(Home::new(), stored)
}

async fn create(d: &mut Daemon, name: &str) -> ThreadSection {
    let params = ThreadSectionCreateParams { name: name.into(), appearance: None };
    d.call::<ThreadSectionCreate>(params).await.section
}

async fn names(d: &mut Daemon) -> Vec<String> {
    let sections = d.call::<ThreadSectionList>(ThreadSectionListParams::default()).await.data;
    sections.into_iter().map(|section| section.name).collect()
}

fn to(thread: impl AsRef<str>, section: Option<&str>, before: Option<&str>) -> ThreadSectionMoveParams {
    ThreadSectionMoveParams {
        thread_id: thread.as_ref().into(),
        section_id: section.map(str::to_owned),
        before_thread_id: before.map(str::to_owned),
    }
}

async fn put(d: &mut Daemon, thread: impl AsRef<str>, section: &ThreadSection) {
    d.call::<ThreadSectionMove>(to(thread, Some(&section.id), None)).await;
}

fn within(section: &str) -> ThreadListParams {
    ThreadListParams { section_id: PatchField::Set(section.into()), ..ThreadListParams::default() }
}

fn in_none() -> ThreadListParams {
    ThreadListParams { section_id: PatchField::Clear, ..ThreadListParams::default() }
}

fn in_order(section: &str) -> ThreadListParams {
    ThreadListParams { sort_key: Some(ThreadSortKey::SectionPosition), ..within(section) }
}

async fn order(d: &mut Daemon, section: &ThreadSection) -> Vec<String> {
    ids(list(d, in_order(&section.id)).await)
}

/// The index of each thread of the home, so that orders can be told in digits.
fn digits(home: &Home, threads: &[String]) -> String {
    let digit = |id: &String| (0..4).find(|index| home.thread(*index).id == *id).unwrap();
    threads.iter().map(|id| digit(id).to_string()).collect()
}

#[tokio::test]
async fn the_built_in_section_is_first_and_stays_as_it_is() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, " Work ").await;
    create(&mut d, "Work").await;
    create(&mut d, "Pinned").await;
    for _ in 0..2 {
        assert_eq!(names(&mut d).await, ["Pinned", "Work", "Work", "Pinned"]);
        let first = ThreadSectionListParams { limit: Some(1), cursor: None };
        let page = d.call::<ThreadSectionList>(first).await;
        assert_eq!((page.data[0].id.as_str(), page.next_cursor.is_some()), (PINNED, true));
        let rest = ThreadSectionListParams { limit: Some(3), cursor: page.next_cursor };
        let page = d.call::<ThreadSectionList>(rest).await;
        assert_eq!((&page.data[0], page.data.len(), page.next_cursor), (&work, 3, None));
        d.restart().await;
    }
    let rename =
        ThreadSectionUpdateParams { section_id: PINNED.into(), name: "Mine".into(), ..Default::default() };
    let error = d.fail::<ThreadSectionUpdate>(rename).await;
    assert_eq!(refused_section(error), "the built-in pinned section cannot be renamed");
    let error = d.fail::<ThreadSectionDelete>(ThreadSectionDeleteParams { section_id: PINNED.into() }).await;
    assert_eq!(refused_section(error), "the built-in pinned section cannot be deleted");
}

#[tokio::test]
async fn a_section_is_renamed_and_its_look_kept_cleared_or_replaced() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let look = |icon: &str| ThreadSectionAppearance { icon: Some(icon.into()), color: None };
    let params = ThreadSectionCreateParams { name: "Work".into(), appearance: Some(look("a")) };
    let id = d.call::<ThreadSectionCreate>(params).await.section.id;
    for (name, patch, expected) in [
        ("Kept", PatchField::Keep, Some(look("a"))),
        ("Replaced", PatchField::Set(look("b")), Some(look("b"))),
        ("Cleared", PatchField::Clear, None),
    ] {
        let params = ThreadSectionUpdateParams {
            section_id: id.clone(),
            name: format!(" {name} "),
            appearance: patch,
        };
        let section = d.call::<ThreadSectionUpdate>(params).await.section;
        assert_eq!(section, ThreadSection { id: id.clone(), name: name.into(), appearance: expected });
        let all = d.restart().await.call::<ThreadSectionList>(ThreadSectionListParams::default()).await.data;
        assert_eq!(all[1], section);
    }
}

#[tokio::test]
async fn a_thread_is_moved_shown_where_it_is_and_told_of() {
    let home = home(2);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    put(&mut d, home.thread(0), &work).await;
    let told = d.note::<ThreadSectionChangedNotification>().await;
    assert_eq!((&told.thread_id, told.section_id.as_ref()), (&home.thread(0).id, Some(&work.id)));
    let shown = read(&mut d, home.thread(0)).await;
    assert_eq!(shown.section.as_ref(), Some(&work));
    let entered = shown.section_entered_at;
    for _ in 0..2 {
        let everywhere = [
            read(&mut d, home.thread(0)).await,
            list(&mut d, within(&work.id)).await.remove(0),
            list(&mut d, ThreadListParams::default()).await.remove(1),
            d.call::<ThreadResume>(of(home.thread(0))).await.thread,
        ];
        for thread in everywhere {
            assert_eq!((thread.section.as_ref(), thread.section_entered_at), (Some(&work), entered));
        }
        assert_eq!(ids(list(&mut d, in_none()).await), [home.thread(1).id.as_str()]);
        d.restart().await;
    }
    d.call::<ThreadSectionMove>(to(home.thread(0), None, None)).await;
    assert_eq!(d.note::<ThreadSectionChangedNotification>().await.section_id, None);
    let Thread { section, section_entered_at, .. } = read(&mut d, home.thread(0)).await;
    assert_eq!((section, section_entered_at), (None, None));
    assert_eq!((list(&mut d, within(&work.id)).await.len(), list(&mut d, in_none()).await.len()), (0, 2));
}

#[tokio::test]
async fn a_section_has_an_order_of_its_own_which_pages_follow_both_ways() {
    let home = home(4);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    for thread in 0..4 {
        put(&mut d, home.thread(thread), &work).await;
    }
    let before =
        |moved: usize, stays: usize| to(home.thread(moved), Some(&work.id), Some(&home.thread(stays).id));
    for (move_, expected) in [(before(3, 1), "0312"), (before(0, 2), "3102"), (before(2, 3), "2310")] {
        d.call::<ThreadSectionMove>(move_).await;
        let order = order(&mut d, &work).await;
        assert_eq!(digits(&home, &order), expected);
    }
    // Other orders are as ever, and other filters narrow this one.
    assert_eq!(digits(&home, &ids(list(&mut d, within(&work.id)).await)), "3210");
    let excluded = Some(vec![home.thread(3).id.clone()]);
    let without = ThreadListParams { excluded_thread_ids: excluded, ..in_order(&work.id) };
    assert_eq!(digits(&home, &ids(list(&mut d, without).await)), "210");

    let page = |cursor: Option<String>, direction, limit| ThreadListParams {
        cursor,
        limit: Some(limit),
        sort_direction: direction,
        ..in_order(&work.id)
    };
    let shown = |page: &ThreadListResponse| digits(&home, &ids(page.data.clone()));
    let first = d.call::<ThreadList>(page(None, None, 2)).await;
    // What moves meanwhile behind the page is neither missed nor shown twice.
    d.call::<ThreadSectionMove>(before(2, 0)).await;
    let second = d.call::<ThreadList>(page(first.next_cursor.clone(), None, 2)).await;
    let third = d.call::<ThreadList>(page(second.next_cursor.clone(), None, 2)).await;
    assert_eq!([&first, &second, &third].map(shown), ["23", "12", "0"]);
    assert_eq!(third.next_cursor, None);
    let back = page(second.backwards_cursor, Some(SortDirection::Desc), 9);
    assert_eq!(shown(&d.call::<ThreadList>(back).await), "13");
    assert_eq!(shown(&d.call::<ThreadList>(page(None, Some(SortDirection::Desc), 9)).await), "0213");
}

#[tokio::test]
async fn a_move_that_makes_no_sense_is_refused_and_changes_nothing() {
    let home = home(2);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    put(&mut d, home.thread(0), &work).await;
    let (a, b) = (home.thread(0).id.clone(), home.thread(1).id.clone());
    let work_id = Some(work.id.as_str());
    for (params, text) in [
        (to(UNKNOWN, work_id, None), format!("thread not found: {UNKNOWN}")),
        (to("zz", work_id, None), "invalid thread id: ".to_owned()),
        (to(&a, Some(UNKNOWN), None), format!("section {UNKNOWN} does not exist")),
        (to(&a, Some(" "), None), "sectionId must not be empty".to_owned()),
        (to(&a, None, Some(&b)), "beforeThreadId requires a non-null sectionId".to_owned()),
        (to(&a, work_id, Some("zz")), "invalid before thread id: ".to_owned()),
        (to(&a, work_id, Some(&a)), format!("thread {a} cannot be moved before itself")),
        (to(&a, work_id, Some(&b)), format!("before thread {b} is not in section {}", work.id)),
    ] {
        let message = refused(d.fail::<ThreadSectionMove>(params.clone()).await);
        assert!(message.starts_with(&text), "{params:?}: {message}");
    }
    let error = d.fail_raw("thread/section/move", json!({ "threadId": a })).await;
    assert_eq!(refused(error), "Invalid request: missing field `sectionId`");
    assert_eq!(order(&mut d, &work).await, [a]);
    assert_eq!(d.methods_from(0), ["thread/section/changed"]);
}

#[tokio::test]
async fn a_section_that_makes_no_sense_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let blank = |id: &str| ThreadSectionUpdateParams { section_id: id.into(), ..Default::default() };
    let named = |id: &str| ThreadSectionUpdateParams { name: "n".into(), ..blank(id) };
    let work = create(&mut d, "Work").await;
    for error in [
        d.fail::<ThreadSectionCreate>(ThreadSectionCreateParams { name: " ".into(), appearance: None }).await,
        d.fail::<ThreadSectionUpdate>(blank(&work.id)).await,
    ] {
        assert_eq!(refused_section(error), "section name must not be empty");
    }
    for unknown in [UNKNOWN, "zz"] {
        let deleted = ThreadSectionDeleteParams { section_id: unknown.into() };
        for error in [
            d.fail::<ThreadSectionUpdate>(named(unknown)).await,
            d.fail::<ThreadSectionDelete>(deleted).await,
        ] {
            assert_eq!(refused_section(error), format!("thread section not found: {unknown}"));
        }
        assert_eq!(list(&mut d, within(unknown)).await, []);
    }
    for params in [in_none(), ThreadListParams::default()] {
        let params = ThreadListParams { sort_key: Some(ThreadSortKey::SectionPosition), ..params };
        let message = refused(d.fail::<ThreadList>(params).await);
        assert_eq!(message, "section-position sorting requires a section filter");
    }
    for cursor in ["zz", "", "2025-01-05T20:00:00Z"] {
        let params = ThreadListParams { cursor: Some(cursor.into()), ..in_order(&work.id) };
        assert_eq!(refused(d.fail::<ThreadList>(params).await), format!("invalid cursor: {cursor}"));
    }
    assert_eq!(names(&mut d).await, ["Pinned", "Work"]);
}

#[tokio::test]
async fn a_deleted_section_frees_its_threads() {
    let home = home(2);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    put(&mut d, home.thread(0), &work).await;
    let delete = ThreadSectionDeleteParams { section_id: work.id.clone() };
    d.call::<ThreadSectionDelete>(delete.clone()).await;
    for _ in 0..2 {
        assert_eq!(
            (names(&mut d).await, read(&mut d, home.thread(0)).await.section),
            (vec!["Pinned".into()], None)
        );
        assert_eq!((list(&mut d, within(&work.id)).await.len(), list(&mut d, in_none()).await.len()), (0, 2));
        let error = d.fail::<ThreadSectionDelete>(delete.clone()).await;
        assert_eq!(refused_section(error), format!("thread section not found: {}", work.id));
        d.restart().await;
    }
}

#[tokio::test]
async fn a_thread_keeps_its_place_in_the_archive_and_loses_it_with_itself() {
    let home = home(3);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    for thread in 0..3 {
        put(&mut d, home.thread(thread), &work).await;
    }
    d.call::<ThreadArchive>(of(home.thread(1))).await;
    assert_eq!(digits(&home, &order(&mut d, &work).await), "02");
    let archived = ThreadListParams { archived: Some(true), ..in_order(&work.id) };
    assert_eq!(digits(&home, &ids(list(&mut d, archived).await)), "1");
    assert_eq!(d.call::<ThreadUnarchive>(of(home.thread(1))).await.thread.section.as_ref(), Some(&work));
    assert_eq!(digits(&home, &order(&mut d, &work).await), "012");

    assert_eq!(d.call::<ThreadFork>(of(home.thread(0))).await.thread.section, None);
    d.call::<ThreadDelete>(of(home.thread(0))).await;
    assert_eq!(digits(&home, &order(&mut d, &work).await), "12");
    let before = to(home.thread(1), Some(&work.id), Some(&home.thread(0).id));
    let message = refused(d.fail::<ThreadSectionMove>(before).await);
    assert_eq!(message, format!("before thread {} is not in section {}", home.thread(0).id, work.id));
}

#[tokio::test]
async fn a_thread_without_a_file_gets_one_unless_it_is_ephemeral_or_the_move_is_refused() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    let id = start(&mut d).await;
    refused(d.fail::<ThreadSectionMove>(to(&id, Some(UNKNOWN), None)).await);
    assert_eq!(home.files("rollout-").len(), 0);
    put(&mut d, &id, &work).await;
    assert_eq!((home.files("rollout-").len(), read(&mut d, &id).await.section.as_ref()), (1, Some(&work)));
    // It is listed once something was said, in its section as elsewhere.
    assert_eq!((order(&mut d, &work).await, listed(&mut d).await), (vec![], vec![]));
    turn(&mut d, &id, "hi").await;
    assert_eq!((order(&mut d, &work).await, listed(&mut d).await), (vec![id.clone()], vec![id]));

    let ephemeral = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let id = d.call::<ThreadStart>(ephemeral).await.thread.id;
    let message = refused(d.fail::<ThreadSectionMove>(to(&id, Some(&work.id), None)).await);
    assert_eq!(message, format!("ephemeral thread does not support section moves: {id}"));
}

#[tokio::test]
async fn two_servers_of_one_home_see_the_same_sections() {
    let home = home(3);
    let (mut one, mut other) = (Daemon::start(&home).await, Daemon::start(&home).await);
    let work = create(&mut one, "Work").await;
    put(&mut other, home.thread(0), &work).await;
    put(&mut one, home.thread(1), &work).await;
    let before = to(home.thread(2), Some(&work.id), Some(&home.thread(1).id));
    other.call::<ThreadSectionMove>(before).await;
    for d in [&mut one, &mut other] {
        assert_eq!(digits(&home, &order(d, &work).await), "021");
        assert_eq!(names(d).await, ["Pinned", "Work"]);
    }
}

#[tokio::test]
async fn moves_asked_for_at_once_come_out_in_the_order_in_which_they_were_asked_for() {
    let home = home(4);
    let mut d = Daemon::start(&home).await;
    let work = create(&mut d, "Work").await;
    let sent: Vec<_> = [2, 0, 3, 1]
        .map(|thread| d.send::<ThreadSectionMove>(to(home.thread(thread), Some(&work.id), None)))
        .into();
    for sent in sent {
        d.answer(sent).await;
    }
    assert_eq!(digits(&home, &order(&mut d, &work).await), "2031");
}

#[tokio::test]
async fn the_state_of_the_index_changes_nothing_and_a_foreign_entry_is_kept() {
    for state in index::ALL {
        let home = home(3);
        let mut d = Daemon::start(&home).await;
        let work = create(&mut d, "Work").await;
        for thread in [1, 0] {
            put(&mut d, home.thread(thread), &work).await;
        }
        d.stop().await;
        let journal = home.root().join("skein/journal.jsonl");
        let foreign = json!({ "type": "of_the_future", "thread_id": home.thread(0).id }).to_string();
        let mut text = std::fs::read_to_string(&journal).unwrap();
        text.push_str(&format!("{foreign}\n{{\"type\":\"section_mo"));
        std::fs::write(&journal, text).unwrap();
        home.delete_index();

        let kept = state.prepare(&home).await;
        d.restart().await;
        assert_eq!(digits(&home, &order(&mut d, &work).await), "10", "{state:?}");
        put(&mut d, home.thread(2), &work).await;
        assert_eq!(digits(&home, &order(&mut d, &work).await), "102", "{state:?}");
        assert_eq!(digits(&home, &ids(list(&mut d, within(&work.id)).await)), "210", "{state:?}");
        assert_eq!(list(&mut d, in_none()).await, [], "{state:?}");
        d.stop().await;
        drop(kept);
        let lines = std::fs::read_to_string(&journal).unwrap();
        assert!(lines.lines().any(|line| line == foreign), "{lines}");
    }
}
