//! Checksums of rows: a column beside the others of a row holds the sum of their hashes, since the engine's own check
//! misses flipped bits within values.
//!
//! Triggers keep the sum, so that no statement can forget it: they add what a row has become and take away what it was.
//! A row that is damaged stays damaged when it is changed. The few statements of every run and delivery, whose columns
//! no trigger follows, do the same by themselves, which is cheaper. A row is verified where it is read as a whole, and
//! all rows are with the rest of the database ([`super::integrity`]).

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, ffi};

use super::StoreError;

/// SQL of a sum over columns from place `$place` on; `$of` is a table, its alias, or the row of a trigger.
macro_rules! sum_of {
    ($place:literal, $of:literal, $($column:literal),+) => {
        concat!("row_sum(", $place, $(", ", $of, ".", $column),+, ")")
    };
}
pub(super) use sum_of;

/// SQL of the sum of a row of a table. The order of the columns is part of the sums that are stored; those that most
/// statements change stand together.
macro_rules! row_sum {
    (integration $of:literal) => {
        $crate::store::sqlite::checksum::sum_of!(
            0,
            $of,
            "id",
            "next_run_at_ms",
            "next_trigger",
            "lease_owner",
            "lease_token",
            "lease_until_ms",
            "failures",
            "passes",
            "last_run_id",
            "fingerprint_at_ms",
            "expires_at_ms",
            "expires_what",
            "name",
            "formerly",
            "kind",
            "auto_bootstrap",
            "labels",
            "status",
            "pending_status",
            "cron",
            "zone",
            "sequence",
            "transitions",
            "incident_id",
            "failing_since_ms",
            "incident_notified",
            "first_failure_at_ms",
            "evidence",
            "candidate_failures",
            "candidate_passes",
            "candidate_run_id",
            "candidate_first_failure_at_ms",
            "candidate_evidence",
            "notified_status",
            "muted_until_ms",
            "muted_by",
            "warning_muted",
            "flips",
            "flapping_since_ms",
            "flapping_until_ms",
            "suspect_since_ms",
            "suspect_class",
            "own_fault",
            "outage_id",
            "fingerprint_id",
            "created_at_ms",
            "history_since_ms"
        )
    };
    (event $of:literal) => {
        $crate::store::sqlite::checksum::sum_of!(
            0,
            $of,
            "number",
            "id",
            "integration_id",
            "sequence",
            "type",
            "created_at_ms",
            "body"
        )
    };
    (delivery $of:literal) => {
        $crate::store::sqlite::checksum::sum_of!(
            0,
            $of,
            "id",
            "lease_owner",
            "lease_token",
            "lease_until_ms",
            "event_id",
            "receiver",
            "integration_id",
            "state",
            "due_at_ms",
            "attempts",
            "earlier",
            "ended_at_ms",
            "incident_id",
            "began_id",
            "format",
            "ends",
            "number",
            "tried_awake_ms"
        )
    };
    (transition $of:literal) => {
        $crate::store::sqlite::checksum::sum_of!(
            0,
            $of,
            "id",
            "integration_id",
            "from_status",
            "to_status",
            "cause",
            "at_ms",
            "run_id",
            "incident_id"
        )
    };
}
pub(super) use row_sum;

/// SQL that fails the statement as damage unless a row fits its checksum; true where an outer join found no row.
macro_rules! sound {
    ($table:ident $of:literal) => {
        concat!(
            "row_sound(",
            $of,
            ".checksum, ",
            $crate::store::sqlite::checksum::row_sum!($table $of),
            ")"
        )
    };
}
pub(super) use sound;

/// SQL that changes a checksum by the columns that are written.
macro_rules! moved {
    ($was:expr, $is:expr) => {
        concat!("checksum = row_moved(checksum, ", $was, ", ", $is, ")")
    };
}
pub(super) use moved;

/// SQL that keeps the checksum of an integration while its lease alone changes.
macro_rules! lease_moved {
    ($place:literal, $is:literal) => {
        $crate::store::sqlite::checksum::moved!(
            concat!("row_sum(", $place, ", lease_owner, lease_token, lease_until_ms)"),
            concat!("row_sum(", $place, ", ", $is, ")")
        )
    };
}
pub(super) use lease_moved;

