//! What commands are given to read.

use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tools::exec::{ExecError, Exit};

use super::{HUNG, PIPES, TYPED, ran, sessions, started, until_it_says};

#[tokio::test]
async fn a_command_reads_what_it_is_given_up_to_the_end() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TYPED, "read line; echo got:$line; cat; exit 4").await;
    session.write(b"one\n".to_vec()).await.unwrap();
    until_it_says(&mut live, "got:one\n").await;
    // More than a pipe holds.
    let long = vec![b'x'; 300_000];
    session.write(long.clone()).await.unwrap();
    session.close_input().await.unwrap();
    assert_eq!(timeout(HUNG, session.exit()).await.unwrap(), Exit::Code(4));
    assert_eq!(session.output().text(), format!("got:one\n{}", String::from_utf8(long).unwrap()));
}

#[tokio::test]
async fn a_command_that_nobody_types_into_reads_nothing() {
    let session = ran(&sessions(), PIPES, "test -p /dev/stdin && echo pipe; cat; echo end").await;
    assert_eq!(session.output().text(), "end\n");
}

#[tokio::test]
async fn closed_input_takes_nothing_more() {
    let sessions = sessions();
    let (closed, _live) = started(&sessions, TYPED, "sleep 100").await;
    closed.close_input().await.unwrap();
    let (never_open, _live) = started(&sessions, PIPES, "sleep 100").await;
    let over = ran(&sessions, TYPED, "true").await;
    for session in [closed, never_open, over] {
        let refused = session.write(b"x".to_vec()).await.unwrap_err();
        assert!(matches!(refused, ExecError::InputClosed), "{refused}");
    }
}

#[tokio::test]
async fn input_that_the_command_has_closed_takes_nothing_more() {
    let sessions = sessions();
    let (session, mut live) = started(&sessions, TYPED, "exec <&-; echo ready; sleep 100").await;
    until_it_says(&mut live, "ready").await;
    // The first one finds that out.
    session.write(b"x".to_vec()).await.unwrap();
    let mut refused = false;
    while !refused {
        refused = session.write(b"x".to_vec()).await.is_err();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_command_that_reads_nothing_is_not_waited_for_for_ever() {
    let sessions = sessions();
    let (session, _live) = started(&sessions, TYPED, "sleep 100").await;
    tokio::time::pause();
    let refused = loop {
        if let Err(error) = session.write(vec![b'x'; 100_000]).await {
            break error;
        }
    };
    tokio::time::resume();
    assert!(matches!(refused, ExecError::InputFull(_)), "{refused}");
    assert!(session.terminate().await);
}
