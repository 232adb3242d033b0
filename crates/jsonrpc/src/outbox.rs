//! The way out of a connection: many senders, one writer, a bound in bytes.
//!
//! Invariant: a frame is written whole or, when the connection has ended, not at all; frames that one task sends
//! keep their order. Nothing is ever dropped because a client reads slowly: senders wait. [`Outbox::push`] alone does
//! not, for frames whose number has a bound elsewhere.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{Semaphore, mpsc},
    time::timeout,
};

use crate::Frame;

/// How much may wait for a client that does not read; beyond it senders wait.
///
/// Bytes, not messages, since those differ by five orders of magnitude. Tens of megabytes of answers at once are
/// usual for a client that reads files, and it must get them all when it reads on.
pub const OUTBOX_BYTES: u32 = 256 << 20;

/// Small messages are gathered into writes of about this size, the capacity of a pipe.
const BATCH: usize = 64 << 10;

/// Sends frames to one client. Clones send to the same one.
#[derive(Clone, Debug)]
pub struct Outbox {
    queue: mpsc::UnboundedSender<Item>,
    room: Arc<Room>,
}

/// The writing half of an [`Outbox`]. Dropped, it ends the connection for all senders.
#[derive(Debug)]
pub struct Drain {
    queue: mpsc::UnboundedReceiver<Item>,
    room: Arc<Room>,
    ended: bool,
}

#[derive(Debug)]
enum Item {
    Frame {
        frame: Frame,
        /// The room that it holds.
        cost: u32,
    },
    /// Nothing behind this is written.
    End,
}

/// What is left of the bound: one permit a byte.
#[derive(Debug)]
struct Room {
    left: Semaphore,
    max: u32,
}

impl Room {
    /// Returns what a frame takes of the bound; one that is larger than all of it passes when it is alone.
    fn cost(&self, frame: &Frame) -> u32 {
        u32::try_from(frame.cost()).map_or(self.max, |cost| cost.min(self.max))
    }
}

/// Makes an outbox that holds [`OUTBOX_BYTES`].
pub fn outbox() -> (Outbox, Drain) {
    outbox_of(OUTBOX_BYTES)
}

fn outbox_of(max: u32) -> (Outbox, Drain) {
    // The channel has no bound of its own; every frame in it holds its bytes of `room`.
    let (sender, receiver) = mpsc::unbounded_channel();
    let room = Arc::new(Room { left: Semaphore::new(max as usize), max });
    (Outbox { queue: sender, room: room.clone() }, Drain { queue: receiver, room, ended: false })
}

impl Outbox {
    /// Queues a frame; waits, in turn with other senders, while the client is too far behind.
    ///
    /// A frame for a connection that has ended is dropped: its sender has nobody left to tell.
    pub async fn send(&self, frame: Frame) {
        let cost = self.room.cost(&frame);
        if let Ok(permit) = self.room.left.acquire_many(cost).await
            && self.queue.send(Item::Frame { frame, cost }).is_ok()
        {
            // The drain gives it back when the frame is written.
            permit.forget();
        }
    }

    /// Queues a frame at once, whatever waits already: its place among the frames is that of the call.
    ///
    /// For what something else bounds, and what must keep its place among frames that other tasks send.
    pub fn push(&self, frame: Frame) {
        // Where the drain is gone, so is who was to be told.
        let _ = self.queue.send(Item::Frame { frame, cost: 0 });
    }

    /// Has what was sent before written, then ends the connection for all senders.
    ///
    /// Tells whether all was written or the client was gone by the `deadline`.
    pub async fn close(&self, deadline: Duration) -> bool {
        // Where the drain is gone already, so is the connection.
        let _ = self.queue.send(Item::End);
        timeout(deadline, self.closed()).await.is_ok()
    }

    /// Waits for the end of the connection: closed by us, or the client no longer takes anything.
    pub async fn closed(&self) {
        self.queue.closed().await;
    }
}

impl Drain {
    /// Writes frames in the order they were sent, until the outbox is closed, all its clones are gone or a write fails.
    pub async fn write_to(mut self, mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
        while let Some((batch, room)) = self.batch().await {
            stream.write_all(&batch).await?;
            stream.flush().await?;
            self.room.left.add_permits(room);
        }
        stream.shutdown().await
    }

    /// Returns what can go out in one write, at least one frame, and the room that it gives back.
    async fn batch(&mut self) -> Option<(Vec<u8>, usize)> {
        if self.ended {
            return None;
        }
        let Some(Item::Frame { frame, cost }) = self.queue.recv().await else { return None };
        let mut room = cost as usize;
        let mut batch = frame.into_line();
        while batch.len() < BATCH
            && let Ok(item) = self.queue.try_recv()
        {
            let Item::Frame { frame, cost } = item else {
                self.ended = true;
                break;
            };
            room += cost as usize;
            batch.extend_from_slice(frame.as_line());
        }
        Some((batch, room))
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        // Wakes the senders that wait for room.
        self.room.left.close();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::Mutex,
        task::{Context, Poll, Waker},
    };

