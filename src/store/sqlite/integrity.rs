//! Verification of a database's content: its pages and rows, indexes and references.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::migrations::newest;
use super::{StoreError, checksum, connect};
use crate::store::Contents;

/// Number of problems that one verification lists at most.
const PROBLEMS_MAX: u32 = 20;

/// Returns the problems of the database, in the engine's words; empty when there is none.
///
/// A quick verification reads every page once, and the rows that have checksums once more. A thorough one also compares
/// indexes with their tables, and follows every reference.
pub(super) fn problems(conn: &Connection, is_thorough: bool) -> Result<Vec<String>, StoreError> {
    match found(conn, is_thorough) {
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        other => Ok(other?),
    }
}

fn found(conn: &Connection, is_thorough: bool) -> Result<Vec<String>, rusqlite::Error> {
    let pragma = if is_thorough { "integrity_check" } else { "quick_check" };
    let mut statement = conn.prepare(&format!("PRAGMA {pragma}({PROBLEMS_MAX})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut found = lines.collect::<Result<Vec<_>, _>>()?;
    found.retain(|line| line != "ok");
    if found.is_empty() {
        let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        found = checksum::misfits(conn, version == newest(), i64::MAX)?;
    }
    if is_thorough && found.is_empty() {
        found = unfit_indexes(conn)?;
    }
    if is_thorough && found.is_empty() {
        found = broken_references(conn)?;
    }
    Ok(found)
}

/// Returns the partial indexes that have other rows than their tables have for them. The engine's own check looks for
/// the rows of a table in its indexes, and not for what else is in an index of a part: a page of another one there
/// would be noticed by the first statement that uses it.
fn unfit_indexes(conn: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    const PARTIAL: &str = "
        SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'";
    // A row has one cell, on whatever page of its index.
    const CELLS: &str = "SELECT coalesce(sum(ncell), 0) FROM dbstat WHERE name = ?1";
    // A daemon may write meanwhile: all of it is counted at one instant.
    let _snapshot = conn.is_autocommit().then(|| conn.unchecked_transaction()).transpose()?;
    let mut statement = conn.prepare(PARTIAL)?;
    let texts = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
    let indexes = statement.query_map([], texts)?.collect::<Result<Vec<[String; 3]>, _>>()?;
    let mut found = Vec::new();
    for [index, table, sql] in indexes {
        let Some((_, part)) = sql.split_once("WHERE") else { continue };
        let rows = format!("SELECT count(*) FROM {table} NOT INDEXED WHERE {part}");
        let there: i64 = conn.query_row(&rows, [], |row| row.get(0))?;
        let here: i64 = conn.query_row(CELLS, [&index], |row| row.get(0))?;
        // It fails at the page of a table, even at one without rows.
        let first = format!("SELECT 1 FROM {table} INDEXED BY {index} WHERE {part} LIMIT 1");
        conn.query_row(&first, [], |_| Ok(())).optional()?;
        if here != there {
            found.push(format!("rows of {table} in the index {index}: {here} in place of {there}"));
        }
    }
    Ok(found)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Returns the references that lead nowhere, by their tables.
pub(super) fn broken_references(conn: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    const SQL: &str = "
        SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check
        GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ?1";
    let line = |row: &Row<'_>| {
        let (child, parent): (String, String) = (row.get(0)?, row.get(1)?);
        let count: i64 = row.get(2)?;
        Ok(format!("rows of {child} that refer to rows of {parent} that are not there: {count}"))
    };
    conn.prepare(SQL)?.query_map([PROBLEMS_MAX], line)?.collect()
}

/// Implements [`crate::store::problems`] on this engine.
pub(in crate::store) fn problems_of(
    path: &Path,
    is_thorough: bool,
) -> Result<Vec<String>, StoreError> {
    problems(&connect::open_to_copy(path)?, is_thorough)
}

/// Counts the rows of every table.
pub(super) fn contents(conn: &Connection) -> Result<Contents, StoreError> {
    const TABLES: &str = "
        SELECT name FROM sqlite_schema
        WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let epoch = conn.query_row("SELECT epoch FROM meta", [], |row| row.get(0))?;
    let schema = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut tables = conn.prepare(TABLES)?;
    let mut rows = BTreeMap::new();
    for name in tables.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let count = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let count: i64 = conn.query_row(&count, [], |row| row.get(0))?;
        rows.insert(name, u64::try_from(count).unwrap_or_default());
    }
    Ok(Contents { schema, epoch, rows })
}
