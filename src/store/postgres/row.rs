//! The row of an integration: how decisions get it, locked, and how it is written back. Most runs change its half
//! in `work` only.

use std::collections::BTreeMap;

use tokio_postgres::Row as SqlRow;

use super::column::{class, count, flips, instant, labels, parse, trigger};
use super::tx::{Tx, get, params};
use super::{StoreError, evidence, halves};
use crate::domain::ledger::{
    Elsewhere, FactsRef, Fingerprint, Flapping, Incident, Lease, Mute, Progress, Row, Seen, Suspect,
};
use crate::domain::{Counters, IntegrationId, OwnFault, Status, Timestamp};

/// The columns that [`read`] needs, of both halves.
macro_rules! row_columns {
    () => {
        "integration.id, name, kind, labels, cron, zone, status, pending_status, next_run_at_ms,
         next_trigger, lease_owner, lease_token, lease_until_ms, failures, passes, last_run_id,
         first_failure_at_ms, evidence, candidate_failures, candidate_passes, candidate_run_id,
         candidate_first_failure_at_ms, candidate_evidence, sequence, transitions, incident_id,
         failing_since_ms, incident_notified, notified_status, muted_until_ms, muted_by,
         warning_muted, flips, flapping_since_ms, flapping_until_ms, suspect_since_ms,
         suspect_class, own_fault, outage_id, fingerprint_id, fingerprint_at_ms, expires_at_ms,
         expires_what, elsewhere, elsewhere_until_ms"
    };
}
pub(super) use row_columns;

/// Both halves of rows.
macro_rules! row_tables {
    () => {
        "FROM revalidated.work
         JOIN revalidated.integration ON integration.id = work.integration_id "
    };
}
pub(super) use row_tables;

/// Locks both halves of the row of `id` and loads it, if there is one.
pub(super) async fn lock(tx: &Tx, id: IntegrationId) -> Result<Option<Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        row_columns!(),
        " ",
        row_tables!(),
        "WHERE work.integration_id = $1 FOR NO KEY UPDATE OF work, integration"
    );
    tx.row(SQL, params![id.0 => INT8]).await?.as_ref().map(read).transpose()
}

/// Locks the rows of `ids` in their order and loads them.
pub(super) async fn lock_all(
    tx: &Tx,
    ids: &[i64],
) -> Result<BTreeMap<IntegrationId, Row>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        row_columns!(),
        " ",
        row_tables!(),
        "WHERE work.integration_id = ANY($1) ORDER BY work.integration_id
         FOR NO KEY UPDATE OF work, integration"
    );
    let found = tx.rows(SQL, params![ids => INT8_ARRAY]).await?;
    let read = |row| read(row).map(|row| (row.id, row));
    found.iter().map(read).collect()
}

/// Reads the columns of [`row_columns`].
pub(super) fn read(row: &SqlRow) -> Result<Row, StoreError> {
    let pending: Option<&str> = get(row, "pending_status")?;
    let own_fault: Option<&str> = get(row, "own_fault")?;
    let suspect = pair(row, "suspect_since_ms", "suspect_class", |since, name: &str| {
        class(name).map(|class| Suspect { since: Timestamp(since), class })
    })?;
    Ok(Row {
        id: IntegrationId(get(row, "id")?),
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        labels: labels(get(row, "labels")?)?,
        cron: get(row, "cron")?,
        zone: get(row, "zone")?,
        status: parse("integration", get(row, "status")?)?,
        pending: pending.map(|name| parse("integration", name)).transpose()?,
        next_run_at: instant(row, "next_run_at_ms")?,
        trigger: trigger("work", get(row, "next_trigger")?)?,
        lease: lease(row)?,
        active: active(row)?,
        candidate: candidate(row)?,
        sequence: get(row, "sequence")?,
        transitions: get(row, "transitions")?,
        incident: incident(row)?,
        notified: parse("integration", get(row, "notified_status")?)?,
        mute: pair(row, "muted_until_ms", "muted_by", |until, by| Mute {
            until: Timestamp(until),
            by,
        })?,
        warning_muted: get(row, "warning_muted")?,
        flips: flips(get(row, "flips")?)?,
        flapping: pair(row, "flapping_since_ms", "flapping_until_ms", |since, until| Flapping {
            since: Timestamp(since),
            until: Timestamp(until),
        })?,
        suspect: suspect.transpose()?,
        own_fault: own_fault.map(|name| parse("integration", name)).transpose()?,
        outage: get(row, "outage_id")?,
        seen: Seen {
            fingerprint: pair(row, "fingerprint_id", "fingerprint_at_ms", |id, at| Fingerprint {
                facts: FactsRef::Stored(id),
                at: Timestamp(at),
            })?,
            next_end: pair(row, "expires_at_ms", "expires_what", |at, what| (Timestamp(at), what))?,
        },
        elsewhere: pair(row, "elsewhere_until_ms", "elsewhere", |until, node| Elsewhere {
            node,
            until: Timestamp(until),
        })?,
    })
}

/// Reads two columns that are there or missing together.
fn pair<'r, B: tokio_postgres::types::FromSql<'r>, T>(
    row: &'r SqlRow,
    first: &str,
    second: &str,
    both: impl FnOnce(i64, B) -> T,
) -> Result<Option<T>, StoreError> {
    let (first, second) = (get::<Option<i64>>(row, first)?, get::<Option<B>>(row, second)?);
    Ok(first.zip(second).map(|(first, second)| both(first, second)))
}

/// Reads the lease: owner, token and end, all there or all missing.
fn lease(row: &SqlRow) -> Result<Option<Lease>, StoreError> {
    let owner: Option<i64> = get(row, "lease_owner")?;
    let token: Option<i64> = get(row, "lease_token")?;
    let lease = owner.zip(token).zip(instant(row, "lease_until_ms")?);
    Ok(lease.map(|((owner, token), until)| Lease { owner, token, until }))
}

