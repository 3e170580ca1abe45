//! Explanation of a status and of the next run.

use std::time::Duration;

use serde::Serialize;

use super::evidence::Evidence;
use super::integration::{Candidate, Consecutive, failing_since};
use super::notifications::{DaemonFault, Notifications};
use super::run::Run;
use super::situation::{Configured, Situation};
use super::time::{Instant, instants};
use crate::domain::{Policy, ReportStatus, SPREAD_MAX, Schedule, Status, Timestamp, duration_text};
use crate::store::{IntegrationRow, OwnFaultRow, Page, RunRow, StoreError, Trigger, View};

/// Number of the latest runs that are shown.
const RUNS: u32 = 10;
/// Number of upcoming instants that are shown.
pub(crate) const INSTANTS: usize = 5;

/// Evidence for an explanation.
#[derive(Debug)]
pub(crate) struct Explanation {
    /// Integration that is explained.
    pub(crate) row: IntegrationRow,
    /// Latest runs, newest first.
    pub(crate) runs: Vec<RunRow>,
    /// Mutes, outage and shared factors.
    pub(crate) situation: Situation,
    /// Faults on the daemon's own side.
    pub(crate) faults: Vec<OwnFaultRow>,
    /// Schedule; none when the stored expression or zone is no longer understood.
    pub(crate) schedule: Option<Schedule>,
}

/// Explanation as programs get it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained<'a> {
    name: &'a str,
    status: Status,
    failing_since: Option<Timestamp>,
    consecutive: Consecutive,
    rule: Option<&'a str>,
    evidence: Evidence,
    candidate: Option<Candidate<'a>>,
    candidate_evidence: Option<Evidence>,
    last_passed_at: Option<Timestamp>,
    runs: Vec<Run<'a>>,
    notifications: Notifications<'a>,
    daemon_faults: Vec<DaemonFault<'a>>,
    next_run_at: Option<Timestamp>,
    next_run_reason: String,
    schedule: &'a str,
    zone: &'a str,
    upcoming: Vec<Instant>,
}

impl Explanation {
    /// Reads the evidence about `row` from the store, completed by the configuration.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(
        view: &View,
        row: IntegrationRow,
        configured: &Configured<'_>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let situation = Situation::read(view, &row, configured, now).await?;
        let faults = view.own_faults().await?;
        let runs = view.runs(row.id, Page::first(RUNS)).await?.rows;
        let schedule = Schedule::parse(&row.cron, &row.zone).ok();
        Ok(Self { row, runs, situation, faults, schedule })
    }

    /// Explanation as programs get it.
    pub(crate) fn shown(&self, now: Timestamp) -> Explained<'_> {
        Explained {
            name: &self.row.name,
            status: self.row.status,
            failing_since: failing_since(&self.row),
            consecutive: self.row.evidence.counters.into(),
            rule: self.row.last_run.as_ref().map(|run| run.rule.as_str()),
            evidence: self.evidence(),
            candidate: self.row.candidate.as_ref().map(Candidate::from),
            candidate_evidence: self.candidate_evidence(),
            last_passed_at: self.row.fingerprint_at,
            runs: self.runs.iter().map(Run::from).collect(),
            notifications: Notifications::of(&self.row, &self.situation, now),
            daemon_faults: self.faults.iter().map(DaemonFault::from).collect(),
            next_run_at: self.row.next_run_at,
            next_run_reason: self.reason(now),
            schedule: &self.row.cron,
            zone: &self.row.zone,
            upcoming: self.upcoming(now),
        }
    }

    /// Returns the evidence about the configuration in force, or about the only one.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence::of(&self.row.evidence, &self.policy())
    }

    /// Returns the evidence about the new configuration beside the one in force.
    pub(crate) fn candidate_evidence(&self) -> Option<Evidence> {
        let candidate = self.row.candidate.as_ref()?;
        Some(Evidence::of(&candidate.evidence, &self.policy()))
    }

    /// Returns the policy in the configuration; without one, the default.
    fn policy(&self) -> Policy {
        self.situation.policy.unwrap_or_default()
    }

    /// Returns the next instants at which it is due, spread included.
    pub(crate) fn upcoming(&self, now: Timestamp) -> Vec<Instant> {
        let (id, idle) = (self.row.id, !self.row.status.is_validated());
        let Some(schedule) = self.schedule.as_ref().filter(|_| !idle) else { return Vec::new() };
        let due = instants(now, |after| schedule.next_due(id, after)).take(INSTANTS);
        due.map(|utc| Instant::new(schedule, utc)).collect()
    }

    /// Returns true when more runs are needed before the last one decides about the status.
    fn is_open(&self, last: &RunRow) -> bool {
        match last.status {
            ReportStatus::Failed => self.evidence().missing != 0,
            ReportStatus::Passed | ReportStatus::Warning => self.row.status != Status::Enabled,
            ReportStatus::Skipped => true,
        }
    }

    /// Returns the reason for the instant of the next run, as a sentence.
    pub(crate) fn reason(&self, now: Timestamp) -> String {
        let row = &self.row;
        if !row.status.is_validated() {
            return format!("Nothing runs while it is {}.", row.status);
        }
        if let Some(until) = row.lease_until.filter(|until| now < *until) {
            return format!("A run is under way; it has until {until}.");
        }
        let (Some(at), Some(schedule)) = (row.next_run_at, &self.schedule) else {
            return "No run is planned.".to_owned();
        };
        if row.trigger == Trigger::Request {
            return "A person asked for it; it begins as soon as it can.".to_owned();
        }
        let Some(last) = self.runs.first() else {
            return "It runs for the first time as soon as it can.".to_owned();
        };
        let ended = last.started_at.plus(last.duration);
        let cron = format!("`{}` in {}", schedule.text(), schedule.zone());
        if schedule.next_due(row.id, ended) == Some(at)
            || schedule.next_due(row.id, Timestamp(at.0.saturating_sub(1))) == Some(at)
        {
            let spread = spread(schedule, at).map(|wait| {
                let wait = duration_text(wait);
                format!(", {wait} later so that integrations do not all start at once")
            });
            return format!("Its schedule: {cron}{}.", spread.unwrap_or_default());
        }
        if self.is_open(last) {
            let (wait, rule) = (duration_text(at.since(ended)), &last.rule);
            return format!("To confirm, {wait} after a run that was not conclusive: {rule}.");
        }
        format!("Out of turn, because something changed; its schedule is {cron}.")
    }
}

