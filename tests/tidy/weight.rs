//! Ratio of test code to production code in lines, blank lines and comments counted.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::source::{production, sources};

/// Lines of tests per hundred lines of production code: an area of `src`, or all.
const LEAST: &[(&str, usize)] = &[("src/domain", 100), ("src", 75)];

/// Behaviours of a store, which are tested on each engine.
const BEHAVIOURS: &str = "src/store/conformance";
/// Number of engines on which they run: their lines count for each.
const ENGINES: usize = 2;

/// Returns the lines of production code and of tests below `dir`.
fn lines(dir: &Path) -> [usize; 2] {
    let (mut code, mut all) = (0, 0);
    for path in sources(dir) {
        code += production(&path).lines().count();
        all += fs::read_to_string(&path).unwrap().lines().count();
    }
    [code, all - code]
}

/// Returns the lines of the test programs below `dir`, which try the daemon from outside.
fn programs(dir: &Path) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += programs(&path);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "py") {
            count += fs::read_to_string(&path).unwrap().lines().count();
        }
    }
    count
}

/// Returns the lines of each area, to see where tests are missing.
fn table() -> String {
    let mut areas: Vec<_> = fs::read_dir("src").unwrap().map(|area| area.unwrap().path()).collect();
    areas.sort();
    let mut table = "lines of production code and of tests:\n".to_owned();
    for area in areas.into_iter().filter(|area| area.is_dir()) {
        let [code, tests] = lines(&area);
        writeln!(table, "{:<20} {code:>6} {tests:>6}", area.display()).unwrap();
    }
    table
}

#[test]
fn tests_weigh_enough() {
    fs::create_dir_all("target").unwrap();
    fs::write("target/weight.txt", table()).unwrap();
    let mut faults = Vec::new();
    for (dir, least) in LEAST {
        let [code, mut tests] = lines(Path::new(dir));
        if *dir == "src" {
            tests += programs(Path::new("tests"));
            let [_, behaviours] = lines(Path::new(BEHAVIOURS));
            tests += behaviours * (ENGINES - 1);
        }
        let found = tests * 100 / code;
        if found < *least {
            faults.push(format!("{dir}: {found} lines of tests per 100 of production code"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
