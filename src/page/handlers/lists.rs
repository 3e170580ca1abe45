//! Lists: runs, events, outages, expiries.

use std::time::Duration;

use axum::extract::Path;
use axum::response::Response;

use crate::http::{Kind, Parameter, Query};
use crate::page::address::Pairs;
use crate::page::frame::{Counts, Frame, Renewal};
use crate::page::lists::{EventItem, OutageItem, RunItem, calendar, weeks};
use crate::page::notes;
use crate::page::templates::{EventsPage, ExpiryPage, OutagePage, RunsPage};
use crate::page::text::grouped;
use crate::page::viewer::Access;
use crate::page::visit::{Refused, Shown, Visit};
use crate::store::{Cursor, ExpiryRow, Page, RunFilter};
use crate::view::{CLASSES, RESULTS, RUN_FILTERS, run_filter};

/// Number of rows on a page.
pub(super) const ROWS_MAX: u32 = 100;
/// Number of expiries on a page, and in a calendar.
const EXPIRIES_MAX: u32 = 1000;
/// Time within which expiries are listed unless the address says otherwise.
const WITHIN: Duration = Duration::from_hours(24 * 365);
/// Parameters that every page takes.
pub(super) const COMMON: [Parameter; 4] = [
    Parameter::once("after", Kind::Cursor, "End of the page before."),
    Parameter::once("tz", Kind::Text, "Zone in which times are shown."),
    Parameter::once("theme", Kind::Text, "Colours of the page."),
    Parameter::once("done", Kind::Text, "Action that was just carried out."),
];
const RUNS: &[Parameter] =
    &[Parameter::once("integration", Kind::Text, "Only runs of this integration.")];
const EXPIRY: &[Parameter] =
    &[Parameter::once("within", Kind::Duration, "Only what ends within this time.")];

/// Query of a list, with its pairs for links.
pub(super) struct ListQuery {
    pub(super) query: Query,
    pub(super) pairs: Pairs,
}

impl ListQuery {
    /// Reads the query of a visit.
    pub(super) fn of(visit: &Visit, own: &[Parameter]) -> Result<Self, Refused> {
        let pairs = Pairs::parse(&visit.query);
        let known = [own, &COMMON].concat();
        let query = Query::read(pairs.at("").trim_start_matches('?'), &known);
        let query = query.map_err(|problem| visit.wrong(&problem))?;
        Ok(Self { query, pairs: pairs.without("done") })
    }

    /// Returns the page of the list that is asked for.
    pub(super) fn page(&self, visit: &Visit, limit: u32) -> Result<Page, Refused> {
        let Some(text) = self.query.text("after") else { return Ok(Page::first(limit)) };
        let cursor: Result<Cursor, _> = text.parse();
        match cursor {
            Ok(cursor) => Ok(Page::after(cursor, limit)),
            Err(error) => Err(visit.missing(&error.to_string())),
        }
    }

    /// Returns the links to the first page, from another one, and to the next one.
    pub(super) fn links(&self, path: &str, next: Option<String>) -> [Option<String>; 2] {
        let first = self.query.text("after").map(|_| self.pairs.without("after").at(path));
        [first, next.map(|next| self.pairs.with("after", &next).at(path))]
    }

    /// Returns the words of a choice, and which of them is chosen.
    pub(super) fn choice<'w>(&self, name: &str, words: &[&'w str]) -> Vec<(&'w str, bool)> {
        let chosen = self.query.text(name);
        words.iter().map(|word| (*word, chosen == Some(*word))).collect()
    }

    /// Returns the pairs that a form keeps beside its own fields.
    pub(super) fn kept(&self, fields: &[&str]) -> Vec<(String, String)> {
        self.pairs.fields(&[fields, &["after"]].concat())
    }
}

/// Returns the frame of a list.
pub(super) fn frame(visit: &Visit, list: &ListQuery, key: &str, title: &str) -> Frame {
    let frame = Frame::new(&visit.viewer, key, title, Counts::default());
    let frame = frame.renewed(Renewal::Whole).themed(&visit.path, &list.pairs);
    Frame { note: notes::done(&visit.query), ..frame }
}

