//! `revalidate`: asks the running daemon for runs now, and waits for their results if that is wanted.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::time::{Instant, sleep};

use super::args::{Global, Revalidate};
use super::error::CommandError;
use super::list::{self, Filter};
use super::print::{Answer, End, Screen, counted, result_word, sanitise, status_word};
use super::selection::selection;
use super::{read, results};
use crate::domain::{IntegrationId, Location, Timestamp, duration_text};
use crate::store::{Control, IntegrationRow, Page, Requested, RunRow, StoreError, View, is_in_use};
use crate::view::{RequestedRun, Revalidated};

/// Time between two looks for results.
const LOOK: Duration = Duration::from_millis(200);
/// The most runs that one validation stores: one for each of two configurations.
const RUNS_MAX: u32 = 2;

/// Asks for the runs, and shows what came of it.
pub(super) async fn answer(
    global: &Global,
    args: &Revalidate,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let location = read::location(global, &args.change.source)?;
    refuse_stopped(&location, "nothing was changed").await?;
    let view = View::open(&location).await.context("opening the store")?;
    let chosen = chosen(&view, args).await?;
    let mut asked = ask(&location, args, &chosen, screen.now).await?;
    let is_good = match args.wait {
        Some(limit) => {
            let waited = wait(&view, &location, &mut asked, limit).await?;
            waited && asked.iter().all(|one| is_idle(&one.run) || one.run.has_passed())
        }
        None => true,
    };
    let runs: Vec<_> = asked.into_iter().map(|one| one.run).collect();
    let answer = if args.change.form.json {
        let shapes: Vec<_> = runs.iter().map(Revalidated::from).collect();
        Answer::json(&shapes)?
    } else {
        Answer::good(text(&runs, args.wait))
    };
    Ok(Answer { end: End::success_if(is_good), ..answer })
}

/// Refuses to go on when no daemon runs; `what` says what that means.
async fn refuse_stopped(location: &Location, what: &str) -> Result<(), CommandError> {
    if is_in_use(location).await != Some(false) {
        return Ok(());
    }
    let hint = "`revalidated validate` validates without it and stores nothing";
    let error = anyhow!("the daemon does not run; {what}. {hint}");
    Err(CommandError::Ended(End::NoDaemon, error))
}

