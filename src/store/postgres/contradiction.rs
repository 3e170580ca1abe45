//! Contradictions: what nodes alone could not reach, while others found it to work.

use tokio_postgres::Row;

use super::StoreError;
use super::tx::{Reads, Tx, get, params};
use crate::domain::ledger::Contradiction;
use crate::domain::{IntegrationId, Timestamp};

/// Adds one, or the later one about an integration.
pub(super) async fn insert(
    tx: &Tx,
    node: &str,
    integration: IntegrationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.contradiction (node, integration_id, host, at_ms)
        SELECT $1, $2, host, $3 FROM revalidated.work WHERE integration_id = $2
        ON CONFLICT (node, integration_id) DO UPDATE SET host = EXCLUDED.host, at_ms = EXCLUDED.at_ms";
    tx.execute(SQL, params![node => TEXT, integration.0 => INT8, at.0 => INT8]).await?;
    Ok(())
}

/// Loads those of a node.
pub(super) async fn of(tx: &Reads, node: &str) -> Result<Vec<Contradiction>, StoreError> {
    const SQL: &str = "
        SELECT integration_id, host, at_ms FROM revalidated.contradiction WHERE node = $1
        ORDER BY integration_id";
    let read = |row: &Row| {
        Ok(Contradiction {
            integration: IntegrationId(get(row, "integration_id")?),
            host: get(row, "host")?,
            at: Timestamp(get(row, "at_ms")?),
        })
    };
    tx.rows(SQL, params![node => TEXT]).await?.iter().map(read).collect()
}

/// Deletes those of a node.
pub(super) async fn forget(tx: &Tx, node: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM revalidated.contradiction WHERE node = $1";
    tx.execute(SQL, params![node => TEXT]).await?;
    Ok(())
}
