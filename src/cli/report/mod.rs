//! `report`: time in use, incidents and expiries of a month, for governance.

mod cells;
mod csv;
mod html;
pub(super) mod text;

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::args::{Global, Report, ReportFormat};
use super::error::CommandError;
use super::print::{Answer, Screen};
use super::read;
use super::selection::selection;
use crate::view::{Month, MonthlyReport};

/// Makes the report of a month.
pub(super) async fn answer(
    global: &Global,
    args: Report,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let selection = selection(&args.fitting)?;
    let zone = args.zone.or_else(|| global.zone.clone()).unwrap_or(TimeZone::UTC);
    let month = args.month.unwrap_or_else(|| Month::of(screen.now, &zone));
    let span = month.span(&zone, screen.now);
    let span = span.ok_or_else(|| CommandError::Usage(format!("{month} has not begun")))?;
    let view = read::view(global, &args.source).await?;
    let mut rows = MonthlyReport::read(&view, span).await.context("reading the store")?;
    rows.retain(|row| selection.fits(row.integration.about()));
    let name = zone.iana_name().unwrap_or("local");
    let report = MonthlyReport::new(month, name, span, &rows);
    let format = if args.form.json { ReportFormat::Json } else { args.format };
    let (text, is_json) = match format {
        ReportFormat::Text => (text::tables(&report, screen), false),
        ReportFormat::Csv => (csv::text(&report)?, true),
        ReportFormat::Html => (html::text(&report, screen)?, true),
        ReportFormat::Json => return Ok(Answer::json(&report)?),
    };
    Ok(Answer { is_json, ..Answer::good(text) })
}
