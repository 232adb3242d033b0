//! What becomes of the processes of a command when it ends, is ended, or loses those who watch it.

use std::time::Duration;

use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tools::exec::{Exit, Progress};

use super::{HUNG, PIPES, TERMINAL, TYPED, processes, ran, sessions, started, started_until, until};

/// A daemon by the book, a child that ignores SIGTERM with a child of its own, and a plain one.
pub const FAMILY: &str = "
    (setsid sh -c 'sleep 100 & exec sleep 100' &)
    sh -c 'trap \"\" TERM; sleep 100; :' &
    sleep 100 &
";

/// The names of [`FAMILY`], of the shell that started it, and of those who own it.
pub const FAMILY_NAMES: [&str; 8] =
    ["exec-owner", "exec-owner", "sh", "sh", "sleep", "sleep", "sleep", "sleep"];

/// Waits until all of [`FAMILY`] is there, and returns it with those who own it.
pub async fn family(command: u32) -> Vec<processes::Process> {
    processes::until_below(processes::backstop(command), "sleep", 4).await;
    let family = processes::owned(command);
    assert_eq!(processes::names(&family), FAMILY_NAMES);
    family
}

#[tokio::test]
async fn the_end_of_a_command_is_told_as_it_was() {
    let sessions = sessions();
    let cases = [
        ("exit 0", Exit::Code(0)),
        ("exit 3", Exit::Code(3)),
        ("kill -9 $$", Exit::Signal(9)),
        ("kill -TERM $$", Exit::Signal(15)),
    ];
    for stdio in [PIPES, TERMINAL] {
        for (script, expected) in cases {
            let session = ran(&sessions, stdio, script).await;
            timeout(HUNG, session.gone()).await.unwrap();
            assert_eq!(session.progress(), Progress::Gone(expected), "{script} {stdio:?}");
        }
    }
}

#[tokio::test]
async fn a_command_leaves_nothing_of_those_who_own_it() {
    let sessions = sessions();
    for stdio in [PIPES, TERMINAL] {
        let (session, _live) = started(&sessions, stdio, "exec sleep 100").await;
        processes::until_below(session.pid(), "sleep", 1).await;
        let all = processes::owned(session.pid());
        assert_eq!(processes::names(&all), ["exec-owner", "exec-owner", "sleep"]);
        processes::signal("KILL", session.pid());
        timeout(HUNG, session.gone()).await.unwrap();
        processes::until_gone(&all).await;
    }
}

#[tokio::test]
async fn terminating_ends_all_that_a_command_started() {
    let sessions = sessions();
    for stdio in [PIPES, TERMINAL] {
        let (session, _live) = started(&sessions, stdio, &format!("{FAMILY} wait")).await;
        let all = family(session.pid()).await;
        assert!(session.terminate().await);
        processes::until_gone(&all).await;
        assert_eq!(session.progress(), Progress::Gone(Exit::Signal(15)));
    }
}

#[tokio::test]
async fn killing_ends_all_that_a_command_started() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, PIPES, &format!("{FAMILY} wait")).await;
    let all = family(session.pid()).await;
    session.kill();
    timeout(HUNG, session.gone()).await.unwrap();
    processes::until_gone(&all).await;
    assert_eq!(session.progress(), Progress::Gone(Exit::Signal(9)));
}

#[tokio::test]
async fn a_command_that_is_terminated_may_say_goodbye() {
    let sessions = sessions();
    let script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let session = started_until(&sessions, PIPES, script, "ready").await;
    assert!(session.terminate().await);
    assert_eq!(session.progress(), Progress::Gone(Exit::Code(7)));
    // The shell may also remark on the child that was ended with it.
    let said = session.output().text();
    assert!(said.ends_with("bye\n"), "{said}");
}

#[tokio::test]
async fn a_stopped_command_hears_that_it_shall_end() {
    let sessions = sessions();
    let session =
        started_until(&sessions, PIPES, "trap 'exit 7' TERM; echo ready; kill -STOP $$", "ready").await;
    until("the command is stopped", || processes::tree(session.pid())[0].state == 'T').await;
    assert!(session.terminate().await);
    assert_eq!(session.progress(), Progress::Gone(Exit::Code(7)));
}

