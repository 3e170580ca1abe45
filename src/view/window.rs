//! Maintenance windows with their openings.

use serde::Serialize;

use super::time::millis;
use crate::domain::{Maintenance, Selection, Timestamp};

/// Openings of a window that are listed.
const OPENINGS: usize = 3;

/// Maintenance window of the configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Window<'a> {
    name: &'a str,
    selection: &'a Selection,
    schedule: &'a str,
    zone: &'a str,
    duration_ms: u64,
    /// Instant at which it closes, while it is open.
    open_until: Option<Timestamp>,
    /// Instants at which it opens next.
    openings: Vec<Timestamp>,
}

impl<'a> Window<'a> {
    /// Window as it is at an instant.
    pub(crate) fn new(window: &'a Maintenance, now: Timestamp) -> Self {
        let schedule = &window.schedule;
        let openings = super::time::instants(now, |after| schedule.next_after(after));
        Self {
            name: &window.name,
            selection: &window.selection,
            schedule: schedule.text(),
            zone: schedule.zone(),
            duration_ms: millis(window.duration),
            open_until: window.open_until(now),
            openings: openings.take(OPENINGS).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Schedule;
    use crate::view::samples;

    #[test]
    fn window_is_shown_with_its_next_openings() {
        let window = Maintenance {
            name: "nightly".to_owned(),
            schedule: Schedule::parse("0 10 * * *", "UTC").unwrap(),
            duration: Duration::from_hours(1),
            selection: Selection::default(),
        };
        let now = samples::now();
        let json = serde_json::to_value(Window::new(&window, now)).unwrap();
        assert_eq!(json["openUntil"], "2026-11-23T11:00:00Z");
        let expected = ["2026-11-24T10:00:00Z", "2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z"];
        assert_eq!(json["openings"], serde_json::json!(expected));
        assert_eq!((&json["durationMs"], &json["zone"]), (&3_600_000.into(), &"UTC".into()));
    }
}
