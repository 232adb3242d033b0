//! The commands of a thread together.

use pretty_assertions::assert_eq;
use tokio::time::timeout;
use tools::exec::{ExecError, Label};

use super::{HUNG, PIPES, processes, sessions, sh, started};

#[tokio::test]
async fn commands_are_known_by_number_and_listed_while_they_run() {
    let sessions = sessions();
    let label = Label { item: "call-1".into(), command: "sleep 100".into() };
    let (first, _live) = sessions.start(sh(PIPES, "sleep 100"), label.clone()).await.unwrap();
    let (second, _live) = started(&sessions, PIPES, "true").await;
    timeout(HUNG, second.gone()).await.unwrap();
    assert_eq!((first.id(), second.id()), (7, 8));
    assert_eq!(sessions.require(7).unwrap().label(), &label);
    assert_eq!(sessions.require(8).unwrap().pid(), second.pid());
    let refused = sessions.require(9).unwrap_err();
    assert!(matches!(refused, ExecError::NotFound(9)), "{refused}");
    assert_eq!(sessions.list().iter().map(|session| session.id()).collect::<Vec<_>>(), [7]);
}

#[tokio::test]
async fn all_commands_of_a_thread_can_be_ended_at_once() {
    let sessions = sessions();
    let mut all = Vec::new();
    for script in ["sleep 100", "trap '' TERM; sleep 100; sleep 100"] {
        let (session, _live) = started(&sessions, PIPES, script).await;
        all.extend(processes::owned(session.pid()));
    }
    assert!(sessions.terminate_all().await);
    assert!(sessions.list().is_empty());
    processes::until_gone(&all).await;
}

#[tokio::test]
async fn a_thread_has_only_so_many_commands_and_forgets_the_oldest_that_ended() {
    const MOST: u32 = 64;
    let sessions = sessions();
    let mut all = Vec::new();
    for _ in 0..MOST {
        let (session, _live) = started(&sessions, PIPES, "exec sleep 100").await;
        all.push(session);
    }
    let refused = sessions.start(sh(PIPES, "true"), super::label()).await.unwrap_err();
    assert!(matches!(refused, ExecError::TooMany(64)), "{refused}");
    for index in [9, 5] {
        assert!(all[index].terminate().await);
    }
    let (next, _live) = started(&sessions, PIPES, "true").await;
    assert_eq!(next.id(), 7 + MOST);
    let forgotten: Vec<_> =
        all.iter().map(|session| session.id()).filter(|id| sessions.require(*id).is_err()).collect();
    assert_eq!(forgotten, [all[5].id()]);
}
