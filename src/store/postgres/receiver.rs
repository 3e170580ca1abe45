//! Receivers as they are read: configured, failing, disabled.

use std::collections::BTreeMap;

use super::column::{count, instant, parse};
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, get, params};
use super::{PendingTypes, ReceiverRow, StoreError};
use tokio_postgres::Row;

macro_rules! receiver_columns {
    () => {
        "SELECT name, configured, disabled_at_ms, reason, failing_since_ms, last_success_at_ms,
             (SELECT count(*) FROM revalidated.delivery
              WHERE state = 'pending' AND delivery.receiver = receiver.name) AS pending,
             (SELECT min(event.created_at_ms) FROM revalidated.lane
              JOIN revalidated.delivery ON delivery.id = head_id
              JOIN revalidated.event ON event.id = delivery.event_id
              WHERE lane.receiver = receiver.name) AS oldest_at_ms
         FROM revalidated.receiver "
    };
}

/// Loads the receivers that are sent nothing although they are configured or deliveries to them are pending.
pub(super) async fn idle(tx: &Reads) -> Result<Vec<ReceiverRow>, StoreError> {
    const SQL: &str = concat!(
        "SELECT * FROM (",
        receiver_columns!(),
        ") AS receiver
        WHERE CASE WHEN configured THEN disabled_at_ms IS NOT NULL ELSE 0 < pending END ORDER BY name"
    );
    tx.rows(SQL, &[]).await?.iter().map(receiver_row).collect()
}

/// Loads the receivers that are configured, each with its table; one that an older version has stored has none.
pub(super) async fn configurations(
    tx: &Reads,
) -> Result<BTreeMap<String, Option<String>>, StoreError> {
    const SQL: &str = "SELECT name, config FROM revalidated.receiver WHERE configured";
    let found = tx.rows(SQL, &[]).await?;
    found.iter().map(|row| Ok((get(row, "name")?, get(row, "config")?))).collect()
}

/// Counts the pending messages of each receiver by the type of their event, but those that are sent in the format in
/// which their incident began.
pub(super) async fn pending_types(tx: &Reads) -> Result<PendingTypes, StoreError> {
    const SQL: &str = "
        SELECT receiver, type, count(*) AS pending FROM revalidated.delivery
        JOIN revalidated.event ON event.id = event_id
        WHERE state = 'pending' AND delivery.format IS NULL
        GROUP BY receiver, type ORDER BY receiver, type";
    let mut found = PendingTypes::new();
    for row in tx.rows(SQL, &[]).await? {
        let of = found.entry(get(&row, "receiver")?).or_default();
        of.push((parse("event", get(&row, "type")?)?, count(&row, "pending")?));
    }
    Ok(found)
}

/// Reads a page of the receivers, by name. The oldest pending event is among the heads of a receiver's queues.
pub(super) async fn receivers(tx: &Reads, page: &Page) -> Result<Listed<ReceiverRow>, StoreError> {
    const SQL: &str = concat!(receiver_columns!(), "WHERE $1 < name ORDER BY name LIMIT $2");
    let after = page::after_name(tx, page).await?;
    let found = tx.rows(SQL, params![after => TEXT, page::with_next(page) => INT8]).await?;
    let rows = found.iter().map(receiver_row).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone())).await
}

/// Returns the receiver of this name, if the store knows it.
pub(super) async fn receiver(tx: &Reads, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
    const SQL: &str = concat!(receiver_columns!(), "WHERE name = $1");
    tx.row(SQL, params![name => TEXT]).await?.as_ref().map(receiver_row).transpose()
}

fn receiver_row(row: &Row) -> Result<ReceiverRow, StoreError> {
    let reason: Option<&str> = get(row, "reason")?;
    let reason = reason.map(|name| parse("receiver", name)).transpose()?;
    Ok(ReceiverRow {
        name: get(row, "name")?,
        configured: get(row, "configured")?,
        disabled: reason.zip(instant(row, "disabled_at_ms")?),
        failing_since: instant(row, "failing_since_ms")?,
        last_success_at: instant(row, "last_success_at_ms")?,
        pending: count(row, "pending")?,
        oldest_pending_at: instant(row, "oldest_at_ms")?,
    })
}
