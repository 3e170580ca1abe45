//! What receivers are told, as types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Class, Report, Status, Timestamp, Transition, UnknownName, ValidationResults};

/// The version of the body's shape; a shape once published stays.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What kind of thing a receiver is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum EventType {
    /// `enabled` to `recurringValidationError`.
    ValidationFailed,
    /// Back to `enabled`, closing an incident.
    ValidationRecovered,
    /// Every other transition.
    StatusChanged,
    /// The warnings changed while the status stays.
    ValidationWarning,
}

impl EventType {
    /// Every type.
    pub(crate) const ALL: [Self; 4] = [
        Self::ValidationFailed,
        Self::ValidationRecovered,
        Self::StatusChanged,
        Self::ValidationWarning,
    ];

    /// The name on the wire and in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "integration.validation.failed",
            Self::ValidationRecovered => "integration.validation.recovered",
            Self::StatusChanged => "integration.status.changed",
            Self::ValidationWarning => "integration.validation.warning",
        }
    }

    /// The type of the event that tells of `transition`, given whether an incident is open.
    #[must_use]
    pub(crate) fn of(transition: Transition, incident_open: bool) -> Self {
        match (transition.to, incident_open) {
            (Status::RecurringValidationError, _) => Self::ValidationFailed,
            (Status::Enabled, true) => Self::ValidationRecovered,
            _ => Self::StatusChanged,
        }
    }
}

impl std::str::FromStr for EventType {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownName(name.to_owned()))
    }
}

/// A receiver's name with the event types it wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Subscription {
    /// Which receiver.
    pub(crate) receiver: String,
    /// Event types, or prefixes that end in `*`.
    pub(crate) events: Vec<String>,
}

impl Subscription {
    /// True when the receiver is to be told of `kind`.
    #[must_use]
    pub(crate) fn wants(&self, kind: EventType) -> bool {
        self.events.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => kind.as_str().starts_with(prefix),
            None => kind.as_str() == pattern,
        })
    }
}

/// The body of a webhook, format `standard`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Event {
    /// What happened.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// When it happened.
    pub(crate) timestamp: Timestamp,
    /// The rest.
    pub(crate) data: EventData,
}

/// The payload of an event about one integration.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventData {
    /// Version of this shape.
    pub(crate) schema_version: u32,
    /// The store's random id, renewed when it is restored from a copy.
    pub(crate) epoch: String,
    /// Counts this integration's events without gaps, from 1.
    pub(crate) sequence: i64,
    /// The same for a failure and its recovery.
    pub(crate) incident_id: Option<String>,
    /// Which integration.
    pub(crate) integration: IntegrationRef,
    /// Status now.
    pub(crate) status: Status,
    /// Status before.
    pub(crate) previous_status: Option<Status>,
    /// The latest results, exactly as published.
    pub(crate) validation_results: Option<ValidationResults>,
    /// What differs, per test: at a failure from the latest good run, at a recovery from the latest
    /// failed one, otherwise from the run before.
    pub(crate) changes: Vec<Change>,
    /// The run that caused this, if one did.
    pub(crate) run: Option<RunRef>,
    /// When the open or just closed incident began.
    pub(crate) failing_since: Option<Timestamp>,
    /// How long it lasted, on recovery.
    pub(crate) outage_ms: Option<i64>,
    /// The shared cause it belongs to.
    pub(crate) group: Option<String>,
}

/// How an event names its integration.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct IntegrationRef {
    /// Its id.
    pub(crate) id: i64,
    /// Its name in the configuration.
    pub(crate) name: String,
    /// Its platform's published name.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
}

/// How an event names its run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunRef {
    /// Its id.
    pub(crate) id: i64,
    /// `schedule`, `confirm`, `startup` or `change`.
    pub(crate) trigger: String,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// How long it took.
    pub(crate) duration_ms: i64,
}

/// One test whose result differs from the run before.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Change {
    /// Which test.
    pub(crate) test: String,
    /// Its result before, if it had one.
    pub(crate) from: Option<super::ReportStatus>,
    /// Its result now.
    pub(crate) to: super::ReportStatus,
    /// Why.
    pub(crate) message: Option<String>,
    /// Whether trying again can help.
    pub(crate) class: Option<Class>,
    /// How to mend it.
    pub(crate) remediation: Option<String>,
}

/// What differs between the results of the run before and `report`, test by test.
#[must_use]
pub(crate) fn changes(before: Option<&ValidationResults>, report: &Report) -> Vec<Change> {
    let earlier = |name: &str| {
        let tests = &before?.validation_tests;
        tests.iter().find(|test| test.name == name).map(|test| test.status)
    };
    let differs = report.tests.iter().filter_map(|result| {
        let (from, to) = (earlier(result.test.name), result.outcome.status());
        let finding = result.outcome.finding();
        (from != Some(to)).then(|| Change {
            test: result.test.name.to_owned(),
            from,
            to,
            message: result.outcome.message().map(str::to_owned),
            class: finding.map(|finding| finding.class),
            remediation: finding.and_then(|finding| finding.remediation.clone()),
        })
    });
    differs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, Finding, Outcome, Test, TestResult};

    #[test]
    fn the_readme_tells_every_type() {
        let readme = include_str!("../../README.md");
        for kind in EventType::ALL {
            assert!(readme.contains(&format!("\n| `{}` | ", kind.as_str())), "{kind:?}");
        }
    }

    #[test]
    fn subscriptions_match_names_and_prefixes() {
        let wants = |patterns: &[&str], kind| {
            let events = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            Subscription { receiver: "r".to_owned(), events }.wants(kind)
        };
        assert!(wants(&["integration.*"], EventType::StatusChanged));
        assert!(wants(&["*"], EventType::ValidationFailed));
        assert!(wants(&["integration.validation.failed"], EventType::ValidationFailed));
        assert!(!wants(&["integration.validation.failed"], EventType::ValidationRecovered));
        assert!(!wants(&[], EventType::ValidationFailed));
    }

    #[test]
    fn a_return_to_enabled_is_a_recovery_only_out_of_an_incident() {
        let to = |to| Transition { from: Status::Editing, to, cause: Cause::CandidatePassed };
        assert_eq!(EventType::of(to(Status::Enabled), true), EventType::ValidationRecovered);
        assert_eq!(EventType::of(to(Status::Enabled), false), EventType::StatusChanged);
        let failed = EventType::of(to(Status::RecurringValidationError), false);
        assert_eq!(failed, EventType::ValidationFailed);
    }

    #[test]
    fn changes_name_what_differs_from_the_run_before() {
        let (one, two) = (Test::always("one", ""), Test::always("two", ""));
        let passed = |test| TestResult { test, outcome: Outcome::Passed(None) };
        let good = Report { tests: vec![passed(one), passed(two)] };
        let finding = Finding::new(Class::Denied, "no").mend("GRANT it");
        let bad = Report {
            tests: vec![passed(one), TestResult { test: two, outcome: Outcome::Failed(finding) }],
        };
        let found = changes(Some(&ValidationResults::from(&good)), &bad);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].test.as_str(), found[0].class), ("two", Some(Class::Denied)));
        assert_eq!(changes(None, &good).len(), 2);
        assert_eq!(changes(Some(&ValidationResults::from(&bad)), &bad), []);
    }
}
