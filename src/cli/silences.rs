//! `silences` and `acknowledge`: list, create and end mutes of notifications.

use anyhow::Context as _;

use super::args::{
    Acknowledge, EndSilence, Global, Silence, SilenceAction, SilenceSort, Silences, Source, Span,
};
use super::confirm::confirmed;
use super::error::CommandError;
use super::print::{
    Answer, Column, Screen, Table, Tone, ago, ahead, counted, sanitise, tally, toned,
};
use super::read;
use super::selection::selection;
use crate::domain::{MuteSpan, Selection, Timestamp};
use crate::input::nearest;
use crate::store::{Control, IntegrationRow, NewSilence, SilenceRow, TargetRow, each_page};
use crate::view::{self, SilenceState, covered};

/// Lists silences, or changes them.
pub(super) async fn answer(
    global: &Global,
    args: &Silences,
    screen: Screen,
) -> Result<Answer, CommandError> {
    match &args.action {
        None => list(global, args, screen).await,
        Some(SilenceAction::Add(silence)) => add(global, silence, screen).await,
        Some(SilenceAction::End(end)) => self::end(global, end, screen).await,
    }
}

async fn list(global: &Global, args: &Silences, screen: Screen) -> Result<Answer, CommandError> {
    let view = read::view(global, &args.source).await?;
    let mut rows = Vec::new();
    let read = async |page| view.silences(args.ended, screen.now, page).await;
    each_page(read, |page| rows.extend(page)).await.context("reading the store")?;
    let integrations = read::targets(&view).await?;
    let rows = chosen(rows, args, &integrations)?;
    if args.form.json {
        let shape = |row| view::Silence::new(row, &integrations, screen.now);
        let shapes: Vec<_> = rows.iter().map(shape).collect();
        return Ok(Answer::json(&shapes)?);
    }
    Ok(Answer::good(text(&rows, &integrations, screen)))
}

/// Returns the silences that the command line asks for, in its order.
fn chosen(
    mut rows: Vec<SilenceRow>,
    args: &Silences,
    integrations: &[TargetRow],
) -> Result<Vec<SilenceRow>, CommandError> {
    if let Some(name) = &args.integration {
        let Some(target) = integrations.iter().find(|one| one.name == *name) else {
            let known: Vec<_> = integrations.iter().map(|one| one.name.as_str()).collect();
            return Err(read::unknown(name, &known));
        };
        rows.retain(|row| row.covers(target.id, target.about()));
    }
    rows.retain(|row| args.author.as_ref().is_none_or(|author| *author == row.author));
    match args.sort {
        SilenceSort::Id => {}
        SilenceSort::From => rows.sort_by_key(|row| row.from),
        SilenceSort::Until => rows.sort_by_key(|row| row.ended_at.unwrap_or(row.until)),
    }
    Ok(rows)
}

async fn add(global: &Global, args: &Silence, screen: Screen) -> Result<Answer, CommandError> {
    let selection = selection(&args.fitting)?;
    let MuteSpan { from, until } = muted(args.from, &args.span, screen.now)?;
    let view = read::view(global, &args.change.source).await?;
    let integrations = read::targets(&view).await?;
    if !integrations.iter().any(|row| selection.fits(row.about())) {
        confirmed(args.yes, &idle(&selection, &integrations))?;
    }
    let (author, comment) = (args.change.by.name(), args.span.comment.clone());
    let new = NewSilence { acknowledges: None, selection, author, comment, from, until };
    made(global, &args.change.source, &new, args.change.form.json, screen).await
}

/// Mutes notifications about an integration that is failing, since work on it has begun.
pub(super) async fn acknowledge(
    global: &Global,
    args: &Acknowledge,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let MuteSpan { from, until } = muted(None, &args.span, screen.now)?;
    let view = read::view(global, &args.change.source).await?;
    let row = read::integration(&view, &args.name).await?;
    refuse_working(&row)?;
    let selection = Selection { integrations: vec![row.name], ..Selection::default() };
    let (author, comment) = (args.change.by.name(), args.span.comment.clone());
    let acknowledges = Some(row.id);
    let new = NewSilence { acknowledges, selection, author, comment, from, until };
    made(global, &args.change.source, &new, args.change.form.json, screen).await
}

