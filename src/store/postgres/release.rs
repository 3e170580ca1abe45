//! Muted notifications, outages that may be over and incidents that last: what is to be looked at, and when.

use std::collections::BTreeMap;

use tokio_postgres::Row as SqlRow;

use super::asked::Asked;
use super::column::{instant, parse};
use super::connect::Connections;
use super::outage::member;
use super::tx::{Params, Reads, Tx, get, params, transact};
use super::{NotificationContext, Released, StoreError, gate, known, row};
use crate::domain::ledger::{
    self, Case, FailingMember, Incident, Outage, OutageMembers, PastEvent, Row,
};
use crate::domain::{Factor, IntegrationId, Status, Timestamp};

/// Looks at mutes, outages and incidents, in one transaction each. One node at a time does so: another one that comes to
/// it meanwhile finds nothing left to do.
pub(super) async fn release(
    connections: &Connections,
    batch: u32,
    context: &NotificationContext,
) -> Result<Released, StoreError> {
    let mutes = transact!(connections, tx => if gate::try_lock(tx, gate::RELEASE).await? {
        Ok(Some(end_mutes(tx, batch, context).await?))
    } else {
        Ok(None)
    })?;
    let outages = transact!(connections, tx => if gate::try_lock(tx, gate::RELEASE).await? {
        Ok(Some(close_outages(tx, batch, context).await?))
    } else {
        Ok(None)
    })?;
    let incidents = transact!(connections, tx => if gate::try_lock(tx, gate::RELEASE).await? {
        Ok(Some(wake(tx, batch, context).await?))
    } else {
        Ok(None)
    })?;
    Ok(Released {
        integrations: mutes.unwrap_or(0),
        outages: outages.unwrap_or(0),
        incidents: incidents.unwrap_or(0),
        is_busy: mutes.is_none() || outages.is_none() || incidents.is_none(),
    })
}

/// Looks at mutes that may have ended, at most `batch`; returns the number of those that have.
async fn end_mutes(
    tx: &Tx,
    batch: u32,
    context: &NotificationContext,
) -> Result<usize, StoreError> {
    const ENDED: &str = "
        SELECT id FROM revalidated.integration WHERE muted_until_ms <= $1
        ORDER BY muted_until_ms LIMIT $2";
    let params = params![context.now.0 => INT8, i64::from(batch) => INT8];
    let (ids, rows) = locked(tx, ENDED, params).await?;
    let mut ended = 0;
    for row in ids.iter().filter_map(|id| rows.get(id)) {
        let asked = Asked { row: Some(row), now: context.now, ..Asked::default() };
        let has_ended = asked.decide(tx, |case| ledger::release(case, row, context)).await?;
        ended += usize::from(has_ended);
    }
    Ok(ended)
}

/// Locks the rows of the integrations that a statement finds; returns their ids in its order, and the rows.
async fn locked(
    tx: &Tx,
    sql: &str,
    params: Params<'_>,
) -> Result<(Vec<IntegrationId>, BTreeMap<IntegrationId, Row>), StoreError> {
    let found = tx.rows(sql, params).await?;
    let ids = found.iter().map(|row| get(row, "id")).collect::<Result<Vec<i64>, _>>()?;
    let rows = row::lock_all(tx, &ids).await?;
    Ok((ids.into_iter().map(IntegrationId).collect(), rows))
}

/// Looks at incidents of which receivers may be due to be sent more; returns how many were sent.
async fn wake(tx: &Tx, batch: u32, context: &NotificationContext) -> Result<usize, StoreError> {
    const OF_DUE: &str = "
        SELECT DISTINCT integration_id AS id FROM (
            SELECT integration_id FROM revalidated.incident_receiver
            WHERE look_at_ms <= $1 ORDER BY look_at_ms LIMIT $2) AS due
        WHERE integration_id IS NOT NULL ORDER BY integration_id";
    let params = params![context.now.0 => INT8, i64::from(batch) => INT8];
    let (_, rows) = locked(tx, OF_DUE, params).await?;
    let mut sent = 0;
    for known in known::due(tx, context.now, batch).await? {
        let row = known.integration.and_then(|id| rows.get(&id));
        if known.integration.is_some() && row.is_none() {
            continue;
        }
        let asked = Asked { row, now: context.now, ..Asked::default() };
        let wake = |case: &Case| ledger::wake(case, &known, row, context);
        sent += usize::from(asked.decide(tx, wake).await?);
    }
    Ok(sent)
}

