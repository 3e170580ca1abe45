//! Payload of events about one integration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Links;
use crate::domain::{
    About, Class, Drift, ReportStatus, Status, Timestamp, UnknownName, ValidationResults, Weighed,
};

/// Reason for the end of an incident.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    PartialEq,
    Serialize,
    strum::IntoStaticStr,
    strum::EnumString,
)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(crate) enum EndedBy {
    /// The integration passes again.
    Passed,
    /// The configuration disables the integration.
    Disabled,
    /// The configuration no longer has the integration.
    Removed,
    /// The integration has another name from now on.
    Renamed,
}

/// Payload of an event about one integration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct EventData {
    /// Version of this shape, which is only extended.
    pub(crate) schema_version: u32,
    /// Random id of the store, renewed when the store is restored from a copy.
    pub(crate) epoch: String,
    /// Number of this event among those of the integration, from 1 without gaps. A status change and a
    /// reminder repeat the latest number.
    pub(crate) sequence: i64,
    /// Number of this status change among those of the integration, from 1 without gaps; only in
    /// `integration.status.changed`.
    pub(crate) transition: Option<i64>,
    /// Number of this reminder within the incident, from 1; only in
    /// `integration.validation.reminder`.
    pub(crate) reminder: Option<i64>,
    /// Id of the incident, the same from its first failure to its end.
    pub(crate) incident_id: Option<String>,
    /// Integration that the event is about.
    pub(crate) integration: IntegrationRef,
    /// Status after the event.
    pub(crate) status: Status,
    /// Status before the event.
    pub(crate) previous_status: Option<Status>,
    /// Latest results, exactly as published.
    pub(crate) validation_results: Option<ValidationResults>,
    /// Tests whose result differs: at a failure from the latest passing run, at a recovery from the
    /// latest failed one, otherwise from the run before.
    #[serde(default)]
    #[cfg_attr(test, schemars(!default))]
    pub(crate) changes: Vec<Change>,
    /// Facts that differ from the last passing run, as far as a failing run could compare them: a hint
    /// at the cause.
    #[serde(default)]
    #[cfg_attr(test, schemars(!default))]
    pub(crate) drift: Vec<Drift>,
    /// Run that caused the event, if one did.
    pub(crate) run: Option<RunRef>,
    /// Verdict on that run: the rule, and the evidence that it rests on.
    pub(crate) verdict: Option<VerdictNotice>,
    /// Instant at which the open or just closed incident began.
    pub(crate) failing_since: Option<Timestamp>,
    /// Duration of the incident, at its end.
    pub(crate) outage_ms: Option<i64>,
    /// Reason for the end of the incident: unless it is `passed`, the integration is no longer watched
    /// under this name; only in `integration.validation.recovered`.
    pub(crate) ended_by: Option<EndedBy>,
    /// Id of the outage that the failure belongs to.
    pub(crate) group: Option<String>,
    /// Links to the page, where the daemon's configuration names its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) links: Option<Links>,
}

/// Integration as events name it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct IntegrationRef {
    /// Id of the integration.
    pub(crate) id: i64,
    /// Name in the configuration.
    pub(crate) name: String,
    /// Published name of the platform.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Labels of the integration.
    pub(crate) labels: BTreeMap<String, String>,
}

impl IntegrationRef {
    /// Returns what selections look at.
    pub(crate) const fn about(&self) -> About<'_> {
        About { name: self.name.as_str(), kind: self.kind.as_str(), labels: &self.labels }
    }
}

/// Run as events name it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RunRef {
    /// Id of the run.
    pub(crate) id: i64,
    /// Cause of the run: `schedule`, `confirm`, `startup`, `change` or `request`.
    pub(crate) trigger: String,
    /// Instant at which the run began.
    pub(crate) started_at: Timestamp,
    /// Duration of the run.
    pub(crate) duration_ms: i64,
}

/// Verdict as events have it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct VerdictNotice {
    /// Rule that made the verdict, as a sentence for people.
    pub(crate) rule: String,
    /// Looks that it rests on, oldest first.
    pub(crate) evidence: Vec<Weighed>,
}

/// Test whose result differs from an earlier run.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Change {
    /// Name of the test.
    pub(crate) test: String,
    /// Result before, if there was one.
    pub(crate) from: Option<ReportStatus>,
    /// Result after the event.
    pub(crate) to: ReportStatus,
    /// Reason of the result.
    pub(crate) message: Option<String>,
    /// Class of the failure, which decides whether a retry can help.
    pub(crate) class: Option<Class>,
    /// Grant, role or setting that fixes it.
    pub(crate) remediation: Option<String>,
}
