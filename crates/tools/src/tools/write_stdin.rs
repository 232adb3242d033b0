//! `write_stdin`: types into a session, or looks what it printed since.

use futures::{FutureExt, future::BoxFuture};
use serde::Deserialize;
use serde_json::{Value, json};

use super::exec_command::{ABORTED, collect, told};
use crate::{
    causes::with_causes,
    context::Context,
    exec::{budget::DEFAULT_TOKENS, yield_time},
    host::News,
    tool::{Call, Output, Stopped, Tool, function},
};

pub(crate) struct WriteStdin;

#[derive(Deserialize)]
struct Arguments {
    session_id: u32,
    chars: Option<String>,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
}

impl Tool for WriteStdin {
    fn spec(&self) -> Option<Value> {
        Some(function(
            "write_stdin",
            "Types into a session that was started with a terminal, and returns what it prints. With no characters it \
             only looks, for any session.",
            json!({
                "session_id": { "type": "integer", "description": "The session." },
                "chars": { "type": "string", "description": "What to type; \\u0003 is Ctrl-C." },
                "yield_time_ms": { "type": "integer", "description": "How long to wait for output." },
                "max_output_tokens": { "type": "integer", "description": "How much of the output to return at most." },
            }),
            &["session_id"],
        ))
    }

    fn run<'a>(&'a self, call: &'a Call, cx: &'a Context) -> BoxFuture<'a, Result<Output, Stopped>> {
        async move {
            let Arguments { session_id, chars, yield_time_ms, max_output_tokens } = match call.arguments() {
                Ok(arguments) => arguments,
                Err(told) => return Ok(told),
            };
            let chars = chars.unwrap_or_default();
            let failed = |reason: String| format!("write_stdin failed for session {session_id}: {reason}");
            let session = match cx.thread.sessions.require(session_id) {
                Ok(session) => session,
                Err(error) => return Ok(failed(with_causes(&error)).into()),
            };
            if !chars.is_empty() {
                if let Err(error) = session.write(chars.clone().into_bytes()).await {
                    return Ok(failed(with_causes(&error)).into());
                }
                let (item, process) = (session.label().item.clone(), session.id().to_string());
                cx.host.tell(News::Typed { item, process, text: chars }).await;
            }
            Ok(match collect(cx, &session, yield_time(yield_time_ms)).await {
                Some(collected) => told(&session, &collected, max_output_tokens.unwrap_or(DEFAULT_TOKENS)),
                None => ABORTED.into(),
            })
        }
        .boxed()
    }
}
