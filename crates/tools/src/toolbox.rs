//! The tools of one turn: which are offered, and which answers a call.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use items::ResponseItem;
use patch::TurnDiff;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    host::Host,
    repository::repository_root,
    thread::ThreadTools,
    tool::{Call, Output, Stopped, Tool},
    turn::TurnFacts,
};

/// What the model can call in one turn.
pub struct TurnTools {
    cx: Context,
    tools: BTreeMap<Key, Arc<dyn Tool>>,
    specs: Vec<Value>,
}

/// What a model calls a tool by: its namespace and its name.
pub(crate) type Key = (Option<String>, String);

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The item that answers the call; `None` for an item that cannot be answered.
    pub output: Option<ResponseItem>,
    /// Whether the person wants the turn to end here.
    pub ends_turn: bool,
}

impl TurnTools {
    pub(crate) fn new(
        thread: Arc<ThreadTools>,
        turn: TurnFacts,
        host: Arc<dyn Host>,
        cancel: CancellationToken,
    ) -> Self {
        let root = repository_root(&turn.cwd).unwrap_or(&turn.cwd).to_owned();
        let diff = Arc::new(Mutex::new(TurnDiff::new(root)));
        let cx = Context { thread, turn: Arc::new(turn), host, cancel, diff };
        Self { tools: BTreeMap::new(), specs: Vec::new(), cx }
    }

    /// Takes up what the thread offers, once its MCP servers are there, or had their time. Until then nothing is offered.
    pub async fn gather(&mut self) {
        self.cx.thread.servers_settled().await;
        self.specs.clear();
        for (key, tool) in self.cx.thread.tools(&self.cx.turn) {
            self.specs.extend(tool.spec());
            self.tools.insert(key, tool);
        }
        self.specs.extend(self.cx.thread.hosted());
    }

    /// Returns the tools as the provider reads them, in an order that stays.
    pub fn specs(&self) -> &[Value] {
        &self.specs
    }

    /// Carries a call out, and returns what answers it. An interruption of the turn ends every call soon.
    pub async fn answer(&self, item: &ResponseItem) -> Answer {
        let outcome = match Call::read(item) {
            Some(call) => self.run(&call).await,
            None => Ok(format!("unsupported call: {}", item.kind()).into()),
        };
        let (output, ends_turn) = match outcome {
            Ok(output) => (output, false),
            Err(Stopped(told)) => (told.into(), true),
        };
        let output = match output {
            Output::Text(text) => text.into(),
            Output::Parts(parts) => json!(parts),
        };
        Answer { output: ResponseItem::output_for(item, output), ends_turn }
    }

    /// Tells what the turn changed with patches, once more where it did.
    pub async fn show_diff(&self) {
        self.cx.show_diff(None).await;
    }

    pub(crate) fn context(&self) -> &Context {
        &self.cx
    }

    async fn run(&self, call: &Call) -> Result<Output, Stopped> {
        // Some models write the namespace into the name, some leave it out.
        let bare = (None, call.name.clone());
        let tool = self.tools.get(&(call.namespace.clone(), call.name.clone()));
        match tool.or_else(|| self.tools.get(&bare)) {
            Some(tool) => tool.run(call, &self.cx).await,
            None => Ok(call.unsupported().into()),
        }
    }
}
