//! Recorded exchanges: what platform folders keep in `testcases/<case>/`, served to the real client.
//!
//! A case is a folder:
//! - `integration.json`: `config` (`@server@` stands for the address of the server, `@host@` and
//!   `@port@` for its parts, `@ca@` for a file with its certificate authority), and perhaps `mode`
//!   (`preflight`), `testLimit` (such as `PT1S`), `files` (name to content, `@dir@` is their folder)
//!   and `tls`: `trusted`, or `untrusted` or `expired` or `otherName` for a certificate that must be
//!   refused, or `broken` for a server that hangs up;
//! - `<operation>.http`, or `<operation>.<number>.http` for one request of several: the source of the
//!   answer in a line that begins with `# `, the status (or `silence`), headers, an empty line, the
//!   body, `@server@` in it being the address. An operation without a file is answered as in the
//!   case `all-well`. Beside real headers there are `x-repeat: N`, which sends the body N times, and `x-cut: 1`, which breaks off;
//!   `no-answer CLASS` as the status is an exchange without a whole answer, for the reason in the body;
//! - `expected.json`: the report, and the requests that led to it. What was found instead is written
//!   to `target/testcases/<folder>/<case>.json`.
//!
//! A case with a `type` in `integration.json` was recorded by `validate --record`: its requests go to the
//! server whatever address they name, and have the names that `Platform::operations` gives them.

mod again;
mod bodies;
mod echo;
mod factors;
mod grants;
mod observed;
mod retried;
mod sample;
mod server;
mod stand_in;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

pub(in crate::platforms) use crate::input::fuzz::fuzz;
pub(in crate::platforms) use again::{Leaks, Recorded, Run, names, recorded_again};
pub(in crate::platforms) use bodies::recorded_bodies;
pub(in crate::platforms) use echo::{credentials, echo_is_hidden, flat, nested, page, xml};
pub(in crate::platforms) use grants::folder_of;
pub(in crate::platforms) use observed::{facts_of, facts_of_case, lines_of, token_of};
pub(in crate::platforms) use retried::{Retried, none_is_definitive};
pub(in crate::platforms) use sample::sample_config;
pub(in crate::platforms) use server::{Seen, Server};
pub(in crate::platforms) use stand_in::StandIn;

pub(in crate::platforms) use super::record::shown;
use super::record::{self, Prepared};
use super::{Mode, Platform, RunContext, Validated, Validator};
use crate::domain::Redactor;
use crate::input::{Faults, Reader, Value};
use crate::net::observe::observed;
use crate::net::record::replayed;
use crate::net::tape::World;

/// The clock of every run.
pub(in crate::platforms) const NOW: &str = "2026-11-22T21:00:00Z";

/// The platform whose cases are replayed.
#[derive(Clone, Copy)]
pub(in crate::platforms) struct Subject {
    /// Its folder, such as `databricks`.
    pub(in crate::platforms) folder: &'static str,
    /// Its validator for a `config` that must be right; see [`validator`].
    pub(in crate::platforms) validator: fn(&Json) -> Box<dyn Validator>,
    /// The operation that a request asks for: the list of what may be sent. None is a failure.
    pub(in crate::platforms) operation: fn(&Seen) -> Option<String>,
    /// Checks each request further.
    pub(in crate::platforms) check: fn(&Seen),
    /// Returns the line of a request in `expected.json`; parts that differ between runs are left
    /// out.
    pub(in crate::platforms) shown: fn(&Seen) -> String,
    /// Fragments that no report, fact, request line or debug text may contain.
    pub(in crate::platforms) secrets: &'static [&'static str],
    /// The least number of cases.
    pub(in crate::platforms) cases_min: usize,
}

/// A recurring run with the usual limits.
pub(crate) fn context(mode: Mode) -> RunContext {
    RunContext {
        name: "lake".to_owned(),
        mode,
        everyone: Arc::default(),
        test_limit: Duration::from_secs(30),
        run_limit: Duration::from_mins(2),
        now: NOW.parse().unwrap(),
        redactor: Redactor::default(),
        log_ins: crate::platforms::LogIns::default(),
    }
}

/// The validator of `config`, which must be right.
pub(in crate::platforms) fn validator(platform: &Platform, config: &Json) -> Box<dyn Validator> {
    let (validator, faults) = parsed(platform, config);
    assert!(faults.is_empty(), "{faults:?}");
    validator.unwrap()
}

/// Parses `config` with the platform, in which `autoBootstrap` may stand for that of the
/// integration, and returns the faults too.
pub(in crate::platforms) fn parsed(
    platform: &Platform,
    config: &Json,
) -> (Option<Box<dyn Validator>>, Vec<String>) {
    let mut config = config.clone();
    let given = config.as_object_mut().and_then(|table| table.remove("autoBootstrap"));
    let auto_bootstrap = given.is_some_and(|given| given.as_bool().unwrap());
    let value = Value::from_json(&config, &"case".into());
    let faults = Faults::default();
    let reader = Reader::new(&value, "config", &faults).unwrap();
    let validator = (platform.parse)(reader, auto_bootstrap);
    let faults = faults.into_parts().0.iter().map(ToString::to_string).collect();
    (validator, faults)
}

/// The cases of a platform folder.
pub(in crate::platforms) fn cases(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/platforms").join(folder).join("testcases")
}

