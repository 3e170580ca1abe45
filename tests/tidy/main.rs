//! House rules that the compiler does not check: layers, circles, sizes, words and documents, and that no
//! committed file names a folder of the machine it was written on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod circles;
mod documents;
mod faults;
mod packages;
mod signatures;
mod source;
mod weight;
mod words;

use std::fs;
use std::path::Path;

use source::{files, is_test, production, sources};

/// Floors, lowest first; the modules of one entry are neighbours that do not know each other.
const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["blocking", "input"],
    &["net", "secrets"],
    &["config", "http", "platforms", "store", "webhook"],
    &["daemon", "view"],
    &["api", "demo", "page", "simulation"],
    &["cli"],
];
const FILE_LINES_MAX: usize = 400;
/// Words with the one folder that may name them.
const KEPT_IN: &[(&str, &str)] = &[
    ("rusqlite", "src/store/sqlite"),
    ("tokio_cron_scheduler", "src/daemon/scheduler.rs"),
    ("Client::builder", "src/net"),
    ("Timestamp::now()", "src/daemon/clock.rs"),
    ("danger_accept_invalid", "nowhere"),
];

#[test]
fn every_module_stands_on_a_floor() {
    for path in sources(Path::new("src")) {
        let is_root = ["src/lib.rs", "src/main.rs"].iter().any(|root| path == Path::new(root));
        assert!(is_root || floor_of(&path).is_some(), "{}: on no floor", path.display());
    }
}

#[test]
fn floors_only_look_down() {
    let mut faults = Vec::new();
    for path in sources(Path::new("src")) {
        let Some((own, name)) = floor_of(&path) else { continue };
        for (number, line) in production(&path).lines().enumerate() {
            // A list of floors in braces would hide which ones it names.
            if line.contains("crate::{") {
                faults.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
            for (rank, floor) in FLOORS.iter().enumerate() {
                for other in *floor {
                    let looks_up = own < rank || (own == rank && *other != name);
                    if looks_up && line.contains(&format!("crate::{other}")) {
                        faults.push(format!("{}:{}: {line}", path.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_stay_small() {
    for path in sources(Path::new("src")) {
        let code = production(&path).lines().count();
        assert!(code <= FILE_LINES_MAX, "{}: {code} lines", path.display());
    }
}

#[test]
fn tests_stay_small_too() {
    let mut paths = sources(Path::new("tests"));
    paths.extend(sources(Path::new("src")).into_iter().filter(|path| is_test(path)));
    for path in paths {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= FILE_LINES_MAX, "{}: {lines} lines", path.display());
    }
}

#[test]
fn word_of_one_place_is_used_only_there() {
    for path in sources(Path::new("src")) {
        let text = production(&path);
        for (word, place) in KEPT_IN {
            let at_home = path.starts_with(place);
            assert!(at_home || !text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn every_module_says_why_it_exists() {
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no module comment", path.display());
    }
}

#[test]
fn no_file_names_a_folder_of_its_author() {
    let own = Path::new("./tests/tidy/main.rs");
    for path in files(Path::new(".")).into_iter().filter(|path| path != own) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for home in ["/home/", "/Users/", "/root/"] {
            assert!(!text.contains(home), "{}: {home}", path.display());
        }
    }
}

fn floor_of(path: &Path) -> Option<(usize, &'static str)> {
    let name = path.components().nth(1)?.as_os_str().to_str()?.trim_end_matches(".rs");
    FLOORS.iter().enumerate().find_map(|(rank, floor)| {
        floor.iter().find(|known| **known == name).map(|known| (rank, *known))
    })
}
