//! Moves of all rows out of a file, and into a new one.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, OptionalExtension, Rows, Statement, ToSql, params_from_iter};

use super::connect::{
    connect, connect_to_read, damaged, damaged_by, explained, identify, read_only,
};
use super::copy::{Draft, rename_to_free_name, sync_folder};
use super::migrations::{check_references, migrate, newest};
use super::moved::{self, MOVED_ID, MovedMark};
use super::place::{self, Locks, beside, refused, unusable};
use super::restore::{belong, locked};
use super::{StoreError, integrity, open};
use crate::store::forms::tables::{COUNTED, Numbers, Row, Sum, TABLES, Table, Value};

/// Number of rows that are carried at once.
const BATCH_ROWS: usize = 500;
/// Size of texts and bytes from which a batch is full.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// File that is moved, locked as a daemon would lock it.
#[derive(Debug)]
pub(in crate::store) struct Source {
    path: PathBuf,
    conn: Connection,
    mark: Option<MovedMark>,
    _locks: Locks,
}

impl Source {
    /// Opens the file at `path`, which no daemon may use, and verifies it unless it is marked.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = place::resolved(path)?;
        if matches!(path.try_exists(), Ok(false)) {
            return Err(refused(&path, "there is no database here to be moved"));
        }
        let locks = locked(&path)?;
        place::require_one_name(&path)?;
        let found = connect_to_read(&path)?;
        let owner: i32 = found.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let mark = if owner == MOVED_ID { Some(moved::read(&found)?) } else { None };
        if mark.is_none() {
            require_sound(&found, &path)?;
        }
        drop(found);
        let conn = connect(&path)?;
        open::configure(&conn).map_err(|error| explained(&path, error))?;
        Ok(Self { path, conn, mark, _locks: locks })
    }

    /// Returns the mark that the file has.
    pub(in crate::store) const fn mark(&self) -> Option<&MovedMark> {
        self.mark.as_ref()
    }

    /// Returns the error that says of the mark what it means, if there is one.
    pub(in crate::store) fn refusal(&self) -> Option<StoreError> {
        self.mark.as_ref().map(|mark| mark.refusal(&self.path))
    }

    /// Keeps commands beside this one from changing anything until the file is marked, or this is dropped.
    pub(in crate::store) fn begin(&self) -> Result<(), StoreError> {
        Ok(self.conn.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Returns the identity and the counters of the database.
    pub(in crate::store) fn numbers(&self) -> Result<Numbers, StoreError> {
        numbers(&self.conn)
    }

    /// Prepares to read all rows of a table.
    pub(in crate::store) fn reading(&self, table: &Table) -> Result<Reading<'_>, StoreError> {
        reading(&self.conn, table)
    }

    /// Marks the file, and commits what [`Self::begin`] began.
    pub(in crate::store) fn set_mark(&mut self, mark: MovedMark) -> Result<(), StoreError> {
        moved::set(&self.conn, &mark)?;
        self.conn.execute_batch("COMMIT")?;
        self.mark = Some(mark);
        Ok(())
    }

    /// Notes that the other store has committed.
    pub(in crate::store) fn finish_mark(&mut self) -> Result<(), StoreError> {
        moved::finish(&self.conn)?;
        if let Some(mark) = &mut self.mark {
            mark.is_done = true;
        }
        Ok(())
    }

    /// Takes the mark off: the other store has not committed.
    pub(in crate::store) fn clear_mark(&mut self) -> Result<(), StoreError> {
        moved::clear(&mut self.conn)?;
        self.mark = None;
        Ok(())
    }
}

/// Fails unless the database is of this version and sound.
fn require_sound(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let version = identify(conn, path)?;
    if version < newest() {
        let problem = format!(
            "schema {version} is old; start the daemon of this version on it once, which brings it up to date, and \
             stop it again"
        );
        return Err(refused(path, problem));
    }
    let problems = integrity::problems(conn, true)?;
    if problems.is_empty() { Ok(()) } else { Err(damaged_by(path, &problems)) }
}

