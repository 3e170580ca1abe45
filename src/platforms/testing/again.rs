//! Recorded cases, recorded once more as `validate --record` does: without a name or a secret of theirs, and
//! with the same verdicts when they are replayed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::echo::credentials;
use super::{Server, Subject, cases, config, context};
use crate::domain::Report;
use crate::domain::echo::echoes;
use crate::input::{Faults, Reader, Value};
use crate::net::record::recorded;
use crate::net::tape::Recording;
use crate::platforms::record::{Case, Draft, Taken, draft, namer};
use crate::platforms::{Mode, Platform, RunContext, Validated, find};

/// Shortest text of a configuration that is looked for.
const NAME_MIN: usize = 5;
/// Names that are words of protocols, or are the same everywhere.
const PUBLIC: [&str; 9] = [
    "probe",
    "revalidated",
    "immuta",
    "immuta_system",
    "IMMUTA",
    "IMMUTA_IMPERSONATION",
    "system",
    "s3://",
    "tenant/../x",
];
/// Number of cases that run at once: more of them would wait for the processor until their limits.
const RUNS_MAX: usize = 8;

/// Configuration of a case as a user would have it, and the environment of the machine.
pub(in crate::platforms) struct Recorded {
    /// Table `config` of the integration.
    pub(in crate::platforms) config: Json,
    /// Environment variables of credentials.
    pub(in crate::platforms) environment: HashMap<String, String>,
}

impl Recorded {
    /// Returns a machine without an environment.
    pub(in crate::platforms) fn plain(config: &Json) -> Self {
        Self { config: config.clone(), environment: HashMap::new() }
    }
}

/// Records every case of `subject` again, each on the machine that it is written for.
pub(in crate::platforms) async fn recorded_again(
    subject: Subject,
    kind: &str,
    machine: fn(&Json) -> Recorded,
) {
    let platform = find(kind).unwrap();
    let mut running = tokio::task::JoinSet::new();
    let permits = Arc::new(Semaphore::new(RUNS_MAX));
    for entry in std::fs::read_dir(cases(subject.folder)).unwrap() {
        let case = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(case.join("integration.json")) else { continue };
        let given: Json = serde_json::from_str(&text).unwrap();
        if given.get("type").is_none() && !is_refused(&given) {
            let permits = Arc::clone(&permits);
            running.spawn(async move {
                let _permit = permits.acquire_owned().await.unwrap();
                again(subject, platform, (case, given), machine).await
            });
        }
    }
    let wrong: Vec<_> = running.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

/// True for a case whose server hangs up before it speaks HTTP.
fn is_refused(given: &Json) -> bool {
    given["tls"].as_str().is_some_and(|tls| tls != "trusted")
}

async fn again(
    subject: Subject,
    platform: &'static Platform,
    (dir, given): (PathBuf, Json),
    machine: fn(&Json) -> Recorded,
) -> Result<(), String> {
    let name = dir.file_name().unwrap().to_str().unwrap().to_owned();
    let server = Server::start(&subject, &dir, given["tls"].as_str()).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&given, &server, folder.path());
    let validator = (subject.validator)(&config);
    let mut run =
        context(if given["mode"] == "preflight" { Mode::Preflight } else { Mode::Recurring });
    "integration-of-the-case".clone_into(&mut run.name);
    if let Some(limit) = given["testLimit"].as_str() {
        run.test_limit = limit.parse::<jiff::SignedDuration>().unwrap().unsigned_abs();
    }
    let (Validated { report, .. }, mut recording) =
        recorded(namer(platform), validator.validate(&run)).await;
    let sent = server.seen().iter().flat_map(credentials).collect();
    let is_timed = given["testLimit"].is_string();
    let names = names(&config);
    let Recorded { config, environment } = machine(&config);
    recording.variables = environment;
    let run = Run { platform, config, context: run, report, recording };
    let leaks = Leaks { secrets: subject.secrets, sent, names, is_timed };
    leaks.checked(&name, run, folder.path()).await
}

/// Run that was recorded, with the configuration as a user would have it.
pub(in crate::platforms) struct Run {
    /// Platform that was validated.
    pub(in crate::platforms) platform: &'static Platform,
    /// Table `config` of the integration.
    pub(in crate::platforms) config: Json,
    /// Circumstances of the run.
    pub(in crate::platforms) context: RunContext,
    /// Report of the platform's own tests.
    pub(in crate::platforms) report: Report,
    /// Exchanges of the run.
    pub(in crate::platforms) recording: Recording,
}

