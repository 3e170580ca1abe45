//! Outages as people see them: lists, and the integrations that belong to one.

use tokio_postgres::Row;

use super::column::{count, instant, parse};
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, get, params};
use super::{NoticeRow, OutageRow, StoreError, outage};
use crate::domain::{Factor, OutageMember, Timestamp};

/// Columns of an outage for people.
macro_rules! outage_columns {
    () => {
        "SELECT id, kind, value, cause, since_ms, resolved_at_ms,
                (SELECT count(*) FROM revalidated.outage_member
                 WHERE outage_id = outage.id) AS members
         FROM revalidated.outage "
    };
}

fn read(row: &Row) -> Result<OutageRow, StoreError> {
    Ok(OutageRow {
        id: get(row, "id")?,
        factor: Factor { kind: parse("outage", get(row, "kind")?)?, value: get(row, "value")? },
        cause: parse("outage", get(row, "cause")?)?,
        since: Timestamp(get(row, "since_ms")?),
        ended_at: instant(row, "resolved_at_ms")?,
        members: count(row, "members")?,
    })
}

/// Reads the outage of this id.
pub(super) async fn find(tx: &Reads, id: &str) -> Result<Option<OutageRow>, StoreError> {
    const SQL: &str = concat!(outage_columns!(), "WHERE id = $1");
    tx.row(SQL, params![id => TEXT]).await?.as_ref().map(read).transpose()
}

/// Reads a page of the outages, those that began last first; with `is_open` only those that last.
pub(super) async fn list(
    tx: &Reads,
    is_open: bool,
    page: &Page,
) -> Result<Listed<OutageRow>, StoreError> {
    const SQL: &str = concat!(
        outage_columns!(),
        "WHERE (since_ms, id) < ($1, $2) AND (NOT $3 OR resolved_at_ms IS NULL)
         ORDER BY since_ms DESC, id DESC LIMIT $4"
    );
    let (since, before) = page::before_outage(tx, page).await?;
    let params = params![
        since => INT8, before => TEXT, is_open => BOOL, page::with_next(page) => INT8,
    ];
    let found = tx.rows(SQL, params).await?;
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Outage(row.since.0, row.id.clone())).await
}

/// Reads the members of an outage, by name, whether they still fail by it or not.
pub(super) async fn members(tx: &Reads, outage: &str) -> Result<Vec<OutageMember>, StoreError> {
    const SQL: &str = "
        SELECT integration.id, name, integration.kind, labels, status, sequence
        FROM revalidated.outage_member
        JOIN revalidated.integration ON integration.id = integration_id
        WHERE outage_member.outage_id = $1 ORDER BY name, integration.id";
    tx.rows(SQL, params![outage => TEXT]).await?.iter().map(outage::member).collect()
}

/// Reads the receivers of an open incident, by name, with the deliveries that notify them of it.
pub(super) async fn notices(tx: &Reads, incident: &str) -> Result<Vec<NoticeRow>, StoreError> {
    const SQL: &str = "
        SELECT known.receiver, known.state, delivery.state AS delivery, delivery.ended_at_ms,
               CASE WHEN known.state = 'waiting' THEN known.due_at_ms ELSE lane.due_at_ms END AS due_at_ms
        FROM revalidated.incident_receiver AS known
        LEFT JOIN revalidated.delivery
            ON delivery.event_id = known.event_id AND delivery.receiver = known.receiver
        LEFT JOIN revalidated.lane
            ON head_id = delivery.id AND lane.receiver = delivery.receiver
           AND lane.integration_id = COALESCE(delivery.integration_id, 0)
        WHERE known.incident_id = $1 ORDER BY known.receiver";
    let read = |row: &Row| {
        let delivery: Option<&str> = get(row, "delivery")?;
        Ok(NoticeRow {
            receiver: get(row, "receiver")?,
            state: parse("incident_receiver", get(row, "state")?)?,
            delivery: delivery.map(super::column::delivery_state).transpose()?,
            ended_at: instant(row, "ended_at_ms")?,
            due_at: instant(row, "due_at_ms")?,
        })
    };
    tx.rows(SQL, params![incident => TEXT]).await?.iter().map(read).collect()
}
