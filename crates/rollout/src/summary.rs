//! What a list shows of a rollout, from its head and its tail.
//!
//! A list of many thousands of threads is made of this, so no more of a file is read than that, and no line is
//! decoded that is not needed.

use std::{
    error::Error,
    fs::{File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::LazyLock,
};

use chrono::{DateTime, Utc};
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Event, GitInfo, Home, Kind, Line, RolloutError, Segment, SessionMeta, ThreadId, forward,
    head::{self, First, MAX_HEAD},
    segments,
};

/// Which state of a file something was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its length.
    pub size: u64,
    /// When it changed last, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Which file it is.
    pub ino: u64,
}

/// What a list shows of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The thread.
    pub id: ThreadId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its working folder.
    pub cwd: String,
    /// The client that made it.
    pub originator: String,
    /// The release that made it.
    pub cli_version: String,
    /// What kind of program it comes from, as in the file; null where it does not say.
    pub source: Value,
    /// Its provider.
    pub model_provider: Option<String>,
    /// The model of its last turn.
    pub model: Option<String>,
    /// How hard its last turn was to think.
    pub reasoning_effort: Option<String>,
    /// The text of the first message of the person; `None` before there is one.
    pub preview: Option<String>,
    /// The repository that it works in.
    pub git: Option<GitInfo>,
    /// When the git metadata was patched; `None` while it is that of the start.
    pub git_at: Option<DateTime<Utc>>,
    /// The thread that it was forked from.
    pub forked_from: Option<ThreadId>,
    /// The thread whose agent made it.
    pub parent: Option<ThreadId>,
    /// `paginated` where every line has a number.
    pub history_mode: Option<String>,
}

/// How much of the end is read: several turns of metadata, and less than what one read of a disk brings anyway.
const TAIL: u64 = 64 << 10;

/// How much of the beginning is read at first; a base prompt and the first message mostly fit.
const HEAD: u64 = 32 << 10;

impl Stamp {
    /// Takes the stamp of a file.
    pub fn of(meta: &Metadata) -> Self {
        let mtime_ns = meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec());
        Self { size: meta.len(), mtime_ns, ino: meta.ino() }
    }

    /// Returns when it changed last, in milliseconds since 1970.
    pub fn changed_ms(self) -> i64 {
        self.mtime_ns.div_euclid(1_000_000)
    }
}

/// Summarizes a file, as it was at the stamp; `None` where it has no session record.
///
/// Where the file goes on from another one, the preview is the first message of the whole history.
pub fn summarize(path: &Path) -> Result<Option<(Summary, Stamp)>, RolloutError> {
    let failed = || RolloutError::io("read", path);
    let file = File::open(path).map_err(RolloutError::io("open", path))?;
    let stamp = Stamp::of(&file.metadata().map_err(failed())?);
    let mut bytes = Vec::new();
    let whole = stamp.size <= HEAD + TAIL;
    read(&file, 0, if whole { stamp.size } else { HEAD }, &mut bytes).map_err(failed())?;
    let mut head = Head::default();
    head.take_lines(&bytes, whole);
    if !whole && !head.is_done() {
        let rest = Segment { start: head.end, end: Some(stamp.size), ..Segment::whole(path) };
        head.take_rest(&[rest]).map_err(failed())?;
    }
    let mut tail = head.end;
    let based = head.meta.as_ref().is_some_and(|meta| meta.history_base.is_some());
    let Some(mut summary) = head.finish() else { return Ok(None) };
    if !whole {
        let start = tail.max(stamp.size - TAIL);
        tail = 0;
        bytes.clear();
        read(&file, start, stamp.size - start, &mut bytes).map_err(failed())?;
    }
    summary.take_tail(&bytes[tail as usize..]);
    if based && let Some(home) = Home::around(path) {
        match segments(&home, path) {
            Ok(history) => summary.take_history(&history).map_err(failed())?,
            Err(error) => {
                tracing::debug!(error = &error as &dyn Error, "a summary is of the last piece alone")
            }
        }
    }
    Ok(Some((summary, stamp)))
}

