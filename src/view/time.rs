//! Instants of a schedule, and durations as programs get them.

use std::time::Duration;

use serde::Serialize;

use crate::domain::{Schedule, Timestamp};

/// Instant of a schedule, in UTC and in the zone of the schedule.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Instant {
    /// The instant in UTC.
    pub(crate) utc: Timestamp,
    /// In the zone of the schedule, for people.
    pub(crate) local: String,
}

impl Instant {
    /// The instant `utc` of `schedule`.
    pub(crate) fn new(schedule: &Schedule, utc: Timestamp) -> Self {
        Self { utc, local: schedule.local(utc) }
    }
}

/// Returns the instants after `first`, each found by `step` from the one before.
pub(crate) fn instants(
    first: Timestamp,
    step: impl Fn(Timestamp) -> Option<Timestamp>,
) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(step(first), move |&before| step(before))
}

/// Returns the whole milliseconds of a duration.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
