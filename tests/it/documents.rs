//! Documents: their tables, commands and samples agree with the program.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Config, SECRETS, revalidated, wait_for};

/// Returns the first fenced block of `document` in the language `language`.
fn block(document: &str, language: &str) -> String {
    let text = fs::read_to_string(document).unwrap();
    let (_before, rest) = text.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("\n```\n").unwrap().0.to_owned()
}

/// Returns the words in the first column of the tables of `document` whose first heading is `heading`.
fn column(document: &str, heading: &str) -> Vec<String> {
    let text = fs::read_to_string(document).unwrap();
    let start = format!("\n| {heading} |");
    let tables = text.split(&start).skip(1).map(|rest| rest.split("\n\n").next().unwrap());
    let rows = tables.flat_map(|table| table.lines().skip(2).collect::<Vec<_>>());
    let cells = rows.map(|row| row.split(" | ").next().unwrap().trim_start_matches("| "));
    cells.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

/// Returns the values of the enumeration `name` in the published schema of events.
fn enumeration(name: &str) -> Vec<String> {
    let schema = fs::read_to_string("schemas/event.v1.schema.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let found = &schema["$defs"][name];
    let plain = found["enum"].as_array().into_iter().flatten();
    let described = found["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
    let values: Vec<_> =
        plain.chain(described).map(|value| value.as_str().unwrap().to_owned()).collect();
    assert!(!values.is_empty(), "{name}: {found}");
    values
}

/// Returns a schema on one line, its members in order and without words for people.
fn shape(schema: &Value) -> String {
    match schema {
        Value::Object(members) => {
            let is_text = |key: &str, value: &Value| {
                matches!(key, "description" | "title") && value.is_string()
            };
            let members = members.iter().filter(|(key, value)| !is_text(key, value));
            let mut shapes: Vec<_> =
                members.map(|(key, value)| format!("{key}:{}", shape(value))).collect();
            shapes.sort();
            format!("{{{}}}", shapes.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(","))
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            plain.to_string()
        }
    }
}

/// Receivers rely on version 1. What they must understand differently is version 2; a new optional member,
/// which they may pass over, stands in the changelog and gives another digest here.
#[test]
fn version_1_of_the_event_schema_is_frozen() {
    let schema = fs::read_to_string("schemas/event.v1.schema.json").unwrap();
    let shape = shape(&serde_json::from_str(&schema).unwrap());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, shape.as_bytes());
    let digest: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let frozen = "067a432bd2c198494fa6d25606db55c0d9f6f0773013010c920b2682e54cfe1a";
    assert_eq!(digest.concat(), frozen);
}

/// Checks that README shows the output of the demo, but for instants, ids and durations.
pub(crate) fn readme_shows(demo: &str) {
    let same = |line: &str| {
        let line = line.strip_prefix("21:00:").map_or(line, |rest| &rest[2..]);
        let (line, _) = line.split_once("evt_").unwrap_or((line, ""));
        line.split(" AWS responded").next().unwrap().to_owned()
    };
    let plain = |line: &str| match line.split_once("  ") {
        Some((time, rest)) if time.matches(':').count() == 2 => same(&format!("  {rest}")),
        _ => same(line),
    };
    let shown: Vec<_> = block("README.md", "text").lines().map(same).collect();
    let printed: Vec<_> = demo.lines().map(plain).collect();
    let begin = printed.iter().position(|line| *line == shown[0]).unwrap();
    let printed = printed[begin..].iter().filter(|line| !line.contains("in a few seconds"));
    let printed: Vec<_> = printed.take(shown.len()).cloned().collect();
    assert_eq!(printed, shown);
}

#[test]
fn configurations_in_documents_are_valid() {
    for (document, number) in [("README.md", 1), ("docs/configuration.md", 2)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("revalidated.toml");
        fs::write(&path, block(document, "toml")).unwrap();
        let checked = revalidated(&["check", "--json", "--config", path.to_str().unwrap()]);
        let text = String::from_utf8(checked.stdout).unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["valid"], true, "{document}: {text}");
        for list in ["integrations", "receivers"] {
            let found = answer[list].as_array().map(Vec::len);
            assert_eq!(found, Some(number), "{document}: {text}");
        }
    }
}

#[test]
fn operations_lists_every_command() {
    let document = fs::read_to_string("docs/operations.md").unwrap();
    let help = String::from_utf8(revalidated(&["--help"]).stdout).unwrap();
    let (_before, rest) = help.split_once("\nCommands:\n").unwrap();
    let (commands, _after) = rest.split_once("\n\n").unwrap();
    // A description may go on in a line of its own, which begins further to the right.
    let lines = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let lines = lines.filter(|line| !line.starts_with(' '));
    let names: Vec<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(10 < names.len(), "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let listed = [format!("`{name}`"), format!("`{name} ")];
        assert!(listed.iter().any(|one| document.contains(one)), "{name}");
    }
}

#[test]
fn operations_lists_every_exit_code() {
    let help = String::from_utf8(revalidated(&["--help"]).stdout).unwrap();
    let (_before, codes) = help.split_once("\nExit status:\n").unwrap();
    let expected: Vec<_> =
        codes.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(column("docs/operations.md", "exit code"), expected);
}

#[test]
fn statuses_classes_and_faults_are_those_of_the_schema() {
    let sorted = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    let tables = [
        ("docs/statuses.md", "status", "Status"),
        ("docs/verdicts.md", "class", "Class"),
        ("docs/verdicts.md", "fault", "OwnFault"),
        ("docs/receivers.md", "`type`", "EventType"),
    ];
    for (document, heading, name) in tables {
        let (listed, known) = (column(document, heading), enumeration(name));
        assert_eq!(listed.len(), known.len(), "{document}: {listed:?}");
        assert_eq!(sorted(listed), sorted(known), "{document}");
    }
}

#[test]
fn every_platform_has_a_row_and_a_page() {
    let catalog = String::from_utf8(revalidated(&["catalog", "--json"]).stdout).unwrap();
    let catalog: Value = serde_json::from_str(&catalog).unwrap();
    let kinds = catalog.as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap());
    let kinds: BTreeSet<_> = kinds.map(str::to_owned).collect();
    let listed: BTreeSet<_> = column("docs/platforms.md", "`type`").into_iter().collect();
    assert_eq!(listed, kinds);
    for page in fs::read_dir("docs/platforms").unwrap() {
        let text = fs::read_to_string(page.unwrap().path()).unwrap();
        let title = text.lines().next().unwrap().trim_start_matches("# ");
        assert!(kinds.contains(title), "{title}");
        assert!(text.contains("{{#include ../../config/examples/"), "{title}: no sample");
    }
}

#[test]
fn receiver_of_the_readme_verifies_a_message() {
    let installed = Command::new("tests/verify/install.sh").output().unwrap();
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let secret = format!("whsec_{}", SECRETS[2]);
    let source = block("README.md", "python");
    let program = source.replace("whsec_...", &secret).replace("8080", &port.to_string());
    assert_ne!(source, program);
    let venv = std::env::var("REVALIDATED_VENV").unwrap_or_else(|_| "target/venv".to_owned());
    let mut receiver = Command::new(format!("{venv}/bin/python"))
        .args(["-c", &program])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let config = Config::new(&format!(
        "[[receiver]]\nname = \"readme\"\nurl = \"http://127.0.0.1:{port}/\"\n\
         secrets = [{{ file = \"DIR/webhook-secret\" }}]\nallow = [\"127.0.0.1\"]\n"
    ));
    let ping = || config.json(&["webhook", "test", "readme", "--json"]);
    let delivered = wait_for("receiver", Duration::from_secs(20), || {
        Some(ping()).filter(|answer| !answer["code"].is_null())
    });
    receiver.kill().unwrap();
    let seen = String::from_utf8(receiver.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(delivered["code"], 204, "{delivered}");
    assert!(seen.starts_with("webhook.ping {"), "{seen}");
}
