//! One session with every method about threads, whose answers are the same whatever the index is like.

use std::fmt::Debug;

use pretty_assertions::assert_eq;
use protocol::{
    PatchField, SortDirection, ThreadArchive, ThreadDelete, ThreadFork, ThreadGoalClear, ThreadGoalGet,
    ThreadGoalSet, ThreadGoalSetParams, ThreadGoalStatus, ThreadItemsList, ThreadListCwdFilter,
    ThreadListParams, ThreadMetadataUpdate, ThreadNameSet, ThreadRead, ThreadResume, ThreadSectionCreate,
    ThreadSectionCreateParams, ThreadSectionList, ThreadSectionListParams, ThreadSectionMove,
    ThreadSectionMoveParams, ThreadSetNameParams, ThreadSortKey, ThreadSourceKind, ThreadTurnsList,
    ThreadUnarchive,
};
use serde_json::json;
use testkit::{Daemon, Home, Rollout, of, patch};

use crate::steps::{ids, list, read, refused, start, talk, texts, turns};

const GIT: [&str; 3] = ["abc", "main", "https://example.com/r"];

/// Four threads: three active ones that differ in what a list can filter by, the newest first, and an archived one.
pub fn home() -> Home {
    let [sha, branch, origin] = GIT;
    let stored = |at, text: &str| Rollout::new().at(at).preview(text);
    Home::new()
        .with_rollout(
            stored("2025-01-04T10-00-00", "The first words")
                .turn("t-1", "q1", "a1")
                .git(sha, branch, origin)
                .mtime(1_736_200_000),
        )
        .with_rollout(stored("2025-01-03T10-00-00", "Second words").cwd("/work/two").mtime(1_736_300_000))
        .with_rollout(stored("2025-01-02T10-00-00", "A third").source(json!("exec")).mtime(1_736_400_000))
        .with_rollout(stored("2025-01-01T10-00-00", "Set aside").archived())
}

/// What a list says of the threads of [`home`], for states in which nothing else can be asked.
pub async fn lists(d: &mut Daemon, home: &Home, state: &impl Debug) {
    let all = || ThreadListParams::default();
    let everything = vec![ThreadSourceKind::Cli, ThreadSourceKind::Vscode, ThreadSourceKind::Exec];
    let everything = || ThreadListParams { source_kinds: Some(everything.clone()), ..all() };
    let upwards = Some(SortDirection::Asc);
    let by_change = Some(ThreadSortKey::UpdatedAt);
    for (params, expected) in [
        (all(), &[0, 1][..]),
        (everything(), &[0, 1, 2]),
        (ThreadListParams { sort_direction: upwards, ..everything() }, &[2, 1, 0]),
        (ThreadListParams { sort_key: by_change, ..everything() }, &[2, 1, 0]),
        (ThreadListParams { sort_key: by_change, sort_direction: upwards, ..everything() }, &[0, 1, 2]),
        (ThreadListParams { archived: Some(true), ..all() }, &[3]),
        (ThreadListParams { source_kinds: Some(vec![ThreadSourceKind::Exec]), ..all() }, &[2]),
        (ThreadListParams { cwd: Some(ThreadListCwdFilter::One("/work/two".into())), ..all() }, &[1]),
        (searching("words"), &[0, 1]),
        (searching("first"), &[0]),
        (searching("Words"), &[]),
        (ThreadListParams { model_providers: Some(vec!["other".into()]), ..everything() }, &[]),
        (ThreadListParams { originators: Some(vec!["codex".into()]), ..everything() }, &[0, 1, 2]),
        (ThreadListParams { excluded_thread_ids: Some(vec![home.thread(0).id.clone()]), ..all() }, &[1]),
    ] {
        let expected: Vec<_> = expected.iter().map(|number| home.thread(*number).id.as_str()).collect();
        assert_eq!(ids(list(d, params.clone()).await), expected, "{params:?} {state:?}");
    }
    let shown = list(d, everything()).await;
    let seen: Vec<_> = shown
        .iter()
        .map(|thread| (thread.preview.as_str(), thread.cwd.as_str(), thread.updated_at))
        .collect();
    let expected = [
        ("The first words", "/", 1_736_200_000),
        ("Second words", "/work/two", 1_736_300_000),
        ("A third", "/", 1_736_400_000),
    ];
    assert_eq!(seen, expected, "{state:?}");
    let pages = ThreadListParams { limit: Some(1), ..all() };
    let first = d.call::<protocol::ThreadList>(pages.clone()).await;
    let second =
        d.call::<protocol::ThreadList>(ThreadListParams { cursor: first.next_cursor, ..pages }).await;
    let walked = [ids(first.data), ids(second.data)].concat();
    assert_eq!(walked, [home.thread(0).id.as_str(), home.thread(1).id.as_str()], "{state:?}");
    assert_eq!(second.next_cursor, None, "{state:?}");
}