#[tokio::test]
async fn what_a_command_leaves_running_runs_on_and_stays_owned() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, TYPED, &format!("{FAMILY} read x")).await;
    let backstop = processes::backstop(session.pid());
    session.write(b"\n".to_vec()).await.unwrap();
    timeout(HUNG, session.exit()).await.unwrap();
    processes::until_below(backstop, "sleep", 4).await;
    assert_eq!(session.progress(), Progress::Ended(Exit::Code(0)));
    assert_eq!(sessions.list().len(), 1);
    let all = processes::tree(backstop);
    assert!(session.terminate().await);
    processes::until_gone(&all).await;
    assert!(sessions.list().is_empty());
}

#[tokio::test]
async fn orphans_that_end_leave_no_zombies() {
    let sessions = sessions();
    let script = "for i in 1 2 3 4 5 6 7 8; do (sh -c : &); done; echo ready; exec sleep 100";
    let session = started_until(&sessions, PIPES, script, "ready").await;
    let all = || processes::owned(session.pid());
    until("only the command is left", || processes::names(&all()) == ["exec-owner", "exec-owner", "sleep"])
        .await;
    assert!(session.terminate().await);
}

#[tokio::test]
async fn a_command_that_keeps_starting_daemons_is_ended_all_the_same() {
    let sessions = sessions();
    // Not for ever, so that a failure costs no more than this test.
    let storm =
        "storm() { for i in $(seq 500); do (setsid sleep 100 &); done; }; storm & storm & echo ready; wait";
    let session = started_until(&sessions, PIPES, storm, "ready").await;
    let backstop = processes::backstop(session.pid());
    let daemons = || processes::tree(backstop).iter().filter(|process| process.name == "sleep").count();
    until("there are many daemons", || daemons() > 50).await;
    session.kill();
    timeout(HUNG, session.gone()).await.unwrap();
    until("no daemon is left", || !processes::all().values().any(|process| process.parent == backstop)).await;
}

#[tokio::test]
async fn killing_either_of_the_owners_ends_everything() {
    let sessions = sessions();
    for owner in [processes::supervisor, processes::backstop] {
        let (session, _live) = started(&sessions, PIPES, &format!("{FAMILY} wait")).await;
        let all = family(session.pid()).await;
        processes::signal("KILL", owner(session.pid()));
        timeout(HUNG, session.gone()).await.unwrap();
        processes::until_gone(&all).await;
        assert!(session.progress().exit().is_some());
    }
}

#[tokio::test]
async fn killing_both_owners_at_once_kills_the_command() {
    let sessions = sessions();
    let session = started_until(&sessions, PIPES, "echo ready; exec sleep 100", "ready").await;
    let all = processes::owned(session.pid());
    // Stopped, so that neither does anything about the other's end.
    let owners = [processes::supervisor(session.pid()), processes::backstop(session.pid())];
    owners.iter().for_each(|owner| processes::signal("STOP", *owner));
    owners.iter().for_each(|owner| processes::signal("KILL", *owner));
    processes::until_gone(&all).await;
    timeout(HUNG, session.gone()).await.unwrap();
    assert_eq!(session.progress(), Progress::Gone(Exit::Signal(9)));
}

#[tokio::test]
async fn an_owner_that_is_asked_to_end_gives_the_command_its_time() {
    let sessions = sessions();
    for owner in [processes::supervisor, processes::backstop] {
        let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done";
        let session = started_until(&sessions, PIPES, script, "ready").await;
        processes::signal("TERM", owner(session.pid()));
        timeout(HUNG, session.gone()).await.unwrap();
        assert_eq!(session.progress(), Progress::Gone(Exit::Code(7)));
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_its_command_with_it() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, PIPES, &format!("{FAMILY} wait")).await;
    let all = family(session.pid()).await;
    assert!(timeout(Duration::ZERO, session.finish(HUNG)).await.is_err());
    processes::until_gone(&all).await;
}

#[tokio::test]
async fn dropping_the_sessions_of_a_thread_kills_them() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, TERMINAL, &format!("{FAMILY} wait")).await;
    let all = family(session.pid()).await;
    drop(sessions);
    processes::until_gone(&all).await;
}
