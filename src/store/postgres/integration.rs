//! Integrations as they are read: one by name, all in pages, and what they share.

use std::collections::BTreeMap;

use super::super::rows::FailureStarts;
use super::column::{
    class, count, duration, flips, instant, labels, parse, report_status, status, trigger,
};
use super::history::{run_columns, run_row};
use super::page::{self, Key, Listed, Page};
use super::tx::{Params, Reads, get, params};
use super::{
    CandidateRow, IntegrationRow, Mark, MuteRow, RunRow, StatusRow, StoreError, TargetRow,
};
use crate::domain::{Counters, Evidence, Factor, IntegrationId, RunId, Timestamp};
use tokio_postgres::Row;

/// Columns of [`read`], with the latest run of the configuration in force.
macro_rules! integration_columns {
    () => {
        concat!(
            "SELECT integration.id, integration.name, coalesce(active_kind, kind) AS kind,
                 auto_bootstrap, labels, integration.status AS integration_status, pending_status,
                 CASE WHEN active_config IS NULL THEN config_shown
                      ELSE coalesce(active_shown, 'null') END AS shown,
                 CASE WHEN active_config IS NOT NULL AND candidate_config IS NOT NULL
                      THEN config_shown END AS candidate_shown,
                 first_failure_at_ms, integration.evidence, candidate_failures, candidate_passes,
                 candidate_run_id, candidate_first_failure_at_ms, candidate_evidence, cron, zone,
                 next_run_at_ms, next_trigger, lease_until_ms, failures, passes, sequence,
                 integration.incident_id, failing_since_ms, last_run_id, notified_status,
                 muted_until_ms, muted_by, flips, flapping_since_ms, flapping_until_ms, outage_id,
                 own_fault, expires_at_ms, expires_what, fingerprint_at_ms, ",
            run_columns!(),
            " FROM revalidated.integration
             JOIN revalidated.work ON work.integration_id = integration.id
             JOIN revalidated.configuration ON configuration.integration_id = integration.id
             LEFT JOIN revalidated.run ON run.id = last_run_id
             LEFT JOIN revalidated.report ON report.id = run.report_id "
        )
    };
}

/// Loads integrations by a statement of [`integration_columns`].
async fn load(
    tx: &Reads,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<IntegrationRow>, StoreError> {
    let found = tx.rows(sql, params).await?;
    let mut runs = candidate_runs(tx, &found).await?;
    found.iter().map(|row| read(row, &mut runs)).collect()
}

/// Loads the latest runs of the configurations that wait to pass, by their ids.
async fn candidate_runs(tx: &Reads, rows: &[Row]) -> Result<BTreeMap<i64, RunRow>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        run_columns!(),
        " FROM revalidated.run JOIN revalidated.report ON report.id = run.report_id
        WHERE run.id = ANY($1)"
    );
    let ids = rows.iter().map(|row| get::<Option<i64>>(row, "candidate_run_id"));
    let ids = ids.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = tx.rows(SQL, params![ids => INT8_ARRAY]).await?;
    found.iter().map(|row| run_row(row).map(|run| (run.id.0, run))).collect()
}

fn read(row: &Row, runs: &mut BTreeMap<i64, RunRow>) -> Result<IntegrationRow, StoreError> {
    let last: Option<i64> = get(row, "last_run_id")?;
    let word = |column| {
        let name: Option<&str> = get(row, column)?;
        Ok::<_, StoreError>(name)
    };
    Ok(IntegrationRow {
        id: IntegrationId(get(row, "id")?),
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        auto_bootstrap: get(row, "auto_bootstrap")?,
        labels: labels(get(row, "labels")?)?,
        status: status(row, "integration_status")?,
        pending: word("pending_status")?.map(|name| parse("integration", name)).transpose()?,
        config_shown: get(row, "shown")?,
        first_failure_at: instant(row, "first_failure_at_ms")?,
        candidate: candidate(row, runs)?,
        cron: get(row, "cron")?,
        zone: get(row, "zone")?,
        next_run_at: instant(row, "next_run_at_ms")?,
        trigger: trigger("integration", get(row, "next_trigger")?)?,
        lease_until: instant(row, "lease_until_ms")?,
        evidence: evidence(row, ["failures", "passes", "evidence"])?,
        sequence: get(row, "sequence")?,
        incident_id: get(row, "incident_id")?,
        incident_since: instant(row, "failing_since_ms")?,
        last_run: last.map(|_| run_row(row)).transpose()?,
        notified: status(row, "notified_status")?,
        mute: instant(row, "muted_until_ms")?
            .zip(get(row, "muted_by")?)
            .map(|(until, by)| MuteRow { by, until }),
        flips: flips(get(row, "flips")?)?,
        flapping_since: instant(row, "flapping_since_ms")?,
        flapping_until: instant(row, "flapping_until_ms")?,
        outage_id: get(row, "outage_id")?,
        own_fault: word("own_fault")?.map(|name| parse("integration", name)).transpose()?,
        expires: instant(row, "expires_at_ms")?.zip(get(row, "expires_what")?),
        fingerprint_at: instant(row, "fingerprint_at_ms")?,
    })
}