/// Replays every case of `subject`.
pub(in crate::platforms) async fn replay(subject: Subject) {
    let entries = std::fs::read_dir(cases(subject.folder)).unwrap();
    let found: Vec<_> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert!(subject.cases_min <= found.len(), "only {} cases", found.len());
    let running: Vec<_> =
        found.into_iter().map(|case| tokio::spawn(replay_one(subject, case))).collect();
    let mut wrong = Vec::new();
    for case in running {
        wrong.extend(case.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

async fn replay_one(subject: Subject, case: PathBuf) -> Result<(), String> {
    let name = case.file_name().unwrap().to_str().unwrap().to_owned();
    let read = |name: &str| -> Json {
        let text = std::fs::read_to_string(case.join(name)).unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&text).unwrap()
    };
    let given = read("integration.json");
    if given.get("type").is_some() {
        return replay_recorded(subject, &case).await;
    }
    let server = Server::start(&subject, &case, given["tls"].as_str()).await;
    let dir = tempfile::tempdir().unwrap();
    let config = config(&given, &server, dir.path());
    let validator = (subject.validator)(&config);
    let preflight = given["mode"] == "preflight";
    let mut run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
    if let Some(limit) = given["testLimit"].as_str() {
        let limit: jiff::SignedDuration = limit.parse().unwrap();
        run.test_limit = limit.unsigned_abs();
    }
    let (Validated { report, observed }, by_net) = observed(validator.validate(&run)).await;
    let seen = server.seen();
    for request in &seen {
        assert!((subject.operation)(request).is_some(), "{name}: not on the list: {request:?}");
        (subject.check)(request);
    }
    let requests: Vec<_> = seen.iter().map(subject.shown).collect();
    if let Some(wrong) = grants::disagreement(subject.folder, validator.as_ref(), &report) {
        return Err(format!("{name}: {wrong}"));
    }
    let found = shown(&report, &requests);
    let text = format!("{found:#}\n").replace(&server.address, "@server@");
    let port = server.address.rsplit_once(':').unwrap().1;
    let text = text.replace(&format!("localhost:{port}"), "@host@:@port@");
    let text = text.replace(&format!("127.0.0.1:{port}"), "@host@:@port@");
    let text = text.replace(dir.path().to_str().unwrap(), "@dir@");
    let everything = format!("{text} {validator:?} {observed:?} {by_net:?}");
    for secret in subject.secrets {
        assert!(!everything.contains(secret), "{name} shows {secret}");
    }
    let found: Json = serde_json::from_str(&text).unwrap();
    compared(subject, &name, &found, &read("expected.json"))
}

/// Replays a case that was recorded.
async fn replay_recorded(subject: Subject, dir: &Path) -> Result<(), String> {
    let case = record::read(dir).unwrap();
    let platform = case.platform().unwrap();
    let server = Server::recorded(platform, dir).await;
    let folder = tempfile::tempdir().unwrap();
    let Prepared { validator, variables } = Prepared::new(&case, platform, folder.path()).unwrap();
    let address = server.address.trim_start_matches("http://");
    let home = folder.path().to_owned();
    let server_address = address.parse().unwrap();
    let world = World { server: server_address, database: server_address, variables, home };
    let context = case.context().unwrap();
    let Validated { report, observed } = replayed(world, validator.validate(&context)).await;
    let asked = |seen: &Seen| record::operation(platform, seen.asked()).1;
    let requests: Vec<_> = server.seen().iter().map(asked).collect();
    let text = shown(&report, &requests).to_string();
    let text = text.replace(folder.path().to_str().unwrap(), "@dir@");
    let text = text.replace(address, "@host@:@port@");
    let everything = format!("{text} {observed:?}");
    for secret in subject.secrets {
        assert!(!everything.contains(secret), "{} shows {secret}", dir.display());
    }
    let name = dir.file_name().unwrap().to_str().unwrap();
    compared(subject, name, &serde_json::from_str(&text).unwrap(), &case.expected)
}

/// Replays a case that was recorded as `--replay` does, for platforms with a protocol of their own. None for a case
/// that was not recorded.
pub(in crate::platforms) async fn replay_session(
    subject: Subject,
    dir: &Path,
) -> Option<Result<(), String>> {
    let case = record::read(dir).ok().filter(|case| case.platform().is_ok())?;
    let found = record::replay(&case).await.unwrap();
    let name = dir.file_name().unwrap().to_str().unwrap();
    Some(compared(subject, name, &found, &case.expected))
}

/// Compares a report with that of `expected.json`.
fn compared(subject: Subject, name: &str, found: &Json, expected: &Json) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let text = format!("{found:#}\n");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testcases");
    let target = target.join(subject.folder);
    std::fs::create_dir_all(&target).unwrap();
    std::fs::write(target.join(format!("{name}.json")), &text).unwrap();
    Err(format!("{name}: found\n{text}"))
}

/// The configuration of a case with its slots filled, its files written to `dir`.
pub(in crate::platforms) fn config(given: &Json, server: &Server, dir: &Path) -> Json {
    let (_, authority) = server.address.split_once("://").unwrap();
    let (host, port) = authority.rsplit_once(':').unwrap();
    let ca = dir.join("ca.pem");
    std::fs::write(&ca, server.ca_pem.as_deref().unwrap_or_default()).unwrap();
    let filled = |text: &str| {
        text.replace("@server@", &server.address)
            .replace("@host@", host)
            .replace("\"@port@\"", port)
            .replace("@port@", port)
            .replace("@ca@", ca.to_str().unwrap())
            .replace("@dir@", dir.to_str().unwrap())
    };
    for (name, content) in given["files"].as_object().into_iter().flatten() {
        std::fs::write(dir.join(name), filled(content.as_str().unwrap())).unwrap();
    }
    serde_json::from_str(&filled(&given["config"].to_string())).unwrap()
}
