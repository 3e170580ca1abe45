//! Report of a month, for governance.

use jiff::tz::TimeZone;

use super::asked::{Asked, json, unread};
use super::route::Handled;
use crate::domain::Selection;
use crate::http::{BadParameter, Code, Kind, Parameter, Problem};
use crate::view::{Month, MonthlyReport};

/// Parameters of the report.
pub(super) const REPORT: &[Parameter] = &[
    Parameter::once("month", Kind::Month, "Month of the report; the present one without it."),
    Parameter::once(
        "zone",
        Kind::Text,
        "IANA name of the zone that months begin in; UTC without it.",
    ),
    Parameter::repeated("type", Kind::Text, "Only integrations of one of these platforms."),
    Parameter::repeated("label", Kind::Label, "Only integrations with all of these labels."),
];

/// Handler of `GET /api/v1/report`.
pub(super) async fn report(asked: Asked) -> Handled {
    let (query, now) = (&asked.query, asked.now());
    let wrong =
        |name: &str, problem: String| Problem::parameters(vec![BadParameter::new(name, problem)]);
    let name = query.text("zone").unwrap_or("UTC");
    let missing = |detail: String| Problem::new(Code::NotFound, detail);
    let zone = TimeZone::get(name)
        .map_err(|_unknown| missing(format!("{} is not a zone", crate::input::quoted(name))))?;
    let month = match query.text("month") {
        Some(text) => text.parse::<Month>().map_err(|problem| wrong("month", problem))?,
        None => Month::of(now, &zone),
    };
    let span = month.span(&zone, now);
    let span = span.ok_or_else(|| missing(format!("{month} has not begun")))?;
    let mut rows = MonthlyReport::read(&asked.api.view, span).await.map_err(unread)?;
    let selection = Selection {
        types: query.all("type").map(str::to_owned).collect(),
        labels: query.labels("label"),
        ..Selection::default()
    };
    rows.retain(|row| {
        let about = &row.integration;
        asked.caller.sees(&about.labels) && selection.fits(about.about())
    });
    Ok(json(&MonthlyReport::new(month, name, span, &rows))?.into())
}
