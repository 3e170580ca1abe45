//! Configuration to validators: the one place that knows both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::config::{self, Faulty, Integration, Loaded, Plan, Settings};
use crate::domain::{About, CommonChecks, Maintenance, Policy, REDACTED, Selection};
use crate::input::{Fault, Faults, Kind, Reader, Value, join, nearest, quoted};
use crate::platforms::{AutoBootstrap, Identity, PLATFORMS, Peer, Peers, Platform, Validator};
use crate::store::Wanted;
use crate::webhook::Receiver;

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
    /// When messages are held.
    pub(crate) maintenance: Arc<[Maintenance]>,
    /// Every integration, for the tests that compare them; without ids, which only the store has.
    pub(crate) peers: Arc<Peers>,
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
    /// What is looked out for besides its platform's tests.
    pub(crate) checks: CommonChecks,
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
    let known: Vec<_> = platforms.iter().map(|platform| platform.kind).collect();
    let receivers = tables.iter().filter_map(|table| {
        let receiver = Receiver::parse(table.reader(&loaded.faults)?)?;
        let told = (&receiver.subscription.selection, "so this receiver is told of none");
        check_filters(told, &table.reader(&loaded.faults)?, &known, &integrations);
        Some(receiver)
    });
    let receivers = receivers.collect();
    for (window, table) in &loaded.windows {
        let held = (&window.selection, "so this window holds no message");
        if let Some(reader) = table.reader(&loaded.faults) {
            check_filters(held, &reader, &known, &integrations);
        }
    }
    let maintenance = loaded.windows.iter().map(|(window, _)| window.clone()).collect();
    let warnings = loaded.close()?;
    let peers = Arc::new(peers.into_iter().collect());
    Ok(Assembly { settings, integrations, warnings, receivers, maintenance, peers })
}

/// A filter that names a platform nobody knows is a fault; one that fits no integration is worth a
/// warning, which says what `idle` follows.
fn check_filters(
    (selection, idle): (&Selection, &str),
    reader: &Reader<'_>,
    known: &[&str],
    integrations: &BTreeMap<String, Assembled>,
) {
    for kind in selection.types.iter().filter(|kind| !known.contains(&kind.as_str())) {
        let hint = nearest(kind, known.iter().copied());
        let hint = hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        reader.fault("types", format!("no platform is called {kind:?}{hint}"));
    }
    let fits = |(name, one): (&String, &Assembled)| {
        selection.fits(About { name, kind: one.platform.kind, labels: &one.wanted.labels })
    };
    let filters = ["integrations", "types", "labels"];
    let given = [
        !selection.integrations.is_empty(),
        !selection.types.is_empty(),
        !selection.labels.is_empty(),
    ];
    let given = filters.into_iter().zip(given).find_map(|(key, given)| given.then_some(key));
    if let Some(key) = given
        && !integrations.is_empty()
        && !integrations.iter().any(fits)
    {
        reader.warn(key, format!("no integration fits, {idle}"));
    }
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
        reader.fault("type", format!("unknown platform {}; {hint}", quoted(kind)));
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
    let Plan { name, disabled, schedule, policy, checks, labels } = plan?;
    let mut validator = validator?;
    validator.set_auto_bootstrap(auto_bootstrap.unwrap_or_default());
    let identity = validator.identity();
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
        factors: identity.factors(),
    };
    let validator: Arc<dyn Validator> = validator.into();
    Some(Assembled { wanted, platform, identity, policy, checks, validator })
}