    use pretty_assertions::assert_eq;
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, duplex};

    use super::*;

    /// Polls once; whoever makes progress possible polls again.
    fn is_pending(future: Pin<&mut impl Future>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// A stream that keeps each write apart.
    #[derive(Clone, Default)]
    struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

    impl AsyncWrite for Writes {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn note(number: usize, filler: usize) -> Frame {
        Frame::notification("note", (number, "x".repeat(filler))).unwrap()
    }

    #[tokio::test]
    async fn small_frames_share_a_write_and_large_ones_have_their_own() {
        let (outbox, drain) = outbox();
        let mut expected = Vec::new();
        for (number, filler) in [(0, 10), (1, 10), (2, 3 * BATCH), (3, 3 * BATCH), (4, 10)] {
            expected.extend_from_slice(note(number, filler).as_line());
            outbox.send(note(number, filler)).await;
        }
        drop(outbox);
        let writes = Writes::default();
        drain.write_to(writes.clone()).await.unwrap();
        let writes = writes.0.lock().unwrap();
        let ends: Vec<_> =
            writes.iter().map(|w| (w.iter().filter(|b| **b == b'\n').count(), w.ends_with(b"\n"))).collect();
        assert_eq!(ends, [(3, true), (1, true), (1, true)]);
        assert!(writes.concat() == expected);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_for_a_while_loses_nothing() {
        let (outbox, drain) = outbox_of(2_000);
        let (near, far) = duplex(100);
        let writer = tokio::spawn(drain.write_to(near));
        let sender = tokio::spawn(async move {
            for number in 0..200 {
                outbox.send(note(number, 300)).await;
            }
        });
        // The writer and the sender both run until they can do no more.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!sender.is_finished());
        let mut lines = BufReader::new(far).lines();
        for number in 0..200 {
            let line = lines.next_line().await.unwrap().unwrap();
            assert_eq!(format!("{line}\n").as_bytes(), note(number, 300).as_line());
        }
        assert_eq!(lines.next_line().await.unwrap(), None);
        sender.await.unwrap();
        writer.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_is_pushed_neither_waits_nor_takes_room() {
        let (outbox, drain) = outbox_of(100);
        outbox.send(note(0, 1_000)).await;
        outbox.push(note(1, 1_000));
        {
            let mut waiting = pin!(outbox.send(note(2, 0)));
            assert!(is_pending(waiting.as_mut()));
            outbox.push(note(3, 0));
        }
        let room = Arc::clone(&drain.room);
        let writes = Writes::default();
        {
            let mut closing = pin!(outbox.close(Duration::MAX));
            assert!(is_pending(closing.as_mut()));
            drain.write_to(writes.clone()).await.unwrap();
        }
        let expected = [note(0, 1_000), note(1, 1_000), note(3, 0)];
        let expected: Vec<_> = expected.iter().flat_map(|frame| frame.as_line().to_vec()).collect();
        assert!(writes.0.lock().unwrap().concat() == expected);
        assert_eq!(room.left.available_permits(), 100);
    }

    #[tokio::test]
    async fn a_frame_beyond_the_bound_passes_alone() {
        let (outbox, drain) = outbox_of(100);
        outbox.send(note(0, 1_000)).await;
        let mut second = pin!(outbox.send(note(1, 0)));
        assert!(is_pending(second.as_mut()));
        let (near, mut far) = duplex(100);
        let writer = tokio::spawn(drain.write_to(near));
        let read = tokio::spawn(async move {
            let mut all = String::new();
            far.read_to_string(&mut all).await.map(|_| all)
        });
        second.await;
        assert!(outbox.close(Duration::MAX).await);
        assert_eq!(read.await.unwrap().unwrap().lines().count(), 2);
        writer.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn closing_writes_what_was_sent_and_nothing_behind_it() {
        let (outbox, drain) = outbox();
        let writes = Writes::default();
        outbox.send(note(0, 0)).await;
        {
            let mut closing = pin!(outbox.close(Duration::MAX));
            assert!(is_pending(closing.as_mut()));
            outbox.send(note(1, 0)).await;
            drain.write_to(writes.clone()).await.unwrap();
            assert!(closing.await);
        }
        outbox.send(note(2, 0)).await;
        assert_eq!(*writes.0.lock().unwrap(), [note(0, 0).as_line()]);
    }

    #[tokio::test]
    async fn closing_does_not_wait_for_a_stuck_client_beyond_the_deadline() {
        let (outbox, drain) = outbox();
        let (near, _far) = duplex(1);
        let writer = tokio::spawn(drain.write_to(near));
        outbox.send(note(0, 0)).await;
        assert!(!outbox.close(Duration::ZERO).await);
        writer.abort();
    }

    #[tokio::test]
    async fn a_client_that_is_gone_holds_nobody() {
        let (outbox, drain) = outbox_of(100);
        let (near, far) = duplex(1);
        outbox.send(note(0, 100)).await;
        let mut waiting = pin!(outbox.send(note(1, 0)));
        assert!(is_pending(waiting.as_mut()));
        drop(far);
        assert_eq!(drain.write_to(near).await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        waiting.await;
        outbox.send(note(2, 100)).await;
        outbox.closed().await;
        assert!(outbox.close(Duration::ZERO).await);
    }
}
