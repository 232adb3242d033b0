//! The real program as a subprocess, spoken to as a client does.

mod launch;
mod process;
mod questions;
mod transcript;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use protocol::{Initialize, InitializeParams, InitializeResponse, Method, RequestId, ServerNotification};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use self::launch::Launch;
use self::process::Process;
pub use self::questions::Asked;
use self::questions::Handlers;
pub use self::transcript::RpcError;
use crate::{Home, Note};

/// Returns how long anything is waited for; only a test that fails ever waits so long. Long runs read ten gigabytes with
/// a debug build.
pub(crate) fn patience() -> Duration {
    let minutes = if std::env::var_os("SKEIN_LONG_TESTS").is_some() { 20 } else { 1 };
    Duration::from_secs(30 * minutes)
}

/// A running server and the connection to it.
///
/// What the test did not expect fails it when this drops, at the latest; see the crate's own words.
pub struct Daemon {
    launch: Launch,
    process: Process,
    handlers: Arc<Handlers>,
    next_id: i64,
    greeting: Option<InitializeResponse>,
}

/// A request whose answer is yet to be looked at.
#[must_use]
#[derive(Debug)]
pub struct Sent<R> {
    id: RequestId,
    method: String,
    response: PhantomData<R>,
}

impl Daemon {
    /// Starts a server on a home and shakes hands with it.
    pub async fn start(home: &Home) -> Self {
        Launch::on(home).start().await
    }

    async fn launched(launch: Launch) -> Self {
        let handlers = Arc::default();
        let process = launch.spawn(&handlers);
        let mut daemon = Self { launch, process, handlers, next_id: 0, greeting: None };
        daemon.shake_hands().await;
        daemon
    }

    async fn shake_hands(&mut self) {
        let Some(params) = self.launch.handshake() else { return };
        self.greeting = Some(self.initialize(params).await);
    }