/// Texts that a recording must not have.
pub(in crate::platforms) struct Leaks {
    /// Fragments of secrets that no file has.
    pub(in crate::platforms) secrets: &'static [&'static str],
    /// Credentials that were sent.
    pub(in crate::platforms) sent: Vec<String>,
    /// Names of the configuration; see [`names`].
    pub(in crate::platforms) names: Vec<String>,
    /// True when a limit of time decides, and which one depends on the machine.
    pub(in crate::platforms) is_timed: bool,
}

impl Leaks {
    /// Makes a case of `run`, and says how it differs from the run, or which name it shows. A secret is a failure.
    pub(in crate::platforms) async fn checked(
        &self,
        name: &str,
        run: Run,
        folder: &Path,
    ) -> Result<(), String> {
        let Run { platform, config: mut plain, context, report, recording } = run;
        let auto_bootstrap = plain["autoBootstrap"].as_bool();
        plain.as_object_mut().unwrap().remove("autoBootstrap");
        let flag = auto_bootstrap.unwrap_or_default();
        let referring = referring(platform, plain, flag, folder).to_string();
        let config = &referring;
        let taken = Taken { platform, config, auto_bootstrap, context, report, recording };
        let Draft { case, differences, .. } =
            draft(taken).await.map_err(|why| format!("{name}: {why}"))?;
        let files = case.files();
        let is_nameless = |file: &String| file.starts_with("other.");
        assert!(!files.keys().any(is_nameless), "{name} has a nameless request");
        let all: String = files.values().map(String::as_str).collect();
        for secret in &self.sent {
            assert!(!shows(&all, secret), "{name} shows {secret} in {all}");
        }
        for secret in self.secrets.iter().filter(|secret| !secret.contains("KEY")) {
            assert!(!all.contains(secret), "{name} shows {secret} in {all}");
        }
        let shown: Vec<_> = self.names.iter().filter(|name| all.contains(*name)).collect();
        if !shown.is_empty() {
            return Err(format!("{name} shows {shown:?} in {all}"));
        }
        assert_eq!(Case::read(&files).unwrap(), case, "{name}");
        if differences.is_empty() || self.is_timed {
            return Ok(());
        }
        Err(format!("{name}: {}\n{all}", differences.join("\n")))
    }
}

/// True when `text` has twelve consecutive bytes of a spelling of `secret`.
fn shows(text: &str, secret: &str) -> bool {
    let is_shown = |piece| str::from_utf8(piece).is_ok_and(|piece| text.contains(piece));
    echoes(secret).iter().any(|echo| echo.as_bytes().windows(12).any(is_shown))
}

/// Returns a configuration with each secret in a file of its own.
fn referring(platform: &Platform, mut plain: Json, auto_bootstrap: bool, folder: &Path) -> Json {
    let value = Value::from_json(&plain, &"case".into());
    let faults = Faults::default();
    let reader = Reader::new(&value, "", &faults).unwrap();
    (platform.parse)(reader, auto_bootstrap);
    for (number, path) in faults.secret_paths().iter().enumerate() {
        let pointer = path.replace(['.', '['], "/").replace(']', "");
        let Some(place) = plain.pointer_mut(&format!("/{pointer}")) else { continue };
        if let Some(secret) = place.as_str() {
            let file = folder.join(format!("secret-{number}"));
            std::fs::write(&file, secret).unwrap();
            *place = serde_json::json!({ "file": file });
        }
    }
    plain
}

fn is_public(text: &str) -> bool {
    PUBLIC.contains(&text) || text.contains("example-project")
}

/// Returns the texts of a configuration that name something of its own.
pub(in crate::platforms) fn names(config: &Json) -> Vec<String> {
    let public = [
        "authenticationType",
        "awsRegion",
        "cloud",
        "location",
        "provider",
        "requiredPrivileges",
        "scope",
        "type",
        "universeDomain",
        "connectTimeout",
        "readTimeout",
        "encryption",
        "environment",
        "pausedPool",
        "credential",
        "caFile",
        "endpoints",
        "endpoint",
        "authority",
        "authorityUrl",
        "workspaceUrl",
        "url",
        "tls",
        "token_url",
        "host",
    ];
    match config {
        Json::Object(entries) => {
            let own = entries.iter().filter(|(key, _)| !public.contains(&key.as_str()));
            own.flat_map(|(_, item)| names(item)).collect()
        }
        Json::Array(items) => items.iter().flat_map(names).collect(),
        Json::String(text) if NAME_MIN <= text.len() && !is_public(text) => {
            vec![text.clone()]
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    }
}
