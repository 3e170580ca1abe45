//! Vocabulary: documentation that says something, and the field's terms instead of own ones.
//!
//! `target/words.txt` lists every finding by file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::source::{files, sources};

/// Findings that are still to be fixed, by area and kind; only to be lowered.
const TO_DO: &[(&str, [usize; 4])] = &[];
const KINDS: [&str; 4] = ["beginning", "short", "word", "name"];
/// First words of documentation that describes instead of saying what the item is or does.
const BEGINNINGS: &[&str] = &["What", "Who", "Whether", "How"];
/// Number of words of the shortest documentation.
const WORDS_MIN: usize = 4;
/// Words for which the field has a better one, wherever they are; parts of names too.
const BANNED: &[&str] = &[
    "astray",
    "complaint",
    "complaints",
    "foresee",
    "foreseen",
    "foresees",
    "lookout",
    "mend",
    "mended",
    "mends",
    "namesake",
    "namesakes",
    "nobody",
    "obey",
    "obeys",
    "ours",
    "owe",
    "owed",
    "owes",
    "owing",
    "rival",
    "rivals",
    "settle",
    "settled",
    "settles",
    "settling",
    "somebody",
    "tell",
    "telling",
    "tells",
    "told",
    "twin",
    "twins",
];
/// Banned as names of types and functions; ordinary words otherwise.
const BANNED_NAMES: &[&str] = &[
    "behind", "foreign", "heard", "held", "hold", "holds", "lives", "pressure", "room", "standing",
    "trouble",
];
const BANNED_PHRASES: &[&str] = &[
    "bring_near",
    "given up",
    "given_up",
    "in a row",
    "let pass",
    "set_back",
    "who we are",
    "within_reach",
];
/// Findings that stay, each with its reason: file, word.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("CHANGELOG.md", "owed", "the table of renames lists old names"),
    ("CHANGELOG.md", "given_up", "the table of renames lists old names"),
    ("CHANGELOG.md", "ours", "the table of renames lists old names"),
    ("CHANGELOG.md", "held", "the table of renames lists old names"),
    ("CHANGELOG.md", "told", "the table of renames lists old names"),
    ("CHANGELOG.md", "telling", "the table of renames lists old names"),
    ("CHANGELOG.md", "in a row", "the table of renames lists old names"),
    ("src/domain/event/operational.rs", "owed", "events that an earlier version stored are read"),
    ("src/domain/report.rs", "ours", "results that an earlier version stored are read"),
    ("src/store/sqlite/tests/migration.rs", "ours", "a migration is tested with what it replaces"),
    ("src/store/sqlite/migrations/mod.rs", "ours", "a migration names what it replaces"),
];
/// Texts besides source: words only.
const TEXTS: &[&str] = &[
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "config",
    "docs",
    "man",
    "systemd",
];

/// Place where a rule is broken: line, index of the kind, text.
type Finding = (usize, usize, String);

fn findings(text: &str) -> Vec<Finding> {
    let mut found = documentation(text);
    for (at, line) in text.lines().enumerate() {
        found.extend(words(line).into_iter().map(|word| (at + 1, 2, word)));
        let Some(name) = function(line) else { continue };
        let first = name.split('_').next().unwrap_or_default();
        if ["what", "whatever", "who", "whoever", "whether", "how"].contains(&first)
            && name.contains('_')
        {
            found.push((at + 1, 3, name.to_owned()));
        }
    }
    found.sort();
    found
}

/// Returns the doc comments that begin badly or say too little.
fn documentation(text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim).enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let Some(mark) = ["///", "//!"].into_iter().find(|mark| line.starts_with(mark)) else {
            continue;
        };
        let mut comment = line.trim_start_matches(mark).trim().to_owned();
        while let Some((_, next)) = lines.next_if(|(_, next)| next.starts_with(mark)) {
            comment = format!("{comment} {}", next.trim_start_matches(mark).trim());
        }
        let first = comment.split([' ', '\'', ',']).next().unwrap_or_default();
        if BEGINNINGS.contains(&first) {
            found.push((at + 1, 0, comment.clone()));
        }
        if comment.split_whitespace().count() < WORDS_MIN {
            found.push((at + 1, 1, comment));
        }
    }
    found
}

