//! `list`: one line per integration.

use anyhow::Context as _;

use super::args::{Global, List, Sort};
use super::ask::Sockets;
use super::error::CommandError;
use super::print::{
    Answer, Column, JsonArray, Screen, Table, Tone, ago, ahead, counted, result_word, sanitise,
    status_word, tally, toned,
};
use super::selection::selection;
use super::{read, situation, status};
use crate::domain::{About, Selection, Status, Timestamp};
use crate::store::{IntegrationRow, SilenceRow, StoreError, View, each_page, is_in_use};
use crate::view::{DaemonProcess, Integration, Liveness, acknowledgement, open_silences};

/// Lists the integrations in the store.
pub(super) async fn answer(
    global: &Global,
    args: &List,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let filter = Filter::of(args)?;
    let (location, sockets) = read::place(global, &args.source)?;
    // Before the database is opened: see there.
    let state = Liveness::from(is_in_use(&location).await);
    let view = match View::open(&location).await {
        Ok(view) => view,
        Err(error) => return instead(&sockets, args, error).await,
    };
    let rows = rows(&view, args.deleted, &filter).await?;
    let rows = sorted(rows, args.sort);
    let open = open_silences(&view, screen.now).await.context("reading the store")?;
    if args.form.json {
        let mut array = JsonArray::default();
        for row in &rows {
            array.push(&Integration::from(row).acknowledged(acknowledgement(&open, row.id)));
        }
        let text = array.text().context("writing JSON")?;
        return Ok(Answer { is_json: true, ..Answer::good(text) });
    }
    let node = view.node().await.context("reading the store")?;
    let head = status::head(&DaemonProcess::new(&node, state), node.reload.as_ref(), screen);
    let faults = view.own_faults().await.context("reading the store")?;
    let table = text(&rows, &open, &filter, screen);
    Ok(Answer::good(head + &situation::degraded(&faults, screen) + &table))
}

/// Returns the list of the running daemon where the store cannot be opened, as far as the interface has its filters.
async fn instead(
    sockets: &Sockets,
    args: &List,
    error: StoreError,
) -> Result<Answer, CommandError> {
    match target(args) {
        Some(target) => sockets.list_instead(&target, args.form.json, error).await,
        None => Err(anyhow::Error::new(error).context("opening the store").into()),
    }
}

