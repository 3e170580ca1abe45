//! What is wrong on the daemon's own side: told once when it begins, and once when it is over.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::column::{millis, parse};
use super::event::{next_operational, tell_operational};
use super::row::Row;
use super::{Finished, NotificationContext, OwnFaultRow, StoreError, SubjectRun};
use crate::domain::{
    Class, DaemonFaultNotice, Event, EventType, OwnFault, ReportStatus, SCHEMA_VERSION, Timestamp,
};

/// Remembers that `fault` lasts, and tells of it when that is new; true then.
pub(super) fn begin(
    tx: &Connection,
    fault: OwnFault,
    message: &str,
    tell: &NotificationContext,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO own_fault (fault, since_ms, message) VALUES (:fault, :now, :message)
        ON CONFLICT DO NOTHING RETURNING 1";
    let params = named_params! {
        ":fault": fault.as_str(), ":now": tell.now.0, ":message": message,
    };
    let new: Option<i64> =
        tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0)).optional()?;
    if new.is_some() {
        let since = tell.now;
        announce(tx, EventType::DaemonDegraded, (fault, message, since), tell)?;
    }
    Ok(new.is_some())
}

/// `fault` is over: tells of it when it lasted; true then.
pub(super) fn end(
    tx: &Connection,
    fault: OwnFault,
    tell: &NotificationContext,
) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM own_fault WHERE fault = :fault RETURNING since_ms, message";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let params = named_params! {":fault": fault.as_str()};
    let found: Option<(i64, String)> =
        tx.prepare_cached(SQL)?.query_row(params, read).optional()?;
    let Some((since, message)) = found else { return Ok(false) };
    let since = Timestamp(since);
    announce(tx, EventType::DaemonRecovered, (fault, &message, since), tell)?;
    Ok(true)
}

fn announce(
    tx: &Connection,
    kind: EventType,
    (fault, message, since): (OwnFault, &str, Timestamp),
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let (epoch, sequence) = next_operational(tx)?;
    let over = kind == EventType::DaemonRecovered;
    let event = Event {
        kind,
        timestamp: tell.now,
        data: DaemonFaultNotice {
            schema_version: SCHEMA_VERSION,
            epoch,
            sequence,
            fault,
            message: message.to_owned(),
            since,
            lasted_ms: over.then(|| millis(tell.now.since(since))),
        },
    };
    let wanting = tell.subscriptions.iter().filter(|one| one.wants_kind(kind));
    let receivers: Vec<_> = wanting.map(|one| one.receiver.as_str()).collect();
    tell_operational(tx, sequence, &event, &receivers)?;
    Ok(())
}

/// What on the daemon's own side kept the run from telling anything, and how that shows.
pub(super) fn of(finished: &Finished) -> Option<(OwnFault, &str)> {
    let SubjectRun { report, own_fault, .. } = finished.runs.first()?;
    if report.status() != ReportStatus::Failed || report.class() != Some(Class::Local) {
        return None;
    }
    let findings = report.tests.iter().filter_map(|test| test.outcome.finding());
    let ours = findings.filter(|finding| finding.class == Class::Local);
    let message = ours.map(|finding| finding.message.as_str()).next().unwrap_or_default();
    Some((own_fault.unwrap_or(OwnFault::Validation), message))
}

/// Notes on `row`, which the caller saves, what kept its latest run from telling anything. A fault of
/// one validation lasts until no integration has one any more; the others are ended by who noticed.
pub(super) fn note(
    tx: &Connection,
    row: &mut Row,
    fault: Option<(OwnFault, &str)>,
    tell: &NotificationContext,
) -> Result<(), StoreError> {
    let before = row.own_fault;
    row.own_fault = fault.map(|(fault, _)| fault);
    if let Some((fault, message)) = fault {
        begin(tx, fault, &format!("{}: {message}", row.name), tell)?;
    }
    let ended = before == Some(OwnFault::Validation) && before != row.own_fault;
    if ended && !is_shared(tx, row)? {
        end(tx, OwnFault::Validation, tell)?;
    }
    Ok(())
}

/// True when another integration cannot be validated either.
fn is_shared(tx: &Connection, row: &Row) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM integration
                       WHERE own_fault = 'validation' AND id <> :id
                         AND status NOT IN ('deleting', 'deleted', 'disabled'))";
    Ok(tx.prepare_cached(SQL)?.query_row(named_params! {":id": row.id.0}, |row| row.get(0))?)
}

/// Everything that is wrong now.
pub(super) fn all(tx: &Connection) -> Result<Vec<OwnFaultRow>, StoreError> {
    const SQL: &str = "SELECT fault, since_ms, message FROM own_fault ORDER BY since_ms, fault";
    let mut statement = tx.prepare_cached(SQL)?;
    let found = statement.query_and_then([], |row| {
        Ok(OwnFaultRow {
            fault: parse("own_fault", &row.get::<_, String>("fault")?)?,
            since: Timestamp(row.get("since_ms")?),
            message: row.get("message")?,
        })
    })?;
    found.collect()
}
