//! What a client says at once, and the words of a turn that it becomes.
//!
//! Words are put down in the inbox of the thread before the client is told that they are taken in, since the turn
//! stores them only where the model hears them. The inbox is cleared when the turn is over.

use items::ResponseItem;
use rollout::{Event as StoredEvent, Record};
use threads::Unheard;
use uuid::Uuid;

use crate::{
    AgentError,
    input::{self, Input},
    shared::Shared,
};

/// What a client said at once.
pub(crate) struct Said {
    pub(crate) inputs: Vec<Input>,
    /// The id that the client gave it.
    pub(crate) client_id: Option<String>,
}

/// The same, said to a turn: what is stored of it.
#[derive(Clone)]
pub(crate) struct Words {
    turn: String,
    item: String,
    pub(crate) client_id: Option<String>,
    /// What the model hears.
    pub(crate) messages: Vec<ResponseItem>,
    /// What is shown.
    pub(crate) event: StoredEvent,
    /// Whether nothing is said.
    pub(crate) is_silence: bool,
}

impl Said {
    /// Makes what was said the words of a turn; reads the files that it names.
    pub(crate) fn to(&self, turn: &str) -> Words {
        let Self { inputs, client_id } = self;
        let item = Uuid::now_v7().to_string();
        Words {
            turn: turn.to_owned(),
            event: input::record(inputs, client_id.clone(), turn, &item),
            item,
            client_id: client_id.clone(),
            messages: tokio::task::block_in_place(|| input::messages(inputs)),
            is_silence: inputs.is_empty(),
        }
    }
}

impl Words {
    /// Puts the words down, so that they are not lost with the server; `begin` is the record of the turn whose first
    /// ones they are.
    pub(crate) fn put_down(&self, shared: &Shared, begin: Option<&StoredEvent>) -> Result<(), AgentError> {
        if self.is_silence || !shared.store.is_materialized() {
            return Ok(());
        }
        let Self { turn, item, messages, event, .. } = self.clone();
        let records = messages.into_iter().map(Record::ResponseItem).chain([Record::EventMsg(event)]);
        let unheard = Unheard {
            turn_id: turn,
            item_id: item,
            begin: begin.cloned().map(Record::EventMsg),
            records: records.collect(),
        };
        tokio::task::block_in_place(|| shared.inbox.put(unheard)).map_err(AgentError::from)
    }
}