/// Statement that reads all rows of a table.
pub(in crate::store) struct Reading<'c>(Statement<'c>);

impl Reading<'_> {
    /// Begins to read the rows.
    pub(in crate::store) fn batches(&mut self) -> Result<Batches<'_>, StoreError> {
        let width = self.0.column_count();
        Ok(Batches { rows: self.0.query([])?, width })
    }
}

/// Rows of a table that are read batch by batch.
pub(in crate::store) struct Batches<'s> {
    rows: Rows<'s>,
    width: usize,
}

impl Batches<'_> {
    /// Returns the next rows; empty after the last.
    pub(in crate::store) fn next(&mut self) -> Result<Vec<Row>, StoreError> {
        let (mut batch, mut bytes) = (Vec::new(), 0_usize);
        while batch.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some(row) = self.rows.next()? else { break };
            let mut values = Vec::with_capacity(self.width);
            for place in 0..self.width {
                let (value, size) = value(row.get_ref(place)?, place)?;
                bytes = bytes.saturating_add(size);
                values.push(value);
            }
            batch.push(values);
        }
        Ok(batch)
    }
}

fn reading<'c>(conn: &'c Connection, table: &Table) -> Result<Reading<'c>, StoreError> {
    // Only what is pending is due; the instants of what has ended are left behind.
    let names = table.names().replace(
        "due_at_ms",
        match table.name {
            "delivery" => "iif(state = 'pending', due_at_ms, NULL)",
            _ => "due_at_ms",
        },
    );
    let sql = format!("SELECT {names} FROM {}", table.name);
    Ok(Reading(conn.prepare(&sql)?))
}

