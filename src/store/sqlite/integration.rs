//! Integrations as they are read: one by name, all in pages, and what they share.

use rusqlite::{Connection, Row as SqlRow, named_params};

use super::super::rows::FailureStarts;
use super::checksum::sound;
use super::column::{
    class, duration, flips, instant, labels, parse, report_status, status, trigger,
};
use super::history::run_row;
use super::page::{self, Key, Listed, Page};
use super::{CandidateRow, IntegrationRow, Mark, MuteRow, StatusRow, StoreError, TargetRow};
use crate::domain::{Counters, Evidence, Factor, IntegrationId, RunId, Timestamp};

macro_rules! integration_columns {
    () => {
        concat!(
            "SELECT integration.id, integration.name, coalesce(active_kind, kind) AS kind,
             auto_bootstrap, labels, integration.status AS integration_status, pending_status,
             iif(active_config IS NULL, config_shown, coalesce(active_shown, 'null')) AS shown,
             iif(active_config IS NOT NULL AND candidate_config IS NOT NULL, config_shown, NULL)
                 AS candidate_shown,
             first_failure_at_ms, integration.evidence, candidate_failures, candidate_passes, candidate_run_id,
             candidate_first_failure_at_ms, candidate_evidence, cron, zone, next_run_at_ms, next_trigger,
             lease_until_ms, failures, passes, sequence, incident_id, failing_since_ms,
             last_run_id, notified_status, muted_until_ms, muted_by, flips, flapping_since_ms,
             flapping_until_ms, outage_id, own_fault, expires_at_ms, expires_what,
             fingerprint_at_ms, run.id AS run_id, run.subject, run.trigger, run.started_at_ms,
             run.duration_ms, run.status, run.class, run.rule, run.drift, run.took,
             run.evidence AS run_evidence, report.content, ",
            sound!(integration "integration"),
            " FROM integration
         JOIN configuration ON configuration.integration_id = integration.id
         LEFT JOIN run ON run.id = integration.last_run_id
         LEFT JOIN report ON report.id = run.report_id "
        )
    };
}

fn integration_row(tx: &Connection, row: &SqlRow<'_>) -> Result<IntegrationRow, StoreError> {
    let last: Option<i64> = row.get("last_run_id")?;
    Ok(IntegrationRow {
        id: IntegrationId(row.get("id")?),
        name: row.get("name")?,
        kind: row.get("kind")?,
        auto_bootstrap: row.get("auto_bootstrap")?,
        labels: labels(&row.get::<_, String>("labels")?)?,
        status: status(row, "integration_status")?,
        pending: row
            .get::<_, Option<String>>("pending_status")?
            .map(|name| parse("integration", &name))
            .transpose()?,
        config_shown: row.get("shown")?,
        first_failure_at: instant(row, "first_failure_at_ms")?,
        candidate: candidate(tx, row)?,
        cron: row.get("cron")?,
        zone: row.get("zone")?,
        next_run_at: instant(row, "next_run_at_ms")?,
        trigger: trigger("integration", &row.get::<_, String>("next_trigger")?)?,
        lease_until: instant(row, "lease_until_ms")?,
        evidence: evidence(row, ["failures", "passes", "evidence"])?,
        sequence: row.get("sequence")?,
        incident_id: row.get("incident_id")?,
        incident_since: instant(row, "failing_since_ms")?,
        last_run: last.map(|_| run_row(row)).transpose()?,
        notified: status(row, "notified_status")?,
        mute: instant(row, "muted_until_ms")?
            .zip(row.get("muted_by")?)
            .map(|(until, by)| MuteRow { by, until }),
        flips: flips(&row.get::<_, String>("flips")?)?,
        flapping_since: instant(row, "flapping_since_ms")?,
        flapping_until: instant(row, "flapping_until_ms")?,
        outage_id: row.get("outage_id")?,
        own_fault: row
            .get::<_, Option<String>>("own_fault")?
            .map(|name| parse("integration", &name))
            .transpose()?,
        expires: instant(row, "expires_at_ms")?.zip(row.get("expires_what")?),
        fingerprint_at: instant(row, "fingerprint_at_ms")?,
    })
}

