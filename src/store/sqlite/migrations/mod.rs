//! Migrations of the file's schema: append-only steps, each in a transaction of its own.

use aws_lc_rs::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior};

use super::super::random;
use super::{StoreError, checksum};

/// Marks the file as one of this program: "reva" in ASCII.
pub(super) const APPLICATION_ID: i32 = 0x7265_7661;

/// Every step from an empty file to the newest schema; append-only.
pub(super) const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("0001_start.sql")),
    (2, include_str!("0002_receivers.sql")),
    (3, include_str!("0003_observed.sql")),
    (4, include_str!("0004_holds.sql")),
    (5, include_str!("0005_rows.sql")),
    (6, include_str!("0006_leases.sql")),
    (7, include_str!("0007_known.sql")),
    (8, include_str!("0008_node.sql")),
    (9, include_str!("0009_names.sql")),
    (10, include_str!("0010_incidents.sql")),
    (11, include_str!("0011_probes.sql")),
    (12, include_str!("0012_configuration_fault.sql")),
    (13, include_str!("0013_requests.sql")),
    (14, include_str!("0014_counted.sql")),
    (15, include_str!("0015_renames.sql")),
    (16, include_str!("0016_evidence.sql")),
    (17, include_str!("0017_lists.sql")),
    (18, include_str!("0018_backup_fault.sql")),
    (19, include_str!("0019_heartbeat.sql")),
    (20, include_str!("0020_checksums.sql")),
    (21, include_str!("0021_run_details.sql")),
    (22, include_str!("0022_factor_counts.sql")),
];

/// The schema that calls the class of the daemon's own faults `local`.
const LOCAL_SINCE: u32 = 6;

/// Returns the newest schema version that this program knows.
pub(super) fn newest() -> u32 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// Returns the newest schema version, and the version of the library.
pub(in crate::store) fn versions() -> (u32, &'static str) {
    (newest(), rusqlite::version())
}

/// Brings `conn` to the newest schema, each step in a transaction of its own.
///
/// A table that others refer to can be replaced only while references are not checked; at the end of the
/// step every reference has to lead somewhere.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "foreign_keys", false)?;
    checksum::register(conn)?;
    for (version, sql) in MIGRATIONS {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found < *version {
            checksum::take_off(&tx)?;
            tx.execute_batch(sql)?;
            if *version == LOCAL_SINCE {
                rename_local(&tx)?;
            }
            if found == 0 {
                const SQL: &str = "INSERT INTO meta (one, epoch) VALUES (1, ?1)";
                tx.execute(SQL, [random::epoch()?])?;
                tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            }
            if *version == newest() {
                checksum::put_on(&tx)?;
            }
            tx.pragma_update(None, "user_version", version)?;
            check_references(&tx)?;
        }
        tx.commit()?;
    }
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Renames the class of the daemon's own faults to `local` in stored results, whose digests follow their content.
fn rename_local(tx: &Connection) -> Result<(), StoreError> {
    const FORMER: &str = r#""class":"ours""#;
    const FIND: &str = "SELECT id, content FROM report WHERE instr(content, ?1) ORDER BY id";
    const CHANGE: &str = "UPDATE report SET digest = ?1, content = ?2 WHERE id = ?3";
    // Within a text quotes are escaped, so that this is found as a member only.
    let mut found = tx.prepare(FIND)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let reports: Vec<(i64, String)> = found.query_map([FORMER], read)?.collect::<Result<_, _>>()?;
    for (id, content) in reports {
        let content = content.replace(FORMER, r#""class":"local""#);
        let digest = digest(&SHA256, content.as_bytes());
        tx.execute(CHANGE, (digest.as_ref(), &content, id))?;
    }
    Ok(())
}

/// Fails when a reference leads nowhere.
pub(super) fn check_references(tx: &Connection) -> Result<(), rusqlite::Error> {
    const SQL: &str = "SELECT \"table\", parent FROM pragma_foreign_key_check";
    let name = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let Some((child, parent)) = tx.query_row(SQL, [], name).optional()? else { return Ok(()) };
    let problem = format!("a row of {child} refers to a row of {parent} that is not there");
    let broken = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
    Err(rusqlite::Error::SqliteFailure(broken, Some(problem)))
}
