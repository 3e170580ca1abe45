//! Span of time for which a person mutes notifications.

use std::time::Duration;

use super::{Timestamp, duration_text};

/// Longest time that a mute may last.
pub(crate) const MUTE_MAX: Duration = Duration::from_hours(24 * 31);
/// Longest time after which a mute may begin.
pub(crate) const AHEAD_MAX: Duration = Duration::from_hours(24 * 366);

/// Span of a mute: it begins now or later, and ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MuteSpan {
    /// Instant of its beginning.
    pub(crate) from: Timestamp,
    /// Instant of its end.
    pub(crate) until: Timestamp,
}

impl MuteSpan {
    /// Span from an instant, by default now, until another one.
    ///
    /// # Errors
    ///
    /// Fails with the reason when it lies in the past, is empty, or lasts or begins too far ahead.
    pub(crate) fn new(
        from: Option<Timestamp>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Self, String> {
        let from = from.unwrap_or(now);
        if from < now {
            return Err(format!("{from} is past; leave the beginning out to begin now"));
        }
        refuse_far(from, now, AHEAD_MAX)?;
        if until <= now {
            return Err(format!("{until} is past"));
        }
        if until <= from {
            return Err(format!("{until} is not after its beginning, {from}"));
        }
        refuse_far(until, from, MUTE_MAX)?;
        Ok(Self { from, until })
    }
}

fn refuse_far(at: Timestamp, from: Timestamp, most: Duration) -> Result<(), String> {
    if at.since(from) <= most {
        return Ok(());
    }
    Err(format!("{at} is more than {} ahead", duration_text(most)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_outside_of_the_bounds_are_refused_with_the_reason() {
        let now = Timestamp(1_000_000);
        let after = |hours| now.plus(Duration::from_hours(hours));
        let good = [(None, after(1)), (Some(after(1)), after(2)), (None, after(24 * 31))];
        for (from, until) in good {
            let span = MuteSpan { from: from.unwrap_or(now), until };
            assert_eq!(MuteSpan::new(from, until, now), Ok(span));
        }
        let bad = [
            (Some(now.minus(Duration::from_secs(1))), after(1), "is past; leave the beginning out"),
            (Some(after(24 * 367)), after(24 * 368), "is more than 366d ahead"),
            (None, now, "is past"),
            (Some(after(2)), after(2), "is not after its beginning"),
            (None, after(24 * 32), "is more than 31d ahead"),
        ];
        for (from, until, expected) in bad {
            let problem = MuteSpan::new(from, until, now).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