/// Table whose rows have checksums.
pub(super) struct Summed {
    /// Name of the table.
    pub(super) table: &'static str,
    /// Sum of a row, and of the rows that a trigger sees.
    sum: &'static str,
    new: &'static str,
    old: &'static str,
    /// Columns that no trigger follows: a statement that writes no others keeps the checksum itself.
    own: &'static [&'static str],
}

macro_rules! summed {
    ($table:ident $name:literal, $own:expr) => {
        Summed {
            table: $name,
            sum: row_sum!($table $name),
            new: row_sum!($table "new"),
            old: row_sum!($table "old"),
            own: $own,
        }
    };
}

/// Every table whose rows have checksums.
pub(super) const SUMMED: &[Summed] = &[
    summed!(
        integration "integration",
        &[
            "next_run_at_ms", "next_trigger", "lease_owner", "lease_token", "lease_until_ms", "failures",
            "passes", "last_run_id", "fingerprint_at_ms", "expires_at_ms", "expires_what",
        ]
    ),
    summed!(event "event", &[]),
    summed!(delivery "delivery", &["lease_owner", "lease_token", "lease_until_ms"]),
    summed!(transition "transition", &[]),
];

impl Summed {
    /// Returns the names and statements of the triggers.
    pub(super) fn triggers(&self) -> [(String, String); 2] {
        let Self { table, new, old, .. } = self;
        let (inserted, updated) = (format!("{table}_inserted"), format!("{table}_updated"));
        let moved = format!("row_moved(checksum, {old}, {new})");
        let insert = format!(
            "CREATE TRIGGER {inserted} AFTER INSERT ON {table} BEGIN \
             UPDATE {table} SET checksum = row_moved(checksum, 0, {new}) WHERE rowid = new.rowid; END"
        );
        let update = format!(
            "CREATE TRIGGER {updated} AFTER UPDATE OF {} ON {table} BEGIN \
             UPDATE {table} SET checksum = {moved} WHERE rowid = new.rowid; END",
            self.followed().join(", ")
        );
        [(inserted, insert), (updated, update)]
    }

    /// Returns true when the database has the triggers of this version.
    fn is_kept(&self, conn: &Connection) -> Result<bool, rusqlite::Error> {
        for (name, trigger) in self.triggers() {
            if stored(conn, &name)? != Some(trigger) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Returns the columns that a trigger follows.
    pub(super) fn followed(&self) -> Vec<&'static str> {
        let columns = self.columns();
        columns.into_iter().filter(|column| !self.own.contains(column)).collect()
    }

    /// Returns the columns of the sum, in its order.
    pub(super) fn columns(&self) -> Vec<&'static str> {
        let parts = self.sum.trim_end_matches(')').split(", ");
        parts.filter_map(|part| part.split_once('.')).map(|(_, column)| column).collect()
    }
}

/// Adds the functions that the triggers and statements call.
pub(super) fn register(conn: &Connection) -> Result<(), rusqlite::Error> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("row_sum", -1, flags, |values| Ok(sum(values)))?;
    conn.create_scalar_function("row_moved", 3, flags, |values| {
        let (checksum, was, is): (i64, i64, i64) = (values.get(0)?, values.get(1)?, values.get(2)?);
        Ok(checksum.wrapping_sub(was).wrapping_add(is))
    })?;
    conn.create_scalar_function("row_sound", 2, flags, |values| {
        let (checksum, sum): (Option<i64>, i64) = (values.get(0)?, values.get(1)?);
        if checksum.is_none_or(|checksum| checksum == sum) { Ok(true) } else { Err(damage()) }
    })
}

fn damage() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None)
}

/// Adds up the hashes of the values, the first of which is the place of the next.
fn sum(values: &Context<'_>) -> i64 {
    let mut values = (&**values).into_iter();
    let first = match values.next() {
        Some(ValueRef::Integer(place)) => place.cast_unsigned(),
        _ => 0,
    };
    let each = (first..).zip(values).map(|(place, value)| hash(place, value));
    each.fold(0, u64::wrapping_add).cast_signed()
}

