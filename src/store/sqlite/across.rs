//! Reads across all integrations, each from one index: strips from a covering one, lists by instant and number
//! (keyset paging), so that a page costs the same wherever it begins.

use rusqlite::{Connection, Row as SqlRow, ToSql, named_params};

use super::checksum::sound;
use super::column::{class, duration, labels, report_status};
use super::history::{run_row, transition_row};
use super::page::{self, Key, Listed, Page};
use super::{
    Attributed, ExpiryRow, Mark, OutageRow, Position, RunFilter, RunRow, STRIP_MAX, StoreError,
    TargetRow, TransitionFilter, TransitionRow, View,
};
use crate::domain::{Class, IntegrationId, OutageMember, ReportStatus, RunId, Timestamp};

impl View {
    /// Implements [`crate::store::View::strips`] on this engine.
    pub(crate) async fn strips(
        &self,
        ids: Vec<IntegrationId>,
        last: u32,
    ) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
        self.readers.read(move |tx| strips(tx, &ids, last)).await
    }

    /// Implements [`crate::store::View::expiries`] on this engine.
    pub(crate) async fn expiries(
        &self,
        until: Timestamp,
        page: Page,
    ) -> Result<Listed<ExpiryRow>, StoreError> {
        self.readers.read(move |tx| expiries(tx, until, &page)).await
    }

    /// Implements [`crate::store::View::all_transitions`] on this engine.
    pub(crate) async fn all_transitions(
        &self,
        filter: TransitionFilter,
        page: Page,
    ) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
        self.readers.read(move |tx| transitions(tx, filter, &page)).await
    }

    /// Implements [`crate::store::View::all_runs`] on this engine.
    pub(crate) async fn all_runs(
        &self,
        filter: RunFilter,
        page: Page,
    ) -> Result<Listed<Attributed<RunRow>>, StoreError> {
        self.readers.read(move |tx| runs(tx, filter, &page)).await
    }

    /// Implements [`crate::store::View::outages`] on this engine.
    pub(crate) async fn outages(
        &self,
        is_open: bool,
        page: Page,
    ) -> Result<Listed<OutageRow>, StoreError> {
        self.readers.read(move |tx| super::outage::list(tx, is_open, &page)).await
    }

    /// Implements [`crate::store::View::outage_members`] on this engine.
    pub(crate) async fn outage_members(&self, id: &str) -> Result<Vec<OutageMember>, StoreError> {
        let id = id.to_owned();
        self.readers.read(move |tx| super::outage::members(tx, &id)).await
    }

    /// Implements [`crate::store::View::position`] on this engine.
    pub(crate) async fn position(&self) -> Result<Position, StoreError> {
        self.watch.read(|tx| position(tx)).await
    }
}

/// Latest runs of an integration, without a look at the table.
pub(super) const STRIP: &str = "
    SELECT id, started_at_ms, duration_ms, status, class FROM run
    WHERE integration_id = :id ORDER BY id DESC LIMIT :last";

fn strips(
    tx: &Connection,
    ids: &[IntegrationId],
    last: u32,
) -> Result<Vec<(IntegrationId, Vec<Mark>)>, StoreError> {
    let mut statement = tx.prepare_cached(STRIP)?;
    let last = last.min(STRIP_MAX);
    let mut strips = Vec::with_capacity(ids.len());
    for &id in ids {
        let found = statement.query_and_then(named_params! {":id": id.0, ":last": last}, mark)?;
        let mut marks = found.collect::<Result<Vec<_>, _>>()?;
        marks.reverse();
        strips.push((id, marks));
    }
    Ok(strips)
}

fn mark(row: &SqlRow<'_>) -> Result<Mark, StoreError> {
    let decided: Option<String> = row.get("class")?;
    Ok(Mark {
        run: RunId(row.get("id")?),
        started_at: Timestamp(row.get("started_at_ms")?),
        duration: duration(row, "duration_ms")?,
        status: report_status(&row.get::<_, String>("status")?)?,
        class: decided.as_deref().map(class).transpose()?,
    })
}

/// Reads the integration that a row is about.
fn target(row: &SqlRow<'_>) -> Result<TargetRow, StoreError> {
    Ok(TargetRow {
        id: IntegrationId(row.get("target_id")?),
        name: row.get("name")?,
        kind: row.get("kind")?,
        labels: labels(&row.get::<_, String>("labels")?)?,
    })
}

/// Expiries before an instant and after a key.
pub(super) const EXPIRIES: &str = "
    SELECT integration.id AS target_id, name, kind, labels, at_ms, what
    FROM expiry JOIN integration ON integration.id = integration_id
    WHERE at_ms < :until AND (at_ms, integration_id, what) > (:at, :id, :what)
      AND status <> 'deleted'
    ORDER BY at_ms, integration_id, what LIMIT :limit";

