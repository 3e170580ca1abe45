//! Payload of the events about one integration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{About, Class, Drift, ReportStatus, Status, Timestamp, ValidationResults};

/// The payload of an event about one integration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    #[serde(default)]
    #[cfg_attr(test, schemars(!default))]
    pub(crate) changes: Vec<Change>,
    /// What a failing run saw otherwise than the last passing one, of what it got to look at: a hint
    /// at the cause.
    #[serde(default)]
    #[cfg_attr(test, schemars(!default))]
    pub(crate) drift: Vec<Drift>,
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
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

impl IntegrationRef {
    /// Returns what selections look at.
    pub(crate) const fn about(&self) -> About<'_> {
        About { name: self.name.as_str(), kind: self.kind.as_str(), labels: &self.labels }
    }
}

/// How an event names its run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Change {
    /// Which test.
    pub(crate) test: String,
    /// Its result before, if it had one.
    pub(crate) from: Option<ReportStatus>,
    /// Its result now.
    pub(crate) to: ReportStatus,
    /// Why.
    pub(crate) message: Option<String>,
    /// Whether trying again can help.
    pub(crate) class: Option<Class>,
    /// How to mend it.
    pub(crate) remediation: Option<String>,
}
