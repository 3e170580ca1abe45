//! Deliveries in pages, newest first, with their attempts.

use std::collections::BTreeMap;
use std::ops::Range;

use tokio_postgres::Row;

use super::column::{count, delivery_state, duration, instant, parse};
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, get, params};
use super::{AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, StoreError};
use crate::domain::{DeliveryId, EventType, Timestamp};

/// Deliveries by filter and before an id. A pending one waits for the head of its lane; the head itself, while the
/// receiver does not answer, for the one that probes it.
pub(super) const DELIVERIES: &str = "
    SELECT delivery.id, delivery.event_id, event.type, delivery.receiver, integration.name,
           event.sequence, delivery.state, event.created_at_ms, receiver.probe_at_ms,
           CASE WHEN head_id = delivery.id THEN due_at_ms END AS due_at_ms,
           CASE WHEN delivery.state <> 'pending' THEN NULL
                WHEN head_id IS DISTINCT FROM delivery.id THEN head_id
                WHEN receiver.probe_at_ms IS NULL THEN NULL
                ELSE (SELECT probe.head_id FROM revalidated.lane AS probe
                      WHERE probe.receiver = delivery.receiver AND probe.due_at_ms IS NOT NULL
                      ORDER BY probe.due_at_ms, probe.head_id LIMIT 1) END AS behind
    FROM revalidated.delivery
    JOIN revalidated.event ON event.id = delivery.event_id
    LEFT JOIN revalidated.lane ON delivery.state = 'pending' AND lane.receiver = delivery.receiver
        AND lane.integration_id = COALESCE(delivery.integration_id, 0)
    LEFT JOIN revalidated.receiver ON receiver.name = delivery.receiver
    LEFT JOIN revalidated.integration ON integration.id = delivery.integration_id
    WHERE delivery.id < $1 AND $2 <= delivery.id
      AND ($3 IS NULL OR delivery.state = $3)
      AND ($4 IS NULL OR delivery.receiver = $4)
      AND ($5 IS NULL OR integration.name = $5)
      AND ($6 IS NULL OR event.type = $6)
      AND ($7 IS NULL OR $7 <= event.created_at_ms)
      AND ($8 IS NULL OR event.created_at_ms < $8)
    ORDER BY delivery.id DESC LIMIT $9";

/// Reads a page of the deliveries that match, newest first, with their attempts.
pub(super) async fn deliveries(
    tx: &Reads,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<Listed<DeliveryRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX).await?;
    let rows = deliveries_in(tx, filter, 0..before, page::with_next(page)).await?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0)).await
}

/// Reads the delivery of this id, with its attempts.
pub(super) async fn delivery(
    tx: &Reads,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let ids = id.0..id.0.saturating_add(1);
    Ok(deliveries_in(tx, &DeliveryFilter::default(), ids, 1).await?.pop())
}

async fn deliveries_in(
    tx: &Reads,
    filter: &DeliveryFilter,
    ids: Range<i64>,
    limit: i64,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let params = params![
        ids.end => INT8, ids.start => INT8, filter.state.map(DeliveryState::as_str) => TEXT,
        filter.receiver => TEXT, filter.integration => TEXT,
        filter.kind.map(EventType::as_str) => TEXT, filter.since.map(|at| at.0) => INT8,
        filter.until.map(|at| at.0) => INT8, limit => INT8,
    ];
    let found = tx.rows(DELIVERIES, params).await?;
    let ids = found.iter().map(|row| get(row, "id")).collect::<Result<Vec<i64>, _>>()?;
    let mut attempts = attempts(tx, &ids).await?;
    found.iter().map(|row| read(row, &mut attempts)).collect()
}

fn read(
    row: &Row,
    attempts: &mut BTreeMap<i64, Vec<AttemptRow>>,
) -> Result<DeliveryRow, StoreError> {
    let id = DeliveryId(get(row, "id")?);
    let created_at = Timestamp(get(row, "created_at_ms")?);
    Ok(DeliveryRow {
        id,
        event_id: get(row, "event_id")?,
        kind: parse("event", get(row, "type")?)?,
        receiver: get(row, "receiver")?,
        integration: get(row, "name")?,
        sequence: get(row, "sequence")?,
        state: delivery_state(get(row, "state")?)?,
        created_at,
        due_at: instant(row, "probe_at_ms")?.or(instant(row, "due_at_ms")?).unwrap_or(created_at),
        behind: get::<Option<i64>>(row, "behind")?.map(DeliveryId).filter(|head| *head != id),
        attempts: attempts.remove(&id.0).unwrap_or_default(),
    })
}

async fn attempts(tx: &Reads, ids: &[i64]) -> Result<BTreeMap<i64, Vec<AttemptRow>>, StoreError> {
    const SQL: &str = "
        SELECT delivery_id, number, started_at_ms, duration_ms, code, detail
        FROM revalidated.attempt WHERE delivery_id = ANY($1) ORDER BY delivery_id, number";
    let mut attempts: BTreeMap<i64, Vec<AttemptRow>> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(attempts);
    }
    for row in tx.rows(SQL, params![ids => INT8_ARRAY]).await? {
        attempts.entry(get(&row, "delivery_id")?).or_default().push(AttemptRow {
            number: count(&row, "number")?,
            started_at: Timestamp(get(&row, "started_at_ms")?),
            duration: duration(&row, "duration_ms")?,
            code: get::<Option<i32>>(&row, "code")?.and_then(|code| u16::try_from(code).ok()),
            detail: get(&row, "detail")?,
        });
    }
    Ok(attempts)
}
