//! Mark of a file whose rows were moved to another store: it refuses to open from then on.
//!
//! A mark is set before the other store commits, and is finished after. Between the two the other store alone knows
//! which of them is the store: the same move, called again, asks it.

use std::path::Path;

use rusqlite::{Connection, Row, TransactionBehavior};

use super::StoreError;
use super::migrations::APPLICATION_ID;
use super::place::refused;
use crate::domain::Timestamp;

/// Application of a file that is marked, "revm" in ASCII: earlier versions take it for another program's.
pub(super) const MOVED_ID: i32 = 0x7265_766d;

/// Mark of a file whose rows were moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) struct MovedMark {
    /// Token of the move, which the other store keeps too.
    pub(in crate::store) token: String,
    /// Address of the other store, without a password.
    pub(in crate::store) to: String,
    /// Instant of the move.
    pub(in crate::store) at: Timestamp,
    /// True once it is known that the other store has committed.
    pub(in crate::store) is_done: bool,
}

impl MovedMark {
    /// Returns the error for a file with this mark.
    pub(super) fn refusal(&self, path: &Path) -> StoreError {
        let Self { to, at, is_done, .. } = self;
        let problem = if *is_done {
            format!(
                "this database was moved to {to} on {at}: name that by [store] url, or remove the file"
            )
        } else {
            format!(
                "a move of this database to {to} was interrupted on {at}: call `revalidated store move --to {to}` \
                 again, which finds out which of both is the store"
            )
        };
        refused(path, problem)
    }
}

/// Returns the mark of a marked file.
pub(super) fn read(conn: &Connection) -> Result<MovedMark, rusqlite::Error> {
    const SQL: &str = "SELECT token, target, at_ms, is_done FROM moved";
    let read = |row: &Row<'_>| {
        let at = Timestamp(row.get(2)?);
        Ok(MovedMark { token: row.get(0)?, to: row.get(1)?, at, is_done: row.get(3)? })
    };
    conn.query_row(SQL, [], read)
}

/// Marks a file, within a transaction.
#[cfg(feature = "postgres")]
pub(super) fn set(tx: &Connection, mark: &MovedMark) -> Result<(), rusqlite::Error> {
    const TABLE: &str = "
        CREATE TABLE moved (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            token TEXT NOT NULL,
            target TEXT NOT NULL,
            at_ms INTEGER NOT NULL,
            is_done INTEGER NOT NULL
        ) STRICT";
    const ROW: &str = "
        INSERT INTO moved (one, token, target, at_ms, is_done) VALUES (1, ?1, ?2, ?3, ?4)";
    tx.execute_batch(TABLE)?;
    tx.execute(ROW, (&mark.token, &mark.to, mark.at.0, mark.is_done))?;
    tx.pragma_update(None, "application_id", MOVED_ID)
}

/// Notes that the other store has committed.
#[cfg(feature = "postgres")]
pub(super) fn finish(conn: &Connection) -> Result<(), rusqlite::Error> {
    conn.execute("UPDATE moved SET is_done = 1", []).map(drop)
}

/// Takes the mark off: the other store has not committed.
#[cfg(feature = "postgres")]
pub(super) fn clear(conn: &mut Connection) -> Result<(), rusqlite::Error> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch("DROP TABLE moved")?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()
}