/// Reads evidence from the columns of these names: consecutive failing and passing runs, and looks.
fn evidence(
    row: &SqlRow<'_>,
    [failures, passes, looks]: [&str; 3],
) -> Result<Evidence, StoreError> {
    let counters = Counters { failures: row.get(failures)?, passes: row.get(passes)? };
    let looks: Option<String> = row.get(looks)?;
    super::evidence::read(counters, looks.as_deref())
}

/// Reads the configuration that waits to pass beside the one in force.
fn candidate(tx: &Connection, row: &SqlRow<'_>) -> Result<Option<CandidateRow>, StoreError> {
    const RUN: &str = "
        SELECT run.id AS run_id, subject, trigger, started_at_ms, duration_ms, status, class, rule,
               drift, took, evidence AS run_evidence, report.content
        FROM run JOIN report ON report.id = run.report_id WHERE run.id = :id";
    let status = status(row, "integration_status")?;
    let shown: Option<String> = row.get("candidate_shown")?;
    let Some(config_shown) = shown.filter(|_| status.is_validated()) else { return Ok(None) };
    let last_run = match row.get::<_, Option<i64>>("candidate_run_id")? {
        Some(id) => {
            let mut statement = tx.prepare_cached(RUN)?;
            let mut rows = statement.query(named_params! {":id": id})?;
            rows.next()?.map(run_row).transpose()?
        }
        None => None,
    };
    Ok(Some(CandidateRow {
        config_shown,
        last_run,
        evidence: evidence(row, ["candidate_failures", "candidate_passes", "candidate_evidence"])?,
        failing_since: instant(row, "candidate_first_failure_at_ms")?,
    }))
}

/// Living integrations after a name.
pub(super) const LIVING_PAGE: &str = concat!(
    integration_columns!(),
    "WHERE integration.status <> 'deleted' AND :after < integration.name
     ORDER BY integration.name LIMIT :limit"
);

/// Reads a page of the integrations that are not deleted, by name.
pub(super) fn living(tx: &Connection, page: &Page) -> Result<Listed<IntegrationRow>, StoreError> {
    let mut statement = tx.prepare_cached(LIVING_PAGE)?;
    let params =
        named_params! {":after": page::after_name(tx, page)?, ":limit": page::with_next(page)};
    let found = statement.query_and_then(params, |row| integration_row(tx, row))?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone()))
}

/// Deleted integrations after an id.
pub(super) const DELETED_PAGE: &str = concat!(
    integration_columns!(),
    "WHERE integration.status = 'deleted' AND :after < integration.id
     ORDER BY integration.id LIMIT :limit"
);

/// Reads a page of the integrations that are deleted, by id: their names may occur again.
pub(super) fn deleted(tx: &Connection, page: &Page) -> Result<Listed<IntegrationRow>, StoreError> {
    let mut statement = tx.prepare_cached(DELETED_PAGE)?;
    let params =
        named_params! {":after": page::after_id(tx, page, 0)?, ":limit": page::with_next(page)};
    let found = statement.query_and_then(params, |row| integration_row(tx, row))?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Id(row.id.0))
}

/// Living integrations after a name: what a selection compares.
pub(super) const TARGETS: &str = concat!(
    "SELECT id, name, kind, labels, ",
    sound!(integration "integration"),
    " FROM integration
    WHERE status <> 'deleted' AND :after < name ORDER BY name LIMIT :limit"
);

/// Reads a page of what selections may fit, by name.
pub(super) fn targets(tx: &Connection, page: &Page) -> Result<Listed<TargetRow>, StoreError> {
    let mut statement = tx.prepare_cached(TARGETS)?;
    let params =
        named_params! {":after": page::after_name(tx, page)?, ":limit": page::with_next(page)};
    let found = statement.query_and_then(params, |row| {
        Ok::<_, StoreError>(TargetRow {
            id: IntegrationId(row.get("id")?),
            name: row.get("name")?,
            kind: row.get("kind")?,
            labels: labels(&row.get::<_, String>("labels")?)?,
        })
    })?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| Key::Name(row.name.clone()))
}

