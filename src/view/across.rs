//! Lists across all integrations: runs, status changes, outages, expiries and strips.

use std::collections::BTreeMap;

use serde::Serialize;

use super::history::Transition;
use super::run::Run;
use super::time::millis;
use crate::domain::{Class, Factor, OutageMember, ReportStatus, Timestamp};
use crate::store::{Attributed, ExpiryRow, Mark, OutageRow, RunRow, TargetRow, TransitionRow};

/// Integration that an entry is about.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Subject<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    labels: &'a BTreeMap<String, String>,
}

impl<'a> From<&'a TargetRow> for Subject<'a> {
    fn from(row: &'a TargetRow) -> Self {
        Self { id: row.id.0, name: &row.name, kind: &row.kind, labels: &row.labels }
    }
}

/// Run with the integration that it validated.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AttributedRun<'a> {
    integration: Subject<'a>,
    #[serde(flatten)]
    run: Run<'a>,
}

impl<'a> From<&'a Attributed<RunRow>> for AttributedRun<'a> {
    fn from(found: &'a Attributed<RunRow>) -> Self {
        let Attributed { integration, row } = found;
        Self { integration: integration.into(), run: Run::from(row).with_results(row) }
    }
}

/// Status change with its integration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AttributedTransition<'a> {
    integration: Subject<'a>,
    #[serde(flatten)]
    transition: Transition<'a>,
}

impl<'a> From<&'a Attributed<TransitionRow>> for AttributedTransition<'a> {
    fn from(found: &'a Attributed<TransitionRow>) -> Self {
        let Attributed { integration, row } = found;
        Self { integration: integration.into(), transition: row.into() }
    }
}

/// Expiry of a credential, certificate or token.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Expiry<'a> {
    integration: Subject<'a>,
    at: Timestamp,
    what: &'a str,
}

impl<'a> From<&'a ExpiryRow> for Expiry<'a> {
    fn from(row: &'a ExpiryRow) -> Self {
        Self { integration: (&row.integration).into(), at: row.at, what: &row.what }
    }
}

/// Outage with its span and the integrations that belong, or belonged, to it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct WholeOutage<'a> {
    id: &'a str,
    factor: &'a Factor,
    since: Timestamp,
    ended_at: Option<Timestamp>,
    members: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    integrations: Option<&'a [OutageMember]>,
}

impl<'a> From<&'a OutageRow> for WholeOutage<'a> {
    fn from(row: &'a OutageRow) -> Self {
        Self {
            id: &row.id,
            factor: &row.factor,
            since: row.since,
            ended_at: row.ended_at,
            members: row.members,
            integrations: None,
        }
    }
}

impl<'a> WholeOutage<'a> {
    /// Adds the integrations that belong to it.
    #[must_use]
    pub(crate) fn of(self, integrations: &'a [OutageMember]) -> Self {
        Self { integrations: Some(integrations), ..self }
    }
}

/// Latest runs in short, oldest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Strip {
    marks: Vec<StripMark>,
}

/// Run in a strip.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct StripMark {
    run: i64,
    at: Timestamp,
    duration_ms: u64,
    status: ReportStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
}

impl From<&[Mark]> for Strip {
    fn from(marks: &[Mark]) -> Self {
        let mark = |mark: &Mark| StripMark {
            run: mark.run.0,
            at: mark.started_at,
            duration_ms: millis(mark.duration),
            status: mark.status,
            class: mark.class,
        };
        Self { marks: marks.iter().map(mark).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn entries_of_all_integrations_say_which_one_they_are_about() {
        let integration = samples::target();
        let run = Attributed { integration: integration.clone(), row: samples::run() };
        let json = serde_json::to_value(AttributedRun::from(&run)).unwrap();
        assert_eq!((&json["integration"]["name"], &json["id"]), (&"lake".into(), &912.into()));
        let [row, _] = samples::transitions();
        let change = Attributed { integration: integration.clone(), row };
        let json = serde_json::to_value(AttributedTransition::from(&change)).unwrap();
        assert_eq!(json["to"], "recurringValidationError");
        let row = ExpiryRow { integration, at: samples::now(), what: "token".to_owned() };
        let json = serde_json::to_value(Expiry::from(&row)).unwrap();
        assert_eq!(
            (&json["what"], &json["integration"]["type"]),
            (&"token".into(), &"Redshift".into())
        );
    }

    #[test]
    fn strip_of_ninety_runs_is_short() {
        let run = samples::run();
        let mark = Mark {
            run: run.id,
            started_at: run.started_at,
            duration: run.duration,
            status: ReportStatus::Passed,
            class: None,
        };
        let text = serde_json::to_string(&Strip::from(&[mark; 90][..])).unwrap();
        assert!(text.len() < 90 * 90, "{}", text.len());
        assert!(!text.contains("class"), "{text}");
    }
}
