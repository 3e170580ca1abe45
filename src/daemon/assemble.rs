//! Configuration to validators: the one place that knows both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::config::{self, Faulty, Integration, Loaded, Plan, Settings};
use crate::domain::Policy;
use crate::input::{Fault, Faults, Kind, Reader, Value, join, nearest};
use crate::platforms::{AutoBootstrap, Identity, PLATFORMS, Peer, Platform, Validator};
use crate::store::Wanted;
use crate::webhook::Receiver;

/// What stands in place of a secret.
const REDACTED: &str = "[REDACTED]";

/// Everything the daemon runs on.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// The daemon's own settings.
    pub(crate) settings: Settings,
    /// The integrations by name.
    pub(crate) integrations: BTreeMap<String, Assembled>,
    /// What is accepted but unwise, by file and line.
    pub(crate) warnings: Vec<Fault>,
    /// The receivers, in the order of the files.
    pub(crate) receivers: Vec<Receiver>,
    /// Every integration, for the tests that compare them; without ids, which only the store has.
    pub(crate) peers: Arc<[Peer]>,
}

/// An integration that can be validated.
#[derive(Clone, Debug)]
pub(crate) struct Assembled {
    /// What the store is told of it.
    pub(crate) wanted: Wanted,
    /// Its platform.
    pub(crate) platform: &'static Platform,
    /// What it is compared by, and which host the limits count.
    pub(crate) identity: Identity,
    /// How much evidence a verdict needs.
    pub(crate) policy: Policy,
    /// Runs the tests.
    pub(crate) validator: Arc<dyn Validator>,
}

/// A configuration that was kept in the store.
#[derive(Debug)]
pub(crate) enum Stored {
    /// It can be validated.
    Ready(Box<dyn Validator>),
    /// It held a secret itself, and the store keeps none.
    SecretGone,
    /// This version cannot read it; why.
    Unreadable(Vec<Fault>),
}

/// Reads the configuration that `main` or the default path names, and assembles it.
///
/// # Errors
///
/// Every fault of every file.
pub(crate) fn open(main: Option<&Path>) -> Result<Assembly, Faulty> {
    assemble(config::load(main)?, PLATFORMS)
}

/// Turns what was read into validators.
///
/// # Errors
///
/// Every fault of every file, whether found here or before.
pub(crate) fn assemble(
    mut loaded: Loaded,
    platforms: &'static [Platform],
) -> Result<Assembly, Faulty> {
    let read = std::mem::take(&mut loaded.integrations);
    let assembled = read.into_iter().filter_map(|one| integration(one, platforms, &loaded.faults));
    let mut integrations = BTreeMap::new();
    let mut peers = Vec::new();
    for one in assembled {
        let (name, identity) = (one.wanted.name.clone(), one.identity.clone());
        peers.push(Peer { id: None, name: name.clone(), kind: one.platform.kind, identity });
        integrations.insert(name, one);
    }
    let settings = loaded.settings.clone();
    let tables = std::mem::take(&mut loaded.receivers);
    let read = tables.iter().filter_map(|table| table.reader(&loaded.faults));
    let receivers = read.filter_map(Receiver::parse).collect();
    let warnings = loaded.close()?;
    Ok(Assembly { settings, integrations, warnings, receivers, peers: peers.into() })
}

/// Reads a configuration that the store kept (see [`Wanted::config`]).
pub(crate) fn parse_stored(kind: &str, config: &str, platforms: &'static [Platform]) -> Stored {
    let origin: Arc<str> = "stored configuration".into();
    let fault = |message: String| {
        let (origin, path) = (origin.to_string(), String::new());
        Stored::Unreadable(vec![Fault { origin, path, message }])
    };
    let Some(platform) = find(platforms, kind) else {
        return fault(format!("platform `{kind}` is not part of this binary"));
    };
    let json: Json = match serde_json::from_str(config) {
        Ok(json) => json,
        Err(error) => return fault(error.to_string()),
    };
    let faults = Faults::default();
    let value = Value::from_json(&json, &origin);
    let validator = Reader::new(&value, "config", &faults).and_then(platform.parse);
    if !faults.literals().is_empty() {
        return Stored::SecretGone;
    }
    match validator.filter(|_| faults.count() == 0) {
        Some(validator) => Stored::Ready(validator),
        None => Stored::Unreadable(faults.into_parts().0),
    }
}

