//! Tests of the checks: each finds what it is for, and nothing is found where all is well.

mod cases;
mod near;
mod well;

use super::*;
use crate::view::Liveness;
use cases::{CONFIGURATION, DAEMON, INSTALLATION, MACHINE, STORE};
use well::{HOUR, add, before, now, rows, well};

#[test]
fn nothing_is_found_where_all_is_well() {
    let diagnosis = diagnosis(&well());
    assert!(diagnosis.is_well && diagnosis.not_made.is_empty(), "{diagnosis:#?}");
    assert_eq!(diagnosis.checks, 31);
    assert_eq!(text(&diagnosis), "31 checks: nothing found.\n");
    assert_eq!(hints(&diagnosis), "");
}

#[test]
fn each_check_finds_what_it_is_for_and_no_other_check_does() {
    let mut left: std::collections::BTreeSet<_> = all().map(|(_, check)| check.name).collect();
    for (name, change, part) in [INSTALLATION, CONFIGURATION, STORE, MACHINE, DAEMON].concat() {
        let mut facts = well();
        change(&mut facts);
        let diagnosis = diagnosis(&facts);
        let of = |one: &&Finding| one.check == name;
        let found: Vec<_> = diagnosis.findings.iter().filter(of).collect();
        assert!(found.iter().any(|one| one.what.contains(part)), "{name}: {part}: {diagnosis:#?}");
        // A daemon that does not run is a finding of its own beside what it stands for.
        let others = diagnosis.findings.iter().filter(|one| !of(one) && one.check != "not-running");
        assert_eq!(others.count(), 0, "{name}: {diagnosis:#?}");
        for one in &diagnosis.findings {
            assert!(one.what.ends_with('.') || name == "configuration", "{}", one.what);
            assert!(!one.remediation.is_empty() && !one.what.contains("hunter2"), "{one:?}");
        }
        left.remove(name);
    }
    assert!(left.is_empty(), "without a case: {left:?}");
}

/// Asserts that each command of this program in a line is one.
fn assert_is_command(line: &str) {
    let parts = line.split("&&").map(str::trim).filter(|part| part.starts_with("revalidated "));
    for part in parts {
        let words = unit::words(part.split(" $(").next().unwrap());
        let is_cut = part.contains(" $(");
        let words = words.into_iter().chain(is_cut.then(|| "FILE".to_owned()));
        let parsed = <crate::cli::args::Arguments as clap::Parser>::try_parse_from(words);
        let is_version = parsed.as_ref().is_err_and(|error| !error.use_stderr());
        assert!(parsed.is_ok() || is_version, "{line}");
    }
}

#[test]
fn lines_to_type_are_commands_of_this_program() {
    for (_, check) in all() {
        assert_is_command(check.line);
    }
    for (_, change, _) in [INSTALLATION, CONFIGURATION, STORE, MACHINE, DAEMON].concat() {
        let mut facts = well();
        change(&mut facts);
        for finding in diagnosis(&facts).findings {
            assert_is_command(&finding.remediation);
        }
    }
}

#[test]
fn near_misses_are_no_findings() {
    let all = [near::INSTALLATION, near::CONFIGURATION, near::STORE, near::MACHINE, near::DAEMON];
    for (name, change) in all.concat() {
        let mut facts = well();
        change(&mut facts);
        let diagnosis = diagnosis(&facts);
        assert!(diagnosis.is_well, "{name}: {diagnosis:#?}");
    }
}

#[test]
fn young_installation_needs_no_backup_yet() {
    let mut facts = well();
    facts.files.backup = None;
    facts.files.database = Some((1, Some(before(HOUR))));
    rows(&mut facts).node.started_at = Some(before(HOUR));
    assert!(diagnosis(&facts).is_well);
}

