//! A status change becomes history and messages: the transition, its event and one delivery per
//! receiver that wants it, all in the transaction that changes the status.

use rusqlite::{Connection, OptionalExtension, named_params};
use serde::Serialize;
use uuid::Builder;

use super::super::random;
use super::column::millis;
use super::outage::{self, Outage};
use super::row::{Incident, Row, results};
use super::{NotificationContext, StoreError, own_fault};
use crate::domain::{
    Change, Drift, Event, EventData, EventType, IntegrationId, OutageNotice, RunRef,
    SCHEMA_VERSION, Status, Subscription, Timestamp, Transition, ValidationResults,
};

/// What an event tells besides what the row says.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// The run that caused it.
    pub(super) run: Option<RunRef>,
    /// The latest results.
    pub(super) results: Option<ValidationResults>,
    /// What differs from the results before.
    pub(super) changes: Vec<Change>,
    /// The outage that it belongs to.
    pub(super) group: Option<String>,
    /// What a failing run saw otherwise than the last passing one.
    pub(super) drift: Vec<Drift>,
}

impl Story {
    /// That of a change that no run caused: the results are those already stored.
    pub(super) fn of_stored(tx: &Connection, row: &Row) -> Result<Self, StoreError> {
        let Some(run) = row.last_run else {
            return Ok(Self::default());
        };
        let latest = results(tx, run)?.map(|(status, report)| report.results(status));
        Ok(Self { results: latest, ..Self::default() })
    }
}

/// A fresh `<prefix>_<UUIDv7>`: random, and ordered by time.
pub(super) fn fresh_id(prefix: &str, now: Timestamp) -> Result<String, StoreError> {
    let millis = u64::try_from(now.0).unwrap_or(0);
    let uuid = Builder::from_unix_timestamp_millis(millis, &random::bytes()?).into_uuid();
    Ok(format!("{prefix}_{uuid}"))
}

/// Takes the step of an operation on `row`, which the caller saves, and tells of it.
pub(super) fn flip(
    tx: &Connection,
    row: &mut Row,
    step: Transition,
    story: Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    if row.told == Status::Enabled && row.flapping.is_none() {
        // Its failure was held, so nobody knows of the incident.
        row.incident = None;
    }
    let kind = EventType::of(step, row.incident.is_some());
    let told = row.told;
    enter(tx, row, step, &story, tell)?;
    row.forget();
    outage::leave(tx, row, tell.now)?;
    own_fault::note(tx, row, None, tell)?;
    emit(tx, row, (kind, Some(told)), story, tell)?;
    row.told = row.status;
    if matches!(step.to, Status::Enabled | Status::Disabled | Status::Deleted) {
        row.incident = None;
    }
    Ok(())
}

/// Takes `step` on `row` without telling of it.
///
/// Failing opens an incident, which lasts through edits until the integration works again or is
/// taken out of use; the event that ends it still names it.
pub(super) fn enter(
    tx: &Connection,
    row: &mut Row,
    step: Transition,
    story: &Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    debug_assert_eq!(row.status, step.from, "a transition starts from the current status");
    if step.to == Status::RecurringValidationError && row.incident.is_none() {
        let since = first_failure(tx, row.id)?.unwrap_or(tell.now);
        row.incident = Some(Incident { id: fresh_id("inc", tell.now)?, since });
    }
    row.status = step.to;
    insert_transition(tx, row, Some(step), story.run.as_ref(), tell.now)
}

/// Writes down that `row` has come into being.
pub(super) fn announce(
    tx: &Connection,
    row: &mut Row,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    insert_transition(tx, row, None, None, tell.now)?;
    emit(tx, row, (EventType::StatusChanged, None), Story::default(), tell)
}

/// The first failing run since the latest good one.
pub(super) const FIRST_FAILURE: &str = "
    SELECT started_at_ms FROM run
    WHERE integration_id = :id AND status = 'failed' AND class IS NOT 'local'
      AND id > coalesce((SELECT id FROM run
                         WHERE integration_id = :id AND status IN ('passed', 'warning')
                         ORDER BY id DESC LIMIT 1), 0)
    ORDER BY id LIMIT 1";

