//! Checks of the configuration, its secrets, schedules and receivers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;

use super::check::{Check, Found, Look, Looked, listed, named};
use super::facts::Facts;
use super::unit::Unit;
use crate::daemon::{Assembled, Assembly};
use crate::domain::{About, EventType, Policy, SecretRef};
use crate::input::Fault;

/// Reason why checks of the configuration cannot be made.
const UNREADABLE: &str = "the configuration cannot be read";
/// Most findings of one check.
const FOUND_MAX: usize = 50;
/// Beginning of the warning about a file with a secret that others can read.
const READABLE: &str = "contains a secret and has mode";
/// Beginning of the warning about a secret in the configuration itself.
const LITERAL: &str = "the configuration contains the secret itself";
/// Beginning of the problem of a credential that the unit does not give.
const NOT_GIVEN: &str = "the unit revalidated.service gives no credential";
/// Duration of a run of which none is known yet.
const RUN: Duration = Duration::from_secs(5);
/// Settings of a unit that give it credentials.
const GIVING: [&str; 4] =
    ["LoadCredential", "LoadCredentialEncrypted", "SetCredential", "SetCredentialEncrypted"];
/// Keys of references to secrets.
const REFERENCES: [&str; 3] = ["file", "env", "credential"];
/// Ends of keys whose files are public.
const PUBLIC: [&str; 3] = ["certificate", "_ca", ".ca"];
/// Variables that the program reads besides those of settings.
const READ: [&str; 3] = ["REVALIDATED_AUTHOR", "REVALIDATED_CONFIG", "REVALIDATED_LOG"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "configuration",
        finds: "The configuration has a fault or a warning of `check`, or a secret that cannot be used.",
        why: "A faulty configuration is refused, and what a warning is about does not work as it looks.",
        line: "revalidated check",
        look: Look::Always(checked),
    },
    Check {
        name: "readable-secrets",
        finds: "Others than the owner can read a file that holds a secret.",
        why: "Every user of the machine, or of its group, can act as the integration or forge messages.",
        line: "chmod 600 FILE",
        look: Look::Always(readable),
    },
    Check {
        name: "literal-secrets",
        finds: "The configuration contains a secret itself.",
        why: "Copies, backups and version control of the configuration then hold it too.",
        line: "systemd-creds encrypt - /etc/revalidated/secrets/NAME",
        look: Look::Always(literal),
    },
    Check {
        name: "credential-names",
        finds: "The configuration and the unit name different credentials.",
        why: "A credential that the unit does not give fails each run; one that nothing uses is a secret too many.",
        line: "systemctl edit revalidated",
        look: Look::Where(credentials),
    },
    Check {
        name: "unread-variables",
        finds: "A variable whose name begins with REVALIDATED is read by nothing.",
        why: "Whoever set it believes that it works.",
        line: "systemctl edit revalidated",
        look: Look::Always(variables),
    },
    Check {
        name: "too-many-runs",
        finds: "More runs are due than the limits allow within their schedules, or confirming runs take longer than a \
                schedule's period.",
        why: "Runs then come late, each time later, or a failure is confirmed only after several periods.",
        line: "revalidated next '*/15 * * * *'",
        look: Look::Where(schedules),
    },
    Check {
        name: "unheard-failures",
        finds: "No receiver would be notified of the failure of an integration.",
        why: "It can fail for weeks before anyone looks.",
        line: "revalidated check",
        look: Look::Where(unheard),
    },
    Check {
        name: "several-secrets",
        finds: "Integrations log in as one principal with different secrets.",
        why: "One of the secrets is likely old, and refusals of it lock the principal out for all of them.",
        line: "revalidated list",
        look: Look::Where(principals),
    },
];

fn assembly(facts: &Facts) -> Result<&Assembly, &'static str> {
    facts.configuration.assembly.as_ref().ok_or(UNREADABLE)
}

fn begins(fault: &Fault, beginning: &str) -> bool {
    fault.message.starts_with(beginning)
}

fn checked(facts: &Facts) -> Vec<Found> {
    let configuration = &facts.configuration;
    let of_others = |fault: &&Fault| {
        [READABLE, LITERAL, NOT_GIVEN].iter().any(|beginning| begins(fault, beginning))
            || fault.path == "store.path"
            || fault.path.starts_with("receiver ")
    };
    let all = configuration.faults.iter().chain(&configuration.warnings);
    let all = all.chain(&configuration.secrets).filter(|fault| !of_others(fault));
    all.take(FOUND_MAX).map(|fault| Found::new(fault.to_string())).collect()
}

fn readable(facts: &Facts) -> Vec<Found> {
    let configuration = &facts.configuration;
    let exposed = configuration.warnings.iter().filter(|fault| begins(fault, READABLE));
    let exposed = exposed.map(|fault| {
        Found::new(format!("{fault}.")).type_in(format!("chmod 600 {}", fault.origin))
    });
    let open = configuration.modes.iter().filter(|(_, mode)| **mode & 0o077 != 0);
    let open = open.map(|(path, mode)| {
        let path = path.display();
        let what = format!("{path}, which holds a secret, has mode {mode:03o}.");
        Found::new(what).type_in(format!("chmod 600 {path}"))
    });
    exposed.chain(open).take(FOUND_MAX).collect()
}