/// Columns of statuses and conditions of living integrations, with their latest runs in short; a condition follows.
macro_rules! status_columns {
    () => {
        concat!(
            "SELECT integration.id, integration.name, kind, labels, integration.status AS integration_status,
                failing_since_ms, fingerprint_at_ms, next_run_at_ms, lease_until_ms, expires_at_ms, expires_what,
                muted_until_ms IS NOT NULL AS is_muted, flapping_since_ms IS NOT NULL AS is_flapping, outage_id,
                first_failure_at_ms, candidate_first_failure_at_ms, last_run_id,
                run.started_at_ms, run.duration_ms, run.status, run.class, ",
            sound!(integration "integration"),
            " FROM integration LEFT JOIN run ON run.id = integration.last_run_id
            WHERE integration.status <> 'deleted' AND "
        )
    };
}

/// Living integrations after a name.
pub(super) const STATUSES: &str =
    concat!(status_columns!(), ":name < integration.name ORDER BY integration.name LIMIT :limit");

/// Living integrations with a next run after an instant, or at it and after a name.
pub(super) const STATUSES_BY_NEXT_RUN: &str = concat!(
    status_columns!(),
    ":at <= next_run_at_ms AND (:at, :name) < (next_run_at_ms, integration.name)
    ORDER BY next_run_at_ms, integration.name LIMIT :limit"
);

/// Reads a page of statuses and conditions, by name.
pub(super) fn statuses(tx: &Connection, page: &Page) -> Result<Listed<StatusRow>, StoreError> {
    let (_, name) = page::after_place(tx, page)?;
    let params = named_params! {":name": name, ":limit": page::with_next(page)};
    let rows = status_rows(tx, STATUSES, params)?;
    page::listed(tx, page, rows, |row| Key::Place(0, row.name.clone()))
}

/// Reads a page of statuses and conditions, by their next runs; those that have none stand last, by name.
pub(super) fn statuses_by_next_run(
    tx: &Connection,
    page: &Page,
) -> Result<Listed<StatusRow>, StoreError> {
    const WITHOUT: &str = concat!(
        status_columns!(),
        ":name < integration.name AND next_run_at_ms IS NULL
        ORDER BY integration.name LIMIT :limit"
    );
    let (at, name) = page::after_place(tx, page)?;
    let limit = page::with_next(page);
    let params = named_params! {":at": at, ":name": name, ":limit": limit};
    let mut rows = status_rows(tx, STATUSES_BY_NEXT_RUN, params)?;
    let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    if 0 < left {
        let name = if at == i64::MAX { name } else { "" };
        rows.extend(status_rows(tx, WITHOUT, named_params! {":name": name, ":limit": left})?);
    }
    let at = |row: &StatusRow| row.next_run_at.map_or(i64::MAX, |at| at.0);
    page::listed(tx, page, rows, |row| Key::Place(at(row), row.name.clone()))
}

fn status_rows(
    tx: &Connection,
    sql: &str,
    params: &[(&str, &dyn rusqlite::ToSql)],
) -> Result<Vec<StatusRow>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    statement.query_and_then(params, status_row)?.collect()
}

fn status_row(row: &SqlRow<'_>) -> Result<StatusRow, StoreError> {
    let status = status(row, "integration_status")?;
    let starts = FailureStarts {
        in_force: instant(row, "first_failure_at_ms")?,
        candidate: instant(row, "candidate_first_failure_at_ms")?,
        incident: instant(row, "failing_since_ms")?,
    };
    let last: Option<i64> = row.get("last_run_id")?;
    Ok(StatusRow {
        id: IntegrationId(row.get("id")?),
        name: row.get("name")?,
        kind: row.get("kind")?,
        labels: labels(&row.get::<_, String>("labels")?)?,
        status,
        last_run: last.map(|id| mark(RunId(id), row)).transpose()?,
        failing_since: starts.of(status),
        last_passed_at: instant(row, "fingerprint_at_ms")?,
        next_run_at: instant(row, "next_run_at_ms")?,
        lease_until: instant(row, "lease_until_ms")?,
        expires: instant(row, "expires_at_ms")?.zip(row.get("expires_what")?),
        is_muted: row.get("is_muted")?,
        is_flapping: row.get("is_flapping")?,
        outage_id: row.get("outage_id")?,
    })
}

