//! Retries within a run: backoff that depends on the failure, up to three attempts.
//!
//! A failure says by its [`Backoff`] whether and when another attempt may succeed. What outlives a run
//! is left to the schedule.

use std::time::Duration;

use tokio::time::Instant;

use super::permit::rest;
use crate::domain::Class;

/// Waits after a request that failed: two further attempts.
const REQUEST: &[Duration] = &[Duration::from_millis(300), Duration::from_secs(1)];
/// Longest wait that a server can ask for within a run; a server that asks for more is left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);

/// Waits before further attempts of a failed operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Backoff {
    waits: &'static [Duration],
    retry_after: Option<Duration>,
}

impl Backoff {
    /// Returns one wait per further attempt; none where no attempt can help.
    pub(crate) const fn new(waits: &'static [Duration]) -> Self {
        Self { waits, retry_after: None }
    }

    /// Returns the backoff of a request that failed with `class`.
    pub(crate) const fn of(class: Class) -> Self {
        match class {
            Class::Throttled | Class::Unavailable | Class::Unreachable => Self::new(REQUEST),
            Class::Denied | Class::Missing | Class::Invalid | Class::Expired | Class::Local => {
                Self::new(&[])
            }
        }
    }

    /// Replaces the next wait by the one that the server asked for, if any.
    pub(crate) const fn or_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// Returns the wait after `made` further attempts; none where another one is not worth it.
    fn wait(self, made: usize) -> Option<Duration> {
        let wait = *self.waits.get(made)?;
        match self.retry_after {
            Some(asked) => Some(asked).filter(|asked| *asked <= RETRY_AFTER_MAX),
            None => Some(wait),
        }
    }
}

/// Failure of an operation that may be tried again.
pub(crate) trait Retryable {
    /// Returns whether and when another attempt may succeed.
    fn backoff(&self) -> Backoff;
}

/// Time within which further attempts are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Limit of all attempts and waits together.
    pub(crate) total: Duration,
    /// Limit of one attempt; none is begun that could exceed `total`.
    pub(crate) attempt: Duration,
}

impl Budget {
    const UNLIMITED: Self = Self { total: Duration::MAX, attempt: Duration::ZERO };

    fn allows(self, elapsed: Duration, wait: Duration) -> bool {
        elapsed.saturating_add(wait).saturating_add(self.attempt) <= self.total
    }
}

/// Makes attempts until one succeeds or its failure says that no further one can. The run holds no permit between them.
///
/// The attempts are of one type, and not the futures of an `AsyncFnMut`, because the compiler cannot
/// prove those to be `Send` where a validator's future is boxed.
///
/// # Errors
///
/// Returns the failure of the last attempt.
pub(crate) async fn retry<T, E: Retryable, F: Future<Output = Result<T, E>>>(
    attempt: impl FnMut() -> F,
) -> Result<T, E> {
    retry_within(Budget::UNLIMITED, attempt).await
}

/// Makes attempts as [`retry`] does, as long as another one fits into `budget`.
///
/// # Errors
///
/// Returns the failure of the last attempt.
pub(crate) async fn retry_within<T, E: Retryable, F: Future<Output = Result<T, E>>>(
    budget: Budget,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    let start = Instant::now();
    let mut made = 0;
    loop {
        let failure = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let wait = failure.backoff().wait(made);
        let Some(wait) = wait.filter(|wait| budget.allows(start.elapsed(), *wait)) else {
            return Err(failure);
        };
        rest(wait).await;
        made += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failed(Backoff);

    impl Retryable for Failed {
        fn backoff(&self) -> Backoff {
            self.0
        }
    }

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// Number of attempts that all fail with `backoff`, and the time they take.
    async fn attempts(backoff: Backoff, budget: Budget) -> (u32, Duration) {
        let (mut made, start) = (0, Instant::now());
        let failed = retry_within(budget, || {
            made += 1;
            std::future::ready(Err::<(), _>(Failed(backoff)))
        });
        failed.await.unwrap_err();
        (made, start.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn passing_failure_is_retried_unless_the_server_asks_for_a_long_wait() {
        let table = [
            (Class::Denied, None, 1, 0),
            (Class::Missing, None, 1, 0),
            (Class::Invalid, None, 1, 0),
            (Class::Expired, None, 1, 0),
            (Class::Local, None, 1, 0),
            (Class::Denied, Some(1), 1, 0),
            (Class::Unreachable, None, 3, 1300),
            (Class::Unavailable, None, 3, 1300),
            (Class::Throttled, Some(5), 3, 10_000),
            (Class::Throttled, Some(6), 1, 0),
        ];
        for (class, asked, made, millis) in table {
            let backoff = Backoff::of(class).or_after(asked.map(secs));
            let found = attempts(backoff, Budget::UNLIMITED).await;
            assert_eq!(found, (made, Duration::from_millis(millis)), "{class:?} {asked:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_does_not_fit_into_the_budget_is_not_made() {
        const SHORT: &[Duration] = &[secs(1), secs(3)];
        const LONG: &[Duration] = &[secs(5), secs(10)];
        const ONE: &[Duration] = &[secs(5)];
        let table = [
            (SHORT, 30, 10, 3, 4),
            (SHORT, 13, 10, 2, 1),
            (SHORT, 10, 10, 1, 0),
            (LONG, 40, 10, 3, 15),
            (LONG, 25, 10, 3, 15),
            (LONG, 24, 10, 2, 5),
            (ONE, 40, 10, 2, 5),
            (&[], 40, 10, 1, 0),
        ];
        for (waits, total, attempt, made, elapsed) in table {
            let budget = Budget { total: secs(total), attempt: secs(attempt) };
            let found = attempts(Backoff::new(waits), budget).await;
            assert_eq!(found, (made, secs(elapsed)), "{waits:?} {total}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn successful_attempt_is_the_last() {
        let mut made = 0;
        let second = retry(|| {
            made += 1;
            let failed = Failed(Backoff::of(Class::Unavailable));
            std::future::ready(if made == 2 { Ok(made) } else { Err(failed) })
        });
        assert_eq!(second.await.unwrap(), 2);
    }
}
