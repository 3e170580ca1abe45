//! Pages of the engine: where one begins, and the cursor that it ends with.

use rusqlite::Connection;

pub(super) use super::super::page::{Cursor, Key, Listed, PAGE_MAX, Page};
use super::StoreError;

/// Number of the row after which `page` begins; `first` for the first page.
pub(super) fn after_id(tx: &Connection, page: &Page, first: i64) -> Result<i64, StoreError> {
    match key(tx, page)? {
        None => Ok(first),
        Some(Key::Id(id)) => Ok(*id),
        Some(Key::Name(_) | Key::Both(..)) => Err(StoreError::WrongCursor),
    }
}

/// Name of the row after which `page` begins; no row has an empty one.
pub(super) fn after_name<'p>(tx: &Connection, page: &'p Page) -> Result<&'p str, StoreError> {
    match key(tx, page)? {
        None => Ok(""),
        Some(Key::Name(name)) => Ok(name),
        Some(Key::Id(_) | Key::Both(..)) => Err(StoreError::WrongCursor),
    }
}

/// Numbers of the run and of the transition before which `page` of the merged list begins.
pub(super) fn before_both(tx: &Connection, page: &Page) -> Result<(i64, i64), StoreError> {
    match key(tx, page)? {
        None => Ok((i64::MAX, i64::MAX)),
        Some(Key::Both(run, transition)) => Ok((*run, *transition)),
        Some(Key::Id(_) | Key::Name(_)) => Err(StoreError::WrongCursor),
    }
}

fn key<'p>(tx: &Connection, page: &'p Page) -> Result<Option<&'p Key>, StoreError> {
    let Some(cursor) = &page.after else { return Ok(None) };
    if cursor.epoch == epoch(tx)? { Ok(Some(&cursor.key)) } else { Err(StoreError::WrongCursor) }
}

/// Number of rows of `page`.
pub(super) fn size(page: &Page) -> u32 {
    page.limit.clamp(1, PAGE_MAX)
}

/// Number of rows to read for `page`: one more than it shows, which says whether there is another.
pub(super) fn with_next(page: &Page) -> u32 {
    size(page).saturating_add(1)
}

/// Page made of `rows`, which were read by [`with_next`].
pub(super) fn listed<T>(
    tx: &Connection,
    page: &Page,
    mut rows: Vec<T>,
    key: impl Fn(&T) -> Key,
) -> Result<Listed<T>, StoreError> {
    let most = usize::try_from(size(page)).unwrap_or(usize::MAX);
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

fn epoch(tx: &Connection) -> Result<String, StoreError> {
    Ok(tx.prepare_cached("SELECT epoch FROM meta")?.query_row([], |row| row.get(0))?)
}
