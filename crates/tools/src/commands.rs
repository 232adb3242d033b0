//! Commands: what becomes of one from the model's wish to the record of its item.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use rollout::Event;
use sandbox::Placeholders;
use serde_json::{Map, Value};
use shell::Rules;

use crate::{
    approval::{Facts, Plan, decide},
    causes::with_causes,
    context::{Context, NoAnswer},
    exec::{self, Exit, Label, Launch, Live, Session, Stdio},
    host::{Began, CommandQuestion, Decision, Host, News, Question, WaitsOn},
    record,
    tool::{Output, Stopped},
};

/// A command that the model wants to run.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The id of the call, and of the item.
    pub(crate) call: String,
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) stdio: Stdio,
    /// Who it is run for, in the words of rollouts.
    pub(crate) source: &'static str,
    pub(crate) escalation: Escalation,
}

/// What the model says of running outside of the sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Escalation {
    pub(crate) wanted: bool,
    pub(crate) justification: Option<String>,
    pub(crate) prefix_rule: Option<Vec<String>>,
}

/// A command that runs.
pub(crate) struct Started {
    pub(crate) session: Session,
    pub(crate) item: Item,
    pub(crate) began: Began,
    /// Shows what the command prints; done when it ended.
    shown: tokio::task::JoinHandle<()>,
}

/// Why a command does not run.
pub(crate) enum NotStarted {
    /// The model is told.
    Told(Output),
    /// The turn ends.
    Stopped(Stopped),
}

/// How long one argument of a program may be: what Linux takes, which is 32 pages with the NUL at the end. A shell's script
/// is one argument.
const LONGEST_ARGUMENT: usize = 32 * 4096 - 1;

impl From<NotStarted> for Result<Output, Stopped> {
    fn from(not: NotStarted) -> Self {
        match not {
            NotStarted::Told(output) => Ok(output),
            NotStarted::Stopped(stopped) => Err(stopped),
        }
    }
}

/// Whether a command is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walls {
    Up,
    Down,
}

/// The item of a command, as far as it does not change.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) call: String,
    turn: String,
    argv: Vec<String>,
    cwd: PathBuf,
    source: &'static str,
    process: Option<u32>,
    actions: Vec<Value>,
}

/// How a command ended.
pub(crate) struct Ended<'a> {
    pub(crate) status: &'static str,
    pub(crate) exit_code: i32,
    pub(crate) output: &'a str,
    pub(crate) took: Duration,
}

impl Context {
    /// Starts a command, after asking where that is to be asked.
    pub(crate) async fn start_command(&self, wanted: Wanted) -> Result<Started, NotStarted> {
        // Nobody is asked about what cannot run.
        if let Some(long) = wanted.argv.iter().find(|argument| argument.len() > LONGEST_ARGUMENT) {
            let told = format!(
                "the command could not be started: it has {} bytes, and the system takes {LONGEST_ARGUMENT}; put what is \
                 long into a file first",
                long.len()
            );
            return Err(NotStarted::Told(told.into()));
        }
        let (plan, amendment) = self.judge(&wanted).await;
        match plan {
            Plan::Refuse(why) => Err(NotStarted::Told(why.into())),
            Plan::Confined => self.launch(wanted, Walls::Up, None).await,
            Plan::Bare => self.launch(wanted, Walls::Down, None).await,
            Plan::Ask => {
                let item = Item { source: "agent", ..self.item(&wanted) };
                let asked = question(&item, wanted.escalation.justification.clone(), amendment);
                let (began, answer) =
                    self.ask_about(item.event(None), |reply| Question::Command(asked, reply)).await;
                match self.allowed(&wanted, answer).await {
                    Ok(()) => self.launch(wanted, Walls::Down, Some(began)).await,
                    Err(refusal) => {
                        self.host.complete(item.declined(), began).await;
                        Err(refusal)
                    }
                }
            }
        }
    }

    /// Asks whether a command that the sandbox stopped may run without one.
    pub(crate) async fn ask_again(&self, wanted: &Wanted) -> Result<(), NotStarted> {
        let reason = "the sandbox stopped the command; run it without one?".to_owned();
        let (_, amendment) = self.judge(wanted).await;
        let asked = question(&self.item(wanted), Some(reason), amendment);
        let answer = self.ask_person(WaitsOn::Approval, |reply| Question::Command(asked, reply)).await;
        self.allowed(wanted, answer).await
    }

