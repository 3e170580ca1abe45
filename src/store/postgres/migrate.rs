//! Schema of the database: made on the first start, and its version.

use super::connect::Connections;
use super::tx::{Reads, Tx, get, params, read, transact};
use super::{StoreError, random};
use crate::domain::Timestamp;

/// Newest version of the schema that this program knows.
pub(super) const SCHEMA: i64 = 1;
/// Statements that make the schema.
const STATEMENTS: &str = include_str!("schema.sql");

/// Makes the schema where there is none.
pub(super) async fn migrate(connections: &Connections) -> Result<(), StoreError> {
    transact!(connections, tx => match version(tx).await? {
        Some(found) => {
            require(found)?;
            require_here(tx, connections).await
        }
        None => create(tx).await,
    })
}

/// Makes the schema in a database without one.
pub(super) async fn create(tx: &Tx) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO revalidated.meta (one, schema, epoch) VALUES (1, $1, $2)";
    tx.batch(STATEMENTS).await?;
    tx.execute(SQL, params![SCHEMA => INT8, random::epoch()? => TEXT]).await?;
    Ok(())
}

/// Fails unless the database has the schema of this version.
pub(super) async fn require_schema(connections: &Connections) -> Result<(), StoreError> {
    let found = read!(connections, reads => match version(reads).await? {
        Some(found) => require_here(reads, connections).await.map(|()| Some(found)),
        None => Ok(None),
    })?;
    match found {
        Some(found) => require(found),
        None => Err(StoreError::Server {
            address: connections.address().to_string(),
            problem:
                "there is no schema revalidated here; the daemon creates it when it first starts"
                    .to_owned(),
        }),
    }
}

/// Fails when everything was moved out of the database.
pub(super) async fn require_here(
    reads: &Reads,
    connections: &Connections,
) -> Result<(), StoreError> {
    match departed(reads).await? {
        None => Ok(()),
        Some(problem) => {
            Err(StoreError::Server { address: connections.address().to_string(), problem })
        }
    }
}

/// Returns the sentence about the move of everything out of the database, if there was one.
pub(super) async fn departed(reads: &Reads) -> Result<Option<String>, StoreError> {
    const SQL: &str = "
        SELECT departed_to, departed_machine, departed_at_ms FROM revalidated.meta
        WHERE departed IS NOT NULL";
    if version(reads).await?.is_none() {
        return Ok(None);
    }
    let Some(row) = reads.row(SQL, &[]).await? else { return Ok(None) };
    let (to, machine): (&str, &str) = (get(&row, "departed_to")?, get(&row, "departed_machine")?);
    let at = Timestamp(get(&row, "departed_at_ms")?);
    Ok(Some(format!("this database was moved to {to} of {machine} on {at}")))
}

fn require(found: i64) -> Result<(), StoreError> {
    if found <= SCHEMA {
        return Ok(());
    }
    let number = |version: i64| u32::try_from(version).unwrap_or(u32::MAX);
    Err(StoreError::Newer { found: number(found), known: number(SCHEMA), copy: None })
}

/// Returns the version of the schema, if there is one.
async fn version(reads: &Reads) -> Result<Option<i64>, StoreError> {
    const IS_THERE: &str = "SELECT to_regclass('revalidated.meta') IS NOT NULL AS is_there";
    const SQL: &str = "SELECT schema FROM revalidated.meta";
    if !get(&reads.one(IS_THERE, &[]).await?, "is_there")? {
        return Ok(None);
    }
    reads.row(SQL, &[]).await?.map(|row| get(&row, "schema")).transpose()
}
