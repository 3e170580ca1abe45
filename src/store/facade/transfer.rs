//! Moves of everything between a file and a database on a server, while no daemon runs.
//!
//! Either the one or the other is the store, whenever a move is interrupted, since the commit on the server decides: a
//! file that is moved refuses to open before that commit is asked for, and a new file has no final name until it was
//! answered. The same move, called again, ends an interrupted one.

use std::path::Path;
use std::sync::Arc;

use crate::domain::{PostgresAddress, Timestamp};
use crate::store::{Moved, StoreError};

#[cfg(not(feature = "postgres"))]
use crate::store::error::no_engine;
#[cfg(feature = "postgres")]
pub(crate) use with_server::{to_file, to_server};

/// Moves everything from the file at `path` into the empty database at `address`, and marks the file.
///
/// # Errors
///
/// Fails when a daemon uses the file, it is damaged or of an older version, or the database is not empty.
#[cfg(not(feature = "postgres"))]
pub(crate) async fn to_server(
    _path: &Path,
    address: &Arc<PostgresAddress>,
    _now: Timestamp,
) -> Result<Moved, StoreError> {
    Err(no_engine(address))
}

/// Moves everything from the database at `address` into a new file at `path`, and marks the database.
///
/// # Errors
///
/// Fails when a daemon uses the database, or there is a file.
#[cfg(not(feature = "postgres"))]
pub(crate) async fn to_file(
    address: &Arc<PostgresAddress>,
    _path: &Path,
    _now: Timestamp,
) -> Result<Moved, StoreError> {
    Err(no_engine(address))
}

#[cfg(feature = "postgres")]
mod with_server {
    use super::{Arc, Moved, Path, PostgresAddress, StoreError, Timestamp};
    use crate::store::forms::tables::{Numbers, Sum, TABLES};
    use crate::store::postgres::{Arriving, Committed, Departing, Departure, arrived, host_name};
    use crate::store::random;
    use crate::store::sqlite::{MovedMark, Source, Target, Writing};

    /// Identity, counters and sums of the tables of a store.
    type Content = (Numbers, Vec<Sum>);

    /// Moves everything from the file at `path` into the empty database at `address`, and marks the file.
    ///
    /// # Errors
    ///
    /// Fails when a daemon uses the file, it is damaged or of an older version, or the database is not empty.
    pub(crate) async fn to_server(
        path: &Path,
        address: &Arc<PostgresAddress>,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let (from, to) = (path.display().to_string(), address.to_string());
        let mut source = Source::open(path)?;
        if let Some(mark) = source.mark().cloned() {
            if mark.is_done || mark.to != to {
                return Err(source.refusal().unwrap_or(StoreError::Stopped));
            }
            if arrived(address, &mark.token).await? == Committed::Yes {
                source.finish_mark()?;
                return Ok(Moved { from, to, at: mark.at, rows: Vec::new(), is_resumed: true });
            }
            source.clear_mark()?;
            drop(source);
            source = Source::open(path)?;
        }
        let token = token()?;
        let arriving = Arriving::begin(address).await?;
        source.begin()?;
        let content = carry(&source, &arriving).await?;
        arriving.finish(&content.0, &token).await?;
        let rows = compared(&content, &arriving.written().await?, &to)?;
        source.set_mark(MovedMark {
            token: token.clone(),
            to: to.clone(),
            at: now,
            is_done: false,
        })?;
        match arriving.commit(&token).await {
            Ok(Committed::Yes) => source.finish_mark()?,
            Ok(Committed::No) => {
                source.clear_mark()?;
                let problem =
                    "the server has not committed the move; the file is the store as before";
                return Err(StoreError::Server { address: to, problem: problem.to_owned() });
            }
            // It is not known: the mark says what to do.
            Err(error) => {
                tracing::warn!("{error}");
                return Err(source.refusal().unwrap_or(error));
            }
        }
        Ok(Moved { from, to, at: now, rows, is_resumed: false })
    }

    async fn carry(source: &Source, arriving: &Arriving) -> Result<Content, StoreError> {
        let mut sums = Vec::new();
        for table in TABLES {
            let (mut sum, mut reading) = (Sum::default(), source.reading(table)?);
            let mut batches = reading.batches()?;
            loop {
                let rows = batches.next()?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    sum.add(row);
                }
                arriving.put(table, &rows).await?;
            }
            sums.push(sum);
        }
        Ok((source.numbers()?, sums))
    }

    /// Moves everything from the database at `address` into a new file at `path`, and marks the database.
    ///
    /// # Errors
    ///
    /// Fails when a daemon uses the database, or there is a file.
    pub(crate) async fn to_file(
        address: &Arc<PostgresAddress>,
        path: &Path,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        let target = Target::open(path)?;
        let (from, to) = (address.to_string(), target.path().display().to_string());
        if let Some(departure) = Departing::departure(address).await? {
            let is_here = departure.machine == host_name() && departure.to == to;
            if is_here && !target.is_there() && target.has_complete(&departure.token) {
                target.publish(&departure.token)?;
                return Ok(Moved {
                    from,
                    to,
                    at: departure.at,
                    rows: Vec::new(),
                    is_resumed: true,
                });
            }
        }
        let departing = Departing::begin(address).await?;
        let writing = target.begin()?;
        let content = carry_back(&departing, &writing).await?;
        let token = token()?;
        let written = writing.finish(&target, &token, &content.0)?;
        let rows = match compared(&content, &written, &to) {
            Ok(rows) => rows,
            Err(error) => {
                target.discard(&token)?;
                return Err(error);
            }
        };
        let machine = host_name();
        let departure = Departure { token: token.clone(), to: to.clone(), machine, at: now };
        match departing.commit(&departure).await {
            Ok(Committed::Yes) => target.publish(&token)?,
            Ok(Committed::No) => {
                target.discard(&token)?;
                let problem =
                    "the server has not committed the move; its database is the store as before";
                return Err(StoreError::Server { address: from, problem: problem.to_owned() });
            }
            Err(error) => {
                tracing::warn!("{error}");
                let problem = "it is not known whether the server has committed the move; call the same command again";
                return Err(StoreError::Server { address: from, problem: problem.to_owned() });
            }
        }
        Ok(Moved { from, to, at: now, rows, is_resumed: false })
    }

    async fn carry_back(departing: &Departing, writing: &Writing) -> Result<Content, StoreError> {
        let mut sums = Vec::new();
        for table in TABLES {
            let mut sum = Sum::default();
            departing.open(table).await?;
            loop {
                let rows = departing.next(table).await?;
                if rows.is_empty() {
                    break;
                }
                for row in &rows {
                    sum.add(row);
                }
                writing.put(table, &rows)?;
            }
            sums.push(sum);
        }
        Ok((departing.numbers().await?, sums))
    }

    /// Compares what was read with what was written; returns the number of rows of each table.
    fn compared(
        read: &Content,
        written: &Content,
        to: &str,
    ) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let differs = |what: &str| {
            let problem = format!("{what} differ from those that were read; nothing was moved");
            StoreError::Server { address: to.to_owned(), problem }
        };
        for (place, table) in TABLES.iter().enumerate() {
            if read.1.get(place) != written.1.get(place) {
                return Err(differs(&format!("the rows of {}", table.name)));
            }
        }
        if read.0 != written.0 {
            return Err(differs("the epoch or the numbers"));
        }
        Ok(TABLES.iter().zip(&read.1).map(|(table, sum)| (table.name, sum.rows)).collect())
    }

    fn token() -> Result<String, StoreError> {
        Ok(format!("{:016x}", random::number()?))
    }
}
