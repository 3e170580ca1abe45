//! Configurations and reports that tests make.

use std::collections::BTreeMap;

use super::super::*;
use crate::domain::{
    Class, Factor, Finding, Observed, Outcome, Pool, Report, Schedule, Subject, Test, TestResult,
};

pub(super) fn schedule() -> Schedule {
    Schedule::parse("0 * * * *", "UTC").unwrap()
}

pub(in crate::domain::ledger) fn wanted(name: &str) -> Wanted {
    Wanted {
        name: name.to_owned(),
        formerly: None,
        id: None,
        kind: "Redshift".to_owned(),
        auto_bootstrap: Some(false),
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        disabled: false,
        schedule: schedule(),
        config: r#"{"host":"one"}"#.to_owned(),
        config_shown: r#"{"host":"one"}"#.to_owned(),
        catalog_version: 1,
        factors: Vec::<Factor>::new(),
        run_on: Pool::default(),
    }
}

pub(super) fn with_config(config: &str) -> Wanted {
    Wanted { config: config.to_owned(), ..wanted("one") }
}

pub(super) fn report(outcomes: Vec<Outcome>) -> Report {
    let tests = [Test::always("first", ""), Test::always("second", "")];
    let results = tests.into_iter().zip(outcomes);
    Report { tests: results.map(|(test, outcome)| TestResult { test, outcome }).collect() }
}

pub(super) fn passed() -> Report {
    report(vec![Outcome::Passed(None), Outcome::Passed(None)])
}

pub(super) fn failed(class: Class) -> Report {
    let finding = Finding::new(class, "no").fix("GRANT it");
    report(vec![Outcome::Passed(None), Outcome::Failed(finding)])
}

pub(super) fn warned(message: &str) -> Report {
    let finding = Finding::new(Class::Denied, message);
    report(vec![Outcome::Passed(None), Outcome::Warning(finding)])
}

pub(super) fn found(subject: Subject, report: Report) -> SubjectRun {
    SubjectRun { subject, report, observed: Observed::default(), own_fault: None }
}