fn literal(facts: &Facts) -> Vec<Found> {
    let configuration = &facts.configuration;
    let all = configuration.faults.iter().chain(&configuration.warnings);
    let all = all.filter(|fault| begins(fault, LITERAL));
    all.take(FOUND_MAX)
        .map(|fault| Found::new(format!("{}: {}.", fault.origin, fault.path)))
        .collect()
}

fn credentials(facts: &Facts) -> Looked {
    let unit = facts.service.unit.as_ref();
    let unit = unit.ok_or("the unit revalidated.service is not installed")?;
    let named: BTreeSet<_> = assembly(facts)?
        .references
        .iter()
        .filter_map(|one| match &one.secret {
            SecretRef::Credential(name) => Some(name.as_str()),
            SecretRef::Literal(_) | SecretRef::File(_) | SecretRef::Env(_) => None,
        })
        .collect();
    let given = GIVING.iter().flat_map(|key| unit.all(key));
    let given: BTreeSet<_> =
        given.map(|one| one.value.split(':').next().unwrap_or_default().trim()).collect();
    let imports = unit.all("ImportCredential");
    let is_imported = |name: &str| {
        imports.iter().any(|one| match one.value.split(':').next().unwrap_or_default() {
            pattern if pattern.ends_with('*') => name.starts_with(pattern.trim_end_matches('*')),
            pattern => pattern == name,
        })
    };
    // A folder gives each of its files under the name of the folder, an underscore and the file's name.
    let is_of_folder = |name: &str| given.iter().any(|one| name.starts_with(&format!("{one}_")));
    let is_given = |name: &&&str| given.contains(**name) || is_imported(name) || is_of_folder(name);
    let mut found = Vec::new();
    for name in named.iter().filter(|name| !is_given(name)) {
        let what =
            format!("The configuration names the credential {name}, which the unit does not give.");
        found.push(Found::new(what).type_in(format!(
            "printf '[Service]\\nLoadCredential={name}:/etc/revalidated/secrets/{name}\\n' | systemctl edit --stdin --drop-in={name}.conf revalidated"
        )));
    }
    let is_used = |name: &str| {
        named.contains(name) || named.iter().any(|one| one.starts_with(&format!("{name}_")))
    };
    for name in given.iter().filter(|name| !is_used(name)) {
        found
            .push(Found::new(format!("The unit gives the credential {name}, which nothing uses.")));
    }
    Ok(found)
}

fn variables(facts: &Facts) -> Vec<Found> {
    let of_unit = facts.service.unit.iter().flat_map(Unit::environment);
    let of_unit = of_unit.map(|(name, _, _)| name);
    let names: BTreeSet<_> = facts.environment.keys().cloned().chain(of_unit).collect();
    let is_unread = |name: &&String| {
        name.to_ascii_uppercase().starts_with("REVALIDATED")
            && !name.starts_with("REVALIDATED__")
            && !READ.contains(&name.as_str())
    };
    let unread: Vec<_> = names.iter().filter(is_unread).collect();
    named(&unread, |names| {
        format!("Nothing reads {names}; settings are called REVALIDATED__SECTION__KEY.")
    })
}

/// Integrations that are validated.
fn enabled(assembly: &Assembly) -> impl Iterator<Item = &Assembled> {
    assembly.integrations.values().filter(|one| !one.wanted.disabled)
}

fn schedules(facts: &Facts) -> Looked {
    let assembly = assembly(facts)?;
    let runs = facts.rows.iter().flat_map(|rows| &rows.statuses);
    let durations: BTreeMap<_, _> =
        runs.filter_map(|row| Some((row.name.as_str(), row.last_run.as_ref()?.duration))).collect();
    let mut work: BTreeMap<Option<&str>, u128> = BTreeMap::new();
    for one in enabled(assembly) {
        let period = one.wanted.schedule.period(facts.now).as_micros().max(1);
        let took = durations.get(one.wanted.name.as_str()).unwrap_or(&RUN);
        // Millionths of one run that goes on for ever.
        let share = took.as_micros().saturating_mul(1_000_000) / period;
        *work.entry(None).or_default() += share;
        if !one.identity.host.is_empty() {
            *work.entry(Some(one.identity.host.as_str())).or_default() += share;
        }
    }
    let limits = &assembly.settings.limits;
    let mut found = Vec::new();
    for (host, work) in work {
        let (limit, key) = match host {
            None => (limits.runs, "runs"),
            Some(_) => (limits.runs_per_host, "runs_per_host"),
        };
        let most = u128::try_from(limit).unwrap_or(u128::MAX).saturating_mul(1_000_000);
        if most < work {
            let at = host.map_or_else(String::new, |host| format!(" at {host}"));
            let percent = work.saturating_mul(100) / most.max(1);
            found.push(Found::new(format!(
                "The schedules need {percent} % of the concurrent runs{at} that [limits] {key} = {limit} allows."
            )));
        }
    }
    let late: Vec<_> = enabled(assembly)
        .filter(|one| {
            let took = confirming(&one.policy);
            took.is_some_and(|took| one.wanted.schedule.period(facts.now) < took)
        })
        .map(|one| one.wanted.name.as_str())
        .collect();
    found.extend(named(&late, |names| {
        format!("The confirming runs of {names} take longer than the period of the schedule.")
    }));
    Ok(found)
}

