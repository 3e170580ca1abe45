//! Page of an integration, and of one of its runs.

use axum::extract::Path;

use crate::domain::{IntegrationId, RunId, Timestamp};
use crate::page::address;
use crate::page::frame::{Counts, Frame, Renewal};
use crate::page::integration::{Detail, Rows};
use crate::page::lists::RunPage;
use crate::page::strip::MARKS;
use crate::page::templates::{IntegrationPage, RunOfIntegration};
use crate::page::visit::{Shown, Visit};
use crate::page::{notes, spans};
use crate::store::{
    DeliveryFilter, DeliveryRow, HistoryRow, IntegrationRow, Mark, Page, StoreError, TargetRow,
    View,
};
use crate::view::{Configured, Explanation};

/// Number of deliveries that are shown.
const DELIVERIES_MAX: u32 = 10;
/// Number of runs and status changes that the history is made of.
const HISTORY_MAX: u32 = 200;

/// Page of an integration.
pub(crate) async fn page(Path(name): Path<String>, visit: Visit) -> Shown {
    let row = visit.integration(&name).await?;
    let (id, name) = (row.id, row.name.clone());
    let maintenance = visit.source.control.maintenance();
    let configured =
        Configured { policy: visit.source.control.policy(id), maintenance: &maintenance };
    let rows = read(visit.view(), row, &configured, visit.now()).await;
    let rows = rows.map_err(|error| visit.unread(&error))?;
    let page = Detail::new(rows, &visit.viewer);
    let counts = Counts { failing: usize::from(page.is_failing), ..Counts::default() };
    let title = format!("{name} {}", page.look.word());
    let frame = Frame::new(&visit.viewer, "integrations", title, counts).about(&name);
    let frame = frame.renewed(Renewal::Whole).themed(&visit.path, &visit.viewer.pairs);
    let frame = Frame { note: notes::done(&visit.query), ..frame };
    let spans = spans::CHOICES;
    visit.html(&IntegrationPage { frame, page, acts: visit.viewer.acts(), spans })
}

async fn read(
    view: &View,
    row: IntegrationRow,
    configured: &Configured<'_>,
    now: Timestamp,
) -> Result<Rows, StoreError> {
    let (id, name) = (row.id, row.name.clone());
    let filter = DeliveryFilter { integration: Some(name), ..DeliveryFilter::default() };
    Ok(Rows {
        explanation: Explanation::read(view, row, configured, now).await?,
        marks: marks(view, id).await?,
        deliveries: deliveries(view, filter).await?,
        history: history(view, id).await?,
        sharing: view.sharing(id).await?,
        passed: view.facts(id).await?.unwrap_or_default(),
    })
}

async fn marks(view: &View, id: IntegrationId) -> Result<Vec<Mark>, StoreError> {
    let strips = view.strips(vec![id], MARKS).await?;
    Ok(strips.into_iter().next().map(|(_, marks)| marks).unwrap_or_default())
}

async fn deliveries(view: &View, filter: DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
    Ok(view.deliveries(filter, Page::first(DELIVERIES_MAX)).await?.rows)
}

async fn history(view: &View, id: IntegrationId) -> Result<Vec<HistoryRow>, StoreError> {
    Ok(view.history(id, Page::first(HISTORY_MAX)).await?.rows)
}

/// Page of a run of an integration.
pub(crate) async fn run(Path((name, run)): Path<(String, String)>, visit: Visit) -> Shown {
    let IntegrationRow { id, name, kind, labels, .. } = visit.integration(&name).await?;
    let missing = || visit.missing("No run of the integration has this number, or it is not kept.");
    let number = run.parse().map(RunId).map_err(|_no_number| missing())?;
    let found = visit.view().run(id, number).await;
    let found = found.map_err(|error| visit.unread(&error))?.ok_or_else(missing)?;
    let target = TargetRow { id, name, kind, labels };
    let page = RunPage::new(&target, &found, &visit.viewer);
    let title = format!("Run {} of {}", page.item.id, target.name);
    let frame = Frame::new(&visit.viewer, "runs", title, Counts::default());
    let frame = frame.themed(&visit.path, &visit.viewer.pairs);
    let runs_href = if visit.viewer.is_public() {
        visit.viewer.link(&address::integration(&target.name, id.0))
    } else {
        visit.viewer.list("/runs", "integration", &target.name)
    };
    visit.html(&RunOfIntegration { frame, page, runs_href })
}
