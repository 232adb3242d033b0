//! Entries for servers that misbehave as asked, and an observer that remembers.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    mem,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use config::{McpApproval, McpServer, McpTransport};
use futures::{FutureExt, future::BoxFuture};
use mcp::{
    Answer, Call, CallResult, Lease, McpError, Observer, Owned, Program, Question, Servers, Started, Starter,
    Status,
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    process,
    sync::{Notify, mpsc, oneshot},
    task,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Longer than any of this takes.
pub const LONG: Duration = Duration::from_secs(30);

pub use mcp::Entries;

/// Where fakes write what happens to them.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// An entry for a fake of a mode.
    pub fn fake(&self, mode: &str) -> McpServer {
        program(env!("CARGO_BIN_EXE_fake-mcp-server"), &[self.path().to_str().unwrap(), mode])
    }

    /// The same, started by a script as its arguments.
    pub fn fake_in(&self, script: &str) -> McpServer {
        let (fake, folder) = (env!("CARGO_BIN_EXE_fake-mcp-server"), self.path().to_str().unwrap());
        program("/bin/sh", &["-c", script, "sh", fake, folder, ""])
    }

    /// Waits until a fake was sent something.
    pub async fn logged(&self, method: &str) {
        let logged = async {
            while !self.log().iter().any(|line| line == method) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, logged).await.unwrap();
    }

    pub fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The process ids of all fakes that were started.
    pub fn started(&self) -> Vec<String> {
        self.log().iter().filter_map(|line| line.strip_prefix("start ").map(str::to_owned)).collect()
    }

    /// Waits until a fake is dead: it holds a lock while it lives.
    pub async fn death(&self, pid: &str) {
        let file = File::open(self.path().join(pid)).unwrap();
        let locked = task::spawn_blocking(move || file.lock());
        timeout(LONG, locked).await.unwrap().unwrap().unwrap();
    }
}

pub fn program(command: &str, args: &[&str]) -> McpServer {
    entry(McpTransport::Stdio {
        command: command.to_owned(),
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        env: BTreeMap::new(),
        env_vars: Vec::new(),
        cwd: None,
    })
}

pub fn entry(transport: McpTransport) -> McpServer {
    McpServer {
        transport,
        enabled: true,
        startup_timeout: LONG,
        tool_timeout: LONG,
        enabled_tools: None,
        disabled_tools: Vec::new(),
        approval: McpApproval::Auto,
        tool_approvals: BTreeMap::new(),
    }
}

pub fn entries<const N: usize>(entries: [(&str, McpServer); N]) -> Entries {
    entries.into_iter().map(|(name, entry)| (name.to_owned(), Ok(entry))).collect()
}

/// An observer and what it was told.
pub struct Told {
    observer: Arc<Recorder>,
    statuses: mpsc::UnboundedReceiver<(String, Status)>,
    /// The questions that came, each with what to answer it through.
    pub questions: mpsc::UnboundedReceiver<(Question, oneshot::Sender<Answer>)>,
}

struct Recorder {
    statuses: mpsc::UnboundedSender<(String, Status)>,
    questions: mpsc::UnboundedSender<(Question, oneshot::Sender<Answer>)>,
    moot: Moot,
}

/// Counts the questions that were taken back.
#[derive(Default)]
pub struct Moot {
    count: AtomicUsize,
    changed: Notify,
}

impl Told {
    pub fn new() -> Self {
        let (told, statuses) = mpsc::unbounded_channel();
        let (asked, questions) = mpsc::unbounded_channel();
        let observer = Arc::new(Recorder { statuses: told, questions: asked, moot: Moot::default() });
        Self { observer, statuses, questions }
    }

    pub fn observer(&self) -> Arc<dyn Observer> {
        self.observer.clone()
    }

    /// The next thing told of any server.
    pub async fn next(&mut self) -> (String, Status) {
        timeout(LONG, self.statuses.recv()).await.unwrap().unwrap()
    }

    /// Waits until a server failed, and returns why.
    pub async fn failed(&mut self, server: &str) -> String {
        loop {
            if let (name, Status::Failed { error }) = self.next().await
                && name == server
            {
                return error.to_string();
            }
        }
    }

    pub async fn ready(&mut self, server: &str) {
        while self.next().await != (server.to_owned(), Status::Ready) {}
    }

