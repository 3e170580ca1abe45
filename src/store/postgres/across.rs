//! Reads across all integrations, each from one index: strips from a covering one, lists by instant and number
//! (keyset paging), so that a page costs the same wherever it begins.

use std::collections::BTreeMap;

use super::column::{class, duration, labels, report_status};
use super::history::{run_row, transition_row};
use super::page::{self, Key, Listed, Page};
use super::tx::{Params, Reads, get, params};
use super::view::read;
use super::{
    Attributed, ExpiryRow, Mark, OutageRow, Position, RunFilter, RunRow, STRIP_MAX, StoreError,
    TargetRow, TransitionFilter, TransitionRow, View, outages,
};
use crate::domain::{Class, IntegrationId, OutageMember, ReportStatus, RunId, Timestamp};
use tokio_postgres::Row;

impl View {
    /// Implements [`crate::store::View::strips`] on this engine.
    pub(crate) async fn strips(
        &self,
        ids: Vec<IntegrationId>,
        last: u32,
    ) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
        read!(self, tx => strips(tx, &ids, last).await)
    }

    /// Implements [`crate::store::View::expiries`] on this engine.
    pub(crate) async fn expiries(
        &self,
        until: Timestamp,
        page: Page,
    ) -> Result<Listed<ExpiryRow>, StoreError> {
        read!(self, tx => expiries(tx, until, &page).await)
    }

    /// Implements [`crate::store::View::all_transitions`] on this engine.
    pub(crate) async fn all_transitions(
        &self,
        filter: TransitionFilter,
        page: Page,
    ) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
        read!(self, tx => transitions(tx, filter, &page).await)
    }

    /// Implements [`crate::store::View::all_runs`] on this engine.
    pub(crate) async fn all_runs(
        &self,
        filter: RunFilter,
        page: Page,
    ) -> Result<Listed<Attributed<RunRow>>, StoreError> {
        read!(self, tx => runs(tx, filter, &page).await)
    }

    /// Implements [`crate::store::View::outages`] on this engine.
    pub(crate) async fn outages(
        &self,
        is_open: bool,
        page: Page,
    ) -> Result<Listed<OutageRow>, StoreError> {
        read!(self, tx => outages::list(tx, is_open, &page).await)
    }

    /// Implements [`crate::store::View::outage_members`] on this engine.
    pub(crate) async fn outage_members(&self, id: &str) -> Result<Vec<OutageMember>, StoreError> {
        read!(self, tx => outages::members(tx, id).await)
    }

    /// Implements [`crate::store::View::position`] on this engine.
    pub(crate) async fn position(&self) -> Result<Position, StoreError> {
        read!(self, tx => position(tx).await)
    }
}

/// Latest runs of some integrations, of each without a look at the table.
pub(super) const STRIPS: &str = "
    SELECT asked.id AS asked, latest.*
    FROM unnest($1) AS asked (id) CROSS JOIN LATERAL (
        SELECT id, started_at_ms, duration_ms, status, class FROM revalidated.run
        WHERE integration_id = asked.id ORDER BY id DESC LIMIT $2) AS latest
    ORDER BY latest.id";

async fn strips(
    tx: &Reads,
    ids: &[IntegrationId],
    last: u32,
) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
    let asked: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let last = i64::from(last.min(STRIP_MAX));
    let mut marks: BTreeMap<i64, Vec<Mark>> = BTreeMap::new();
    for row in tx.rows(STRIPS, params![asked => INT8_ARRAY, last => INT8]).await? {
        marks.entry(get(&row, "asked")?).or_default().push(mark(&row)?);
    }
    Ok(ids.iter().map(|id| (*id, marks.get(&id.0).cloned().unwrap_or_default())).collect())
}

fn mark(row: &Row) -> Result<Mark, StoreError> {
    Ok(Mark {
        run: RunId(get(row, "id")?),
        started_at: Timestamp(get(row, "started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(get(row, "status")?)?,
        class: get::<Option<&str>>(row, "class")?.map(class).transpose()?,
    })
}

/// Reads the integration that a row is about.
fn target(row: &Row) -> Result<TargetRow, StoreError> {
    Ok(TargetRow {
        id: IntegrationId(get(row, "target_id")?),
        name: get(row, "name")?,
        kind: get(row, "kind")?,
        labels: labels(get(row, "labels")?)?,
    })
}

/// Expiries before an instant and after a key.
pub(super) const EXPIRIES: &str = "
    SELECT integration.id AS target_id, name, kind, labels, at_ms, what
    FROM revalidated.expiry JOIN revalidated.integration ON integration.id = integration_id
    WHERE at_ms < $1 AND (at_ms, integration_id, what) > ($2, $3, $4)
      AND status <> 'deleted'
    ORDER BY at_ms, integration_id, what LIMIT $5";

async fn expiries(
    tx: &Reads,
    until: Timestamp,
    page: &Page,
) -> Result<Listed<ExpiryRow>, StoreError> {
    let (at, id, what) = page::after_expiry(tx, page).await?;
    let params = params![
        until.0 => INT8, at => INT8, id => INT8, what => TEXT, page::with_next(page) => INT8,
    ];
    let read = |row: &Row| {
        let at = Timestamp(get(row, "at_ms")?);
        Ok::<_, StoreError>(ExpiryRow { integration: target(row)?, at, what: get(row, "what")? })
    };
    let rows = tx.rows(EXPIRIES, params).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let key = |row: &ExpiryRow| Key::Expiry(row.at.0, row.integration.id.0, row.what.clone());
    page::listed(tx, page, rows, key).await
}

/// Status changes from an instant to a key.
pub(super) const TRANSITIONS: &str = "
    SELECT transition.id, from_status, to_status, cause, at_ms, run_id, transition.incident_id,
           integration.id AS target_id, name, kind, labels
    FROM revalidated.transition
    JOIN revalidated.integration ON integration.id = transition.integration_id
    WHERE $1 <= at_ms AND (at_ms, transition.id) < ($2, $3)
    ORDER BY at_ms DESC, transition.id DESC LIMIT $4";

async fn transitions(
    tx: &Reads,
    filter: TransitionFilter,
    page: &Page,
) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
    let (at, before) = page::before_instant(tx, page, filter.until).await?;
    let params = params![
        since(filter.since) => INT8, at => INT8, before => INT8, page::with_next(page) => INT8,
    ];
    let read = |row: &Row| {
        Ok::<_, StoreError>(Attributed { integration: target(row)?, row: transition_row(row)? })
    };
    let found = tx.rows(TRANSITIONS, params).await?;
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |Attributed { row, .. }| Key::At(row.at.0, row.id)).await
}

