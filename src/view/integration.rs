//! Integration as the published interface shows it, with an extension under one extra key.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::notifications::Notifications;
use super::run::{Run, results};
use super::situation::Situation;
use crate::domain::{Counters, Status, Timestamp, ValidationResults};
use crate::store::{CandidateRow, IntegrationRow, SilenceRow};

/// Integration as published, with the extension under `revalidated`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration<'a> {
    #[serde(flatten)]
    published: Published<'a>,
    revalidated: Extension<'a>,
}

/// Integration with the members of the published interface, and with its name.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Published<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_bootstrap: Option<bool>,
    status: Status,
    validation_results: Option<ValidationResults>,
    config: Json,
}

/// Status of an integration, with the results that led to it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct PublishedStatus {
    id: i64,
    status: Status,
    validation_results: Option<ValidationResults>,
}

impl From<&IntegrationRow> for PublishedStatus {
    fn from(row: &IntegrationRow) -> Self {
        let validation_results = row.last_run.as_ref().map(results);
        Self { id: row.id.0, status: row.status, validation_results }
    }
}

impl<'a> From<&'a IntegrationRow> for Published<'a> {
    fn from(row: &'a IntegrationRow) -> Self {
        Self {
            id: row.id.0,
            name: &row.name,
            kind: &row.kind,
            auto_bootstrap: row.auto_bootstrap,
            status: row.status,
            validation_results: row.last_run.as_ref().map(results),
            config: config(row),
        }
    }
}

/// Extension: members that the published interface does not have.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Extension<'a> {
    labels: &'a BTreeMap<String, String>,
    in_use: bool,
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
    acknowledgement: Option<Acknowledgement<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate: Option<Candidate<'a>>,
}

/// Acknowledgement of a failure: a person works on it, and messages wait.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Acknowledgement<'a> {
    id: i64,
    author: &'a str,
    comment: &'a str,
    since: Timestamp,
    until: Timestamp,
}

impl<'a> From<&'a SilenceRow> for Acknowledgement<'a> {
    fn from(row: &'a SilenceRow) -> Self {
        let SilenceRow { id, author, comment, from, until, .. } = row;
        Self { id: *id, author, comment, since: *from, until: *until }
    }
}

/// New configuration, which comes into force when it passes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    config: Json,
    validation_results: Option<ValidationResults>,
    failing_since: Option<Timestamp>,
    consecutive: Consecutive,
    last_run: Option<Run<'a>>,
}

impl<'a> From<&'a CandidateRow> for Candidate<'a> {
    fn from(row: &'a CandidateRow) -> Self {
        Self {
            config: parsed(&row.config_shown),
            validation_results: row.last_run.as_ref().map(results),
            failing_since: row.failing_since,
            consecutive: row.evidence.counters.into(),
            last_run: row.last_run.as_ref().map(Run::from),
        }
    }
}

/// Next expiry of a credential or certificate.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Expires<'a> {
    at: Timestamp,
    what: &'a str,
}

impl<'a> From<&'a (Timestamp, String)> for Expires<'a> {
    fn from(end: &'a (Timestamp, String)) -> Self {
        Self { at: end.0, what: &end.1 }
    }
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
            published: row.into(),
            revalidated: Extension {
                labels: &row.labels,
                in_use: row.status.is_in_use(),
                schedule: &row.cron,
                zone: &row.zone,
                next_run_at: row.next_run_at,
                last_run: row.last_run.as_ref().map(Run::from),
                incident_id: row.incident_id.as_deref(),
                failing_since: failing_since(row),
                consecutive: row.evidence.counters.into(),
                sequence: row.sequence,
                expires: row.expires.as_ref().map(Expires::from),
                last_passed_at: row.fingerprint_at,
                notifications: row.into(),
                acknowledgement: None,
                candidate: row.candidate.as_ref().map(Candidate::from),
            },
        }
    }
}

impl<'a> Integration<'a> {
    /// Integration with the parts that are not in its row.
    pub(crate) fn with(row: &'a IntegrationRow, situation: &'a Situation, now: Timestamp) -> Self {
        let mut shown = Self::from(row);
        shown.revalidated.notifications = Notifications::of(row, situation, now);
        shown.acknowledged(situation.acknowledgement.as_ref())
    }

    /// Adds the acknowledgement of its failure, if there is one.
    pub(crate) fn acknowledged(mut self, by: Option<&'a SilenceRow>) -> Self {
        self.revalidated.acknowledgement = by.map(Acknowledgement::from);
        self
    }
}

/// Returns since when the shown configuration has been failing, as far as the status says so.
pub(super) fn failing_since(row: &IntegrationRow) -> Option<Timestamp> {
    let is_beside = matches!(row.status, Status::EditError | Status::MigrateError);
    if is_beside { None } else { row.failing_since() }
}

/// Returns the configuration in force, or the only one, with its secrets replaced.
pub(crate) fn config(row: &IntegrationRow) -> Json {
    parsed(&row.config_shown)
}

/// Returns a configuration from its text; null when it is not known.
pub(crate) fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or(Json::Null)
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
            "acknowledgement",
            "consecutive",
            "expires",
            "failingSince",
            "inUse",
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
    fn disabled_and_deleted_integrations_are_not_in_use() {
        let in_use = |status| {
            let row = IntegrationRow { status, ..samples::integration() };
            serde_json::to_value(Integration::from(&row)).unwrap()["revalidated"]["inUse"].clone()
        };
        assert_eq!(in_use(Status::Deleting), true, "it is drained");
        assert_eq!(in_use(Status::CreateError), true);
        assert_eq!([Status::Disabled, Status::Deleted].map(in_use), [false, false]);
    }

    #[test]
    fn acknowledgement_is_shown_with_its_author_and_comment() {
        let [_, acknowledgement, ..] = samples::silences();
        let row = samples::integration();
        let json = Integration::from(&row).acknowledged(Some(&acknowledgement));
        let json = serde_json::to_value(json).unwrap();
        let expected = serde_json::json!({
            "id": 2, "author": "anna", "comment": "", "since": "2026-11-23T09:00:00Z",
            "until": "2026-11-23T12:00:00Z",
        });
        assert_eq!(json["revalidated"]["acknowledgement"], expected);
    }

    #[test]
    fn new_configuration_stands_beside_the_one_in_force() {
        let row = samples::edited();
        let json = serde_json::to_value(Integration::from(&row)).unwrap();
        assert_eq!(json["status"], "editError");
        assert_eq!(json["validationResults"]["status"], "passed");
        assert_eq!(json["config"]["port"], 5439);
        assert_eq!(json["revalidated"]["failingSince"], Json::Null);
        let candidate = &json["revalidated"]["candidate"];
        assert_eq!(candidate["config"], serde_json::json!({ "host": "other" }));
        assert_eq!(candidate["validationResults"]["status"], "failed");
        assert_eq!(candidate["failingSince"], "2026-11-23T09:00:00Z");
        assert_eq!(candidate["consecutive"]["failures"], 2);
        assert_eq!(candidate["lastRun"]["rule"], "a definitive failure (denied) counts at once");
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
