//! `thread/*`: what is stored, what is loaded, and how one becomes the other.

pub(crate) mod archive;
pub(crate) mod attachment_add;
pub(crate) mod attachment_list;
pub(crate) mod attachment_owner_list;
pub(crate) mod attachment_remove;
pub(crate) mod background_terminals;
pub(crate) mod compact_start;
pub(crate) mod delete;
pub(crate) mod fork;
mod goal;
pub(crate) mod goal_clear;
pub(crate) mod goal_get;
pub(crate) mod goal_set;
pub(crate) mod inject_items;
pub(crate) mod items_list;
pub(crate) mod list;
pub(crate) mod loaded_list;
pub(crate) mod metadata_update;
pub(crate) mod name_set;
pub(crate) mod read;
pub(crate) mod resume;
pub(crate) mod revert;
pub(crate) mod rollback;
pub(crate) mod section_move;
pub(crate) mod shell_command;
pub(crate) mod start;
pub(crate) mod turns_list;
pub(crate) mod unarchive;
pub(crate) mod unsubscribe;

use agent::{Snapshot, Thread};
use jsonrpc::RpcError;
use protocol::Turn;
use threads::{StoredThread, ThreadError, ThreadId};

use crate::{
    context::Context,
    error::{invalid, of_thread},
    wire::{self, Loaded, ThreadParts},
};

/// Builds the wire form of a stored thread, loaded or not, with the turns that are to be given.
fn shown(cx: &Context, stored: &StoredThread, turns: Vec<Turn>) -> protocol::Thread {
    shown_with(cx, stored, &cx.default_provider(), turns)
}

/// The same where the default provider is known already, as for many threads at once.
fn shown_with(
    cx: &Context,
    stored: &StoredThread,
    default_provider: &str,
    turns: Vec<Turn>,
) -> protocol::Thread {
    let snapshot = cx.agents.find(stored.id()).map(|thread| thread.snapshot());
    let loaded = snapshot.as_ref().map_or(Loaded::No, Loaded::Yes);
    wire::thread(stored, ThreadParts { loaded, default_provider, turns })
}

/// Reads a thread as it now is: from its rollout, or from memory where there is none yet.
async fn current(cx: &Context, id: ThreadId) -> Result<StoredThread, RpcError> {
    match cx.agents.find(id).map(|thread| thread.snapshot()) {
        Some(snapshot) if !snapshot.materialized => Ok(cx.threads.named(snapshot.thread)),
        // Where it was opened from: its name may tell another id.
        Some(snapshot) if snapshot.thread.path.exists() => {
            cx.threads.read_path(snapshot.thread.path).await.map_err(|error| of_thread(&error))
        }
        _ => cx.threads.read(id).await.map_err(|error| not_loaded(&error, id)),
    }
}

/// What calls that only look say of a thread that is nowhere.
fn not_loaded(error: &ThreadError, id: ThreadId) -> RpcError {
    match error {
        ThreadError::NotFound(_) => invalid(format!("thread not loaded: {id}")),
        error => of_thread(error),
    }
}

/// Refuses to show turns that are nowhere but in memory.
fn require_turns(snapshot: Option<&Snapshot>, what: &str) -> Result<(), RpcError> {
    match snapshot {
        Some(snapshot) if snapshot.ephemeral => {
            Err(invalid(format!("ephemeral threads do not support {what}")))
        }
        Some(snapshot) if snapshot.thread.summary.preview.is_none() && !snapshot.materialized => {
            Err(invalid(format!(
                "thread {} is not materialized yet; {what} is unavailable before first user message",
                snapshot.thread.id()
            )))
        }
        _ => Ok(()),
    }
}

/// Has this connection listen to a thread that was just made, which so has asked nothing yet.
fn listen(cx: &Context, thread: &Thread) {
    cx.live.subscribe(thread.id(), &cx.connection);
    thread.start_servers();
}