/// When the failures began that are now a verdict.
fn first_failure(tx: &Connection, id: IntegrationId) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = tx.prepare_cached(FIRST_FAILURE)?;
    let found = statement.query_row(named_params! {":id": id.0}, |row| row.get(0)).optional()?;
    Ok(found.map(Timestamp))
}

fn insert_transition(
    tx: &Connection,
    row: &Row,
    step: Option<Transition>,
    run: Option<&RunRef>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO transition
            (integration_id, from_status, to_status, cause, at_ms, run_id, incident_id)
        VALUES (:id, :from, :to, :cause, :now, :run, :incident)";
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": row.id.0,
        ":from": step.map(|step| step.from.as_str()),
        ":to": row.status.as_str(),
        ":cause": step.map(|step| step.cause.as_str()),
        ":now": now.0,
        ":run": run.map(|run| run.id),
        ":incident": row.incident.as_ref().map(|incident| incident.id.as_str()),
    })?;
    Ok(())
}

/// Writes an event with the next number of its integration, and owes it to whoever wants it.
pub(super) fn emit(
    tx: &Connection,
    row: &mut Row,
    (kind, previous): (EventType, Option<Status>),
    story: Story,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    row.sequence = row.sequence.saturating_add(1);
    let id = fresh_id("evt", tell.now)?;
    let outage = row
        .incident
        .as_ref()
        .filter(|_| kind == EventType::ValidationRecovered)
        .map(|incident| Ok::<_, StoreError>(millis(changed_at(tx, row)?.since(incident.since))))
        .transpose()?;
    let event = Event {
        kind,
        timestamp: tell.now,
        data: EventData {
            schema_version: SCHEMA_VERSION,
            epoch: tx.prepare_cached("SELECT epoch FROM meta")?.query_row([], |r| r.get(0))?,
            sequence: row.sequence,
            incident_id: row.incident.as_ref().map(|incident| incident.id.clone()),
            integration: row.reference()?,
            status: row.status,
            previous_status: previous,
            validation_results: story.results,
            changes: story.changes,
            drift: story.drift,
            run: story.run,
            failing_since: row.incident.as_ref().map(|incident| incident.since),
            outage_ms: outage,
            group: story.group,
        },
    };
    let numbered = Numbered { id, integration: Some(row.id.0), sequence: row.sequence };
    insert_event(tx, &numbered, &event)?;
    let about = event.data.integration.about();
    for subscription in tell.subscriptions.iter().filter(|one| one.wants(kind, about)) {
        if !is_said(tx, event.data.group.as_deref(), subscription)? {
            insert_delivery(tx, &numbered, &subscription.receiver, tell.now)?;
        }
    }
    Ok(())
}

/// When the status last changed, which may be long before that can be told.
fn changed_at(tx: &Connection, row: &Row) -> Result<Timestamp, StoreError> {
    const SQL: &str = "
        SELECT at_ms FROM transition WHERE integration_id = :id ORDER BY id DESC LIMIT 1";
    let mut statement = tx.prepare_cached(SQL)?;
    Ok(Timestamp(statement.query_row(named_params! {":id": row.id.0}, |row| row.get(0))?))
}

/// True when the receiver is told of the outage `group`, and wants nothing besides.
fn is_said(
    tx: &Connection,
    group: Option<&str>,
    subscription: &Subscription,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM outage JOIN delivery ON delivery.event_id = outage.event_id
                       WHERE outage.id = :outage AND receiver = :receiver)";
    let Some(outage) = group.filter(|_| subscription.is_grouped()) else { return Ok(false) };
    let params = named_params! {":outage": outage, ":receiver": subscription.receiver};
    Ok(tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?)
}