fn active(row: &SqlRow) -> Result<Progress, StoreError> {
    let counters = Counters { failures: count(row, "failures")?, passes: count(row, "passes")? };
    let evidence = evidence::read(counters, get(row, "evidence")?)?;
    let failing_since = instant(row, "first_failure_at_ms")?;
    Ok(Progress { evidence, last_run: get(row, "last_run_id")?, failing_since })
}

fn candidate(row: &SqlRow) -> Result<Progress, StoreError> {
    let (failures, passes) = (count(row, "candidate_failures")?, count(row, "candidate_passes")?);
    let evidence = evidence::read(Counters { failures, passes }, get(row, "candidate_evidence")?)?;
    let failing_since = instant(row, "candidate_first_failure_at_ms")?;
    Ok(Progress { evidence, last_run: get(row, "candidate_run_id")?, failing_since })
}

fn incident(row: &SqlRow) -> Result<Option<Incident>, StoreError> {
    let (id, is_notified) =
        (get::<Option<String>>(row, "incident_id")?, get(row, "incident_notified")?);
    let found = id.zip(instant(row, "failing_since_ms")?);
    Ok(found.map(|(id, since)| Incident { id, since, is_notified }))
}

/// Writes back what decisions change of `row`; the rest belongs to the configuration. Where `before` is
/// what the database has, the half that most runs leave as it is, is written only when it differs.
pub(super) async fn save(
    tx: &Tx,
    row: &Row,
    before: Option<&Row>,
    facts: Option<i64>,
) -> Result<(), StoreError> {
    save_progress(tx, row).await?;
    if before.is_some_and(|before| halves::is_cold_part_same(row, before, facts)) {
        return Ok(());
    }
    save_cold(tx, row, facts).await
}

async fn save_progress(tx: &Tx, row: &Row) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.work SET
            next_run_at_ms = $2, next_trigger = $3, lease_owner = $4, lease_token = $5,
            lease_until_ms = $6, failures = $7, passes = $8, last_run_id = $9,
            fingerprint_at_ms = $10, expires_at_ms = $11, expires_what = $12, elsewhere = $13,
            elsewhere_until_ms = $14
        WHERE integration_id = $1";
    let Seen { fingerprint, next_end } = &row.seen;
    let Counters { failures, passes } = row.active.evidence.counters;
    let elsewhere = row.elsewhere.as_ref();
    let params = params![
        row.id.0 => INT8, row.next_run_at.map(|at| at.0) => INT8, row.trigger.as_str() => TEXT,
        row.lease.map(|lease| lease.owner) => INT8, row.lease.map(|lease| lease.token) => INT8,
        row.lease.map(|lease| lease.until.0) => INT8, i64::from(failures) => INT8,
        i64::from(passes) => INT8, row.active.last_run => INT8,
        fingerprint.map(|seen| seen.at.0) => INT8, next_end.as_ref().map(|(at, _)| at.0) => INT8,
        next_end.as_ref().map(|(_, what)| what) => TEXT,
        elsewhere.map(|one| one.node.as_str()) => TEXT,
        elsewhere.map(|one| one.until.0) => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

async fn save_cold(tx: &Tx, row: &Row, facts: Option<i64>) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.integration SET
            status = $2, pending_status = $3, first_failure_at_ms = $4, evidence = $5,
            candidate_evidence = $6, candidate_failures = $7, candidate_passes = $8,
            candidate_run_id = $9, candidate_first_failure_at_ms = $10, sequence = $11,
            transitions = $12, incident_id = $13, failing_since_ms = $14, incident_notified = $15,
            notified_status = $16, muted_until_ms = $17, muted_by = $18, warning_muted = $19,
            flips = $20, flapping_since_ms = $21, flapping_until_ms = $22, suspect_since_ms = $23,
            suspect_class = $24, own_fault = $25, outage_id = $26, fingerprint_id = $27
        WHERE id = $1";
    let flips: Vec<i64> = row.flips.0.iter().map(|at| at.0).collect();
    let document = |source| StoreError::Document { table: "integration", source };
    let flips = serde_json::to_string(&flips).map_err(document)?;
    let Progress { evidence: candidate, last_run, failing_since } = &row.candidate;
    let (active_text, candidate_text) =
        (evidence::text(&row.active.evidence)?, evidence::text(candidate)?);
    let (incident, mute) = (row.incident.as_ref(), row.mute.as_ref());
    let params = params![
        row.id.0 => INT8, row.status.as_str() => TEXT, row.pending.map(Status::as_str) => TEXT,
        row.active.failing_since.map(|at| at.0) => INT8, active_text => TEXT,
        candidate_text => TEXT, i64::from(candidate.counters.failures) => INT8,
        i64::from(candidate.counters.passes) => INT8, *last_run => INT8,
        failing_since.map(|at| at.0) => INT8, row.sequence => INT8, row.transitions => INT8,
        incident.map(|incident| incident.id.as_str()) => TEXT,
        incident.map(|incident| incident.since.0) => INT8,
        incident.is_some_and(|incident| incident.is_notified) => BOOL,
        row.notified.as_str() => TEXT, mute.map(|mute| mute.until.0) => INT8,
        mute.map(|mute| mute.by.as_str()) => TEXT, row.warning_muted => BOOL, flips => TEXT,
        row.flapping.map(|one| one.since.0) => INT8, row.flapping.map(|one| one.until.0) => INT8,
        row.suspect.map(|first| first.since.0) => INT8,
        row.suspect.map(|last| last.class.as_str()) => TEXT,
        row.own_fault.map(OwnFault::as_str) => TEXT, row.outage => TEXT, facts => INT8,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}
