//! The filters of `thread/list`, and what they go by.

use pretty_assertions::assert_eq;
use protocol::{
    SessionSource, SubAgentSource, ThreadListCwdFilter, ThreadListParams, ThreadNameSet, ThreadSetNameParams,
    ThreadSourceKind,
};
use serde_json::{Value, json};
use testkit::{Daemon, Home, Rollout};

use super::{four, numbers, searching};
use crate::index;
use crate::steps::{UNKNOWN, ids, list};

/// Threads that differ in all that a filter looks at; each is made to be found by one of them.
fn varied() -> Home {
    let spawned = json!({ "subagent": { "thread_spawn": { "parent_thread_id": UNKNOWN, "depth": 1,
        "agent_nickname": "Atlas", "agent_role": "explorer" } } });
    Home::new()
        .with_rollout(Rollout::new().at("2025-01-01T12-00-00").cwd("/home/dev/p"))
        .with_rollout(Rollout::new().at("2025-01-02T12-00-00").cwd("/home/dev/p/sub").source(Value::Null))
        .with_rollout(Rollout::new().at("2025-01-03T12-00-00").provider("other".into()))
        .with_rollout(Rollout::new().at("2025-01-04T12-00-00").provider(Value::Null))
        .with_rollout(Rollout::new().at("2025-01-05T12-00-00").source("exec".into()))
        .with_rollout(Rollout::new().at("2025-01-06T12-00-00").source("mcp".into()))
        .with_rollout(Rollout::new().at("2025-01-07T12-00-00").source("never-heard-of".into()))
        .with_rollout(Rollout::new().at("2025-01-08T12-00-00").source(json!({ "subagent": "review" })))
        .with_rollout(Rollout::new().at("2025-01-09T12-00-00").source(json!({ "subagent": "compact" })))
        .with_rollout(
            Rollout::new().at("2025-01-10T12-00-00").source(json!({ "subagent": { "other": "guardian" } })),
        )
        .with_rollout(
            Rollout::new().at("2025-01-11T12-00-00").source(spawned).meta("parent_thread_id", UNKNOWN.into()),
        )
        .with_rollout(Rollout::new().at("2025-01-12T12-00-00").preview("Needle 100% a_b ☃ größer"))
        .with_rollout(Rollout::new().at("2025-01-13T12-00-00").archived())
        .with_rollout(Rollout::new().at("2025-01-14T12-00-00").silent())
        .with_rollout(Rollout::new().at("2025-01-15T12-00-00").meta("originator", "elsewhere".into()))
}

#[tokio::test]
async fn every_filter_says_the_same_in_every_state_of_the_index() {
    use ThreadSourceKind::*;
    let none = ThreadListParams::default;
    let kinds = |kinds: &[ThreadSourceKind]| ThreadListParams { source_kinds: Some(kinds.into()), ..none() };
    let cwd = |cwd: &str| ThreadListParams { cwd: Some(ThreadListCwdFilter::One(cwd.into())), ..none() };
    let cwds = |cwds: &[&str]| {
        let cwds = cwds.iter().map(|cwd| (*cwd).to_owned()).collect();
        ThreadListParams { cwd: Some(ThreadListCwdFilter::Many(cwds)), ..none() }
    };
    let providers = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ThreadListParams { model_providers: Some(names), ..none() }
    };
    let cases: Vec<(ThreadListParams, &[usize])> = vec![
        // Of every provider, and of the sources that a person works with.
        (none(), &[14, 11, 3, 2, 1, 0]),
        (kinds(&[]), &[14, 11, 3, 2, 1, 0]),
        (providers(&[]), &[14, 11, 3, 2, 1, 0]),
        (providers(&["other"]), &[2]),
        // A file that names no provider counts as of the configured one.
        (providers(&["mock_provider"]), &[14, 11, 3, 1, 0]),
        (providers(&["other", "nope"]), &[2]),
        (kinds(&[Cli]), &[14, 11, 3, 2, 0]),
        (kinds(&[Vscode]), &[1]),
        (kinds(&[Exec, AppServer, Unknown]), &[6, 5, 4]),
        (kinds(&[SubAgent]), &[10, 9, 8, 7]),
        (kinds(&[SubAgentReview]), &[7]),
        (kinds(&[SubAgentCompact, SubAgentOther]), &[9, 8]),
        (kinds(&[SubAgentThreadSpawn]), &[10]),
        (ThreadListParams { parent_thread_id: Some(UNKNOWN.into()), ..kinds(&[SubAgent]) }, &[10]),
        (ThreadListParams { archived: Some(true), ..none() }, &[12]),
        (ThreadListParams { archived: Some(false), ..none() }, &[14, 11, 3, 2, 1, 0]),
        (cwd("/home/dev/p"), &[0]),
        (cwd("/home/dev/p/"), &[0]),
        (cwd("/home/dev"), &[]),
        (cwds(&["/home/dev/p", "/home/dev/p/sub"]), &[1, 0]),
        (searching(""), &[14, 11, 3, 2, 1, 0]),
        (searching("Needle"), &[11]),
        (searching("needle"), &[]),
        (searching("edl"), &[11]),
        (searching("100%"), &[11]),
        (searching("%"), &[11]),
        (searching("a_b"), &[11]),
        (searching("aXb"), &[]),
        (searching("☃"), &[11]),
        (searching("ö"), &[11]),
        (ThreadListParams { originators: Some(vec!["elsewhere".into()]), ..none() }, &[14]),
        (
            ThreadListParams {
                excluded_thread_ids: Some(vec!["00000000-0000-4000-8000-000000000011".into()]),
                ..none()
            },
            &[14, 3, 2, 1, 0],
        ),
    ];
    for state in index::ALL {
        let home = varied();
        let _kept = state.prepare(&home).await;
        let mut d = Daemon::start(&home).await;
        for (params, expected) in &cases {
            assert_eq!(numbers(list(&mut d, params.clone()).await), *expected, "{state:?} {params:?}");
        }
    }
}

