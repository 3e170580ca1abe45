//! Evidence: what decisions need besides their row, read before anything is written. Where others may be about to
//! change what is counted, its gate is locked first.

use super::column::{instant, report, report_status};
use super::tx::{Params, Tx, get, params};
use super::{StoreError, fault, gate, known, node, outage, silence};
use crate::domain::ledger::{Answer, Need, StoreHead, StoredReport};
use crate::domain::{IntegrationId, ReportStatus, Subject, Timestamp};

/// Reads what a decision needs.
pub(super) async fn answer(tx: &Tx, need: &Need, now: Timestamp) -> Result<Answer, StoreError> {
    Ok(match need {
        // Random bytes are no row's.
        Need::Random => return Err(StoreError::Random),
        Need::StoreHead => Answer::StoreHead(head(tx).await?),
        Need::Silences => Answer::Silences(silence::open(tx, now).await?),
        Need::Results(run) => Answer::Results(results(tx, *run).await?),
        Need::LatestGood(id, before) => Answer::Results(latest_good(tx, *id, *before).await?),
        Need::LatestBad(id, subject, before) => {
            Answer::Results(latest_bad(tx, *id, *subject, *before).await?)
        }
        Need::StatusSince(id) => Answer::Instant(status_since(tx, *id).await?),
        Need::Factors(id) => {
            let factors = outage::factors(tx, *id).await?;
            gate::lock_factors(tx, &factors).await?;
            Answer::Factors(factors)
        }
        Need::AnotherFails(shared, since) => {
            Answer::Yes(outage::another_fails(tx, shared, *since).await?)
        }
        Need::IdleSiblings(shared) => {
            Answer::Integrations(outage::idle_siblings(tx, shared, now).await?)
        }
        Need::OpenOutage(factor, cause) => {
            Answer::Outage(outage::open_of(tx, factor, *cause).await?)
        }
        Need::FailingSiblings(shared) => {
            Answer::Siblings(outage::failing_siblings(tx, shared).await?)
        }
        Need::PassingSiblings(shared, since) => {
            Answer::Count(outage::passing_siblings(tx, shared, *since).await?)
        }
        Need::OutageState(outage, id) => Answer::OutageState(outage::state(tx, outage, *id).await?),
        Need::FailingMembers(outage, id) => {
            Answer::Integrations(outage::failing_members(tx, outage, *id, now).await?)
        }
        Need::Known(incident) => Answer::Known(known::load(tx, incident).await?),
        Need::OwnFaults => {
            gate::lock(tx, gate::OWN_FAULT).await?;
            Answer::OwnFaults(fault::lasting(tx).await?)
        }
        Need::AnotherFailsLocally(id) => {
            gate::lock(tx, gate::OWN_FAULT).await?;
            Answer::Yes(another_fails_locally(tx, *id).await?)
        }
        Need::AnotherNode(id, node) => Answer::Yes(node::another_serves(tx, *id, node).await?),
        Need::Pending(receiver) => Answer::Count(pending(tx, receiver).await?),
    })
}

async fn head(tx: &Tx) -> Result<StoreHead, StoreError> {
    let row = tx.one("SELECT epoch, sequence FROM revalidated.meta", &[]).await?;
    Ok(StoreHead { epoch: get(&row, "epoch")?, sequence: get(&row, "sequence")? })
}

async fn results(tx: &Tx, run: i64) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    const SQL: &str = "
        SELECT run.status, report.content
        FROM revalidated.run JOIN revalidated.report ON report.id = run.report_id
        WHERE run.id = $1";
    report_of(tx, SQL, params![run => INT8]).await
}

/// Loads the results of the latest run that passed, before another one.
async fn latest_good(
    tx: &Tx,
    id: IntegrationId,
    before: Option<i64>,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    const SQL: &str = "
        SELECT run.status, report.content
        FROM revalidated.run JOIN revalidated.report ON report.id = run.report_id
        WHERE run.integration_id = $1 AND run.id < $2 AND run.status IN ('passed', 'warning')
        ORDER BY run.id DESC LIMIT 1";
    report_of(tx, SQL, params![id.0 => INT8, before.unwrap_or(i64::MAX) => INT8]).await
}

/// Loads the results of the latest run that failed by the platform's fault, before another one; of one
/// configuration, if that is asked for.
async fn latest_bad(
    tx: &Tx,
    id: IntegrationId,
    subject: Option<Subject>,
    before: Option<i64>,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    const SQL: &str = "
        SELECT run.status, report.content
        FROM revalidated.run JOIN revalidated.report ON report.id = run.report_id
        WHERE run.integration_id = $1 AND run.id < $2
          AND run.status = 'failed' AND run.class IS DISTINCT FROM 'local'
          AND ($3 IS NULL OR run.subject = $3)
        ORDER BY run.id DESC LIMIT 1";
    let params = params![
        id.0 => INT8, before.unwrap_or(i64::MAX) => INT8, subject.map(Subject::as_str) => TEXT,
    ];
    report_of(tx, SQL, params).await
}

async fn report_of(
    tx: &Tx,
    sql: &str,
    params: Params<'_>,
) -> Result<Option<(ReportStatus, StoredReport)>, StoreError> {
    let Some(row) = tx.row(sql, params).await? else { return Ok(None) };
    Ok(Some((report_status(get(&row, "status")?)?, report(get(&row, "content")?)?)))
}

/// Loads the instant of the latest transition.
async fn status_since(tx: &Tx, id: IntegrationId) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "
        SELECT at_ms FROM revalidated.transition WHERE integration_id = $1 ORDER BY id DESC LIMIT 1";
    match tx.row(SQL, params![id.0 => INT8]).await? {
        Some(row) => instant(&row, "at_ms"),
        None => Ok(None),
    }
}

/// Returns true when a fault on the daemon's own side keeps another integration in use from being validated.
async fn another_fails_locally(tx: &Tx, id: IntegrationId) -> Result<bool, StoreError> {
    const SQL: &str = "
        SELECT EXISTS (SELECT 1 FROM revalidated.integration
                       WHERE own_fault = 'validation' AND id <> $1
                         AND status NOT IN ('deleting', 'deleted', 'disabled')) AS found";
    get(&tx.one(SQL, params![id.0 => INT8]).await?, "found")
}

async fn pending(tx: &Tx, receiver: &str) -> Result<usize, StoreError> {
    const SQL: &str = "
        SELECT count(*) AS pending FROM revalidated.delivery
        WHERE state = 'pending' AND receiver = $1";
    let count: i64 = get(&tx.one(SQL, params![receiver => TEXT]).await?, "pending")?;
    Ok(usize::try_from(count).unwrap_or(0))
}
