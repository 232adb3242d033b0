//! `thread/start`: a new thread, before anything is said in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pretty_assertions::assert_eq;
use protocol::{
    AskForApproval, GitInfo, SandboxMode, SandboxPolicy, SessionSource, ThreadOverrides, ThreadStart,
    ThreadStartParams, ThreadStartedNotification, ThreadStatus,
};
use serde_json::json;
use testkit::{Daemon, Home, Launch, Rollout, json_lines};

use crate::steps::{listed, read, refused, start, turn};

fn with(overrides: ThreadOverrides) -> ThreadStartParams {
    ThreadStartParams { overrides, ..ThreadStartParams::default() }
}

#[tokio::test]
async fn the_answer_and_the_notification_tell_the_same_thread() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let answer = d.call::<ThreadStart>(ThreadStartParams::default()).await;
    let (thread, settings) = (&answer.thread, &answer.settings);
    assert_eq!(d.note::<ThreadStartedNotification>().await.thread, *thread);
    assert_eq!((thread.preview.as_str(), &thread.turns, &thread.status), ("", &vec![], &ThreadStatus::Idle));
    assert_eq!((&thread.name, &thread.forked_from_id, &thread.git_info), (&None, &None, &None));
    assert_eq!((&thread.source, thread.model_provider.as_str()), (&SessionSource::Vscode, "mock_provider"));
    assert_eq!((&thread.session_id, thread.updated_at), (&thread.id, thread.created_at));
    assert_eq!((thread.ephemeral, &thread.cwd), (false, &home.work().display().to_string()));
    assert_eq!((settings.model.as_str(), settings.approval_policy), ("mock-model", AskForApproval::Never));
    assert_eq!((&settings.cwd, settings.model_provider.as_str()), (&thread.cwd, "mock_provider"));
    assert!(matches!(settings.sandbox, SandboxPolicy::ReadOnly { .. }), "{:?}", settings.sandbox);
}

#[tokio::test]
async fn no_status_change_is_told_of_a_thread_that_only_started() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    read(&mut d, &id).await;
    assert_eq!(d.methods_from(0), ["thread/started"]);
}

#[tokio::test]
async fn the_file_comes_with_the_first_message_at_the_path_that_was_told() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let thread = d.call::<ThreadStart>(ThreadStartParams::default()).await.thread;
    let path = thread.path.unwrap();
    assert!(Path::new(&path).is_absolute() && path.ends_with(&format!("-{}.jsonl", thread.id)), "{path}");
    read(&mut d, &thread.id).await;
    assert_eq!((listed(&mut d).await, home.files("rollout-")), (vec![], Vec::<PathBuf>::new()));
    turn(&mut d, &thread.id, "hi").await;
    assert_eq!((listed(&mut d).await, home.files("rollout-")), (vec![thread.id], vec![PathBuf::from(path)]));
}

#[tokio::test]
async fn the_first_line_tells_where_the_thread_comes_from() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let thread = d.call::<ThreadStart>(ThreadStartParams::default()).await.thread;
    turn(&mut d, &thread.id, "hi").await;
    let lines = json_lines(thread.path.unwrap());
    let meta = &lines[0]["payload"];
    assert_eq!(lines[0]["type"], "session_meta");
    assert_eq!((&meta["id"], &meta["cwd"]), (&json!(thread.id), &json!(thread.cwd)));
    assert_eq!((&meta["source"], &meta["model_provider"]), (&json!("vscode"), &json!("mock_provider")));
    assert_eq!((&meta["originator"], &meta["git"]), (&json!("testkit"), &json!(null)));
    for line in &lines {
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            timestamp.ends_with('Z') && timestamp.len() == "2025-01-05T12:00:00.000Z".len(),
            "{timestamp}"
        );
    }
}