/// Writes that an outage has begun, or has ended that `begun` told of; the event's id. Its beginning
/// is owed to whoever wants to know of one of its integrations, its end to whoever was told of it.
pub(super) fn emit_outage(
    tx: &Connection,
    outage: &Outage,
    begun: Option<&str>,
    tell: &NotificationContext,
) -> Result<String, StoreError> {
    let (epoch, sequence) = next_operational(tx)?;
    let kind = if begun.is_some() { EventType::OutageResolved } else { EventType::Outage };
    let lasted = millis(tell.now.since(outage.since));
    let event = Event {
        kind,
        timestamp: tell.now,
        data: OutageNotice {
            schema_version: SCHEMA_VERSION,
            epoch,
            sequence,
            outage_id: outage.id.clone(),
            factor: outage.factor.clone(),
            cause: outage.cause.clone(),
            since: outage.since,
            outage_ms: begun.map(|_| lasted),
            integrations: outage.members.clone(),
            unlisted: u32::try_from(outage.unlisted).unwrap_or(u32::MAX),
        },
    };
    let mut receivers = Vec::new();
    for one in tell.subscriptions.iter().filter(|one| one.wants_kind(kind)) {
        let concerned = match begun {
            None => {
                outage.members.iter().any(|member| one.selection.fits(member.integration.about()))
            }
            Some(begun) => was_owed(tx, begun, &one.receiver)?,
        };
        if concerned {
            receivers.push(one.receiver.as_str());
        }
    }
    tell_operational(tx, sequence, &event, &receivers)
}

fn was_owed(tx: &Connection, event: &str, receiver: &str) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM delivery WHERE event_id = :event AND receiver = :receiver)";
    let params = named_params! {":event": event, ":receiver": receiver};
    Ok(tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?)
}

/// The store's identity, and the number of the next event that is about no integration.
pub(super) fn next_operational(tx: &Connection) -> Result<(String, i64), StoreError> {
    const SQL: &str = "UPDATE meta SET sequence = sequence + 1 RETURNING epoch, sequence";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Writes an event that is about no single integration, and owes it to `receivers`; its id.
pub(super) fn tell_operational<Data: Serialize>(
    tx: &Connection,
    sequence: i64,
    event: &Event<Data>,
    receivers: &[&str],
) -> Result<String, StoreError> {
    let id = fresh_id("evt", event.timestamp)?;
    let numbered = Numbered { id, integration: None, sequence };
    insert_event(tx, &numbered, event)?;
    for receiver in receivers {
        insert_delivery(tx, &numbered, receiver, event.timestamp)?;
    }
    Ok(numbered.id)
}

/// What an event is known by.
struct Numbered {
    id: String,
    integration: Option<i64>,
    sequence: i64,
}

fn insert_event<Data: Serialize>(
    tx: &Connection,
    numbered: &Numbered,
    event: &Event<Data>,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO event (id, integration_id, sequence, type, created_at_ms, body)
        VALUES (:id, :integration, :sequence, :type, :now, :body)";
    let document = |source| StoreError::Document { table: "event", source };
    tx.prepare_cached(SQL)?.execute(named_params! {
        ":id": numbered.id,
        ":integration": numbered.integration,
        ":sequence": numbered.sequence,
        ":type": event.kind.as_str(),
        ":now": event.timestamp.0,
        ":body": serde_json::to_string(event).map_err(document)?,
    })?;
    Ok(())
}

/// A delivery is due at once, unless the receiver is still owed an earlier event about the same
/// integration.
pub(super) const OWE: &str = "
    INSERT INTO delivery (event_id, receiver, integration_id, sequence, state, due_at_ms)
    VALUES (:event, :receiver, :integration, :sequence, 'pending',
            iif(EXISTS (SELECT 1 FROM delivery
                        WHERE state = 'pending' AND receiver = :receiver
                          AND integration_id IS :integration), NULL, :now))
    ON CONFLICT (event_id, receiver) DO NOTHING";

fn insert_delivery(
    tx: &Connection,
    numbered: &Numbered,
    receiver: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(OWE)?.execute(named_params! {
        ":event": numbered.id,
        ":receiver": receiver,
        ":integration": numbered.integration,
        ":sequence": numbered.sequence,
        ":now": now.0,
    })?;
    Ok(())
}
