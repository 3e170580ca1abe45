//! `rehearse`: validates with the next credential beside the present one, before it is rotated.

use anyhow::Context as _;
use tokio::time::Instant;

use super::args::{Global, Rehearse};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, Column, End, Screen, Table, json, result_word, sanitise};
use super::{read, results};
use crate::daemon::{self, Assembled, Assembly, NextError, NextValue, Signals};
use crate::net::farewell;
use crate::platforms::Mode;
use crate::store::StoredReport;
use crate::view::{Compared, Rehearsal, Rehearsed, Trial};

/// Validates both credentials, one after the other.
pub(super) async fn answer(
    global: &Global,
    args: &Rehearse,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let assembly = read::partly(global, |all| all.integrations.contains_key(&args.name))?;
    print_error(&fault_lines(&assembly.warnings, "warning: "));
    let Some(present) = assembly.integrations.get(&args.name) else {
        let known: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
        return Err(read::unknown(&args.name, &known));
    };
    let values: Vec<NextValue> = args.with.iter().map(|given| given.0.clone()).collect();
    let next = daemon::next(global.config.as_deref(), present, &values).map_err(refused)?;
    for key in &next.unchanged {
        print_error(&format!("warning: {} keeps the value that it has now\n", sanitise(key)));
    }
    let keys: Vec<_> = values.into_iter().map(|value| value.key).collect();
    let rehearsal = interruptible(Box::pin(rehearse(&assembly, present, &next.one, keys))).await?;
    let (now, next) =
        (StoredReport::from(&rehearsal.now.report), StoredReport::from(&rehearsal.next.report));
    let text = if args.form.json {
        json(&Rehearsed::new(&rehearsal, &now, &next)).context("printing JSON")?
    } else {
        text(&rehearsal, &now, &next, screen)
    };
    Ok(Answer { is_json: args.form.json, ..Answer::judged(text, rehearsal.is_good()) })
}

/// Returns the error for values that cannot be tried: a mistake on the command line, if the files can be read.
fn refused(error: NextError) -> CommandError {
    match error {
        NextError::Configuration(faulty) => faulty.into(),
        NextError::Key { .. }
        | NextError::File { .. }
        | NextError::Unchanged(_)
        | NextError::Unfit(_) => CommandError::Usage(sanitise(&error.to_string()).into_owned()),
    }
}

/// Runs `work` until it is done or a signal interrupts it; what it began at a platform is then cancelled there.
pub(super) async fn interruptible<T>(work: impl Future<Output = T>) -> Result<T, CommandError> {
    let mut signals = Signals::new().context("signals cannot be received")?;
    let done = tokio::select! {
        done = work => Some(done),
        () = signals.asked_to_stop() => None,
    };
    if done.is_none() {
        farewell::finished().await;
    }
    let interrupted = || CommandError::Ended(End::Interrupted, anyhow::anyhow!("interrupted"));
    done.ok_or_else(interrupted)
}

/// Tries the present credential and then the next. They share the memory of refused log-ins, so that the same
/// secret is not sent twice when it was refused.
async fn rehearse(
    assembly: &Assembly,
    present: &Assembled,
    next: &Assembled,
    keys: Vec<String>,
) -> Rehearsal {
    let name = present.wanted.name.clone();
    let now = tried(assembly, present, &name).await;
    let next = tried(assembly, next, &format!("{name} next")).await;
    Rehearsal { name, kind: present.platform.kind, keys, now, next }
}

async fn tried(assembly: &Assembly, one: &Assembled, reader: &str) -> Trial {
    let started = Instant::now();
    let (report, observed) = daemon::observe_once(assembly, one, reader, Mode::Recurring).await;
    Trial { report, observed, duration: started.elapsed() }
}

/// A table of the tests, the findings of either side, what differs, and the conclusion as the last line.
fn text(rehearsal: &Rehearsal, now: &StoredReport, next: &StoredReport, screen: Screen) -> String {
    let (name, keys) =
        (sanitise(&rehearsal.name), sanitise(&rehearsal.keys.join(", ")).into_owned());
    let columns = [Column::text("TEST"), Column::whole("NOW"), Column::whole("NEXT")];
    let mut table = Table::new(screen, columns);
    for Compared { name, now, next } in rehearsal.tests() {
        table.row([sanitise(name).into_owned(), result_word(now), result_word(next)]);
    }
    let mut parts =
        vec![format!("{name} ({}) with the next {keys}\n{}", rehearsal.kind, table.text())];
    for (side, report) in [("present", now), ("next", next)] {
        let found = results::findings(report);
        if !found.is_empty() {
            parts.push(format!("Findings with the {side} credential\n{found}"));
        }
    }
    let lines: String = rehearsal
        .differences()
        .iter()
        .map(|one| difference(&one.what, &one.now, &one.next))
        .collect();
    if !lines.is_empty() {
        parts.push(format!("What differs\n{lines}"));
    }
    parts.push(format!("{}\n", conclusion(&sanitise(&rehearsal.summary()))));
    parts.join("\n")
}

/// Returns the lines of what only one side saw.
fn difference(what: &str, now: &[String], next: &[String]) -> String {
    let listed = |values: &[String]| match values {
        [] => "-".to_owned(),
        values => sanitise(&values.join(", ")).into_owned(),
    };
    format!("  {}\n    now:  {}\n    next: {}\n", sanitise(what), listed(now), listed(next))
}

/// Returns the sentence with a capital letter and a period.
fn conclusion(summary: &str) -> String {
    let mut letters = summary.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    format!("{}{}.", first.collect::<String>(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::{Fact, FactKind, Observed, Outcome};

    /// Trial whose second test has this outcome, or fails without one, under this user.
    fn trial(outcome: Option<Outcome>, user: &str) -> Trial {
        let mut report = samples::report();
        let place = report.tests.get_mut(1).unwrap();
        place.outcome = outcome.unwrap_or_else(|| place.outcome.clone());
        let mut observed = Observed::default();
        let fact = Fact { kind: FactKind::Principal, of: "db".to_owned() };
        observed.facts.insert(fact, [user.to_owned()].into());
        Trial { report, observed, duration: std::time::Duration::from_millis(9) }
    }

    fn shown(now: Trial, next: Trial) -> String {
        let keys = vec!["config.accessKeyId".to_owned(), "config.secretKey".to_owned()];
        let name = "lake".to_owned();
        let rehearsal = Rehearsal { name, kind: "Redshift", keys, now, next };
        let stored = |trial: &Trial| StoredReport::from(&trial.report);
        let (now, next) = (stored(&rehearsal.now), stored(&rehearsal.next));
        samples::plain(&text(&rehearsal, &now, &next, samples::screen()))
    }

    #[test]
    fn both_are_side_by_side_and_the_last_line_says_what_to_do() {
        let expected = "\
lake (Redshift) with the next config.accessKeyId, config.secretKey
TEST             NOW      NEXT
Host is given    passed   passed
Connect to host  passed   failed
Create role      skipped  skipped

Findings with the next credential
  failed (unreachable) Connect to host: Unable\\nto connect to host.
    Fix: Open port 5439.

What differs
  principal of db
    now:  a
    next: b\\u{1b}

The next credential could not be tried, which says nothing about it (Connect to host); rehearse again before you rotate it.
";
        let passed = Some(Outcome::Passed(None));
        assert_eq!(shown(trial(passed.clone(), "a"), trial(None, "b\u{1b}")), expected);
        let good = shown(trial(passed.clone(), "a"), trial(passed, "a"));
        assert!(good.ends_with("skipped\n\nThe next credential passes all tests; rotate it.\n"));
    }
}
