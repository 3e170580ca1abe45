//! Group commit of recordings: runs that finish together are recorded in one transaction, for a commit waits for the
//! disk. That holds for those that change nothing but their own progress, as nearly all do; the others are recorded
//! one by one, under the locks that their decisions need.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};

use super::column::millis;
use super::connect::Connections;
use super::gathered::Gathered;
use super::prepared::{self, Expiries, Prepared};
use super::row::{row_columns, row_tables};
use super::tx::{Tx, get, params, transact};
use super::{NotificationContext, Recorded, StoreError, halves, looks, row, run};
use crate::domain::ledger::{self, Case, Decision, Effect, FactsRef, Row};
use crate::domain::{Class, RunId, Timestamp};

/// Recording that waits, with the caller that waits for it.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Run that has finished.
    pub(super) prepared: Prepared,
    /// Circumstances of the decision.
    pub(super) context: NotificationContext,
    /// Receives the result after the commit; none where the recording is to be made alone.
    pub(super) answer: oneshot::Sender<(Prepared, NotificationContext, Option<Recorded>)>,
}

/// Starts the task that records; it ends with the last sender of its queue.
pub(super) fn start(connections: Connections) -> mpsc::Sender<Waiting> {
    let (queue, mut gathered) = Gathered::new();
    tokio::spawn(async move {
        while let Some(batch) = gathered.next().await {
            record(&connections, batch).await;
            gathered.ended();
        }
    });
    queue
}

/// Records a batch; what is not recorded by it goes back to its caller, who records it alone and learns of failures.
async fn record(connections: &Connections, batch: Vec<Waiting>) {
    let done = transact!(
        connections,
        tx => all(tx, &batch).await,
        done => are_recorded(tx, &batch, done).await
    );
    let mut done = done.unwrap_or_default();
    for (place, one) in batch.into_iter().enumerate() {
        let Waiting { prepared, context, answer } = one;
        // A caller that has gone away does not take back what is written.
        answer.send((prepared, context, done.remove(&place))).ok();
    }
}

/// Results by the place in the batch; those are missing that have to be made alone.
type Results = BTreeMap<usize, Recorded>;

/// Returns true when a batch is stored, of which it is not known: all of it is, or nothing.
async fn are_recorded(tx: &Tx, batch: &[Waiting], done: &Results) -> Result<bool, StoreError> {
    for (place, recorded) in done {
        let Some(one) = batch.get(*place) else { continue };
        if matches!(recorded, Recorded::Stored { .. }) {
            return run::is_recorded(tx, &one.prepared.finished.begun, recorded).await;
        }
    }
    Ok(false)
}

/// Row as it was locked, with what is compared with its run.
struct Locked {
    row: Row,
    /// Digest of the facts that it points to.
    facts: Option<Vec<u8>>,
}

