//! Condition of a database beside the daemon: damage, broken rules and sizes.
//!
//! Each question reads from a state of its own, so that no long read keeps the daemon's log from being used again.

use std::path::Path;

use rusqlite::Connection;

use super::super::condition::{Condition, Space, TableSize};
use super::place::beside;
use super::{StoreError, connect, integrity, rules};
use crate::domain::Timestamp;

/// Implements [`crate::store::examine`] on this engine.
pub(in crate::store) fn examine(path: &Path, is_full: bool) -> Result<Condition, StoreError> {
    let conn = connect::open_to_read(path)?;
    let mut damage = integrity::problems(&conn, is_full)?;
    if damage.is_empty() && !is_full {
        damage = integrity::broken_references(&conn)?;
    }
    let space = space(&conn, path)?;
    if !damage.is_empty() {
        let (broken, tables) = (Vec::new(), Vec::new());
        return Ok(Condition { damage, broken, contents: None, tables, space, oldest_at: None });
    }
    Ok(Condition {
        damage,
        broken: rules::broken(&conn)?,
        contents: Some(integrity::contents(&conn)?),
        tables: tables(&conn)?,
        space,
        oldest_at: oldest(&conn)?,
    })
}

/// Returns the sizes of the files of the database at `path`.
pub(super) fn space(conn: &Connection, path: &Path) -> Result<Space, StoreError> {
    let pragma = |name| -> Result<u64, StoreError> {
        let value: i64 = conn.pragma_query_value(None, name, |row| row.get(0))?;
        Ok(u64::try_from(value).unwrap_or_default())
    };
    let page = pragma("page_size")?;
    Ok(Space {
        bytes: pragma("page_count")?.saturating_mul(page),
        free_bytes: pragma("freelist_count")?.saturating_mul(page),
        log_bytes: beside(path, "-wal").metadata().map_or(0, |log| log.len()),
    })
}

fn tables(conn: &Connection) -> Result<Vec<TableSize>, StoreError> {
    const SQL: &str = "
        SELECT tbl_name, sum(pgsize) AS bytes
        FROM dbstat JOIN sqlite_schema ON sqlite_schema.name = dbstat.name
        WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY bytes DESC, tbl_name";
    let mut statement = conn.prepare(SQL)?;
    let found = statement.query_map([], |row| {
        let bytes: i64 = row.get(1)?;
        Ok(TableSize { name: row.get(0)?, bytes: u64::try_from(bytes).unwrap_or_default() })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn oldest(conn: &Connection) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "
        SELECT min(at_ms) FROM (
            SELECT min(started_at_ms) AS at_ms FROM run
            UNION ALL SELECT min(created_at_ms) FROM event)";
    Ok(conn.query_row(SQL, [], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}
