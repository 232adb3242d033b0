//! Rollouts as earlier runs would have left them, with fixed ids and times.

use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::NaiveDateTime;
use rollout::RolloutName;
use serde_json::{Value, json};

/// A thread that lies on the disk.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The thread's id.
    pub id: String,
    /// The rollout.
    pub path: PathBuf,
}

impl AsRef<str> for Stored {
    fn as_ref(&self) -> &str {
        &self.id
    }
}

/// Builds the rollout of a stored thread: by default one message, `Hello`, said on 2025-01-05 at 12:00 UTC.
#[derive(Clone, Debug)]
pub struct Rollout {
    id: Option<String>,
    at: &'static str,
    meta: Value,
    preview: Option<String>,
    /// Kind and payload of each line behind the first message.
    lines: Vec<(String, Value)>,
    ordinals: bool,
    tail: Vec<u8>,
    archived: bool,
    mtime: Option<u64>,
}

impl Rollout {
    /// Begins with a thread of one message.
    #[expect(clippy::new_without_default, reason = "the message is not what anybody would call a default")]
    pub fn new() -> Self {
        Self {
            id: None,
            at: "2025-01-05T12-00-00",
            meta: json!({
                "cwd": "/",
                "originator": "codex",
                "cli_version": "0.0.0",
                "source": "cli",
                "model_provider": "mock_provider",
            }),
            preview: Some("Hello".to_owned()),
            lines: Vec::new(),
            ordinals: false,
            tail: Vec::new(),
            archived: false,
            mtime: None,
        }
    }

    /// Sets the id, which otherwise counts up from `00000000-0000-4000-8000-000000000000`.
    pub fn id(self, id: &str) -> Self {
        Self { id: Some(id.to_owned()), ..self }
    }

    /// Sets when the thread was begun, in the form of a file name: `2025-01-05T12-00-00`, taken for UTC.
    pub fn at(self, at: &'static str) -> Self {
        Self { at, ..self }
    }

    /// Sets the first message.
    pub fn preview(self, text: impl Into<String>) -> Self {
        Self { preview: Some(text.into()), ..self }
    }

    /// Leaves out the first message.
    pub fn silent(self) -> Self {
        Self { preview: None, ..self }
    }

    /// Sets what the first line knows of git.
    pub fn git(self, sha: &str, branch: &str, origin_url: &str) -> Self {
        self.meta("git", json!({ "commit_hash": sha, "branch": branch, "repository_url": origin_url }))
    }

    /// Sets the source; `null` leaves it out.
    pub fn source(self, source: Value) -> Self {
        self.meta("source", source)
    }

    /// Sets the working folder.
    pub fn cwd(self, cwd: impl AsRef<Path>) -> Self {
        self.meta("cwd", cwd.as_ref().to_string_lossy().into())
    }

    /// Sets the model provider; `null` leaves it out.
    pub fn provider(self, provider: Value) -> Self {
        self.meta("model_provider", provider)
    }

    /// Sets a field of the first line; `null` leaves it out.
    pub fn meta(mut self, field: &str, value: Value) -> Self {
        match value {
            Value::Null => self.meta.as_object_mut().and_then(|meta| meta.remove(field)),
            value => self.meta.as_object_mut().and_then(|meta| meta.insert(field.to_owned(), value)),
        };
        self
    }

    /// Adds a line of a kind: `event_msg`, `response_item`, ...
    pub fn line(mut self, kind: &str, payload: Value) -> Self {
        self.lines.push((kind.to_owned(), payload));
        self
    }

    /// Adds an event.
    pub fn event(self, payload: Value) -> Self {
        self.line("event_msg", payload)
    }

    /// Adds what a message of the person leaves: what the model got, and what is shown.
    pub fn user(self, text: &str) -> Self {
        let content = json!([{ "type": "input_text", "text": text }]);
        self.line("response_item", json!({ "type": "message", "role": "user", "content": content }))
            .event(json!({ "type": "user_message", "message": text, "kind": "plain" }))
    }

    /// Adds what a message of the agent leaves.
    pub fn agent(self, text: &str) -> Self {
        let content = json!([{ "type": "output_text", "text": text }]);
        self.event(json!({ "type": "agent_message", "message": text }))
            .line("response_item", json!({ "type": "message", "role": "assistant", "content": content }))
    }

    /// Adds a whole turn: a question, an answer, and the marks around them.
    pub fn turn(self, id: &str, asked: &str, answered: &str) -> Self {
        self.event(json!({ "type": "task_started", "turn_id": id, "model_context_window": null }))
            .user(asked)
            .agent(answered)
            .event(json!({ "type": "task_complete", "turn_id": id, "last_agent_message": answered }))
    }

    /// Numbers the lines, as release 0.169 does in the form that it calls paginated.
    pub fn ordinals(self) -> Self {
        Self { ordinals: true, ..self }.meta("history_mode", "paginated".into())
    }

    /// Adds bytes behind the last line, without a line break: what a crash leaves.
    pub fn tail(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.tail.extend_from_slice(bytes.as_ref());
        self
    }

    /// Puts the thread into the archive.
    pub fn archived(self) -> Self {
        Self { archived: true, ..self }
    }

    /// Sets when the file was last written, in Unix seconds.
    pub fn mtime(self, seconds: u64) -> Self {
        Self { mtime: Some(seconds), ..self }
    }

    /// Writes the rollout below a home.
    pub(super) fn write(self, home: PathBuf, number: usize) -> Stored {
        let id = self.id.clone().unwrap_or_else(|| format!("00000000-0000-4000-8000-{number:012}"));
        let home = rollout::Home::new(home);
        let name = RolloutName {
            local_time: NaiveDateTime::parse_from_str(self.at, "%Y-%m-%dT%H-%M-%S").unwrap(),
            id: id.parse().unwrap(),
            segment: None,
        };
        let path = if self.archived { home.archived_path(&name) } else { home.active_path(&name) };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = self.text(&id, name.local_time).into_bytes();
        bytes.extend_from_slice(&self.tail);
        fs::write(&path, bytes).unwrap();
        if let Some(seconds) = self.mtime {
            set_mtime(&path, seconds);
        }
        Stored { id, path }
    }

    fn text(&self, id: &str, began: NaiveDateTime) -> String {
        let timestamp = began.format("%Y-%m-%dT%H:%M:%S.000Z");
        let mut meta = self.meta.clone();
        meta["id"] = id.into();
        meta["timestamp"] = timestamp.to_string().into();
        let said = match &self.preview {
            Some(text) => Self::new().user(text).lines,
            None => Vec::new(),
        };
        let lines =
            [("session_meta".to_owned(), meta)].into_iter().chain(said).chain(self.lines.iter().cloned());
        // The fields in the order in which every release writes them.
        let line = |(ordinal, (kind, payload)): (usize, (String, Value))| match self.ordinals {
            true => format!(
                r#"{{"timestamp":"{timestamp}","ordinal":{ordinal},"type":"{kind}","payload":{payload}}}"#
            ),
            false => format!(r#"{{"timestamp":"{timestamp}","type":"{kind}","payload":{payload}}}"#),
        };
        lines.enumerate().map(line).flat_map(|line| [line, "\n".to_owned()]).collect()
    }
}

/// Sets when a file was last written, in Unix seconds.
pub fn set_mtime(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}
