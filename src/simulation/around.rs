//! Circumstances of runs: the others on a host, changes of status, and the plan for the next run.

use super::checker::Checker;
use super::expected::Tracked;
use super::faults::{HOUR, MINUTE, SECOND};
use super::judge::{self, Ask};
use super::rules;
use super::time::Time;
use crate::domain::{Subject, Timestamp};

impl Checker {
    /// Returns the circumstances of a run: how often the status has changed, and the others on its host.
    pub(super) fn around(&self, integration: i64, run: &rules::Run<'_>) -> judge::Around {
        let tracked = &self.tracked[&integration];
        let spec = &self.specs[tracked.number];
        let span = i64::try_from(spec.policy.flap_window.as_millis()).unwrap();
        let is_active = run.subject == Subject::Active;
        let is_unsteady = is_active && tracked.row.is_unsteady(run.started, span);
        let flips = tracked
            .status
            .and_then(|status| rules::step(Subject::Active, status, tracked.pending, false));
        let siblings = flips.filter(|_| is_active).and_then(|_| self.siblings(integration, run));
        judge::Around { is_unsteady, siblings }
    }

    /// Returns the number of others on the host that fail, when few have passed since the first of them did.
    fn siblings(&self, integration: i64, run: &rules::Run<'_>) -> Option<usize> {
        let own = &self.tracked[&integration];
        let oldest = run.started.0 - HOUR;
        let others = || {
            let here = |one: &Tracked| self.specs[one.number].host == self.specs[own.number].host;
            let others = self.tracked.iter().filter(|(id, _)| **id != integration);
            others.map(|(_, one)| one).filter(move |one| here(one))
        };
        let failing = others().filter_map(|one| {
            let (since, class) = one.row.suspect.as_ref()?;
            let silent = matches!(class.as_str(), "unreachable" | "unavailable");
            let used = matches!(one.row.status.as_str(), "enabled" | "recurringValidationError");
            (silent && used && oldest <= *since).then_some(*since)
        });
        let failing: Vec<_> = failing.collect();
        let since =
            failing.iter().copied().fold(own.in_force.judge.silent_since(run.started).0, i64::min);
        let since = Timestamp(since.max(oldest));
        let passed = |one: &&Tracked| {
            let latest = one.in_force.latest;
            one.row.suspect.is_none() && latest.is_some_and(|(at, good)| good && since <= at)
        };
        let passing = others().filter(passed).count();
        let all = failing.len() + 1;
        (3 <= all && 2 * passing <= all).then_some(failing.len())
    }

    /// Checks the plan for the next run of an integration.
    pub(super) fn planned(
        &mut self,
        id: i64,
        former: Option<Timestamp>,
        trigger: &str,
        time: &Time,
    ) {
        let tracked = &self.tracked[&id];
        let number = tracked.number;
        let (Some(due), false) = (tracked.due, time.now().0 < time.set_at.0 + 5 * SECOND) else {
            return;
        };
        let mut asks = vec![tracked.in_force.judge.ask, tracked.candidate.judge.ask];
        // A member of an outage that ends is looked at again until it is closed.
        let fails = tracked.row.status == "recurringValidationError";
        asks.push(fails.then_some(Ask::After(2 * MINUTE)));
        let plan = rules::Planned {
            former,
            due,
            wall: time.wall(),
            was_set: !time.is_true(),
            tables: &self.tables[number],
            asks: &asks.into_iter().flatten().collect::<Vec<Ask>>(),
        };
        if let Err(why) = plan.fits(trigger) {
            self.violated(format!("i{number} is due at {due} ({trigger}): {why}"));
        }
    }
}