/// Hashes a value at a place. One changed bit always changes the result, and what else changes it as good as always.
fn hash(place: u64, value: ValueRef<'_>) -> u64 {
    let (kind, bits) = match value {
        ValueRef::Null => (0, 0),
        ValueRef::Integer(number) => (1, number.cast_unsigned()),
        ValueRef::Real(number) => (2, number.to_bits()),
        ValueRef::Text(bytes) => (3, bits_of(bytes)),
        ValueRef::Blob(bytes) => (4, bits_of(bytes)),
    };
    mix(bits ^ mix(place.wrapping_mul(8).wrapping_add(kind)))
}

fn bits_of(bytes: &[u8]) -> u64 {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    u64::from(crc32fast::hash(bytes)) | length.wrapping_shl(32)
}

/// Mixes bits so that each one changes all (the finalizer of `SplitMix64`); no two inputs have one result.
pub(super) const fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Computes the checksums of all rows.
pub(super) fn seal(tx: &Connection) -> Result<(), rusqlite::Error> {
    SUMMED.iter().try_for_each(|Summed { table, sum, .. }| {
        tx.execute(&format!("UPDATE {table} SET checksum = {sum}"), []).map(drop)
    })
}

/// Computes the checksums of all rows and adds the triggers that keep them from now on.
pub(super) fn put_on(tx: &Connection) -> Result<(), StoreError> {
    seal(tx)?;
    for summed in SUMMED {
        for (_, trigger) in summed.triggers() {
            tx.execute_batch(&trigger)?;
        }
    }
    Ok(())
}

/// Verifies the rows of a database and removes its triggers, before its tables are changed.
///
/// # Errors
///
/// Fails as damage when a row does not fit its checksum.
pub(super) fn take_off(tx: &Connection) -> Result<(), StoreError> {
    if !misfits(tx, false, i64::MAX)?.is_empty() {
        return Err(damage().into());
    }
    for summed in SUMMED {
        for (name, _) in summed.triggers() {
            tx.execute_batch(&format!("DROP TRIGGER IF EXISTS {name}"))?;
        }
    }
    Ok(())
}

/// Returns a line for each table with rows that do not fit their checksums, of the latest `most` rows of each; with
/// `is_newest`, also for each one whose checksums are not kept. A database of an older version is verified by what its
/// own triggers sum up.
pub(super) fn misfits(
    conn: &Connection,
    is_newest: bool,
    most: i64,
) -> Result<Vec<String>, rusqlite::Error> {
    let mut found = Vec::new();
    for summed in SUMMED {
        let table = summed.table;
        if is_newest && !summed.is_kept(conn)? {
            found.push(format!("checksums of {table} are not kept as they should be"));
        }
        let Some(sum) = stored_sum(conn, table)? else { continue };
        let sql = format!(
            "SELECT count(*), min(place) FROM (
                SELECT rowid AS place, * FROM {table} ORDER BY rowid DESC LIMIT {most}) AS {table}
             WHERE checksum IS NOT {sum}"
        );
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (count, first): (i64, Option<i64>) = conn.query_row(&sql, [], read)?;
        if let Some(first) = first {
            found.push(format!(
                "rows of {table} that do not fit their checksums: {count}, the first is {first}"
            ));
        }
    }
    Ok(found)
}

fn stored(conn: &Connection, trigger: &str) -> Result<Option<String>, rusqlite::Error> {
    const SQL: &str = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?1";
    conn.query_row(SQL, [trigger], |row| row.get(0)).optional()
}

/// Returns the sum that a database stores for the rows of `table`; none when it stores none.
fn stored_sum(conn: &Connection, table: &str) -> Result<Option<String>, rusqlite::Error> {
    let Some(trigger) = stored(conn, &format!("{table}_inserted"))? else { return Ok(None) };
    let sum = trigger.split_once("row_moved(checksum, 0, ");
    let sum = sum.and_then(|(_, rest)| rest.split_once(") WHERE "));
    Ok(sum.map(|(sum, _)| sum.replace("new.", &format!("{table}."))))
}