fn since(given: Option<Timestamp>) -> i64 {
    given.map_or(i64::MIN, |since| since.0)
}

/// Selects runs with their integrations; the first part chooses the index, the second the order.
macro_rules! runs {
    ($bounds:literal, $order:literal) => {
        concat!(
            "SELECT run.id AS run_id, subject, trigger, started_at_ms, duration_ms, run.status,
                    class, rule, drift, took, run.evidence AS run_evidence, report.content,
                    integration.id AS target_id, name, kind, labels
             FROM revalidated.run
             JOIN revalidated.report ON report.id = run.report_id
             JOIN revalidated.integration ON integration.id = run.integration_id
             WHERE ",
            $bounds,
            " AND ($4 IS NULL OR run.status = $4) AND ($5 IS NULL OR class = $5)
             ORDER BY ",
            $order,
            " LIMIT $6"
        )
    };
}

/// Runs of all integrations from an instant to a key.
pub(super) const RUNS: &str = runs!(
    "$1 <= started_at_ms AND (started_at_ms, run.id) < ($2, $3)",
    "started_at_ms DESC, run.id DESC"
);

/// The same for those that did not simply pass, which are few.
pub(super) const NOTABLE_RUNS: &str = runs!(
    "$1 <= started_at_ms AND (started_at_ms, run.id) < ($2, $3) AND run.status <> 'passed'",
    "started_at_ms DESC, run.id DESC"
);

/// Runs of one integration before an id.
pub(super) const RUNS_OF_ONE: &str = runs!(
    "run.integration_id = $7 AND run.id < $3 AND $1 <= started_at_ms AND started_at_ms < $2",
    "run.id DESC"
);

async fn runs(
    tx: &Reads,
    filter: RunFilter,
    page: &Page,
) -> Result<Listed<Attributed<RunRow>>, StoreError> {
    let result = filter.result.map(ReportStatus::as_str);
    let (class, since) = (filter.class.map(Class::as_str), since(filter.since));
    let limit = page::with_next(page);
    if let Some(id) = filter.integration {
        let before = page::after_id(tx, page, i64::MAX).await?;
        let until = filter.until.map_or(i64::MAX, |until| until.0);
        let params = params![
            since => INT8, until => INT8, before => INT8, result => TEXT, class => TEXT,
            limit => INT8, id.0 => INT8,
        ];
        let rows = attributed(tx, RUNS_OF_ONE, params).await?;
        return page::listed(tx, page, rows, |Attributed { row, .. }| Key::Id(row.id.0)).await;
    }
    let (at, before) = page::before_instant(tx, page, filter.until).await?;
    let params = params![
        since => INT8, at => INT8, before => INT8, result => TEXT, class => TEXT, limit => INT8,
    ];
    // Only what failed has a class.
    let is_notable = filter.class.is_some()
        || filter.result.is_some_and(|result| result != ReportStatus::Passed);
    let rows = attributed(tx, if is_notable { NOTABLE_RUNS } else { RUNS }, params).await?;
    let key = |one: &Attributed<RunRow>| Key::At(one.row.started_at.0, one.row.id.0);
    page::listed(tx, page, rows, key).await
}

async fn attributed(
    tx: &Reads,
    sql: &str,
    params: Params<'_>,
) -> Result<Vec<Attributed<RunRow>>, StoreError> {
    let read = |row: &Row| {
        Ok::<_, StoreError>(Attributed { integration: target(row)?, row: run_row(row)? })
    };
    tx.rows(sql, params).await?.iter().map(read).collect()
}

/// Reads how many transactions have been committed: each counts in one of a few rows.
async fn position(tx: &Reads) -> Result<Position, StoreError> {
    const SQL: &str = "
        SELECT sum(number)::bigint AS number FROM revalidated.commits";
    Ok(Position { version: get(&tx.one(SQL, &[]).await?, "number")?, changes: 0 })
}
