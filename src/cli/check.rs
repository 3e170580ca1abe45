//! `check`: reads the configuration and shows every fault at once; `--online` also connects.

use std::sync::Arc;

use serde::Serialize;

use super::args::{Check, Global};
use super::print::{Answer, End, counted, result_word, sanitise};
use super::validate::{Validated, validate_all};
use super::{Trouble, lines_of, warn};
use crate::config::Faulty;
use crate::daemon::{self, Assembly};
use crate::domain::{ReportStatus, duration_text};
use crate::input::Fault;
use crate::platforms::Mode;
use crate::store::{ReceiverRow, View, each_page};

/// What the check found, as programs get it.
#[derive(Debug, Default, Serialize)]
struct Checked<'a> {
    valid: bool,
    faults: Vec<Problem<'a>>,
    warnings: Vec<Problem<'a>>,
    integrations: Vec<&'a str>,
    receivers: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online: Option<Vec<Online<'a>>>,
}

/// A fault or a warning.
#[derive(Debug, Serialize)]
struct Problem<'a> {
    origin: &'a str,
    path: &'a str,
    message: &'a str,
}

impl<'a> From<&'a Fault> for Problem<'a> {
    fn from(Fault { origin, path, message }: &'a Fault) -> Self {
        Self { origin, path, message }
    }
}

/// What connecting found.
#[derive(Debug, Serialize)]
struct Online<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    status: ReportStatus,
    message: Option<&'a str>,
}

impl<'a> From<&'a Validated> for Online<'a> {
    fn from(validated: &'a Validated) -> Self {
        let Validated { name, kind, report, .. } = validated;
        Self { name, kind, status: report.status(), message: validated.first_problem() }
    }
}

/// Checks, prints warnings to standard error, and says what the configuration holds.
pub(super) async fn answer(global: &Global, args: &Check) -> Result<Answer, Trouble> {
    let assembly = match daemon::open(global.config.as_deref()) {
        Ok(assembly) => Arc::new(assembly),
        Err(faulty) if args.form.json => {
            let end = End::Configuration;
            return Ok(Answer { end, ..Answer::good(json_of(&faulty)?) });
        }
        Err(faulty) => return Err(Trouble::Configuration(faulty)),
    };
    let validated = if args.online {
        Some(validate_all(Arc::clone(&assembly), enabled(&assembly), Mode::Recurring).await?)
    } else {
        None
    };
    let idle = idle(&assembly).await;
    let mut checked = checked(&assembly, validated.as_deref());
    checked.warnings.extend(idle.iter().map(Problem::from));
    let end = End::success_if(validated.iter().flatten().all(Validated::is_good));
    if args.form.json {
        return Ok(Answer { end, ..Answer::json(&checked)? });
    }
    warn(&lines_of(&assembly.warnings, "warning: "));
    warn(&lines_of(&idle, "warning: "));
    Ok(Answer { end, ..Answer::good(text(&checked)) })
}

/// A warning for every receiver for which messages wait although it is sent none, and that what waits
/// too long is given up; nothing when the daemon has not stored anything yet.
async fn idle(assembly: &Assembly) -> Vec<Fault> {
    let store = &assembly.settings.store;
    let Ok(view) = View::open(store) else { return Vec::new() };
    let mut rows = Vec::new();
    let read = async |page| view.receivers(page).await;
    if each_page(read, |page| rows.extend(page)).await.is_err() {
        return Vec::new();
    }
    let is_named = |name: &str| assembly.receivers.iter().any(|one| one.name == name);
    let kept = duration_text(assembly.settings.retention.deliveries);
    let told = |row: &ReceiverRow| {
        let why = match row.disabled {
            Some((reason, _)) => format!("disabled, since {}", reason.clause()),
            None if !is_named(&row.name) => "no longer configured".to_owned(),
            None => return None,
        };
        let owed = counted(usize::try_from(row.owed).unwrap_or(usize::MAX), "message");
        (0 < row.owed || is_named(&row.name)).then(|| Fault {
            origin: store.display().to_string(),
            path: format!("receiver {}", row.name),
            message: format!("{why}; {owed} waiting, given up after {kept}"),
        })
    };
    rows.iter().filter_map(told).collect()
}

/// The names of the integrations that are not disabled.
pub(super) fn enabled(assembly: &Assembly) -> Vec<String> {
    let enabled = assembly.integrations.iter().filter(|(_, one)| !one.wanted.disabled);
    enabled.map(|(name, _)| name.clone()).collect()
}

fn checked<'a>(assembly: &'a Assembly, validated: Option<&'a [Validated]>) -> Checked<'a> {
    Checked {
        valid: true,
        faults: Vec::new(),
        warnings: assembly.warnings.iter().map(Problem::from).collect(),
        integrations: assembly.integrations.keys().map(String::as_str).collect(),
        receivers: assembly.receivers.iter().map(|one| one.name.as_str()).collect(),
        online: validated.map(|all| all.iter().map(Online::from).collect()),
    }
}

/// What programs get when there are faults.
fn json_of(Faulty { faults, warnings }: &Faulty) -> anyhow::Result<String> {
    let faults = faults.iter().map(Problem::from).collect();
    let warnings = warnings.iter().map(Problem::from).collect();
    Ok(super::print::json(&Checked { faults, warnings, ..Checked::default() })?)
}

fn text(checked: &Checked<'_>) -> String {
    let mut lines = Vec::new();
    for one in checked.online.iter().flatten() {
        let problem = one.message.map(|said| format!(": {}", sanitise(said)));
        let (name, result) = (sanitise(one.name), result_word(one.status));
        lines.push(format!("{name}: {result}{}", problem.unwrap_or_default()));
    }
    lines.push(format!(
        "The configuration is valid: {}, {}.",
        counted(checked.integrations.len(), "integration"),
        counted(checked.receivers.len(), "receiver"),
    ));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn valid(online: Option<Vec<Online<'_>>>) -> Checked<'_> {
        let integrations = vec!["lake", "old"];
        Checked {
            valid: true,
            integrations,
            receivers: vec!["on-call"],
            online,
            ..Checked::default()
        }
    }

    #[test]
    fn a_valid_configuration_is_summed_up_in_a_line() {
        let checked = valid(None);
        assert_eq!(text(&checked), "The configuration is valid: 2 integrations, 1 receiver.\n");
    }

    #[test]
    fn online_results_name_the_first_problem() {
        let validated = samples::validated();
        let checked = valid(Some(vec![Online::from(&validated)]));
        let expected = "lake: failed: Unable\\nto connect to host.\n\
                        The configuration is valid: 2 integrations, 1 receiver.\n";
        assert_eq!(samples::plain(&text(&checked)), expected);
    }

    #[test]
    fn programs_get_faults_and_warnings_in_their_parts() {
        let fault = |message: &str| Fault {
            origin: "a.toml:3".into(),
            path: "x".into(),
            message: message.into(),
        };
        let faulty = Faulty { faults: vec![fault("wrong")], warnings: vec![fault("unwise")] };
        let json: serde_json::Value = serde_json::from_str(&json_of(&faulty).unwrap()).unwrap();
        assert_eq!(json["valid"], false);
        let part = |message: &str| serde_json::json!([{"origin": "a.toml:3", "path": "x", "message": message}]);
        assert_eq!(json["faults"], part("wrong"));
        assert_eq!(json["warnings"], part("unwise"));
    }
}
