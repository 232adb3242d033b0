//! The session that is run under faults: everything that stores something, and what was told of it.
//!
//! A refusal is no failure: the session goes on with what can be gone on with. A request that gets no answer is one,
//! unless the server was killed.

use std::collections::HashSet;

use protocol::{
    ClientInfo, Initialize, InitializeParams, Method, SandboxMode, ThreadArchive, ThreadDelete, ThreadFork,
    ThreadList, ThreadListParams, ThreadMetadataUpdate, ThreadNameSet, ThreadOverrides, ThreadResume,
    ThreadSetNameParams, ThreadStart, ThreadStartParams, ThreadUnarchive, TurnCompletedNotification,
    TurnStart, TurnStatus,
};
use serde_json::json;
use testkit::{Answer, Daemon, Home, Launch, Rollout, ask, call, of, patch, say};

use super::told::{Place, Thread, Told};

/// A session, as far as it is.
pub struct Session<'a> {
    home: &'a Home,
    d: Daemon,
    told: Told,
    /// Whether what is acknowledged has to be there for good.
    lasts: bool,
    /// The turns that were begun.
    begun: Vec<String>,
    is_over: bool,
    refused: usize,
    listed: Vec<HashSet<String>>,
}

/// Makes a home in which earlier runs have left threads.
pub fn home() -> Home {
    Home::new().with_rollout(Rollout::new().turn("t-1", "q", "a")).with_rollout(Rollout::new().archived())
}

/// What became of a session.
pub struct Left {
    /// What was told in it.
    pub told: Told,
    /// How many requests were refused.
    pub refused: usize,
    /// The active threads that the server listed at the end, twice.
    pub listed: Vec<HashSet<String>>,
    /// How the server ended; `None` if it was killed.
    pub code: Option<i32>,
}

/// Runs the session on a server that is yet to be started, and ends the server if it has not ended.
pub async fn run(home: &Home, launch: Launch) -> Left {
    let mut session = Session::begin(home, launch).await;
    let one = session.first_half().await;
    session.second_half(one).await;
    session.end().await
}

/// Runs the session on a server that may be cut off by force at any time: only what was told in the first half, and is on
/// the disk when `settled` returns `true`, has to be there for good.
pub async fn run_lasting(home: &Home, launch: Launch, settled: impl AsyncFnOnce() -> bool) -> Left {
    let mut session = Session::begin(home, launch).await;
    let one = session.first_half().await;
    session.told.hear(session.d.notes());
    // Where it was cut off before, nothing was known to be on the disk.
    if session.is_over || !settled().await {
        session.told.lasts_not();
    }
    session.lasts = false;
    session.second_half(one).await;
    session.end().await
}

impl<'a> Session<'a> {
    async fn begin(home: &'a Home, launch: Launch) -> Self {
        let d = launch.start().await;
        let told = Told::default();
        let mut session = Self {
            home,
            d,
            told,
            lasts: true,
            begun: Vec::new(),
            is_over: false,
            refused: 0,
            listed: Vec::new(),
        };
        session.shake_hands().await;
        session
    }

    async fn first_half(&mut self) -> Option<String> {
        let one = self.start().await;
        if let Some(one) = &one {
            self.name(one, "one").await;
            self.turn(one, "q1", [say("a1")]).await;
            let command = json!({ "cmd": "echo out" });
            self.turn(one, "q2", [call("c1", "exec_command", &command), say("a2")]).await;
            self.git(one, "g1").await;
            let change = "*** Begin Patch\n*** Add File: new.txt\n+one\n*** End Patch\n";
            self.turn(one, "q3", [call("p1", "apply_patch", &json!({ "input": change })), say("a3")]).await;
        }
        if let Some(two) = self.start().await {
            self.git(&two, "g2").await;
            self.turn(&two, "q4", [say("a4")]).await;
            self.name(&two, "two").await;
            self.archive(&two).await;
            self.git(&two, "g3").await;
            self.unarchive(&two).await;
            if self.call::<ThreadResume>(of(&two)).await.is_some() {
                self.turn(&two, "q5", [say("a5")]).await;
            }
        }
        one
    }

    async fn second_half(&mut self, one: Option<String>) {
        if let Some(one) = &one {
            if let Some(copy) = self.fork(one).await {
                self.name(&copy, "copy").await;
                self.git(&copy, "g4").await;
                self.archive(&copy).await;
            }
            if let Some(gone) = self.fork(one).await {
                self.git(&gone, "g5").await;
                self.delete(&gone).await;
            }
            self.turn(one, "q6", [say("a6")]).await;
            self.git(one, "g6").await;
            self.name(one, "one again").await;
        }
        for _ in 0..2 {
            if let Some(page) = self.call::<ThreadList>(ThreadListParams::default()).await {
                self.listed.push(page.data.into_iter().map(|thread| thread.id).collect());
            }
        }
    }

