//! `check`: reads the configuration and shows every fault at once, looks at its secrets, and says what a reload would
//! change; `--online` also connects.

mod plan;
mod secrets;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

pub(super) use self::secrets::Looked;
use super::args::{Check, Global};
use super::error::{CommandError, fault_lines, print_error};
use super::print::{Answer, End, counted, result_word, sanitise};
use super::serve::exposed;
use super::validate::{enabled, validate_all};
use crate::config::{Backups, Settings};
use crate::daemon::{self, Assembly};
use crate::domain::duration_text;
use crate::domain::ledger::Difference;
use crate::input::Fault;
use crate::platforms::Mode;
use crate::secrets as secrets_of_unit;
use crate::store::{ReceiverRow, View, each_page};
use crate::view::{Checked, Overridden, Validated};

/// Most integrations that are named for keys that they have in common.
const LISTED_MAX: usize = 8;

/// Checks the configuration, prints warnings to standard error, and counts its integrations and receivers.
pub(super) async fn answer(global: &Global, args: &Check) -> Result<Answer, CommandError> {
    let assembly = match daemon::open(global.config.as_deref()) {
        Ok(assembly) => Arc::new(assembly),
        Err(faulty) if args.form.json => {
            let end = End::Configuration;
            let checked = Checked::refused(&faulty.faults, &faulty.warnings);
            return Ok(Answer { end, ..Answer::json(&checked)? });
        }
        Err(faulty) => return Err(CommandError::Configuration(faulty)),
    };
    let validated = if args.online {
        Some(validate_all(Arc::clone(&assembly), enabled(&assembly), Mode::Recurring).await?)
    } else {
        None
    };
    let Looked { problems, warnings } = looked(&assembly).await;
    let plan = difference(&assembly).await;
    let integrations = assembly.integrations.keys().map(String::as_str);
    let receivers = assembly.receivers.iter().map(|one| one.name.as_str());
    let checked = Checked::accepted(integrations, receivers)
        .overridden(assembly.integrations.iter().map(|(name, one)| (name.as_str(), &one.policy)))
        .warned(&warnings)
        .listening(addresses(&assembly.settings))
        .looked(&problems, plan.as_ref())
        .validated(validated.as_deref());
    let is_good = validated.iter().flatten().all(Validated::is_good) && problems.is_empty();
    let end = End::success_if(is_good);
    if args.form.json {
        return Ok(Answer { end, ..Answer::json(&checked)? });
    }
    print_error(&fault_lines(&warnings, "warning: "));
    print_error(&fault_lines(&problems, ""));
    Ok(Answer { end, ..Answer::good(text(&checked)) })
}

/// Returns what is wrong or unwise about a configuration without faults: its own warnings, and what a look at secrets,
/// folders and receivers adds.
pub(super) async fn looked(assembly: &Assembly) -> Looked {
    let Looked { problems, warnings: unseen } = secrets::look(assembly).await;
    let mut warnings = assembly.warnings.clone();
    warnings.extend(assembly.settings.store.file().and_then(folder));
    warnings.extend(backups(&assembly.settings.backups));
    warnings.extend(unseen);
    let exposed = exposed(&assembly.settings).into_iter();
    warnings.extend(exposed.map(|(key, message)| Fault {
        origin: "configuration".to_owned(),
        path: key.to_owned(),
        message,
    }));
    warnings.extend(idle(assembly).await);
    Looked { problems, warnings }
}

/// Returns what a reload would change; none before the daemon first started.
async fn difference(assembly: &Assembly) -> Option<Difference> {
    let view = View::open(&assembly.settings.store).await.ok()?;
    daemon::difference(&view, assembly).await.ok()
}

/// Returns a warning when the folder of the database is not there, or not to be entered.
fn folder(store: &Path) -> Option<Fault> {
    let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    let problem = match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => return None,
        Ok(_) => "is no folder".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            "does not exist; the service makes it when its unit has StateDirectory=".to_owned()
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            "may not be entered by this user".to_owned()
        }
        Err(error) => error.to_string(),
    };
    let message = format!("the folder {} {problem}", folder.display());
    Some(Fault { origin: store.display().to_string(), path: "store.path".to_owned(), message })
}

/// Returns a warning when the service cannot write in the folder of the backups.
fn backups(backups: &Backups) -> Option<Fault> {
    backups.at.as_ref()?;
    let line = secrets_of_unit::unwritable_by_unit(&backups.dir)?;
    let message = format!(
        "the service cannot write in {}; add {line} under [Service] by `systemctl edit revalidated`, and make the \
         folder writable for its user",
        backups.dir.display()
    );
    Some(Fault { origin: "configuration".to_owned(), path: "backup.dir".to_owned(), message })
}