fn find(platforms: &'static [Platform], kind: &str) -> Option<&'static Platform> {
    platforms.iter().find(|platform| platform.kind == kind)
}

/// One integration; none when anything is wrong with it.
fn integration(
    one: Integration,
    platforms: &'static [Platform],
    faults: &Faults,
) -> Option<Assembled> {
    let Integration { entry, kind, auto_bootstrap, plan } = one;
    let kind = kind.as_deref()?;
    let reader = entry.reader(faults)?;
    let Some(platform) = find(platforms, kind) else {
        let known: Vec<_> = platforms.iter().map(|platform| platform.kind).collect();
        let hint = nearest(kind, known.iter().copied()).map_or_else(
            || format!("expected one of `{}`", known.join("`, `")),
            |near| format!("did you mean `{near}`?"),
        );
        reader.fault("type", format!("unknown platform `{}`; {hint}", kind.escape_debug()));
        return None;
    };
    check_bootstrap(platform, auto_bootstrap, &reader);
    let config = entry.value.entry("config").filter(|config| !matches!(config.kind, Kind::Null))?;
    let path = join(&entry.path, "config");
    let own = Faults::default();
    let validator = Reader::new(config, path.clone(), &own).and_then(platform.parse);
    if validator.is_none() && own.count() == 0 {
        reader.fault("config", format!("cannot be used with `{}`", platform.kind));
    }
    let secrets = own.secret_paths();
    faults.absorb(own);
    let Plan { name, disabled, schedule, policy, labels } = plan?;
    let redacted = |references| redact(config, &path, &secrets, references).to_string();
    let wanted = Wanted {
        name,
        kind: platform.kind.to_owned(),
        auto_bootstrap,
        labels,
        disabled,
        schedule,
        config: redacted(References::Keep),
        config_shown: redacted(References::Hide),
        catalog_version: platform.version,
    };
    let validator: Arc<dyn Validator> = validator?.into();
    Some(Assembled { wanted, platform, identity: validator.identity(), policy, validator })
}

fn check_bootstrap(platform: &Platform, given: Option<bool>, reader: &Reader<'_>) {
    let problem = match (platform.auto_bootstrap, given) {
        (AutoBootstrap::MustBeFalse, Some(true)) => "must be false",
        (AutoBootstrap::Absent, Some(_)) => "must not be given",
        (AutoBootstrap::Any, _) | (AutoBootstrap::MustBeFalse | AutoBootstrap::Absent, _) => return,
    };
    reader.fault("autoBootstrap", format!("{problem} for `{}`", platform.kind));
}

/// What becomes of references to secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum References {
    Keep,
    Hide,
}

/// The configuration as JSON, without what stands at the paths in `secrets`.
fn redact(value: &Value, path: &str, secrets: &BTreeSet<String>, references: References) -> Json {
    let is_reference = matches!(value.kind, Kind::Table(_));
    if secrets.contains(path) && !(is_reference && references == References::Keep) {
        return Json::from(REDACTED);
    }
    match &value.kind {
        Kind::Array(items) => {
            let items = items.iter().enumerate();
            let item =
                |(index, item)| redact(item, &format!("{path}[{index}]"), secrets, references);
            Json::Array(items.map(item).collect())
        }
        Kind::Table(entries) => {
            let entry = |(key, item): &(String, Value)| {
                (key.clone(), redact(item, &join(path, key), secrets, references))
            };
            Json::Object(entries.iter().map(entry).collect())
        }
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => {
            value.to_json()
        }
    }
}
