//! Fuzz targets: configuration files, files of other programs, and what the store keeps of configurations.

use std::path::PathBuf;

use super::{open, open_with, parse_stored, stored_receiver, stored_subscription};
use crate::config::{Form, Source};
use crate::input::fuzz::{files, fuzz, fuzz_for};
use crate::platforms::PLATFORMS;

/// Rounds of a target that writes a file in each.
const ROUNDS: u64 = 200;

/// Returns the seeds of one format of configuration files.
fn configurations(extension: &str) -> Vec<Vec<u8>> {
    let folders = ["tests/config", "config"];
    let mut found: Vec<_> = folders.iter().flat_map(|folder| files(folder, &[extension])).collect();
    // Commented lines name keys, too.
    let shown = |text: &Vec<u8>| String::from_utf8_lossy(text).replace("\n# ", "\n").into_bytes();
    found.extend(found.iter().map(shown).collect::<Vec<_>>());
    found
}

#[test]
fn fuzz_configurations_are_read_or_have_faults_with_places() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["toml", "yaml", "json"] {
        let main = folder.path().join("main").with_extension(extension);
        fuzz_for(ROUNDS, &configurations(extension), |bytes| {
            std::fs::write(&main, bytes).unwrap();
            if let Err(faulty) = open(Some(&main)) {
                assert!(!faulty.faults.is_empty());
                assert!(faulty.faults.iter().all(|fault| !fault.origin.is_empty()), "{faulty}");
            }
        });
    }
}

#[test]
fn fuzz_files_of_other_programs_are_imported_or_have_faults() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main.toml");
    std::fs::write(&main, "").unwrap();
    let forms = [
        (Form::Answers, "answers/integrations.json"),
        (Form::Airflow, "airflow/connections.json"),
        (Form::Databricks, "databricks-cli/databrickscfg"),
        (Form::Dbt, "dbt/profiles.yml"),
        (Form::Snowflake, "snowflake-cli/connections.toml"),
    ];
    for (form, seed) in forms {
        let seed = std::fs::read(format!("tests/import/{seed}")).unwrap();
        fuzz_for(ROUNDS, &[seed], |bytes| {
            if let Err(faulty) = open_with(Some(&main), &source(form, bytes), None) {
                assert!(!faulty.faults.is_empty());
            }
        });
    }
    let tables =
        [&b"name,type,config.host\nlake,Redshift,h.example.com\n\"a\nb\",\"S\"\"3\",\n"[..]];
    fuzz_for(ROUNDS, &tables.map(<[u8]>::to_vec), |bytes| {
        let _outcome = open_with(Some(&main), &source(Form::Csv, bytes), None);
    });
}

fn source(form: Form, bytes: &[u8]) -> Source {
    Source {
        form,
        command: "import x".to_owned(),
        file: PathBuf::from("/x/t.csv"),
        text: Some(String::from_utf8_lossy(bytes).into_owned()),
        template: None,
        only: None,
        target: None,
        stem: None,
        variables: [("HOME".to_owned(), "/srv/u".to_owned())].into(),
    }
}

#[test]
fn fuzz_stored_configurations_are_read_or_refused_with_a_reason() {
    let receiver = br#"{"name":"chat","url":"https://hooks.example.com/x","secrets":[{"file":"/s"}],
        "events":["integration.*"],"headers":{"X-Key":{"env":"K"}},"proxy":{"url":"http://p:3128"},
        "hours":{"days":"mon-fri","from":"08:00","to":"18:00","zone":"Europe/Berlin"},"retry":["5s"]}"#;
    fuzz(&[receiver.to_vec()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _subscription = stored_subscription(&text);
        match stored_receiver(&text) {
            Ok(receiver) => assert!(!receiver.name.is_empty()),
            Err(reason) => assert!(!reason.is_empty()),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main.toml");
    for platform in PLATFORMS {
        std::fs::write(&main, platform.sample).unwrap();
        let all = open(Some(&main)).unwrap().integrations;
        let seeds: Vec<_> =
            all.values().map(|one| one.wanted.config.clone().into_bytes()).collect();
        fuzz(&seeds, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            for bootstrap in [false, true] {
                let _stored = parse_stored(platform.kind, &text, bootstrap, PLATFORMS);
            }
        });
    }
}
