//! Sums over the timeline of an integration: the time in each kind of status, and its incidents.

use std::time::Duration;

use super::figures::{Figures, Share};
use super::month::Span;
use crate::domain::{Status, Timestamp};
use crate::store::{TimelineRow, TransitionRow};
use crate::view::time::millis;

/// Number of events, and the sum of the times until them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Times {
    count: u32,
    total: Duration,
}

impl Times {
    const fn add(&mut self, time: Duration) {
        self.count = self.count.saturating_add(1);
        self.total = self.total.saturating_add(time);
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            count: self.count.saturating_add(other.count),
            total: self.total.saturating_add(other.total),
        }
    }

    fn mean(self) -> Option<u64> {
        self.total.checked_div(self.count).map(millis)
    }
}

/// Sums over a time, of one integration or several.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Sum {
    in_use: Duration,
    enabled: Duration,
    failing: Duration,
    unknown: Duration,
    incidents: u32,
    open_at_start: u32,
    open_at_end: u32,
    recovered: u32,
    recoveries: Times,
    acknowledgements: Times,
}

impl Sum {
    /// Sums of one integration in the time of a report.
    pub(super) fn of(row: &TimelineRow, span: Span) -> Self {
        let mut sum = Self::default();
        sum.add_times(row, span);
        sum.add_incidents(row, span);
        sum
    }

    /// Returns true when it was in use in the time, or may have been.
    pub(super) const fn has_existed(&self) -> bool {
        !self.in_use.is_zero() || !self.unknown.is_zero()
    }

    /// Returns the sums of both.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            in_use: self.in_use + other.in_use,
            enabled: self.enabled + other.enabled,
            failing: self.failing + other.failing,
            unknown: self.unknown + other.unknown,
            incidents: self.incidents.saturating_add(other.incidents),
            open_at_start: self.open_at_start.saturating_add(other.open_at_start),
            open_at_end: self.open_at_end.saturating_add(other.open_at_end),
            recovered: self.recovered.saturating_add(other.recovered),
            recoveries: self.recoveries.plus(other.recoveries),
            acknowledgements: self.acknowledgements.plus(other.acknowledgements),
        }
    }

    /// Returns the figures that are shown.
    pub(super) fn figures(self) -> Figures {
        Figures {
            in_use_ms: millis(self.in_use),
            enabled_ms: millis(self.enabled),
            failing_ms: millis(self.failing),
            unknown_ms: millis(self.unknown),
            enabled_share: Share::of(self.enabled, self.in_use),
            incidents: self.incidents,
            open_at_start: self.open_at_start,
            open_at_end: self.open_at_end,
            recovered: self.recovered,
            mean_time_to_recover_ms: self.recoveries.mean(),
            acknowledged: self.acknowledgements.count,
            mean_time_to_acknowledge_ms: self.acknowledgements.mean(),
        }
    }

    /// Adds the time in each kind of status, from the instant on since which the history is whole.
    fn add_times(&mut self, row: &TimelineRow, span: Span) {
        let lost_at = row.lost_at.unwrap_or(row.created_at).max(row.created_at);
        let known_from = lost_at.clamp(span.from, span.until);
        let born_at = row.created_at.clamp(span.from, span.until);
        self.unknown += known_from.since(born_at);
        let mut at = known_from;
        let mut status = row.changes.first().map_or(row.otherwise, |first| first.from);
        for change in &row.changes {
            // A clock that was rolled back does not count a time twice.
            let next = change.at.clamp(at, span.until);
            self.add_time(status, next.since(at));
            (at, status) = (next, Some(change.to));
        }
        self.add_time(status, span.until.since(at));
    }

    fn add_time(&mut self, status: Option<Status>, time: Duration) {
        let Some(status) = status.filter(|status| status.is_in_use()) else { return };
        self.in_use += time;
        if status == Status::Enabled {
            self.enabled += time;
        } else if status.is_error() {
            self.failing += time;
        }
    }

    fn add_incidents(&mut self, row: &TimelineRow, span: Span) {
        let first = row.changes.first().map_or(row.otherwise, |first| first.from);
        let is_failing = first.is_some_and(Status::is_error);
        let mut open = is_failing.then_some(Incident { since: None });
        for change in &row.changes {
            if change.to.is_error() {
                open = open.or(Some(Incident { since: Some(change.at) }));
            } else if ends_incident(change)
                && let Some(incident) = open.take()
            {
                self.add_incident(incident, Some(change), span, row);
            }
        }
        if let Some(incident) = open {
            self.add_incident(incident, None, span, row);
        }
    }

    /// Adds an incident, with the change that ended it.
    fn add_incident(
        &mut self,
        incident: Incident,
        end: Option<&TransitionRow>,
        span: Span,
        row: &TimelineRow,
    ) {
        let one = |is: bool| u32::from(is);
        let has_begun_before = incident.since.is_none_or(|since| since < span.from);
        let ended_at = end.map(|end| end.at);
        if ended_at.is_some_and(|at| at < span.from) {
            return;
        }
        self.incidents += one(!has_begun_before);
        self.open_at_start += one(has_begun_before);
        self.open_at_end += one(ended_at.is_none());
        let has_recovered = end.is_some_and(|end| end.to == Status::Enabled);
        self.recovered += one(has_recovered);
        let Some(since) = incident.since else { return };
        if let Some(at) = ended_at.filter(|_| has_recovered) {
            self.recoveries.add(at.since(since));
        }
        let end = ended_at.unwrap_or(span.until);
        let first = row.acknowledged.iter().copied().find(|at| since <= *at && *at < end);
        if let Some(at) = first.filter(|at| span.from <= *at) {
            self.acknowledgements.add(at.since(since));
        }
    }
}