/// Returns a warning for each receiver that has pending messages although it is sent none; nothing
/// before the daemon first started.
async fn idle(assembly: &Assembly) -> Vec<Fault> {
    let store = &assembly.settings.store;
    let Ok(view) = View::open(store).await else { return Vec::new() };
    let mut rows = Vec::new();
    let read = async |page| view.receivers(page).await;
    if each_page(read, |page| rows.extend(page)).await.is_err() {
        return Vec::new();
    }
    let is_named = |name: &str| assembly.receivers.iter().any(|one| one.name == name);
    let kept = duration_text(assembly.settings.retention.deliveries);
    let warning = |row: &ReceiverRow| {
        let why = match row.disabled {
            Some((reason, _)) => format!("disabled, since {}", reason.clause()),
            None if !is_named(&row.name) => "no longer configured".to_owned(),
            None => return None,
        };
        let pending = counted(usize::try_from(row.pending).unwrap_or(usize::MAX), "message");
        (0 < row.pending || is_named(&row.name)).then(|| Fault {
            origin: store.to_string(),
            path: format!("receiver {}", row.name),
            message: format!("{why}; {pending} pending, failed after {kept}"),
        })
    };
    rows.iter().filter_map(warning).collect()
}

/// Returns the addresses at which the daemon serves metrics and HTTP; one in the runtime directory of its service is
/// known to the service alone.
fn addresses(settings: &Settings) -> Vec<String> {
    let metrics = settings.metrics.listen.map(|address| format!("{address} (metrics)"));
    metrics.into_iter().chain(settings.http.listen.iter().map(ToString::to_string)).collect()
}

fn text(checked: &Checked<'_>) -> String {
    let mut lines = Vec::new();
    for one in checked.online.iter().flatten() {
        let problem = one.message.map(|said| format!(": {}", sanitise(said)));
        let (name, result) = (sanitise(one.name), result_word(one.status));
        lines.push(format!("{name}: {result}{}", problem.unwrap_or_default()));
    }
    lines.extend(checked.plan.iter().flat_map(|plan| plan::lines(plan)));
    lines.extend(checked.overrides.iter().map(overridden));
    if !checked.listen.is_empty() {
        lines.push(format!("The daemon listens at {}.", sanitise(&checked.listen.join(", "))));
    }
    let unusable = match checked.secrets.len() {
        0 => String::new(),
        count => format!("; {} cannot be used", counted(count, "secret")),
    };
    lines.push(format!(
        "The configuration is valid: {}, {}{unusable}.",
        counted(checked.integrations.len(), "integration"),
        counted(checked.receivers.len(), "receiver"),
    ));
    lines.join("\n") + "\n"
}

/// Returns a sentence about keys that override the rule of evidence.
fn overridden(found: &Overridden<'_>) -> String {
    let Overridden { keys, integrations } = found;
    let listed: Vec<_> = integrations.iter().take(LISTED_MAX).map(|name| sanitise(name)).collect();
    let more = integrations.len().saturating_sub(LISTED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let (keys, listed) = (keys.join(", "), listed.join(", "));
    format!("Runs are counted in place of the rule of evidence ({keys}): {listed}{more}")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::Policy;

    fn valid<'a>() -> Checked<'a> {
        Checked::accepted(["lake", "old"].into_iter(), ["on-call"].into_iter())
    }

    #[test]
    fn valid_configuration_is_summed_up_in_one_line() {
        assert_eq!(text(&valid()), "The configuration is valid: 2 integrations, 1 receiver.\n");
    }

    #[test]
    fn keys_that_override_the_rule_are_named_with_their_integrations() {
        let policy = Policy { confirm_runs: Some(2), ..Policy::default() };
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let checked = valid().overridden(names.into_iter().map(|name| (name, &policy)));
        let expected = "Runs are counted in place of the rule of evidence (confirm_runs = 2): \
                        a, b, c, d, e, f, g, h and 2 more\n";
        assert!(text(&checked).starts_with(expected), "{}", text(&checked));
    }

    #[test]
    fn secrets_that_cannot_be_used_are_counted_in_the_last_line() {
        let problem = Fault { origin: "f".to_owned(), path: String::new(), message: String::new() };
        let problems = [problem.clone(), problem];
        let found = text(&valid().looked(&problems, None));
        assert!(found.ends_with("1 receiver; 2 secrets cannot be used.\n"), "{found}");
    }

    #[test]
    fn addresses_of_the_daemon_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        let lines = "[metrics]\nlisten = \"127.0.0.1:9464\"\n[http]\nlisten = [\"systemd:act\"]\n";
        std::fs::write(&path, lines).unwrap();
        let found = addresses(&daemon::open(Some(&path)).unwrap().settings);
        let text = text(&valid().listening(found));
        assert!(text.starts_with("The daemon listens at 127.0.0.1:9464 (metrics), systemd:act.\n"));
    }

    #[test]
    fn folder_of_the_database_is_looked_at() {
        let place = tempfile::tempdir().unwrap();
        let message = |path: &Path| folder(path).map(|fault| fault.message).unwrap_or_default();
        assert_eq!(message(&place.path().join("state.db")), "");
        assert!(message(&place.path().join("none/state.db")).contains("does not exist"));
        std::fs::write(place.path().join("file"), "").unwrap();
        assert!(message(&place.path().join("file/state.db")).contains("is no folder"));
    }

    #[test]
    fn online_results_name_the_first_problem() {
        let validated = [samples::validated()];
        let checked = valid().validated(Some(&validated));
        let expected = "lake: failed: Unable\\nto connect to host.\n\
                        The configuration is valid: 2 integrations, 1 receiver.\n";
        assert_eq!(samples::plain(&text(&checked)), expected);
    }
}
