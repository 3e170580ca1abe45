//! Backpressure: runs that wait for permits, by limit, and a warning when that takes long.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tracing::warn;

use super::log_throttle::LogThrottle;
use crate::net::permit::{Permit, Semaphore};

/// Time that a run waits for a permit before it is logged.
const PATIENCE: Duration = Duration::from_secs(5);

/// Limit under which runs wait for permits.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Limit {
    /// Setting `limits.runs`, among all runs.
    Runs,
    /// Setting `limits.runs_per_host`, at this host.
    Host(String),
}

/// Number of runs that wait, by limit.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    waiting: Mutex<HashMap<Limit, usize>>,
    throttle: LogThrottle,
}

impl Backpressure {
    /// Takes a permit under `limit` as soon as there is one.
    pub(super) async fn take(
        &self,
        room: &Arc<Semaphore>,
        limit: impl FnOnce() -> Limit,
    ) -> Permit {
        if let Some(taken) = room.try_take() {
            return taken;
        }
        let place = Place::new(self, limit());
        let taken = room.take();
        tokio::pin!(taken);
        loop {
            match timeout(PATIENCE, &mut taken).await {
                Ok(taken) => return taken,
                Err(_elapsed) => self.log(&place.limit),
            }
        }
    }

    /// Returns the number of runs that wait under `limits.runs`, and under `limits.runs_per_host`.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = waiting.values().sum();
        let among_all = waiting.get(&Limit::Runs).copied().unwrap_or_default();
        (among_all, all.saturating_sub(among_all))
    }

    fn log(&self, limit: &Limit) {
        let Some(waiting) = self.due(limit, Instant::now()) else { return };
        match limit {
            Limit::Runs => warn!(
                limit = "limits.runs",
                waiting,
                "runs wait for a permit: {waiting}, since as many run as limits.runs allows"
            ),
            Limit::Host(host) => warn!(
                limit = "limits.runs_per_host",
                host,
                waiting,
                "runs wait for a permit at {host}: {waiting}, since as many run there as \
                 limits.runs_per_host allows"
            ),
        }
    }

    /// Returns the number of runs that wait for `limit`, when it is to be logged now.
    fn due(&self, limit: &Limit, now: Instant) -> Option<usize> {
        self.throttle.admit("", now)?;
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(limit).copied()
    }
}

/// Guard that counts one waiting run until it is dropped.
struct Place<'p> {
    backpressure: &'p Backpressure,
    limit: Limit,
}

impl<'p> Place<'p> {
    fn new(backpressure: &'p Backpressure, limit: Limit) -> Self {
        let mut waiting = backpressure.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting.entry(limit.clone()).or_default() += 1;
        drop(waiting);
        Self { backpressure, limit }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.backpressure.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.limit) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&self.limit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waiting_run_is_counted_until_it_has_a_permit_or_is_dropped() {
        let backpressure = Arc::new(Backpressure::default());
        let room = Semaphore::new(1);
        let host = || Limit::Host("a".to_owned());
        let first = backpressure.take(&room, host).await;
        assert_eq!(backpressure.waiting(), (0, 0), "none waited");
        let waiter = |limit: fn() -> Limit| {
            let (backpressure, room) = (Arc::clone(&backpressure), Arc::clone(&room));
            tokio::spawn(async move { backpressure.take(&room, limit).await })
        };
        let second = waiter(|| Limit::Host("a".to_owned()));
        let third = waiter(|| Limit::Host("b".to_owned()));
        let fourth = waiter(|| Limit::Runs);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(backpressure.waiting(), (1, 2));
        third.abort();
        assert!(third.await.unwrap_err().is_cancelled());
        assert_eq!(backpressure.waiting(), (1, 1), "a run that was dropped waits no more");
        drop(first);
        drop(second.await.unwrap());
        drop(fourth.await.unwrap());
        assert_eq!(backpressure.waiting(), (0, 0));
        assert!(backpressure.waiting.lock().unwrap().is_empty(), "hosts are forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn long_wait_is_logged_once_a_minute_and_a_short_one_never() {
        // At a moment that is no later than the last line, a logged event is not admitted again.
        for (millis, asked_secs, due) in
            [(4_999, 0, Some(9)), (5_001, 0, None), (5_001, 65, Some(9)), (65_001, 65, None)]
        {
            let backpressure = Arc::new(Backpressure::default());
            let room = Semaphore::new(1);
            let start = Instant::now();
            let taken = backpressure.take(&room, || Limit::Runs).await;
            let waiters: Vec<_> = (0..9)
                .map(|_| {
                    let (backpressure, room) = (Arc::clone(&backpressure), Arc::clone(&room));
                    tokio::spawn(async move { backpressure.take(&room, || Limit::Runs).await })
                })
                .collect();
            tokio::time::sleep(Duration::from_millis(millis)).await;
            let asked = start + Duration::from_secs(asked_secs);
            assert_eq!(backpressure.due(&Limit::Runs, asked), due, "{millis} {asked_secs}");
            drop(taken);
            for waiter in waiters {
                drop(waiter.await.unwrap());
            }
        }
    }
}