/// Runs of all integrations, or of one.
pub(crate) async fn runs(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, &[RUNS, RUN_FILTERS].concat())?;
    let name = list.query.text("integration").unwrap_or_default().to_owned();
    let row = if name.is_empty() { None } else { Some(visit.integration(&name).await?) };
    let integration = row.as_ref().map(|row| row.id);
    let filter = RunFilter { integration, ..run_filter(&list.query) };
    let page = list.page(&visit, ROWS_MAX)?;
    let found = visit.view().all_runs(filter, page).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    let seen = found.rows.iter().filter(|run| visit.caller.sees(&run.integration.labels));
    let [first, next] = list.links("/runs", found.next.as_ref().map(ToString::to_string));
    let frame = frame(&visit, &list, "runs", "Runs");
    visit.html(&RunsPage {
        frame,
        heading: if name.is_empty() { "Runs".to_owned() } else { format!("Runs of {name}") },
        detail: "Newest first, as far as they are kept.",
        kept: list.kept(&["integration", "result", "class"]),
        result_words: list.choice("result", RESULTS),
        classes: list.choice("class", CLASSES),
        runs: seen.map(|run| RunItem::new(run, &visit.viewer)).collect(),
        integration: name,
        first,
        next,
    })
}

/// List of events, newest first.
pub(crate) async fn events(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, &[])?;
    let seen = visit.seen().await?;
    let none = visit.view().events(i64::MAX, 1).await.map_err(|error| visit.unread(&error))?;
    let before = list.query.text("after").and_then(|text| text.parse::<i64>().ok());
    let end = before.unwrap_or(i64::MAX).min(none.latest.saturating_add(1)).saturating_sub(1);
    let first = end.saturating_sub(ROWS_MAX.into()).max(0);
    let found = visit.view().events(first, ROWS_MAX).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    let is_shown = |name: Option<&String>| match (&seen, name) {
        (None, _) => true,
        (Some(seen), Some(name)) => seen.contains_key(name),
        (Some(_), None) => false,
    };
    let rows = found.rows.iter().rev().filter(|row| row.number <= end);
    let rows = rows.filter(|row| is_shown(row.integration.as_ref()));
    let events: Vec<_> = rows.map(|row| EventItem::new(row, &visit.viewer)).collect();
    let oldest = found.rows.first().map(|row| row.number).filter(|_| 0 < first);
    let [first, next] = list.links("/events", oldest.map(|number| number.to_string()));
    let frame = frame(&visit, &list, "events", "Events");
    visit.html(&EventsPage { frame, latest: none.latest, events, first, next })
}

/// Outage with its integrations.
pub(crate) async fn outage(Path(id): Path<String>, visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, &[])?;
    let row = visit.view().outage(&id).await.map_err(|error| visit.unread(&error))?;
    let row = row.ok_or_else(|| visit.missing("No outage has this id, or it is not kept."))?;
    let members = visit.view().outage_members(&id).await;
    let mut members = members.map_err(|error| visit.unread(&error))?;
    if let Some(seen) = visit.seen().await? {
        members.retain(|member| seen.contains_key(&member.integration.name));
        if members.is_empty() {
            return Err(visit.missing("No outage has this id, or it is not kept."));
        }
    }
    let outage = OutageItem::new(&row, &members, &visit.viewer);
    let frame = frame(&visit, &list, "integrations", "Outage");
    let list_href = visit.viewer.list("/", "outage", &id);
    visit.html(&OutagePage { frame, outage, list_href })
}

/// Everything that expires, by week.
pub(crate) async fn expiry(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, EXPIRY)?;
    let within = list.query.duration("within").unwrap_or(WITHIN);
    let page = list.page(&visit, EXPIRIES_MAX)?;
    let found = visit.view().expiries(visit.now().plus(within), page).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    let rows: Vec<ExpiryRow> =
        found.rows.into_iter().filter(|row| visit.caller.sees(&row.integration.labels)).collect();
    let [first, next] = list.links("/expiry", found.next.as_ref().map(ToString::to_string));
    let frame = frame(&visit, &list, "expiry", "Expiry");
    let detail = match rows.len() {
        1 => "1 expiry.".to_owned(),
        number => format!("{} expiries, soonest first.", grouped(number)),
    };
    visit.html(&ExpiryPage { frame, detail, weeks: weeks(&rows, &visit.viewer), first, next })
}

/// The same as a calendar.
pub(crate) async fn expiry_calendar(visit: Visit) -> Result<Response, Refused> {
    visit.require(Access::Read)?;
    let until = visit.now().plus(WITHIN);
    let found = visit.view().expiries(until, Page::first(EXPIRIES_MAX)).await;
    let mut rows = found.map_err(|error| visit.unread(&error))?.rows;
    rows.retain(|row| visit.caller.sees(&row.integration.labels));
    Ok(visit.text("text/calendar; charset=utf-8", calendar(&rows)))
}
