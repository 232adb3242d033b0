//! Commands in a terminal.

use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tools::exec::{ExecError, Exit, Size, Stdio};

use super::{HUNG, PIPES, TERMINAL, argv, label, processes, ran, sessions, started, until_it_says};

#[tokio::test]
async fn a_terminal_is_one_and_has_its_size() {
    let script = "test -t 0 && test -t 1 && test -t 2 && test -e /dev/tty && stty size </dev/tty";
    let session = ran(&sessions(), Stdio::Terminal(Size { rows: 31, cols: 101 }), script).await;
    assert_eq!(session.output().text(), "31 101\r\n");
}

#[tokio::test]
async fn a_terminal_that_is_resized_tells_its_programs() {
    let sessions = sessions();
    // `read` alone would go on reading after the signal.
    let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done";
    let (session, mut live) = started(&sessions, TERMINAL, script).await;
    until_it_says(&mut live, "ready").await;
    session.resize(Size { rows: 45, cols: 132 }).unwrap();
    until_it_says(&mut live, "45 132").await;
    let (piped, _live) = started(&sessions, PIPES, "sleep 100").await;
    let refused = piped.resize(Size::default()).unwrap_err();
    assert!(matches!(refused, ExecError::NoTerminal), "{refused}");
}

#[tokio::test]
async fn control_c_interrupts_the_command_and_not_its_owners() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, TERMINAL, "sleep 100; :").await;
    // A shell that is interrupted before it starts its command may keep that to itself until the command ends.
    processes::until_below(session.pid(), "sleep", 1).await;
    session.write(b"\x03".to_vec()).await.unwrap();
    assert_eq!(timeout(HUNG, session.exit()).await.unwrap(), Exit::Signal(2));
}

#[tokio::test]
async fn control_d_ends_what_reads() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TERMINAL, "echo ready; cat; echo over").await;
    until_it_says(&mut live, "ready").await;
    session.write(b"line\n".to_vec()).await.unwrap();
    until_it_says(&mut live, "line\r\nline\r\n").await;
    session.close_input().await.unwrap();
    until_it_says(&mut live, "over").await;
    assert_eq!(timeout(HUNG, session.exit()).await.unwrap(), Exit::Code(0));
}

#[tokio::test]
async fn a_shell_can_be_talked_to() {
    let sessions = sessions();
    let launch = argv(TERMINAL, &["bash", "--norc", "-i"]);
    let (session, mut live) = sessions.start(launch, label()).await.unwrap();
    // The words as the shell writes them differ from the words as they are typed.
    session.write(b"echo \"one\"$((1 + 1))\n".to_vec()).await.unwrap();
    until_it_says(&mut live, "one2").await;
    // Job control: the shell gives the terminal to the job, so that only the job is interrupted.
    session.write(b"echo \"wait\"ing; sleep 100\n".to_vec()).await.unwrap();
    until_it_says(&mut live, "waiting").await;
    processes::until_below(session.pid(), "sleep", 1).await;
    session.write(b"\x03".to_vec()).await.unwrap();
    processes::until_below(session.pid(), "sleep", 0).await;
    session.write(b"exit 5\n".to_vec()).await.unwrap();
    assert_eq!(timeout(HUNG, session.exit()).await.unwrap(), Exit::Code(5));
}

#[tokio::test]
async fn a_terminal_that_goes_away_hangs_up_on_its_programs() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TERMINAL, "sleep 100 & echo ready").await;
    until_it_says(&mut live, "ready").await;
    timeout(HUNG, session.gone()).await.unwrap();
    assert_eq!(session.progress().exit(), Some(Exit::Code(0)));
}