async fn all(tx: &Tx, batch: &[Waiting]) -> Result<Results, StoreError> {
    let mut ids: Vec<_> = batch.iter().map(|one| one.prepared.finished.begun.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let (mut rows, expiries) = (lock(tx, &ids).await?, expiries(tx, &ids).await?);
    let mut numbers = numbers(tx, batch.len()).await?;
    let (mut done, mut saved) = (Results::new(), Vec::new());
    for (place, one) in batch.iter().enumerate() {
        let id = one.prepared.finished.begun.id.0;
        let (Some(number), Some(locked)) = (numbers.pop(), rows.remove(&id)) else { continue };
        let known = expiries.get(&id).map_or(&[][..], Vec::as_slice);
        if let Some((kept, recorded)) = progress(one, RunId(number), &locked, known) {
            saved.push((place, kept));
            done.insert(place, recorded);
        }
    }
    if !saved.is_empty() {
        insert(tx, batch, &saved).await?;
        update(tx, &saved).await?;
    }
    Ok(done)
}

/// Locks the progress of integrations, in their order, and then reads their rows: what changes the rest of a row
/// locks its progress too.
async fn lock(tx: &Tx, ids: &[i64]) -> Result<BTreeMap<i64, Locked>, StoreError> {
    const LOCK: &str = "
        SELECT 1 FROM revalidated.work WHERE integration_id = ANY($1)
        ORDER BY integration_id FOR NO KEY UPDATE";
    const READ: &str = concat!(
        "SELECT ",
        row_columns!(),
        ", fingerprint.digest ",
        row_tables!(),
        "LEFT JOIN revalidated.fingerprint ON fingerprint.id = fingerprint_id
         WHERE work.integration_id = ANY($1)"
    );
    tx.rows(LOCK, params![ids => INT8_ARRAY]).await?;
    let mut found = BTreeMap::new();
    for columns in tx.rows(READ, params![ids => INT8_ARRAY]).await? {
        let row = row::read(&columns)?;
        found.insert(row.id.0, Locked { row, facts: get(&columns, "digest")? });
    }
    Ok(found)
}

async fn expiries(tx: &Tx, ids: &[i64]) -> Result<BTreeMap<i64, Expiries>, StoreError> {
    const SQL: &str = "
        SELECT integration_id, at_ms, what FROM revalidated.expiry WHERE integration_id = ANY($1)
        ORDER BY integration_id, at_ms, what";
    let mut found: BTreeMap<i64, Expiries> = BTreeMap::new();
    for row in tx.rows(SQL, params![ids => INT8_ARRAY]).await? {
        let of = found.entry(get(&row, "integration_id")?).or_default();
        of.push((Timestamp(get(&row, "at_ms")?), get(&row, "what")?));
    }
    Ok(found)
}

/// Draws ids of runs.
async fn numbers(tx: &Tx, count: usize) -> Result<Vec<i64>, StoreError> {
    const SQL: &str = "
        SELECT nextval('revalidated.run_id'::regclass) AS id FROM generate_series(1, $1)
        ORDER BY id DESC";
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    tx.rows(SQL, params![count => INT8]).await?.iter().map(|row| get(row, "id")).collect()
}

/// Changes of a run that has changed nothing but its progress.
struct Kept {
    row: Row,
    id: RunId,
    index: usize,
    rule: String,
    evidence: Option<String>,
}

/// Returns what a recording changes and its result, if it needs no evidence and changes nothing but progress.
fn progress(
    one: &Waiting,
    id: RunId,
    locked: &Locked,
    known: &[(Timestamp, String)],
) -> Option<(Kept, Recorded)> {
    let finished = &one.prepared.finished;
    let asked = ledger::record(&Case::new(id), &locked.row, finished, &one.context);
    let Decision { effects, answer } = asked.ok()?;
    let (mut run, mut saved) = (None, None);
    for effect in effects {
        if let Effect::InsertRun { id, index, rule, evidence } = effect {
            if run.is_some() {
                return None;
            }
            run = Some((id, index, rule, looks::text(&evidence).ok()?));
        } else if let Effect::SaveRow(row) = effect {
            saved = Some(row);
        } else {
            return None;
        }
    }
    let ((id, index, rule, evidence), row) = run.zip(saved)?;
    let is_same = match row.seen.fingerprint.map(|seen| seen.facts) {
        Some(FactsRef::OfRun(index)) => {
            let seen = one.prepared.fingerprints.get(index)?.as_ref()?;
            locked.facts.as_ref() == Some(&seen.digest)
                && one.prepared.expiries.get(index).is_some_and(|seen| seen == known)
        }
        Some(FactsRef::Stored(_)) | None => row.seen.next_end == locked.row.seen.next_end,
    };
    let facts = halves::facts_of(&locked.row);
    if !is_same
        || row.lease.is_some()
        || row.elsewhere.is_some()
        || !halves::is_cold_part_same(&row, &locked.row, facts)
    {
        return None;
    }
    Some((Kept { row: *row, id, index, rule, evidence }, answer))
}

/// Columns of runs that are added together.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<i64>,
    integrations: Vec<i64>,
    subjects: Vec<&'a str>,
    triggers: Vec<&'a str>,
    tokens: Vec<i64>,
    started: Vec<i64>,
    durations: Vec<i64>,
    statuses: Vec<&'a str>,
    classes: Vec<Option<&'a str>>,
    rules: Vec<&'a str>,
    reports: Vec<i64>,
    drifts: Vec<Option<&'a str>>,
    took: Vec<Option<&'a [u8]>>,
    evidence: Vec<Option<&'a str>>,
}