/// Returns a value with the size of its text or bytes.
fn value(value: ValueRef<'_>, place: usize) -> Result<(Value, usize), StoreError> {
    Ok(match value {
        ValueRef::Null => (Value::Null, 0),
        ValueRef::Integer(number) => (Value::Whole(number), 0),
        ValueRef::Text(bytes) => {
            let unread = |error| rusqlite::Error::Utf8Error(place, error);
            let text = str::from_utf8(bytes).map_err(unread)?;
            (Value::Text(text.to_owned()), bytes.len())
        }
        ValueRef::Blob(bytes) => (Value::Bytes(bytes.to_vec()), bytes.len()),
        ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery.into()),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(SqlValue::Null),
            Self::Whole(number) => ToSqlOutput::Owned(SqlValue::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

fn numbers(conn: &Connection) -> Result<Numbers, StoreError> {
    const META: &str = "SELECT epoch, sequence, pruned_number FROM meta";
    const LATEST: &str = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
    let mut found = conn.query_row(META, [], |row| {
        let (epoch, sequence, pruned_number) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Numbers { epoch, sequence, pruned_number, ..Numbers::default() })
    })?;
    for (latest, name) in found.latest.iter_mut().zip(COUNTED) {
        *latest = conn.query_row(LATEST, [name], |row| row.get(0)).optional()?.unwrap_or(0);
    }
    Ok(found)
}

/// New file that rows are moved into. It has no final name until the other store has committed, and is locked as a
/// daemon would lock it.
#[derive(Debug)]
pub(in crate::store) struct Target {
    /// Final path of the file.
    path: PathBuf,
    _locks: Locks,
}

/// Draft of a new file, which is written in one transaction.
#[derive(Debug)]
pub(in crate::store) struct Writing {
    conn: Connection,
    draft: Draft,
}

impl Target {
    /// Locks the place of a new file; no file may be there.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let path = std::path::absolute(path).map_err(|error| unusable(path, &error))?;
        let locks = locked(&path)?;
        Ok(Self { path, _locks: locks })
    }

    /// Returns the path of the file.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true when there is a file.
    pub(in crate::store) fn is_there(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Begins a new database, beside its place.
    pub(in crate::store) fn begin(&self) -> Result<Writing, StoreError> {
        if self.is_there() {
            return Err(refused(&self.path, "exists already, and is left as it is"));
        }
        for leftover in place::moving(&self.path) {
            std::fs::remove_file(&leftover).map_err(|error| unusable(&leftover, &error))?;
        }
        let draft = Draft::new(super::copy::folder_of(&self.path))?;
        let mut conn = connect(draft.path())?;
        // A draft needs no protection from crashes: it has no final name until it is on the disk.
        conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        migrate(&mut conn)?;
        conn.pragma_update(None, "foreign_keys", false)?;
        conn.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Writing { conn, draft })
    }

    /// Returns the name of the complete file until the other store has committed.
    fn complete(&self, token: &str) -> PathBuf {
        beside(&self.path, &format!("{}{token}", place::MOVING))
    }

    /// Gives the complete file its final name.
    pub(in crate::store) fn publish(&self, token: &str) -> Result<(), StoreError> {
        rename_to_free_name(&self.complete(token), &self.path)?;
        sync_folder(&self.path)
    }

    /// Returns true when the complete file of a move is there.
    pub(in crate::store) fn has_complete(&self, token: &str) -> bool {
        self.complete(token).symlink_metadata().is_ok()
    }

    /// Removes the complete file: the other store has not committed.
    pub(in crate::store) fn discard(&self, token: &str) -> Result<(), StoreError> {
        let complete = self.complete(token);
        std::fs::remove_file(&complete).map_err(|error| unusable(&complete, &error))
    }
}

impl Writing {
    /// Adds rows to a table.
    pub(in crate::store) fn put(&self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names());
        let mut statement = self.conn.prepare_cached(&sql)?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    /// Ends the file with its identity and its counters, verifies it, and puts it on the disk beside its final name.
    /// Returns its numbers, and the sums of its tables in their order.
    pub(in crate::store) fn finish(
        self,
        target: &Target,
        token: &str,
        numbers: &Numbers,
    ) -> Result<(Numbers, Vec<Sum>), StoreError> {
        let Self { conn, draft } = self;
        set_numbers(&conn, numbers)?;
        check_references(&conn).map_err(|error| damaged(&target.path, &error.to_string()))?;
        conn.execute_batch("COMMIT")?;
        conn.close().map_err(|(_conn, error)| error)?;
        let found = verified(draft.path(), &target.path)?;
        belong(draft.path(), &target.path)?;
        draft.publish(&target.complete(token))?;
        Ok(found)
    }
}

/// Reads a complete draft again.
fn verified(draft: &Path, path: &Path) -> Result<(Numbers, Vec<Sum>), StoreError> {
    let conn = read_only(draft, true)?;
    let problems = integrity::problems(&conn, true)?;
    if !problems.is_empty() {
        return Err(damaged_by(path, &problems));
    }
    let mut sums = Vec::new();
    for table in TABLES {
        let (mut sum, mut reading) = (Sum::default(), reading(&conn, table)?);
        let mut batches = reading.batches()?;
        loop {
            let batch = batches.next()?;
            for row in &batch {
                sum.add(row);
            }
            if batch.is_empty() {
                break;
            }
        }
        sums.push(sum);
    }
    Ok((numbers(&conn)?, sums))
}

fn set_numbers(conn: &Connection, numbers: &Numbers) -> Result<(), StoreError> {
    const META: &str = "UPDATE meta SET epoch = ?1, sequence = ?2, pruned_number = ?3";
    const FORGET: &str = "DELETE FROM sqlite_sequence WHERE name = ?1";
    const LATEST: &str = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
    let Numbers { epoch, sequence, pruned_number, latest } = numbers;
    conn.execute(META, (epoch, sequence, pruned_number))?;
    for (name, latest) in COUNTED.iter().zip(latest).filter(|(_, latest)| 0 < **latest) {
        conn.execute(FORGET, [name])?;
        conn.execute(LATEST, (name, latest))?;
    }
    Ok(())
}
