//! `validate`: runs validations now, prints the reports and changes nothing.

use std::sync::Arc;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::args::{Global, Validate};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, End, Screen, result_word, sanitise};
use super::{read, results};
use crate::daemon::{self, Assembly, Signals};
use crate::domain::duration_text;
use crate::net::farewell;
use crate::platforms::Mode;
use crate::store::StoredReport;
use crate::view::{OnDemand, Validated};

/// The most validations that run at once.
const RUNS_MAX: usize = 8;

/// Validates one integration, or all.
pub(super) async fn answer(
    global: &Global,
    args: &Validate,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let assembly = read::partly(global, |all| {
        let is_asked = |name: &String| args.name.as_ref().is_none_or(|asked| asked == name);
        all.integrations.keys().any(is_asked)
    })?;
    print_error(&fault_lines(&assembly.warnings, "warning: "));
    let known: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
    let names = match &args.name {
        Some(name) if known.contains(&name.as_str()) => vec![name.clone()],
        Some(name) => return Err(read::unknown(name, &known)),
        None => enabled(&assembly),
    };
    let mode = if args.preflight { Mode::Preflight } else { Mode::Recurring };
    let validated = validate_all(Arc::new(assembly), names, mode).await?;
    if !args.all {
        return shown(&validated, args.form.json, screen);
    }
    let text = if args.form.json { json(&validated, true)? } else { text(&validated, screen) };
    Ok(judged(text, &validated, args.form.json))
}

/// Returns the answer that shows the report of one integration.
pub(super) fn shown(
    validated: &[Validated],
    is_json: bool,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let text = if is_json { json(validated, false)? } else { text(validated, screen) };
    Ok(judged(text, validated, is_json))
}

fn judged(text: String, validated: &[Validated], is_json: bool) -> Answer {
    let good = validated.iter().all(Validated::is_good);
    Answer { is_json, ..Answer::judged(text, good) }
}

/// Returns the names of the integrations that are not disabled.
pub(super) fn enabled(assembly: &Assembly) -> Vec<String> {
    let enabled = assembly.integrations.iter().filter(|(_, one)| !one.wanted.disabled);
    enabled.map(|(name, _)| name.clone()).collect()
}

/// Validates the named integrations, some at once; the results come in the order of the names.
/// An interrupt ends them and their queries. Progress is shown on standard error when it is a terminal and there is more than one.
pub(super) async fn validate_all(
    assembly: Arc<Assembly>,
    names: Vec<String>,
    mode: Mode,
) -> Result<Vec<Validated>, CommandError> {
    let bar = progress(names.len());
    let permits = Arc::new(Semaphore::new(RUNS_MAX));
    let mut runs = JoinSet::new();
    for (place, name) in names.into_iter().enumerate() {
        let (assembly, permits) = (Arc::clone(&assembly), Arc::clone(&permits));
        runs.spawn(async move {
            let _permit = permits.acquire_owned().await?;
            anyhow::Ok((place, validate(&assembly, name, mode).await))
        });
    }
    let mut done = Vec::new();
    let mut signals = Signals::new().context("signals cannot be received")?;
    let interrupted = signals.asked_to_stop();
    tokio::pin!(interrupted);
    loop {
        let joined = tokio::select! {
            joined = runs.join_next() => joined,
            () = &mut interrupted => {
                bar.finish_and_clear();
                runs.shutdown().await;
                // What the runs began at a platform is cancelled there.
                farewell::finished().await;
                return Err(CommandError::Ended(End::Interrupted, anyhow::anyhow!("interrupted")));
            }
        };
        let Some(joined) = joined else { break };
        let (place, validated) = joined.context("a validation was torn down")??;
        bar.inc(1);
        done.extend(validated.map(|validated| (place, validated)));
    }
    bar.finish_and_clear();
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, validated)| validated).collect())
}

async fn validate(assembly: &Assembly, name: String, mode: Mode) -> Option<Validated> {
    let kind = assembly.integrations.get(&name)?.platform.kind;
    let started = Instant::now();
    let report = daemon::validate_once(assembly, &name, mode).await?;
    Some(Validated { name, kind, report, duration: started.elapsed() })
}

/// A bar that hides itself when standard error is no terminal.
fn progress(number: usize) -> ProgressBar {
    if number < 2 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(number).unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("validating {wide_bar} {pos}/{len}");
    bar.with_style(style.unwrap_or_else(|_wrong| ProgressStyle::default_bar()))
}

/// One object, or an array of them when all were asked for.
fn json(validated: &[Validated], all: bool) -> anyhow::Result<String> {
    let stored: Vec<_> = validated.iter().map(|one| StoredReport::from(&one.report)).collect();
    let shapes: Vec<_> =
        validated.iter().zip(&stored).map(|(one, stored)| OnDemand::new(one, stored)).collect();
    let text = match shapes.first() {
        Some(first) if !all => super::print::json(first)?,
        _ => super::print::json(&shapes)?,
    };
    Ok(text)
}

/// A heading and the table of tests per integration.
fn text(validated: &[Validated], screen: Screen) -> String {
    if validated.is_empty() {
        return "No integrations.\n".to_owned();
    }
    let blocks = validated.iter().map(|one| {
        let heading = format!(
            "{} ({}): {} in {}",
            sanitise(&one.name),
            sanitise(one.kind),
            result_word(one.report.status()),
            duration_text(one.duration),
        );
        format!("{heading}\n{}", results::table(screen, &StoredReport::from(&one.report)))
    });
    blocks.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn text_shows_every_test_with_its_message_and_remediation() {
        let expected = "\
lake (Redshift): failed in 812ms
RESULT   CLASS        TEST             MESSAGE
passed   -            Host is given    -
failed   unreachable  Connect to host  Unable\\nto connect to host.
                                       Fix: Open port 5439.
skipped  -            Create role      Not run.
";
        let shown = text(&[samples::validated()], samples::screen());
        assert_eq!(samples::plain(&shown), expected);
        assert_eq!(text(&[], samples::screen()), "No integrations.\n");
    }

    #[test]
    fn json_is_one_object_or_an_array_of_all() {
        let json_of = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let one = json_of(&json(&[samples::validated()], false).unwrap());
        assert_eq!(one["name"], "lake");
        let all = json_of(&json(&[samples::validated()], true).unwrap());
        assert_eq!(all, serde_json::json!([one]));
        assert_eq!(json(&[], true).unwrap(), "[]\n");
    }
}
