//! Silences and acknowledgements, as decisions read and write them.

use tokio_postgres::Row;

use super::tx::{Reads, Tx, get, params};
use super::{NewSilence, StoreError};
use crate::domain::ledger::Silence;
use crate::domain::{IntegrationId, Timestamp};

fn document(source: serde_json::Error) -> StoreError {
    StoreError::Document { table: "silence", source }
}

/// Loads the silences and acknowledgements that have not ended, planned ones among them.
pub(super) async fn open(tx: &Reads, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
    const SQL: &str = "
        SELECT id, integration_id, selection, from_ms, until_ms FROM revalidated.silence
        WHERE ended_at_ms IS NULL AND $1 < until_ms ORDER BY id";
    let read = |row: &Row| {
        Ok(Silence {
            id: get(row, "id")?,
            acknowledges: get::<Option<i64>>(row, "integration_id")?.map(IntegrationId),
            selection: serde_json::from_str(get(row, "selection")?).map_err(document)?,
            from: Timestamp(get(row, "from_ms")?),
            until: Timestamp(get(row, "until_ms")?),
        })
    };
    tx.rows(SQL, params![now.0 => INT8]).await?.iter().map(read).collect()
}

/// Inserts the row of a new silence or acknowledgement.
pub(super) async fn insert(
    tx: &Tx,
    id: i64,
    new: &NewSilence,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.silence
            (id, integration_id, selection, author, comment, created_at_ms, from_ms, until_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let selection = serde_json::to_string(&new.selection).map_err(document)?;
    let params = params![
        id => INT8, new.acknowledges.map(|id| id.0) => INT8, selection => TEXT,
        new.author => TEXT, new.comment => TEXT, at.0 => INT8, new.from.0 => INT8,
        new.until.0 => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Writes the early end of a silence or an acknowledgement.
pub(super) async fn close(tx: &Tx, id: i64, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE revalidated.silence SET ended_at_ms = $2 WHERE id = $1";
    tx.execute(SQL, params![id => INT8, at.0 => INT8]).await?;
    Ok(())
}
