//! Effects: each kind is a statement or two, and nothing is decided here.

use rusqlite::{Connection, named_params};

use super::asked::{Asked, Recording};
use super::checksum::moved;
use super::prepared::Judged;
use super::{
    StoreError, configuration, expiry, fault, fingerprint, halves, health, known, lane, outage,
    prepared, row, silence, wake,
};
use crate::domain::ledger::{Effect, FactsRef, NewEvent, NewTransition, Row, Trigger};
use crate::domain::{IntegrationId, Timestamp};

/// Applies one effect of the decision that was asked for.
pub(super) fn apply(tx: &Connection, effect: &Effect, asked: &Asked<'_>) -> Result<(), StoreError> {
    match effect {
        Effect::SaveRow(row) => save_row(tx, row, asked),
        Effect::InsertIntegration(new) => configuration::insert(tx, new),
        Effect::Describe(new) => configuration::describe(tx, new),
        Effect::Propose(new) => configuration::propose(tx, new),
        Effect::Adopt(id) => configuration::adopt(tx, *id),
        Effect::Discard(id) => configuration::discard(tx, *id),
        Effect::InsertRun { id, index, rule, evidence } => match asked.run {
            Some(Recording { prepared, .. }) => {
                prepared::insert(tx, Judged { id: *id, rule, evidence }, prepared, *index)
            }
            None => Ok(()),
        },
        Effect::InsertTransition(new) => insert_transition(tx, new),
        Effect::InsertEvent(event) => insert_event(tx, event),
        Effect::CountOperational(number) => count_operational(tx, *number),
        Effect::Queue(change) => lane::change(tx, change),
        Effect::OpenOutage(new) => outage::open(tx, new),
        Effect::JoinOutage { outage, integration } => outage::enlist(tx, outage, *integration),
        Effect::LeaveOutage(integration) => outage::leave(tx, *integration),
        Effect::ScheduleClose { outage, at } => outage::schedule_close(tx, outage, *at),
        Effect::CloseOutage { outage, at } => outage::resolve(tx, outage, *at),
        Effect::MakeDue { integration, at, trigger } => make_due(tx, *integration, *at, *trigger),
        Effect::RaiseFault { fault, since, message } => fault::insert(tx, *fault, *since, message),
        Effect::ClearFault(fault) => fault::delete(tx, *fault),
        // A file has one node, which nothing contradicts.
        Effect::Contradict { .. } => Ok(()),
        Effect::InsertSilence { id, new, at } => silence::insert(tx, *id, new, *at),
        Effect::EndSilence { id, at } => silence::close(tx, *id, *at),
        Effect::ReevaluateMutes { at } => reevaluate_mutes(tx, *at),
        Effect::SaveKnown(new) => known::save(tx, new),
        Effect::LearnIncident(new) => known::learn(tx, new),
        Effect::ForgetIncident(incident) => known::forget(tx, incident),
        Effect::BuryIncident { incident, receiver, at } => known::bury(tx, incident, receiver, *at),
        Effect::ReviveIncident { incident, receiver } => known::revive(tx, incident, receiver),
        Effect::InsertAttempt(attempt, number) => lane::insert_attempt(tx, attempt, *number),
        Effect::SaveDelivery(update) => lane::save(tx, update),
        Effect::UpdateReceiver(health) => health::save(tx, health),
    }
}

fn save_row(tx: &Connection, row: &Row, asked: &Asked<'_>) -> Result<(), StoreError> {
    let former = asked.row.and_then(halves::facts_of);
    let seen = (row.seen.fingerprint.map(|one| one.facts), asked.run);
    let facts = if let (Some(FactsRef::OfRun(index)), Some(Recording { prepared, .. })) = seen {
        if let Some(seen) = prepared.expiries.get(index) {
            expiry::replace(tx, row, seen)?;
        }
        prepared::facts(tx, prepared, index)?
    } else {
        expiry::add_earliest(tx, row, asked.row)?;
        halves::facts_of(row)
    };
    row::save(tx, row, asked.row, facts)?;
    match former.filter(|former| Some(*former) != facts) {
        Some(former) => fingerprint::discard(tx, former),
        None => Ok(()),
    }
}

fn insert_transition(tx: &Connection, new: &NewTransition) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO transition
            (integration_id, from_status, to_status, cause, at_ms, run_id, incident_id)
        VALUES (:id, :from, :to, :cause, :at, :run, :incident)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": new.integration.0,
        ":from": new.step.map(|step| step.from.as_str()),
        ":to": new.to.as_str(),
        ":cause": new.step.map(|step| step.cause.as_str()),
        ":at": new.at.0,
        ":run": new.run.map(|run| run.0),
        ":incident": new.incident,
    })?;
    Ok(())
}

fn insert_event(tx: &Connection, new: &NewEvent) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO event (id, integration_id, sequence, type, created_at_ms, body)
        VALUES (:id, :integration, :sequence, :type, :at, :body)";
    let document = |source| StoreError::Document { table: "event", source };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": new.id,
        ":integration": new.integration.map(|id| id.0),
        ":sequence": new.sequence,
        ":type": new.body.kind.as_str(),
        ":at": new.body.timestamp.0,
        ":body": serde_json::to_string(&new.body).map_err(document)?,
    })?;
    Ok(())
}

fn count_operational(tx: &Connection, number: i64) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached("UPDATE meta SET sequence = :number")?;
    statement.execute(named_params! {":number": number})?;
    Ok(())
}

fn reevaluate_mutes(tx: &Connection, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE integration SET muted_until_ms = :at WHERE muted_until_ms > :at";
    tx.prepare_cached(SQL)?.execute(named_params! {":at": at.0})?;
    wake::look_again(tx, at)
}

fn make_due(
    tx: &Connection,
    id: IntegrationId,
    at: Timestamp,
    trigger: Trigger,
) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "UPDATE integration SET next_run_at_ms = :at, next_trigger = :trigger, ",
        moved!("row_sum(1, next_run_at_ms, next_trigger)", "row_sum(1, :at, :trigger)"),
        " WHERE id = :id"
    );
    let params = named_params! {":id": id.0, ":at": at.0, ":trigger": trigger.as_str()};
    tx.prepare_cached(SQL)?.execute(params)?;
    Ok(())
}
