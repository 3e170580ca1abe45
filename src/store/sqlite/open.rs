//! From a path to an open connection: lock, creation, identity, settings, migrations.
//!
//! A file that exists is a complete database of this program, or it is refused and left as it is: a new database is
//! built beside its place and renamed into it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

use super::super::random;
use super::StoreError;
use super::defect::{self, Defect};
use super::migrations::{APPLICATION_ID, migrate, newest};
use super::place::{self, Locks, MODE, Place, beside, refused, unusable};
use super::reserve::Reserve;

/// Longest wait of a statement for another process to release its lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection.
const STATEMENTS_MAX: usize = 64;

/// Largest size of the write-ahead log after a checkpoint, in bytes.
const LOG_SIZE_MAX: i64 = 64 * 1024 * 1024;

/// The most memory for pages of the writer's connection, in KiB: the rows of some thousands of
/// integrations. It is taken as it is needed.
const CACHE_MAX: i32 = 16 * 1024;

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
}

/// Opens the database at `path` for the daemon, or creates it there.
pub(super) fn open(path: &Path) -> Result<Opened, StoreError> {
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
    identify(&connect_to_read(path)?, path)?;
    let mut conn = connect(path)?;
    match take_over(&mut conn) {
        Ok(owner) => {
            let place = Place::of(path).map_err(|error| unusable(path, &error))?;
            let reserve = Reserve::new(path);
            Ok(Opened { conn, owner, locks, place: place.with_log(), reserve })
        }
        Err(error) => Err(explained(path, error)),
    }
}

fn take_over(conn: &mut Connection) -> Result<i64, StoreError> {
    configure(conn)?;
    migrate(conn)?;
    begin_life(conn)
}

/// Opens an existing database for reading.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let path = &existing(path)?;
    let conn = connect_to_read(path)?;
    let found = identify(&conn, path)?;
    if found < newest() {
        let problem = format!("schema {found} is old; the daemon brings it up to date at start");
        return Err(refused(path, problem));
    }
    Ok(conn)
}

/// Opens an existing database of this version or an older one for being copied.
pub(super) fn open_to_copy(path: &Path) -> Result<Connection, StoreError> {
    let path = &existing(path)?;
    let conn = connect_to_read(path)?;
    identify(&conn, path)?;
    Ok(conn)
}

/// Opens an existing database that nothing writes to and that has no log; no file is made beside it.
pub(super) fn open_at_rest(path: &Path) -> Result<Connection, StoreError> {
    let path = &existing(path)?;
    let conn = read_only(path, true)?;
    identify(&conn, path)?;
    Ok(conn)
}

/// Returns the path of a database that is there, without links in it.
fn existing(path: &Path) -> Result<PathBuf, StoreError> {
    let path = place::resolved(path)?;
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => {
            let problem = "there is no database here; the daemon creates it when it first starts";
            Err(refused(&path, problem))
        }
        Err(error) => Err(unusable(&path, &error)),
    }
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

/// Returns the error for a file with content that cannot be used.
fn damaged(path: &Path, problem: &str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), problem: problem.to_owned() }
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
    migrate(&mut conn)?;
    conn.close().map_err(|(_conn, error)| error)?;
    std::fs::rename(&draft, path).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| unusable(folder, &error))
}

/// Opens a database for writing; a file that is not there is not made.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    harden(&conn)?;
    Ok(conn)
}

/// Connects for reading. Where the folder is not writable and no daemon runs, the log files can
/// neither be found nor made: then the file alone is complete, and is read as unchanging.
fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    let conn = read_only(path, false)?;
    match conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)) {
        Ok(_) => Ok(conn),
        Err(error) if is_without_log(&error) && !has_log(path) => read_only(path, true),
        Err(error) => Err(explain(path, error)),
    }
}

fn is_without_log(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// True unless the log is surely absent or empty.
pub(super) fn has_log(path: &Path) -> bool {
    match std::fs::metadata(beside(path, "-wal")) {
        Ok(log) => log.len() != 0,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

pub(super) fn read_only(path: &Path, unchanging: bool) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = if unchanging {
        let Some(text) = path.to_str() else {
            return Err(refused(path, "its name is not valid UTF-8"));
        };
        let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let uri = format!("file:{escaped}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
    } else {
        Connection::open_with_flags(path, flags)
    };
    let conn = opened.map_err(|error| explain(path, error))?;
    harden(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// Sets what every connection needs before it reads anything.
pub(super) fn harden(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Without this, kept statements are planned anew when they are given other values.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Sets what the daemon's connection needs besides.
fn configure(conn: &Connection) -> Result<(), StoreError> {
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
    conn.pragma_update(None, "cache_size", -CACHE_MAX)?;
    // What a savepoint may have to undo is a few pages, and no business of a temporary file.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Explains what the engine says of a file at the first look at it.
pub(super) fn explained(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Engine(error) = error else { return error };
    match error.downcast() {
        Ok(error) => explain(path, *error),
        Err(other) => StoreError::Engine(other),
    }
}

/// The error of a first look at a file, in words that help.
fn explain(path: &Path, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damaged(path, "is not a database or is damaged, and was left as it is; restore a copy")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            refused(path, format!("cannot be opened: {error}"))
        }
        _ => error.into(),
    }
}

/// Refuses a file that is no database of this program, or newer than it; returns its schema version.
fn identify(conn: &Connection, path: &Path) -> Result<u32, StoreError> {
    let pragma = |name| {
        let value = conn.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        value.map_err(|error| explain(path, error))
    };
    let (owner, version) = (pragma("application_id")?, pragma("user_version")?);
    if owner != APPLICATION_ID {
        let empty = std::fs::metadata(path).is_ok_and(|file| file.len() == 0);
        let problem = if empty {
            "is empty: restore a copy, or remove it to start anew"
        } else {
            "is a database of another program"
        };
        return Err(damaged(path, problem));
    }
    let (found, known) = (u32::try_from(version).unwrap_or(0), newest());
    if known < found { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

/// Begins a life of this node: frees the leases of its former life, which has ended since its lock
/// was free, and returns the incarnation that owns those of this one.
///
/// Leases of other owners stay until they run out.
pub(super) fn begin_life(conn: &mut Connection) -> Result<i64, StoreError> {
    const FORMER: &str = "SELECT incarnation FROM node WHERE name = ?1";
    const RUNS: &str = "
        UPDATE integration SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE lease_until_ms IS NOT NULL AND lease_owner = ?1";
    const DELIVERIES: &str = "
        UPDATE delivery SET lease_owner = NULL, lease_token = NULL, lease_until_ms = NULL
        WHERE lease_until_ms IS NOT NULL AND lease_owner = ?1";
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