#[tokio::test]
async fn a_relative_cwd_is_of_the_servers_folder() {
    let home = Home::new();
    let stored = home.store(Rollout::new().cwd(home.work().join("p")));
    let mut d = Daemon::start(&home).await;
    for cwd in ["p", "./p", "p/"] {
        let params = ThreadListParams {
            cwd: Some(ThreadListCwdFilter::One(cwd.into())),
            ..ThreadListParams::default()
        };
        assert_eq!(ids(list(&mut d, params).await), [stored.id.as_str()], "{cwd}");
    }
}

#[tokio::test]
async fn a_name_is_listed_and_found() {
    let home = four();
    let mut d = Daemon::start(&home).await;
    let named = ThreadSetNameParams { thread_id: home.thread(1).id.clone(), name: "Quarterly ☃".into() };
    d.call::<ThreadNameSet>(named).await;
    for _ in 0..2 {
        let found = list(&mut d, searching("arterly ☃")).await;
        assert_eq!(
            found.iter().map(|thread| thread.name.as_deref()).collect::<Vec<_>>(),
            [Some("Quarterly ☃")]
        );
        assert_eq!(found[0].id, home.thread(1).id);
        d.restart().await;
    }
}

#[tokio::test]
async fn sources_are_told_in_the_words_of_the_protocol() {
    let home = varied();
    let mut d = Daemon::start(&home).await;
    let kinds = [
        ThreadSourceKind::Cli,
        ThreadSourceKind::Vscode,
        ThreadSourceKind::Exec,
        ThreadSourceKind::AppServer,
        ThreadSourceKind::Unknown,
        ThreadSourceKind::SubAgent,
    ];
    let params = ThreadListParams { source_kinds: Some(kinds.into()), ..ThreadListParams::default() };
    let listed = list(&mut d, params).await;
    let source = |number: usize| {
        let id = &home.thread(number).id;
        listed.iter().find(|thread| thread.id == *id).unwrap()
    };
    for (number, expected) in [
        (0, SessionSource::Cli),
        (1, SessionSource::Vscode),
        (4, SessionSource::Exec),
        (5, SessionSource::AppServer),
        (6, SessionSource::Unknown),
        (7, SessionSource::SubAgent(SubAgentSource::Review)),
        (8, SessionSource::SubAgent(SubAgentSource::Compact)),
        (9, SessionSource::SubAgent(SubAgentSource::Other("guardian".into()))),
    ] {
        assert_eq!(source(number).source, expected);
    }
    let spawned = source(10);
    assert!(matches!(&spawned.source, SessionSource::SubAgent(SubAgentSource::ThreadSpawn { depth: 1, .. })));
    let agent = (spawned.agent_nickname.as_deref(), spawned.agent_role.as_deref());
    assert_eq!(agent, (Some("Atlas"), Some("explorer")));
    assert_eq!(source(3).model_provider, "mock_provider");
}
