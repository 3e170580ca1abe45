//! Integrations by their names: lists, details, runs, and what decides about them.

use super::asked::{Asked, items, json, listed, unread};
use super::route::Handled;
use crate::domain::RunId;
use crate::http::{Code, Kind, Parameter, Problem};
use crate::store::StatusRow;
use crate::view::{
    BriefIntegration, Configured, Explanation, Filter, Integration, Run, Situation,
    acknowledgement, open_silences,
};

/// Parameters of the list of integrations.
pub(super) const LIST: &[Parameter] = &[Parameter::once(
    "view",
    Kind::Words(&["brief", "full"]),
    "`full` adds results, configuration and what `list --json` shows; `brief` without it.",
)];

/// Handler of `GET /api/v1/integrations`.
pub(super) async fn list(asked: Asked) -> Handled {
    let now = asked.now();
    let filter = Filter::of(&asked.query).mentioning(&asked.api.view).await.map_err(unread)?;
    let sees = |row: &StatusRow| asked.caller.sees(&row.labels);
    let listed = filter.page(&asked.api.view, asked.page()?, now, sees).await.map_err(unread)?;
    let (rows, next) = (listed.rows, listed.next.map(|cursor| cursor.to_string()));
    if asked.query.text("view") != Some("full") {
        let shown = rows.iter().map(BriefIntegration::from).collect();
        return Ok(items(&asked, shown, next)?.into());
    }
    let mut whole = Vec::with_capacity(rows.len());
    for row in &rows {
        whole.extend(asked.api.view.integration(&row.name).await.map_err(unread)?);
    }
    let open = open_silences(&asked.api.view, now).await.map_err(unread)?;
    let shown = whole
        .iter()
        .map(|row| Integration::from(row).acknowledged(acknowledgement(&open, row.id)))
        .collect();
    Ok(items(&asked, shown, next)?.into())
}

/// Handler of `GET /api/v1/integrations/{name}`.
pub(super) async fn show(asked: Asked) -> Handled {
    Ok(detail(&asked).await?.into())
}

/// Returns the body of an integration's details, by whose tag actions may be guarded.
///
/// # Errors
///
/// Fails when there is no such integration, or the store cannot be read.
pub(super) async fn detail(asked: &Asked) -> Result<crate::http::Answer, Problem> {
    let (row, now) = (asked.integration().await?, asked.now());
    let maintenance = asked.api.control.maintenance();
    let configured =
        Configured { policy: asked.api.control.policy(row.id), maintenance: &maintenance };
    let view = &asked.api.view;
    let situation = Situation::read(view, &row, &configured, now).await.map_err(unread)?;
    json(&Integration::with(&row, &situation, now))
}

/// Handler of `GET /api/v1/integrations/{name}/explain`.
pub(super) async fn explain(asked: Asked) -> Handled {
    let (row, now) = (asked.integration().await?, asked.now());
    let maintenance = asked.api.control.maintenance();
    let configured =
        Configured { policy: asked.api.control.policy(row.id), maintenance: &maintenance };
    let read = Explanation::read(&asked.api.view, row, &configured, now).await.map_err(unread)?;
    Ok(json(&read.shown(now))?.into())
}

/// Handler of `GET /api/v1/integrations/{name}/runs`.
pub(super) async fn runs(asked: Asked) -> Handled {
    let row = asked.integration().await?;
    let rows = asked.api.view.runs(row.id, asked.page()?).await.map_err(unread)?;
    Ok(listed(&asked, &rows, |run| Run::from(run).with_results(run))?.into())
}

/// Handler of `GET /api/v1/integrations/{name}/runs/{id}`.
pub(super) async fn run(asked: Asked) -> Handled {
    let (row, id) = (asked.integration().await?, asked.number("id")?);
    let found = asked.api.view.run(row.id, RunId(id)).await.map_err(unread)?;
    let run = found.ok_or_else(|| {
        let detail = format!("no run {id} of this integration is kept");
        Problem::new(Code::NotFound, detail)
    })?;
    Ok(json(&Run::from(&run).with_results(&run))?.into())
}

/// Handler of `GET /api/v1/integrations/{name}/transitions`.
pub(super) async fn transitions(asked: Asked) -> Handled {
    let row = asked.integration().await?;
    let rows = asked.api.view.transitions(row.id, asked.page()?).await.map_err(unread)?;
    Ok(listed(&asked, &rows, crate::view::Transition::from)?.into())
}
