//! Report of a month.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::lists::ListQuery;
use crate::http::{BadParameter, Problem, Query};
use crate::input::quoted;
use crate::page::frame::{Counts, Frame, Renewal};
use crate::page::report::{Choice, Monthly, Months, PATH, Printer, REPORT, selection};
use crate::page::templates::ReportPage;
use crate::page::viewer::Access;
use crate::page::visit::{Refused, Shown, Visit};
use crate::view::{Month, MonthlyReport};

/// Report of the month of the address, or of the present one.
pub(crate) async fn page(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, REPORT)?;
    let (zone_name, zone) = zone(&visit, &list.query)?;
    let shown = month(&visit, &list.query, &zone)?;
    let span = shown.span(&zone, visit.now());
    let span = span.ok_or_else(|| visit.missing(&format!("{shown} has not begun.")))?;
    let rows = MonthlyReport::read(visit.view(), span).await;
    let mut seen = rows.map_err(|error| visit.unread(&error))?;
    seen.retain(|row| visit.caller.sees(&row.integration.labels));
    let is_older = seen.iter().any(|row| row.created_at < span.from);
    let months = Months {
        previous: shown.previous().filter(|_| is_older),
        shown,
        following: shown.following().filter(|_| span.is_over),
        latest: Month::of(visit.now(), &zone),
    };
    let platforms: BTreeSet<_> = seen.iter().map(|row| row.integration.kind.as_str()).collect();
    let choice = Choice::new(months, &list.query, &list.pairs, &platforms, zone_name);
    let selection = selection(&list.query);
    seen.retain(|row| selection.fits(row.integration.about()));
    let report = MonthlyReport::new(shown, zone_name, span, &seen);
    let first = list.query.integer("after").unwrap_or(0);
    let printer = Printer { viewer: &visit.viewer, pairs: &list.pairs, zone: &zone, first };
    let report = Monthly::new(&report, printer);
    let [first, next] = list.links(PATH, report.next.map(|next| next.to_string()));
    let frame =
        Frame::new(&visit.viewer, "report", format!("Report of {shown}"), Counts::default());
    visit.html(&ReportPage {
        frame: frame.renewed(Renewal::Seldom).themed(&visit.path, &list.pairs),
        kept: list.kept(&["month", "type", "label"]),
        choice,
        report,
        first,
        next,
    })
}

/// Returns the zone that months begin in, with its name.
fn zone<'q>(visit: &Visit, query: &'q Query) -> Result<(&'q str, TimeZone), Refused> {
    let given = ["zone", "tz"].into_iter().find_map(|key| Some((key, query.text(key)?)));
    let Some((key, name)) = given else { return Ok(("UTC", TimeZone::UTC)) };
    let zone = TimeZone::get(name).map_err(|_unknown| {
        wrong(visit, key, format!("{} is not a zone such as `Europe/Berlin`", quoted(name)))
    })?;
    Ok((name, zone))
}

fn month(visit: &Visit, query: &Query, zone: &TimeZone) -> Result<Month, Refused> {
    match query.text("month") {
        Some(text) => text.parse().map_err(|problem| wrong(visit, "month", problem)),
        None => Ok(Month::of(visit.now(), zone)),
    }
}

fn wrong(visit: &Visit, name: &str, problem: String) -> Refused {
    visit.wrong(&Problem::parameters(vec![BadParameter::new(name, problem)]))
}
