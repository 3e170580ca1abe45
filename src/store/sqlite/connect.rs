//! Connections to files that are there: hardened, for reading or writing, and only to databases of this program.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::backup::migration_copies;
use super::migrations::{APPLICATION_ID, newest};
use super::moved::{self, MOVED_ID};
use super::place::{self, beside, refused, unusable};
use super::{StoreError, checksum};

/// Most memory for pages of a connection that only reads, in KiB: it reads what others have just written, or much once.
const READ_CACHE: i32 = 512;

/// Longest wait of a statement for another process to release its lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection.
const STATEMENTS_MAX: usize = 64;

/// Number of problems of a damaged database that are shown.
const PROBLEMS_SHOWN: usize = 3;

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

/// Opens a database for writing; a file that is not there is not made.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    harden(&conn)?;
    Ok(conn)
}

/// Connects for reading. Where the folder is not writable and no daemon runs, the log files can
/// neither be found nor made: then the file alone is complete, and is read as unchanging.
pub(super) fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    let conn = read_only(path, false)?;
    match conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)) {
        Ok(_) => {
            conn.pragma_update(None, "cache_size", -READ_CACHE)?;
            Ok(conn)
        }
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
    checksum::register(conn)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Without this, kept statements are planned anew when they are given other values.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
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
pub(super) fn identify(conn: &Connection, path: &Path) -> Result<u32, StoreError> {
    let pragma = |name| {
        let value = conn.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        value.map_err(|error| explain(path, error))
    };
    let (owner, version) = (pragma("application_id")?, pragma("user_version")?);
    if owner == MOVED_ID {
        return Err(moved::read(conn)?.refusal(path));
    }
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
    if found <= known {
        return Ok(found);
    }
    let mut copies = migration_copies(path).into_iter();
    let copy = copies.find(|copy| copy.version <= known).map(|copy| copy.path);
    Err(StoreError::Newer { found, known, copy })
}

/// Returns the error for a file with content that cannot be used.
pub(super) fn damaged(path: &Path, problem: &str) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), problem: problem.to_owned() }
}

/// Returns the error for a database in which a verification found problems.
pub(in crate::store) fn damaged_by(path: &Path, problems: &[String]) -> StoreError {
    let problems = problems.get(..PROBLEMS_SHOWN).unwrap_or(problems).join("; ");
    damaged(path, &format!("is damaged, and was left as it is: {problems}"))
}
