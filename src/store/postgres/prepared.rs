//! Runs as they are stored: their results written out, once per distinct content.

pub(super) use super::super::forms::prepared::{Document, Expiries, Judged, Prepared};
use super::column::millis;
use super::tx::{Tx, get, params};
use super::{StoreError, looks};
use crate::domain::{Class, Timestamp};

/// Time after which it is written down anew that a report is used, in milliseconds.
pub(super) const USED_ANEW_MS: i64 = 60 * 60 * 1000;

/// Adds run number `index` of those that are recorded.
pub(super) async fn insert(
    tx: &Tx,
    judged: Judged<'_>,
    prepared: &Prepared,
    index: usize,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO revalidated.run
            (id, integration_id, subject, trigger, token, started_at_ms, duration_ms, status, class,
             rule, report_id, drift, took, evidence)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let finished = &prepared.finished;
    let found = finished.runs.get(index).zip(prepared.documents.get(index));
    let Some((run, document)) = found else { return Ok(()) };
    let report = report_id(tx, document, finished.started_at).await?;
    let begun = &finished.begun;
    let params = params![
        judged.id.0 => INT8, begun.id.0 => INT8, run.subject.as_str() => TEXT,
        begun.trigger.as_str() => TEXT, begun.token => INT8, finished.started_at.0 => INT8,
        millis(finished.duration) => INT8, run.report.status().as_str() => TEXT,
        run.report.class().map(Class::as_str) => TEXT, judged.rule => TEXT, report => INT8,
        document.drift => TEXT, document.took => BYTEA, looks::text(judged.evidence)? => TEXT,
    ];
    tx.execute(SQL, params).await?;
    Ok(())
}

/// Returns the row of `document`, made only when its content is new. That it is used is written down once an hour, and
/// unused ones are deleted after a day, so that none is deleted between this and the commit.
pub(super) async fn report_id(
    tx: &Tx,
    document: &Document,
    now: Timestamp,
) -> Result<i64, StoreError> {
    const FIND: &str = "SELECT id FROM revalidated.report WHERE digest = $1 AND $2 <= used_at_ms";
    const INSERT: &str = "
        INSERT INTO revalidated.report (digest, content, used_at_ms) VALUES ($1, $2, $3)
        ON CONFLICT (digest) DO UPDATE
            SET used_at_ms = greatest(report.used_at_ms, EXCLUDED.used_at_ms)
        RETURNING id";
    let Document { digest, content, .. } = document;
    let since = now.0.saturating_sub(USED_ANEW_MS);
    if let Some(row) = tx.row(FIND, params![digest => BYTEA, since => INT8]).await? {
        return get(&row, "id");
    }
    let new = params![digest => BYTEA, content => TEXT, now.0 => INT8];
    get(&tx.one(INSERT, new).await?, "id")
}
