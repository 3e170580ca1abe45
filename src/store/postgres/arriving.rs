//! Arrival of all rows of a file in an empty database.

use std::sync::Arc;

use tokio_postgres::error::SqlState;

use super::error::Fault;
use super::transfer::{Committed, LIMITS, connected, counter, has_schema, numbers, unusable};
use super::tx::{Tx, get, params};
use super::{StoreError, bulk, migrate, server};
use crate::domain::PostgresAddress;
use crate::store::forms::tables::{COUNTED, Numbers, Row, Sum, TABLES, Table};

/// Empty database that rows are moved into, in one transaction.
pub(in crate::store) struct Arriving {
    address: Arc<PostgresAddress>,
    tx: Tx,
}

impl Arriving {
    /// Makes the schema in a database that has none.
    pub(in crate::store) async fn begin(
        address: &Arc<PostgresAddress>,
    ) -> Result<Self, StoreError> {
        let connections = connected(address).await?;
        let tx = Tx::open(&connections).await?;
        tx.batch(LIMITS).await?;
        if let Some(place) = migrate::departed(&tx).await? {
            let problem = format!("{place}; remove its schema revalidated before another move");
            return Err(unusable(address, problem));
        }
        if has_schema(&tx).await? {
            let problem = "there is a store here already; move into an empty database, or remove its schema revalidated";
            return Err(unusable(address, problem));
        }
        let created = migrate::create(&tx).await;
        created.map_err(|error| server::explained(&address.to_string(), error))?;
        Ok(Self { address: Arc::clone(address), tx })
    }

    /// Adds rows to a table.
    pub(in crate::store) async fn put(
        &self,
        table: &Table,
        rows: &[Row],
    ) -> Result<(), StoreError> {
        bulk::put(&self.tx, table, rows).await
    }

    /// Adds the identity and the counters, and the token of the move.
    pub(in crate::store) async fn finish(
        &self,
        numbers: &Numbers,
        token: &str,
    ) -> Result<(), StoreError> {
        const META: &str = "
            UPDATE revalidated.meta
            SET epoch = $1, sequence = $2, pruned_number = $3, integration_last = $4, arrived = $5";
        let Numbers { epoch, sequence, pruned_number, latest } = numbers;
        let mut integration = 0;
        for (name, latest) in COUNTED.iter().zip(latest) {
            match counter(name) {
                None => integration = *latest,
                Some(counter) => self.count_from(&counter, *latest).await?,
            }
        }
        let params = params![
            epoch => TEXT, sequence => INT8, pruned_number => INT8, integration => INT8, token => TEXT,
        ];
        self.tx.execute(META, params).await?;
        for (table, counter) in [
            ("fingerprint", "revalidated.fingerprint_id_seq"),
            ("report", "revalidated.report_id_seq"),
            ("transition", "revalidated.transition_id_seq"),
            ("run", "revalidated.run_id"),
        ] {
            let sql = format!("SELECT coalesce(max(id), 0) AS latest FROM revalidated.{table}");
            let latest = get(&self.tx.one(&sql, &[]).await?, "latest")?;
            self.count_from(counter, latest).await?;
        }
        Ok(())
    }

    async fn count_from(&self, counter: &str, latest: i64) -> Result<(), StoreError> {
        const SQL: &str = "SELECT pg_catalog.setval($1::text::regclass, greatest($2, 1), 0 < $2)";
        self.tx.one(SQL, params![counter => TEXT, latest => INT8]).await.map(drop)
    }

    /// Reads what was written; returns its numbers, and the sums of its tables in their order.
    pub(in crate::store) async fn written(&self) -> Result<(Numbers, Vec<Sum>), StoreError> {
        let mut sums = Vec::new();
        for table in TABLES {
            let mut sum = Sum::default();
            bulk::open_cursor(&self.tx, table, false).await?;
            loop {
                let rows = bulk::next(&self.tx, table).await?;
                for row in &rows {
                    sum.add(row);
                }
                if rows.is_empty() {
                    break;
                }
            }
            sums.push(sum);
        }
        Ok((numbers(&self.tx).await?, sums))
    }

    /// Commits, and finds out whether it was committed.
    ///
    /// # Errors
    ///
    /// Fails when that cannot be found out.
    pub(in crate::store) async fn commit(self, token: &str) -> Result<Committed, StoreError> {
        match self.tx.commit().await {
            Ok(()) => Ok(Committed::Yes),
            Err(error) if matches!(error.fault(), Some(Fault::Unknown)) => {
                arrived(&self.address, token).await
            }
            Err(_refused) => Ok(Committed::No),
        }
    }
}

/// Finds out whether a move into a database was committed. One whose commit is still under way is waited for.
pub(in crate::store) async fn arrived(
    address: &Arc<PostgresAddress>,
    token: &str,
) -> Result<Committed, StoreError> {
    const SQL: &str = "SELECT arrived FROM revalidated.meta";
    let connections = connected(address).await?;
    // Twice: the schema may be committed between the look and the try to make it.
    for _look in 0..2 {
        let tx = Tx::open(&connections).await?;
        tx.batch(LIMITS).await?;
        if has_schema(&tx).await? {
            let found = tx.one(SQL, &[]).await?;
            let is_same = get::<Option<&str>>(&found, "arrived")? == Some(token);
            return Ok(if is_same { Committed::Yes } else { Committed::No });
        }
        match tx.batch("CREATE SCHEMA revalidated").await {
            Ok(()) => return Ok(Committed::No),
            Err(error) if !is_there_by_now(&error) => return Err(error),
            Err(_there) => {}
        }
    }
    Err(Fault::Unknown.into())
}

fn is_there_by_now(error: &StoreError) -> bool {
    let Some(Fault::Statement(error)) = error.fault() else { return false };
    let codes = [&SqlState::UNIQUE_VIOLATION, &SqlState::DUPLICATE_SCHEMA];
    error.code().is_some_and(|code| codes.contains(&code))
}
