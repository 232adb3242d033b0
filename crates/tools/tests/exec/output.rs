//! What commands write, and how much of it is waited for.

use std::{fs, process::Command, time::Duration};

use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tools::exec::{Event, Exit, Input, Output, Process, Progress, Stdio, Stream};

use super::{
    HUNG, PIPES, TYPED, ran, sessions, sh, started, started_until, supervisor, until, until_it_says,
};

#[tokio::test]
async fn both_outputs_come_in_the_order_of_writing() {
    let session = ran(&sessions(), PIPES, "for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done").await;
    assert_eq!(session.output().text(), "o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n");
}

#[tokio::test]
async fn two_outputs_come_apart_where_that_is_wanted() {
    let stdio = Stdio::Pipes { input: Input::Nothing, output: Output::Apart };
    let script = "echo out; echo err >&2; printf 'a\\377'; head -c 200000 /dev/zero >&2; exit 3";
    let mut process = Process::start(&supervisor(), &sh(stdio, script)).await.unwrap();
    let (mut out, mut err, mut ended) = (Vec::new(), Vec::new(), None);
    while let Some(event) = timeout(HUNG, process.next()).await.unwrap() {
        match event {
            Event::Output(Stream::Stdout, bytes) => out.extend_from_slice(bytes),
            Event::Output(Stream::Stderr, bytes) => err.extend_from_slice(bytes),
            Event::Ended(exit) => assert_eq!(ended.replace(exit), None),
        }
    }
    assert_eq!((out.as_slice(), err.len(), ended), (&b"out\na\xff"[..], 200_004, Some(Exit::Code(3))));
}

#[tokio::test]
async fn what_is_shown_live_is_what_is_kept() {
    let sessions = sessions();
    let script = "printf 'first \\342\\202'; printf '\\254 \\377\\n'; \
                  head -c 30000 /dev/zero | tr '\\0' x; echo; echo last";
    let (session, mut live) = started(&sessions, PIPES, script).await;
    let said = until_it_says(&mut live, "last\n").await;
    assert_eq!(live.next().await, None);
    assert!(said.starts_with("first € \u{fffd}\nxxx"), "{:?}", said.get(..20));
    assert_eq!(said, session.output().text());
}

#[tokio::test]
async fn each_look_shows_what_came_since_the_last() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TYPED, "echo one; read x; echo two; exit 3").await;
    until_it_says(&mut live, "one").await;
    let first = session.collect(Duration::ZERO).await;
    assert_eq!((first.output.text().as_str(), first.progress), ("one\n", Progress::Running));
    let nothing = session.collect(Duration::ZERO).await;
    assert_eq!((nothing.output.bytes(), nothing.progress), (0, Progress::Running));
    session.write(b"\n".to_vec()).await.unwrap();
    let last = session.collect(HUNG).await;
    assert_eq!((last.output.text().as_str(), last.progress.exit()), ("two\n", Some(Exit::Code(3))));
    assert_eq!(session.collect(HUNG).await.output.bytes(), 0);
    assert_eq!(session.output().text(), "one\ntwo\n");
}

#[tokio::test]
async fn a_character_is_not_shown_in_halves() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TYPED, "printf 'a\\342\\202'; read x; printf '\\254'").await;
    until_it_says(&mut live, "a").await;
    assert_eq!(session.collect(Duration::ZERO).await.output.text(), "a");
    session.write(b"\n".to_vec()).await.unwrap();
    assert_eq!(session.collect(HUNG).await.output.text(), "€");
}

#[tokio::test]
async fn a_child_that_holds_the_pipe_does_not_hold_the_call() {
    let sessions = sessions();
    let session = ran(&sessions, PIPES, "sleep 100 & echo parent; exit 3").await;
    assert_eq!(
        (session.output().text().as_str(), session.progress()),
        ("parent\n", Progress::Ended(Exit::Code(3)))
    );
}

#[tokio::test]
async fn a_child_that_floods_the_pipe_does_not_hold_the_call_and_can_be_ended() {
    let sessions = sessions();
    let session = ran(&sessions, PIPES, "yes & exit 3").await;
    assert_eq!(session.progress(), Progress::Ended(Exit::Code(3)));
    assert!(session.terminate().await);
}

#[tokio::test]
async fn what_a_command_leaves_running_may_go_on_writing() {
    let sessions = sessions();
    let folder = tempfile::tempdir().unwrap();
    let (go, mark) = (folder.path().join("go"), folder.path().join("mark"));
    // More than a pipe holds, and only then the file.
    let script = format!(
        "(until test -e {}; do sleep 0.01; done; head -c 300000 /dev/zero; : >{}) & echo parent",
        go.display(),
        mark.display()
    );
    let session = ran(&sessions, PIPES, &script).await;
    fs::write(go, "").unwrap();
    until("the child could write everything", || mark.exists()).await;
    assert_eq!(session.output().text(), "parent\n");
}

#[tokio::test]
async fn a_call_ends_with_what_came_when_its_time_is_up() {
    let sessions = sessions();
    let scripts = [
        "echo so far; sleep 100",
        "trap '' TERM; echo so far; sleep 100; sleep 100",
        "echo so far; yes | cat >/dev/null",
    ];
    for script in scripts {
        let session = started_until(&sessions, PIPES, script, "so far").await;
        let finished = session.finish(Duration::ZERO).await;
        assert_eq!((finished.exit, finished.exit_code()), (None, 124), "{script}");
        assert_eq!(finished.output.text(), "so far\n");
        timeout(HUNG, session.gone()).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_watches_on_for_a_command_whose_time_is_up_and_that_does_not_end() {
    let sessions = sessions();
    let script = "read x; kill -STOP $PPID; echo $PPID; sleep 100";
    let (session, mut live) = started(&sessions, TYPED, script).await;
    session.write(b"\n".to_vec()).await.unwrap();
    let owner = until_it_says(&mut live, "\n").await;
    assert_eq!(session.finish(Duration::ZERO).await.exit, None);
    assert_eq!(timeout(HUNG, live.next()).await.unwrap(), None);
    assert_eq!(session.progress(), Progress::Running, "who would end it is stopped");
    assert!(Command::new("kill").args(["-CONT", owner.trim()]).status().unwrap().success());
    timeout(HUNG, session.gone()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_done_in_time_tells_its_code() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, PIPES, "echo done; exit 3").await;
    let finished = session.finish(HUNG).await;
    assert_eq!((finished.exit, finished.exit_code()), (Some(Exit::Code(3)), 3));
    assert_eq!(finished.output.text(), "done\n");
}
