//! Retry policy of deliveries (exponential schedule with jitter), probes of receivers that do not answer
//! (half-open circuit breaker), and the disabling of dead receivers.

use std::time::Duration;

use super::{DeliveryId, DisabledReason};

/// Number of tries after which a final refusal is believed.
const REFUSED_TRIES: u32 = 3;
/// Number of tries that a message gets while others get through, before its failures are its own.
const SHARED_TRIES: u32 = 3;
/// Waits before the first probes of a receiver that does not answer.
const FIRST_PROBES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];
/// Wait between probes in the first hour of an outage.
const PROBE: Duration = Duration::from_secs(10);
/// Wait between probes after the first hour.
const LATE_PROBE: Duration = Duration::from_mins(1);
/// Time after which probes are rarer.
const LATE: Duration = Duration::from_hours(1);

/// Outcome of one HTTP attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AttemptResult {
    /// The receiver answered with a status.
    Answered {
        /// Status code of the HTTP answer.
        code: u16,
        /// Wait that the receiver asked for by `Retry-After`.
        hint: Option<Duration>,
    },
    /// No answer came: refused, timed out, not resolved.
    Unreachable,
    /// Nothing was sent, and nothing can be: the receiver's format has no place for the event.
    Unsendable,
}

impl AttemptResult {
    /// Returns true for an answer that another attempt will not change: a 4xx, except those that ask to
    /// come again.
    #[must_use]
    pub(crate) const fn is_refusal(&self) -> bool {
        match self {
            Self::Answered { code, .. } => {
                matches!(*code, 400..=499) && !matches!(*code, 408..=410 | 425 | 429)
            }
            Self::Unreachable | Self::Unsendable => false,
        }
    }

    /// Returns true for a failure that says nothing about the message: the receiver, or a proxy before
    /// it, takes none.
    const fn is_away(&self) -> bool {
        match self {
            Self::Answered { code, .. } => matches!(*code, 408 | 425 | 429 | 502..=504),
            Self::Unreachable => true,
            Self::Unsendable => false,
        }
    }
}

/// Attempts of a delivery since it was last queued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Tried {
    /// Number of this attempt, from 1; probes are not counted.
    pub(crate) attempt: u32,
    /// Time since its first attempt for which the daemon was awake.
    pub(crate) lasted: Duration,
    /// Nothing is wrong with the daemon itself, so that a failure is evidence.
    pub(crate) is_trusted: bool,
}

/// Number of attempts and waits between them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RetryPolicy {
    /// Wait before attempt 2, 3, ...; when it runs out, the delivery has failed.
    pub(crate) waits: Vec<Duration>,
    /// Longest wait that a receiver may ask for.
    pub(crate) hint_max: Duration,
}

impl Default for RetryPolicy {
    /// Returns ten attempts over about three days, as Standard Webhooks recommends.
    fn default() -> Self {
        let secs = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        Self { waits: secs.map(Duration::from_secs).to_vec(), hint_max: Duration::from_hours(24) }
    }
}

impl RetryPolicy {
    /// Returns the wait after this attempt, while there is one.
    fn scheduled(&self, attempt: u32) -> Option<Duration> {
        let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
        self.waits.get(place).copied()
    }

    /// Returns the time for which one message is tried.
    pub(crate) fn total(&self) -> Duration {
        self.waits.iter().fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait))
    }
}

/// Next step of a delivery after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// The receiver accepted it with a 2xx answer.
    Delivered,
    /// The next attempt follows after this wait.
    RetryAfter(Duration),
    /// The receiver does not answer: it is probed, and the attempt does not count.
    Probe {
        /// The delivery stays the next one to be sent; else the others come first.
        keeps_place: bool,
        /// Wait that the receiver asked for.
        asked: Duration,
    },
    /// The delivery is dead: its retries are used up.
    Failed,
    /// The receiver is gone (410) and disabled; the delivery stays pending.
    Gone,
}

