//! What a program says beside the protocol: read always, so that it never blocks, and kept in part.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// How many lines are kept, and how much of each: enough for a message with its traceback's end.
const LINES: usize = 10;
const LINE_BYTES: usize = 500;

/// The last lines that a program wrote.
#[derive(Default)]
pub(crate) struct Stderr(Mutex<VecDeque<String>>);

impl Stderr {
    /// Reads to the end.
    pub(crate) async fn drain(self: Arc<Self>, server: String, mut errors: impl AsyncRead + Unpin) {
        let mut buf = vec![0; 4096];
        let mut line = Vec::new();
        loop {
            let read = errors.read(&mut buf).await.unwrap_or(0);
            if read == 0 {
                break;
            }
            for piece in buf[..read].split_inclusive(|byte| *byte == b'\n') {
                let room = LINE_BYTES - line.len();
                line.extend(&piece[..piece.len().min(room)]);
                if piece.ends_with(b"\n") {
                    self.keep(&server, &mem::take(&mut line));
                }
            }
        }
        self.keep(&server, &line);
    }

    /// Returns what is kept.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    fn keep(&self, server: &str, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if text.is_empty() {
            return;
        }
        tracing::debug!(server, "{text}");
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_and_long_ones_are_cut() {
        let many: Vec<_> = (0..12).map(|line| line.to_string()).collect();
        let long = "x".repeat(100_000);
        for (written, kept) in [
            (String::new(), String::new()),
            ("\n\none\r\ntwo".to_owned(), "one\ntwo".to_owned()),
            (many.join("\n"), many[2..].join("\n")),
            (format!("{long}\nafter\n"), format!("{}\nafter", &long[..LINE_BYTES])),
        ] {
            let stderr = Arc::new(Stderr::default());
            Arc::clone(&stderr).drain("s".to_owned(), written.as_bytes()).await;
            assert_eq!(stderr.last_lines(), kept);
        }
    }
}
