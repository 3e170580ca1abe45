//! Muted notifications and outages that may be over: what is to be looked at, and when.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, named_params};

use super::asked::Asked;
use super::column::{instant, parse};
use super::outage::member;
use super::{NotificationContext, Released, StoreError, row, wake};
use crate::domain::ledger::{self, FailingMember, Incident, Outage, OutageMembers, PastEvent};
use crate::domain::{Factor, IntegrationId, Status, Timestamp};

/// Rows whose mute may have ended.
pub(super) const ENDED: &str = "
    SELECT id FROM integration WHERE muted_until_ms <= :now ORDER BY muted_until_ms LIMIT :batch";

/// Looks at mutes, at outages that may be over and at incidents that last; at most about `batch` of each.
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
    released.outages = close_outages(tx, batch, context)?;
    released.incidents = wake::wake(tx, batch, context)?;
    Ok(released)
}

/// When there is something to look at next.
pub(super) const NEXT_AT: &str = "
    SELECT min(at_ms) FROM (
        SELECT min(muted_until_ms) AS at_ms FROM integration WHERE muted_until_ms IS NOT NULL
        UNION ALL
        SELECT min(look_at_ms) FROM incident_receiver WHERE look_at_ms IS NOT NULL
        UNION ALL
        SELECT min(close_at_ms) FROM outage
        WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL)";

/// Returns the earliest instant at which a mute may end, an outage be over or more of an incident be sent.
pub(super) fn next_at(tx: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = tx.prepare_cached(NEXT_AT)?.query_row([], |row| row.get(0))?;
    Ok(at.map(Timestamp))
}

/// Outages that are over, or have not lost another member for long enough.
pub(super) const CLOSING: &str = "
    SELECT id, kind, value, cause, since_ms FROM outage
    WHERE close_at_ms <= :now AND resolved_at_ms IS NULL ORDER BY close_at_ms LIMIT :batch";

/// Closes outages that are over; returns how many that were.
fn close_outages(
    tx: &Connection,
    batch: u32,
    context: &NotificationContext,
) -> Result<usize, StoreError> {
    let mut statement = tx.prepare_cached(CLOSING)?;
    let params = named_params! {":now": context.now.0, ":batch": batch};
    let found = statement.query_and_then(params, |row| {
        let cause: String = row.get("cause")?;
        let kind = parse("outage", &row.get::<_, String>("kind")?)?;
        Ok::<_, StoreError>(Outage {
            id: row.get("id")?,
            factor: Factor { kind, value: row.get("value")? },
            cause: parse("outage", &cause)?,
            since: Timestamp(row.get("since_ms")?),
        })
    })?;
    let outages = found.collect::<Result<Vec<_>, _>>()?;
    for outage in &outages {
        let members = members(tx, &outage.id)?;
        let asked = Asked { now: context.now, ..Asked::default() };
        asked.decide(tx, |case| ledger::close_outage(case, outage, &members, context))?;
    }
    Ok(outages.len())
}

fn members(tx: &Connection, outage: &str) -> Result<OutageMembers, StoreError> {
    const MEMBERS: &str = "
        SELECT integration.id, name, kind, labels, status, sequence, incident_id, failing_since_ms,
               integration.outage_id IS :id AS is_in_it
        FROM outage_member
        JOIN integration ON integration.id = outage_member.integration_id
        WHERE outage_member.outage_id = :id ORDER BY integration.id";
    let mut statement = tx.prepare_cached(MEMBERS)?;
    let mut rows = statement.query(named_params! {":id": outage})?;
    let mut found = OutageMembers::default();
    while let Some(row) = rows.next()? {
        let member = member(row)?;
        if row.get("is_in_it")? && member.status == Status::RecurringValidationError {
            let failure = latest_failure(tx, member.integration.id)?;
            let incident: Option<String> = row.get("incident_id")?;
            let incident = incident.zip(instant(row, "failing_since_ms")?);
            let incident = incident.map(|(id, since)| Incident { id, since, is_notified: true });
            let integration = member.integration.clone();
            found.failing.push(FailingMember { integration, incident, failure });
        }
        found.all.push(member);
    }
    Ok(found)
}

/// The latest failure of an integration.
pub(super) const LATEST_FAILURE: &str = "
    SELECT id, created_at_ms FROM event
    WHERE integration_id = :id AND type = 'integration.validation.failed'
    ORDER BY number DESC LIMIT 1";

fn latest_failure(tx: &Connection, id: i64) -> Result<Option<PastEvent>, StoreError> {
    let read = |row: &SqlRow<'_>| {
        Ok(PastEvent {
            id: row.get("id")?,
            integration: Some(IntegrationId(id)),
            at: Timestamp(row.get("created_at_ms")?),
            delivery: None,
            incident: None,
        })
    };
    let mut statement = tx.prepare_cached(LATEST_FAILURE)?;
    Ok(statement.query_row(named_params! {":id": id}, read).optional()?)
}
