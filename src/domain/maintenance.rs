//! Maintenance windows: times in which messages about some integrations are muted.

use std::time::Duration;

use super::{Schedule, Selection, Timestamp};

/// Number of consecutive windows that are joined into one; later ones are joined when it ends.
const JOINED_MAX: usize = 64;

/// Maintenance window that opens by a schedule.
#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    /// Unique name of the window.
    pub(crate) name: String,
    /// Schedule by which it opens.
    pub(crate) schedule: Schedule,
    /// Time for which it stays open.
    pub(crate) duration: Duration,
    /// Integrations whose messages it mutes.
    pub(crate) selection: Selection,
}

impl Maintenance {
    /// Returns the instant at which it closes, if it is open at `now`; windows that meet or overlap are
    /// one.
    #[must_use]
    pub(crate) fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut start = self.schedule.next_after(now.minus(self.duration))?;
        if now < start {
            return None;
        }
        for _ in 0..JOINED_MAX {
            match self.schedule.next_after(start) {
                Some(next) if next <= start.plus(self.duration) => start = next,
                Some(_) | None => break,
            }
        }
        Some(start.plus(self.duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_open_from_its_instant_for_its_duration_in_its_own_zone() {
        let open = |cron: &str, hours: u64, now: &str| {
            let window = Maintenance {
                name: "nightly".to_owned(),
                schedule: Schedule::parse(cron, "Europe/Berlin").unwrap(),
                duration: Duration::from_hours(hours),
                selection: Selection::default(),
            };
            window.open_until(now.parse().unwrap()).map(|until| until.to_string())
        };
        let until = |text: &str| Some(text.to_owned());
        let table = [
            ("0 22 * * *", 4, "2026-11-23T20:59:59Z", None),
            ("0 22 * * *", 4, "2026-11-23T21:00:00Z", until("2026-11-24T01:00:00Z")),
            ("0 22 * * *", 4, "2026-11-24T00:59:59Z", until("2026-11-24T01:00:00Z")),
            ("0 22 * * *", 4, "2026-11-24T01:00:00Z", None),
            // Summer time, and a night that is an hour longer.
            ("0 22 * * *", 4, "2026-07-01T20:30:00Z", until("2026-07-02T00:00:00Z")),
            ("0 22 * * *", 6, "2026-10-24T23:30:00Z", until("2026-10-25T02:00:00Z")),
            // Windows that meet are one.
            ("0 22,23 * * *", 1, "2026-11-23T21:30:00Z", until("2026-11-23T23:00:00Z")),
        ];
        for (cron, hours, now, expected) in table {
            assert_eq!(open(cron, hours, now), expected, "{cron} for {hours} h at {now}");
        }
        assert!(open("* * * * *", 1, "2026-11-23T21:30:00Z").is_some(), "always, and it ends");
    }
}