/// Reads evidence from the columns of these names: consecutive failing and passing runs, and looks.
fn evidence(
    row: &Row,
    [failures, passes, looks]: [&'static str; 3],
) -> Result<Evidence, StoreError> {
    let counters = Counters { failures: count(row, failures)?, passes: count(row, passes)? };
    super::evidence::read(counters, get(row, looks)?)
}

/// Reads the configuration that waits to pass beside the one in force.
fn candidate(
    row: &Row,
    runs: &mut BTreeMap<i64, RunRow>,
) -> Result<Option<CandidateRow>, StoreError> {
    let status = status(row, "integration_status")?;
    let shown: Option<String> = get(row, "candidate_shown")?;
    let Some(config_shown) = shown.filter(|_| status.is_validated()) else { return Ok(None) };
    Ok(Some(CandidateRow {
        config_shown,
        last_run: get::<Option<i64>>(row, "candidate_run_id")?.and_then(|id| runs.remove(&id)),
        evidence: evidence(row, ["candidate_failures", "candidate_passes", "candidate_evidence"])?,
        failing_since: instant(row, "candidate_first_failure_at_ms")?,
    }))
}

/// Living integrations after a name.
pub(super) const LIVING_PAGE: &str = concat!(
    integration_columns!(),
    "WHERE integration.status <> 'deleted' AND $1 < integration.name
     ORDER BY integration.name LIMIT $2"
);

/// Reads a page of the integrations that are not deleted, by name.
pub(super) async fn living(tx: &Reads, page: &Page) -> Result<Listed<IntegrationRow>, StoreError> {
    let after = page::after_name(tx, page).await?;
    let params = params![after => TEXT, page::with_next(page) => INT8];
    let rows = load(tx, LIVING_PAGE, params).await?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone())).await
}

/// Reads a page of the integrations that are deleted, by id.
pub(super) async fn deleted(tx: &Reads, page: &Page) -> Result<Listed<IntegrationRow>, StoreError> {
    const SQL: &str = concat!(
        integration_columns!(),
        "WHERE integration.status = 'deleted' AND $1 < integration.id
         ORDER BY integration.id LIMIT $2"
    );
    let after = page::after_id(tx, page, 0).await?;
    let params = params![after => INT8, page::with_next(page) => INT8];
    let rows = load(tx, SQL, params).await?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0)).await
}

/// Reads a page of what selections may fit, by name.
pub(super) async fn targets(tx: &Reads, page: &Page) -> Result<Listed<TargetRow>, StoreError> {
    const SQL: &str = "
        SELECT id, name, kind, labels FROM revalidated.integration
        WHERE status <> 'deleted' AND $1 < name ORDER BY name LIMIT $2";
    let after = page::after_name(tx, page).await?;
    let read = |row: &Row| {
        Ok::<_, StoreError>(TargetRow {
            id: IntegrationId(get(row, "id")?),
            name: get(row, "name")?,
            kind: get(row, "kind")?,
            labels: labels(get(row, "labels")?)?,
        })
    };
    let found = tx.rows(SQL, params![after => TEXT, page::with_next(page) => INT8]).await?;
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone())).await
}

/// Columns of statuses and conditions of living integrations, with their latest runs in short; a condition follows.
macro_rules! status_columns {
    () => {
        "SELECT integration.id, integration.name, kind, labels, integration.status AS integration_status,
            failing_since_ms, fingerprint_at_ms, next_run_at_ms, lease_until_ms, expires_at_ms,
            expires_what, muted_until_ms IS NOT NULL AS is_muted,
            flapping_since_ms IS NOT NULL AS is_flapping, outage_id, first_failure_at_ms,
            candidate_first_failure_at_ms, last_run_id, run.started_at_ms, run.duration_ms, run.status,
            run.class
        FROM revalidated.integration
        JOIN revalidated.work ON work.integration_id = integration.id
        LEFT JOIN revalidated.run ON run.id = last_run_id
        WHERE integration.status <> 'deleted' AND "
    };
}

/// Living integrations after a name.
pub(super) const STATUSES: &str =
    concat!(status_columns!(), "$1 < integration.name ORDER BY integration.name LIMIT $2");

/// Reads a page of statuses and conditions, by name.
pub(super) async fn statuses(tx: &Reads, page: &Page) -> Result<Listed<StatusRow>, StoreError> {
    let (_, name) = page::after_place(tx, page).await?;
    let found = tx.rows(STATUSES, params![name => TEXT, page::with_next(page) => INT8]).await?;
    let rows = found.iter().map(status_row).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Place(0, row.name.clone())).await
}