/// Returns the time that runs take which a key asks for in place of the rule of evidence.
fn confirming(policy: &Policy) -> Option<Duration> {
    if policy.confirm_runs.is_none() && policy.confirm_wait.is_none() {
        return None;
    }
    let wait = policy.confirm_wait.unwrap_or(Duration::from_mins(1));
    Some(wait.saturating_mul(policy.confirm_runs.unwrap_or(3).saturating_sub(1)))
}

fn unheard(facts: &Facts) -> Looked {
    let assembly = assembly(facts)?;
    let is_heard = |one: &&Assembled| {
        let (name, kind, labels) = (&one.wanted.name, &one.wanted.kind, &one.wanted.labels);
        let about = About { name, kind, labels };
        let mut receivers = assembly.receivers.iter();
        receivers.any(|one| one.subscription.wants(EventType::ValidationFailed, about))
    };
    let unheard: Vec<_> =
        enabled(assembly).filter(|one| !is_heard(one)).map(|one| &one.wanted.name).collect();
    if assembly.receivers.is_empty() && !unheard.is_empty() {
        let what =
            format!("There is no receiver, so that failures of {} stay unheard.", listed(&unheard));
        return Ok(vec![Found::new(what)]);
    }
    Ok(named(&unheard, |names| format!("No receiver is notified of failures of {names}.")))
}

fn principals(facts: &Facts) -> Looked {
    let mut by_principal: BTreeMap<&str, BTreeMap<BTreeSet<String>, Vec<&str>>> = BTreeMap::new();
    for one in enabled(assembly(facts)?) {
        let Some(principal) = one.identity.principal.as_deref() else { continue };
        let mut secrets = BTreeSet::new();
        let config = serde_json::from_str(&one.wanted.config).unwrap_or_default();
        add_references(&config, &mut secrets);
        let by_secrets = by_principal.entry(principal).or_default();
        by_secrets.entry(secrets).or_default().push(&one.wanted.name);
    }
    let several = by_principal.into_iter().filter(|(_, by_secrets)| 1 < by_secrets.len());
    let found = several.map(|(principal, by_secrets)| {
        let groups: Vec<_> = by_secrets.values().map(|names| listed(names)).collect();
        Found::new(format!("{principal} logs in with different secrets: {}.", groups.join("; ")))
    });
    Ok(found.take(FOUND_MAX).collect())
}

/// Adds the references to secrets in a configuration.
fn add_references(config: &Json, found: &mut BTreeSet<String>) {
    match config {
        Json::Object(entries) => {
            let single = entries.iter().next().filter(|_| entries.len() == 1);
            match single {
                Some((key, Json::String(place))) if REFERENCES.contains(&key.as_str()) => {
                    found.insert(format!("{key} {place}"));
                }
                Some(_) | None => entries.values().for_each(|value| add_references(value, found)),
            }
        }
        Json::Array(values) => values.iter().for_each(|value| add_references(value, found)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Returns the files of secrets that a configuration refers to.
pub(super) fn secret_files(assembly: &Assembly) -> BTreeSet<&Path> {
    let is_public = |path: &str| PUBLIC.iter().any(|end| path.ends_with(end));
    let references = assembly.references.iter().filter(|one| !is_public(&one.path));
    let files = references.filter_map(|one| match &one.secret {
        SecretRef::File(path) => Some(path.as_path()),
        SecretRef::Literal(_) | SecretRef::Env(_) | SecretRef::Credential(_) => None,
    });
    files.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_to_secrets_are_found_wherever_they_are() {
        let config = json!({
            "host": "h", "port": 1, "password": { "credential": "a" },
            "oAuth": { "clientSecret": { "env": "B" }, "file": "no reference beside others" },
            "proxies": [{ "password": { "file": "/c" } }, { "password": "[REDACTED]" }],
        });
        let mut found = BTreeSet::new();
        add_references(&config, &mut found);
        let expected = ["credential a", "env B", "file /c"];
        assert_eq!(found, expected.map(str::to_owned).into());
    }

    #[test]
    fn time_of_confirming_runs_is_that_of_the_waits_between_them() {
        let rule = Policy::default();
        assert_eq!(confirming(&rule), None);
        let runs = Policy { confirm_runs: Some(4), ..rule };
        assert_eq!(confirming(&runs), Some(Duration::from_mins(3)));
        let wait = Policy { confirm_wait: Some(Duration::from_secs(5)), ..rule };
        assert_eq!(confirming(&wait), Some(Duration::from_secs(10)));
        let once = Policy { confirm_runs: Some(1), ..rule };
        assert_eq!(confirming(&once), Some(Duration::ZERO));
    }
}
