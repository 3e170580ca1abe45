//! Parts of the archive: diagnosis, configuration, settings, log, metrics and statistics of the database.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::super::args::{Doctor, Global, Json as Form, Source};
use super::super::ask::Sockets;
use super::super::doctor;
use super::part::Part;
use crate::blocking;
use crate::config::Backups;
use crate::daemon::{self, Assembly};
use crate::domain::{Redactor, Timestamp};
use crate::net::exchange::request;
use crate::net::http::{Connections, HttpOptions};
use crate::secrets;
use crate::store;

/// Lines of the log that are kept.
const LOG_LINES: &str = "500";
/// Longest wait for the log and the metrics.
const WAIT: Duration = Duration::from_secs(10);
/// Longest wait for a secret.
const SECRET_WAIT: Duration = Duration::from_secs(2);
/// Secrets of each redactor; one of several lines counts as many.
const SECRETS_EACH: usize = 16;
/// Largest text of metrics, in bytes.
const METRICS_MAX: usize = 8 * 1024 * 1024;

/// Gathers the parts; one that cannot be had says why.
pub(super) async fn gather(global: &Global, source: &Source, now: Timestamp) -> Vec<Part> {
    let assembly = daemon::open_partly(global.config.as_deref()).ok().map(|(found, _)| found);
    let redactors = match &assembly {
        Some(assembly) => redactors(assembly).await,
        None => Vec::new(),
    };
    let args = Doctor { fix_hints: false, source: source.clone(), form: Form { json: true } };
    let found = doctor::facts(global, &args, now).await;
    let doctor = match &found {
        Ok(facts) => pretty(&serde_json::to_value(doctor::diagnosis(facts)).unwrap_or_default()),
        Err(error) => format!("{error:#}"),
    };
    let store = found.as_ref().map_or(Json::Null, doctor::statistics);
    let backups = match &assembly {
        Some(assembly) => backups(&assembly.settings.backups).await,
        None => Json::Null,
    };
    let configuration = assembly.as_ref().map_or(Json::Null, configuration);
    let settings = assembly.as_ref().map(|one| format!("{:#?}\n", one.settings));
    let metrics = metrics(source, assembly.as_ref()).await.unwrap_or_else(|why| format!("{why}\n"));
    let log = log().await;
    let parts = [
        ("version.txt", "version of the program and the system", version()),
        ("doctor.json", "findings of `doctor`", doctor),
        (
            "configuration.json",
            "integrations and receivers without secrets",
            pretty(&configuration),
        ),
        ("settings.txt", "settings of the daemon", settings.unwrap_or_default()),
        ("store.json", "statistics of the database", pretty(&store)),
        ("backups.json", "schedule and folder of the backups, with those in it", pretty(&backups)),
        ("log.txt", "latest lines of the log", log),
        ("metrics.txt", "metrics of the daemon", metrics),
    ];
    let redacted = |(name, what, text): (_, _, String)| {
        let clean =
            |line: &str| redactors.iter().fold(line.to_owned(), |line, one| one.redact(&line));
        Part { name, what, text: text.lines().map(|line| clean(line) + "\n").collect() }
    };
    parts.into_iter().map(redacted).collect()
}

/// Returns redactors that know every secret that can be read here; one keeps a limited number.
async fn redactors(assembly: &Assembly) -> Vec<Redactor> {
    let mut all = Vec::new();
    for references in assembly.references.chunks(SECRETS_EACH) {
        let redactor = Redactor::default();
        for reference in references {
            if let Ok(Ok(secret)) = timeout(SECRET_WAIT, secrets::resolve(&reference.secret)).await
            {
                redactor.learn(&secret);
            }
        }
        all.push(redactor);
    }
    all
}

fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

fn version() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    format!("revalidated {version}\n{}{}", read("/proc/version"), read("/etc/os-release"))
}

/// Returns integrations and receivers as the store keeps them, without secrets.
fn configuration(assembly: &Assembly) -> Json {
    let parsed = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    let integrations = assembly.integrations.iter().map(|(name, one)| {
        let wanted = &one.wanted;
        let config = parsed(&wanted.config_shown);
        let schedule = format!("{} {}", wanted.schedule.text(), wanted.schedule.zone());
        let shown = json!({
            "type": wanted.kind, "labels": wanted.labels, "disabled": wanted.disabled,
            "schedule": schedule, "config": config,
        });
        (name, shown)
    });
    let receivers = assembly.receiver_tables.iter().map(|(name, table)| (name, parsed(table)));
    json!({
        "integrations": integrations.collect::<BTreeMap<_, _>>(),
        "receivers": receivers.collect::<BTreeMap<_, _>>(),
    })
}

/// Returns the settings of the backups, with instant and size of those in the folder; an error in place of what cannot
/// be read.
async fn backups(settings: &Backups) -> Json {
    let Backups { at, dir, keep } = settings;
    let place = dir.clone();
    let read = move || {
        let kept = store::backups(&place).map_err(|error| error.to_string())?;
        let shown = kept.iter().map(|one| {
            let bytes = std::fs::metadata(&one.path).map(|about| about.len()).ok();
            let file = one.path.file_name().unwrap_or_default().to_string_lossy();
            json!({ "at": one.at.to_string(), "file": file, "bytes": bytes })
        });
        Ok::<_, String>(shown.collect::<Json>())
    };
    let found = blocking::run("the backups", WAIT, read).await;
    let found = found.map_err(|error| error.to_string()).flatten();
    let at = at.as_ref().map(|at| format!("{} {}", at.text(), at.zone()));
    let (kept, error) = (found.as_ref().ok(), found.as_ref().err());
    json!({ "at": at, "dir": dir, "keep": keep, "kept": kept, "error": error })
}

/// Returns the latest lines of the service's log in the journal.
async fn log() -> String {
    let read = || {
        let unit = ["--unit", "revalidated", "--lines", LOG_LINES];
        let form = ["--no-pager", "--output", "short-iso", "--quiet"];
        doctor::said("journalctl", &[unit, form].concat())
    };
    let found = timeout(WAIT, spawn_blocking(read)).await;
    let found = found.ok().and_then(Result::ok).flatten().filter(|text| !text.trim().is_empty());
    found.unwrap_or_else(|| {
        "The journal has no log of the service, or may not be read.\n".to_owned()
    })
}

/// Returns the metrics of the daemon that runs, from its socket or else from the port of its metrics.
async fn metrics(source: &Source, assembly: Option<&Assembly>) -> Result<String, String> {
    let settings = assembly.map(|assembly| &assembly.settings);
    if let Some((200, body)) = Sockets::of(source, settings).reply("/metrics").await {
        return Ok(String::from_utf8_lossy(&body).into_owned());
    }
    let settings = settings.ok_or("The configuration cannot be read.")?;
    let address =
        settings.metrics.listen.ok_or("No socket answers, and [metrics] listen is not set.")?;
    let options =
        HttpOptions { connect_timeout: WAIT, total_timeout: WAIT, ..HttpOptions::default() };
    let connections = Connections::new(&options).map_err(|error| error.to_string())?;
    let built = http::Request::get(format!("http://{address}/metrics")).body(Vec::new());
    let built = request(built).map_err(|error| error.detail)?;
    let answer = connections.fetch(built, METRICS_MAX).await.map_err(|error| error.detail)?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}
