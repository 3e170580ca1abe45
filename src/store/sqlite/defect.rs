//! Fault injection: defects that the crash tests plant and must find.
//!
//! Chosen at run time by `TEST_DEFECT`, so that the tests need no second build of the tree. A build
//! without debug assertions has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::writer::{Command, attempt};

/// Defect of the durable commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// Commands are answered before their transaction is committed.
    SendBeforeCommit,
    /// Commits do not wait for the disk.
    SynchronousNormal,
}

/// Returns the defect planted in this process, always `None` in a release build.
#[expect(clippy::disallowed_methods, reason = "a switch of tests, not a setting")]
pub(super) fn planted() -> Option<Defect> {
    if !cfg!(debug_assertions) {
        return None;
    }
    match std::env::var("TEST_DEFECT").ok()?.as_str() {
        "send-before-commit" => Some(Defect::SendBeforeCommit),
        "synchronous-normal" => Some(Defect::SynchronousNormal),
        _ => None,
    }
}

/// Number of groups of commands that share a transaction.
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
