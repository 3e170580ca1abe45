//! Silences and acknowledgements as people make, end and list them.

use tokio_postgres::Row;

use super::asked::Asked;
use super::column::instant;
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, Tx, get, params};
use super::{NewSilence, SilenceRow, StoreError};
use crate::domain::ledger::{self, Decision, SilenceRecord};
use crate::domain::{IntegrationId, Selection, Timestamp};

/// Adds a silence or an acknowledgement; returns its id, which none other is ever given.
pub(super) async fn add(tx: &Tx, new: &NewSilence, now: Timestamp) -> Result<i64, StoreError> {
    const NEXT: &str = "SELECT nextval('revalidated.silence_id_seq'::regclass) AS id";
    let id = get(&tx.one(NEXT, &[]).await?, "id")?;
    Asked::default().apply_all(tx, &ledger::add_silence(id, new, now)).await?;
    Ok(id)
}

/// Ends one before its time; returns false when none is open under this id.
pub(super) async fn end(tx: &Tx, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT until_ms, ended_at_ms FROM revalidated.silence WHERE id = $1 FOR NO KEY UPDATE";
    let found = match tx.row(SQL, params![id => INT8]).await? {
        Some(row) => {
            let until = Timestamp(get(&row, "until_ms")?);
            Some(SilenceRecord { id, until, ended_at: instant(&row, "ended_at_ms")? })
        }
        None => None,
    };
    let Decision { effects, answer } = ledger::end_silence(found.as_ref(), now);
    Asked::default().apply_all(tx, &effects).await?;
    Ok(answer)
}

macro_rules! silence_columns {
    () => {
        "SELECT silence.id, integration_id, selection, author, comment, silence.created_at_ms,
             from_ms, until_ms, ended_at_ms, name
         FROM revalidated.silence
         LEFT JOIN revalidated.integration ON integration.id = silence.integration_id "
    };
}

/// Reads a page of those that are open at `now` or planned, by id; with `ended`, the others too.
pub(super) async fn list(
    tx: &Reads,
    ended: bool,
    now: Timestamp,
    page: &Page,
) -> Result<Listed<SilenceRow>, StoreError> {
    const SQL: &str = concat!(
        silence_columns!(),
        "WHERE $1 < silence.id AND ($2 OR (ended_at_ms IS NULL AND $3 < until_ms))
         ORDER BY silence.id LIMIT $4"
    );
    let after = page::after_id(tx, page, 0).await?;
    let params = params![
        after => INT8, ended => BOOL, now.0 => INT8, page::with_next(page) => INT8,
    ];
    let found = tx.rows(SQL, params).await?;
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Id(row.id)).await
}

/// Reads all that are open at `now` or planned, by id; few, since people make them.
pub(super) async fn unended(tx: &Reads, now: Timestamp) -> Result<Vec<SilenceRow>, StoreError> {
    const SQL: &str = concat!(
        silence_columns!(),
        "WHERE ended_at_ms IS NULL AND $1 < until_ms ORDER BY silence.id"
    );
    tx.rows(SQL, params![now.0 => INT8]).await?.iter().map(read).collect()
}

/// Reads the silence of this id, open or ended.
pub(super) async fn find(tx: &Reads, id: i64) -> Result<Option<SilenceRow>, StoreError> {
    const SQL: &str = concat!(silence_columns!(), "WHERE silence.id = $1");
    tx.row(SQL, params![id => INT8]).await?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<SilenceRow, StoreError> {
    let document = |source| StoreError::Document { table: "silence", source };
    let selection: Selection = serde_json::from_str(get(row, "selection")?).map_err(document)?;
    let integration: Option<i64> = get(row, "integration_id")?;
    Ok(SilenceRow {
        id: get(row, "id")?,
        acknowledged: integration.map(IntegrationId).zip(get(row, "name")?),
        selection,
        author: get(row, "author")?,
        comment: get(row, "comment")?,
        created_at: Timestamp(get(row, "created_at_ms")?),
        from: Timestamp(get(row, "from_ms")?),
        until: Timestamp(get(row, "until_ms")?),
        ended_at: instant(row, "ended_at_ms")?,
    })
}
