//! Timelines: the history of every integration in a time, from one consistent state.

use std::collections::BTreeMap;

use super::column::{instant, labels, parse, status};
use super::history::transition_row;
use super::tx::{Reads, get, params};
use super::view::read;
use super::{StoreError, TargetRow, TimelineRow, TransitionRow, View};
use crate::domain::{IntegrationId, Status, Timestamp};
use tokio_postgres::Row;

impl View {
    /// Implements [`crate::store::View::timelines`] on this engine.
    pub(crate) async fn timelines(
        &self,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<TimelineRow>, StoreError> {
        read!(self, tx => timelines(tx, since, until).await)
    }
}

/// Integrations that existed before an instant, by name. The last column is the status before the first change
/// from the instant on: an empty text before the creation, none when there is no such change.
const INTEGRATIONS: &str = "
    SELECT id, name, kind, labels, status, created_at_ms, history_since_ms, expires_at_ms,
           expires_what,
           (SELECT coalesce(from_status, '') FROM revalidated.transition
            WHERE transition.integration_id = integration.id AND $1 <= at_ms ORDER BY transition.id LIMIT 1) AS later
    FROM revalidated.integration JOIN revalidated.work ON work.integration_id = integration.id
    WHERE created_at_ms < $1 ORDER BY name, id";

async fn timelines(
    tx: &Reads,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<TimelineRow>, StoreError> {
    let mut acknowledged = acknowledgements(tx, until).await?;
    let mut changes = changes(tx, since, until).await?;
    let read = |row: &Row| {
        let integration = target(row)?;
        let (id, present) = (integration.id.0, status(row, "status")?);
        let changes = changes.remove(&id).unwrap_or_default();
        let is_unchanged = changes.is_empty();
        Ok::<_, StoreError>(TimelineRow {
            status: present,
            created_at: Timestamp(get(row, "created_at_ms")?),
            lost_at: instant(row, "history_since_ms")?,
            changes,
            otherwise: if is_unchanged { unchanged(row, present)? } else { None },
            acknowledged: acknowledged.remove(&id).unwrap_or_default(),
            expires: instant(row, "expires_at_ms")?.zip(get(row, "expires_what")?),
            integration,
        })
    };
    let found = tx.rows(INTEGRATIONS, params![until.0 => INT8]).await?;
    found.iter().map(read).collect()
}

fn target(row: &Row) -> Result<TargetRow, StoreError> {
    Ok(TargetRow {
        id: IntegrationId(get(row, "id")?),
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        labels: labels(get(row, "labels")?)?,
    })
}

/// Status changes of all integrations before an instant: of each from the latest one on after which no incident
/// was open, or from the first.
pub(super) const CHANGES: &str = "
    SELECT change.*
    FROM revalidated.integration CROSS JOIN LATERAL (
        SELECT * FROM revalidated.transition
        WHERE transition.integration_id = integration.id AND at_ms < $2
          AND coalesce((SELECT anchor.id FROM revalidated.transition AS anchor
                        WHERE anchor.integration_id = integration.id AND anchor.at_ms < $1
                          AND anchor.to_status IN ('enabled', 'disabled', 'deleted')
                        ORDER BY anchor.id DESC LIMIT 1), 0) <= transition.id) AS change
    WHERE integration.created_at_ms < $2
    ORDER BY change.integration_id, change.id";

async fn changes(
    tx: &Reads,
    since: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<i64, Vec<TransitionRow>>, StoreError> {
    let mut all: BTreeMap<i64, Vec<TransitionRow>> = BTreeMap::new();
    for row in tx.rows(CHANGES, params![since.0 => INT8, until.0 => INT8]).await? {
        all.entry(get(&row, "integration_id")?).or_default().push(transition_row(&row)?);
    }
    Ok(all)
}

/// Returns the status before the end of the time of an integration without changes before it, given the present
/// one; none when it did not exist.
fn unchanged(row: &Row, present: Status) -> Result<Option<Status>, StoreError> {
    match get::<Option<&str>>(row, "later")? {
        None => Ok(Some(present)),
        Some("") => Ok(None),
        Some(name) => parse("transition", name).map(Some),
    }
}

/// Reads the beginnings of acknowledgements before an instant, by integration; people make them, so that they
/// are few.
async fn acknowledgements(
    tx: &Reads,
    until: Timestamp,
) -> Result<BTreeMap<i64, Vec<Timestamp>>, StoreError> {
    const SQL: &str = "
        SELECT integration_id, from_ms FROM revalidated.silence
        WHERE integration_id IS NOT NULL AND from_ms < $1 ORDER BY from_ms";
    let mut all: BTreeMap<i64, Vec<Timestamp>> = BTreeMap::new();
    for row in tx.rows(SQL, params![until.0 => INT8]).await? {
        all.entry(get(&row, "integration_id")?).or_default().push(Timestamp(get(&row, "from_ms")?));
    }
    Ok(all)
}
