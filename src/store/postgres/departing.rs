//! Departure of all rows of a database into a file.

use std::sync::Arc;

use super::connect::Connections;
use super::error::Fault;
use super::node::{SILENT_MAX, clock, silent_max};
use super::transfer::{Committed, LIMITS, connected, has_schema, numbers, unusable};
use super::tx::{Tx, get, params};
use super::{StoreError, bulk, migrate};
use crate::domain::{PostgresAddress, Timestamp};
use crate::store::forms::tables::{Numbers, Row, TABLES, Table};

/// Database that rows are moved out of, in one transaction; nothing else writes to it meanwhile.
pub(in crate::store) struct Departing {
    address: Arc<PostgresAddress>,
    connections: Connections,
    tx: Tx,
}

/// Move of all rows out of a database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::store) struct Departure {
    /// Token of the move.
    pub(in crate::store) token: String,
    /// Path of the file.
    pub(in crate::store) to: String,
    /// Machine of the file.
    pub(in crate::store) machine: String,
    /// Instant of the move.
    pub(in crate::store) at: Timestamp,
}

impl Departing {
    /// Locks a database that no daemon uses.
    pub(in crate::store) async fn begin(
        address: &Arc<PostgresAddress>,
    ) -> Result<Self, StoreError> {
        const ALIVE: &str = concat!(
            "SELECT name, address, ",
            clock!(),
            " - beat_at_ms AS age_ms
             FROM revalidated.node WHERE beat_at_ms IS NOT NULL ORDER BY beat_at_ms DESC LIMIT 1"
        );
        let connections = connected(address).await?;
        let tx = Tx::open(&connections).await?;
        tx.batch(LIMITS).await?;
        if !has_schema(&tx).await? {
            return Err(unusable(address, "there is no store here to be moved"));
        }
        migrate::require_here(&tx, &connections).await?;
        // A node that starts waits for this, and looks afterwards whether the database was left.
        let tables: Vec<_> = ["meta", "work", "lane", "node"]
            .into_iter()
            .chain(TABLES.iter().map(|table| table.name))
            .map(|name| format!("revalidated.{name}"))
            .collect();
        tx.batch(&format!("LOCK TABLE {} IN SHARE MODE", tables.join(", "))).await?;
        if let Some(node) = tx.row(ALIVE, &[]).await? {
            let age_ms: i64 = get(&node, "age_ms")?;
            if age_ms < silent_max() {
                let (name, address): (&str, &str) = (get(&node, "name")?, get(&node, "address")?);
                let problem = format!(
                    "a node named {name} is alive ({address}, seen {} s ago); stop it first, or wait {} s after it was \
                     killed",
                    age_ms.max(0) / 1000,
                    SILENT_MAX.as_secs()
                );
                let address = connections.address().to_string();
                return Err(StoreError::Occupied { address, problem });
            }
        }
        Ok(Self { address: Arc::clone(address), connections, tx })
    }

    /// Returns the move that was made out of this database, if one was.
    pub(in crate::store) async fn departure(
        address: &Arc<PostgresAddress>,
    ) -> Result<Option<Departure>, StoreError> {
        let connections = connected(address).await?;
        let tx = Tx::open(&connections).await?;
        tx.batch(LIMITS).await?;
        if !has_schema(&tx).await? {
            return Ok(None);
        }
        departure(&tx).await
    }

    /// Returns the identity and the counters of the database.
    pub(in crate::store) async fn numbers(&self) -> Result<Numbers, StoreError> {
        numbers(&self.tx).await
    }

    /// Begins to read a table.
    pub(in crate::store) async fn open(&self, table: &Table) -> Result<(), StoreError> {
        bulk::open_cursor(&self.tx, table, true).await
    }

    /// Returns the next rows of the table; none after the last.
    pub(in crate::store) async fn next(&self, table: &Table) -> Result<Vec<Row>, StoreError> {
        bulk::next(&self.tx, table).await
    }

    /// Notes where everything went, commits, and finds out whether it was committed.
    ///
    /// # Errors
    ///
    /// Fails when that cannot be found out.
    pub(in crate::store) async fn commit(
        self,
        departure: &Departure,
    ) -> Result<Committed, StoreError> {
        const META: &str = "
            UPDATE revalidated.meta
            SET departed = $1, departed_to = $2, departed_machine = $3, departed_at_ms = $4";
        const NODES: &str = "UPDATE revalidated.node SET beat_at_ms = NULL";
        let Departure { token, to, machine, at } = departure;
        let params = params![token => TEXT, to => TEXT, machine => TEXT, at.0 => INT8];
        self.tx.execute(META, params).await?;
        // A node that was cut off for so long finds that it is none any more.
        self.tx.execute(NODES, &[]).await?;
        match self.tx.commit().await {
            Ok(()) => Ok(Committed::Yes),
            Err(error) if matches!(error.fault(), Some(Fault::Unknown)) => {
                let found = Self::departure(&self.address).await?;
                let is_same = found.is_some_and(|found| found.token == *token);
                drop(self.connections);
                Ok(if is_same { Committed::Yes } else { Committed::No })
            }
            Err(_refused) => Ok(Committed::No),
        }
    }
}

/// Reads the move that was made out of this database. One whose commit is still under way is waited for.
async fn departure(tx: &Tx) -> Result<Option<Departure>, StoreError> {
    const SQL: &str = "
        SELECT departed, departed_to, departed_machine, departed_at_ms FROM revalidated.meta
        FOR NO KEY UPDATE";
    let row = tx.one(SQL, &[]).await?;
    let Some(token) = get::<Option<String>>(&row, "departed")? else { return Ok(None) };
    Ok(Some(Departure {
        token,
        to: get(&row, "departed_to")?,
        machine: get(&row, "departed_machine")?,
        at: Timestamp(get(&row, "departed_at_ms")?),
    }))
}
