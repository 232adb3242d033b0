//! Output as it comes, for who watches: bounded in what waits, in what is sent, and in how often.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use super::utf8;

/// The most of one piece, in bytes. As JSON it may take six times as much, and clients read lines up to 64 KiB.
const PIECE: usize = 8 * 1024;

/// The most that waits for a slow watcher: a pipe's worth.
const MOST_WAITING: usize = 64 * 1024;

/// The most that is sent in all: as much as the whole output will hold.
const MOST_SENT: usize = super::session::MOST_KEPT;

/// The most pieces: a program that writes letter by letter shall not cost a message for each for ever.
const MOST_PIECES: usize = 10_000;

/// The output of a command while it runs, for one watcher.
///
/// A slow watcher gets fewer and longer pieces; what does not fit meanwhile is left out, and a line says so. Nothing of
/// this touches the output that is kept. Dropping it costs nothing.
#[derive(Debug)]
pub struct Live(Arc<Feed>);

impl Live {
    /// Returns the next piece of text; `None` when the command has ended or everything that may be sent was.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let next = self.0.lock().next();
            match next {
                Next::Piece(text) => return Some(text),
                Next::Over => return None,
                // What came since has left a permit.
                Next::Wait => self.0.arrived.notified().await,
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.end = Some(End::Quiet);
        waiting.bytes = VecDeque::new();
    }
}

/// The other side of a [`Live`].
#[derive(Debug, Default)]
pub(super) struct Feed {
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Feed {
    /// Returns both sides.
    pub(super) fn new() -> (Arc<Self>, Live) {
        let feed = Arc::new(Self::default());
        (feed.clone(), Live(feed))
    }

    /// Adds what came.
    pub(super) fn push(&self, output: &[u8]) {
        self.lock().push(output);
        self.arrived.notify_one();
    }

    /// Ends the feed: nothing will come any more.
    pub(super) fn end(&self) {
        self.lock().end.get_or_insert(End::Quiet);
        self.arrived.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Bytes that are half pushed are bytes.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: VecDeque<u8>,
    /// How many bytes came while there was no room, and now belong behind the others.
    left_out: u64,
    taken: usize,
    pieces: usize,
    end: Option<End>,
}

/// How a feed ends once nothing waits any more.
#[derive(Clone, Copy, Debug)]
enum End {
    Quiet,
    /// With a last line: more was there than may be sent.
    Cut,
}

enum Next {
    Piece(String),
    Wait,
    Over,
}

impl Waiting {
    fn push(&mut self, output: &[u8]) {
        if self.end.is_some() {
            return;
        }
        let room = if self.left_out > 0 { 0 } else { MOST_WAITING - self.bytes.len() };
        let allowed = MOST_SENT - self.taken;
        let taken = output.len().min(room).min(allowed);
        self.bytes.extend(&output[..taken]);
        self.taken += taken;
        if output.len() > allowed && taken == allowed {
            self.end = Some(End::Cut);
        } else {
            self.left_out += (output.len() - taken) as u64;
        }
    }

    fn next(&mut self) -> Next {
        if self.pieces == MOST_PIECES {
            self.pieces += 1;
            self.bytes = VecDeque::new();
            self.end = Some(End::Cut);
        }
        let piece = self.bytes.make_contiguous();
        let piece = &piece[..piece.len().min(PIECE)];
        let complete = piece.len() - utf8::unfinished(piece);
        // What nothing will follow is as complete as it gets.
        let last = piece.len() == self.bytes.len() && (self.left_out > 0 || self.end.is_some());
        let length = if last { self.bytes.len() } else { complete };
        let text = if length > 0 {
            let bytes: Vec<u8> = self.bytes.drain(..length).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        } else if self.left_out > 0 {
            format!("\n[... {} bytes left out here ...]\n", std::mem::take(&mut self.left_out))
        } else {
            match self.end {
                None => return Next::Wait,
                Some(End::Quiet) => return Next::Over,
                Some(End::Cut) => {
                    self.end = Some(End::Quiet);
                    "\n[... more output is left out here ...]\n".into()
                }
            }
        };
        self.pieces += 1;
        Next::Piece(text)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use proptest::{collection, prelude::*};

    use super::*;

    /// Everything that a feed gives now.
    fn pieces(feed: &Feed) -> Vec<String> {
        let mut pieces = Vec::new();
        while let Next::Piece(text) = feed.lock().next() {
            pieces.push(text);
        }
        pieces
    }

    #[test]
    fn a_character_that_comes_in_parts_is_sent_as_one() {
        let (feed, _live) = Feed::new();
        feed.push(b"a\xe2\x82");
        assert_eq!(pieces(&feed), ["a"]);
        feed.push(b"\xac");
        assert_eq!(pieces(&feed), ["€"]);
        feed.push(b"\xe2\x82");
        feed.end();
        assert_eq!(pieces(&feed), ["\u{fffd}"]);
    }

    #[test]
    fn a_slow_watcher_is_told_what_it_missed_and_goes_on() {
        let (feed, _live) = Feed::new();
        feed.push(&[b'a'; MOST_WAITING]);
        feed.push(b"lost");
        let got = pieces(&feed);
        assert_eq!(got.iter().map(|piece| piece.len()).max(), Some(PIECE));
        assert_eq!(got.last().unwrap(), "\n[... 4 bytes left out here ...]\n");
        feed.push(b"seen");
        assert_eq!(pieces(&feed), ["seen"]);
    }

    #[test]
    fn a_flood_ends_with_a_line_that_says_so() {
        let (feed, _live) = Feed::new();
        let mut sent = 0;
        for _ in 0..2 * MOST_SENT / PIECE {
            feed.push(&[b'a'; PIECE]);
            sent += pieces(&feed).iter().filter(|piece| !piece.contains('[')).map(String::len).sum::<usize>();
        }
        assert_eq!(sent, MOST_SENT);
        assert!(matches!(feed.lock().next(), Next::Over));
    }

    #[test]
    fn a_drip_ends_with_a_line_that_says_so() {
        let (feed, _live) = Feed::new();
        let mut all = Vec::new();
        for _ in 0..MOST_PIECES + 5 {
            feed.push(b"a");
            all.extend(pieces(&feed));
        }
        assert_eq!(all.len(), MOST_PIECES + 1);
        assert_eq!(all.last().unwrap(), "\n[... more output is left out here ...]\n");
    }

    #[tokio::test]
    async fn a_watcher_that_waits_hears_of_output_and_of_the_end() {
        let (feed, mut live) = Feed::new();
        let watcher = tokio::spawn(async move { (live.next().await, live.next().await) });
        tokio::task::yield_now().await;
        feed.push(b"hi");
        feed.end();
        assert_eq!(watcher.await.unwrap(), (Some("hi".into()), None));
    }

    proptest! {
        #[test]
        fn pieces_join_to_what_came(text in "\\PC{0,30}", sizes in collection::vec(1_usize..6, 1..20)) {
            let (feed, _live) = Feed::new();
            let mut joined = String::new();
            let mut rest = text.as_bytes();
            for size in sizes.iter().cycle().take(200) {
                let (now, later) = rest.split_at(rest.len().min(*size));
                feed.push(now);
                rest = later;
                joined += &pieces(&feed).concat();
            }
            feed.end();
            prop_assert_eq!(joined + &pieces(&feed).concat(), text);
        }
    }
}
