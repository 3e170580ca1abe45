//! Pools without a node that works, which are one fault of all nodes; every node looks, and the first that finds a change
//! stores it.

use super::fault;
use super::gate;
use super::node::{clock, silent_max};
use super::own_fault;
use super::tx::{Reads, Tx, get, params};
use super::{Absent, StoreError};
use crate::domain::ledger::{
    Absence, Absences, LivingNode, NotificationContext, Placed, absence_message, absences, is_news,
};
use crate::domain::{OwnFault, Timestamp};

/// Nodes that are alive, with the absences that are stored.
type Found = (Vec<LivingNode>, Absences);

/// Returns what is known of absences; none when that is no longer so.
pub(super) async fn known(
    tx: &Reads,
    placed: &[Placed],
    now: Timestamp,
) -> Result<Option<Absent>, StoreError> {
    let (nodes, before) = found(tx).await?;
    if absences(placed, &nodes, &before, now) != before {
        return Ok(None);
    }
    Ok(Some(Absent { lasts: lasts(tx).await?, ..Absent::default() }))
}

/// Returns true while a pool has no node, and receivers were notified of it.
async fn lasts(tx: &Reads) -> Result<bool, StoreError> {
    Ok(fault::all(tx).await?.iter().any(|row| row.fault == OwnFault::Region))
}

/// Stores the absences as they are now, and notifies receivers of those that have lasted for long, and of their ends.
pub(super) async fn look(
    tx: &Tx,
    placed: &[Placed],
    context: &NotificationContext,
) -> Result<Absent, StoreError> {
    const DELETE: &str = "DELETE FROM revalidated.absence WHERE pool <> ALL($1)";
    const INSERT: &str = "
        INSERT INTO revalidated.absence (pool, since_ms, notified)
        SELECT * FROM unnest($1, $2, $3)
        ON CONFLICT (pool) DO UPDATE SET since_ms = EXCLUDED.since_ms, notified = EXCLUDED.notified";
    gate::lock(tx, gate::OWN_FAULT).await?;
    let (nodes, before) = found(tx).await?;
    let after = absences(placed, &nodes, &before, context.now);
    let pools: Vec<_> = after.keys().map(String::as_str).collect();
    let since: Vec<_> = after.values().map(|one| one.since.0).collect();
    let notified: Vec<_> = after.values().map(|one| one.is_notified).collect();
    tx.execute(DELETE, params![pools => TEXT_ARRAY]).await?;
    let rows = params![pools => TEXT_ARRAY, since => INT8_ARRAY, notified => BOOL_ARRAY];
    tx.execute(INSERT, rows).await?;
    if !is_news(&before, &after) {
        return Ok(Absent { lasts: lasts(tx).await?, is_news: false, message: None });
    }
    let message = absence_message(placed, &nodes, &after);
    own_fault::end(tx, "", OwnFault::Region, context).await?;
    if let Some(message) = &message {
        own_fault::begin(tx, "", OwnFault::Region, message, context).await?;
    }
    Ok(Absent { lasts: message.is_some(), is_news: true, message })
}

async fn found(tx: &Reads) -> Result<Found, StoreError> {
    const NODES: &str = concat!(
        "SELECT labels, waits_for = '' AND NOT draining AS works FROM revalidated.node
         WHERE beat_at_ms > ",
        clock!(),
        " - $1"
    );
    const ABSENCES: &str = "SELECT pool, since_ms, notified FROM revalidated.absence";
    let document = |source| StoreError::Document { table: "node", source };
    let (mut nodes, mut before) = (Vec::new(), Absences::new());
    for row in tx.rows(NODES, params![silent_max() => INT8]).await? {
        let labels = serde_json::from_str(get(&row, "labels")?).map_err(document)?;
        nodes.push(LivingNode { labels, works: get(&row, "works")? });
    }
    for row in tx.rows(ABSENCES, &[]).await? {
        let since = Timestamp(get(&row, "since_ms")?);
        let absence = Absence { since, is_notified: get(&row, "notified")? };
        before.insert(get(&row, "pool")?, absence);
    }
    Ok((nodes, before))
}
