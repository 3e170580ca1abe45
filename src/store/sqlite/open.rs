//! From a path to an open connection: lock, creation, identity, settings, migrations.
//!
//! A file that exists is a complete database of this program, or it is refused and left as it is: a new database is
//! built beside its place and renamed into it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::super::random;
use super::StoreError;
use super::before_migration;
use super::checksum::lease_moved;
use super::connect::{
    connect, connect_to_read, damaged, damaged_by, explained, identify, open_to_read,
};
use super::defect::{self, Defect};
use super::integrity;
use super::migrations::{migrate, newest};
use super::place::{self, Locks, MODE, Place, beside, refused, unusable};
use super::reserve::Reserve;

/// Largest size of the write-ahead log after a checkpoint, in bytes.
const LOG_SIZE_MAX: i64 = 64 * 1024 * 1024;

/// Least and most memory for pages of the writer's connection, in KiB, of which each integration needs one. It is
/// taken in time, by history as well, which is not read again.
const CACHE: RangeInclusive<i32> = 2 * 1024..=16 * 1024;

/// Largest database that is verified before the daemon is ready, in bytes: some seconds.
const VERIFIED_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Largest database of which indexes and references are verified too before the daemon is ready, in bytes: half a second.
const THOROUGH_MAX: u64 = 64 * 1024 * 1024;

/// Older versions can damage the file when a checkpoint meets a restart of the log.
const SQLITE_MIN: i32 = 3_051_003;

/// Name of the only node that uses a file; its lock keeps others out.
pub(super) const NODE: &str = "local";

/// The daemon's connection, with the lock that keeps other daemons out.
#[derive(Debug)]
pub(super) struct Opened {
    /// At the newest schema.
    pub(super) conn: Connection,
    /// Incarnation of this node, the owner of its leases.
    pub(super) owner: i64,
    /// Locks that keep other daemons out until this is dropped.
    pub(super) locks: Locks,
    /// Where the file has to stay.
    pub(super) place: Place,
    /// Room for what must be stored when the disk is full.
    pub(super) reserve: Reserve,
    /// True when all of its pages were read and found sound.
    pub(super) is_verified: bool,
}

/// Opens the database at `path` for the daemon, or creates it there.
///
/// One of an older version is copied before it is migrated, if `is_copied` says so.
pub(super) fn open(path: &Path, is_copied: bool) -> Result<Opened, StoreError> {
    require_version(path)?;
    let path = &place::resolved(path)?;
    let beside = place::lock_beside(path)?;
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => {
            place::refuse_interrupted(path)?;
            create(path)?;
        }
        Err(error) => return Err(unusable(path, &error)),
    }
    let locks = place::lock_database(path, beside)?;
    place::require_one_name(path)?;
    let found = connect_to_read(path)?;
    let version = identify(&found, path)?;
    let is_verified = verify_after_crash(&found, path)?;
    drop(found);
    if version < newest() && is_copied {
        before_migration::keep(path, version)?;
    }
    let mut conn = connect(path)?;
    match take_over(&mut conn) {
        Ok(owner) => {
            let place = Place::of(path).map_err(|error| unusable(path, &error))?;
            let reserve = Reserve::new(path);
            let place = place.with_log();
            Ok(Opened { conn, owner, locks, place, reserve, is_verified })
        }
        Err(error) => Err(explained(path, error)),
    }
}

/// Verifies the database unless the daemon stopped in good order; returns true then. A large one is left for later,
/// since the service manager waits for the start.
///
/// # Errors
///
/// Fails when it is damaged.
fn verify_after_crash(conn: &Connection, path: &Path) -> Result<bool, StoreError> {
    const CRASHED: &str = "
        SELECT count(*) FROM node WHERE started_at_ms IS NOT NULL AND stopped_at_ms IS NULL";
    // An old version has no note of its life, and a damaged one may not be readable.
    let crashed = conn.query_row(CRASHED, [], |row| row.get::<_, i64>(0)).unwrap_or(1);
    let bytes = std::fs::metadata(path).map_or(u64::MAX, |file| file.len());
    if crashed == 0 || VERIFIED_MAX < bytes {
        return Ok(false);
    }
    let problems = integrity::problems(conn, bytes <= THOROUGH_MAX)?;
    if problems.is_empty() { Ok(true) } else { Err(damaged_by(path, &problems)) }
}

fn take_over(conn: &mut Connection) -> Result<i64, StoreError> {
    configure(conn)?;
    migrate(conn)?;
    begin_life(conn)
}

