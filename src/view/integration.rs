//! Integration as the published interface shows it, with an extension under one extra key.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::notifications::Notifications;
use super::run::{Run, results};
use super::situation::Situation;
use crate::domain::{Counters, Status, Timestamp, ValidationResults};
use crate::store::IntegrationRow;

/// Integration as published, with the extension under `revalidated`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_bootstrap: Option<bool>,
    status: Status,
    validation_results: Option<ValidationResults>,
    config: Json,
    revalidated: Extension<'a>,
}

/// Extension: members that the published interface does not have.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Extension<'a> {
    labels: &'a BTreeMap<String, String>,
    schedule: &'a str,
    zone: &'a str,
    next_run_at: Option<Timestamp>,
    last_run: Option<Run<'a>>,
    incident_id: Option<&'a str>,
    failing_since: Option<Timestamp>,
    consecutive: Consecutive,
    sequence: i64,
    expires: Option<Expires<'a>>,
    last_passed_at: Option<Timestamp>,
    notifications: Notifications<'a>,
}

/// Next expiry of a credential or certificate.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Expires<'a> {
    at: Timestamp,
    what: &'a str,
}

/// Numbers of consecutive failing and passing runs, one of which is zero.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Consecutive {
    failures: u32,
    passes: u32,
}

impl From<Counters> for Consecutive {
    fn from(counters: Counters) -> Self {
        Self { failures: counters.failures, passes: counters.passes }
    }
}

impl<'a> From<&'a IntegrationRow> for Integration<'a> {
    fn from(row: &'a IntegrationRow) -> Self {
        Self {
            id: row.id.0,
            name: &row.name,
            kind: &row.kind,
            auto_bootstrap: row.auto_bootstrap,
            status: row.status,
            validation_results: row.last_run.as_ref().map(results),
            config: config(row),
            revalidated: Extension {
                labels: &row.labels,
                schedule: &row.cron,
                zone: &row.zone,
                next_run_at: row.next_run_at,
                last_run: row.last_run.as_ref().map(Run::from),
                incident_id: row.incident_id.as_deref(),
                failing_since: row.failing_since,
                consecutive: row.counters.into(),
                sequence: row.sequence,
                expires: row.expires.as_ref().map(|(at, what)| Expires { at: *at, what }),
                last_passed_at: row.fingerprint_at,
                notifications: row.into(),
            },
        }
    }
}

impl<'a> Integration<'a> {
    /// Integration with the parts that are not in its row.
    pub(crate) fn with(row: &'a IntegrationRow, situation: &'a Situation, now: Timestamp) -> Self {
        let mut shown = Self::from(row);
        shown.revalidated.notifications = Notifications::of(row, situation, now);
        shown
    }
}

/// Returns the configuration with its secrets replaced.
pub(crate) fn config(row: &IntegrationRow) -> Json {
    serde_json::from_str(&row.config_shown).unwrap_or(Json::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn the_published_object_has_one_key_more_and_keeps_its_order() {
        let row = samples::integration();
        let text = serde_json::to_string_pretty(&Integration::from(&row)).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap();
        let mut expected = [
            "id",
            "name",
            "type",
            "autoBootstrap",
            "status",
            "validationResults",
            "config",
            "revalidated",
        ];
        let position = |key: &&str| text.find(&format!("\n  \"{key}\":")).unwrap();
        assert!(expected.is_sorted_by_key(position), "{text}");
        expected.sort_unstable();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!(json["validationResults"]["validationTests"][1]["status"], "failed");
        assert_eq!(json["config"]["okta"]["password"], "[REDACTED]");
    }

    #[test]
    fn the_extension_has_its_documented_members() {
        let (row, situation) = samples::troubled();
        let now = samples::now();
        let json = serde_json::to_value(Integration::with(&row, &situation, now)).unwrap();
        let extension = &json["revalidated"];
        assert_eq!(extension["lastRun"]["class"], "unreachable");
        assert_eq!(extension["lastRun"]["trigger"], "confirm");
        assert_eq!(extension["failingSince"], "2026-11-23T08:00:00Z");
        assert_eq!(extension["consecutive"], serde_json::json!({ "failures": 3, "passes": 0 }));
        assert_eq!(extension["notifications"]["factors"][0]["others"], 3);
        let keys: std::collections::BTreeSet<_> = extension.as_object().unwrap().keys().collect();
        let expected = [
            "consecutive",
            "expires",
            "failingSince",
            "incidentId",
            "labels",
            "lastPassedAt",
            "lastRun",
            "nextRunAt",
            "notifications",
            "schedule",
            "sequence",
            "zone",
        ];
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_integration_without_a_run_has_no_results() {
        let mut row = samples::integration();
        row.last_run = None;
        row.auto_bootstrap = None;
        let json = serde_json::to_value(Integration::from(&row)).unwrap();
        assert_eq!(json["validationResults"], Json::Null);
        assert!(json.get("autoBootstrap").is_none());
    }
}
