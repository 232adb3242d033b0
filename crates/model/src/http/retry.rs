//! Repeats a request that met a failing or unreachable server, without a word.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use uuid::Uuid;

use super::{failure::Refused, pause};

/// The first pause; each further one is twice as long, up to [`LONGEST_BACKOFF`], and up to as much again by chance.
const FIRST_BACKOFF: Duration = Duration::from_millis(200);

/// By then a server is not about to come back within a person's patience.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// Tries until it works, fails for good, or was repeated `retries` times.
pub(super) async fn patiently<T, F>(retries: u32, attempt: impl FnMut() -> F) -> Result<T, Refused>
where
    F: Future<Output = Result<T, Refused>>,
{
    let times = usize::try_from(retries).unwrap_or(usize::MAX);
    // Without a seed of our own every process would draw the same numbers, and servers that went down together with
    // their provider would come back in step.
    let seed = Uuid::new_v4().as_u64_pair().0;
    let backoff = ExponentialBuilder::new()
        .with_min_delay(FIRST_BACKOFF)
        .with_max_delay(LONGEST_BACKOFF)
        .with_max_times(times)
        .with_jitter()
        .with_jitter_seed(seed);
    attempt
        .retry(backoff)
        .when(|refused| refused.transient && refused.after.is_none_or(|after| after <= pause::LONGEST))
        .adjust(|refused, pause| pause.map(|pause| refused.after.unwrap_or(pause)))
        .notify(|refused, pause| tracing::debug!(error = %refused.error, ?pause, "asking the provider again"))
        .await
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use pretty_assertions::assert_eq;
    use tokio::time::Instant;

    use super::*;
    use crate::ModelError;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn refused(transient: bool, after: Option<Duration>) -> Refused {
        Refused { transient, after, ..ModelError::cut("test").into() }
    }

    #[derive(Clone)]
    struct Case {
        name: &'static str,
        retries: u32,
        fails: u32,
        refused: Refused,
        tries: u32,
        works: bool,
        pauses: RangeInclusive<u64>,
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_repeated_as_often_and_as_late_as_it_should_be() {
        let case = Case {
            name: "works at once",
            retries: 4,
            fails: 0,
            refused: refused(true, None),
            tries: 1,
            works: true,
            pauses: 0..=0,
        };
        let much_later = refused(true, Some(pause::LONGEST + ms(1)));
        let at_once = refused(true, Some(ms(0)));
        for Case { name, retries, fails, refused, tries, works, pauses } in [
            Case { name: "works later", fails: 2, tries: 3, pauses: 600..=1200, ..case.clone() },
            Case {
                name: "never works",
                retries: 2,
                fails: 9,
                tries: 3,
                works: false,
                pauses: 600..=1200,
                ..case.clone()
            },
            Case { name: "unwanted", retries: 0, fails: 9, works: false, ..case.clone() },
            Case { name: "final", fails: 9, refused: refused(false, None), works: false, ..case.clone() },
            Case {
                name: "come back later",
                fails: 2,
                refused: refused(true, Some(ms(7000))),
                tries: 3,
                pauses: 14_000..=14_010,
                ..case.clone()
            },
            Case {
                name: "come back at once",
                fails: 2,
                refused: at_once,
                tries: 3,
                pauses: 0..=10,
                ..case.clone()
            },
            Case { name: "come back tomorrow", fails: 9, refused: much_later, works: false, ..case.clone() },
            case,
        ] {
            let begun = Instant::now();
            let mut tried = 0;
            let attempt = || {
                tried += 1;
                std::future::ready(if tried > fails { Ok(()) } else { Err(refused.clone()) })
            };
            let worked = patiently(retries, attempt).await.is_ok();
            assert_eq!((tried, worked), (tries, works), "{name}");
            let took = begun.elapsed().as_millis();
            assert!(pauses.contains(&u64::try_from(took).unwrap()), "{name}: {took} ms");
        }
    }
}