/// Appends a part of a file to `bytes`; less of it, where another program has cut the file meanwhile.
fn read(mut file: &File, offset: u64, len: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.reserve_exact(len as usize);
    file.seek(SeekFrom::Start(offset))?;
    file.take(len).read_to_end(bytes)?;
    Ok(())
}

/// What the lines from the beginning to the first message of the person say.
#[derive(Default)]
struct Head {
    meta: Option<SessionMeta>,
    /// When `meta` was written.
    written: Option<DateTime<Utc>>,
    later: Option<Git>,
    context: Option<Context>,
    preview: Option<String>,
    /// Where the lines end that were taken, in the file of the last one.
    end: u64,
}

/// What a later session record says that may have changed.
struct Git {
    id: ThreadId,
    git: Option<GitInfo>,
    at: Option<DateTime<Utc>>,
}

/// What a summary says of the settings of a turn.
#[derive(Deserialize)]
struct Context {
    model: Option<String>,
    effort: Option<String>,
}

impl Git {
    fn of(line: &Line<'_>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Payload {
            id: ThreadId,
            git: Option<GitInfo>,
        }
        let Payload { id, git } = line.decode(Kind::SessionMeta)?;
        Some(Self { id, git, at: line.timestamp() })
    }
}

impl Context {
    fn of(line: &Line<'_>) -> Option<Self> {
        line.decode(Kind::TurnContext)
    }
}

impl Head {
    fn is_done(&self) -> bool {
        self.preview.is_some()
    }

    /// Takes the whole lines at the beginning of a file.
    fn take_lines(&mut self, bytes: &[u8], at_end: bool) {
        let mut rest = bytes;
        while !self.is_done() {
            let end = memchr::memchr(b'\n', rest).map(|end| end + 1);
            let Some(end) = end.or(at_end.then_some(rest.len())).filter(|end| *end > 0) else { break };
            self.take_line(&rest[..end]);
            self.end += end as u64;
            rest = &rest[end..];
        }
    }

    /// Takes the lines behind the buffer, one by one: there is a long one, or many before the first message.
    fn take_rest(&mut self, segments: &[Segment]) -> io::Result<()> {
        let mut lines = forward(segments);
        while let Some(line) = lines.next()?
            && line.offset <= MAX_HEAD
        {
            self.take_line(line.bytes);
            self.end = line.offset + line.bytes.len() as u64;
            if self.is_done() {
                break;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8]) {
        if !may_matter(line) {
            return;
        }
        let Some(line) = Line::parse(line) else { return };
        match (line.kind, &self.meta) {
            (Kind::SessionMeta, None) => (self.meta, self.written) = (line.session_meta(), line.timestamp()),
            (Kind::SessionMeta, Some(first)) => {
                self.later = Git::of(&line).filter(|git| git.id == first.id).or(self.later.take());
            }
            (Kind::TurnContext, Some(_)) => self.context = Context::of(&line).or(self.context.take()),
            (Kind::EventMsg, Some(_)) => self.preview = preview(&line),
            _ => {}
        }
    }

    fn finish(self) -> Option<Summary> {
        let Self { meta, written, later, context, preview, end: _ } = self;
        let mut summary = Summary::begin(meta?, written);
        summary.preview = summary.preview.or(preview);
        summary.take_git(later);
        summary.take_context(context);
        Some(summary)
    }
}

/// Tells whether a line can be one that a head is made of, by its own head: most are others, and long.
fn may_matter(line: &[u8]) -> bool {
    let within = |words| memchr::memmem::find(line, words).is_some();
    match stated_kind(line) {
        Some(b"event_msg") => within(b"user_message") || within(b"UserMessage"),
        Some(b"response_item") => false,
        _ => true,
    }
}

/// Returns the kind of a line from where every release writes it: behind the time and the number, before all else.
fn stated_kind(line: &[u8]) -> Option<&[u8]> {
    static TYPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"type\":\""));
    const NEAR: usize = 128;
    let near = &line[..line.len().min(NEAR)];
    let at = TYPE.find(near)?;
    let (before, kind) = (&near[..at], &near[at + TYPE.needle().len()..]);
    if memchr::memchr2_iter(b'{', b'[', before).count() != 1 {
        return None; // it is the type of something in the line
    }
    Some(&kind[..memchr::memchr(b'"', kind)?])
}