/// Goes through every method; `state` says in which state the index is, for whoever reads a failure.
pub async fn session(d: &mut Daemon, home: &Home, state: &impl Debug) {
    lists(d, home, state).await;
    let [first, second, third, aside] = [0, 1, 2, 3].map(|number| home.thread(number));
    let all = || ThreadListParams::default();

    let thread = read(d, first).await;
    assert_eq!((thread.preview.as_str(), thread.updated_at), ("The first words", 1_736_200_000), "{state:?}");
    assert_eq!(branch(&thread), Some("main"), "{state:?}");
    assert_eq!(texts(&turns(d, first).await), [vec!["The first words"], vec!["q1", "a1"]], "{state:?}");
    assert_eq!(d.call::<ThreadTurnsList>(of(first)).await.page.data.len(), 2, "{state:?}");
    assert_eq!(d.call::<ThreadItemsList>(of(first)).await.data.len(), 3, "{state:?}");
    assert_eq!(read(d, aside).await.preview, "Set aside", "{state:?}");

    let patched = d.call::<ThreadMetadataUpdate>(patch(first).branch("new")).await.thread;
    assert_eq!((branch(&patched), patched.updated_at), (Some("new"), 1_736_200_000), "{state:?}");
    let patched = d.call::<ThreadMetadataUpdate>(patch(aside).branch("old")).await.thread;
    assert_eq!(branch(&patched), Some("old"), "{state:?}");
    let shown = list(d, all()).await;
    assert_eq!((branch(&shown[0]), branch(&shown[1])), (Some("new"), None), "{state:?}");

    let named = ThreadSetNameParams { thread_id: second.id.clone(), name: "Quarterly".into() };
    d.call::<ThreadNameSet>(named).await;
    assert_eq!(ids(list(d, searching("arterly")).await), [second.id.as_str()], "{state:?}");

    let section = ThreadSectionCreateParams { name: "Work".into(), appearance: None };
    let section = d.call::<ThreadSectionCreate>(section).await.section;
    let into = |thread: &testkit::Stored| ThreadSectionMoveParams {
        thread_id: thread.id.clone(),
        section_id: Some(section.id.clone()),
        before_thread_id: None,
    };
    d.call::<ThreadSectionMove>(into(second)).await;
    let within = ThreadListParams { section_id: PatchField::Set(section.id.clone()), ..all() };
    assert_eq!(ids(list(d, within).await), [second.id.as_str()], "{state:?}");
    let sections = d.call::<ThreadSectionList>(ThreadSectionListParams::default()).await.data;
    assert_eq!(sections.last().map(|section| section.name.as_str()), Some("Work"), "{state:?}");

    let goal = ThreadGoalSetParams {
        objective: Some("ship".into()),
        status: Some(ThreadGoalStatus::Paused),
        ..of(third).into()
    };
    d.call::<ThreadGoalSet>(goal).await;
    let goal = d.call::<ThreadGoalGet>(of(third)).await.goal;
    assert_eq!(goal.map(|goal| goal.objective), Some("ship".to_owned()), "{state:?}");
    assert!(d.call::<ThreadGoalClear>(of(third)).await.cleared, "{state:?}");

    let resumed = d.call::<ThreadResume>(of(second)).await.thread;
    assert_eq!(
        (texts(&resumed.turns), resumed.name),
        (vec![vec!["Second words"]], Some("Quarterly".into())),
        "{state:?}"
    );
    talk(home, d, second, [("more", "yes")]).await;
    assert_eq!(texts(&turns(d, second).await), [vec!["Second words"], vec!["more", "yes"]], "{state:?}");
    let by_change = ThreadListParams { sort_key: Some(ThreadSortKey::UpdatedAt), ..all() };
    assert_eq!(ids(list(d, by_change.clone()).await), [second.id.as_str(), first.id.as_str()], "{state:?}");

    let new = start(d).await;
    talk(home, d, &new, [("anew", "well")]).await;
    assert_eq!(read(d, &new).await.preview, "anew", "{state:?}");
    let fork = d.call::<ThreadFork>(of(first)).await.thread.id;
    assert_eq!(texts(&turns(d, &fork).await), [vec!["The first words"], vec!["q1", "a1"]], "{state:?}");
    assert_eq!(
        ids(list(d, all()).await),
        [fork.as_str(), new.as_str(), first.id.as_str(), second.id.as_str()],
        "{state:?}"
    );

    d.call::<ThreadArchive>(of(second)).await;
    let archived = ThreadListParams { archived: Some(true), ..all() };
    assert_eq!(ids(list(d, archived.clone()).await), [second.id.as_str(), aside.id.as_str()], "{state:?}");
    assert_eq!(texts(&turns(d, second).await).len(), 2, "{state:?}");
    let back = d.call::<ThreadUnarchive>(of(second)).await.thread;
    assert_eq!((back.id, back.name), (second.id.clone(), Some("Quarterly".into())), "{state:?}");
    d.call::<ThreadDelete>(of(&fork)).await;
    assert_eq!(refused(d.fail::<ThreadRead>(of(&fork)).await), format!("thread not loaded: {fork}"));
    kept(d, home, &new, state).await;
}

/// What a session leaves, for whichever server comes next.
async fn kept(d: &mut Daemon, home: &Home, new: &str, state: &impl Debug) {
    let [first, second, _, aside] = [0, 1, 2, 3].map(|number| home.thread(number));
    let shown = list(d, ThreadListParams::default()).await;
    assert_eq!(ids(shown.clone()), [new, &first.id, &second.id], "{state:?}");
    assert_eq!((branch(&shown[1]), shown[2].name.as_deref()), (Some("new"), Some("Quarterly")), "{state:?}");
    let archived = ThreadListParams { archived: Some(true), ..ThreadListParams::default() };
    let shown = list(d, archived).await;
    assert_eq!((shown.len(), &shown[0].id, branch(&shown[0])), (1, &aside.id, Some("old")), "{state:?}");
}

/// Holds what a session left against what the server says after it was started anew.
pub async fn after(d: &mut Daemon, home: &Home, state: &impl Debug) {
    let new = list(d, ThreadListParams::default()).await[0].id.clone();
    kept(d, home, &new, state).await;
}

fn searching(term: &str) -> ThreadListParams {
    ThreadListParams { search_term: Some(term.into()), ..ThreadListParams::default() }
}

fn branch(thread: &protocol::Thread) -> Option<&str> {
    thread.git_info.as_ref()?.branch.as_deref()
}