    /// Launches a command; its item begins here where it did not begin with a question.
    pub(crate) async fn launch(
        &self,
        wanted: Wanted,
        walls: Walls,
        began: Option<Began>,
    ) -> Result<Started, NotStarted> {
        let mut item = self.item(&wanted);
        let started = match self.confined(&wanted, walls).await {
            Ok((launch, placeholders)) => {
                let label = Label { item: wanted.call.clone(), command: shell::quoted(&wanted.argv) };
                let started = self.thread.sessions.start(launch, label).await;
                started.map(|started| (started, placeholders)).map_err(|error| with_causes(&error))
            }
            Err(reason) => Err(reason),
        };
        let ((session, live), placeholders) = match started {
            Ok(started) => started,
            Err(reason) => {
                let began = self.begin_once(began, &item).await;
                let output = format!("{reason}\n");
                let ended = Ended { status: "failed", exit_code: -1, output: &output, took: Duration::ZERO };
                self.host.complete(item.event(Some(&ended)), began).await;
                return Err(NotStarted::Told(format!("the command could not be started: {reason}").into()));
            }
        };
        self.thread.tasks.spawn(keep(placeholders, session.clone()));
        item.process = Some(session.id());
        let began = self.begin_once(began, &item).await;
        let shown = self.thread.tasks.spawn(show(Arc::clone(&self.host), wanted.call, live));
        Ok(Started { session, item, began, shown })
    }

    /// Tells that a command begins, unless that was told with a question.
    async fn begin_once(&self, began: Option<Began>, item: &Item) -> Began {
        match began {
            Some(began) => began,
            None => self.begin(item.event(None)).await,
        }
    }

    /// What is done with a command, by everything that was said so far, and the rule that the person may make of it.
    async fn judge(&self, wanted: &Wanted) -> (Plan, Option<Vec<String>>) {
        if self.is_allowed(wanted) {
            return (Plan::Bare, None);
        }
        let workshop = Arc::clone(&self.thread.workshop);
        let (argv, prefix) = (wanted.argv.clone(), wanted.escalation.prefix_rule.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let rules = workshop.load_rules();
            for error in rules.errors() {
                tracing::warn!("{error}");
            }
            let amendment = rules.amendment(&argv, prefix.as_deref());
            (rules.decide(&argv), shell::harmless(&argv), shell::dangerous(&argv), amendment)
        });
        let Ok((verdict, harmless, dangerous, amendment)) = looked.await else {
            return (Plan::Refuse("rejected: the command could not be understood".to_owned()), None);
        };
        let plan = decide(Facts {
            approval: &self.turn.approval,
            sandbox: &self.turn.sandbox,
            verdict: &verdict,
            harmless,
            dangerous,
            escalated: wanted.escalation.wanted,
        });
        (plan, amendment)
    }

    /// Tells whether the person allowed the command for as long as the thread is loaded.
    fn is_allowed(&self, wanted: &Wanted) -> bool {
        let allowed = self.thread.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        allowed.allows_command(&wanted.argv, &wanted.cwd)
    }

    /// Takes the person's answer in.
    async fn allowed(&self, wanted: &Wanted, answer: Result<Decision, NoAnswer>) -> Result<(), NotStarted> {
        let told = |text: &str| Err(NotStarted::Told(text.into()));
        match answer {
            Ok(Decision::Accept) => Ok(()),
            Ok(Decision::AcceptForSession) => {
                let mut allowed = self.thread.allowed.lock().unwrap_or_else(PoisonError::into_inner);
                allowed.allow_command(&wanted.argv, &wanted.cwd);
                Ok(())
            }
            Ok(Decision::AcceptWithRule(pattern)) => {
                let folder = self.thread.workshop.rules();
                let added = tokio::task::spawn_blocking(move || Rules::append(&folder, &pattern)).await;
                if let Ok(Err(error)) = added {
                    tracing::warn!("the rule could not be kept: {}", with_causes(&error));
                }
                Ok(())
            }
            Ok(Decision::Cancel) => Err(NotStarted::Stopped(Stopped("rejected by the person".to_owned()))),
            Ok(Decision::Decline | Decision::Unusable) => told("rejected by user"),
            Err(NoAnswer::Refused) => told("rejected: the question whether this may run was not answered"),
            Err(NoAnswer::Interrupted) => told("aborted by user before it ran"),
        }
    }

    async fn confined(&self, wanted: &Wanted, walls: Walls) -> Result<(Launch, Placeholders), String> {
        let thread = Arc::clone(&self.thread);
        let (turn, wanted) = (Arc::clone(&self.turn), wanted.clone());
        let made = tokio::task::spawn_blocking(move || {
            let argv: Vec<OsString> = wanted.argv.iter().map(OsString::from).collect();
            let ((argv, placeholders), network) = match walls {
                Walls::Down => ((argv, Placeholders::default()), exec::Network::Open),
                Walls::Up => {
                    let limits = thread.workshop.limits(&turn.sandbox, &turn.cwd, &thread.granted(&turn.id));
                    let network = match limits.network {
                        sandbox::Network::Granted => exec::Network::Open,
                        sandbox::Network::Denied => exec::Network::Blocked,
                    };
                    (thread.workshop.confine(&limits, argv, &wanted.cwd)?, network)
                }
            };
            let env = thread.environment(&wanted.call, network);
            Ok((Launch { argv, cwd: wanted.cwd, env, stdio: wanted.stdio }, placeholders))
        });
        made.await.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn item(&self, wanted: &Wanted) -> Item {
        let actions = shell::command_actions(&wanted.argv, &wanted.cwd);
        Item {
            call: wanted.call.clone(),
            turn: self.turn.id.clone(),
            argv: wanted.argv.clone(),
            cwd: wanted.cwd.clone(),
            source: wanted.source,
            process: None,
            actions: actions.iter().filter_map(|action| serde_json::to_value(action).ok()).collect(),
        }
    }
}

