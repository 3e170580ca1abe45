//! Readiness of the daemon: the progress of its loops as probes see it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::daemon::Loop;

/// Time without progress after which a loop stands still.
const STILL: Duration = Duration::from_secs(90);

/// Progress of the loops as probes saw it.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Vec<(Loop, u64, Instant)>>);

impl Readiness {
    /// Returns the name of a loop that has made no progress for too long.
    pub(super) fn still(
        &self,
        rounds: Option<[(Loop, u64); 2]>,
        now: Instant,
    ) -> Option<&'static str> {
        let Some(rounds) = rounds else { return Some("daemon, which stops,") };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut still = None;
        for (name, count) in rounds {
            match seen.iter_mut().find(|(other, ..)| *other == name) {
                Some((_, last, at)) if *last == count => {
                    if STILL < now.saturating_duration_since(*at) {
                        still = Some(match name {
                            Loop::Planner => "planner",
                            Loop::Outbox => "outbox",
                        });
                    }
                }
                Some(entry) => *entry = (name, count, now),
                None => seen.push((name, count, now)),
            }
        }
        still
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn loop_without_progress_is_named_after_a_while() {
        let readiness = Readiness::default();
        let rounds = |planner, outbox| Some([(Loop::Planner, planner), (Loop::Outbox, outbox)]);
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let table = [
            (0, rounds(1, 1), None),
            (60, rounds(2, 1), None),
            (91, rounds(3, 1), Some("outbox")),
            (92, rounds(3, 2), None),
            (182, rounds(3, 3), Some("planner")),
            (183, None, Some("daemon, which stops,")),
        ];
        for (at, rounds, expected) in table {
            assert_eq!(readiness.still(rounds, after(at)), expected, "{at}");
        }
    }
}
