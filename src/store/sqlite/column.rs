//! Values to and from columns.

use std::time::Duration;

use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row as SqlRow};

pub(super) use super::super::forms::{
    class, delivery_state, flips, labels, millis, parse, report, report_status, trigger,
};
use super::{Lease, StoreError};
use crate::domain::{Status, Timestamp};

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

/// Reads a status of an integration.
pub(super) fn status(row: &SqlRow<'_>, column: &str) -> Result<Status, StoreError> {
    parse("integration", &row.get::<_, String>(column)?)
}

/// Reads the only cell of `sql`, a truth.
pub(super) fn exists(tx: &Connection, sql: &str, params: impl Params) -> Result<bool, StoreError> {
    Ok(tx.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
}
