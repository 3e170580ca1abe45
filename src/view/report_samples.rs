//! Hand-made timelines for tests of reports.

use super::report::{Month, MonthlyReport};
use super::samples::{at, now, target};
use crate::domain::{Status, Timestamp};
use crate::store::{TargetRow, TimelineRow, TransitionRow};

/// Timeline of `lake`, which has never changed.
pub(crate) fn timeline() -> TimelineRow {
    TimelineRow {
        integration: target(),
        status: Status::Enabled,
        created_at: at("2026-09-01T00:00:00Z"),
        lost_at: None,
        changes: Vec::new(),
        otherwise: None,
        acknowledged: Vec::new(),
        expires: None,
    }
}

/// Failure from one instant to another.
fn failure(from: Timestamp, until: Timestamp) -> Vec<TransitionRow> {
    let (works, fails) = (Status::Enabled, Status::RecurringValidationError);
    let change = |at, from, to| TransitionRow {
        id: 0,
        from: Some(from),
        to,
        cause: None,
        at,
        run: None,
        incident_id: None,
    };
    vec![change(from, works, fails), change(until, fails, works)]
}

/// Integration that failed and recovered, one that fails, and one that was deleted before.
pub(crate) fn timelines() -> Vec<TimelineRow> {
    let recovered = TimelineRow {
        lost_at: Some(at("2026-11-05T00:00:00Z")),
        changes: failure(at("2026-11-10T08:00:00Z"), at("2026-11-10T09:30:00Z")),
        acknowledged: vec![at("2026-11-10T08:30:00Z")],
        expires: Some((at("2026-12-03T10:00:00Z"), "the token ci\u{9b}".to_owned())),
        ..timeline()
    };
    let mut changes = failure(at("2026-11-23T08:00:00Z"), now());
    changes.pop();
    let failing = TimelineRow {
        integration: TargetRow {
            name: "mart\u{1b}".to_owned(),
            kind: "Trino".to_owned(),
            ..target()
        },
        status: Status::RecurringValidationError,
        changes,
        ..timeline()
    };
    let gone = TimelineRow {
        integration: TargetRow { name: "old".to_owned(), ..target() },
        status: Status::Deleted,
        otherwise: Some(Status::Deleted),
        ..timeline()
    };
    vec![recovered, failing, gone]
}

/// Report of the month that lasts.
pub(crate) fn monthly(rows: &[TimelineRow]) -> MonthlyReport<'_> {
    let month: Month = "2026-11".parse().unwrap();
    let span = month.span(&jiff::tz::TimeZone::UTC, now()).unwrap();
    MonthlyReport::new(month, "UTC", span, rows)
}
