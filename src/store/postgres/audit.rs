//! Audit trail: written by commands in the transaction of what they change, read newest first.

use std::fmt::Display;

use super::StoreError;
use super::column::parse;
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, Tx, get, params};
use super::{Act, AuditFilter, AuditRow};
use crate::domain::{Timestamp, one_line};

/// The most entries that are kept, whatever their age.
const KEPT_MAX: i64 = 100_000;
/// The most names that an entry lists.
const NAMES_MAX: usize = 20;
/// Length of the longest text of an entry, in characters.
const TEXT_MAX: usize = 500;

/// Entry that is to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewAudit<'a> {
    /// Command by which it was done.
    pub(super) act: Act,
    /// Name of the person.
    pub(super) author: &'a str,
    /// Names and numbers of what it was about.
    pub(super) target: &'a str,
    /// Comment of the person.
    pub(super) comment: &'a str,
}

/// Adds an entry to the trail.
pub(super) async fn insert(tx: &Tx, new: NewAudit<'_>, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.audit (at_ms, command, author, target, comment)
        VALUES ($1, $2, $3, $4, $5)";
    let NewAudit { act, author, target, comment } = new;
    let params = params![
        at.0 => INT8, act.as_str() => TEXT, one_line(author, TEXT_MAX) => TEXT,
        one_line(target, TEXT_MAX) => TEXT, one_line(comment, TEXT_MAX) => TEXT,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Returns the first of the names, and the number of the others.
pub(super) fn names(names: &[impl Display]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(ToString::to_string).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Reads a page of the entries that match, newest first.
pub(super) async fn list(
    tx: &Reads,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Listed<AuditRow>, StoreError> {
    const SQL: &str = "
        SELECT id, at_ms, command, author, target, comment FROM revalidated.audit
        WHERE id < $1
          AND ($2 IS NULL OR author = $2)
          AND ($3 IS NULL OR command = $3)
          AND ($4 IS NULL OR 0 < strpos(target, $4))
          AND ($5 IS NULL OR $5 <= at_ms)
          AND ($6 IS NULL OR at_ms < $6)
        ORDER BY id DESC LIMIT $7";
    let before = page::after_id(tx, page, i64::MAX).await?;
    let params = params![
        before => INT8, filter.author => TEXT, filter.act.map(Act::as_str) => TEXT,
        filter.target => TEXT, filter.since.map(|at| at.0) => INT8,
        filter.until.map(|at| at.0) => INT8, page::with_next(page) => INT8,
    ];
    let found = tx.rows(SQL, params).await?;
    let read = |row| {
        Ok::<_, StoreError>(AuditRow {
            id: get(row, "id")?,
            at: Timestamp(get(row, "at_ms")?),
            act: parse("audit", get(row, "command")?)?,
            author: get(row, "author")?,
            target: get(row, "target")?,
            comment: get(row, "comment")?,
        })
    };
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Id(row.id)).await
}

/// Deletes one batch of entries from before an instant, and of those that are too many; returns their
/// number.
pub(super) async fn prune(tx: &Tx, before: Timestamp, batch: u32) -> Result<u64, StoreError> {
    const OLD: &str = "
        DELETE FROM revalidated.audit WHERE id IN (
            SELECT id FROM revalidated.audit WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)";
    const SURPLUS: &str = "
        DELETE FROM revalidated.audit WHERE id IN (
            SELECT id FROM revalidated.audit
            WHERE id <= (SELECT max(id) FROM revalidated.audit) - $1 ORDER BY id LIMIT $2)";
    let batch = i64::from(batch);
    let old = tx.execute(OLD, params![before.0 => INT8, batch => INT8]).await?;
    let surplus = tx.execute(SURPLUS, params![KEPT_MAX => INT8, batch => INT8]).await?;
    Ok(old.saturating_add(surplus))
}
