//! Retry policy of deliveries (exponential schedule with jitter) and the disabling of dead receivers.

use std::time::Duration;

use super::{DeliveryId, DisabledReason};

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

/// Next step of a delivery after an attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Next {
    /// The receiver accepted it with a 2xx answer.
    Delivered,
    /// The next attempt follows after this wait.
    RetryAfter(Duration),
    /// The delivery is dead: its retries are used up.
    Failed,
    /// The receiver is gone (410) and disabled; the delivery stays pending.
    Gone,
}

/// Decides what follows attempt number `attempt` (the first is 1) of delivery `id`.
///
/// Each wait has a jitter of up to a fifth that depends on the delivery and the attempt alone, so that
/// a receiver that comes back does not get all deliveries at once.
#[must_use]
pub(crate) fn after_attempt(
    policy: &RetryPolicy,
    id: DeliveryId,
    attempt: u32,
    result: &AttemptResult,
) -> Next {
    let hint = match result {
        AttemptResult::Answered { code: 200..=299, .. } => return Next::Delivered,
        AttemptResult::Answered { code: 410, .. } => return Next::Gone,
        AttemptResult::Answered { hint, .. } => *hint,
        AttemptResult::Unreachable => None,
    };
    let place = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(wait) = policy.waits.get(place) else {
        return Next::Failed;
    };
    let asked = hint.unwrap_or_default().min(policy.hint_max);
    Next::RetryAfter(asked.max(jittered(*wait, id, attempt)))
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
        Next::RetryAfter(_) | Next::Failed => {
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

    #[test]
    fn next_step_follows_from_answer_and_attempt() {
        let secs = Duration::from_secs;
        let policy = RetryPolicy { waits: vec![secs(5), secs(60)], hint_max: secs(100) };
        let next = |attempt, result| after_attempt(&policy, DeliveryId(7), attempt, &result);
        let answered =
            |code, hint: Option<u64>| AttemptResult::Answered { code, hint: hint.map(secs) };
        assert_eq!(next(1, answered(204, None)), Next::Delivered);
        assert_eq!(next(1, answered(410, Some(5))), Next::Gone);
        assert!(near(next(1, answered(302, None)), 5));
        assert!(near(next(2, AttemptResult::Unreachable), 60));
        assert_eq!(next(2, answered(429, Some(90))), Next::RetryAfter(secs(90)));
        assert_eq!(next(2, answered(429, Some(9000))), Next::RetryAfter(secs(100)));
        assert!(near(next(2, answered(429, Some(1))), 60));
        assert_eq!(next(3, answered(500, Some(1))), Next::Failed);
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
        let total: Duration = RetryPolicy::default().waits.iter().sum();
        assert_eq!(total, Duration::from_secs(75 * 3600 + 35 * 60 + 5));
    }
}