    pub async fn question(&mut self) -> (Question, oneshot::Sender<Answer>) {
        timeout(LONG, self.questions.recv()).await.unwrap().unwrap()
    }

    /// Waits until so many questions were taken back.
    pub async fn moot(&self, count: usize) {
        let moot = &self.observer.moot;
        loop {
            let changed = moot.changed.notified();
            if moot.count.load(Ordering::SeqCst) == count {
                return;
            }
            timeout(LONG, changed).await.unwrap();
        }
    }
}

impl Observer for Recorder {
    fn status<'a>(&'a self, server: &'a str, status: Status) -> BoxFuture<'a, ()> {
        async move { drop(self.statuses.send((server.to_owned(), status))) }.boxed()
    }

    fn elicit(&self, question: Question) -> BoxFuture<'_, Answer> {
        let (answer, answered) = oneshot::channel();
        self.questions.send((question, answer)).unwrap();
        let open = Open(&self.moot);
        async move {
            let answer = answered.await.unwrap_or(Answer::Cancel);
            mem::forget(open);
            answer
        }
        .boxed()
    }
}

struct Open<'a>(&'a Moot);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

/// Servers with one lease.
pub struct Running {
    pub servers: Servers,
    pub lease: Arc<Lease>,
    pub told: Told,
}

pub fn run(entries: &Entries) -> Running {
    run_with(&servers(), entries, &HashMap::new())
}

pub fn run_with(servers: &Servers, entries: &Entries, env: &HashMap<String, String>) -> Running {
    let told = Told::new();
    let lease = Arc::new(servers.acquire(entries, env, told.observer()));
    Running { servers: servers.clone(), lease, told }
}

/// Calls a tool of the server `fake`.
pub async fn call(lease: &Lease, tool: &str, arguments: Value) -> Result<CallResult, McpError> {
    call_of(lease, "fake", tool, arguments).await
}

pub async fn call_of(
    lease: &Lease,
    server: &str,
    tool: &str,
    arguments: Value,
) -> Result<CallResult, McpError> {
    let call = Call { server, tool, arguments: arguments.as_object().cloned(), meta: None, progress: None };
    timeout(LONG, lease.call(call, &CancellationToken::new())).await.unwrap()
}

/// The text of the one block of an answer.
pub fn text(result: &CallResult) -> &str {
    let [block] = result.content.as_slice() else { panic!("{result:?}") };
    block["text"].as_str().unwrap()
}

/// The arguments with which `ask` asks whether to go on.
pub fn question() -> Value {
    json!({ "message": "Really?", "requestedSchema": { "type": "object", "properties": { "ok": { "type": "boolean" } } } })
}

/// Starts programs, and ends them with their process group: all that these tests need.
struct Plain;

struct Child {
    child: process::Child,
    group: Pid,
}

pub fn servers() -> Servers {
    Servers::new(Arc::new(Plain))
}

impl Starter for Plain {
    fn start<'a>(&'a self, program: &'a Program) -> BoxFuture<'a, Result<Started, String>> {
        async move {
            let mut command = process::Command::new(&program.command);
            command.args(&program.args).env_clear().envs(&program.env);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.process_group(0).kill_on_drop(true);
            if let Some(cwd) = &program.cwd {
                command.current_dir(cwd);
            }
            let child = command.spawn().map_err(|error| format!("cannot run `{}`: {error}", program.command));
            let mut child = child?;
            Ok(Started {
                stdin: Box::new(child.stdin.take().unwrap()),
                stdout: Box::new(child.stdout.take().unwrap()),
                stderr: Box::new(child.stderr.take().unwrap()),
                owned: Box::new(Child { group: id(&child.id().unwrap().to_string()), child }),
            })
        }
        .boxed()
    }
}

impl Owned for Child {
    fn ended(&mut self) -> BoxFuture<'_, ExitStatus> {
        async { self.child.wait().await.unwrap() }.boxed()
    }

    fn end(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        async move {
            let _ = kill_process_group(self.group, Signal::KILL);
            self.child.wait().await.unwrap();
        }
        .boxed()
    }
}

pub fn kill(pid: &str) {
    kill_process(id(pid), Signal::KILL).unwrap();
}

fn id(pid: &str) -> Pid {
    Pid::from_raw(pid.parse().unwrap()).unwrap()
}
