//! Standard input and output as streams of the async runtime, each on a thread of its own.
//!
//! The runtime's own standard input sits in its pool of blocking threads, and the end of the runtime waits for the
//! read that it is in: a server told to stop would hang until its client speaks. A thread of our own is left behind
//! when the process ends. (Switching the descriptor to non-blocking would spare the thread, but the descriptor may
//! be a file, which cannot be polled, or shared with the program that started us, which would not expect it.)

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
    thread,
};

use tokio::{
    io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};

/// What one read takes at most: the capacity of a pipe.
const READ: usize = 64 << 10;

/// How many reads may wait; with these full the thread stops reading, and so in time does the client's writing.
const READS: usize = 4;

/// What is handed to the writing thread at once: little memory, and few hand-overs for an answer of many megabytes.
const WRITE: usize = 256 << 10;

/// Starts reading standard input, which must happen once.
pub fn stdin() -> io::Result<Input> {
    Input::from_source(io::stdin())
}

/// Starts a writer of standard output, to which nothing else must write.
pub fn stdout() -> io::Result<Output> {
    Output::to_sink(io::stdout())
}

/// A stream that a thread reads.
#[derive(Debug)]
pub struct Input {
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    taken: usize,
}

impl Input {
    fn from_source(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel(READS);
        thread::Builder::new().name("stdin".to_owned()).spawn(move || read(source, &sender))?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0 })
    }
}

/// Ends at the end of the source, at its first error, or when nobody listens.
fn read(mut source: impl Read, chunks: &mpsc::Sender<io::Result<Vec<u8>>>) {
    let mut buffer = vec![0; READ];
    loop {
        let chunk = match source.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => Ok(buffer[..n].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let last = chunk.is_err();
        if chunks.blocking_send(chunk).is_err() || last {
            return;
        }
    }
}

impl AsyncBufRead for Input {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.taken == this.chunk.len()
            && let Some(chunk) = ready!(this.chunks.poll_recv(cx))
        {
            this.chunk = chunk?;
            this.taken = 0;
        }
        Poll::Ready(Ok(&this.chunk[this.taken..]))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.taken = (self.taken + amount).min(self.chunk.len());
    }
}

impl AsyncRead for Input {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let chunk = ready!(self.as_mut().poll_fill_buf(cx))?;
        let taken = chunk.len().min(into.remaining());
        into.put_slice(&chunk[..taken]);
        self.consume(taken);
        Poll::Ready(Ok(()))
    }
}

/// A stream that a thread writes.
#[derive(Debug)]
pub struct Output {
    to_thread: mpsc::Sender<Vec<u8>>,
    from_thread: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// The one buffer there is; the thread has it while it writes.
    buffer: Option<Vec<u8>>,
}

impl Output {
    fn to_sink(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (to_thread, chunks) = mpsc::channel(1);
        let (written, from_thread) = mpsc::channel(1);
        thread::Builder::new().name("stdout".to_owned()).spawn(move || write(sink, chunks, &written))?;
        Ok(Self { to_thread, from_thread, buffer: Some(Vec::new()) })
    }

    /// Waits until the thread has written what it was given.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Vec<u8>>> {
        if self.buffer.is_none() {
            let written = ready!(self.from_thread.poll_recv(cx)).unwrap_or_else(|| Err(ended()))?;
            self.buffer = Some(written);
        }
        Poll::Ready(self.buffer.as_mut().ok_or_else(ended))
    }
}

/// Ends when the stream is dropped, or at the first error: then the client is gone.
fn write(
    mut sink: impl Write,
    mut chunks: mpsc::Receiver<Vec<u8>>,
    written: &mpsc::Sender<io::Result<Vec<u8>>>,
) {
    while let Some(chunk) = chunks.blocking_recv() {
        let outcome = sink.write_all(&chunk).and_then(|()| sink.flush()).map(|()| chunk);
        let last = outcome.is_err();
        if written.blocking_send(outcome).is_err() || last {
            return;
        }
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the writing thread has ended")
}

impl AsyncWrite for Output {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut buffer = std::mem::take(ready!(self.poll_idle(cx))?);
        self.buffer = None;
        let taken = bytes.len().min(WRITE);
        buffer.clear();
        buffer.extend_from_slice(&bytes[..taken]);
        // The thread is idle, so there is room; unless it has ended.
        self.to_thread.try_send(buffer).map_err(|_| ended())?;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_idle(cx).map_ok(|_| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        runtime::Runtime,
    };

    use super::*;

    #[tokio::test]
    async fn bytes_pass_whole_and_in_order() {
        let (source, sink) = io::pipe().unwrap();
        let bytes: Vec<u8> = (0..3 * WRITE).map(|i| (i % 251) as u8).collect();
        let (mut input, mut output) = (Input::from_source(source).unwrap(), Output::to_sink(sink).unwrap());
        let sent = bytes.clone();
        let writer = tokio::spawn(async move {
            for piece in sent.chunks(100_003) {
                output.write_all(piece).await?;
            }
            output.shutdown().await
        });
        let mut seen = Vec::new();
        input.read_to_end(&mut seen).await.unwrap();
        writer.await.unwrap().unwrap();
        assert!(seen == bytes);
    }

    #[tokio::test]
    async fn a_flush_waits_until_it_is_written() {
        let (mut source, sink) = io::pipe().unwrap();
        let mut output = Output::to_sink(sink).unwrap();
        output.write_all(b"now\n").await.unwrap();
        output.flush().await.unwrap();
        let mut seen = [0; 4];
        source.read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"now\n");
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_is_an_error_from_then_on() {
        let (source, sink) = io::pipe().unwrap();
        let mut output = Output::to_sink(sink).unwrap();
        drop(source);
        output.write_all(b"x").await.unwrap();
        for _ in 0..3 {
            assert_eq!(output.flush().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(output.write(b"y").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn the_runtime_ends_while_the_source_is_silent() {
        let (source, _silent) = io::pipe().unwrap();
        let runtime = Runtime::new().unwrap();
        let mut input = Input::from_source(source).unwrap();
        runtime.spawn(async move { input.read_u8().await });
        drop(runtime);
    }
}