impl Summary {
    /// Begins with the first session record.
    ///
    /// `written` stands in where the record does not say when the thread was made.
    pub fn begin(meta: SessionMeta, written: Option<DateTime<Utc>>) -> Self {
        let created = DateTime::parse_from_rfc3339(&meta.timestamp).ok().map(|time| time.to_utc());
        let source = meta.source.unwrap_or_default();
        let spawned = source.pointer("/subagent/thread_spawn/parent_thread_id").and_then(Value::as_str);
        let parent = meta.parent_thread_id.or_else(|| spawned?.parse().ok());
        Self {
            id: meta.id,
            created_at: created.or(written).unwrap_or_default(),
            cwd: meta.cwd,
            originator: meta.originator,
            cli_version: meta.cli_version,
            source,
            model_provider: meta.model_provider,
            model: None,
            reasoning_effort: None,
            // Ours: a thread that began with another's words has them as its preview, though nobody said them in it.
            preview: meta.extra.get("preview").and_then(Value::as_str).map(str::to_owned),
            git: meta.git,
            git_at: None,
            forked_from: meta.forked_from_id,
            parent,
            history_mode: meta.history_mode,
        }
    }

    /// Takes a later session record of the same thread: it says what the git metadata is now.
    fn take_git(&mut self, later: Option<Git>) {
        if let Some(Git { git, at, .. }) = later {
            (self.git, self.git_at) = (git, at);
        }
    }

    fn take_context(&mut self, context: Option<Context>) {
        if let Some(context) = context {
            self.model = context.model.or(self.model.take());
            self.reasoning_effort = context.effort;
        }
    }

    /// Takes what the end says later than the head: patched metadata, and what the last turn ran with.
    ///
    /// The first piece may be the end of a line that began before it; it is then no object, and passed over.
    fn take_tail(&mut self, bytes: &[u8]) {
        let (mut git, mut context) = (None, None);
        let mut rest = bytes;
        while !rest.is_empty() && (git.is_none() || context.is_none()) {
            let begin = memchr::memrchr(b'\n', rest).map_or(0, |before| before + 1);
            let line = &rest[begin..];
            rest = &rest[..begin.saturating_sub(1)];
            let kind = stated_kind(line);
            if kind.is_some_and(|kind| kind != b"turn_context" && !kind.starts_with(b"session_meta")) {
                continue;
            }
            let Some(line) = Line::parse(line) else { continue };
            if git.is_none() {
                git = Git::of(&line).filter(|git| git.id == self.id);
            }
            context = context.or_else(|| Context::of(&line));
        }
        self.take_git(git);
        self.take_context(context);
    }

    /// Takes from the pieces before what the last piece does not say.
    fn take_history(&mut self, history: &[Segment]) -> io::Result<()> {
        let mut head = Head::default();
        head.take_rest(history)?;
        if let Some(begun) = history.iter().find(|segment| segment.thread == Some(self.id))
            && let Some(First { meta, .. }) = head::first(&begun.path)?
            && let Ok(time) = DateTime::parse_from_rfc3339(&meta.timestamp)
        {
            self.created_at = time.to_utc(); // a history that is cut back is no new thread
        }
        self.preview = head.preview.or(self.preview.take());
        if self.model.is_none() {
            self.take_context(head.context);
        }
        Ok(())
    }
}

/// Returns the text of a message of the person, from whichever event of a release holds it.
fn preview(line: &Line<'_>) -> Option<String> {
    let text = match line.event()? {
        Event::UserMessage { message, .. } => message,
        Event::ItemCompleted { item, .. } if item["type"] == "UserMessage" => {
            let parts = item["content"].as_array()?.iter();
            parts.filter_map(|part| part["text"].as_str()).collect()
        }
        _ => return None,
    };
    Some(text).filter(|text| !items::is_injected_context(text))
}
