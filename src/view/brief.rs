//! Integration in a list of thousands: as published, without results and configuration.

use std::collections::BTreeMap;

use serde::Serialize;

use super::integration::Expires;
use super::time::millis;
use crate::domain::{Class, ReportStatus, Status, Timestamp};
use crate::store::{Mark, StatusRow};

/// Integration without results and configuration, with an extension under `revalidated`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BriefIntegration<'a> {
    id: i64,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: Status,
    revalidated: Brief<'a>,
}

/// Extension of an integration in short.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Brief<'a> {
    labels: &'a BTreeMap<String, String>,
    failing_since: Option<Timestamp>,
    last_passed_at: Option<Timestamp>,
    last_run: Option<BriefRun>,
    next_run_at: Option<Timestamp>,
    expires: Option<Expires<'a>>,
    muted: bool,
    flapping: bool,
    outage_id: Option<&'a str>,
}

/// Run without its results.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefRun {
    id: i64,
    started_at: Timestamp,
    duration_ms: u64,
    status: ReportStatus,
    class: Option<Class>,
}

impl From<&Mark> for BriefRun {
    fn from(run: &Mark) -> Self {
        Self {
            id: run.run.0,
            started_at: run.started_at,
            duration_ms: millis(run.duration),
            status: run.status,
            class: run.class,
        }
    }
}

impl<'a> From<&'a StatusRow> for BriefIntegration<'a> {
    fn from(row: &'a StatusRow) -> Self {
        Self {
            id: row.id.0,
            name: &row.name,
            kind: &row.kind,
            status: row.status,
            revalidated: Brief {
                labels: &row.labels,
                failing_since: row.failing_since,
                last_passed_at: row.last_passed_at,
                last_run: row.last_run.as_ref().map(BriefRun::from),
                next_run_at: row.next_run_at,
                expires: row.expires.as_ref().map(Expires::from),
                muted: row.is_muted,
                flapping: row.is_flapping,
                outage_id: row.outage_id.as_deref(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{Integration, samples};

    #[test]
    fn members_that_a_list_shows_equal_those_of_the_integration() {
        let (row, status) = (samples::integration(), samples::status());
        let whole = serde_json::to_value(Integration::from(&row)).unwrap();
        let brief = serde_json::to_value(BriefIntegration::from(&status)).unwrap();
        for member in ["id", "name", "type", "status"] {
            assert_eq!(brief[member], whole[member], "{member}");
        }
        for member in ["labels", "failingSince", "lastPassedAt", "nextRunAt", "expires"] {
            assert_eq!(brief["revalidated"][member], whole["revalidated"][member], "{member}");
        }
        for member in ["id", "startedAt", "durationMs", "status", "class"] {
            let last = &brief["revalidated"]["lastRun"][member];
            assert_eq!(*last, whole["revalidated"]["lastRun"][member], "{member}");
        }
        assert!(brief.get("validationResults").is_none() && brief.get("config").is_none());
    }
}