async fn end(global: &Global, args: &EndSilence, screen: Screen) -> Result<Answer, CommandError> {
    let location = read::location(global, &args.change.source)?;
    let mut control =
        Control::open(&location, &args.change.by.name()).await.context("opening the store")?;
    let ended = control.end_silence(args.id, screen.now).await.context("changing the store")?;
    if ended {
        return shown(global, &args.change.source, args.id, args.change.form.json, screen).await;
    }
    let view = read::view(global, &args.change.source).await?;
    let row = view.silence(args.id).await.context("reading the store")?;
    Err(not_open(args.id, row.as_ref(), screen))
}

/// Returns the error for a silence that is not open.
fn not_open(id: i64, row: Option<&SilenceRow>, screen: Screen) -> CommandError {
    CommandError::Usage(match row {
        Some(row) => {
            let at = screen.instant(Some(row.ended_at.unwrap_or(row.until)));
            format!("{} {id} has ended already, {at}", row.kind())
        }
        None => format!("no silence has the id {id}; `revalidated silences` shows them all"),
    })
}

/// Stores it, and shows it as it is then.
async fn made(
    global: &Global,
    source: &Source,
    new: &NewSilence,
    json: bool,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let location = read::location(global, source)?;
    let mut control = Control::open(&location, &new.author).await.context("opening the store")?;
    let id = control.silence(new, screen.now).await.context("changing the store")?;
    shown(global, source, id, json, screen).await
}

async fn shown(
    global: &Global,
    source: &Source,
    id: i64,
    json: bool,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let view = read::view(global, source).await?;
    let integrations = read::targets(&view).await?;
    let row = view.silence(id).await.context("reading the store")?;
    let row = row.context("the silence is gone from the store")?;
    if json {
        return Ok(Answer::json(&view::Silence::new(&row, &integrations, screen.now))?);
    }
    Ok(Answer::good(text(&[row], &integrations, screen)))
}

/// Returns the span of the mute; its end is given, or its length.
fn muted(from: Option<Timestamp>, span: &Span, now: Timestamp) -> Result<MuteSpan, CommandError> {
    let begins = from.unwrap_or(now);
    let until = span.until.or(span.during.map(|during| begins.plus(during))).unwrap_or(begins);
    MuteSpan::new(from, until, now).map_err(CommandError::Usage)
}

/// Refuses to acknowledge an integration in no error status.
fn refuse_working(row: &IntegrationRow) -> Result<(), CommandError> {
    let (name, status) = (sanitise(&row.name), row.status);
    if status.is_error() {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{name} is {status}; only what is in an error status can be acknowledged, \
         `revalidated silences add` mutes notifications beforehand"
    )))
}

/// Returns the question that is asked when no integration fits.
fn idle(selection: &Selection, integrations: &[TargetRow]) -> String {
    let names = || integrations.iter().map(|row| row.name.as_str());
    let near = selection.integrations.iter().find_map(|given| nearest(given, names()));
    let hint = near.map(|near| format!(" Did you mean `{}`?", sanitise(near)));
    let (what, hint) = (selection.to_string(), hint.unwrap_or_default());
    format!("No integration fits ({}), so no notification would be muted.{hint}", sanitise(&what))
}

