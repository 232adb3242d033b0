//! The command line: its forms, its refusals, the home it makes, and what it does about a config that is broken.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use pretty_assertions::assert_eq;
use protocol::{ConfigWarningNotification, ThreadStart, ThreadStartParams};
use testkit::{Daemon, Home, Launch};

use crate::steps::{refused, start, turn};

fn run<'a>(home: &Home, args: impl IntoIterator<Item = &'a str>) -> Output {
    Launch::on(home).args(args).command().output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_version_names_us_and_the_release_that_we_stand_in_for() {
    let home = Home::new();
    let version = run(&home, ["--version"]);
    assert!(version.status.success());
    assert_eq!(text(&version.stdout), format!("skein {} (codex-cli 0.169.0)\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_help_names_the_commands() {
    let home = Home::new();
    let help = run(&home, ["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    assert!(help.contains("  app-server ") && help.contains("  try "), "{help}");
}

#[tokio::test]
async fn every_way_in_which_clients_start_it_reaches_an_answered_handshake() {
    let home = Home::new();
    let forms: &[&[&str]] = &[
        &["app-server"],
        &["app-server", "--listen", "stdio://"],
        &["app-server", "--stdio"],
        &["app-server", "--analytics-default-enabled"],
        &["-c", "model=\"other\"", "app-server"],
        &["--config", "model=other", "app-server", "--listen", "stdio://"],
        &["app-server", "-c", "model=\"other\"", "-c", "sandbox_mode=\"read-only\""],
        &["app-server", "--enable", "unified_exec", "--disable", "shell_tool"],
        &["--enable", "unified_exec", "--disable", "shell_tool", "app-server"],
    ];
    for form in forms {
        let d = Launch::on(&home).args(form.iter().copied()).start().await;
        assert!(d.greeting().user_agent.starts_with("testkit/0.169.0 "), "{form:?}");
    }
}

#[tokio::test]
async fn a_setting_of_the_command_line_wins_over_the_file_and_behind_the_command_over_before_it() {
    let home = Home::new();
    for (args, model) in [
        (&["-c", "model=before", "app-server"][..], "before"),
        (&["app-server", "-c", "model=\"behind\""], "behind"),
        (&["-c", "model=before", "app-server", "-c", "model=behind"], "behind"),
    ] {
        let mut d = Launch::on(&home).args(args.iter().copied()).start().await;
        assert_eq!(d.call::<ThreadStart>(ThreadStartParams::default()).await.settings.model, model);
    }
}

#[test]
fn what_it_cannot_do_ends_it_with_the_reason() {
    let home = Home::new();
    for (args, code, reason) in [
        (&["app-server", "-c", "no equals sign"][..], 1, "no equals sign"),
        (&["-c", "=1", "app-server"], 1, "empty key"),
        (&["app-server", "--enable", "levitation"], 1, "levitation"),
        (&["app-server", "--listen", "ws://127.0.0.1:0"], 1, "ws://127.0.0.1:0"),
        (&["app-server", "--levitate"], 2, "--levitate"),
        (&["levitate"], 2, "levitate"),
    ] {
        let run = run(&home, args.iter().copied());
        let told = text(&run.stderr);
        assert_eq!((run.status.code(), text(&run.stdout)), (Some(code), String::new()), "{args:?}: {told}");
        assert!(told.contains(reason), "{args:?}: {told}");
    }
}

#[tokio::test]
async fn a_home_that_is_missing_is_made_for_its_owner_alone() {
    let home = Home::new();
    let missing = home.work().join("not/there/yet");
    let d = Launch::on(&home).env("CODEX_HOME", &missing).start().await;
    assert_eq!(Path::new(&d.greeting().codex_home), missing);
    assert_eq!(fs::metadata(&missing).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn a_broken_config_is_told_with_its_place_and_mended_while_the_server_runs() {
    let home = Home::new();
    let file = home.root().join("config.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, "model = \"m\"\nsandbox_mode = \n").unwrap();
    let mut d = Daemon::start(&home).await;
    let warning = d.note::<ConfigWarningNotification>().await;
    assert_eq!(warning.path, Some(file.display().to_string()));
    assert_eq!(warning.range.unwrap().start.line, 2);
    let message = refused(d.fail::<ThreadStart>(ThreadStartParams::default()).await);
    assert!(message.starts_with("failed to load configuration: "), "{message}");
    fs::write(&file, good).unwrap();
    let id = start(&mut d).await;
    turn(&mut d, &id, "hi").await;
}

#[tokio::test]
async fn rules_that_are_not_understood_are_told_with_their_place() {
    let home = Home::new();
    let file = home.root().join("rules/default.rules");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(
        &file,
        "prefix_rule(pattern=[\"ls\"], decision=\"allow\")\nprefix_rule(pattern=[)\nnonsense()\n",
    )
    .unwrap();
    let mut d = Daemon::start(&home).await;
    let warning = d.note::<ConfigWarningNotification>().await;
    let details = warning.details.unwrap();
    assert!(details.contains("default.rules:2: ") && details.contains("default.rules:3: "), "{details}");
    assert_eq!(warning.path, Some(file.display().to_string()));
    assert_eq!(warning.range.unwrap().start.line, 2);
}

#[test]
fn a_try_shows_a_conversation_and_leaves_it_to_be_looked_at() {
    let home = Home::new();
    let run =
        Launch::on(&home).args(["try", "hello there"]).env("TMPDIR", home.work()).command().output().unwrap();
    assert!(run.status.success(), "{}", text(&run.stderr));
    let shown = text(&run.stdout);
    assert!(shown.contains("You       hello there\n"), "{shown}");
    assert!(shown.contains("branch to feature/try") && shown.contains("on feature/try"), "{shown}");
    let rollout = shown.lines().find_map(|line| line.strip_prefix("Rollout   ")).unwrap();
    assert!(fs::read_to_string(rollout).unwrap().contains("hello there"), "{rollout}");
    // It is a scratch home: the person's own is left alone.
    assert!(home.files("rollout-").is_empty() && Path::new(rollout).starts_with(home.work()));
}
