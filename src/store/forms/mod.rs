//! Stored forms: values to and from the words and JSON documents that every engine keeps, the same in all of them.

pub(super) mod evidence;
pub(super) mod facts;
pub(super) mod halves;
pub(super) mod looks;
pub(super) mod prepared;
#[cfg(feature = "postgres")]
pub(super) mod tables;
pub(super) mod took;

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::StoreError;
use crate::domain::ledger::{DeliveryState, StoredReport, Trigger};
use crate::domain::{Class, Flips, ReportStatus, Timestamp, UnknownName};

/// Reads the latest status changes that were notified.
pub(super) fn flips(text: &str) -> Result<Flips, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    let instants: Vec<i64> = serde_json::from_str(text).map_err(document)?;
    Ok(Flips(instants.into_iter().map(Timestamp).collect()))
}

/// Reads labels from their column.
pub(super) fn labels(text: &str) -> Result<BTreeMap<String, String>, StoreError> {
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::from_str(text).map_err(document)
}

/// Reads results from their column.
pub(super) fn report(text: &str) -> Result<StoredReport, StoreError> {
    let document = |source| StoreError::Document { table: "report", source };
    serde_json::from_str(text).map_err(document)
}

/// Whole milliseconds of `duration`.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a value that names itself.
pub(super) fn parse<T>(table: &'static str, name: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err = UnknownName>,
{
    name.parse().map_err(|source| StoreError::Inconsistent { table, source })
}

/// Reads why a run takes place.
pub(super) fn trigger(table: &'static str, name: &str) -> Result<Trigger, StoreError> {
    named(table, name, Trigger::ALL, Trigger::as_str)
}

/// Reads an overall result.
pub(super) fn report_status(name: &str) -> Result<ReportStatus, StoreError> {
    let all =
        [ReportStatus::Passed, ReportStatus::Failed, ReportStatus::Warning, ReportStatus::Skipped];
    named("run", name, &all, ReportStatus::as_str)
}

/// Reads the class that decided about a run.
pub(super) fn class(name: &str) -> Result<Class, StoreError> {
    named("run", name, Class::ALL, Class::as_str)
}

/// Reads where a delivery stands.
pub(super) fn delivery_state(name: &str) -> Result<DeliveryState, StoreError> {
    named("delivery", name, DeliveryState::ALL, DeliveryState::as_str)
}

fn named<T: Copy>(
    table: &'static str,
    name: &str,
    all: &[T],
    as_str: impl Fn(T) -> &'static str,
) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|&one| as_str(one) == name);
    let source = || UnknownName(name.to_owned());
    found.ok_or_else(|| StoreError::Inconsistent { table, source: source() })
}
