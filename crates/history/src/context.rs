//! What the model knows of a thread: the items that a request to it is made of.
//!
//! Read from the end, since what a compaction replaced is of no use: a thread of any length costs what stands behind
//! its last one.

use std::io;

use items::{ResponseItem, Role};
use protocol::{ThreadTokenUsage, TokenUsageBreakdown};
use rollout::{Compacted, Event, Kind, Segment, TurnContext};
use serde_json::Value;

use crate::HistoryError;
use crate::mark::Mark;
use crate::outline::{Outline, Removed};
use crate::pairs::paired;
use crate::size::is_image_left_out;
use crate::source::{RawLine, Source};
use crate::stored::{camel_keys, wire};

/// How many bytes of lines are taken into a context.
///
/// A window of two million tokens is about 8 MB of text; images have room beside it. A thread that was never compacted
/// may have gigabytes, which no model takes and no server should hold: the newest are taken.
pub const MAX_CONTEXT: usize = 16 << 20;

/// How far behind a compaction its settings and counts are looked for; servers write them within a few lines.
const LOOK_BACK: u64 = 1 << 20;

/// What the model knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The items, oldest first; every call has its output.
    pub items: Vec<ResponseItem>,
    /// The settings that the model was last told of.
    pub turn_context: Option<TurnContext>,
    /// What was last counted; of a response before a compaction, the sum over the thread alone.
    pub usage: Option<ThreadTokenUsage>,
    /// Older items were left out, because there are more than [`MAX_CONTEXT`].
    pub is_cut: bool,
}

/// Reads what the model knows of a thread.
pub fn context(segments: &[Segment]) -> Result<Context, HistoryError> {
    let source = Source::open(segments)?;
    let gathered = match gather(&source, None)? {
        Some(gathered) => gathered,
        // Which turns a rollback took back only the whole thread tells; it is seldom that one has any.
        None => gather(&source, Some(&Outline::read(&source)?.into_removed()))?.unwrap_or_default(),
    };
    Ok(gathered.finish())
}

/// Reads backward, as far as it matters; `None` when something was taken back and `removed` does not say what.
fn gather(source: &Source, removed: Option<&Removed>) -> io::Result<Option<Gathered>> {
    let mut gathered = Gathered::default();
    let mut lines = source.backward(0..source.len());
    while let Some(raw) = lines.next()? {
        let at = raw.span.0;
        if gathered.has_all(at) {
            break;
        }
        let is_removed = removed.is_some_and(|removed| removed.contains(at));
        let took_back = gathered.take(&raw, is_removed);
        if took_back && removed.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(gathered))
}

/// What was read so far, newest first.
#[derive(Debug, Default)]
struct Gathered {
    items: Vec<ResponseItem>,
    bytes: usize,
    turn_context: Option<TurnContext>,
    usage: Option<ThreadTokenUsage>,
    is_cut: bool,
    /// Where the items begin, once that is known.
    base: Option<u64>,
    /// A compaction stands behind.
    is_compacted: bool,
    /// A compaction of an old release stands behind: of what is before it only the person's words count.
    only_words: bool,
}

impl Gathered {
    /// Takes a line; tells whether it took turns back.
    fn take(&mut self, raw: &RawLine<'_>, is_removed: bool) -> bool {
        if self.base.is_some()
            && raw.is_surely_none_of(b"turn_context")
            && raw.is_surely_none_of(b"event_msg")
        {
            return false;
        }
        let Some(line) = raw.parse() else { return false };
        match line.kind {
            Kind::EventMsg => {
                if self.usage.is_none()
                    && let Some(Event::TokenCount { info: Some(info), .. }) = line.event()
                {
                    self.usage = usage(&info);
                    if let Some(usage) = self.usage.as_mut().filter(|_| self.is_compacted) {
                        usage.last = TokenUsageBreakdown::default();
                    }
                }
                let matters = self.base.is_none() || self.turn_context.is_none();
                return matters && matches!(Mark::of(&line), Some(Mark::RollBack(1..)));
            }
            _ if is_removed => {}
            Kind::TurnContext if self.turn_context.is_none() => self.turn_context = line.turn_context(),
            Kind::ResponseItem if self.base.is_none() => {
                if let Some(item) = line.response_item() {
                    self.push(item, raw);
                }
            }
            Kind::Compacted if self.base.is_none() => {
                if let Some(compacted) = line.compacted() {
                    self.compacted(compacted, raw.span.0);
                }
            }
            _ => {}
        }
        false
    }

    fn push(&mut self, mut item: ResponseItem, raw: &RawLine<'_>) {
        if self.only_words && !is_words(&item) {
            return;
        }
        if raw.is_slim() {
            // What stands in the place of an image is none, and a provider would refuse the request for it.
            item.replace_images(is_image_left_out, "[image left out: too large]");
        }
        self.bytes += raw.bytes.len();
        if self.bytes > MAX_CONTEXT {
            (self.is_cut, self.base) = (true, Some(raw.span.0));
            return;
        }
        self.items.push(item);
    }

    fn compacted(&mut self, compacted: Compacted, at: u64) {
        let Compacted { message, replacement_history, .. } = compacted;
        self.is_compacted = true;
        match replacement_history {
            Some(history) => {
                let only_words = self.only_words;
                self.items.extend(history.into_iter().rev().filter(|item| !only_words || is_words(item)));
                self.base = Some(at);
            }
            None if !self.only_words => {
                self.items.push(ResponseItem::message(Role::User, message));
                self.only_words = true;
            }
            None => {}
        }
    }

    fn has_all(&self, at: u64) -> bool {
        let complete = self.turn_context.is_some() && self.usage.is_some();
        self.base.is_some_and(|base| complete || base.saturating_sub(at) > LOOK_BACK)
    }

    fn finish(self) -> Context {
        let Self { mut items, turn_context, usage, is_cut, .. } = self;
        items.reverse();
        if is_cut && let Some(first) = items.iter().position(is_words) {
            items.drain(..first);
        }
        Context { items: paired(items), turn_context, usage, is_cut }
    }
}

fn is_words(item: &ResponseItem) -> bool {
    item.role() == Some(Role::User) && !item.is_injected_context()
}

fn usage(info: &Value) -> Option<ThreadTokenUsage> {
    let part = |name: &str| wire(&camel_keys(info.get(name)?));
    Some(ThreadTokenUsage {
        total: part("total_token_usage")?,
        last: part("last_token_usage")?,
        model_context_window: info["model_context_window"].as_i64(),
    })
}

#[cfg(test)]
mod tests;