/// Reads a page of statuses and conditions, by their next runs; those that have none stand last, by name.
pub(super) async fn statuses_by_next_run(
    tx: &Reads,
    page: &Page,
) -> Result<Listed<StatusRow>, StoreError> {
    const SQL: &str = concat!(
        status_columns!(),
        "($1, $2) < (coalesce(next_run_at_ms, $4), integration.name)
         ORDER BY coalesce(next_run_at_ms, $4), integration.name LIMIT $3"
    );
    let (at, name) = page::after_place(tx, page).await?;
    let limit = page::with_next(page);
    let params = params![at => INT8, name => TEXT, limit => INT8, i64::MAX => INT8];
    let found = tx.rows(SQL, params).await?;
    let rows = found.iter().map(status_row).collect::<Result<Vec<_>, _>>()?;
    let at = |row: &StatusRow| row.next_run_at.map_or(i64::MAX, |at| at.0);
    page::listed(tx, page, rows, |row| Key::Place(at(row), row.name.clone())).await
}

fn status_row(row: &Row) -> Result<StatusRow, StoreError> {
    let status = status(row, "integration_status")?;
    let starts = FailureStarts {
        in_force: instant(row, "first_failure_at_ms")?,
        candidate: instant(row, "candidate_first_failure_at_ms")?,
        incident: instant(row, "failing_since_ms")?,
    };
    let last: Option<i64> = get(row, "last_run_id")?;
    Ok(StatusRow {
        id: IntegrationId(get(row, "id")?),
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        labels: labels(get(row, "labels")?)?,
        status,
        last_run: last.map(|id| mark(RunId(id), row)).transpose()?,
        failing_since: starts.of(status),
        last_passed_at: instant(row, "fingerprint_at_ms")?,
        next_run_at: instant(row, "next_run_at_ms")?,
        lease_until: instant(row, "lease_until_ms")?,
        expires: instant(row, "expires_at_ms")?.zip(get(row, "expires_what")?),
        is_muted: get(row, "is_muted")?,
        is_flapping: get(row, "is_flapping")?,
        outage_id: get(row, "outage_id")?,
    })
}

/// Reads the columns of a run without its results.
pub(super) fn mark(run: RunId, row: &Row) -> Result<Mark, StoreError> {
    Ok(Mark {
        run,
        started_at: Timestamp(get(row, "started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(get(row, "status")?)?,
        class: get::<Option<&str>>(row, "class")?.map(class).transpose()?,
    })
}

/// Reads the integration of this name; the latest deleted one only when no other has the name.
pub(super) async fn integration(
    tx: &Reads,
    name: &str,
) -> Result<Option<IntegrationRow>, StoreError> {
    const SQL: &str = concat!(
        integration_columns!(),
        "WHERE integration.name = $1
         ORDER BY integration.status = 'deleted', integration.id DESC LIMIT 1"
    );
    Ok(load(tx, SQL, params![name => TEXT]).await?.pop())
}

/// Reads the integration of this id, a deleted one too, while its row is kept.
pub(super) async fn of_id(
    tx: &Reads,
    id: IntegrationId,
) -> Result<Option<IntegrationRow>, StoreError> {
    const SQL: &str = concat!(integration_columns!(), "WHERE integration.id = $1");
    Ok(load(tx, SQL, params![id.0 => INT8]).await?.pop())
}

/// Reads integrations that are not deleted after an id, by id; a cursor says that there are more.
pub(super) async fn living_by_id(
    tx: &Reads,
    after: IntegrationId,
    limit: u32,
) -> Result<Listed<IntegrationRow>, StoreError> {
    const SQL: &str = concat!(
        integration_columns!(),
        "WHERE integration.status <> 'deleted' AND $1 < integration.id
         ORDER BY integration.id LIMIT $2"
    );
    let page = Page::first(limit);
    let params = params![after.0 => INT8, page::with_next(&page) => INT8];
    let rows = load(tx, SQL, params).await?;
    page::listed(tx, &page, rows, |row| Key::Id(row.id.0)).await
}

/// Reads the factors of an integration, the most specific first, with how many others share each.
pub(super) async fn factors(
    tx: &Reads,
    id: IntegrationId,
) -> Result<Vec<(Factor, u32)>, StoreError> {
    const SQL: &str = "
        SELECT own.kind, own.value, (
            SELECT count(*) FROM revalidated.factor AS other
            JOIN revalidated.integration ON integration.id = other.integration_id
            WHERE other.kind = own.kind AND other.value = own.value AND other.integration_id <> $1
              AND status <> 'deleted') AS others
        FROM revalidated.factor AS own WHERE own.integration_id = $1";
    let read = |row: &Row| {
        let kind = parse("factor", get(row, "kind")?)?;
        Ok::<_, StoreError>((Factor { kind, value: get(row, "value")? }, count(row, "others")?))
    };
    let found = tx.rows(SQL, params![id.0 => INT8]).await?;
    let mut found = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}
