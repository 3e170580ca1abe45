//! Recorded runs: a validation as a test case without names and secrets, and its replay.
//!
//! The tape is `net::record`. Redaction is by an allow-list (default deny): a word of an answer is kept when it
//! is a word of a protocol or of plain English, and is replaced by a placeholder otherwise, the same everywhere.
//! Requests are kept as names only. The format is that of `testcases/<case>/`, and answers of database servers are
//! in files of their own kind beside those over HTTP.

mod answers;
mod case;
mod configuration;
mod database;
mod folder;
mod pseudonym;
mod replay;
mod script;
mod shape;
mod slots;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json};

#[cfg(test)]
pub(crate) use case::Said;
pub(crate) use case::{Case, Reply, shown};
pub(crate) use folder::{check_absent, read, write};
pub(crate) use pseudonym::{Kind, Pseudonym};
#[cfg(test)]
pub(crate) use replay::Prepared;
pub(crate) use replay::{differences, replay};
#[cfg(test)]
pub(crate) use script::operation;

use self::pseudonym::Pseudonyms;
use self::slots::FOLDER;
use super::{Platform, RunContext};
use crate::domain::{Finding, Outcome, Report, TestResult};
use crate::net::tape::{Namer, Recording};

/// Variables that name files which a replay has in its own folder, and their names there.
const FILES: [(&str, &str, &str); 4] = [
    ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", "credentials"),
    ("AWS_CONFIG_FILE", ".aws/config", "config"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "", "web-identity"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "", "authorization"),
];

/// Run that was recorded, as it was.
pub(crate) struct Taken<'a> {
    /// Platform that was validated.
    pub(crate) platform: &'static Platform,
    /// Table `config` of the integration, with references in place of secrets.
    pub(crate) config: &'a str,
    /// True when the platform was set up automatically; none where it is not given.
    pub(crate) auto_bootstrap: Option<bool>,
    /// Circumstances of the run.
    pub(crate) context: RunContext,
    /// Report of the platform's own tests.
    pub(crate) report: Report,
    /// Exchanges of the run.
    pub(crate) recording: Recording,
}

/// Recorded run without names and secrets.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The case, as it is to be written.
    pub(crate) case: Case,
    /// Everything that was replaced.
    pub(crate) table: Vec<Pseudonym>,
    /// Differences of a replay from the run, one line each.
    pub(crate) differences: Vec<String>,
}

/// Returns the namer of the requests of `platform`.
pub(crate) fn namer(platform: &'static Platform) -> Namer {
    Box::new(|asked| super::operation_of(platform.operations, asked).to_owned())
}

/// Returns the run as a case without names and secrets, which was replayed once.
///
/// # Errors
///
/// Says why the run cannot be recorded.
pub(crate) async fn draft(taken: Taken<'_>) -> Result<Draft, String> {
    let Taken { platform, config, auto_bootstrap, context, report, recording } = taken;
    if recording.is_cut {
        return Err("the run is larger than a recording may be".to_owned());
    }
    let mut names = Pseudonyms::new(&context.redactor);
    let config: Json = serde_json::from_str(config).map_err(|error| error.to_string())?;
    let mut configured = configuration::configured(&mut names, &config).await?;
    let mut integration = case::circumstances(platform, &context);
    names.reading("name");
    let name = names.named(&context.name, Kind::Name);
    integration.insert("name".to_owned(), Json::from(name));
    if let (Some(flag), Json::Object(config)) = (auto_bootstrap, &mut configured.config) {
        config.insert("autoBootstrap".to_owned(), Json::from(flag));
    }
    let environment = environment(&mut names, &recording, &mut configured.files);
    let mut replies: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
    for exchange in &recording.exchanges {
        names.reading(&exchange.operation);
        let reply = answers::reply(&mut names, &exchange.outcome);
        replies.entry(exchange.operation.clone()).or_default().push(reply);
    }
    names.reading("report");
    let expected = shown(&redacted(&mut names, &report), &[]);
    integration.insert("config".to_owned(), configured.config);
    integration.insert("files".to_owned(), Json::Object(configured.files));
    integration.insert("environment".to_owned(), Json::Object(environment));
    let mut case = Case { integration: Json::Object(integration), replies, expected };
    let found = replay(&case).await?;
    let mut differences = Vec::new();
    if replay::have_equal_verdicts(&case.expected, &found) {
        case.expected = found;
    } else if let (Json::Object(expected), Some(requests)) =
        (&mut case.expected, found.get("requests"))
    {
        expected.insert("requests".to_owned(), requests.clone());
        differences = replay::differences(&case.expected, &found);
    }
    Ok(Draft { case, table: names.into_table(), differences })
}

/// Returns the environment of the credentials that were found on the machine, and adds the files that it names.
fn environment(
    names: &mut Pseudonyms,
    recording: &Recording,
    files: &mut Map<String, Json>,
) -> Map<String, Json> {
    let mut replaced = Map::new();
    for (path, content) in &recording.files {
        names.reading("environment");
        let known = FILES.iter().find(|(variable, usual, _)| {
            recording.variables.get(*variable) == Some(path)
                || (!usual.is_empty() && path.ends_with(usual))
        });
        let Some((variable, _, file)) = known else { continue };
        let in_folder = format!("{FOLDER}/{file}");
        names.exactly(path, &in_folder);
        replaced.insert((*variable).to_owned(), Json::from(in_folder));
        let text = names.text(&String::from_utf8_lossy(content));
        files.insert((*file).to_owned(), Json::from(text));
    }
    for (variable, value) in &recording.variables {
        if !replaced.contains_key(variable) {
            let is_path = Path::new(value).is_absolute();
            let value = if is_path { format!("{FOLDER}/missing") } else { names.text(value) };
            replaced.insert(variable.clone(), Json::from(value));
        }
    }
    replaced
}

/// Returns a report without names.
fn redacted(names: &mut Pseudonyms, report: &Report) -> Report {
    let results = report.tests.iter().map(|TestResult { test, outcome }| {
        let outcome = match outcome {
            Outcome::Passed(message) => {
                Outcome::Passed(message.as_ref().map(|text| names.text(text)))
            }
            Outcome::Skipped(reason) => Outcome::Skipped(names.text(reason)),
            Outcome::Failed(found) => Outcome::Failed(redacted_finding(names, found)),
            Outcome::Warning(found) => Outcome::Warning(redacted_finding(names, found)),
        };
        TestResult { test: *test, outcome }
    });
    Report { tests: results.collect() }
}

fn redacted_finding(names: &mut Pseudonyms, finding: &Finding) -> Finding {
    Finding {
        message: names.text(&finding.message),
        remediation: finding.remediation.as_ref().map(|text| names.text(text)),
        evidence: finding.evidence.as_ref().map(|text| names.text(text)),
        ..finding.clone()
    }
}