    async fn shake_hands(&mut self) {
        let client_info = ClientInfo { name: "testkit".into(), title: None, version: "0.1.0".into() };
        if self.call::<Initialize>(InitializeParams { client_info, capabilities: None }).await.is_some() {
            self.d.raw(r#"{"method":"initialized"}"#);
        }
    }

    /// Ends the server, if it runs, and takes in what it told by itself.
    async fn end(mut self) -> Left {
        let code = self.d.stop().await;
        self.d.take_troubles();
        if self.lasts {
            self.told.hear(self.d.notes());
        }
        let Self { told, begun, is_over, lasts, refused, listed, .. } = self;
        let ended: Vec<_> = told.threads.values().flat_map(|thread| thread.ended.keys()).collect();
        for turn in begun {
            assert!(is_over || !lasts || ended.contains(&&turn), "turn {turn} was begun and never ended");
        }
        Left { told, refused, listed, code }
    }

    /// Calls a method; `None` where it is refused, or the server is killed.
    async fn call<M: Method>(&mut self, params: impl Into<M::Params>) -> Option<M::Response> {
        if self.is_over {
            return None;
        }
        let sent = self.d.send::<M>(params);
        match self.d.either_or_end(&sent).await {
            Some(Ok(result)) => Some(serde_json::from_value(result).unwrap()),
            Some(Err(error)) => {
                assert!((-32700..=-32000).contains(&error.code) && !error.message.is_empty(), "{error:?}");
                self.refused += 1;
                None
            }
            None => {
                self.is_over = true;
                None
            }
        }
    }

    /// Calls a method that changes something; tells whether that is done for good, or `None` where it was not asked for.
    async fn done<M: Method>(&mut self, params: impl Into<M::Params>) -> Option<bool> {
        if self.is_over {
            return None;
        }
        Some(self.call::<M>(params).await.is_some() && self.lasts)
    }

    fn told(&mut self, thread: &str) -> &mut Thread {
        self.told.threads.get_mut(thread).unwrap()
    }

    async fn start(&mut self) -> Option<String> {
        let cwd = Some(self.home.work().to_string_lossy().into_owned());
        let sandbox = Some(SandboxMode::DangerFullAccess);
        let overrides = ThreadOverrides { cwd, sandbox, ..Default::default() };
        let params = ThreadStartParams { overrides, ..Default::default() };
        let id = self.call::<ThreadStart>(params).await?.thread.id;
        self.told.threads.insert(id.clone(), Thread::begun());
        Some(id)
    }

    async fn turn<const N: usize>(&mut self, thread: &str, text: &str, answers: [Answer; N]) {
        self.home.model().rescript(answers);
        let Some(begun) = self.call::<TurnStart>(ask(thread, text)).await else { return };
        let id = begun.turn.id;
        self.begun.push(id.clone());
        let ended = self.d.note_or_end::<TurnCompletedNotification>(|note| note.turn.id == id).await;
        self.is_over |= ended.is_none();
        // A turn that failed may have failed to store its words.
        if self.lasts && ended.is_none_or(|note| note.turn.status != TurnStatus::Failed) {
            let told = self.told(thread);
            told.place.is_not(&Place::Nowhere);
            told.said.push((id, text.to_owned()));
        }
    }

    async fn name(&mut self, thread: &str, name: &str) {
        let params = ThreadSetNameParams { thread_id: thread.to_owned(), name: name.to_owned() };
        let Some(done) = self.done::<ThreadNameSet>(params).await else { return };
        let (told, name) = (&mut self.told(thread).name, Some(name.to_owned()));
        if done { told.is(name) } else { told.may_be(name) }
    }

    async fn git(&mut self, thread: &str, word: &str) {
        let params = patch(thread).sha(word).branch(word).origin_url(word);
        let Some(done) = self.done::<ThreadMetadataUpdate>(params).await else { return };
        let (told, word) = (self.told(thread), Some(word.to_owned()));
        if done {
            told.place.is_not(&Place::Nowhere);
            told.git.is(word);
        } else {
            told.git.may_be(word);
        }
    }

    async fn archive(&mut self, thread: &str) {
        let Some(done) = self.done::<ThreadArchive>(of(thread)).await else { return };
        self.moved(thread, done, Place::Archived);
    }

    async fn unarchive(&mut self, thread: &str) {
        let Some(done) = self.done::<ThreadUnarchive>(of(thread)).await else { return };
        self.moved(thread, done, Place::Active);
    }

    async fn delete(&mut self, thread: &str) {
        let Some(done) = self.done::<ThreadDelete>(of(thread)).await else { return };
        self.moved(thread, done, Place::Nowhere);
    }

    fn moved(&mut self, thread: &str, done: bool, to: Place) {
        let told = &mut self.told(thread).place;
        if done { told.is(to) } else { told.may_be(to) }
    }

    async fn fork(&mut self, source: &str) -> Option<String> {
        let copy = self.call::<ThreadFork>(of(source)).await?.thread;
        let mut thread = Thread::begun();
        thread.git.is(copy.git_info.and_then(|git| git.branch));
        if self.lasts {
            thread.place.is(Place::Active);
            for turn in copy.turns {
                thread.items.extend(turn.items.into_iter().map(|item| (turn.id.clone(), item)));
            }
        }
        self.told.threads.insert(copy.id.clone(), thread);
        Some(copy.id)
    }
}
