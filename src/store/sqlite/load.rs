//! Evidence: what decisions need besides their row, read before anything is written.

use rusqlite::{Connection, OptionalExtension, ToSql, named_params};

use super::checksum::sound;
use super::column::{exists, report, report_status};
use super::row::results;
use super::{StoreError, fault, known, outage, silence};
use crate::domain::ledger::{Answer, Need, StoreHead, StoredReport};
use crate::domain::{IntegrationId, ReportStatus, Subject, Timestamp};

/// Reads what a decision needs.
pub(super) fn answer(tx: &Connection, need: &Need, now: Timestamp) -> Result<Answer, StoreError> {
    Ok(match need {
        // Random bytes are no row's.
        Need::Random => return Err(StoreError::Random),
        Need::StoreHead => Answer::StoreHead(head(tx)?),
        Need::Silences => Answer::Silences(silence::open(tx, now)?),
        Need::Results(run) => Answer::Results(results(tx, *run)?),
        Need::LatestGood(id, before) => Answer::Results(latest_good(tx, *id, *before)?),
        Need::LatestBad(id, subject, before) => {
            Answer::Results(latest_bad(tx, *id, *subject, *before)?)
        }
        Need::StatusSince(id) => Answer::Instant(instant_of(tx, STATUS_SINCE, *id)?),
        Need::Factors(id) => Answer::Factors(outage::factors(tx, *id)?),
        Need::AnotherFails(shared, since) => {
            Answer::Yes(outage::another_fails(tx, shared, *since)?)
        }
        Need::IdleSiblings(shared) => Answer::Integrations(outage::idle_siblings(tx, shared, now)?),
        Need::OpenOutage(factor, cause) => Answer::Outage(outage::open_of(tx, factor, *cause)?),
        Need::FailingSiblings(shared) => Answer::Siblings(outage::failing_siblings(tx, shared)?),
        Need::PassingSiblings(shared, since) => {
            Answer::Count(outage::passing_siblings(tx, shared, *since)?)
        }
        Need::OutageState(outage, id) => Answer::OutageState(outage::state(tx, outage, *id)?),
        Need::FailingMembers(outage, id) => {
            Answer::Integrations(outage::failing_members(tx, outage, *id, now)?)
        }
        Need::Known(incident) => Answer::Known(known::load(tx, incident)?),
        Need::OwnFaults => Answer::OwnFaults(fault::lasting(tx)?),
        Need::AnotherFailsLocally(id) => Answer::Yes(another_fails_locally(tx, *id)?),
        // A file has one node.
        Need::AnotherNode(..) => Answer::Yes(false),
        Need::Pending(receiver) => Answer::Count(pending(tx, receiver)?),
    })
}

fn head(tx: &Connection) -> Result<StoreHead, StoreError> {
    const SQL: &str = "SELECT epoch, sequence FROM meta";
    let read =
        |row: &rusqlite::Row<'_>| Ok(StoreHead { epoch: row.get(0)?, sequence: row.get(1)? });
    Ok(tx.prepare_cached(SQL)?.query_row([], read)?)
}

/// The results of the latest run that passed, before another one.
pub(super) const LATEST_GOOD: &str = "
    SELECT run.status, report.content FROM run JOIN report ON report.id = run.report_id
    WHERE run.integration_id = :id AND run.id < :before
      AND run.status IN ('passed', 'warning')
    ORDER BY run.id DESC LIMIT 1";

/// The results of the latest run that failed by the platform's fault, before another one; of one
/// configuration, if that is asked for.
pub(super) const LATEST_BAD: &str = "
    SELECT run.status, report.content FROM run JOIN report ON report.id = run.report_id
    WHERE run.integration_id = :id AND run.id < :before
      AND run.status = 'failed' AND run.class IS NOT 'local'
      AND (:subject IS NULL OR run.subject = :subject)
    ORDER BY run.id DESC LIMIT 1";

fn latest_good(
    tx: &Connection,
    id: IntegrationId,
    before: Option<i64>,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    latest(tx, LATEST_GOOD, named_params! {":id": id.0, ":before": before.unwrap_or(i64::MAX)})
}

fn latest_bad(
    tx: &Connection,
    id: IntegrationId,
    subject: Option<Subject>,
    before: Option<i64>,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    let params = named_params! {
        ":id": id.0, ":subject": subject.map(Subject::as_str), ":before": before.unwrap_or(i64::MAX),
    };
    latest(tx, LATEST_BAD, params)
}

fn latest(
    tx: &Connection,
    sql: &str,
    params: &[(&str, &dyn ToSql)],
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let found: Option<(String, String)> =
        statement.query_row(params, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(status, content)| Ok((report_status(&status)?, report(&content)?))).transpose()
}

/// Instant of the latest transition.
pub(super) const STATUS_SINCE: &str = concat!(
    "SELECT at_ms, ",
    sound!(transition "transition"),
    " FROM transition WHERE integration_id = :id ORDER BY id DESC LIMIT 1"
);

fn instant_of(
    tx: &Connection,
    sql: &str,
    id: IntegrationId,
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let found = statement.query_row(named_params! {":id": id.0}, |row| row.get(0)).optional()?;
    Ok(found.map(Timestamp))
}

/// Another integration in use that a fault on the daemon's own side keeps from being validated.
pub(super) const ANOTHER_FAILS_LOCALLY: &str = "
    SELECT EXISTS (SELECT 1 FROM integration
                   WHERE own_fault = 'validation' AND id <> :id
                     AND status NOT IN ('deleting', 'deleted', 'disabled'))";

fn another_fails_locally(tx: &Connection, id: IntegrationId) -> Result<bool, StoreError> {
    exists(tx, ANOTHER_FAILS_LOCALLY, named_params! {":id": id.0})
}

fn pending(tx: &Connection, receiver: &str) -> Result<usize, StoreError> {
    const SQL: &str =
        "SELECT count(*) FROM delivery WHERE state = 'pending' AND receiver = :receiver";
    let params = named_params! {":receiver": receiver};
    let count: i64 = tx.prepare_cached(SQL)?.query_row(params, |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}
