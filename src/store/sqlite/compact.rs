//! Compaction: gives free pages back to the file system, in small steps beside the daemon.
//!
//! Only a database that keeps the parents of its pages (incremental vacuum) can be shortened in steps. One that was
//! made by an earlier version is written anew once, while no daemon runs.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::super::condition::Compacted;
use super::condition::space;
use super::place::{self, refused};
use super::{StoreError, connect, open, restore};

/// Number of pages that are given back at once: the daemon waits for some milliseconds.
const STEP_PAGES: u32 = 64;
/// Time between two steps, in which the daemon writes.
const STEP_WAIT: Duration = Duration::from_millis(20);
/// Number of steps after which the rest is left for another time.
const STEPS_MAX: u32 = 1_000_000;
/// Value of `auto_vacuum` for compaction in steps.
const INCREMENTAL: i64 = 2;

/// Implements [`crate::store::compact`] on this engine.
pub(in crate::store) fn compact(path: &Path) -> Result<Compacted, StoreError> {
    let path = &place::resolved(path)?;
    // Before the database is opened: see there.
    let is_in_use = place::is_in_use(path) == Some(true);
    let (conn, place) = open::open_to_control(path)?;
    let mode: i64 = conn.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    let before = space(&conn, path)?;
    let is_rewritten = mode != INCREMENTAL;
    if is_rewritten {
        drop(conn);
        if is_in_use {
            let problem = "was made by an earlier version and can be compacted beside the daemon only after this was \
                           done once without it; stop the daemon first (systemctl stop revalidated)";
            return Err(refused(path, problem));
        }
        rewrite(path)?;
    } else {
        for _ in 0..STEPS_MAX {
            place.check()?;
            if !step(&conn)? {
                break;
            }
            std::thread::sleep(STEP_WAIT);
        }
        conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    let after = space(&connect::open_to_read(path)?, path)?;
    Ok(Compacted { before, after, is_rewritten })
}

/// Gives some pages back; returns false when there are no more.
fn step(conn: &Connection) -> Result<bool, StoreError> {
    let mut statement = conn.prepare(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
    let mut rows = statement.query([])?;
    // Each row that is asked for gives one page back.
    while rows.next()?.is_some() {}
    drop(rows);
    let free: i64 = conn.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
    Ok(0 < free)
}

/// Writes the database anew, without free pages, while both locks keep daemons out.
fn rewrite(path: &Path) -> Result<(), StoreError> {
    let locks = restore::locked(path)?;
    let (conn, _place) = open::open_to_control(path)?;
    conn.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    conn.execute_batch("VACUUM")?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.close().map_err(|(_conn, error)| error)?;
    drop(locks);
    Ok(())
}