/// Decides what follows from an attempt of delivery `id`.
///
/// A failure that is the receiver's makes it being probed; one that is the message's own, since others
/// get through, follows the schedule. Each wait of the schedule has a jitter of up to a fifth that depends
/// on the delivery and the attempt alone.
#[must_use]
pub(crate) fn after_attempt(
    policy: &RetryPolicy,
    id: DeliveryId,
    tried: Tried,
    result: &AttemptResult,
) -> Next {
    let hint = match result {
        AttemptResult::Answered { code: 200..=299, .. } => return Next::Delivered,
        AttemptResult::Answered { code: 410, .. } => return Next::Gone,
        AttemptResult::Unsendable => return Next::Failed,
        AttemptResult::Answered { hint, .. } => *hint,
        AttemptResult::Unreachable => None,
    };
    let asked = hint.unwrap_or_default().min(policy.hint_max);
    let total = policy.total();
    let is_over = if result.is_refusal() {
        REFUSED_TRIES <= tried.attempt || policy.scheduled(tried.attempt).is_none()
    } else if result.is_away() || tried.attempt < SHARED_TRIES {
        if tried.lasted < total || !tried.is_trusted {
            return Next::Probe { keeps_place: result.is_away(), asked };
        }
        true
    } else {
        policy.scheduled(tried.attempt).is_none() && total.saturating_mul(4) / 5 <= tried.lasted
    };
    if is_over && tried.is_trusted {
        return Next::Failed;
    }
    let wait = policy.scheduled(tried.attempt).or(policy.waits.last().copied()).unwrap_or(LATE);
    Next::RetryAfter(asked.max(jittered(wait, id, tried.attempt)))
}

/// Returns the wait before the next probe of a receiver that has failed `failures` consecutive times, for
/// `lasted`.
#[must_use]
pub(crate) fn probe_wait(failures: u32, lasted: Duration) -> Duration {
    let place = usize::try_from(failures).unwrap_or(usize::MAX).saturating_sub(1);
    let later = if lasted < LATE { PROBE } else { LATE_PROBE };
    FIRST_PROBES.get(place).copied().unwrap_or(later)
}

/// Returns the reason to disable a receiver after an attempt with this `next` step, given the time
/// `failing` for which every attempt failed; none when it stays enabled.
#[must_use]
pub(crate) fn disables(
    next: Next,
    failing: Duration,
    disable_after: Duration,
) -> Option<DisabledReason> {
    match next {
        Next::Delivered => None,
        Next::Gone => Some(DisabledReason::Gone),
        Next::RetryAfter(_) | Next::Probe { .. } | Next::Failed => {
            (disable_after <= failing).then_some(DisabledReason::Failing)
        }
    }
}

