//! `receivers`: receivers with their states and pending deliveries; enabling and disabling.

use std::cmp::Reverse;

use anyhow::Context as _;

use super::args::{Change, Disable, Enable, Global, ReceiverAction, ReceiverSort, Receivers};
use super::confirm::confirmed;
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, Tone, ago, counted, sanitise, tally, toned};
use super::read;
use crate::input::nearest;
use crate::store::{Control, ReceiverRow, View, each_page};
use crate::view::{Receiver, ReceiverState};

/// Lists receivers, or changes one.
pub(super) async fn answer(
    global: &Global,
    args: &Receivers,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match &args.action {
        None => list(global, args, screen).await,
        Some(ReceiverAction::Enable(enable)) => self::enable(global, enable, screen).await,
        Some(ReceiverAction::Disable(disable)) => {
            let Disable { name, change } = disable;
            let (mut control, row) = find(global, change, name).await?;
            if row.disabled.is_none() {
                control.disable(&row.name, screen.now).await.context("disabling the receiver")?;
            }
            changed(&mut control, &row.name, change.form.json, screen).await
        }
    }
}

async fn list(global: &Global, args: &Receivers, screen: Screen) -> Result<Answer, CommandError> {
    let (view, assembly) = read::both(global, &args.source).await?;
    let rows = chosen(all(&view).await?, args);
    if args.form.json {
        let known = assembly.iter().flat_map(|assembly| &assembly.receivers);
        let url = |name: &str| known.clone().find(|one| one.name == name)?.origin();
        let shapes: Vec<_> =
            rows.iter().map(|row| Receiver::from(row).at(url(&row.name))).collect();
        return Ok(Answer::json(&shapes)?);
    }
    Ok(Answer::good(text(&rows, screen)))
}

/// Returns the receivers that the command line asks for, in its order.
fn chosen(mut rows: Vec<ReceiverRow>, args: &Receivers) -> Vec<ReceiverRow> {
    rows.retain(|row| {
        args.state.is_none_or(|state| state == row.into()) && (!args.pending || 0 < row.pending)
    });
    match args.sort {
        ReceiverSort::Name => {}
        ReceiverSort::Pending => rows.sort_by_key(|row| Reverse(row.pending)),
        ReceiverSort::Oldest => {
            rows.sort_by_key(|row| (row.oldest_pending_at.is_none(), row.oldest_pending_at));
        }
    }
    rows
}

async fn all(view: &View) -> Result<Vec<ReceiverRow>, CommandError> {
    let mut all = Vec::new();
    each_page(async |page| view.receivers(page).await, |rows| all.extend(rows))
        .await
        .context("reading the store")?;
    Ok(all)
}

async fn enable(global: &Global, args: &Enable, screen: Screen) -> Result<Answer, CommandError> {
    let (mut control, row) = find(global, &args.change, &args.name).await?;
    if let Some(oldest) = row.oldest_pending_at.filter(|_| row.disabled.is_some()) {
        let (name, pending) = (sanitise(&row.name), pending(&row));
        let since = screen.instant(Some(oldest));
        let plan = format!("{name} is sent {pending}, pending since {since}, in order.");
        confirmed(args.yes, &plan)?;
    }
    control.enable(&row.name, screen.now).await.context("enabling the receiver")?;
    changed(&mut control, &row.name, args.change.form.json, screen).await
}

/// The receiver of this name in a database that may be written.
async fn find(
    global: &Global,
    change: &Change,
    name: &str,
) -> Result<(Control, ReceiverRow), CommandError> {
    let Change { by, source, .. } = change;
    let location = read::location(global, source)?;
    let mut control = Control::open(&location, &by.name()).await.context("opening the store")?;
    if let Some(row) = control.receiver(name).await.context("reading the store")? {
        return Ok((control, row));
    }
    let rows = all(&read::view(global, source).await?).await?;
    let known: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    Err(unknown(name, &known))
}

/// Returns the error for a receiver of unknown name, with the nearest one.
pub(super) fn unknown(name: &str, known: &[&str]) -> CommandError {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("; did you mean `{}`?", sanitise(near)),
        None => "; `revalidated receivers` shows them all".to_owned(),
    };
    CommandError::Usage(format!("no receiver is named `{}`{hint}", sanitise(name)))
}

/// Shows the receiver as it is now.
async fn changed(
    control: &mut Control,
    name: &str,
    json: bool,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let row = control.receiver(name).await.context("reading the store")?;
    let row = row.context("the receiver is gone from the store")?;
    if json {
        return Ok(Answer::json(&Receiver::from(&row))?);
    }
    Ok(Answer::good(text(&[row], screen)))
}

