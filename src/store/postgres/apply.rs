//! Effects: each kind is a statement or two, and nothing is decided here.

use super::asked::{Asked, Recording};
use super::error::Fault;
use super::planted::{self, Hazard};
use super::prepared::{self, Judged};
use super::tx::{Tx, get, params};
use super::{
    StoreError, configuration, contradiction, expiry, fault, fingerprint, halves, health, known,
    lane, outage, row, silence,
};
use crate::domain::ledger::{Effect, FactsRef, NewEvent, NewTransition, Row, Trigger};
use crate::domain::{IntegrationId, Timestamp};

/// Applies one effect of the decision that was asked for.
pub(super) async fn apply(tx: &Tx, effect: &Effect, asked: &Asked<'_>) -> Result<(), StoreError> {
    match effect {
        Effect::SaveRow(row) => save_row(tx, row, asked).await,
        Effect::InsertIntegration(new) => configuration::insert(tx, new).await,
        Effect::Describe(new) => configuration::describe(tx, new).await,
        Effect::Propose(new) => configuration::propose(tx, new).await,
        Effect::Adopt(id) => configuration::adopt(tx, *id).await,
        Effect::Discard(id) => configuration::discard(tx, *id).await,
        Effect::InsertRun { id, index, rule, evidence } => match asked.run {
            Some(Recording { prepared, .. }) => {
                let judged = Judged { id: *id, rule, evidence };
                prepared::insert(tx, judged, prepared, *index).await
            }
            None => Ok(()),
        },
        Effect::InsertTransition(new) => insert_transition(tx, new).await,
        Effect::InsertEvent(event) => insert_event(tx, event).await,
        Effect::CountOperational(number) => count_operational(tx, *number).await,
        Effect::Queue(change) => lane::change(tx, change).await,
        Effect::OpenOutage(new) => outage::open(tx, new).await,
        Effect::JoinOutage { outage, integration } => {
            outage::enlist(tx, outage, *integration).await
        }
        Effect::LeaveOutage(integration) => outage::leave(tx, *integration).await,
        Effect::ScheduleClose { outage, at } => outage::schedule_close(tx, outage, *at).await,
        Effect::CloseOutage { outage, at } => outage::resolve(tx, outage, *at).await,
        Effect::MakeDue { integration, at, trigger } => {
            make_due(tx, *integration, *at, *trigger).await
        }
        Effect::RaiseFault { fault, since, message } => {
            fault::insert(tx, *fault, *since, message).await
        }
        Effect::ClearFault(fault) => fault::delete(tx, *fault).await,
        Effect::Contradict { node, integration, at } => {
            contradiction::insert(tx, node, *integration, *at).await
        }
        Effect::InsertSilence { id, new, at } => silence::insert(tx, *id, new, *at).await,
        Effect::EndSilence { id, at } => silence::close(tx, *id, *at).await,
        Effect::ReevaluateMutes { at } => reevaluate_mutes(tx, *at).await,
        Effect::SaveKnown(new) => known::save(tx, new).await,
        Effect::LearnIncident(new) => known::learn(tx, new).await,
        Effect::ForgetIncident(incident) => known::forget(tx, incident).await,
        Effect::BuryIncident { incident, receiver, at } => {
            known::bury(tx, incident, receiver, *at).await
        }
        Effect::ReviveIncident { incident, receiver } => {
            known::revive(tx, incident, receiver).await
        }
        Effect::InsertAttempt(attempt, number) => lane::insert_attempt(tx, attempt, *number).await,
        Effect::SaveDelivery(update) => lane::save(tx, update).await,
        Effect::UpdateReceiver(health) => health::save(tx, health).await,
    }
}

async fn save_row(tx: &Tx, row: &Row, asked: &Asked<'_>) -> Result<(), StoreError> {
    let former = asked.row.and_then(halves::facts_of);
    let seen = (row.seen.fingerprint.map(|one| one.facts), asked.run);
    let facts = if let (Some(FactsRef::OfRun(index)), Some(Recording { prepared, .. })) = seen {
        if let Some(seen) = prepared.expiries.get(index) {
            expiry::replace(tx, row, seen).await?;
        }
        match prepared.fingerprints.get(index) {
            Some(Some(facts)) => Some(fingerprint::row_of(tx, facts).await?),
            Some(None) | None => None,
        }
    } else {
        expiry::add_earliest(tx, row, asked.row).await?;
        halves::facts_of(row)
    };
    row::save(tx, row, asked.row, facts).await?;
    match former.filter(|former| Some(*former) != facts) {
        Some(former) => fingerprint::discard(tx, former).await,
        None => Ok(()),
    }
}

async fn insert_transition(tx: &Tx, new: &NewTransition) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.transition
            (integration_id, from_status, to_status, cause, at_ms, run_id, incident_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = params![
        new.integration.0 => INT8, new.step.map(|step| step.from.as_str()) => TEXT,
        new.to.as_str() => TEXT, new.step.map(|step| step.cause.as_str()) => TEXT,
        new.at.0 => INT8, new.run.map(|run| run.0) => INT8, new.incident => TEXT,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Adds an event; its number is given under the gate that orders them by their commits.
async fn insert_event(tx: &Tx, new: &NewEvent) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.event (id, integration_id, sequence, type, created_at_ms, body)
        VALUES ($1, $2, $3, $4, $5, $6) RETURNING number";
    let document = |source| StoreError::Document { table: "event", source };
    let body = serde_json::to_string(&new.body).map_err(document)?;
    let params = params![
        new.id => TEXT, new.integration.map(|id| id.0) => INT8, new.sequence => INT8,
        new.body.kind.as_str() => TEXT, new.body.timestamp.0 => INT8, body => TEXT,
    ];
    let number = get(&tx.one(SQL, params).await?, "number")?;
    tx.note_event(number);
    Ok(())
}

/// Stores the number of the latest operational event, which nothing locks while it is decided about.
async fn count_operational(tx: &Tx, number: i64) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE revalidated.meta SET sequence = $1 WHERE sequence < $1";
    match tx.execute(SQL, params![number => INT8]).await? {
        0 => Err(Fault::Conflict.into()),
        _ => Ok(()),
    }
}

async fn reevaluate_mutes(tx: &Tx, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.integration SET muted_until_ms = $1
        WHERE id IN (SELECT id FROM revalidated.integration WHERE muted_until_ms > $1
                     ORDER BY id FOR NO KEY UPDATE)";
    tx.execute(SQL, params![at.0 => INT8]).await?;
    known::look_again(tx, at).await
}

/// Makes an integration due, unless its run is being recorded: then it has just been looked at.
async fn make_due(
    tx: &Tx,
    id: IntegrationId,
    at: Timestamp,
    trigger: Trigger,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.work SET next_run_at_ms = $2, next_trigger = $3
        WHERE integration_id IN (SELECT integration_id FROM revalidated.work
                                 WHERE integration_id = $1 FOR NO KEY UPDATE SKIP LOCKED)";
    const WAITING: &str = "
        UPDATE revalidated.work SET next_run_at_ms = $2, next_trigger = $3 WHERE integration_id = $1";
    let sql = if planted::is(Hazard::Siblings) { WAITING } else { SQL };
    tx.execute(sql, params![id.0 => INT8, at.0 => INT8, trigger.as_str() => TEXT]).await?;
    Ok(())
}