pub(super) fn text(rows: &[SilenceRow], integrations: &[TargetRow], screen: Screen) -> String {
    if rows.is_empty() {
        return "No silences.\n".to_owned();
    }
    let columns = [
        Column::whole("ID"),
        Column::whole("KIND").dropped(3),
        Column::text("COVERS"),
        Column::whole("NOW").dropped(2),
        Column::text("UNTIL"),
        Column::whole("CREATED").dropped(1),
        Column::name("BY").dropped(4),
        Column::text("COMMENT"),
    ];
    let mut table = Table::new(screen, columns);
    for row in rows {
        let dash = || toned("-", Tone::Quiet);
        let covers = row.acknowledged.as_ref();
        let covers = covers.map_or_else(|| row.selection.to_string(), |(_, name)| name.clone());
        let now = covered(row, integrations, screen.now);
        table.row([
            row.id.to_string(),
            row.kind().to_owned(),
            sanitise(&covers).into_owned(),
            now.map_or_else(dash, |number| number.to_string()),
            end_word(row, screen),
            screen.instant(Some(row.created_at)),
            if row.author.is_empty() { dash() } else { sanitise(&row.author).into_owned() },
            if row.comment.is_empty() { dash() } else { sanitise(&row.comment).into_owned() },
        ]);
    }
    let states = tally(rows.iter().map(|row| row.state(screen.now).as_str()));
    let acknowledgements = rows.iter().filter(|row| row.acknowledged.is_some()).count();
    let kinds = [(rows.len() - acknowledgements, "silence"), (acknowledgements, "acknowledgement")];
    let kinds = kinds.into_iter().filter(|(count, _)| 0 < *count);
    let kinds: Vec<_> = kinds.map(|(count, kind)| counted(count, kind)).collect();
    format!("{}\n{}: {states}.\n", table.text(), kinds.join(" and "))
}

