//! Timelines: the history of every integration in a time, from one consistent state.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::checksum::sound;
use super::column::{instant, labels, parse, status};
use super::history::transition_row;
use super::{StoreError, TargetRow, TimelineRow, TransitionRow, View};
use crate::domain::{IntegrationId, Status, Timestamp};

impl View {
    /// Implements [`crate::store::View::timelines`] on this engine.
    pub(crate) async fn timelines(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TimelineRow>, StoreError> {
        self.readers.read(move |tx| timelines(tx, since, until)).await
    }
}

/// Integrations that existed before an instant, by name.
const INTEGRATIONS: &str = concat!(
    "SELECT id, name, kind, labels, status, created_at_ms, history_since_ms, expires_at_ms,
           expires_what, ",
    sound!(integration "integration"),
    " FROM integration WHERE created_at_ms < :until"
);

fn timelines(
    tx: &Connection,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<TimelineRow>, StoreError> {
    let mut acknowledged = acknowledgements(tx, until)?;
    let mut statement = tx.prepare_cached(INTEGRATIONS)?;
    let found = statement.query_and_then(named_params! {":until": until.0}, |row| {
        let integration = target(row)?;
        let (id, present) = (integration.id, status(row, "status")?);
        let changes = changes(tx, id, since, until)?;
        let is_unchanged = changes.is_empty();
        let otherwise = if is_unchanged { unchanged(tx, id, until, present)? } else { None };
        Ok::<_, StoreError>(TimelineRow {
            status: present,
            created_at: Timestamp(row.get("created_at_ms")?),
            lost_at: instant(row, "history_since_ms")?,
            changes,
            otherwise,
            acknowledged: acknowledged.remove(&id.0).unwrap_or_default(),
            expires: instant(row, "expires_at_ms")?.zip(row.get("expires_what")?),
            integration,
        })
    })?;
    let mut rows = found.collect::<Result<Vec<_>, _>>()?;
    rows.sort_by(|one, other| one.integration.name.cmp(&other.integration.name));
    Ok(rows)
}

fn target(row: &SqlRow<'_>) -> Result<TargetRow, StoreError> {
    Ok(TargetRow {
        id: IntegrationId(row.get("id")?),
        name: row.get("name")?,
        kind: row.get("kind")?,
        labels: labels(&row.get::<_, String>("labels")?)?,
    })
}

/// Latest status change before an instant after which no incident was open.
pub(super) const ANCHOR: &str = "
    SELECT id FROM transition
    WHERE integration_id = :id AND at_ms < :since
      AND (to_status = 'enabled' OR to_status = 'disabled' OR to_status = 'deleted')
    ORDER BY id DESC LIMIT 1";

/// Status changes from an id on.
pub(super) const CHANGES: &str = concat!(
    "SELECT id, from_status, to_status, cause, at_ms, run_id, incident_id, ",
    sound!(transition "transition"),
    " FROM transition
    WHERE integration_id = :id AND :anchor <= id AND at_ms < :until ORDER BY id"
);

fn changes(
    tx: &Connection,
    id: IntegrationId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<TransitionRow>, StoreError> {
    let mut anchor = tx.prepare_cached(ANCHOR)?;
    let params = named_params! {":id": id.0, ":since": since.0};
    let anchor: Option<i64> = anchor.query_row(params, |row| row.get(0)).optional()?;
    let mut statement = tx.prepare_cached(CHANGES)?;
    let params = named_params! {":id": id.0, ":anchor": anchor.unwrap_or(0), ":until": until.0};
    let found = statement.query_and_then(params, transition_row)?;
    found.collect()
}

/// Status before the first change from an instant on; an empty text before the creation.
pub(super) const LATER: &str = concat!(
    "SELECT coalesce(from_status, ''), ",
    sound!(transition "transition"),
    " FROM transition WHERE integration_id = :id AND :until <= at_ms ORDER BY id LIMIT 1"
);

/// Returns the status before an instant of an integration without changes before it, given the present one; none
/// when it did not exist.
fn unchanged(
    tx: &Connection,
    id: IntegrationId,
    until: Timestamp,
    present: Status,
) -> Result<Option<Status>, StoreError> {
    let mut statement = tx.prepare_cached(LATER)?;
    let params = named_params! {":id": id.0, ":until": until.0};
    let from: Option<String> = statement.query_row(params, |row| row.get(0)).optional()?;
    match from.as_deref() {
        None => Ok(Some(present)),
        Some("") => Ok(None),
        Some(name) => parse("transition", name).map(Some),
    }
}

/// Reads the beginnings of acknowledgements before an instant, by integration; people make them, so that they
/// are few.
fn acknowledgements(
    tx: &Connection,
    until: Timestamp,
) -> Result<BTreeMap<i64, Vec<Timestamp>>, StoreError> {
    const SQL: &str = "
        SELECT integration_id, from_ms FROM silence
        WHERE integration_id IS NOT NULL AND from_ms < :until ORDER BY from_ms";
    let mut statement = tx.prepare_cached(SQL)?;
    let read = |row: &SqlRow<'_>| Ok((row.get(0)?, Timestamp(row.get(1)?)));
    let mut all: BTreeMap<i64, Vec<Timestamp>> = BTreeMap::new();
    for found in statement.query_map(named_params! {":until": until.0}, read)? {
        let (id, at) = found?;
        all.entry(id).or_default().push(at);
    }
    Ok(all)
}
