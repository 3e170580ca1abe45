//! `list`: one line per integration.

use anyhow::Context as _;

use super::args::{Global, List};
use super::error::CommandError;
use super::print::{
    Answer, JsonArray, Screen, Table, Tone, ago, ahead, instant, result_word, sanitise,
    status_word, toned,
};
use super::{read, situation};
use crate::store::{IntegrationRow, View, each_page};
use crate::view::Integration;

/// Lists the integrations in the store.
pub(super) async fn answer(
    global: &Global,
    args: &List,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let view = read::view(global, &args.source)?;
    if args.form.json {
        let mut array = JsonArray::default();
        each(&view, args.deleted, |rows| {
            for row in &rows {
                array.push(&Integration::from(row));
            }
        })
        .await?;
        return Ok(Answer::good(array.text().context("writing JSON")?));
    }
    let faults = view.own_faults().await.context("reading the store")?;
    let mut lines = Lines::new(screen);
    each(&view, args.deleted, |rows| lines.add(&rows)).await?;
    Ok(Answer::good(situation::degraded(&faults, screen) + &lines.text()))
}

/// Hands over the integrations page by page, those that are deleted last.
async fn each(
    view: &View,
    deleted: bool,
    mut take: impl FnMut(Vec<IntegrationRow>),
) -> Result<(), CommandError> {
    let living = async |page| view.integrations(page).await;
    each_page(living, &mut take).await.context("reading the store")?;
    if deleted {
        let deleted = async |page| view.deleted_integrations(page).await;
        each_page(deleted, &mut take).await.context("reading the store")?;
    }
    Ok(())
}

/// Table that grows page by page.
struct Lines {
    table: Table,
    screen: Screen,
    is_empty: bool,
}

impl Lines {
    fn new(screen: Screen) -> Self {
        let headings = [
            "NAME", "TYPE", "STATUS", "RESULT", "LAST RUN", "NEXT RUN", "SINCE", "EXPIRES", "NOTES",
        ];
        Self { table: Table::new(screen, 0, headings), screen, is_empty: true }
    }

    fn add(&mut self, rows: &[IntegrationRow]) {
        self.is_empty &= rows.is_empty();
        for row in rows {
            self.line(row);
        }
    }

    fn line(&mut self, row: &IntegrationRow) {
        let (table, screen) = (&mut self.table, self.screen);
        let last = row.last_run.as_ref();
        let dash = || toned("-", Tone::Quiet);
        table.row([
            sanitise(&row.name).into_owned(),
            sanitise(&row.kind).into_owned(),
            status_word(row.status),
            last.map_or_else(dash, |run| result_word(run.status)),
            last.map_or_else(dash, |run| ago(screen.now, run.started_at)),
            next_run(row, screen),
            row.failing_since.map_or_else(dash, |since| instant(Some(since))),
            expires(row, screen),
            situation::words(row),
        ]);
    }

    fn text(&self) -> String {
        if self.is_empty { "No integrations.\n".to_owned() } else { self.table.text() }
    }
}

/// Returns the text about its next expiry.
fn expires(row: &IntegrationRow, screen: Screen) -> String {
    match &row.expires {
        Some((at, _)) if *at <= screen.now => toned("ended", Tone::Bad),
        Some((at, _)) => ahead(screen.now, *at),
        None => toned("-", Tone::Quiet),
    }
}

/// Returns the text about its next run, or that it is running.
pub(super) fn next_run(row: &IntegrationRow, screen: Screen) -> String {
    match (row.lease_until, row.next_run_at) {
        (Some(until), _) if screen.now < until => "running".to_owned(),
        (_, Some(at)) => ahead(screen.now, at),
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
        fresh.expires = Some((samples::screen().now, "the token".to_owned()));
        fresh.lease_until = Some(Timestamp(i64::MAX));
        let (troubled, _) = samples::troubled();
        let expected = "\
NAME          TYPE      STATUS                    RESULT  LAST RUN    NEXT RUN  SINCE                 EXPIRES  NOTES
lake          Redshift  recurringValidationError  failed  3m 20s ago  in 5m     2026-11-23T08:00:00Z  in 10d   muted, flapping, outage, daemon fault
new\\u{1b}[2J  Redshift  creating                  -       -           running   -                     ended    -
";
        let mut lines = Lines::new(samples::screen());
        assert_eq!(lines.text(), "No integrations.\n");
        lines.add(&[troubled]);
        lines.add(&[fresh]);
        assert_eq!(samples::plain(&lines.text()), expected);
    }
}