/// Returns the text about its beginning, when that lies ahead, and about its end.
fn end_word(row: &SilenceRow, screen: Screen) -> String {
    let until = screen.instant(Some(row.until));
    match row.state(screen.now) {
        SilenceState::Planned => {
            let (from, left) = (screen.instant(Some(row.from)), ahead(screen.now, row.from));
            let planned = toned("planned", Tone::Caution);
            format!("{planned} from {from} ({left}) to {until}")
        }
        SilenceState::Open => format!("{until} ({})", ahead(screen.now, row.until)),
        SilenceState::Ended => {
            let at = row.ended_at.unwrap_or(row.until);
            let text = format!("ended {} ({})", screen.instant(Some(at)), ago(screen.now, at));
            toned(&text, Tone::Quiet)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, integration, plain, screen, silences, target};
    use std::time::Duration;

    use super::*;
    use crate::domain::Status;

    #[test]
    fn silences_are_listed_with_their_scope_and_end() {
        let expected = "\
ID  KIND             COVERS                              NOW  UNTIL                                 CREATED               BY    COMMENT
1   silence          integrations la*, labels team=data  1    2026-11-23T12:00:00Z (in 2h)          2026-11-23T09:00:00Z  anna  moving\\u{1b}
2   acknowledgement  lake                                1    2026-11-23T12:00:00Z (in 2h)          2026-11-23T09:00:00Z  anna  -
3   silence          types Trino                         -    ended 2026-11-23T09:30:00Z (30m ago)  2026-11-23T09:00:00Z  anna  -
4   silence          everything                          -    ended 2026-11-23T09:59:00Z (1m ago)   2026-11-23T09:00:00Z  anna  -

3 silences and 1 acknowledgement: 2 ended, 2 open.
";
        assert_eq!(plain(&text(&silences(), &[target()], screen())), expected);
        assert_eq!(text(&[], &[], screen()), "No silences.\n");
    }

    #[test]
    fn list_is_filtered_and_sorted() {
        use super::super::args::{Arguments, Command};
        use clap::Parser as _;
        let ids = |rest: &str| {
            let words = ["revalidated", "silences"].into_iter().chain(rest.split_whitespace());
            let read = Arguments::try_parse_from(words).unwrap().command;
            let Some(Command::Silences(args)) = read else { panic!("another command") };
            let rows = chosen(silences().into(), &args, &[target()])?;
            Ok(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        };
        assert_eq!(ids("").unwrap(), [1, 2, 3, 4]);
        assert_eq!(ids("--integration lake").unwrap(), [1, 2, 4]);
        assert_eq!(ids("--author bert").unwrap(), [0; 0]);
        assert_eq!(ids("--sort until").unwrap(), [3, 4, 1, 2]);
        assert_eq!(ids("--sort from --author anna").unwrap().len(), 4);
        assert!(said(ids("--integration laek")).contains("did you mean `lake`?"));
    }

    #[test]
    fn planned_silence_says_when_it_begins() {
        let [silence, ..] = silences();
        let planned = SilenceRow { from: at("2026-11-23T11:30:00Z"), ..silence };
        let shown = plain(&text(&[planned], &[target()], screen()));
        let expected = "planned from 2026-11-23T11:30:00Z (in 1h 30m) to 2026-11-23T12:00:00Z";
        assert!(shown.contains(expected), "{shown}");
    }

    fn span(during: Option<Duration>, until: Option<&str>) -> Span {
        Span { during, until: until.map(at), comment: String::new() }
    }

    fn said<T: std::fmt::Debug>(result: Result<T, CommandError>) -> String {
        match result.unwrap_err() {
            CommandError::Usage(message) => message,
            other @ (CommandError::Configuration(_)
            | CommandError::Ended(..)
            | CommandError::Other(_)) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn mute_lasts_from_its_beginning_or_until_its_end() {
        let now = screen().now;
        let until = |from: Option<&str>, span: &Span| {
            muted(from.map(at), span, now).map(|muted| muted.until.to_string())
        };
        let two_hours = span(Some(Duration::from_hours(2)), None);
        assert_eq!(until(None, &two_hours).unwrap(), "2026-11-23T12:00:00Z");
        let ahead = Some("2026-12-24T22:00:00Z");
        assert_eq!(until(ahead, &two_hours).unwrap(), "2026-12-25T00:00:00Z");
        let end = span(None, Some("2026-11-23T13:00:00+02:00"));
        assert_eq!(until(None, &end).unwrap(), "2026-11-23T11:00:00Z");
        assert!(said(until(ahead, &end)).contains("is not after its beginning"));
        let past = said(until(Some("2026-11-23T09:59:59Z"), &two_hours));
        assert_eq!(past, "2026-11-23T09:59:59Z is past; leave the beginning out to begin now");
    }

    #[test]
    fn only_failing_integration_can_be_acknowledged() {
        for &status in Status::ALL {
            let row = IntegrationRow { status, ..integration() };
            assert_eq!(refuse_working(&row).is_ok(), status.is_error(), "{status}");
        }
        let sound = IntegrationRow { status: Status::Enabled, ..integration() };
        let expected = "lake is enabled; only what is in an error status can be acknowledged, \
                        `revalidated silences add` mutes notifications beforehand";
        assert_eq!(said(refuse_working(&sound)), expected);
    }

    #[test]
    fn selection_that_fits_nothing_is_confirmed_first() {
        let idle = |name: &str| {
            let integrations = vec![name.to_owned()];
            idle(&Selection { integrations, ..Selection::default() }, &[target()])
        };
        let expected = "No integration fits (integrations laek), so no notification would be muted. \
                        Did you mean `lake`?";
        assert_eq!(idle("laek"), expected);
        assert!(
            idle("zz\u{1b}")
                .ends_with("(integrations zz\\u{1b}), so no notification would be muted.")
        );
    }

    #[test]
    fn silence_that_is_not_open_cannot_be_ended() {
        let said =
            |id| not_open(id, silences().iter().find(|row| row.id == id), screen()).to_string();
        assert_eq!(said(3), "silence 3 has ended already, 2026-11-23T09:30:00Z");
        assert_eq!(said(4), "silence 4 has ended already, 2026-11-23T09:59:00Z");
        assert_eq!(said(9), "no silence has the id 9; `revalidated silences` shows them all");
    }
}