/// Incident of an integration; its beginning is not known when retention cut it.
#[derive(Clone, Copy, Debug)]
struct Incident {
    since: Option<Timestamp>,
}

/// Returns true for a change into a status in which no incident lasts.
const fn ends_incident(change: &TransitionRow) -> bool {
    match change.to {
        Status::Enabled | Status::Disabled | Status::Deleted => true,
        Status::CreateError
        | Status::Creating
        | Status::DeleteError
        | Status::Deleting
        | Status::EditError
        | Status::Editing
        | Status::MigrateError
        | Status::Migrating
        | Status::RecurringValidationError => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::timeline;

    const HOUR_MS: i64 = 3_600_000;

    /// Instant so many hours after the month began; it lasts 100.
    fn hour(number: i64) -> Timestamp {
        Timestamp(1000 * HOUR_MS + number * HOUR_MS)
    }

    fn span() -> Span {
        Span { from: hour(0), until: hour(100), is_over: true }
    }

    /// Returns a timeline from the hours of its changes; the first of them has this status before it.
    fn row(before: Option<Status>, changes: &[(i64, &str)]) -> TimelineRow {
        let mut row = timeline();
        row.created_at = hour(-500);
        let mut from = before;
        for (at, to) in changes {
            let to: Status = to.parse().unwrap();
            row.changes.push(TransitionRow {
                id: 0,
                from,
                to,
                cause: None,
                at: hour(*at),
                run: None,
                incident_id: None,
            });
            from = Some(to);
        }
        if before.is_none() {
            row.created_at = row.changes.first().map_or(hour(500), |first| first.at);
        }
        row.otherwise = before;
        row
    }

    /// Returns hours in use, enabled, failing and unknown; incidents that began, lasted at the start and at the
    /// end; recoveries and their mean; acknowledgements and their mean.
    fn shown(row: &TimelineRow) -> String {
        let figures = Sum::of(row, span()).figures();
        let hours = |millis: u64| millis / HOUR_MS.unsigned_abs();
        let mean = |millis: Option<u64>| millis.map_or("-".to_owned(), |at| hours(at).to_string());
        format!(
            "{} {} {} {} | {} {} {} | {} {} | {} {}",
            hours(figures.in_use_ms),
            hours(figures.enabled_ms),
            hours(figures.failing_ms),
            hours(figures.unknown_ms),
            figures.incidents,
            figures.open_at_start,
            figures.open_at_end,
            figures.recovered,
            mean(figures.mean_time_to_recover_ms),
            figures.acknowledged,
            mean(figures.mean_time_to_acknowledge_ms),
        )
    }

    const FAILED: &str = "recurringValidationError";

    /// Name of a case, status before the first change, hours of the changes, and the figures.
    type Case<'a> = (&'a str, Option<Status>, &'a [(i64, &'a str)], &'a str);

    const WORKS: Option<Status> = Some(Status::Enabled);

    const CASES: [Case<'_>; 14] = [
        ("unchanged", WORKS, &[], "100 100 0 0 | 0 0 0 | 0 - | 0 -"),
        ("new", None, &[(20, "creating"), (21, "enabled")], "80 79 0 0 | 0 0 0 | 0 - | 0 -"),
        (
            "failed before and recovered",
            WORKS,
            &[(-30, "enabled"), (-10, FAILED), (5, "enabled")],
            "100 95 5 0 | 0 1 0 | 1 15 | 0 -",
        ),
        (
            "failed before and recovered before",
            WORKS,
            &[(-30, FAILED), (-10, "enabled")],
            "100 100 0 0 | 0 0 0 | 0 - | 0 -",
        ),
        ("still failing", WORKS, &[(90, FAILED)], "100 90 10 0 | 1 0 1 | 0 - | 0 -"),
        ("failing all the time", WORKS, &[(-10, FAILED)], "100 0 100 0 | 0 1 1 | 0 - | 0 -"),
        (
            "two incidents",
            WORKS,
            &[(10, FAILED), (12, "enabled"), (20, FAILED), (26, "enabled")],
            "100 92 8 0 | 2 0 0 | 2 4 | 0 -",
        ),
        (
            "edited while it failed",
            WORKS,
            &[(10, FAILED), (20, "editing"), (21, "editError"), (30, "editing"), (31, "enabled")],
            "100 79 19 0 | 1 0 0 | 1 21 | 0 -",
        ),
        (
            "disabled while it failed",
            WORKS,
            &[(30, FAILED), (40, "disabled")],
            "40 30 10 0 | 1 0 0 | 0 - | 0 -",
        ),
        (
            "deleted, and back",
            WORKS,
            &[(50, "deleting"), (51, "deleted"), (80, "creating"), (81, "enabled")],
            "71 69 0 0 | 0 0 0 | 0 - | 0 -",
        ),
        ("disabled before", WORKS, &[(-5, "disabled")], "0 0 0 0 | 0 0 0 | 0 - | 0 -"),
        ("deleted before", Some(Status::Deleted), &[], "0 0 0 0 | 0 0 0 | 0 - | 0 -"),
        ("created later", None, &[], "0 0 0 0 | 0 0 0 | 0 - | 0 -"),
        (
            "clock rolled back",
            WORKS,
            &[(40, FAILED), (30, "enabled")],
            "100 100 0 0 | 1 0 0 | 1 0 | 0 -",
        ),
    ];

    #[test]
    fn times_and_incidents_follow_from_the_changes_of_status() {
        for (name, before, changes, expected) in CASES {
            assert_eq!(shown(&row(before, changes)), expected, "{name}");
        }
    }

    #[test]
    fn time_that_retention_cut_is_unknown_and_an_incident_from_it_has_no_duration() {
        let failed = Some(Status::RecurringValidationError);
        let cut = |at: i64, row| TimelineRow { lost_at: Some(hour(at)), ..row };
        let recovered = row(failed, &[(30, "enabled")]);
        let table = [
            ("before the month", -20, &recovered, "100 70 30 0 | 0 1 0 | 1 - | 0 -"),
            ("within it", 25, &recovered, "75 70 5 25 | 0 1 0 | 1 - | 0 -"),
            ("after it", 300, &row(failed, &[]), "0 0 0 100 | 0 1 1 | 0 - | 0 -"),
            (
                "of one that works",
                40,
                &row(Some(Status::Enabled), &[]),
                "60 60 0 40 | 0 0 0 | 0 - | 0 -",
            ),
            (
                "of one that is new",
                40,
                &row(None, &[(30, "creating")]),
                "60 0 0 10 | 0 0 0 | 0 - | 0 -",
            ),
        ];
        for (name, at, row, expected) in table {
            assert_eq!(shown(&cut(at, row.clone())), expected, "{name}");
        }
    }

    #[test]
    fn first_acknowledgement_of_an_incident_counts_in_its_month() {
        let enabled = Some(Status::Enabled);
        let one = row(enabled, &[(10, FAILED), (20, "enabled"), (50, FAILED)]);
        let before = row(enabled, &[(-10, FAILED)]);
        let table: [(&TimelineRow, &[i64], &str); 6] = [
            (&one, &[12, 14], "1 2"),
            (&one, &[5, 25], "0 -"),
            (&one, &[12, 56], "2 4"),
            (&one, &[10, 20], "1 0"),
            (&before, &[6], "1 16"),
            (&before, &[-2, 6], "0 -"),
        ];
        for (row, hours, expected) in table {
            let acknowledged = hours.iter().map(|at| hour(*at)).collect();
            let row = TimelineRow { acknowledged, ..row.clone() };
            assert!(shown(&row).ends_with(&format!("| {expected}")), "{hours:?}: {}", shown(&row));
        }
    }
}