impl Started {
    /// Completes the item of a command that has ended.
    pub(crate) async fn complete(self, host: &dyn Host, exit: Exit) {
        let status = if exit.code() == 0 { "completed" } else { "failed" };
        self.complete_as(host, status, exit.code()).await;
    }

    /// Completes the item of a command whose end is not that of its own.
    pub(crate) async fn complete_as(self, host: &dyn Host, status: &'static str, exit_code: i32) {
        let Self { session, item, began, shown } = self;
        drop(shown.await);
        let output = session.output().text();
        let ended = Ended { status, exit_code, output: &output, took: session.duration() };
        host.complete(item.event(Some(&ended)), began).await;
    }
}

impl Item {
    /// Forgets the number of the process: who waits for the end cannot speak to it.
    pub(crate) fn without_process(&mut self) {
        self.process = None;
    }

    fn declined(&self) -> Event {
        self.event(Some(&Ended { status: "declined", exit_code: -1, output: "", took: Duration::ZERO }))
    }

    /// The record of the item: as it begins, or as it ended.
    pub(crate) fn event(&self, ended: Option<&Ended<'_>>) -> Event {
        Event::ExecCommandEnd {
            call_id: self.call.clone(),
            turn_id: Some(self.turn.clone()),
            process_id: self.process.map(|id| id.to_string()),
            command: self.argv.clone(),
            cwd: self.cwd.to_string_lossy().into_owned(),
            parsed_cmd: self.actions.clone(),
            source: Some(self.source.to_owned()),
            aggregated_output: ended.map(|ended| ended.output.to_owned()),
            exit_code: ended.map(|ended| ended.exit_code),
            duration: ended.map(|ended| record::duration(ended.took)),
            status: Some(ended.map_or("in_progress", |ended| ended.status).to_owned()),
            extra: Map::from_iter(
                ["stdout", "stderr", "formatted_output"].map(|name| (name.to_owned(), "".into())),
            ),
        }
    }
}

fn question(item: &Item, reason: Option<String>, amendment: Option<Vec<String>>) -> CommandQuestion {
    CommandQuestion {
        item: item.call.clone(),
        reason,
        command: shell::quoted(&item.argv),
        cwd: item.cwd.clone(),
        actions: item.actions.clone(),
        amendment,
    }
}

/// Keeps placeholders until nothing is left of a command.
async fn keep(placeholders: Placeholders, session: Session) {
    session.gone().await;
    drop(placeholders);
}

/// Shows what a command prints, until it ended.
async fn show(host: Arc<dyn Host>, item: String, mut live: Live) {
    while let Some(text) = live.next().await {
        host.tell(News::Output { item: item.clone(), text }).await;
    }
}