fn expiries(
    tx: &Connection,
    until: Timestamp,
    page: &Page,
) -> Result<Listed<ExpiryRow>, StoreError> {
    let (at, id, what) = page::after_expiry(tx, page)?;
    let mut statement = tx.prepare_cached(EXPIRIES)?;
    let params = named_params! {
        ":until": until.0, ":at": at, ":id": id, ":what": what, ":limit": page::with_next(page),
    };
    let found = statement.query_and_then(params, |row| {
        let at = Timestamp(row.get("at_ms")?);
        Ok::<_, StoreError>(ExpiryRow { integration: target(row)?, at, what: row.get("what")? })
    })?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |row| {
        Key::Expiry(row.at.0, row.integration.id.0, row.what.clone())
    })
}

/// Status changes from an instant to a key.
pub(super) const TRANSITIONS: &str = concat!(
    "SELECT transition.id, from_status, to_status, cause, at_ms, run_id,
           transition.incident_id, integration.id AS target_id, name, kind, labels, ",
    sound!(transition "transition"),
    " FROM transition JOIN integration ON integration.id = transition.integration_id
    WHERE :since <= at_ms AND (at_ms, transition.id) < (:at, :before)
    ORDER BY at_ms DESC, transition.id DESC LIMIT :limit"
);

fn transitions(
    tx: &Connection,
    filter: TransitionFilter,
    page: &Page,
) -> Result<Listed<Attributed<TransitionRow>>, StoreError> {
    let (at, before) = page::before_instant(tx, page, filter.until)?;
    let mut statement = tx.prepare_cached(TRANSITIONS)?;
    let params = named_params! {
        ":since": since(filter.since), ":at": at, ":before": before,
        ":limit": page::with_next(page),
    };
    let found = statement.query_and_then(params, |row| {
        Ok::<_, StoreError>(Attributed { integration: target(row)?, row: transition_row(row)? })
    })?;
    let rows = found.collect::<Result<Vec<_>, _>>()?;
    page::listed(tx, page, rows, |Attributed { row, .. }| Key::At(row.at.0, row.id))
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
             FROM run
             JOIN report ON report.id = run.report_id
             JOIN integration ON integration.id = run.integration_id
             WHERE ",
            $bounds,
            " AND (:result IS NULL OR run.status = :result) AND (:class IS NULL OR class = :class)
             ORDER BY ",
            $order,
            " LIMIT :limit"
        )
    };
}

/// Runs of all integrations from an instant to a key.
pub(super) const RUNS: &str = runs!(
    ":since <= started_at_ms AND (started_at_ms, run.id) < (:at, :before)",
    "started_at_ms DESC, run.id DESC"
);

/// The same for those that did not simply pass, which are few.
pub(super) const NOTABLE_RUNS: &str = runs!(
    ":since <= started_at_ms AND (started_at_ms, run.id) < (:at, :before)
     AND run.status <> 'passed'",
    "started_at_ms DESC, run.id DESC"
);

/// Runs of one integration before an id.
pub(super) const RUNS_OF_ONE: &str = runs!(
    "run.integration_id = :id AND run.id < :before AND :since <= started_at_ms
     AND started_at_ms < :until",
    "run.id DESC"
);

fn runs(
    tx: &Connection,
    filter: RunFilter,
    page: &Page,
) -> Result<Listed<Attributed<RunRow>>, StoreError> {
    let result = filter.result.map(ReportStatus::as_str);
    let (class, since) = (filter.class.map(Class::as_str), since(filter.since));
    let limit = page::with_next(page);
    if let Some(id) = filter.integration {
        let params = named_params! {
            ":id": id.0, ":before": page::after_id(tx, page, i64::MAX)?, ":since": since,
            ":until": filter.until.map_or(i64::MAX, |until| until.0), ":result": result,
            ":class": class, ":limit": limit,
        };
        let rows = attributed(tx, RUNS_OF_ONE, params)?;
        return page::listed(tx, page, rows, |Attributed { row, .. }| Key::Id(row.id.0));
    }
    let (at, before) = page::before_instant(tx, page, filter.until)?;
    let params = named_params! {
        ":at": at, ":before": before, ":since": since, ":result": result, ":class": class,
        ":limit": limit,
    };
    // Only what failed has a class.
    let is_notable = filter.class.is_some()
        || filter.result.is_some_and(|result| result != ReportStatus::Passed);
    let rows = attributed(tx, if is_notable { NOTABLE_RUNS } else { RUNS }, params)?;
    page::listed(tx, page, rows, |Attributed { row, .. }| Key::At(row.started_at.0, row.id.0))
}

fn attributed(
    tx: &Connection,
    sql: &str,
    params: &[(&str, &dyn ToSql)],
) -> Result<Vec<Attributed<RunRow>>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let found = statement.query_and_then(params, |row| {
        Ok::<_, StoreError>(Attributed { integration: target(row)?, row: run_row(row)? })
    })?;
    found.collect()
}

/// Reads how many commits of others a connection has noticed, and how many rows it changed itself.
fn position(tx: &Connection) -> Result<Position, StoreError> {
    let version = tx.pragma_query_value(None, "data_version", |row| row.get(0))?;
    let changes = tx.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get(0))?;
    Ok(Position { version, changes })
}
