//! Silences and maintenance windows, and the plan of a new silence.

use super::lists::{ListQuery, ROWS_MAX, frame};
use crate::page::lists::{Plan, SILENCES, SilenceItem, WindowItem};
use crate::page::spans;
use crate::page::templates::SilencesPage;
use crate::page::viewer::Access;
use crate::page::visit::{Shown, Visit};

/// Silences, acknowledgements and windows.
pub(crate) async fn page(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, SILENCES)?;
    let is_all = list.query.flag("ended").unwrap_or(false);
    let page = list.page(&visit, ROWS_MAX)?;
    let found = visit.view().silences(is_all, visit.now(), page).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    let targets = visit.view().all_targets().await;
    let mut targets = targets.map_err(|error| visit.unread(&error))?;
    targets.retain(|target| visit.caller.sees(&target.labels));
    let is_shown = |item: &SilenceItem| !visit.viewer.is_limited || !item.covers.starts_with("0 ");
    let items = found.rows.iter().map(|row| SilenceItem::new(row, &targets, &visit.viewer));
    let windows = visit.source.control.maintenance();
    let [first, next] = list.links("/silences", found.next.as_ref().map(ToString::to_string));
    visit.html(&SilencesPage {
        frame: frame(&visit, &list, "silences", "Silences"),
        silences: items.filter(is_shown).collect(),
        windows: windows.iter().map(|window| WindowItem::new(window, &visit.viewer)).collect(),
        ended_href: (!is_all).then(|| visit.viewer.list("/silences", "ended", "true")),
        kept: list.kept(&["names", "type", "label", "ended"]),
        plan: Plan::of(&list.query, &targets),
        spans: spans::CHOICES,
        acts: visit.viewer.acts(),
        back: visit.viewer.link("/silences"),
        first,
        next,
    })
}
