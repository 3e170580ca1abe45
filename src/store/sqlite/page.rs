//! Pages of the engine: where one begins, and the cursor that it ends with.

use rusqlite::Connection;

pub(super) use super::super::page::{Cursor, Key, Listed, Page};
use super::StoreError;
use crate::domain::Timestamp;

/// Number of the row after which `page` begins; `first` for the first page.
pub(super) fn after_id(tx: &Connection, page: &Page, first: i64) -> Result<i64, StoreError> {
    after(tx, page, first, |key| if let Key::Id(id) = key { Some(*id) } else { None })
}

/// Name of the row after which `page` begins; no row has an empty one.
pub(super) fn after_name<'p>(tx: &Connection, page: &'p Page) -> Result<&'p str, StoreError> {
    after(tx, page, "", |key| if let Key::Name(name) = key { Some(name) } else { None })
}

/// Numbers of the run and of the transition before which `page` of the merged list begins.
pub(super) fn before_both(tx: &Connection, page: &Page) -> Result<(i64, i64), StoreError> {
    after(tx, page, (i64::MAX, i64::MAX), |key| {
        if let Key::Both(run, transition) = key { Some((*run, *transition)) } else { None }
    })
}

/// Instant and number of the row before which `page` begins, of those before `until`.
pub(super) fn before_instant(
    tx: &Connection,
    page: &Page,
    until: Option<Timestamp>,
) -> Result<(i64, i64), StoreError> {
    let end = until.map_or((i64::MAX, i64::MAX), |until| (until.0, i64::MIN));
    let found =
        after(tx, page, end, |key| if let Key::At(at, id) = key { Some((*at, *id)) } else { None });
    Ok(found?.min(end))
}

/// Instant, integration and object of the expiry after which `page` begins.
pub(super) fn after_expiry<'p>(
    tx: &Connection,
    page: &'p Page,
) -> Result<(i64, i64, &'p str), StoreError> {
    after(tx, page, (i64::MIN, 0, ""), |key| {
        if let Key::Expiry(at, id, what) = key { Some((*at, *id, what.as_str())) } else { None }
    })
}

/// Beginning and id of the outage before which `page` begins; no id is above a tilde.
pub(super) fn before_outage<'p>(
    tx: &Connection,
    page: &'p Page,
) -> Result<(i64, &'p str), StoreError> {
    after(tx, page, (i64::MAX, "~"), |key| {
        if let Key::Outage(since, id) = key { Some((*since, id.as_str())) } else { None }
    })
}

/// Instant and name of the row after which `page` begins.
pub(super) fn after_place<'p>(
    tx: &Connection,
    page: &'p Page,
) -> Result<(i64, &'p str), StoreError> {
    after(tx, page, (i64::MIN, ""), |key| {
        if let Key::Place(at, name) = key { Some((*at, name.as_str())) } else { None }
    })
}

/// Returns what `of` takes from the key of `page`, or `first` for the first page.
fn after<'p, T>(
    tx: &Connection,
    page: &'p Page,
    first: T,
    of: impl FnOnce(&'p Key) -> Option<T>,
) -> Result<T, StoreError> {
    let Some(cursor) = &page.after else { return Ok(first) };
    let is_known = cursor.epoch == epoch(tx)?;
    of(&cursor.key).filter(|_| is_known).ok_or(StoreError::WrongCursor)
}

/// Number of rows to read for `page`: one more than it shows, which says whether there is another.
pub(super) fn with_next(page: &Page) -> u32 {
    page.size().saturating_add(1)
}

/// Page made of `rows`, which were read by [`with_next`].
pub(super) fn listed<T>(
    tx: &Connection,
    page: &Page,
    mut rows: Vec<T>,
    key: impl Fn(&T) -> Key,
) -> Result<Listed<T>, StoreError> {
    let most = usize::try_from(page.size()).unwrap_or(usize::MAX);
    let more = most < rows.len();
    rows.truncate(most);
    let next = match rows.last().filter(|_| more) {
        Some(last) => Some(cursor(tx, key(last))?),
        None => None,
    };
    Ok(Listed { rows, next })
}

/// Cursor at `key` in this database.
pub(super) fn cursor(tx: &Connection, key: Key) -> Result<Cursor, StoreError> {
    Ok(Cursor { key, epoch: epoch(tx)? })
}

/// Random id of the database.
pub(super) fn epoch(tx: &Connection) -> Result<String, StoreError> {
    Ok(tx.prepare_cached("SELECT epoch FROM meta")?.query_row([], |row| row.get(0))?)
}
