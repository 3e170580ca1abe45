//! Makes `docs/faults.md` from the table of faults, and checks that each of its tests is there and is run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::source::files;

const TABLE: &str = "tests/faults.toml";
const PAGE: &str = "docs/faults.md";
const INTRODUCTION: &str = "# Faults

Faults of the machine, the network and of what surrounds the daemon: what it does in them, what it notifies, why nothing is lost, and the tests that
show it. This page is made from the table of the tests; the full check fails when one of them did not run.

A check `NAME.py` is in `tests/daemon/checks`, a folder `NAME` with hyphens in `tests/cases`, a step is one of `tests/run.sh`; all others are test functions. More
states that others fall silent in are in [Reliability](reliability.md#every-failure-is-notified-until-its-end-is).

| fault | what happens | what is notified | why nothing is lost | tests |
|---|---|---|---|---|
";

/// Row of the table: the strings of each key.
type Fault = BTreeMap<String, Vec<String>>;

fn table() -> Vec<Fault> {
    let text = fs::read_to_string(TABLE).unwrap();
    let fault = |lines: &str| {
        let pairs = lines.lines().filter_map(|line| line.split_once(" = "));
        let strings =
            |value: &str| value.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        pairs.map(|(key, value)| (key.to_owned(), strings(value))).collect()
    };
    text.split("[[fault]]").skip(1).map(fault).collect()
}

fn shown(test: &str) -> String {
    match test.split_once(['/', ' ']) {
        Some(("daemon", name)) => format!("`{name}.py`"),
        Some(("step", name)) => format!("step `{name}`"),
        Some((_, name)) => format!("`{name}`"),
        None => format!("`{test}`"),
    }
}

#[test]
fn page_of_faults_is_made_from_its_table() {
    let row = |fault: &Fault| {
        let cells = ["name", "happens", "notified", "kept"].map(|key| fault[key][0].as_str());
        let tests: Vec<_> = fault["tests"].iter().map(|test| shown(test)).collect();
        format!("| {} | {} |\n", cells.join(" | "), tests.join(", "))
    };
    let page = INTRODUCTION.to_owned() + &table().iter().map(row).collect::<String>();
    if fs::read_to_string(PAGE).unwrap_or_default() != page {
        fs::write("target/faults.md", &page).unwrap();
        panic!("{PAGE} differs; the right one is in target/faults.md");
    }
}

#[test]
fn every_fault_has_tests_that_are_run() {
    let script = fs::read_to_string("tests/run.sh").unwrap();
    let lists = script
        .lines()
        .filter(|line| ["default=(", "long=("].iter().any(|list| line.starts_with(list)));
    let steps = lists.collect::<String>().replace(['(', ')'], " ");
    let sources = ["src", "tests/it"].map(|folder| files(Path::new(folder))).concat();
    let sources: String = sources
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let faults = table();
    assert!(20 <= faults.len(), "{}", faults.len());
    for fault in &faults {
        assert!(!fault["tests"].is_empty(), "{fault:?}");
        for test in &fault["tests"] {
            let is_there = match test.split_once(['/', ' ']) {
                Some(("daemon", name)) => {
                    Path::new("tests/daemon/checks").join(format!("{name}.py")).exists()
                }
                Some(("cases", name)) => Path::new("tests/cases").join(name).is_dir(),
                Some(("step", name)) => steps.split(' ').any(|step| step == name),
                Some(_) => false,
                None => is_run(&sources, test),
            };
            assert!(is_there, "{test} of {:?}", fault["name"]);
        }
    }
}

/// Returns true for a test function that is not left out of an ordinary run.
fn is_run(sources: &str, name: &str) -> bool {
    let Some((before, _)) = sources.split_once(&format!("fn {name}(")) else { return false };
    let attributes: Vec<_> = before.lines().rev().take(4).collect();
    let has = |attribute: &str| attributes.iter().any(|line| line.trim().starts_with(attribute));
    (has("#[test]") || has("#[tokio::test")) && !has("#[ignore")
}
