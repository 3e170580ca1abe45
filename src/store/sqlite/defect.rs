//! A planted defect that the crash test must find; nothing uses it without its feature.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::writer::{Command, attempt};

/// Whether this binary answers before it commits.
pub(super) const SENDS_BEFORE_COMMIT: bool = cfg!(feature = "defect-send-before-commit");

/// How many groups of commands share a transaction.
const GROUPS: u32 = 8;

static GROUP: AtomicU32 = AtomicU32::new(0);

/// Answers at once and commits some groups later, so that what is claimed is sent before that.
pub(super) fn commit(conn: &Connection, mut group: Vec<Box<dyn Command>>) {
    let ended = run(conn, &mut group).map_err(Arc::new);
    for command in group {
        command.answer(ended.clone());
    }
}

fn run(conn: &Connection, group: &mut [Box<dyn Command>]) -> Result<(), rusqlite::Error> {
    let number = GROUP.fetch_add(1, Ordering::Relaxed) % GROUPS;
    if number == 0 {
        conn.execute_batch("BEGIN IMMEDIATE")?;
    }
    for command in group {
        attempt(conn, || command.run(conn), |kept| *kept)?;
    }
    if number == GROUPS - 1 { conn.execute_batch("COMMIT") } else { Ok(()) }
}
