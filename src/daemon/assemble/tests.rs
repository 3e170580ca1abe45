//! Assembling configurations, right and wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::assembly::{Assembly, assemble};
use super::stored::{Stored, parse_stored};
use crate::config::{self, Faulty};
use crate::input::Reader;
use crate::platforms::{
    AutoBootstrap, BoxFuture, Identity, PLATFORMS, Platform, RunContext, Validated, Validator,
};

/// Validator of a test platform, with its host.
#[derive(Debug)]
struct Sample(String);

impl Validator for Sample {
    fn identity(&self) -> Identity {
        Identity { host: self.0.clone(), ..Identity::default() }
    }

    fn validate<'a>(&'a self, _run: &'a RunContext) -> BoxFuture<'a, Validated> {
        panic!("nothing is run here")
    }
}

fn parse(mut reader: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
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
    grants: &[],
    auto_bootstrap: AutoBootstrap::Any,
    operations: &[],
    sample: "",
    parse,
};
static SAMPLES: &[Platform] = &[
    SAMPLE,
    Platform { kind: "Strict", auto_bootstrap: AutoBootstrap::MustBeFalse, ..SAMPLE },
    Platform {
        kind: "Bare",
        auto_bootstrap: AutoBootstrap::Absent,
        parse: |reader, _auto_bootstrap| {
            reader.finish();
            Some(Box::new(Sample(String::new())))
        },
        ..SAMPLE
    },
];

fn assembled(main: &Path, variables: &str) -> Result<Assembly, Faulty> {
    let variables = variables.lines().filter_map(|line| line.split_once('='));
    let variables = variables.map(|(name, text)| (OsString::from(name), OsString::from(text)));
    assemble(config::load_from(Some(main), variables, crate::domain::Timestamp(0))?, SAMPLES)
}

/// Output about the case at `path`, with paths from the case's own folder.
fn output(path: &Path) -> String {
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
    let output = match assembled(&main, &variables) {
        Ok(assembly) => {
            let lines = assembly.warnings.iter().map(|one| format!("warning: {one}\n"));
            lines.collect::<Vec<_>>().concat()
        }
        Err(faulty) => format!("{faulty}\n"),
    };
    let output = output.replace(&format!("{}/", folder.display()), "");
    let folder = format!("{}: ", folder.join("integrations.d").display());
    let lines = output.lines().map(|line| line.replace(&folder, "integrations.d: "));
    // Modes depend on who checked the sources out; they have a test of their own.
    let lines = lines.filter(|line| !line.contains("contains a secret and has mode"));
    lines.map(|line| line + "\n").collect()
}

#[test]
fn each_wrong_configuration_has_its_exact_output() {
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
        let output = output(&path);
        assert!(!output.contains("hunter2"), "{name} shows a secret: {output}");
        if fs::read_to_string(expected).unwrap_or_default() != output {
            wrong.push(format!("--- {name}\n{output}"));
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

    fn output(&self) -> String {
        output(self.0.path())
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
    assert_eq!(
        (one.policy.confirm_runs, one.policy.confirm_wait.map(|wait| wait.as_secs())),
        (Some(5), Some(90))
    );
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
    assert_eq!((two.policy.confirm_runs, two.policy.confirm_wait), (Some(5), None));
}

#[test]
fn the_store_is_given_references_but_no_secret() {
    let folder = Folder::new(MAIN);
    let assembly = folder.assembled("").unwrap();
    let wanted = &assembly.integrations["one"].wanted;
    let shown =
        r#"{"host":"h1","keys":["[REDACTED]","[REDACTED]"],"password":"[REDACTED]","port":5439}"#;
    let kept =
        r#"{"host":"h1","keys":[{"env":"K"},"[REDACTED]"],"password":"[REDACTED]","port":5439}"#;
    assert_eq!((wanted.config.as_str(), wanted.config_shown.as_str()), (kept, shown));
    assert!(!format!("{wanted:?} {:?}", assembly.warnings).contains("hunter2"));
    assert_eq!(assembly.warnings.len(), 2);
}

#[test]
fn a_stored_configuration_is_read_again_unless_its_secret_is_gone() {
    let folder = Folder::new(MAIN);
    let assembly = folder.assembled("").unwrap();
    let stored = |kind, config| match parse_stored(kind, config, false, SAMPLES) {
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
        folder.output(),
        "integrations.d/a.yaml: larger than 4 MiB; split it into files in integrations.d\n"
    );
    let folder = folder.with("integrations.d/a.yaml", vec![b'#'; 4 * 1024 * 1024]);
    assert_eq!(
        folder.output(),
        "warning: integrations.d/a.yaml: contains no integration and no receiver\n"
    );
}

#[test]
fn filters_of_receivers_that_fit_nothing_are_warned_of() {
    let output = |filter: &str| Folder::new(&MAIN.replace("name = \"on-call\"", filter)).output();
    let with = |filter: &str| output(&format!("name = \"on-call\"\n{filter}"));
    let none = "no integration fits, so this receiver is notified of none";
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
    let line =
        |line: &'static str| line.strip_prefix("# ").filter(|text| is_key(text)).unwrap_or(line);
    let lines = include_str!("../../../config/revalidated.toml").lines().map(line);
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_documentation_names_every_key_and_no_other() {
    let tables =
        ["", "store", "defaults", "limits", "retention", "heartbeat", "log", "http", "shutdown"];
    let lists = ["receiver", "integration"];
    let mut probe = "\"~\" = 1\n".to_owned();
    probe.extend(tables.iter().skip(1).map(|table| format!("[{table}]\n\"~\" = 1\n")));
    probe.extend(lists.map(|list| format!("[[{list}]]\n\"~\" = 1\n")));
    let faults = Folder::new(&probe).assembled("").unwrap_err().faults;
    let known: BTreeMap<String, BTreeSet<String>> = faults
        .iter()
        .filter_map(|fault| {
            let (_, keys) = fault.message.split_once("known keys are ")?;
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
    let mut root: toml_edit::DocumentMut = documentation().parse().unwrap();
    let store = root.get_mut("store").and_then(toml_edit::Item::as_table_mut).unwrap();
    // A database on a server takes the place of the file.
    for key in ["url", "password", "tls", "ca", "durability"] {
        assert!(store.remove(key).is_some(), "{key}");
    }
    let folder = Folder::new(&root.to_string());
    let path = folder.0.path().join("revalidated.toml");
    let loaded =
        config::load_from(Some(&path), std::iter::empty(), crate::domain::Timestamp(0)).unwrap();
    let assembly = assemble(loaded, PLATFORMS).unwrap();
    assert!(assembly.warnings.is_empty(), "{:?}", assembly.warnings);
    assert_eq!(assembly.receivers[0].retry, crate::domain::RetryPolicy::default());
    assert_eq!(assembly.integrations["warehouse"].wanted.kind, "Redshift");
}