/// Reads the columns of a run without its results.
fn mark(run: RunId, row: &SqlRow<'_>) -> Result<Mark, StoreError> {
    let decided: Option<String> = row.get("class")?;
    Ok(Mark {
        run,
        started_at: Timestamp(row.get("started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(&row.get::<_, String>("status")?)?,
        class: decided.as_deref().map(class).transpose()?,
    })
}

/// The living integration of a name.
pub(super) const LIVING: &str = concat!(
    integration_columns!(),
    "WHERE integration.name = :name AND integration.status <> 'deleted'"
);

/// The integration of this name; the latest deleted one only when no other has the name.
pub(super) fn integration(
    tx: &Connection,
    name: &str,
) -> Result<Option<IntegrationRow>, StoreError> {
    const GONE: &str = concat!(
        integration_columns!(),
        "WHERE integration.name = :name ORDER BY integration.id DESC LIMIT 1"
    );
    for sql in [LIVING, GONE] {
        let mut statement = tx.prepare_cached(sql)?;
        let mut rows = statement.query(named_params! {":name": name})?;
        if let Some(row) = rows.next()? {
            return integration_row(tx, row).map(Some);
        }
    }
    Ok(None)
}

/// The integration of an id, a deleted one too.
pub(super) const BY_ID: &str = concat!(integration_columns!(), "WHERE integration.id = :id");

/// Reads the integration of this id, a deleted one too, while its row is kept.
pub(super) fn of_id(
    tx: &Connection,
    id: IntegrationId,
) -> Result<Option<IntegrationRow>, StoreError> {
    let mut statement = tx.prepare_cached(BY_ID)?;
    let mut rows = statement.query(named_params! {":id": id.0})?;
    rows.next()?.map(|row| integration_row(tx, row)).transpose()
}

/// Living integrations after an id.
pub(super) const LIVING_BY_ID: &str = concat!(
    integration_columns!(),
    "WHERE integration.status <> 'deleted' AND :after < integration.id
     ORDER BY integration.id LIMIT :limit"
);

/// Reads integrations that are not deleted after an id, by id; a cursor says that there are more.
pub(super) fn living_by_id(
    tx: &Connection,
    after: IntegrationId,
    limit: u32,
) -> Result<Listed<IntegrationRow>, StoreError> {
    let page = Page::first(limit);
    let mut statement = tx.prepare_cached(LIVING_BY_ID)?;
    let params = named_params! {":after": after.0, ":limit": page::with_next(&page)};
    let found = statement.query_and_then(params, |row| integration_row(tx, row))?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, &page, rows, |row| Key::Id(row.id.0))
}

/// With how many others an integration shares what it may have in common with them.
pub(super) const SHARED: &str = "
    SELECT own.kind, own.value, integrations - 1 AS others
    FROM factor AS own
    JOIN factor_count ON factor_count.kind = own.kind AND factor_count.value = own.value
    WHERE own.integration_id = :id";

/// Reads the factors of an integration, the most specific first, with how many others share each.
pub(super) fn factors(
    tx: &Connection,
    id: IntegrationId,
) -> Result<Vec<(Factor, u32)>, StoreError> {
    let mut statement = tx.prepare_cached(SHARED)?;
    let found = statement.query_and_then(named_params! {":id": id.0}, |row| {
        let kind = parse("factor", &row.get::<_, String>("kind")?)?;
        Ok::<_, StoreError>((Factor { kind, value: row.get("value")? }, row.get("others")?))
    })?;
    let mut found = found.collect::<Result<Vec<_>, _>>()?;
    found.sort();
    Ok(found)
}
