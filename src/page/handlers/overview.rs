//! Overview and the parts of it that follow every change.

use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;

use crate::page::frame::{Counts, Frame, Renewal};
use crate::page::mutes::Mutes;
use crate::page::overview::{Asked, Overview, Reads, Row, Selection};
use crate::page::strip::{MARKS, words};
use crate::page::templates::{HeadFragment, OverviewPage, RowFragment};
use crate::page::visit::{Refused, Shown, Visit};
use crate::page::{address, notes};
use crate::store::{Mark, StatusRow};
use crate::view::open_silences;

/// Page of all integrations.
pub(crate) async fn page(visit: Visit) -> Shown {
    let (frame, page) = read(&visit).await?;
    visit.html(&OverviewPage { frame, page })
}

/// Headline, tiles, causes and the lists beside the table.
pub(crate) async fn head(visit: Visit) -> Shown {
    let (frame, page) = read(&visit).await?;
    visit.html(&HeadFragment { frame, page })
}

async fn read(visit: &Visit) -> Result<(Frame, Overview), Refused> {
    let mut asked = Asked::read(&visit.query).map_err(|problem| visit.wrong(&problem))?;
    if !visit.viewer.is_public() {
        let filter = asked.filter.mentioning(visit.view()).await;
        asked.filter = filter.map_err(|error| visit.unread(&error))?;
    }
    let (rows, now) = (visit.statuses().await?, visit.now());
    let silences = open_silences(visit.view(), now).await;
    let silences = silences.map_err(|error| visit.unread(&error))?;
    let maintenance = visit.source.control.maintenance();
    let mutes = Mutes::at(&silences, &maintenance, now);
    let selection = Selection::of(rows.iter(), &asked, &mutes, now);
    let reads = Reads::read(visit.view(), &selection, now).await;
    let mut reads = reads.map_err(|error| visit.unread(&error))?;
    reads.lateness = visit.source.control.lateness();
    reads.backup = visit.source.control.backup_state();
    let page = Overview::new(&selection, &asked, &mutes, &reads, &visit.viewer);
    let counts = counts(&page, rows.len());
    let frame = Frame::new(&visit.viewer, "integrations", page.headline.title.clone(), counts);
    let frame = frame.renewed(Renewal::Rows).themed("/", &asked.pairs);
    Ok((Frame { note: notes::done(&visit.query), ..frame }, page))
}

/// Returns the numbers of the navigation.
fn counts(page: &Overview, integrations: usize) -> Counts {
    Counts {
        integrations: Some(integrations),
        failing: page.failing,
        pending: page.receivers.as_ref().map(|all| all.iter().map(|one| one.waiting).sum()),
        receivers: page.receivers.as_ref().map(Vec::len),
        expiries: Some(page.expiries.len()),
    }
}

/// Row of one integration.
pub(crate) async fn row(Path(name): Path<String>, visit: Visit) -> Shown {
    let row = StatusRow::from(&visit.integration(&name).await?);
    let now = visit.now();
    let silences = open_silences(visit.view(), now).await;
    let silences = silences.map_err(|error| visit.unread(&error))?;
    let maintenance = visit.source.control.maintenance();
    let mutes = Mutes::at(&silences, &maintenance, now);
    let marks = marks(&visit, &row).await?;
    let row = Row::new(&row, &marks, mutes.of(&row), &visit.viewer);
    visit.html(&RowFragment { row })
}

async fn marks(visit: &Visit, row: &StatusRow) -> Result<Vec<Mark>, Refused> {
    let strips = visit.view().strips(vec![row.id], MARKS).await;
    let strips = strips.map_err(|error| visit.unread(&error))?;
    Ok(strips.into_iter().next().map(|(_, marks)| marks).unwrap_or_default())
}

/// Runs of a strip, for the script.
#[derive(Serialize)]
struct StripData {
    /// Address that a run's number completes.
    base: String,
    /// Number, instant in milliseconds, and words of each run.
    runs: Vec<(i64, i64, String)>,
}

/// Data of a strip as JSON.
pub(crate) async fn strip(Path(name): Path<String>, visit: Visit) -> Result<Response, Refused> {
    let row = StatusRow::from(&visit.integration(&name).await?);
    let marks = marks(&visit, &row).await?;
    let run = |mark: &Mark| (mark.run.0, mark.started_at.0, words(mark));
    let base = format!("{}/runs/", address::integration(&row.name, row.id.0));
    let data = StripData { base, runs: marks.iter().map(run).collect() };
    let text = serde_json::to_string(&data).unwrap_or_default();
    Ok(visit.text("application/json; charset=utf-8", text))
}
