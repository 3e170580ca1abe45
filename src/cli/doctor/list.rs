//! List of the checks in the documentation, made from their tables.

use std::fmt::Write as _;
use std::path::Path;

use super::CHECKS;

/// Document with the list.
const DOCUMENT: &str = "docs/doctor.md";
/// Line before the list, and the one after it.
const MARKS: (&str, &str) = ("<!-- checks -->\n", "<!-- end of checks -->\n");

fn list() -> String {
    let mut text = String::new();
    for (group, checks) in CHECKS {
        writeln!(
            text,
            "\n## {}\n\n| check | finding | why it matters | line to type |\n|---|---|---|---|",
            title(group.as_str())
        )
        .unwrap();
        for check in checks {
            let line = check.line.replace('|', "\\|");
            writeln!(text, "| `{}` | {} | {} | `{line}` |", check.name, check.finds, check.why)
                .unwrap();
        }
    }
    text + "\n"
}

fn title(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn documentation_lists_the_checks_of_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join(DOCUMENT)).unwrap();
    let (before, rest) = document.split_once(MARKS.0).unwrap();
    let (found, after) = rest.split_once(MARKS.1).unwrap();
    if found != list() {
        let renewed = format!("{before}{}{}{}{after}", MARKS.0, list(), MARKS.1);
        std::fs::write(root.join("target/doctor.md"), renewed).unwrap();
        panic!("{DOCUMENT} differs from the checks; they give target/doctor.md");
    }
}

#[test]
fn checks_are_thirty_one_with_names_of_their_own_and_whole_sentences() {
    let mut names: Vec<_> = super::all().map(|(_, check)| check.name).collect();
    assert_eq!(names.len(), 31);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 31);
    for (_, check) in super::all() {
        for said in [check.finds, check.why] {
            assert!(
                said.ends_with('.') && said.starts_with(char::is_uppercase)
                    || said.starts_with("systemd"),
                "{said}"
            );
        }
        assert!(!check.line.is_empty() && !check.line.contains('\n'), "{}", check.name);
    }
}
