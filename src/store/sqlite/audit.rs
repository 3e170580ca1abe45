//! Audit trail: written by commands in the transaction of what they change, read newest first.

use std::fmt::Display;

use rusqlite::{Connection, named_params};

use super::StoreError;
use super::column::parse;
use super::page::{self, Key, Listed, Page};
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
pub(super) fn insert(tx: &Connection, new: NewAudit<'_>, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO audit (at_ms, command, author, target, comment)
        VALUES (:at, :command, :author, :target, :comment)";
    let NewAudit { act, author, target, comment } = new;
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":at": at.0,
        ":command": act.as_str(),
        ":author": one_line(author, TEXT_MAX),
        ":target": one_line(target, TEXT_MAX),
        ":comment": one_line(comment, TEXT_MAX),
    })?;
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

/// Entries that match, before a number.
pub(super) const PAGE: &str = "
    SELECT id, at_ms, command, author, target, comment FROM audit
    WHERE id < :before
      AND (:author IS NULL OR author = :author)
      AND (:command IS NULL OR command = :command)
      AND (:target IS NULL OR instr(target, :target))
      AND (:since IS NULL OR :since <= at_ms)
      AND (:until IS NULL OR at_ms < :until)
    ORDER BY id DESC LIMIT :limit";

/// Reads a page of the entries that match, newest first.
pub(super) fn list(
    tx: &Connection,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Listed<AuditRow>, StoreError> {
    let mut statement = tx.prepare_cached(PAGE)?;
    let params = named_params! {
        ":before": page::after_id(tx, page, i64::MAX)?,
        ":author": filter.author,
        ":command": filter.act.map(Act::as_str),
        ":target": filter.target,
        ":since": filter.since.map(|at| at.0),
        ":until": filter.until.map(|at| at.0),
        ":limit": page::with_next(page),
    };
    let found = statement.query_and_then(params, |row| {
        Ok::<_, StoreError>(AuditRow {
            id: row.get("id")?,
            at: Timestamp(row.get("at_ms")?),
            act: parse("audit", &row.get::<_, String>("command")?)?,
            author: row.get("author")?,
            target: row.get("target")?,
            comment: row.get("comment")?,
        })
    })?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Id(row.id))
}

/// Deletes old entries, oldest first.
pub(super) const OLD: &str = "
    DELETE FROM audit WHERE id IN (
        SELECT id FROM audit WHERE at_ms < :before ORDER BY at_ms LIMIT :batch)";

/// Deletes entries beyond the most that are kept.
const SURPLUS: &str = "
    DELETE FROM audit WHERE id IN (
        SELECT id FROM audit WHERE id <= (SELECT max(id) FROM audit) - :kept
        ORDER BY id LIMIT :batch)";

/// Deletes one batch of entries from before an instant, and of those that are too many; returns their
/// number.
pub(super) fn prune(tx: &Connection, before: Timestamp, batch: u32) -> Result<usize, StoreError> {
    let old = named_params! {":before": before.0, ":batch": batch};
    let surplus = named_params! {":kept": KEPT_MAX, ":batch": batch};
    let old = tx.prepare_cached(OLD)?.execute(old)?;
    Ok(old + tx.prepare_cached(SURPLUS)?.execute(surplus)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_listed_up_to_a_bound() {
        assert_eq!(names(&["lake", "mart"]), "lake, mart");
        let many: Vec<_> = (1..=22).collect();
        assert!(names(&many).ends_with(", 19, 20 and 2 more"), "{}", names(&many));
    }
}
