//! Server-sent events, or one whole JSON text, out of the pieces in which a body arrives.
//!
//! Invariant: no more than [`LARGEST_EVENT`] and one piece of the body are held at once, whatever is sent.

use std::{
    error::Error,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use sse_stream::SseStream;
use tokio::time::timeout;

/// The last event repeats the whole response, with images in it: megabytes are normal. What is larger than this is no
/// response, and the parser itself would take in any amount.
const LARGEST_EVENT: usize = 64 << 20;

/// Why no further event comes.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Broken {
    #[error("idle timeout waiting for SSE")]
    Idle,
    #[error("an event is larger than {LARGEST_EVENT} bytes")]
    TooLarge,
    #[error("{0}")]
    Read(String),
    #[error("malformed event stream: {0}")]
    Malformed(String),
}

/// Returns the data of each event. Ends at the end of the body, or after the first error.
///
/// A body that is one JSON object, of a gateway that does not know how to stream, is the data of one event. It is told
/// by how it begins, as no stream does: content types are not to be trusted.
pub(super) fn events<E>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    idle: Duration,
) -> impl Stream<Item = Result<String, Broken>> + Send
where
    E: Error + Send + Sync + 'static,
{
    let mut body = Box::pin(body.peekable());
    let opened = async move {
        match timeout(idle, body.as_mut().peek()).await {
            Ok(Some(Ok(piece))) if piece.trim_ascii_start().starts_with(b"{") => whole(body, idle).boxed(),
            Ok(_) => streamed(body, idle).boxed(),
            Err(_) => stream::iter([Err(Broken::Idle)]).boxed(),
        }
    };
    stream::once(opened).flatten()
}

fn streamed<E>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    idle: Duration,
) -> impl Stream<Item = Result<String, Broken>> + Send
where
    E: Error + Send + Sync + 'static,
{
    let fed = Arc::new(AtomicUsize::new(0));
    let parsed = Box::pin(SseStream::from_bytes_stream(capped(body, Arc::clone(&fed))));
    stream::unfold(Some((parsed, fed)), move |state| async move {
        let (mut parsed, fed) = state?;
        loop {
            let next = match timeout(idle, parsed.next()).await {
                Ok(next) => next?,
                Err(_) => return Some((Err(Broken::Idle), None)),
            };
            fed.store(0, Ordering::Relaxed);
            match next {
                Ok(event) => match event.data {
                    Some(data) => return Some((Ok(data), Some((parsed, fed)))),
                    None => continue,
                },
                Err(error) => return Some((Err(broken(error)), None)),
            }
        }
    })
}

fn whole<E: Error + Send + 'static>(
    body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    idle: Duration,
) -> impl Stream<Item = Result<String, Broken>> + Send {
    stream::once(async move {
        let mut body = pin!(capped(body, Arc::default()));
        let mut text = Vec::new();
        while let Some(piece) = timeout(idle, body.next()).await.map_err(|_| Broken::Idle)? {
            text.extend_from_slice(&piece?);
        }
        String::from_utf8(text).map_err(|error| Broken::Malformed(error.to_string()))
    })
}