/// Opens an existing database of this version for short writes beside the daemon.
pub(super) fn open_to_control(path: &Path) -> Result<(Connection, Place), StoreError> {
    require_version(path)?;
    let path = &place::resolved(path)?;
    place::require_one_name(path)?;
    let place = Place::of(path);
    drop(open_to_read(path)?);
    let place = place.map_err(|error| unusable(path, &error))?;
    let conn = connect(path)?;
    match configure(&conn) {
        Ok(()) => Ok((conn, place)),
        Err(error) => Err(explained(path, error)),
    }
}

fn require_version(path: &Path) -> Result<(), StoreError> {
    if rusqlite::version_number() < SQLITE_MIN {
        let version = rusqlite::version();
        let problem = format!("SQLite {version} can damage it; at least 3.51.3 is needed");
        return Err(refused(path, problem));
    }
    Ok(())
}

/// Builds a new database beside `path`, then moves it there in one step.
fn create(path: &Path) -> Result<(), StoreError> {
    let log = beside(path, "-wal");
    if !matches!(log.try_exists(), Ok(false)) {
        let log = log.display();
        let problem = format!("is missing, but its log {log} is not; restore a copy of both");
        return Err(damaged(path, &problem));
    }
    let draft = beside(path, ".new");
    let failed = |error: io::Error| unusable(&draft, &error);
    for leftover in [&draft, &beside(&draft, "-journal")] {
        match std::fs::remove_file(leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
    }
    let made = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft);
    // The mode at creation is subject to the umask, this one is not.
    made.and_then(|file| file.set_permissions(Permissions::from_mode(MODE))).map_err(failed)?;
    let mut conn = connect(&draft)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Free pages can be given back in steps later.
    conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    migrate(&mut conn)?;
    conn.close().map_err(|(_conn, error)| error)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| unusable(folder, &error))
}

/// Sets what the daemon's connection needs besides.
pub(super) fn configure(conn: &Connection) -> Result<(), StoreError> {
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        let path = conn.path().unwrap_or_default();
        let problem = format!("the file system allows no write-ahead log (mode {mode})");
        return Err(refused(Path::new(path), problem));
    }
    // A commit waits for the disk: anything less may forget what a receiver was notified of.
    let is_full = defect::planted() != Some(Defect::SynchronousNormal);
    conn.pragma_update(None, "synchronous", if is_full { "FULL" } else { "NORMAL" })?;
    conn.pragma_update_and_check(None, "journal_size_limit", LOG_SIZE_MAX, |_| Ok(()))?;
    conn.pragma_update(None, "cache_size", -CACHE.start())?;
    // What a savepoint may have to undo is a few pages, and no business of a temporary file.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Gives the writer's connection the memory for pages that the rows of so many integrations need.
pub(super) fn size_cache(conn: &Connection, integrations: usize) -> Result<(), StoreError> {
    let kib = i32::try_from(integrations).unwrap_or(i32::MAX);
    conn.pragma_update(None, "cache_size", -kib.clamp(*CACHE.start(), *CACHE.end()))?;
    Ok(())
}

/// Begins a life of this node: frees the leases of its former life, which has ended since its lock
/// was free, and returns the incarnation that owns those of this one.
///
/// Leases of other owners stay until they run out.
pub(super) fn begin_life(conn: &mut Connection) -> Result<i64, StoreError> {
    const FORMER: &str = "SELECT incarnation FROM node WHERE name = ?1";
    const RUNS: &str = concat!(
        "UPDATE integration SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL, ",
        lease_moved!(3, "NULL, NULL, NULL"),
        " WHERE lease_until_ms IS NOT NULL AND lease_owner = ?1"
    );
    const DELIVERIES: &str = concat!(
        "UPDATE delivery SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL, ",
        lease_moved!(1, "NULL, NULL, NULL"),
        " WHERE lease_until_ms IS NOT NULL AND lease_owner = ?1"
    );
    const NOW: &str = "
        INSERT INTO node (name, incarnation) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation";
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let former: Option<i64> = tx.query_row(FORMER, [NODE], |row| row.get(0)).optional()?;
    if let Some(former) = former {
        tx.execute(RUNS, [former])?;
        tx.execute(DELIVERIES, [former])?;
    }
    let incarnation = random::number()?;
    tx.execute(NOW, (NODE, incarnation))?;
    tx.commit()?;
    Ok(incarnation)
}