/// Returns the banned words of a line.
fn words(line: &str) -> BTreeSet<String> {
    let lower = line.to_lowercase();
    let mut found: BTreeSet<String> = BANNED_PHRASES
        .iter()
        .filter(|phrase| {
            let mut after = lower.match_indices(**phrase).map(|(at, _)| lower[at..].chars());
            after.any(|mut rest| !rest.nth(phrase.len()).is_some_and(char::is_alphanumeric))
        })
        .map(|phrase| (*phrase).to_owned())
        .collect();
    let function = function(line).unwrap_or_default();
    for name in line.split(|sign: char| !sign.is_alphanumeric() && sign != '_') {
        let is_type = name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
        for part in parts(name) {
            let is_name = name == function || (is_type && !line.trim_start().starts_with("//"));
            if BANNED.contains(&part.as_str()) || (is_name && BANNED_NAMES.contains(&part.as_str()))
            {
                found.insert(part);
            }
        }
    }
    found
}

/// Returns the name of the function that `line` defines.
fn function(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("fn ")?;
    rest.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next()
}

/// Returns the words of which a name is made, in small letters.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_small = false;
    for sign in name.chars() {
        if sign == '_' || (sign.is_uppercase() && was_small) {
            parts.push(String::new());
        }
        was_small = sign.is_lowercase();
        parts.last_mut().unwrap().extend(sign.to_lowercase().filter(|sign| *sign != '_'));
    }
    parts
}

/// Returns the area of a file: a folder of `src`, or the place of another text.
fn area(path: &Path) -> String {
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    match (parts.next().unwrap(), parts.next()) {
        (first, Some(second)) if first == "src" => format!("src/{second}"),
        (first, _) => first.into_owned(),
    }
}

#[test]
fn words_are_those_of_the_field() {
    let own = Path::new("tests/tidy");
    let mut texts: Vec<_> =
        ["src", "tests", "benches"].map(Path::new).into_iter().flat_map(sources).collect();
    texts.retain(|path| !path.starts_with(own));
    texts.extend(
        TEXTS
            .iter()
            .map(Path::new)
            .flat_map(|path| if path.is_dir() { files(path) } else { vec![path.to_owned()] }),
    );
    let (mut report, mut counts) = (String::new(), BTreeMap::<String, [usize; 4]>::new());
    for path in texts.into_iter().filter(|path| path.exists()) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.to_string_lossy().into_owned();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        for (line, kind, what) in findings(&text) {
            let is_allowed = ALLOWED.iter().any(|(file, word, _)| *file == name && *word == what);
            if is_allowed || !(is_source || kind == 2) {
                continue;
            }
            counts.entry(area(&path)).or_default()[kind] += 1;
            writeln!(report, "{name}:{line}: {}: {what}", KINDS[kind]).unwrap();
        }
    }
    let mut table = String::new();
    for (area, found) in &counts {
        writeln!(table, "    (\"{area}\", {found:?}),").unwrap();
    }
    fs::create_dir_all("target").unwrap();
    fs::write("target/words.txt", format!("{KINDS:?}\n{table}\n{report}")).unwrap();
    for (area, found) in counts {
        let allowed =
            TO_DO.iter().find(|(name, _)| *name == area).map_or([0; 4], |(_, most)| *most);
        for ((found, allowed), kind) in found.into_iter().zip(allowed).zip(KINDS) {
            assert!(
                found <= allowed,
                "{area}: {found} of kind {kind}, {allowed} allowed; see target/words.txt"
            );
        }
    }
}

#[test]
fn findings_are_found_where_they_stand() {
    let text = "//! What this is for, in words.\n\n/// Its name.\nfn is_heard() {} // Nobody owes.\n\
        /// Returns the room\n/// of it.\nstruct GivenUp; // given up\nfn what_is_held_stays() {}\n";
    let expected = [
        (1, 0, "What this is for, in words."),
        (3, 1, "Its name."),
        (4, 2, "heard"),
        (4, 2, "nobody"),
        (4, 2, "owes"),
        (7, 2, "given up"),
        (8, 2, "held"),
        (8, 3, "what_is_held_stays"),
    ];
    assert_eq!(findings(text), expected.map(|(line, kind, what)| (line, kind, what.to_owned())));
}
