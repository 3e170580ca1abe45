//! History of an integration: runs and status changes.

use serde::Serialize;

use super::run::Run;
use crate::domain::{Cause, Status, Timestamp};
use crate::store::{HistoryRow, TransitionRow};

/// Entry of a history.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Entry<'a> {
    /// Run with its results.
    Run(Run<'a>),
    /// Change from one status to another.
    Transition(Transition<'a>),
}

impl<'a> From<&'a HistoryRow> for Entry<'a> {
    fn from(row: &'a HistoryRow) -> Self {
        match row {
            HistoryRow::Run(run) => Self::Run(Run::from(run).with_results(run)),
            HistoryRow::Transition(transition) => Self::Transition(transition.into()),
        }
    }
}

/// Change from one status to another.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transition<'a> {
    at: Timestamp,
    from: Option<Status>,
    to: Status,
    cause: Option<&'static str>,
    run: Option<i64>,
    incident_id: Option<&'a str>,
}

impl<'a> From<&'a TransitionRow> for Transition<'a> {
    fn from(row: &'a TransitionRow) -> Self {
        Self {
            at: row.at,
            from: row.from,
            to: row.to,
            cause: row.cause.map(Cause::as_str),
            run: row.run.map(|run| run.0),
            incident_id: row.incident_id.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn each_entry_names_its_kind() {
        let [flipped, created] = samples::transitions().map(HistoryRow::Transition);
        let rows = [flipped, HistoryRow::Run(samples::run()), created];
        let json = serde_json::to_value(rows.each_ref().map(Entry::from)).unwrap();
        let kinds: Vec<_> = (0..3).map(|at| json[at]["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["transition", "run", "transition"]);
        let expected = serde_json::json!({
            "kind": "transition", "at": "2026-11-23T09:56:40Z", "from": "enabled",
            "to": "recurringValidationError", "cause": "activeFailed", "run": 912,
            "incidentId": "inc-1",
        });
        assert_eq!(json[0], expected);
        assert_eq!(json[1]["validationResults"]["status"], "failed");
        assert_eq!(json[2]["from"], serde_json::Value::Null);
    }
}