#[tokio::test]
async fn the_file_name_tells_local_time_and_the_first_line_utc() {
    let home = Home::new();
    let mut d = Launch::on(&home).env("TZ", "XXX-14").start().await;
    let thread = d.call::<ThreadStart>(ThreadStartParams::default()).await.thread;
    let path = PathBuf::from(thread.path.unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    let local = chrono::NaiveDateTime::parse_from_str(&name[8..27], "%Y-%m-%dT%H-%M-%S").unwrap();
    let ahead = local.and_utc().timestamp() - thread.created_at;
    // The second may turn between the two.
    assert!((14 * 3600 - 1..=14 * 3600 + 1).contains(&ahead), "{ahead}");
    assert!(
        path.parent().unwrap().ends_with(local.format("sessions/%Y/%m/%d").to_string()),
        "{}",
        path.display()
    );
}

#[tokio::test]
async fn overrides_win_over_the_config_and_leave_it_alone() {
    let home = Home::new();
    let config = fs::read_to_string(home.root().join("config.toml")).unwrap();
    let elsewhere = home.work().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut d = Daemon::start(&home).await;
    let overrides = ThreadOverrides {
        model: Some("another".into()),
        cwd: Some(elsewhere.display().to_string()),
        approval_policy: Some(AskForApproval::OnRequest),
        sandbox: Some(SandboxMode::WorkspaceWrite),
        ..ThreadOverrides::default()
    };
    let answer = d.call::<ThreadStart>(with(overrides)).await;
    let settings = &answer.settings;
    assert_eq!((settings.model.as_str(), settings.approval_policy), ("another", AskForApproval::OnRequest));
    assert_eq!((&settings.cwd, &answer.thread.cwd), (&elsewhere.display().to_string(), &settings.cwd));
    assert!(matches!(settings.sandbox, SandboxPolicy::WorkspaceWrite { .. }), "{:?}", settings.sandbox);
    // A folder is not trusted because a client works in it.
    assert_eq!(fs::read_to_string(home.root().join("config.toml")).unwrap(), config);
}

#[tokio::test]
async fn instructions_reach_the_model() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let overrides = ThreadOverrides {
        base_instructions: Some("BASE RULES".into()),
        developer_instructions: Some("DEVELOPER RULES".into()),
        ..ThreadOverrides::default()
    };
    let id = d.call::<ThreadStart>(with(overrides)).await.thread.id;
    turn(&mut d, &id, "hi").await;
    let request = home.model().last_request();
    assert_eq!(request.body["instructions"], "BASE RULES");
    let told = request
        .said()
        .into_iter()
        .any(|(role, text)| role == "developer" && text.contains("DEVELOPER RULES"));
    assert!(told, "{:?}", request.said());
}

#[tokio::test]
async fn an_ephemeral_thread_is_never_stored_nor_listed() {
    let home = Home::new();
    let mut d = Daemon::start(&home).await;
    let params = ThreadStartParams { ephemeral: Some(true), ..ThreadStartParams::default() };
    let thread = d.call::<ThreadStart>(params).await.thread;
    assert_eq!((thread.ephemeral, &thread.path), (true, &None));
    turn(&mut d, &thread.id, "hi").await;
    let shown = read(&mut d, &thread.id).await;
    assert_eq!((shown.ephemeral, shown.preview.as_str(), shown.path), (true, "hi", None));
    assert_eq!((listed(&mut d).await, home.files("rollout-")), (vec![], Vec::<PathBuf>::new()));
}

#[tokio::test]
async fn the_repository_of_the_folder_is_recorded() {
    let home = Home::new();
    let git = |args: &[&str]| {
        let run = Command::new("git")
            .args(args)
            .current_dir(home.work())
            .env("HOME", home.work())
            .output()
            .unwrap();
        assert!(run.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "trunk"]);
    git(&["remote", "add", "origin", "https://example.com/org/repo.git"]);
    git(&[
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.com",
        "commit",
        "-q",
        "--allow-empty",
        "-m",
        "first",
    ]);
    let expected = GitInfo {
        sha: Some(git(&["rev-parse", "HEAD"])),
        branch: Some("trunk".into()),
        origin_url: Some("https://example.com/org/repo.git".into()),
    };
    let mut d = Daemon::start(&home).await;
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
    assert_eq!(read(&mut d, &id).await.git_info, Some(expected.clone()));
    assert_eq!(read(d.restart().await, &id).await.git_info, Some(expected));
}

#[tokio::test]
async fn params_that_do_not_fit_are_refused_and_start_nothing() {
    let home = Home::new().with_rollout(Rollout::new());
    let mut d = Daemon::start(&home).await;
    for (params, text) in [
        (json!({ "cwd": 5 }), "Invalid request: invalid type: integer `5`, expected a string"),
        (json!({ "sandbox": "open" }), "Invalid request: unknown variant `open`"),
        (json!({ "approvalPolicy": "sometimes" }), "Invalid request: unknown variant `sometimes`"),
        (json!({ "config": [] }), "Invalid request: invalid type: sequence"),
        (json!([]), "Invalid request: "),
    ] {
        let message = refused(d.fail_raw("thread/start", params).await);
        assert!(message.starts_with(text), "{message}");
    }
    assert_eq!(d.methods_from(0), Vec::<&str>::new());
}
