//! Schema of the database: made on the first start, and its version.

use super::connect::Connections;
use super::tx::{Reads, Tx, get, params, read, transact};
use super::{StoreError, random};

/// Newest version of the schema that this program knows.
pub(super) const SCHEMA: i64 = 1;
/// Statements that make the schema.
const STATEMENTS: &str = include_str!("schema.sql");

/// Makes the schema where there is none.
pub(super) async fn migrate(connections: &Connections) -> Result<(), StoreError> {
    transact!(connections, tx => match version(tx).await? {
        Some(found) => require(found),
        None => create(tx).await,
    })
}

async fn create(tx: &Tx) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO revalidated.meta (one, schema, epoch) VALUES (1, $1, $2)";
    tx.batch(STATEMENTS).await?;
    tx.execute(SQL, params![SCHEMA => INT8, random::epoch()? => TEXT]).await?;
    Ok(())
}

/// Fails unless the database has the schema of this version.
pub(super) async fn require_schema(connections: &Connections) -> Result<(), StoreError> {
    let found = read!(connections, reads => version(reads).await)?;
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