/// Returns `wait` times 0.8 to 1.2.
fn jittered(wait: Duration, id: DeliveryId, attempt: u32) -> Duration {
    let seed = id.0.unsigned_abs().wrapping_mul(31).wrapping_add(u64::from(attempt));
    let hash = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    let permille = 800 + u32::try_from(hash % 401).unwrap_or(200);
    wait.saturating_mul(permille) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(next: Next, secs: u64) -> bool {
        let wait = Duration::from_secs(secs);
        matches!(next, Next::RetryAfter(got) if wait * 8 / 10 <= got && got <= wait * 12 / 10)
    }

    fn answered(code: u16, hint: Option<u64>) -> AttemptResult {
        AttemptResult::Answered { code, hint: hint.map(Duration::from_secs) }
    }

    fn next(attempt: u32, lasted: u64, result: &AttemptResult) -> Next {
        let secs = Duration::from_secs;
        let waits = vec![secs(5), secs(60), secs(600), secs(600)];
        let policy = RetryPolicy { waits, hint_max: secs(100) };
        let tried = Tried { attempt, lasted: secs(lasted), is_trusted: true };
        after_attempt(&policy, DeliveryId(7), tried, result)
    }

    #[test]
    fn receiver_that_does_not_answer_is_probed_until_the_schedule_has_passed() {
        let probe =
            |keeps_place, asked| Next::Probe { keeps_place, asked: Duration::from_secs(asked) };
        let table = [
            (1, 0, AttemptResult::Unreachable, probe(true, 0)),
            (9, 1264, AttemptResult::Unreachable, probe(true, 0)),
            (1, 1265, AttemptResult::Unreachable, Next::Failed),
            (1, 0, answered(503, Some(90)), probe(true, 90)),
            (1, 0, answered(429, Some(9000)), probe(true, 100)),
            (2, 9, answered(500, None), probe(false, 0)),
            (1, 9, answered(302, None), probe(false, 0)),
            (2, 1265, answered(500, None), Next::Failed),
            (1, 0, answered(204, None), Next::Delivered),
            (1, 0, answered(410, Some(5)), Next::Gone),
            (1, 0, AttemptResult::Unsendable, Next::Failed),
        ];
        for (attempt, lasted, result, expected) in table {
            assert_eq!(next(attempt, lasted, &result), expected, "{attempt}, {lasted}, {result:?}");
        }
    }

    #[test]
    fn message_that_fails_while_others_get_through_follows_the_schedule() {
        assert!(near(next(3, 9, &answered(500, None)), 600));
        assert!(near(next(9, 1000, &answered(500, None)), 600), "it had its tries too early");
        assert_eq!(next(5, 1012, &answered(500, None)), Next::Failed);
    }

    #[test]
    fn final_refusal_ends_a_message_after_three_tries() {
        for code in [400, 401, 403, 404, 413, 422] {
            assert!(near(next(1, 0, &answered(code, None)), 5), "{code}");
            assert!(near(next(2, 5, &answered(code, None)), 60), "{code}");
            assert_eq!(next(3, 65, &answered(code, None)), Next::Failed, "{code}");
        }
        for code in [408, 409, 425, 429, 500, 302] {
            assert!(!answered(code, None).is_refusal(), "{code}");
        }
        let policy = RetryPolicy { waits: Vec::new(), hint_max: Duration::ZERO };
        let tried = Tried { attempt: 1, lasted: Duration::ZERO, is_trusted: true };
        for result in [answered(400, None), answered(500, None), AttemptResult::Unreachable] {
            assert_eq!(after_attempt(&policy, DeliveryId(7), tried, &result), Next::Failed);
        }
    }

    #[test]
    fn nothing_ends_while_the_daemon_is_at_fault() {
        let policy = RetryPolicy { waits: vec![Duration::from_secs(5)], hint_max: Duration::ZERO };
        let tried = Tried { attempt: 9, lasted: Duration::from_hours(900), is_trusted: false };
        for result in [answered(400, None), answered(500, None), AttemptResult::Unreachable] {
            let next = after_attempt(&policy, DeliveryId(7), tried, &result);
            assert_ne!(next, Next::Failed, "{result:?}");
        }
    }

    #[test]
    fn probes_are_frequent_at_first() {
        let hour = Duration::from_hours(1);
        let waits: Vec<_> = (1..=6).map(|number| probe_wait(number, Duration::ZERO)).collect();
        assert_eq!(waits, [1, 2, 4, 8, 10, 10].map(Duration::from_secs));
        assert_eq!(probe_wait(400, hour), Duration::from_mins(1));
        assert_eq!(probe_wait(1, hour), Duration::from_secs(1));
    }

    #[test]
    fn receiver_is_disabled_when_it_is_gone_or_only_failed_for_too_long() {
        let days = |days: u64| Duration::from_hours(24 * days);
        let retry = Next::RetryAfter(Duration::ZERO);
        let table = [
            (Next::Gone, days(0), Some(DisabledReason::Gone)),
            (Next::Delivered, days(9), None),
            (retry, days(4), None),
            (retry, days(5), Some(DisabledReason::Failing)),
            (Next::Failed, days(4), None),
            (Next::Failed, days(6), Some(DisabledReason::Failing)),
        ];
        for (next, failing, expected) in table {
            assert_eq!(disables(next, failing, days(5)), expected, "{next:?} after {failing:?}");
        }
    }

    #[test]
    fn jitter_is_deterministic_and_within_a_fifth() {
        let wait = Duration::from_secs(1000);
        let mut seen = std::collections::BTreeSet::new();
        for id in (1..500).map(DeliveryId) {
            let got = jittered(wait, id, 1);
            assert_eq!(got, jittered(wait, id, 1));
            assert!((800..=1200).contains(&got.as_secs()), "{got:?}");
            seen.insert(got);
        }
        assert!(200 < seen.len());
    }

    #[test]
    fn document_lists_the_default_waits() {
        let readme = include_str!("../../docs/receivers.md");
        let row = readme.lines().find_map(|line| line.strip_prefix("| wait | ")).unwrap();
        let listed = row.trim_end_matches(" |").split(" | ");
        let listed: Vec<Duration> = listed
            .map(|wait| wait.parse::<jiff::SignedDuration>().unwrap().unsigned_abs())
            .collect();
        assert_eq!(listed, RetryPolicy::default().waits);
    }

    #[test]
    fn default_schedule_lasts_about_three_days() {
        assert_eq!(RetryPolicy::default().total(), Duration::from_secs(75 * 3600 + 35 * 60 + 5));
    }
}
