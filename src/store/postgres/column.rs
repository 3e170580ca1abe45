//! Values to and from columns.

use std::time::Duration;

use tokio_postgres::Row;

pub(super) use super::super::forms::{
    class, delivery_state, flips, labels, millis, parse, report, report_status, trigger,
};
use super::StoreError;
use super::tx::get;
use crate::domain::{Pool, Status, Timestamp};

/// Reads an instant that may be missing.
pub(super) fn instant(row: &Row, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp))
}

/// Reads a duration in milliseconds.
pub(super) fn duration(row: &Row, column: &str) -> Result<Duration, StoreError> {
    Ok(Duration::from_millis(u64::try_from(get::<i64>(row, column)?).unwrap_or(0)))
}

/// Reads a duration in milliseconds that may be missing.
pub(super) fn duration_or_none(row: &Row, column: &str) -> Result<Option<Duration>, StoreError> {
    let found: Option<i64> = get(row, column)?;
    Ok(found.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
}

/// Reads a number that is not below zero.
pub(super) fn count(row: &Row, column: &str) -> Result<u32, StoreError> {
    let found: i64 = get(row, column)?;
    Ok(u32::try_from(found.max(0)).unwrap_or(u32::MAX))
}

/// Reads a pool from its canonical text.
pub(super) fn pool(text: &str) -> Result<Pool, StoreError> {
    Pool::parse(text).map_err(|source| StoreError::Document { table: "work", source })
}

/// Reads a status of an integration.
pub(super) fn status(row: &Row, column: &str) -> Result<Status, StoreError> {
    parse("integration", get(row, column)?)
}
