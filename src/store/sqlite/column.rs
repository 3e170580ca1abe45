//! Values to and from columns.

use std::collections::BTreeMap;
use std::time::Duration;

use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row as SqlRow};

use super::{DeliveryState, Lease, StoreError, StoredReport, Trigger};
use crate::domain::{Class, Flips, ReportStatus, Status, Timestamp, UnknownName};

/// The columns of a row, read in their order.
pub(super) struct Columns<'r, 's> {
    row: &'r SqlRow<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    /// Begins with the first of `row`.
    pub(super) const fn of(row: &'r SqlRow<'s>) -> Self {
        Self { row, next: 0 }
    }

    fn place(&mut self) -> usize {
        let place = self.next;
        self.next += 1;
        place
    }

    /// Reads the next column.
    pub(super) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        self.row.get(self.place())
    }

    /// The next column, an instant that may be missing.
    pub(super) fn instant(&mut self) -> rusqlite::Result<Option<Timestamp>> {
        Ok(self.next::<Option<i64>>()?.map(Timestamp))
    }

    /// Reads the next three columns as a lease: owner, token and end, all there or all missing.
    pub(super) fn lease(&mut self) -> rusqlite::Result<Option<Lease>> {
        let (owner, token): (Option<i64>, Option<i64>) = (self.next()?, self.next()?);
        let until = self.instant()?;
        let lease = owner.zip(token).zip(until);
        Ok(lease.map(|((owner, token), until)| Lease { owner, token, until }))
    }

    /// The next column, a text that `read` makes something of.
    pub(super) fn word<T>(
        &mut self,
        read: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let value = self.row.get_ref(self.place())?;
        read(value.as_str().map_err(rusqlite::Error::from)?)
    }

    /// The next two columns, which are there or missing together.
    pub(super) fn pair<A: FromSql, B: FromSql, T>(
        &mut self,
        both: impl FnOnce(A, B) -> T,
    ) -> rusqlite::Result<Option<T>> {
        let (first, second) = (self.next::<Option<A>>()?, self.next::<Option<B>>()?);
        Ok(first.zip(second).map(|(first, second)| both(first, second)))
    }
}

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

/// Reads an instant that may be missing.
pub(super) fn instant(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

/// Reads a duration in milliseconds.
pub(super) fn duration(row: &SqlRow<'_>, column: &str) -> rusqlite::Result<Duration> {
    Ok(Duration::from_millis(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0)))
}

/// Reads a duration in milliseconds that may be missing.
pub(super) fn duration_or_none(
    row: &SqlRow<'_>,
    column: &str,
) -> rusqlite::Result<Option<Duration>> {
    let found: Option<i64> = row.get(column)?;
    Ok(found.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
}

/// Whole milliseconds of `duration`.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Reads a status of an integration.
pub(super) fn status(row: &SqlRow<'_>, column: &str) -> Result<Status, StoreError> {
    parse("integration", &row.get::<_, String>(column)?)
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

/// Reads the only cell of `sql`, a truth.
pub(super) fn exists(tx: &Connection, sql: &str, params: impl Params) -> Result<bool, StoreError> {
    Ok(tx.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
}