/// Returns the question to the interface that has the same answer; none where it has not all filters.
fn target(args: &List) -> Option<String> {
    let List { deleted, failing, status, fitting, sort, .. } = args;
    if *deleted || !fitting.integration.is_empty() {
        return None;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("view", "full").append_pair("limit", "1000");
    query.extend_pairs(failing.then_some(("failing", "true")));
    query.extend_pairs(status.map(|status| ("status", status.as_str())));
    query.extend_pairs(fitting.kind.iter().map(|kind| ("type", kind)));
    query
        .extend_pairs(fitting.label.iter().map(|(key, value)| ("label", format!("{key}={value}"))));
    let order = match sort {
        Sort::Name => "name",
        Sort::Since => "since",
        Sort::Next => "next",
        Sort::Expires => "expires",
    };
    query.append_pair("sort", order);
    Some(format!("/api/v1/integrations?{}", query.finish()))
}

/// Rows that the command line asks for.
#[derive(Debug, Default)]
pub(super) struct Filter {
    is_failing: bool,
    status: Option<Status>,
    selection: Selection,
}

impl Filter {
    /// Takes those that the selection fits; with `is_failing`, only those in an error status.
    pub(super) fn new(is_failing: bool, selection: Selection) -> Self {
        Self { is_failing, status: None, selection }
    }

    fn of(args: &List) -> Result<Self, CommandError> {
        let selection = selection(&args.fitting)?;
        Ok(Self { is_failing: args.failing, status: args.status, selection })
    }

    fn takes(&self, row: &IntegrationRow) -> bool {
        let about = About { name: &row.name, kind: &row.kind, labels: &row.labels };
        (!self.is_failing || row.status.is_error())
            && self.status.is_none_or(|status| status == row.status)
            && self.selection.fits(about)
    }

    fn takes_all(&self) -> bool {
        !self.is_failing && self.status.is_none() && self.selection == Selection::default()
    }
}

/// Reads the integrations that `filter` takes, those that are deleted last.
pub(super) async fn rows(
    view: &View,
    deleted: bool,
    filter: &Filter,
) -> Result<Vec<IntegrationRow>, CommandError> {
    let mut taken = Vec::new();
    let mut take = |rows: Vec<IntegrationRow>| {
        taken.extend(rows.into_iter().filter(|row| filter.takes(row)));
    };
    let living = async |page| view.integrations(page).await;
    each_page(living, &mut take).await.context("reading the store")?;
    if deleted {
        let deleted = async |page| view.deleted_integrations(page).await;
        each_page(deleted, &mut take).await.context("reading the store")?;
    }
    Ok(taken)
}

/// Sorts rows that come by name; those without the instant stand last.
fn sorted(mut rows: Vec<IntegrationRow>, sort: Sort) -> Vec<IntegrationRow> {
    let last = Timestamp(i64::MAX);
    match sort {
        Sort::Name => {}
        Sort::Since => rows.sort_by_key(|row| row.failing_since().unwrap_or(last)),
        Sort::Next => rows.sort_by_key(|row| row.next_run_at.unwrap_or(last)),
        Sort::Expires => {
            rows.sort_by_key(|row| row.expires.as_ref().map_or(last, |(at, _)| *at));
        }
    }
    rows
}

pub(super) fn text(
    rows: &[IntegrationRow],
    open: &[SilenceRow],
    filter: &Filter,
    screen: Screen,
) -> String {
    if rows.is_empty() {
        let none = if filter.takes_all() { "No integrations.\n" } else { "No integration fits.\n" };
        return none.to_owned();
    }
    let columns = [
        Column::name("NAME"),
        Column::whole("TYPE").dropped(1),
        Column::whole("STATUS"),
        Column::whole("RESULT").dropped(5),
        Column::whole("LAST RUN").dropped(3),
        Column::whole("NEXT RUN").dropped(2),
        Column::whole("SINCE"),
        Column::whole("EXPIRES").dropped(4),
        Column::text("NOTES").dropped(6),
    ];
    let mut table = Table::new(screen, columns);
    for row in rows {
        line(&mut table, row, acknowledgement(open, row.id), screen);
    }
    table.text() + "\n" + &sum(rows) + "\n"
}

fn line(
    table: &mut Table,
    row: &IntegrationRow,
    acknowledgement: Option<&SilenceRow>,
    screen: Screen,
) {
    let last = row.last_run.as_ref();
    let dash = || toned("-", Tone::Quiet);
    table.row([
        sanitise(&row.name).into_owned(),
        sanitise(&row.kind).into_owned(),
        status_word(row.status),
        last.map_or_else(dash, |run| result_word(run.status)),
        last.map_or_else(dash, |run| ago(screen.now, run.started_at)),
        situation::next_run(row, screen),
        row.failing_since().map_or_else(dash, |since| screen.instant(Some(since))),
        expires(row, screen),
        situation::words(row, acknowledgement),
    ]);
}

/// Returns the number of integrations, and how many are in each status.
fn sum(rows: &[IntegrationRow]) -> String {
    let statuses = tally(rows.iter().map(|row| row.status.as_str()));
    format!("{}: {statuses}.", counted(rows.len(), "integration"))
}

/// Returns the text about its next expiry.
fn expires(row: &IntegrationRow, screen: Screen) -> String {
    match &row.expires {
        Some((at, _)) if *at <= screen.now => toned("ended", Tone::Bad),
        Some((at, _)) => ahead(screen.now, *at),
        None => toned("-", Tone::Quiet),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn fresh() -> IntegrationRow {
        let mut fresh = samples::integration();
        fresh.name = "new\u{1b}[2J".to_owned();
        fresh.status = Status::Creating;
        fresh.last_run = None;
        fresh.first_failure_at = None;
        fresh.expires = Some((samples::screen().now, "the token".to_owned()));
        fresh.lease_until = Some(Timestamp(i64::MAX));
        fresh
    }

    #[test]
    fn each_integration_is_one_line_and_the_last_line_counts() {
        let (troubled, _) = samples::troubled();
        let expected = "\
NAME          TYPE      STATUS                    RESULT  LAST RUN    NEXT RUN  SINCE                 EXPIRES  NOTES
lake          Redshift  recurringValidationError  failed  3m 20s ago  in 5m     2026-11-23T08:00:00Z  in 10d   muted, flapping, outage, daemon fault
new\\u{1b}[2J  Redshift  creating                  -       -           running   -                     ended    -

2 integrations: 1 creating, 1 recurringValidationError.
";
        let all = Filter::default();
        let shown = text(&[troubled, fresh()], &[], &all, samples::screen());
        assert_eq!(samples::plain(&shown), expected);
        assert_eq!(text(&[], &[], &all, samples::screen()), "No integrations.\n");
        let failing = Filter { is_failing: true, ..Filter::default() };
        assert_eq!(text(&[], &[], &failing, samples::screen()), "No integration fits.\n");
    }

    #[test]
    fn narrow_terminal_keeps_name_status_and_since_and_a_phone_gets_blocks() {
        let shown = |width| {
            let screen = Screen { width: Some(width), ..samples::screen() };
            samples::plain(&text(&[samples::integration()], &[], &Filter::default(), screen))
        };
        let narrow = "\
NAME  STATUS                    SINCE                 NOTES
lake  recurringValidationError  2026-11-23T08:00:00Z  -

1 integration: 1 recurringValidationError.
";
        assert_eq!(shown(60), narrow);
        let phone = "\
NAME      lake
TYPE      Redshift
STATUS    recurringValidationError
RESULT    failed
LAST RUN  3m 20s ago
NEXT RUN  in 5m
SINCE     2026-11-23T08:00:00Z
EXPIRES   in 10d

1 integration: 1 recurringValidationError.
";
        assert_eq!(shown(40), phone);
    }

    #[test]
    fn filter_takes_by_status_failure_and_selection() {
        let (failing, fresh) = (samples::integration(), fresh());
        let takes = |filter: &Filter| [&failing, &fresh].map(|row| filter.takes(row));
        assert_eq!(takes(&Filter::default()), [true, true]);
        assert_eq!(takes(&Filter { is_failing: true, ..Filter::default() }), [true, false]);
        let creating = Filter { status: Some(Status::Creating), ..Filter::default() };
        assert_eq!(takes(&creating), [false, true]);
        let integrations = vec!["la*".to_owned()];
        let selection = Selection { integrations, ..Selection::default() };
        assert_eq!(takes(&Filter { selection, ..Filter::default() }), [true, false]);
    }

    #[test]
    fn daemon_is_asked_with_the_filters_of_the_command() {
        use clap::Parser as _;

        use super::super::args::{Arguments, Command};

        let all = "/api/v1/integrations?view=full&limit=1000";
        let table: [(&[&str], Option<&str>); 8] = [
            (&[], Some("&sort=name")),
            (&["--failing"], Some("&failing=true&sort=name")),
            (&["--status", "createError"], Some("&status=createError&sort=name")),
            (&["--type", "Native S3"], Some("&type=Native+S3&sort=name")),
            (&["--label", "team=a&b"], Some("&label=team%3Da%26b&sort=name")),
            (&["--sort", "expires"], Some("&sort=expires")),
            (&["--deleted"], None),
            (&["--integration", "la*"], None),
        ];
        for (words, expected) in table {
            let line = [&["revalidated", "list"], words].concat();
            let Some(Command::List(args)) = Arguments::try_parse_from(line).unwrap().command else {
                panic!("{words:?} is another command")
            };
            assert_eq!(target(&args), expected.map(|rest| format!("{all}{rest}")), "{words:?}");
        }
    }

    #[test]
    fn order_is_by_instant_and_what_has_none_is_last() {
        let order = |sort| {
            let rows = sorted(vec![fresh(), samples::integration()], sort);
            rows.into_iter().map(|row| row.name == "lake").collect::<Vec<_>>()
        };
        assert_eq!(order(Sort::Name), [false, true]);
        assert_eq!(order(Sort::Since), [true, false]);
        assert_eq!(order(Sort::Expires), [false, true]);
        assert_eq!(order(Sort::Next), [false, true]);
    }
}