/// Counts what the parser was fed since it last gave out an event.
fn capped<E: Error>(
    body: impl Stream<Item = Result<Bytes, E>>,
    fed: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, Broken>> {
    body.map(move |piece| {
        let piece = piece.map_err(|error| Broken::Read(super::causes(error)))?;
        let before = fed.fetch_add(piece.len(), Ordering::Relaxed);
        if before + piece.len() > LARGEST_EVENT { Err(Broken::TooLarge) } else { Ok(piece) }
    })
}

fn broken(error: sse_stream::Error) -> Broken {
    match error {
        sse_stream::Error::Body(error) => match error.downcast() {
            Ok(broken) => *broken,
            Err(error) => Broken::Read(error.to_string()),
        },
        other => Broken::Malformed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, io};

    use pretty_assertions::assert_eq;
    use tokio::time::Instant;

    use super::*;

    const IDLE: Duration = Duration::from_secs(5);

    type Pieces = stream::Iter<std::vec::IntoIter<Result<Bytes, Infallible>>>;

    fn pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Pieces {
        let pieces: Vec<_> = pieces.into_iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        stream::iter(pieces)
    }

    async fn heard<E: Error + Send + Sync + 'static>(
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Vec<Result<String, Broken>> {
        events(body, IDLE).collect().await
    }

    #[tokio::test]
    async fn events_are_the_same_wherever_the_body_is_cut() {
        let body = "\u{feff}: hello\n\nevent: a\ndata: {\"x\":\"Grüße 😀\"}\n\r\ndata:two\rdata: lines\r\r: ping\r\n\r\n\
                    id: 7\nretry: 10\n\ndata: last\n\ndata: unfinished";
        let told = ["{\"x\":\"Grüße 😀\"}", "two\nlines", "last"].map(|data| Ok(data.to_owned()));
        for cut in 0..=body.len() {
            let (head, tail) = body.as_bytes().split_at(cut);
            assert_eq!(heard(pieces([head, tail])).await, told, "cut at {cut}");
        }
        assert_eq!(heard(pieces(body.as_bytes().chunks(1))).await, told, "single bytes");
    }

    #[tokio::test]
    async fn a_large_event_comes_through_and_an_endless_one_does_not() {
        let data = "x".repeat(4 << 20);
        let body = format!("data: {data}\n\ndata: next\n\n");
        let told = heard(pieces(body.as_bytes().chunks(1400))).await;
        assert_eq!(told, [Ok(data), Ok("next".to_owned())]);

        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        let endless = stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
        assert_eq!(heard(endless).await, [Err(Broken::TooLarge)]);
    }

    #[tokio::test]
    async fn many_events_together_may_be_larger_than_one() {
        let event = Bytes::from(format!("data: {}\n\n", "x".repeat(1 << 20)));
        let many =
            stream::repeat_with(move || Ok::<_, Infallible>(event.clone())).take((LARGEST_EVENT >> 20) + 2);
        let whole = events(many, IDLE).all(|event| async move { event.is_ok() });
        assert!(whole.await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_one_object_comes_whole_or_not_at_all() {
        let body = "\n {\"a\":\n\n\"é\"}";
        for cut in 4..=body.len() {
            let (head, tail) = body.as_bytes().split_at(cut);
            assert_eq!(heard(pieces([head, tail])).await, [Ok(body.to_owned())], "cut at {cut}");
        }
        let silent = pieces([b"{".as_slice()]).chain(stream::pending());
        assert_eq!(heard(silent).await, [Err(Broken::Idle)]);
        let piece = Bytes::from(vec![b'{'; 1 << 20]);
        let endless = stream::repeat_with(move || Ok::<_, Infallible>(piece.clone()));
        assert_eq!(heard(endless).await, [Err(Broken::TooLarge)]);
        let told = heard(pieces([b"{\xff".as_slice()])).await;
        assert!(matches!(told.as_slice(), [Err(Broken::Malformed(_))]), "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_not_waited_for_longer_than_the_time_out() {
        let begun = Instant::now();
        let body = pieces([b"data: one\n\n".as_slice()]).chain(stream::pending());
        assert_eq!(heard(body).await, [Ok("one".to_owned()), Err(Broken::Idle)]);
        assert_eq!(begun.elapsed().as_secs(), IDLE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn comments_do_not_keep_a_silent_stream_alive() {
        let comments = stream::unfold((), |()| async {
            tokio::time::sleep(IDLE / 2).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b": ping\n\n")), ()))
        });
        assert_eq!(heard(comments).await, [Err(Broken::Idle)]);
    }

    #[tokio::test]
    async fn what_breaks_the_body_is_told() {
        let reset =
            stream::iter([Ok(Bytes::from_static(b"data: one\n\n")), Err(io::Error::other("reset by peer"))]);
        assert_eq!(heard(reset).await, [Ok("one".to_owned()), Err(Broken::Read("reset by peer".into()))]);
        let told = heard(pieces([b"data: \xff\n\n".as_slice(), b"data: two\n\n"])).await;
        assert!(matches!(told.as_slice(), [Err(Broken::Malformed(_))]), "{told:?}");
    }
}
