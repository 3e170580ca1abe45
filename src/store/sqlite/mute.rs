//! Muted notifications and outages that may be over: what is to be looked at, and when.

use rusqlite::{Connection, named_params};

use super::decide::Asked;
use super::{NotificationContext, Released, StoreError, outage, row};
use crate::domain::ledger;
use crate::domain::{IntegrationId, Timestamp};

/// Rows whose mute may have ended.
pub(super) const ENDED: &str = "
    SELECT id FROM integration WHERE hold_until_ms <= :now ORDER BY hold_until_ms LIMIT :batch";

/// Looks at mutes and at outages that may be over; at most about `batch` of each.
pub(super) fn release(
    tx: &Connection,
    batch: u32,
    context: &NotificationContext,
) -> Result<Released, StoreError> {
    let mut released = Released::default();
    let mut statement = tx.prepare_cached(ENDED)?;
    let params = named_params! {":now": context.now.0, ":batch": batch};
    let ids = statement.query_map(params, |row| row.get(0).map(IntegrationId))?;
    for id in ids.collect::<Result<Vec<_>, _>>()? {
        let Some(row) = row::load(tx, id)? else { continue };
        let asked = Asked { row: Some(&row), now: context.now, ..Asked::default() };
        let has_ended = asked.decide(tx, |case| ledger::release(case, &row, context))?;
        released.integrations += usize::from(has_ended);
    }
    released.outages = outage::close_settled(tx, batch, context)?;
    Ok(released)
}

/// When there is something to look at next.
pub(super) const NEXT_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT min(hold_until_ms) AS at_ms FROM integration WHERE hold_until_ms IS NOT NULL
        UNION ALL
        SELECT min(settle_at_ms) FROM outage
        WHERE settle_at_ms IS NOT NULL AND resolved_at_ms IS NULL)";

/// Returns the earliest instant at which a mute may end or an outage be over.
pub(super) fn next_at(tx: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = tx.prepare_cached(NEXT_AT)?.query_row([], |row| row.get(0))?;
    Ok(at.map(Timestamp))
}