/// Returns the time from an instant of the schedule to `at`; none when it is one itself.
fn spread(schedule: &Schedule, at: Timestamp) -> Option<Duration> {
    let from = at.minus(SPREAD_MAX);
    let before = instants(from, |after| schedule.next_after(after)).take_while(|one| *one <= at);
    before.last().map(|base| at.since(base)).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples::{self, explanation, now};

    #[test]
    fn each_reason_of_the_next_run_is_a_sentence() {
        let now = now();
        let mut explained = explanation();
        let due = explained.schedule.as_ref().unwrap().next_due(explained.row.id, now).unwrap();
        let reason = |explained: &Explanation| explained.reason(now);

        explained.row.evidence.looks.truncate(2);
        let confirming = reason(&explained);
        let expected = "To confirm, 8m 19s after a run that was not conclusive: a transient";
        assert!(confirming.starts_with(expected), "{confirming}");

        explained.row.next_run_at = Some(due);
        let scheduled = reason(&explained);
        let start = "Its schedule: `*/15 * * * *` in Europe/Berlin, ";
        assert!(scheduled.starts_with(start), "{scheduled}");
        assert!(scheduled.ends_with(" later so that integrations do not all start at once."));

        explained.runs[0].status = ReportStatus::Passed;
        explained.runs[0].class = None;
        explained.row.next_run_at = Some(now);
        assert!(reason(&explained).starts_with("To confirm, "), "a recovery that needs more runs");
        explained.row.status = Status::Enabled;
        assert!(reason(&explained).starts_with("Out of turn, because something changed"));

        explained.row.trigger = Trigger::Request;
        assert_eq!(reason(&explained), "A person asked for it; it begins as soon as it can.");
        explained.row.lease_until = Some(now.plus(Duration::from_secs(9)));
        let running = "A run is under way; it has until 2026-11-23T10:00:09Z.";
        assert_eq!(reason(&explained), running);

        explained.row.status = Status::Disabled;
        assert_eq!(reason(&explained), "Nothing runs while it is disabled.");
        assert!(explained.upcoming(now).is_empty());
    }

    #[test]
    fn the_explanation_shows_rule_runs_and_upcoming_instants() {
        let explanation = explanation();
        let json = serde_json::to_value(explanation.shown(now())).unwrap();
        assert_eq!(json["rule"], "a transient failure \u{9b}");
        assert_eq!(json["consecutive"]["failures"], 3);
        assert_eq!(json["evidence"]["weight"], 100);
        assert_eq!(json["evidence"]["looks"][3]["siblings"]["failing"], 3);
        assert_eq!(json["runs"][0]["class"], "unreachable");
        assert_eq!(json["runs"][0]["configuration"], "active");
        assert_eq!(json["runs"][0]["drift"][0]["gained"], serde_json::json!(["1.3"]));
        assert_eq!(json["lastPassedAt"], "2026-11-23T07:45:00Z");
        assert_eq!(json["upcoming"].as_array().unwrap().len(), INSTANTS);
        let schedule = explanation.schedule.as_ref().unwrap();
        let due = schedule.next_due(explanation.row.id, now()).unwrap();
        assert_eq!(json["upcoming"][0]["utc"], due.to_string());
        assert_eq!(json["upcoming"][0]["local"], schedule.local(due));
        assert_eq!(json["upcoming"][4]["utc"], due.plus(Duration::from_hours(1)).to_string());
    }

    #[test]
    fn mutes_and_daemon_faults_are_shown_beside_the_rule() {
        let mut explanation = explanation();
        (explanation.row, explanation.situation) = samples::troubled();
        explanation.situation.mutes.remove(0);
        explanation.faults = samples::faults().into();
        let json = serde_json::to_value(explanation.shown(now())).unwrap();
        assert_eq!(json["notifications"]["muted"]["by"], "silence 3");
        assert_eq!(json["notifications"]["activeMutes"][0]["by"], "flapping");
        assert_eq!(json["daemonFaults"][0]["fault"], "network");
    }

    #[test]
    fn the_spread_lies_between_the_schedule_and_the_run() {
        let schedule = Schedule::parse("0 * * * *", "UTC").unwrap();
        let at = samples::at("2026-11-23T10:02:30Z");
        assert_eq!(spread(&schedule, at), Some(Duration::from_secs(150)));
        assert_eq!(spread(&schedule, samples::at("2026-11-23T10:00:00Z")), None);
    }
}
