//! How far a request is, as the server says while it works.

use std::{convert::Infallible, future::pending};

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use tokio::sync::{broadcast, mpsc};

/// How far one request is.
#[derive(Clone)]
pub(crate) struct Progress {
    pub(crate) token: ProgressToken,
    /// For people.
    pub(crate) message: String,
}

impl Progress {
    /// Reads what a server says; where it has no words, there are the numbers.
    pub(crate) fn of(note: ProgressNotificationParam) -> Self {
        let ProgressNotificationParam { progress_token, progress, total, message, .. } = note;
        let numbers = || match total {
            Some(total) => format!("{progress}/{total}"),
            None => progress.to_string(),
        };
        Self { token: progress_token, message: message.unwrap_or_else(numbers) }
    }
}

/// Hands on how far a request is, for ever. What comes while there is no room is left out.
pub(crate) async fn hand_on(
    mut said: broadcast::Receiver<Progress>,
    token: &ProgressToken,
    to: &mpsc::Sender<String>,
) -> Infallible {
    loop {
        match said.recv().await {
            Ok(progress) if progress.token == *token => drop(to.try_send(progress.message)),
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            // The connection waits for that, too.
            Err(broadcast::error::RecvError::Closed) => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn where_there_are_no_words_there_are_numbers() {
        let read = |note: Value| Progress::of(serde_json::from_value(note).unwrap()).message;
        for (note, expected) in [
            (json!({ "progressToken": 1, "progress": 1, "total": 3, "message": "on it" }), "on it"),
            (json!({ "progressToken": 1, "progress": 1, "total": 3 }), "1/3"),
            (json!({ "progressToken": 1, "progress": 0.5 }), "0.5"),
        ] {
            assert_eq!(read(note), expected);
        }
    }
}
