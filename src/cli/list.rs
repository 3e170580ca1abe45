//! `list`: one line per integration.

use anyhow::Context as _;

use super::args::{Global, List};
use super::print::{
    Answer, Page, Table, Tone, ago, ahead, instant, result_word, sanitise, status_word, toned,
};
use super::shape::Integration;
use super::{Trouble, read, special};
use crate::store::IntegrationRow;

/// Lists what the store knows.
pub(super) async fn answer(global: &Global, args: &List, page: Page) -> Result<Answer, Trouble> {
    let view = read::view(global, &args.source)?;
    let rows = view.integrations(args.deleted).await.context("reading the store")?;
    if args.form.json {
        let shapes: Vec<_> = rows.iter().map(Integration::from).collect();
        return Ok(Answer::json(&shapes)?);
    }
    let faults = view.own_faults().await.context("reading the store")?;
    Ok(Answer::good(special::degraded(&faults, page) + &text(&rows, page)))
}

fn text(rows: &[IntegrationRow], page: Page) -> String {
    if rows.is_empty() {
        return "No integrations.\n".to_owned();
    }
    let headings =
        ["NAME", "TYPE", "STATUS", "RESULT", "LAST RUN", "NEXT RUN", "SINCE", "EXPIRES", "NOTES"];
    let mut table = Table::new(page, 0, headings);
    for row in rows {
        let last = row.last_run.as_ref();
        let dash = || toned("-", Tone::Quiet);
        table.row([
            sanitise(&row.name).into_owned(),
            sanitise(&row.kind).into_owned(),
            status_word(row.status),
            last.map_or_else(dash, |run| result_word(run.status)),
            last.map_or_else(dash, |run| ago(page.now, run.started_at)),
            next_run(row, page),
            row.failing_since.map_or_else(dash, |since| instant(Some(since))),
            expires(row, page),
            special::words(row),
        ]);
    }
    table.text()
}

/// When the first of what it needs ends.
fn expires(row: &IntegrationRow, page: Page) -> String {
    match &row.expires {
        Some((at, _)) if *at <= page.now => toned("ended", Tone::Bad),
        Some((at, _)) => ahead(page.now, *at),
        None => toned("-", Tone::Quiet),
    }
}

/// When it is due, or that it is running.
pub(super) fn next_run(row: &IntegrationRow, page: Page) -> String {
    match (row.lease_until, row.next_run_at) {
        (Some(until), _) if page.now < until => "running".to_owned(),
        (_, Some(at)) => ahead(page.now, at),
        (_, None) => toned("-", Tone::Quiet),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::{Status, Timestamp};

    #[test]
    fn each_integration_is_one_line() {
        let mut fresh = samples::integration();
        fresh.name = "new\u{1b}[2J".to_owned();
        fresh.status = Status::Creating;
        fresh.last_run = None;
        fresh.failing_since = None;
        fresh.expires = Some((samples::page().now, "the token".to_owned()));
        fresh.lease_until = Some(Timestamp(i64::MAX));
        let (troubled, _) = samples::troubled();
        let expected = "\
NAME          TYPE      STATUS                    RESULT  LAST RUN    NEXT RUN  SINCE                 EXPIRES  NOTES
lake          Redshift  recurringValidationError  failed  3m 20s ago  in 5m     2026-11-23T08:00:00Z  in 10d   held, flapping, outage, ours
new\\u{1b}[2J  Redshift  creating                  -       -           running   -                     ended    -
";
        let shown = text(&[troubled, fresh], samples::page());
        assert_eq!(samples::plain(&shown), expected);
        assert_eq!(text(&[], samples::page()), "No integrations.\n");
    }
}
