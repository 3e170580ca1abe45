//! Time limits: how soon a fault must be reported, checked at the end of a plan, and rows that are
//! overdue.

use super::checker::{Checker, LATE_MAX_MS};
use super::faults::{Fault, Kind, SECOND};
use super::plan::{Action, Plan};
use super::time::Time;
use crate::domain::{Status, Timestamp};

/// Returns the lost permissions, each with true when it was reported within a period, its spread and the
/// run.
///
/// Only those count during which nothing disturbed the daemon and no run took long: others may have had
/// to wait. After a clock was set back, no run is repeated until the clock has caught up.
pub(super) fn lost_permissions(plan: &Plan, checker: &Checker) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    if plan.actions.iter().any(|(_, action)| matches!(action, Action::Set(_))) {
        return found;
    }
    for (number, own) in plan.faults.own.iter().enumerate() {
        for fault in own.iter().filter(|fault| fault.kind == Kind::LostPermission) {
            // Its schedule may have been changed.
            let periods = checker.tables[number].iter();
            let period = periods.map(|table| table.longest + table.spread_max()).max().unwrap();
            let run = plan.run_ms.1 * i64::try_from(plan.specs.len()).unwrap();
            let most = period + run + LATE_MAX_MS;
            let until = Timestamp(fault.from.0 + most);
            let is_watched = status_at(checker, number, fault.from) == Some(Status::Enabled)
                && until <= fault.to.min(plan.calm)
                && is_quiet(plan, checker, (fault.from, until));
            let flips = checker.flips.iter().filter(|flip| flip.number == number);
            let is_reported = |from: Timestamp| {
                let mut within = flips.filter(|flip| from <= flip.at && flip.at <= until);
                within.any(|flip| flip.to == Status::RecurringValidationError)
            };
            if is_watched {
                let what = format!("i{number} lost a permission at {}", fault.from);
                found.push((what, is_reported(fault.from)));
            }
        }
    }
    found
}

impl Checker {
    /// Checks rows that are due for longer than the daemon may be late, and not leased.
    pub(super) fn overdue(&mut self, ids: Vec<i64>, time: &Time) {
        let is_early =
            |(from, _): &(Timestamp, Timestamp)| time.now().0 < from.0 + LATE_MAX_MS + 30 * SECOND;
        if self.quiet.last().is_none_or(is_early) {
            return;
        }
        for id in ids {
            let Some(tracked) = self.tracked.get(&id) else { continue };
            let number = tracked.number;
            let has_room = self.inside.len() < self.limits.runs
                && self.at_host(self.specs[number].host) < self.limits.runs_per_host;
            if has_room && !self.inside.contains_key(&number) {
                let due = tracked.due;
                self.violated(format!("i{number} is due since {due:?} and not run"));
            }
        }
    }
}

fn status_at(checker: &Checker, number: usize, at: Timestamp) -> Option<Status> {
    let flips = checker.flips.iter().rev();
    flips.filter(|flip| flip.number == number).find(|flip| flip.at < at).map(|flip| flip.to)
}

fn is_quiet(plan: &Plan, checker: &Checker, (from, to): (Timestamp, Timestamp)) -> bool {
    let before = Timestamp(from.0 - 90 * SECOND);
    let takes_long = |fault: &&Fault| {
        matches!(fault.kind, Kind::Slow | Kind::Hang) && before <= fault.to && fault.from <= to
    };
    checker.quiet.iter().any(|(since, until)| *since < before && to < *until)
        && plan.faults.own.iter().flatten().find(takes_long).is_none()
}
