//! Silences, maintenance windows and outages.

use super::asked::{Asked, items, json, listed, unread};
use super::route::Handled;
use crate::http::{Code, Kind, Parameter, Problem};
use crate::store::{SilenceRow, TargetRow};
use crate::view::{Silence, SilenceState, Window};

/// Parameters of the list of silences.
pub(super) const SILENCES: &[Parameter] =
    &[Parameter::once("ended", Kind::Flag, "`true` lists those that have ended too.")];

/// Handler of `GET /api/v1/silences`.
pub(super) async fn silences(asked: Asked) -> Handled {
    let (now, targets) = (asked.now(), targets(&asked).await?);
    let ended = asked.query.flag("ended") == Some(true);
    let mut rows = asked.api.view.silences(ended, now, asked.page()?).await.map_err(unread)?;
    if !asked.sees_all() {
        rows.rows.retain(|row| covers_any(row, &targets));
    }
    Ok(listed(&asked, &rows, |row| Silence::new(row, &targets, now))?.into())
}

fn covers_any(row: &SilenceRow, targets: &[TargetRow]) -> bool {
    targets.iter().any(|one| row.covers(one.id, one.about()))
}

/// Handler of `GET /api/v1/silences/{id}`.
pub(super) async fn silence(asked: Asked) -> Handled {
    let (row, targets) = silence_of(&asked).await?;
    Ok(json(&Silence::new(&row, &targets, asked.now()))?.into())
}

/// Returns the silence that the path names, and the integrations that it may cover.
///
/// # Errors
///
/// Fails when there is none that the caller may see, and when it has ended: what was deleted is gone for
/// programs, though lists with `ended=true` still show it.
pub(super) async fn silence_of(asked: &Asked) -> Result<(SilenceRow, Vec<TargetRow>), Problem> {
    let (id, targets) = (asked.number("id")?, targets(asked).await?);
    let found = asked.api.view.silence(id).await.map_err(unread)?;
    let found = found.filter(|row| asked.sees_all() || covers_any(row, &targets));
    let unknown = || Problem::new(Code::NotFound, format!("no silence has the id {id}"));
    let row = found.ok_or_else(unknown)?;
    if row.state(asked.now()) == SilenceState::Ended {
        let shown = serde_json::to_value(Silence::new(&row, &targets, asked.now()));
        let detail = format!("{} {id} has ended", row.kind());
        return Err(Problem::new(Code::Ended, detail).with("silence", shown.unwrap_or_default()));
    }
    Ok((row, targets))
}

/// Returns the integrations that the caller may see, as selections compare them.
///
/// # Errors
///
/// Fails when the store cannot be read.
pub(super) async fn targets(asked: &Asked) -> Result<Vec<TargetRow>, Problem> {
    let mut all = asked.api.view.all_targets().await.map_err(unread)?;
    all.retain(|row| asked.caller.sees(&row.labels));
    Ok(all)
}

/// Handler of `GET /api/v1/maintenance`: the windows of the configuration, with their next openings.
pub(super) fn maintenance(asked: &Asked) -> Handled {
    let windows = asked.api.control.maintenance();
    let now = asked.now();
    Ok(items(asked, windows.iter().map(|one| Window::new(one, now)).collect(), None)?.into())
}
