//! What most tests do on their way to what they are about.

use protocol::{
    AgentMessageDeltaNotification, AskForApproval, SandboxMode, Thread, ThreadItem, ThreadList,
    ThreadListParams, ThreadOverrides, ThreadRead, ThreadStart, ThreadStartParams, Turn,
    TurnCompletedNotification, TurnStart, TurnStatus, UserInput,
};
use serde_json::json;
use testkit::{Answer, Daemon, Gate, Home, RpcError, ask, call, events, of, say, with_turns};

/// An id that no thread has.
pub const UNKNOWN: &str = "67e55044-10b1-426f-9247-bb680e5fe0c8";

/// Returns the text of a refusal that has nothing beside it but the code of nearly everything that a client does wrong.
pub fn refused(error: RpcError) -> String {
    assert_eq!((error.code, error.data), (-32600, None), "{}", error.message);
    error.message
}

/// Starts a thread and returns its id.
pub async fn start(d: &mut Daemon) -> String {
    d.call::<ThreadStart>(ThreadStartParams::default()).await.thread.id
}

/// Starts a thread that works in the home's work folder, may touch this much, and asks for more.
pub async fn start_in(home: &Home, d: &mut Daemon, sandbox: SandboxMode) -> String {
    start_asking(home, d, sandbox, AskForApproval::OnRequest).await
}

/// The same for a thread that asks as told.
pub async fn start_asking(
    home: &Home,
    d: &mut Daemon,
    sandbox: SandboxMode,
    approval: AskForApproval,
) -> String {
    let cwd = Some(home.work().to_string_lossy().into_owned());
    let overrides = ThreadOverrides {
        cwd,
        approval_policy: Some(approval),
        sandbox: Some(sandbox),
        ..ThreadOverrides::default()
    };
    d.call::<ThreadStart>(ThreadStartParams { overrides, ..ThreadStartParams::default() }).await.thread.id
}

/// Runs a turn to its end, which must be a good one, and returns it as it was told last.
pub async fn turn(d: &mut Daemon, thread: impl AsRef<str>, text: &str) -> Turn {
    let turn = d.call::<TurnStart>(ask(&thread, text)).await.turn;
    let turn = ended(d, &turn.id).await;
    assert_eq!((turn.status, &turn.error), (TurnStatus::Completed, &None));
    turn
}

/// Waits for the end of a turn.
pub async fn ended(d: &mut Daemon, turn: &str) -> Turn {
    d.note_where::<TurnCompletedNotification>(|note| note.turn.id == turn).await.turn
}

/// Runs turns with the given questions and answers, and returns their ids.
pub async fn talk<const N: usize>(
    home: &Home,
    d: &mut Daemon,
    thread: impl AsRef<str>,
    exchange: [(&str, &str); N],
) -> [String; N] {
    let mut ids = Vec::new();
    for (asked, answered) in exchange {
        home.model().script([say(answered)]);
        ids.push(turn(d, &thread, asked).await.id);
    }
    ids.try_into().unwrap()
}

/// Starts a turn whose answer begins and then waits; returns its id and the gate that lets it end.
pub async fn begin_slow(home: &Home, d: &mut Daemon, thread: impl AsRef<str>, text: &str) -> (String, Gate) {
    let gate = Gate::closed();
    home.model().script([slow(&gate)]);
    let turn = d.call::<TurnStart>(ask(&thread, text)).await.turn.id;
    d.note_where::<AgentMessageDeltaNotification>(|delta| delta.turn_id == turn).await;
    (turn, gate)
}

/// An answer that begins and then waits at a gate.
pub fn slow(gate: &Gate) -> Answer {
    Answer::stream([events::created(), events::message_added("msg-slow"), events::delta("at ")])
        .wait(gate)
        .then([events::delta("last"), events::message("msg-slow", "at last"), events::completed()])
}

/// Reads a thread without its turns.
pub async fn read(d: &mut Daemon, thread: impl AsRef<str>) -> Thread {
    d.call::<ThreadRead>(of(thread)).await.thread
}

/// Reads the turns of a thread.
pub async fn turns(d: &mut Daemon, thread: impl AsRef<str>) -> Vec<Turn> {
    d.call::<ThreadRead>(with_turns(thread)).await.thread.turns
}

/// Lists threads.
pub async fn list(d: &mut Daemon, params: ThreadListParams) -> Vec<Thread> {
    d.call::<ThreadList>(params).await.data
}

/// Lists the ids of the threads that a list without filters shows.
pub async fn listed(d: &mut Daemon) -> Vec<String> {
    ids(list(d, ThreadListParams::default()).await)
}

/// The ids of threads.
pub fn ids(threads: Vec<Thread>) -> Vec<String> {
    threads.into_iter().map(|thread| thread.id).collect()
}

/// What a person sees of turns: the texts of the messages, by turn.
pub fn texts(turns: &[Turn]) -> Vec<Vec<&str>> {
    turns.iter().map(|turn| turn.items.iter().filter_map(text).collect()).collect()
}

fn text(item: &ThreadItem) -> Option<&str> {
    match item {
        ThreadItem::AgentMessage { text, .. } => Some(text),
        ThreadItem::UserMessage { content, .. } => content.iter().find_map(|input| match input {
            UserInput::Text { text, .. } => Some(text.as_str()),
            _ => None,
        }),
        _ => None,
    }
}

/// Lets the model ask, as the call `c1`, whether it may write a file `made` that the sandbox would not let it.
pub fn script_escalation(home: &Home) {
    let command =
        json!({ "cmd": "touch made", "sandbox_permissions": "require_escalated", "justification": "May I?" });
    home.model().script([call("c1", "exec_command", &command), say("done")]);
}