#[test]
fn checks_that_cannot_be_made_are_listed_with_the_reason() {
    let mut facts = well();
    facts.service.unit = None;
    facts.machine.is_synchronised = None;
    rows(&mut facts).liveness = Liveness::Unknown;
    let diagnosis = diagnosis(&facts);
    let not_made: Vec<_> = diagnosis.not_made.iter().map(|one| one.check).collect();
    let expected = [
        "unit-outdated",
        "hardening-weakened",
        "program-not-allowed",
        "few-descriptors",
        "little-memory",
        "secret-in-environment",
        "credential-names",
        "clock",
        "not-running",
    ];
    assert_eq!(not_made, expected);
    assert!(diagnosis.is_well);
    let shown = text(&diagnosis);
    assert!(shown.contains("clock: not looked at, since this machine does not say"), "{shown}");
    assert!(shown.ends_with("22 checks: nothing found.\n"), "{shown}");
}

#[test]
fn finding_says_what_why_and_what_to_type() {
    let mut facts = well();
    add(&mut facts, "LimitNOFILE", "256");
    let diagnosis = diagnosis(&facts);
    let expected = "few-descriptors: LimitNOFILE=256 in /etc/x.conf is less than the 516 that 64 runs and 1 receivers can need.\n\
        Runs fail for want of file descriptors when many are due at once.\n\
        Fix: systemctl edit revalidated\n\n\
        31 checks: 1 finding.\n";
    assert_eq!(text(&diagnosis), expected);
    let hints = hints(&diagnosis);
    assert!(hints.starts_with("# few-descriptors: LimitNOFILE=256 in "), "{hints}");
    assert!(hints.ends_with("\nsystemctl edit revalidated\n"), "{hints}");
    let json = serde_json::to_value(&diagnosis).unwrap();
    assert_eq!(json["findings"][0]["group"], "installation");
    assert_eq!(json["isWell"], false);
}

/// A whole diagnosis of an installation without a database, as a new user would make it.
#[tokio::test]
async fn facts_are_gathered_without_a_daemon_and_without_changes() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main.toml");
    let store = folder.path().join("state.db");
    std::fs::write(&main, format!("[store]\npath = \"{}\"\n", store.display())).unwrap();
    let words =
        ["revalidated", "doctor", "--config", &main.display().to_string()].map(str::to_owned);
    let arguments = <crate::cli::args::Arguments as clap::Parser>::parse_from(words);
    let Some(crate::cli::args::Command::Doctor(args)) = arguments.command else { panic!() };
    let facts = gather::gather(&arguments.global, &args, now()).await;
    assert!(facts.rows.is_none() && facts.files.database.is_none());
    assert_eq!(facts.configuration.faults.len(), 0, "{:?}", facts.configuration.faults);
    let found = diagnosis(&facts);
    assert!(found.findings.iter().any(|one| one.check == "not-running"), "{found:#?}");
    assert!(!store.exists());
}

/// The same beside a database that a daemon has made and left.
#[tokio::test]
async fn facts_are_read_from_a_database_without_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main.toml");
    let path = folder.path().join("state.db");
    std::fs::write(&main, format!("[store]\npath = \"{}\"\n", path.display())).unwrap();
    crate::store::Store::open(&path.into()).await.unwrap().close().await.unwrap();
    let words =
        ["revalidated", "doctor", "--config", &main.display().to_string()].map(str::to_owned);
    let arguments = <crate::cli::args::Arguments as clap::Parser>::parse_from(words);
    let Some(crate::cli::args::Command::Doctor(args)) = arguments.command else { panic!() };
    let facts = gather::gather(&arguments.global, &args, now()).await;
    let found = facts.rows.as_ref().unwrap();
    assert_eq!(found.liveness, Liveness::Stopped);
    assert_eq!((found.events, found.damage.as_deref()), (0, Some(&[][..])));
    assert!(facts.files.database.is_some() && facts.files.unreadable.is_none());
    let found = diagnosis(&facts);
    let is_found = |name| found.findings.iter().any(|one| one.check == name);
    assert!(is_found("not-running") && !is_found("store-damaged"), "{found:#?}");
    let statistics = statistics(&facts);
    assert_eq!(statistics["rows"]["events"], 0, "{statistics}");
    assert_eq!(statistics["unreadable"], serde_json::Value::Null);
}
