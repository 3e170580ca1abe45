//! Lists across all integrations: runs, status changes, outages, expiries and strips.

use super::asked::{Asked, json, listed, unread};
use super::route::Handled;
use crate::http::{Code, Kind, Parameter, Problem};
use crate::store::{Listed, TargetRow, TransitionFilter};
use crate::view::{AttributedRun, AttributedTransition, Expiry, Strip, WholeOutage, run_filter};

/// Parameters of the list of status changes.
pub(super) const TRANSITIONS: &[Parameter] = &[
    Parameter::once("since", Kind::Instant, "Only from this instant on."),
    Parameter::once("until", Kind::Instant, "Only before this instant."),
];
/// Parameters of the list of outages.
pub(super) const OUTAGES: &[Parameter] =
    &[Parameter::once("open", Kind::Flag, "`true` lists those that last only.")];
/// Parameters of the list of expiries.
pub(super) const EXPIRIES: &[Parameter] = &[Parameter::once(
    "within",
    Kind::Duration,
    "Only what ends within this time; 90d without it.",
)];
/// Parameters of a strip.
pub(super) const STRIP: &[Parameter] =
    &[Parameter::once("last", Kind::Integer(1, 200), "Number of runs; 90 without it.")];
/// Time within which expiries are listed unless the query says otherwise.
const WITHIN: std::time::Duration = std::time::Duration::from_hours(24 * 90);

/// Keeps the rows of a page that the caller may see.
fn seen<T>(asked: &Asked, mut rows: Listed<T>, of: impl Fn(&T) -> &TargetRow) -> Listed<T> {
    rows.rows.retain(|row| asked.caller.sees(&of(row).labels));
    rows
}

/// Handler of `GET /api/v1/transitions`.
pub(super) async fn transitions(asked: Asked) -> Handled {
    let filter = TransitionFilter {
        since: asked.query.instant("since"),
        until: asked.query.instant("until"),
    };
    let rows = asked.api.view.all_transitions(filter, asked.page()?).await.map_err(unread)?;
    let rows = seen(&asked, rows, |row| &row.integration);
    Ok(listed(&asked, &rows, AttributedTransition::from)?.into())
}

/// Handler of `GET /api/v1/runs`.
pub(super) async fn runs(asked: Asked) -> Handled {
    let filter = run_filter(&asked.query);
    let rows = asked.api.view.all_runs(filter, asked.page()?).await.map_err(unread)?;
    let rows = seen(&asked, rows, |row| &row.integration);
    Ok(listed(&asked, &rows, AttributedRun::from)?.into())
}

/// Handler of `GET /api/v1/outages`.
pub(super) async fn outages(asked: Asked) -> Handled {
    asked.whole()?;
    let is_open = asked.query.flag("open") == Some(true);
    let rows = asked.api.view.outages(is_open, asked.page()?).await.map_err(unread)?;
    Ok(listed(&asked, &rows, WholeOutage::from)?.into())
}

/// Handler of `GET /api/v1/outages/{id}`.
pub(super) async fn outage(asked: Asked) -> Handled {
    asked.whole()?;
    let id = asked.part("id");
    let found = asked.api.view.outage(id).await.map_err(unread)?;
    let unknown =
        || Problem::new(Code::NotFound, format!("no outage {}", crate::input::quoted(id)));
    let row = found.ok_or_else(unknown)?;
    let members = asked.api.view.outage_members(id).await.map_err(unread)?;
    Ok(json(&WholeOutage::from(&row).of(&members))?.into())
}

/// Handler of `GET /api/v1/expiries`.
pub(super) async fn expiries(asked: Asked) -> Handled {
    let until = asked.now().plus(asked.query.duration("within").unwrap_or(WITHIN));
    let rows = asked.api.view.expiries(until, asked.page()?).await.map_err(unread)?;
    let rows = seen(&asked, rows, |row| &row.integration);
    Ok(listed(&asked, &rows, Expiry::from)?.into())
}

/// Handler of `GET /api/v1/integrations/{name}/strip`.
pub(super) async fn strip(asked: Asked) -> Handled {
    let row = asked.integration().await?;
    let last = asked.query.integer("last").unwrap_or(90);
    let strips = asked.api.view.strips(vec![row.id], last).await.map_err(unread)?;
    let marks = strips.first().map_or(&[][..], |(_, marks)| marks);
    Ok(json(&Strip::from(marks))?.into())
}