fn check_bootstrap(platform: &Platform, given: Option<bool>, reader: &Reader<'_>) {
    let problem = match (platform.auto_bootstrap, given) {
        (AutoBootstrap::MustBeFalse, Some(true)) => "must be false",
        (AutoBootstrap::Absent, Some(_)) => "must not be given",
        (AutoBootstrap::Any | AutoBootstrap::MustBeFalse | AutoBootstrap::Absent, _) => return,
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::domain::Report;
    use crate::platforms::{BoxFuture, Identity, RunContext};

    /// What a test platform makes of its configuration.
    #[derive(Debug)]
    struct Sample(String);

    impl Validator for Sample {
        fn identity(&self) -> Identity {
            Identity { host: self.0.clone(), ..Identity::default() }
        }

        fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Report> {
            panic!("nothing is run here")
        }
    }

    fn parse(mut reader: Reader<'_>) -> Option<Box<dyn Validator>> {
        let host = reader.required_string("host");
        reader.port("port");
        reader.secret("password");
        reader.secrets("keys");
        reader.finish();
        Some(Box::new(Sample(host?)))
    }

    const SAMPLE: Platform = Platform {
        kind: "Sample",
        version: 3,
        catalog: &[],
        auto_bootstrap: AutoBootstrap::Any,
        sample: "",
        parse,
    };
    static SAMPLES: &[Platform] = &[
        SAMPLE,
        Platform { kind: "Strict", auto_bootstrap: AutoBootstrap::MustBeFalse, ..SAMPLE },
        Platform {
            kind: "Bare",
            auto_bootstrap: AutoBootstrap::Absent,
            parse: |reader| {
                reader.finish();
                Some(Box::new(Sample(String::new())))
            },
            ..SAMPLE
        },
    ];

    fn assembled(main: &Path, variables: &str) -> Result<Assembly, Faulty> {
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, text)| (OsString::from(name), OsString::from(text)));
        assemble(config::load_from(Some(main), variables)?, SAMPLES)
    }

    /// What the user is told about the case at `path`, with paths from the case's own folder.
    fn told(path: &Path) -> String {
        let (folder, main) = if path.is_dir() {
            (path.to_owned(), path.join("revalidated.toml"))
        } else {
            (path.parent().unwrap().to_owned(), path.to_owned())
        };
        let variables = if path.is_dir() {
            fs::read_to_string(path.join("environment")).unwrap_or_default()
        } else {
            String::new()
        };
        let told = match assembled(&main, &variables) {
            Ok(assembly) => {
                let lines = assembly.warnings.iter().map(|one| format!("warning: {one}\n"));
                lines.collect::<Vec<_>>().concat()
            }
            Err(faulty) => format!("{faulty}\n"),
        };
        let told = told.replace(&format!("{}/", folder.display()), "");
        let folder = format!("{}: ", folder.join("integrations.d").display());
        let lines = told.lines().map(|line| line.replace(&folder, "integrations.d: "));
        // Modes depend on who checked the sources out; they have a test of their own.
        let lines = lines.filter(|line| !line.contains("contains a secret and has mode"));
        lines.map(|line| line + "\n").collect()
    }

    #[test]
    fn every_wrong_configuration_is_told_exactly() {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/config");
        let mut wrong = Vec::new();
        let mut cases = BTreeSet::new();
        let mut expectations = BTreeSet::new();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.extension().is_some_and(|extension| extension == "expected") {
                expectations.insert(name);
                continue;
            }
            let expected = folder.join(format!("{name}.expected"));
            let told = told(&path);
            assert!(!told.contains("hunter2"), "{name} shows a secret: {told}");
            if fs::read_to_string(expected).unwrap_or_default() != told {
                wrong.push(format!("--- {name}\n{told}"));
            }
            assert!(cases.insert(name), "two cases have one name: {}", path.display());
        }
        assert!(wrong.is_empty(), "{}", wrong.concat());
        assert_eq!(cases, expectations);
        assert!(45 <= cases.len(), "{}", cases.len());
    }

    /// A folder with a main file and drop-ins, and what is assembled from it.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(main: &str) -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            fs::create_dir(folder.0.path().join("integrations.d")).unwrap();
            folder.with("revalidated.toml", main)
        }

        fn with(self, name: &str, text: impl AsRef<[u8]>) -> Self {
            let path = self.0.path().join(name);
            fs::write(&path, text).unwrap();
            self.chmod(name, 0o600)
        }

        fn chmod(self, name: &str, mode: u32) -> Self {
            use std::os::unix::fs::PermissionsExt;
            let path = self.0.path().join(name);
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            self
        }

        fn assembled(&self, variables: &str) -> Result<Assembly, Faulty> {
            assembled(&self.0.path().join("revalidated.toml"), variables)
        }

        fn told(&self) -> String {
            told(self.0.path())
        }
    }

    const MAIN: &str = r#"
        [limits]
        runs = 8
        [defaults]
        zone = "Europe/Berlin"
        confirm_runs = 5
        [[receiver]]
        name = "on-call"
        url = "https://hooks.example.com/x"
        secrets = [{ env = "W" }]
        [[integration]]
        name = "one"
        type = "Sample"
        autoBootstrap = true
        schedule = "@hourly"
        confirm_wait = "90s"
        labels = { team = "data" }
        [integration.config]
        host = "h1"
        password = "hunter2"
        keys = [{ env = "K" }, "hunter2"]
        port = 5439
    "#;
    const PAYLOAD: &str = r#"{"type": "Strict", "autoBootstrap": false, "config": {"host": "h2"}}"#;

    const CHAT: &str = r#"
        [[receiver]]
        name = "chat"
        url = "https://chat.example.com/x"
        secrets = [{ credential = "chat" }]
    "#;

    #[test]
    fn all_layers_and_files_come_together() {
        let folder = Folder::new(MAIN)
            .with("integrations.d/two.json", PAYLOAD)
            .with("integrations.d/more.yaml", "- {name: three, type: Bare, config: {}}\n")
            .with("integrations.d/r.toml", CHAT);
        let variables = "REVALIDATED__LIMITS__RUNS_PER_HOST=2\nREVALIDATED__STRICT_SECRETS=false";
        let assembly = folder.assembled(variables).unwrap();
        let limits = assembly.settings.limits;
        assert_eq!((limits.runs, limits.runs_per_host, limits.test.as_secs()), (8, 2, 30));
        let receivers: Vec<_> = assembly.receivers.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(receivers, ["on-call", "chat"]);
        let names: Vec<_> = assembly.integrations.keys().map(String::as_str).collect();
        assert_eq!(names, ["one", "three", "two"]);
        let one = &assembly.integrations["one"];
        assert_eq!((one.policy.confirm_runs, one.policy.confirm_wait.as_secs()), (5, 90));
        assert_eq!(
            (one.wanted.schedule.text(), one.wanted.schedule.zone()),
            ("@hourly", "Europe/Berlin")
        );
        assert_eq!((one.wanted.auto_bootstrap, one.wanted.disabled), (Some(true), false));
        assert_eq!(one.wanted.labels["team"], "data");
        assert_eq!(one.wanted.catalog_version, 3);
        let two = &assembly.integrations["two"];
        assert_eq!((two.wanted.kind.as_str(), two.wanted.schedule.text()), ("Strict", "0 * * * *"));
        assert_eq!(two.validator.identity().host, "h2");
        assert_eq!(two.policy.confirm_wait.as_secs(), 60);
    }

    #[test]
    fn the_store_is_given_references_but_no_secret() {
        let folder = Folder::new(MAIN);
        let assembly = folder.assembled("").unwrap();
        let wanted = &assembly.integrations["one"].wanted;
        let shown = r#"{"host":"h1","keys":["[REDACTED]","[REDACTED]"],"password":"[REDACTED]","port":5439}"#;
        let kept = r#"{"host":"h1","keys":[{"env":"K"},"[REDACTED]"],"password":"[REDACTED]","port":5439}"#;
        assert_eq!((wanted.config.as_str(), wanted.config_shown.as_str()), (kept, shown));
        assert!(!format!("{wanted:?} {:?}", assembly.warnings).contains("hunter2"));
        assert_eq!(assembly.warnings.len(), 2);
    }

    #[test]
    fn a_stored_configuration_is_read_again_unless_its_secret_is_gone() {
        let folder = Folder::new(MAIN);
        let assembly = folder.assembled("").unwrap();
        let stored = |kind, config| match parse_stored(kind, config, SAMPLES) {
            Stored::Ready(validator) => validator.identity().host,
            Stored::SecretGone => "secret gone".to_owned(),
            Stored::Unreadable(faults) => {
                faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            }
        };
        let kept = &assembly.integrations["one"].wanted.config;
        assert_eq!(stored("Sample", kept), "secret gone");
        assert_eq!(stored("Sample", r#"{"host": "h", "password": {"env": "P"}}"#), "h");
        assert_eq!(
            stored("Sample", r#"{"hots": "h"}"#),
            "stored configuration: config.host: missing; add `host`; \
             stored configuration: config.hots: unknown key; did you mean `host`?"
        );
        assert_eq!(
            stored("Oracle", "{}"),
            "stored configuration: platform `Oracle` is not part of this binary"
        );
        assert!(stored("Sample", "{").contains("EOF"));
    }

    #[test]
    fn every_integration_is_a_peer_of_the_others() {
        let folder = Folder::new(MAIN).with("integrations.d/two.json", PAYLOAD);
        let peers = folder.assembled("").unwrap().peers;
        let peers =
            peers.iter().map(|peer| format!("{} {} {}", peer.name, peer.kind, peer.identity.host));
        assert_eq!(peers.collect::<Vec<_>>(), ["one Sample h1", "two Strict h2"]);
    }

    #[test]
    fn a_file_with_a_secret_that_others_may_read_is_warned_about() {
        let warned = |folder: &Folder| {
            let warnings = folder.assembled("").unwrap().warnings;
            let modes = warnings.iter().filter(|warning| warning.message.contains("mode"));
            modes.map(|warning| warning.message.clone()).collect::<Vec<_>>()
        };
        let folder = Folder::new(MAIN).with("integrations.d/two.json", PAYLOAD);
        assert!(warned(&folder).is_empty());
        let folder = folder.chmod("integrations.d/two.json", 0o644);
        assert!(warned(&folder).is_empty());
        let folder = folder.chmod("revalidated.toml", 0o640);
        assert_eq!(warned(&folder), ["contains a secret and has mode 640; change it to 600"]);
    }

    #[test]
    fn a_huge_file_is_refused_and_not_read() {
        let folder = Folder::new("").with("integrations.d/a.yaml", vec![b'#'; 4 * 1024 * 1024 + 1]);
        assert_eq!(
            folder.told(),
            "integrations.d/a.yaml: larger than 4 MiB; split it into files in integrations.d\n"
        );
        let folder = folder.with("integrations.d/a.yaml", vec![b'#'; 4 * 1024 * 1024]);
        assert_eq!(
            folder.told(),
            "warning: integrations.d/a.yaml: contains no integration and no receiver\n"
        );
    }

    #[test]
    fn filters_of_receivers_that_fit_nothing_are_told() {
        let told = |filter: &str| Folder::new(&MAIN.replace("name = \"on-call\"", filter)).told();
        let with = |filter: &str| told(&format!("name = \"on-call\"\n{filter}"));
        let none = "no integration fits, so this receiver is told of none";
        let good = ["types = [\"Sample\"]", "integrations = [\"o*\"]", "labels = { team = \"*\" }"];
        for filter in good {
            assert!(!with(filter).contains(none), "{filter}: {}", with(filter));
        }
        let idle = ["types = [\"Strict\"]", "integrations = [\"x*\"]", "labels = { team = \"x\" }"];
        for filter in idle {
            assert!(with(filter).contains(none), "{filter}: {}", with(filter));
        }
        let unknown = with("types = [\"Sampel\"]");
        assert!(unknown.contains("no platform is called \"Sampel\"; did you mean"), "{unknown}");
    }

    #[test]
    fn ten_thousand_integrations_share_their_schedules() {
        let one = |n: usize| {
            format!(
                "[[integration]]\nname = \"n{n}\"\ntype = \"Sample\"\nschedule = \"{} * * * *\"\n\
                 [integration.config]\nhost = \"h\"\npassword = {{ env = \"P\" }}\n",
                n % 60
            )
        };
        let folder = Folder::new(&(0..5000).map(one).collect::<String>())
            .with("integrations.d/a.toml", (5000..10_000).map(one).collect::<String>());
        let assembly = folder.assembled("").unwrap();
        assert_eq!(assembly.integrations.len(), 10_000);
        let text = |name: &str| assembly.integrations[name].wanted.schedule.text();
        assert_eq!(text("n7").as_ptr(), text("n9967").as_ptr());
    }

    /// The embedded defaults with the samples no longer commented out.
    fn documentation() -> String {
        let is_key = |text: &str| {
            let name = |c: char| c.is_ascii_alphabetic() || c == '_';
            let key = text.split_once(" = ").map(|(key, _)| key);
            text.starts_with('[') || key.is_some_and(|key| key.chars().all(name))
        };
        let line = |line: &'static str| {
            line.strip_prefix("# ").filter(|text| is_key(text)).unwrap_or(line)
        };
        let lines = include_str!("../../config/revalidated.toml").lines().map(line);
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_documentation_names_every_key_and_no_other() {
        let tables = ["", "store", "defaults", "limits", "retention", "log", "shutdown"];
        let lists = ["receiver", "integration"];
        let mut probe = "\"~\" = 1\n".to_owned();
        probe.extend(tables.iter().skip(1).map(|table| format!("[{table}]\n\"~\" = 1\n")));
        probe.extend(lists.map(|list| format!("[[{list}]]\n\"~\" = 1\n")));
        let faults = Folder::new(&probe).assembled("").unwrap_err().faults;
        let known: BTreeMap<String, BTreeSet<String>> = faults
            .iter()
            .filter_map(|fault| {
                let (_, keys) = fault.message.split_once("unknown key; known keys are ")?;
                let keys = keys.split(", ").map(|key| key.trim_matches('`').to_owned());
                let table = fault.path.trim_end_matches("\"~\"").trim_end_matches('.');
                Some((table.trim_end_matches("[0]").to_owned(), keys.collect()))
            })
            .collect();

        let root: toml_edit::DocumentMut = documentation().parse().unwrap();
        let documented = tables.into_iter().chain(lists).map(|name| {
            let tables: Vec<_> = match root.get(name) {
                Some(toml_edit::Item::ArrayOfTables(list)) => list.iter().collect(),
                Some(item) => vec![item.as_table().unwrap()],
                None => vec![root.as_table()],
            };
            let keys = tables.into_iter().flat_map(toml_edit::Table::iter);
            (name.to_owned(), keys.map(|(key, _)| key.to_owned()).collect())
        });
        assert_eq!(known, documented.collect());
    }

    #[test]
    fn the_documentation_is_itself_a_configuration() {
        let folder = Folder::new(&documentation());
        let path = folder.0.path().join("revalidated.toml");
        let loaded = config::load_from(Some(&path), std::iter::empty()).unwrap();
        let assembly = assemble(loaded, PLATFORMS).unwrap();
        assert!(assembly.warnings.is_empty(), "{:?}", assembly.warnings);
        assert_eq!(assembly.receivers[0].retry, crate::domain::RetryPolicy::default());
        assert_eq!(assembly.integrations["warehouse"].wanted.kind, "Redshift");
    }
}
