//! History in pages, newest first: runs, transitions and events.

use super::column::{class, duration, parse, report, report_status, trigger};
use super::page::{self, Key, Listed, Page};
use super::tx::{Reads, get, params};
use super::{
    EventRow, Events, HistoryRow, RunRow, StoreError, TransitionRow, fingerprint, looks, took,
};
use crate::domain::{IntegrationId, RunId, Timestamp};
use crate::store::merge::{Merged, merged};
use tokio_postgres::Row;

/// Columns of [`run_row`], from `run` and `report`.
macro_rules! run_columns {
    () => {
        "run.id AS run_id, run.subject, run.trigger, run.started_at_ms, run.duration_ms, run.status,
         run.class, run.rule, run.drift, run.took, run.evidence AS run_evidence, report.content"
    };
}
pub(super) use run_columns;

/// Reads a run from its columns.
pub(super) fn run_row(row: &Row) -> Result<RunRow, StoreError> {
    Ok(RunRow {
        id: RunId(get(row, "run_id")?),
        subject: parse("run", get(row, "subject")?)?,
        trigger: trigger("run", get(row, "trigger")?)?,
        started_at: Timestamp(get(row, "started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(get(row, "status")?)?,
        class: get::<Option<&str>>(row, "class")?.map(class).transpose()?,
        rule: get(row, "rule")?,
        report: report(get(row, "content")?)?,
        drift: fingerprint::read(get(row, "drift")?)?,
        took: took::unpacked(get(row, "took")?),
        evidence: looks::read(get(row, "run_evidence")?)?,
    })
}

/// Runs of an integration before an id.
pub(super) const RUNS: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM revalidated.run JOIN revalidated.report ON report.id = run.report_id
    WHERE run.integration_id = $1 AND run.id < $2 ORDER BY run.id DESC LIMIT $3"
);

/// Reads a page of the runs, newest first.
pub(super) async fn runs(
    tx: &Reads,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<RunRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX).await?;
    let rows = runs_before(tx, id, before, page::with_next(page)).await?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0)).await
}

/// Reads one run of an integration.
pub(super) async fn run(
    tx: &Reads,
    id: IntegrationId,
    run: RunId,
) -> Result<Option<RunRow>, StoreError> {
    let found = runs_before(tx, id, run.0.saturating_add(1), 1).await?;
    Ok(found.into_iter().find(|one| one.id == run))
}

async fn runs_before(
    tx: &Reads,
    id: IntegrationId,
    before: i64,
    limit: i64,
) -> Result<Vec<RunRow>, StoreError> {
    let params = params![id.0 => INT8, before => INT8, limit => INT8];
    tx.rows(RUNS, params).await?.iter().map(run_row).collect()
}

/// Transitions of an integration before an id.
pub(super) const TRANSITIONS: &str = "
    SELECT id, from_status, to_status, cause, at_ms, run_id, incident_id FROM revalidated.transition
    WHERE integration_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// Reads a page of the transitions, newest first.
pub(super) async fn transitions(
    tx: &Reads,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<TransitionRow>, StoreError> {
    let before = page::after_id(tx, page, i64::MAX).await?;
    let rows = transitions_before(tx, id, before, page::with_next(page)).await?;
    page::listed(tx, page, rows, |row| Key::Id(row.id)).await
}

async fn transitions_before(
    tx: &Reads,
    id: IntegrationId,
    before: i64,
    limit: i64,
) -> Result<Vec<TransitionRow>, StoreError> {
    let params = params![id.0 => INT8, before => INT8, limit => INT8];
    tx.rows(TRANSITIONS, params).await?.iter().map(transition_row).collect()
}

/// Reads a status change from its columns.
pub(super) fn transition_row(row: &Row) -> Result<TransitionRow, StoreError> {
    let from: Option<&str> = get(row, "from_status")?;
    let cause: Option<&str> = get(row, "cause")?;
    Ok(TransitionRow {
        id: get(row, "id")?,
        from: from.map(|name| parse("transition", name)).transpose()?,
        to: parse("transition", get(row, "to_status")?)?,
        cause: cause.map(|name| parse("transition", name)).transpose()?,
        at: Timestamp(get(row, "at_ms")?),
        run: get::<Option<i64>>(row, "run_id")?.map(RunId),
        incident_id: get(row, "incident_id")?,
    })
}

/// Reads a page of runs and transitions as one list, newest first.
pub(super) async fn history(
    tx: &Reads,
    id: IntegrationId,
    page: &Page,
) -> Result<Listed<HistoryRow>, StoreError> {
    let after = page::before_both(tx, page).await?;
    let limit = page::with_next(page);
    let runs = runs_before(tx, id, after.0, limit).await?;
    let transitions = transitions_before(tx, id, after.1, limit).await?;
    let Merged { rows, last, has_more } = merged(after, runs, transitions, page.size());
    let next =
        if has_more { Some(page::cursor(tx, Key::Both(last.0, last.1)).await?) } else { None };
    Ok(Listed { rows, next })
}

macro_rules! event_columns {
    () => {
        "SELECT event.number, event.id, event.type, event.created_at_ms, event.body, integration.name
         FROM revalidated.event
         LEFT JOIN revalidated.integration ON integration.id = event.integration_id "
    };
}

/// Returns the number of the latest event there ever was; 0 before the first.
pub(super) async fn latest_event(tx: &Reads) -> Result<i64, StoreError> {
    const SQL: &str = "
        SELECT greatest(pruned_number, (SELECT max(number) FROM revalidated.event)) AS number
        FROM revalidated.meta";
    get(&tx.one(SQL, &[]).await?, "number")
}

/// The events after number `after`, at most `limit`.
pub(super) async fn events(tx: &Reads, after: i64, limit: u32) -> Result<Events, StoreError> {
    const META: &str = "SELECT epoch, pruned_number FROM revalidated.meta";
    const EVENTS: &str =
        concat!(event_columns!(), "WHERE $1 < event.number ORDER BY event.number LIMIT $2");
    let meta = tx.one(META, &[]).await?;
    let pruned = get(&meta, "pruned_number")?;
    let found = tx.rows(EVENTS, params![after => INT8, i64::from(limit) => INT8]).await?;
    Ok(Events {
        epoch: get(&meta, "epoch")?,
        latest: latest_event(tx).await?,
        pruned,
        is_behind: after < pruned,
        rows: found.iter().map(event_row).collect::<Result<_, _>>()?,
    })
}

/// Reads the event of this id.
pub(super) async fn event(tx: &Reads, id: &str) -> Result<Option<EventRow>, StoreError> {
    const EVENT: &str = concat!(event_columns!(), "WHERE event.id = $1");
    tx.row(EVENT, params![id => TEXT]).await?.as_ref().map(event_row).transpose()
}

fn event_row(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        number: get(row, "number")?,
        id: get(row, "id")?,
        kind: parse("event", get(row, "type")?)?,
        integration: get(row, "name")?,
        created_at: Timestamp(get(row, "created_at_ms")?),
        body: get(row, "body")?,
    })
}