/// Returns the earliest instant at which a mute may end, an outage be over or more of an incident be sent.
pub(super) async fn next_at(tx: &Reads) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "
        SELECT min(at_ms) AS at_ms FROM (
            SELECT min(muted_until_ms) AS at_ms FROM revalidated.integration
            WHERE muted_until_ms IS NOT NULL
            UNION ALL
            SELECT min(look_at_ms) FROM revalidated.incident_receiver WHERE look_at_ms IS NOT NULL
            UNION ALL
            SELECT min(close_at_ms) FROM revalidated.outage
            WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL) AS all_of_them";
    instant(&tx.one(SQL, &[]).await?, "at_ms")
}

/// Closes outages that are over, or have not lost another member for long enough; returns how many that were.
async fn close_outages(
    tx: &Tx,
    batch: u32,
    context: &NotificationContext,
) -> Result<usize, StoreError> {
    const CLOSING: &str = "
        SELECT id, kind, value, cause, since_ms FROM revalidated.outage
        WHERE close_at_ms <= $1 AND resolved_at_ms IS NULL ORDER BY close_at_ms LIMIT $2";
    const STILL: &str = "
        SELECT 1 FROM revalidated.outage
        WHERE id = $1 AND close_at_ms <= $2 AND resolved_at_ms IS NULL FOR NO KEY UPDATE";
    let params = params![context.now.0 => INT8, i64::from(batch) => INT8];
    let found = tx.rows(CLOSING, params).await?;
    let outages = found.iter().map(outage).collect::<Result<Vec<_>, _>>()?;
    lock_members(tx, &outages).await?;
    let mut factors: Vec<_> = outages.iter().map(|outage| outage.factor.clone()).collect();
    factors.sort();
    factors.dedup();
    gate::lock_factors(tx, &factors).await?;
    let mut closed = 0;
    for outage in &outages {
        let still = params![outage.id => TEXT, context.now.0 => INT8];
        if tx.row(STILL, still).await?.is_none() {
            continue;
        }
        let members = members(tx, &outage.id).await?;
        let asked = Asked { now: context.now, ..Asked::default() };
        let close = |case: &Case| ledger::close_outage(case, outage, &members, context);
        asked.decide(tx, close).await?;
        closed += 1;
    }
    Ok(closed)
}

fn outage(row: &SqlRow) -> Result<Outage, StoreError> {
    let kind = parse("outage", get(row, "kind")?)?;
    Ok(Outage {
        id: get(row, "id")?,
        factor: Factor { kind, value: get(row, "value")? },
        cause: parse("outage", get(row, "cause")?)?,
        since: Timestamp(get(row, "since_ms")?),
    })
}

/// Locks the rows of the members of outages, in their order, before the gates of factors.
async fn lock_members(tx: &Tx, outages: &[Outage]) -> Result<(), StoreError> {
    const MEMBERS: &str = "
        SELECT DISTINCT integration_id AS id FROM revalidated.outage_member
        WHERE outage_id = ANY($1)";
    if outages.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = outages.iter().map(|outage| outage.id.as_str()).collect();
    locked(tx, MEMBERS, params![names => TEXT_ARRAY]).await?;
    Ok(())
}

async fn members(tx: &Tx, outage: &str) -> Result<OutageMembers, StoreError> {
    const MEMBERS: &str = "
        SELECT integration.id, name, kind, labels, status, sequence, incident_id, failing_since_ms,
               integration.outage_id IS NOT DISTINCT FROM $1 AS is_in_it
        FROM revalidated.outage_member
        JOIN revalidated.integration ON integration.id = outage_member.integration_id
        WHERE outage_member.outage_id = $1 ORDER BY integration.id";
    let mut found = OutageMembers::default();
    for row in tx.rows(MEMBERS, params![outage => TEXT]).await? {
        let member = member(&row)?;
        if get(&row, "is_in_it")? && member.status == Status::RecurringValidationError {
            let failure = latest_failure(tx, member.integration.id).await?;
            let incident: Option<String> = get(&row, "incident_id")?;
            let incident = incident.zip(instant(&row, "failing_since_ms")?);
            let incident = incident.map(|(id, since)| Incident { id, since, is_notified: true });
            let integration = member.integration.clone();
            found.failing.push(FailingMember { integration, incident, failure });
        }
        found.all.push(member);
    }
    Ok(found)
}

/// Loads the latest failure of an integration.
async fn latest_failure(tx: &Tx, id: i64) -> Result<Option<PastEvent>, StoreError> {
    const SQL: &str = "
        SELECT id, created_at_ms FROM revalidated.event
        WHERE integration_id = $1 AND type = 'integration.validation.failed'
        ORDER BY number DESC LIMIT 1";
    let Some(row) = tx.row(SQL, params![id => INT8]).await? else { return Ok(None) };
    Ok(Some(PastEvent {
        id: get(&row, "id")?,
        integration: Some(IntegrationId(id)),
        at: Timestamp(get(&row, "created_at_ms")?),
        delivery: None,
        incident: None,
    }))
}