/// Adds the runs of a batch.
async fn insert(tx: &Tx, batch: &[Waiting], saved: &[(usize, Kept)]) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.run
            (id, integration_id, subject, trigger, token, started_at_ms, duration_ms, status, class,
             rule, report_id, drift, took, evidence)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let mut new = Columns::default();
    for (place, kept) in saved {
        let Some(prepared) = batch.get(*place).map(|one| &one.prepared) else { continue };
        let finished = &prepared.finished;
        let found = finished.runs.get(kept.index).zip(prepared.documents.get(kept.index));
        let Some((run, document)) = found else { continue };
        new.ids.push(kept.id.0);
        new.integrations.push(finished.begun.id.0);
        new.subjects.push(run.subject.as_str());
        new.triggers.push(finished.begun.trigger.as_str());
        new.tokens.push(finished.begun.token);
        new.started.push(finished.started_at.0);
        new.durations.push(millis(finished.duration));
        new.statuses.push(run.report.status().as_str());
        new.classes.push(run.report.class().map(Class::as_str));
        new.rules.push(&kept.rule);
        new.reports.push(prepared::report_id(tx, document, finished.started_at).await?);
        new.drifts.push(document.drift.as_deref());
        new.took.push(document.took.as_deref());
        new.evidence.push(kept.evidence.as_deref());
    }
    let params = params![
        new.ids => INT8_ARRAY, new.integrations => INT8_ARRAY, new.subjects => TEXT_ARRAY,
        new.triggers => TEXT_ARRAY, new.tokens => INT8_ARRAY, new.started => INT8_ARRAY,
        new.durations => INT8_ARRAY, new.statuses => TEXT_ARRAY, new.classes => TEXT_ARRAY,
        new.rules => TEXT_ARRAY, new.reports => INT8_ARRAY, new.drifts => TEXT_ARRAY,
        new.took => BYTEA_ARRAY, new.evidence => TEXT_ARRAY,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Writes back the progress of a batch.
async fn update(tx: &Tx, saved: &[(usize, Kept)]) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE revalidated.work SET
            next_run_at_ms = new.next_run_at_ms, next_trigger = new.next_trigger, lease_owner = NULL,
            lease_token = NULL, lease_until_ms = NULL, failures = new.failures,
            passes = new.passes, last_run_id = new.last_run_id,
            fingerprint_at_ms = new.fingerprint_at_ms, expires_at_ms = new.expires_at_ms,
            expires_what = new.expires_what, elsewhere = NULL, elsewhere_until_ms = NULL
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS new
            (id, next_run_at_ms, next_trigger, failures, passes, last_run_id, fingerprint_at_ms,
             expires_at_ms, expires_what)
        WHERE work.integration_id = new.id";
    let rows = || saved.iter().map(|(_, kept)| &kept.row);
    let ids: Vec<_> = rows().map(|row| row.id.0).collect();
    let next: Vec<_> = rows().map(|row| row.next_run_at.map(|at| at.0)).collect();
    let triggers: Vec<_> = rows().map(|row| row.trigger.as_str()).collect();
    let failures: Vec<_> =
        rows().map(|row| i64::from(row.active.evidence.counters.failures)).collect();
    let passes: Vec<_> = rows().map(|row| i64::from(row.active.evidence.counters.passes)).collect();
    let last: Vec<_> = rows().map(|row| row.active.last_run).collect();
    let seen: Vec<_> = rows().map(|row| row.seen.fingerprint.map(|seen| seen.at.0)).collect();
    let end = |row: &Row| row.seen.next_end.clone().map(|(at, what)| (at.0, what)).unzip();
    let (ends, objects): (Vec<Option<i64>>, Vec<Option<String>>) = rows().map(end).unzip();
    let params = params![
        ids => INT8_ARRAY, next => INT8_ARRAY, triggers => TEXT_ARRAY, failures => INT8_ARRAY,
        passes => INT8_ARRAY, last => INT8_ARRAY, seen => INT8_ARRAY, ends => INT8_ARRAY,
        objects => TEXT_ARRAY,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}