/// Number of pending messages: `1 message`, `2 messages`.
fn pending(row: &ReceiverRow) -> String {
    counted(usize::try_from(row.pending).unwrap_or(usize::MAX), "message")
}

pub(super) fn text(rows: &[ReceiverRow], screen: Screen) -> String {
    if rows.is_empty() {
        return "No receivers.\n".to_owned();
    }
    let columns = [
        Column::name("NAME"),
        Column::whole("STATE"),
        Column::whole("SINCE").dropped(2),
        Column::whole("PENDING"),
        Column::whole("OLDEST").dropped(3),
        Column::whole("LAST SUCCESS").dropped(1),
        Column::text("REASON"),
    ];
    let mut table = Table::new(screen, columns);
    for row in rows {
        let since = row.disabled.map(|(_, since)| since).or(row.failing_since);
        table.row([
            sanitise(&row.name).into_owned(),
            state_word(row.into()),
            screen.instant(since),
            row.pending.to_string(),
            row.oldest_pending_at.map_or("-".to_owned(), |at| ago(screen.now, at)),
            row.last_success_at.map_or("-".to_owned(), |at| ago(screen.now, at)),
            row.disabled.map_or("-".to_owned(), |(reason, _)| reason.clause().to_owned()),
        ]);
    }
    let waits =
        rows.iter().any(|row| 0 < row.pending && (row.disabled.is_some() || !row.configured));
    let note = if waits {
        "Deliveries that are pending for a receiver that is disabled or no longer configured fail \
         when they are older than `retention.deliveries`.\n"
    } else {
        ""
    };
    let states = tally(rows.iter().map(|row| ReceiverState::from(row).as_str()));
    let pending: u32 = rows.iter().map(|row| row.pending).sum();
    let pending = counted(usize::try_from(pending).unwrap_or(usize::MAX), "message");
    let receivers = counted(rows.len(), "receiver");
    format!("{}{note}\n{receivers}: {states}; {pending} pending.\n", table.text())
}

/// Word of a state, coloured.
fn state_word(state: ReceiverState) -> String {
    let tone = match state {
        ReceiverState::Disabled => Tone::Bad,
        ReceiverState::Removed => Tone::Quiet,
        ReceiverState::Failing => Tone::Caution,
        ReceiverState::Enabled => Tone::Good,
    };
    toned(state.as_str(), tone)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{plain, receivers, screen};
    use super::*;

    #[test]
    fn text_shows_disabled_receivers_and_their_backlog() {
        let expected = "\
NAME       STATE     SINCE                 PENDING  OLDEST   LAST SUCCESS  REASON
audit      enabled   -                     0        -        1m ago        -
on-call    disabled  2026-11-23T09:00:00Z  2        30m ago  1m ago        it answered 410 Gone
old\\u{1b}  removed   -                     0        -        -             -
Deliveries that are pending for a receiver that is disabled or no longer configured fail when they are older than `retention.deliveries`.

3 receivers: 1 disabled, 1 enabled, 1 removed; 2 messages pending.
";
        assert_eq!(plain(&text(&receivers(), screen())), expected);
        assert_eq!(text(&[], screen()), "No receivers.\n");
    }

    #[test]
    fn list_is_filtered_and_sorted() {
        use super::super::args::{Arguments, Command};
        use clap::Parser as _;
        let names = |rest: &str| {
            let words = ["revalidated", "receivers"].into_iter().chain(rest.split_whitespace());
            let read = Arguments::try_parse_from(words).unwrap().command;
            let Some(Command::Receivers(args)) = read else { panic!("another command") };
            let rows = chosen(receivers().into(), &args);
            rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["audit", "on-call", "old\u{1b}"]);
        assert_eq!(names("--state disabled"), ["on-call"]);
        assert_eq!(names("--pending"), ["on-call"]);
        assert_eq!(names("--sort pending")[0], "on-call");
        assert_eq!(names("--sort oldest")[0], "on-call");
    }

    #[test]
    fn an_unknown_name_comes_with_the_nearest_one() {
        let said = |name| unknown(name, &["on-call"]).to_string();
        assert_eq!(said("oncall"), "no receiver is named `oncall`; did you mean `on-call`?");
        let hint = "`revalidated receivers` shows them all";
        assert_eq!(said("zzz"), format!("no receiver is named `zzz`; {hint}"));
    }
}