/// Returns the integrations that the command line names or chooses. One that is named must be validated at
/// all; of those that are chosen, the others are left out.
async fn chosen(view: &View, args: &Revalidate) -> Result<Vec<IntegrationRow>, CommandError> {
    if args.names.is_empty() {
        let filter = Filter::new(args.failing, selection(&args.fitting)?);
        let mut rows = list::rows(view, false, &filter).await?;
        rows.retain(|row| row.status.is_validated());
        if rows.is_empty() && !args.failing {
            return Err(CommandError::Usage("no integration fits; nothing was changed".to_owned()));
        }
        return Ok(rows);
    }
    let mut rows: Vec<IntegrationRow> = Vec::new();
    for name in &args.names {
        let row = read::integration(view, name).await?;
        if !row.status.is_validated() {
            let (name, status) = (sanitise(name), row.status);
            let message =
                format!("{name} is {status}, so that it is not validated; nothing was changed");
            return Err(CommandError::Usage(message));
        }
        if rows.iter().all(|other| other.id != row.id) {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// Run that was asked for, with the latest run before it.
struct Asked {
    id: IntegrationId,
    /// Number of the latest run before.
    latest: i64,
    run: RequestedRun,
}

/// Writes the requests down.
async fn ask(
    location: &Location,
    args: &Revalidate,
    chosen: &[IntegrationRow],
    now: Timestamp,
) -> Result<Vec<Asked>, CommandError> {
    let ids: Vec<_> = chosen.iter().map(|row| row.id).collect();
    let mut control =
        Control::open(location, &args.change.by.name()).await.context("opening the store")?;
    let requested = control.request(&ids, now).await.context("writing to the store")?;
    let asked = chosen.iter().zip(requested).map(|(row, requested)| {
        let candidate = row.candidate.as_ref().and_then(|new| new.last_run.as_ref());
        let runs = row.last_run.iter().chain(candidate);
        Asked {
            id: row.id,
            latest: runs.map(|run| run.id.0).max().unwrap_or(0),
            run: RequestedRun {
                name: row.name.clone(),
                kind: row.kind.clone(),
                status: row.status,
                requested,
                at: now,
                runs: Vec::new(),
            },
        }
    });
    Ok(asked.collect())
}

/// Returns true for an integration that is not validated any more.
const fn is_idle(run: &RequestedRun) -> bool {
    matches!(run.requested, Requested::NotValidated(_))
}

/// Waits until every run that began after the request is stored; returns false when that takes too long.
async fn wait(
    view: &View,
    location: &Location,
    asked: &mut [Asked],
    limit: Duration,
) -> Result<bool, CommandError> {
    let begun = Instant::now();
    loop {
        let mut is_complete = true;
        for one in asked.iter_mut() {
            if one.run.runs.is_empty() && !is_idle(&one.run) {
                look(view, one).await.context("reading the store")?;
                is_complete &= !one.run.runs.is_empty();
            }
        }
        if is_complete || limit <= begun.elapsed() {
            return Ok(is_complete);
        }
        refuse_stopped(location, "what was asked for is due when it starts").await?;
        sleep(LOOK).await;
    }
}

/// Reads the results of a run that was asked for, once they are stored. A run that was under way then says
/// nothing about a repair since then.
async fn look(view: &View, asked: &mut Asked) -> Result<(), StoreError> {
    let runs = view.runs(asked.id, Page::first(RUNS_MAX)).await?.rows;
    let Asked { latest, run, .. } = asked;
    let answers = |one: &RunRow| *latest < one.id.0 && run.at <= one.started_at;
    let found: Vec<_> = runs.into_iter().filter(answers).collect();
    if found.is_empty() {
        return Ok(());
    }
    if let Some(row) = view.integration(&run.name).await? {
        run.status = row.status;
    }
    // Of the latest validation only: another may have ended before this look.
    let began = found.iter().map(|one| one.started_at).min();
    run.runs = found.into_iter().filter(|one| Some(one.started_at) == began).collect();
    Ok(())
}

/// Lays out a line or more for each run, and a last one that counts them.
fn text(runs: &[RequestedRun], wait: Option<Duration>) -> String {
    if runs.is_empty() {
        return "No integration is failing.\n".to_owned();
    }
    let lines: String = runs.iter().map(|run| line(run, wait)).collect();
    if runs.len() == 1 {
        return lines;
    }
    let asked = counted(runs.len(), "run");
    let sum = if wait.is_none() {
        format!("{asked} asked for.")
    } else {
        let passed = runs.iter().filter(|run| run.has_passed()).count();
        format!("{asked} asked for: {passed} passed.")
    };
    format!("{lines}\n{sum}\n")
}

fn line(run: &RequestedRun, wait: Option<Duration>) -> String {
    let name = sanitise(&run.name);
    if run.runs.is_empty() {
        let state = match (run.requested, wait) {
            (Requested::NotValidated(status), _) => {
                format!("is {status}, so that it is not validated")
            }
            (Requested::Due | Requested::AfterRun, Some(limit)) => {
                format!("no result within {}; `history` will have it", duration_text(limit))
            }
            (Requested::Due, None) => "due now".to_owned(),
            (Requested::AfterRun, None) => {
                "due after the run that is under way, which began before".to_owned()
            }
        };
        return format!("{name}: {state}.\n");
    }
    run.runs.iter().map(|one| result(run, one)).collect()
}

/// Returns the result of one run, with what failed in it.
fn result(run: &RequestedRun, one: &RunRow) -> String {
    let heading = format!(
        "{} ({}): {} in {}, run {}{}; status {}\n",
        sanitise(&run.name),
        sanitise(&run.kind),
        result_word(one.status),
        duration_text(one.duration),
        one.id.0,
        results::of(one.subject),
        status_word(run.status),
    );
    heading + &results::findings(&one.report)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{plain, requested, run};
    use super::*;
    use crate::domain::{ReportStatus, Status, Subject};

    #[test]
    fn each_request_says_what_comes_of_it() {
        let after = RequestedRun { requested: Requested::AfterRun, ..requested() };
        let status = Status::Disabled;
        let idle = RequestedRun { requested: Requested::NotValidated(status), ..requested() };
        let shown = |wait| text(&[requested(), after.clone(), idle.clone()], wait);
        let expected = "\
lake: due now.
lake: due after the run that is under way, which began before.
lake: is disabled, so that it is not validated.

3 runs asked for.
";
        assert_eq!(shown(None), expected);
        let late = text(&[requested()], Some(Duration::from_mins(1)));
        assert_eq!(late, "lake: no result within 1m; `history` will have it.\n");
        assert_eq!(text(&[], None), "No integration is failing.\n");
    }

    #[test]
    fn results_are_shown_with_what_failed() {
        let passed = RunRow { status: ReportStatus::Passed, subject: Subject::Candidate, ..run() };
        let runs = vec![run()];
        let failed = RequestedRun { runs, ..requested() };
        let expected = "\
lake (Redshift): failed in 812ms, run 912; status recurringValidationError
  failed (unreachable) Connect to host: Unable\\nto connect to host.
    Fix: Open port 5439.
";
        let wait = Some(Duration::from_mins(1));
        assert_eq!(plain(&text(&[failed], wait)), expected);
        let good = RequestedRun { runs: vec![passed], ..requested() };
        let shown = plain(&text(&[good], wait));
        let heading = "lake (Redshift): passed in 812ms, run 912 of the new configuration; status ";
        assert!(shown.starts_with(heading), "{shown}");
    }
}