    /// Shakes hands, for tests that launched without.
    pub async fn initialize(&mut self, params: InitializeParams) -> InitializeResponse {
        let response = self.call::<Initialize>(params).await;
        self.raw(r#"{"method":"initialized"}"#);
        response
    }

    /// Returns what the server said of itself in the handshake.
    pub fn greeting(&self) -> &InitializeResponse {
        self.greeting.as_ref().expect("there was no handshake")
    }

    /// Calls a method and returns its result; an error fails the test.
    pub async fn call<M: Method>(&mut self, params: impl Into<M::Params>) -> M::Response {
        let sent = self.send::<M>(params);
        self.answer(sent).await
    }

    /// Calls a method that is to be refused, and returns how it is.
    pub async fn fail<M: Method>(&mut self, params: impl Into<M::Params>) -> RpcError {
        let sent = self.send::<M>(params);
        self.refusal(sent).await
    }

    /// Calls a method with params that need not fit its type.
    pub async fn call_raw(&mut self, method: &str, params: Value) -> Value {
        let id = self.fresh_id();
        let sent = self.send_raw(id, method, Some(params));
        self.answer(sent).await
    }

    /// Calls a method with params that need not fit its type, and returns how it is refused.
    pub async fn fail_raw(&mut self, method: &str, params: Value) -> RpcError {
        let id = self.fresh_id();
        let sent = self.send_raw(id, method, Some(params));
        self.refusal(sent).await
    }

    /// Sends a request and does not wait.
    pub fn send<M: Method>(&mut self, params: impl Into<M::Params>) -> Sent<M::Response> {
        let params = serde_json::to_value(params.into()).unwrap();
        let id = self.fresh_id();
        let Sent { id, method, .. } = self.send_raw(id, M::NAME, Some(params));
        Sent { id, method, response: PhantomData }
    }

    /// Sends a request with an id of the test's choice, with or without params, and does not wait.
    pub fn send_raw(&mut self, id: RequestId, method: &str, params: Option<Value>) -> Sent<Value> {
        let mut message = json!({ "id": id, "method": method });
        if let Some(params) = params {
            message["params"] = params;
        }
        self.process.transcript().expect_answer(id.clone(), method);
        self.raw(message.to_string());
        Sent { id, method: method.to_owned(), response: PhantomData }
    }

    /// Sends a line as it is. An answer to it is a surprise.
    pub fn raw(&mut self, line: impl AsRef<[u8]>) {
        self.process.send([line.as_ref(), b"\n"].concat());
    }

    /// Waits for the result of a request; an error fails the test.
    pub async fn answer<R: DeserializeOwned>(&mut self, sent: Sent<R>) -> R {
        match self.either(&sent).await {
            Ok(result) => serde_json::from_value(result.clone())
                .unwrap_or_else(|error| panic!("{}: {error}: {result}", sent.method)),
            Err(error) => panic!("{} was refused: {error:?}", sent.method),
        }
    }

    /// Waits for the error that a request is to be answered with.
    pub async fn refusal<R>(&mut self, sent: Sent<R>) -> RpcError {
        match self.either(&sent).await {
            Ok(result) => panic!("{} was not refused: {result}", sent.method),
            Err(error) => error,
        }
    }

    /// Waits for the answer to a request, whichever it is.
    pub async fn either<R>(&mut self, sent: &Sent<R>) -> Result<Value, RpcError> {
        let what = format!("the answer to {} ({:?})", sent.method, sent.id);
        self.process.transcript().wait(&what, |seen| seen.take_answer(&sent.id)).await
    }

    /// Waits for the answer to a request of a server that may end before; then it is `None`.
    pub async fn either_or_end<R>(&mut self, sent: &Sent<R>) -> Option<Result<Value, RpcError>> {
        let what = format!("the answer to {} ({:?})", sent.method, sent.id);
        self.process.transcript().wait_or_end(&what, |seen| seen.take_answer(&sent.id)).await
    }

    /// Waits for a notification of a server that may end before; then it is `None`.
    pub async fn note_or_end<N: Note>(&mut self, mut wanted: impl FnMut(&N) -> bool) -> Option<N> {
        let mut pick = |notification: &ServerNotification| N::take(notification.clone()).filter(&mut wanted);
        let what = std::any::type_name::<N>();
        self.process.transcript().wait_or_end(what, |seen| seen.take_notification(&mut pick)).await
    }

    /// Returns what the server said is wrong and nobody has looked at yet; it fails the test no more.
    pub fn take_troubles(&mut self) -> Vec<ServerNotification> {
        self.process.transcript().take_troubles()
    }

    /// Waits for a notification of a kind, the first that no one has waited for yet.
    pub async fn note<N: Note>(&mut self) -> N {
        self.note_where(|_| true).await
    }

    /// Waits for a notification of a kind that a test is looking for; those before it stay.
    pub async fn note_where<N: Note>(&mut self, mut wanted: impl FnMut(&N) -> bool) -> N {
        let pick = |notification: &ServerNotification| N::take(notification.clone()).filter(&mut wanted);
        let mut pick = pick;
        let what = std::any::type_name::<N>();
        self.process.transcript().wait(what, |seen| seen.take_notification(&mut pick)).await
    }

    /// Returns every notification so far, waited for or not, in the order in which they came.
    pub fn notes(&self) -> Vec<ServerNotification> {
        self.process.transcript().notifications()
    }

    /// Returns the names of the notifications so far, from the `from`th on.
    pub fn methods_from(&self, from: usize) -> Vec<&'static str> {
        self.notes().iter().skip(from).map(ServerNotification::method).collect()
    }

    /// Returns the lines that the server sent, in the order in which they came.
    pub fn lines(&self) -> Vec<String> {
        self.process.transcript().lines()
    }

    /// Returns what the server wrote to stderr so far.
    pub fn log(&self) -> String {
        self.process.transcript().log()
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Closes the server's stdin and leaves the rest to it.
    pub fn close_input(&mut self) {
        self.process.close_input();
    }

    /// Stops and continues reading what the server writes, which then waits in the pipe.
    pub fn hold_reading(&mut self, hold: bool) {
        self.process.hold_reading(hold);
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&mut self, name: &str) {
        self.process.signal(name);
    }

    /// Waits until the server has ended, and returns its exit code; none if a signal ended it.
    pub async fn ended(&mut self) -> Option<i32> {
        self.process.wait()
    }

    /// Ends the server by closing its stdin, and returns its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        self.close_input();
        self.ended().await
    }

    /// Ends the server at once, as a crash would.
    pub async fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends the server in order, unless it has ended, and starts it again on the same home.
    pub async fn restart(&mut self) -> &mut Self {
        self.process.finish();
        self.process = self.launch.spawn(&self.handlers);
        self.shake_hands().await;
        self
    }

    fn fresh_id(&mut self) -> RequestId {
        self.next_id += 1;
        RequestId::Integer(self.next_id)
    }
}
