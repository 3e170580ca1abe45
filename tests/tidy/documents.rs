//! Checks the documents: sizes, links, the glossary, and the picture of the floors.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::FLOORS;
use super::source::{files, sources};

const README_LINES_MAX: usize = 120;
/// Documents outside of `docs/`.
const ROOT: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

#[test]
fn readme_fits_on_two_pages() {
    let lines = fs::read_to_string("README.md").unwrap().lines().count();
    assert!(lines <= README_LINES_MAX, "{lines} lines");
}

#[test]
fn every_page_of_the_book_is_in_its_summary() {
    let summary = Path::new("docs/SUMMARY.md");
    let listed: BTreeSet<PathBuf> = links(&read(summary)).into_iter().map(PathBuf::from).collect();
    let pages = pages().into_iter().filter(|page| page != summary);
    let pages: BTreeSet<PathBuf> =
        pages.map(|page| page.strip_prefix("docs").unwrap().to_owned()).collect();
    assert_eq!(listed, pages);
}

#[test]
fn relative_links_and_anchors_lead_somewhere() {
    let mut dead = Vec::new();
    let documents = pages().into_iter().chain(ROOT.iter().map(PathBuf::from));
    for document in documents {
        let folder = document.parent().unwrap();
        for link in links(&read(&document)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { document.clone() } else { folder.join(path) };
            // The book has no pages outside of its folder.
            let leaves = document.starts_with("docs") && !plain(&target).starts_with("docs");
            let lands = target.exists() && (anchor.is_empty() || has_anchor(&target, anchor));
            if leaves || !lands {
                dead.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn glossary_is_sorted_and_every_term_is_used() {
    let glossary = Path::new("docs/glossary.md");
    let text = read(glossary);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let terms: Vec<&str> = rows.map(|(term, _)| term).skip(1).collect();
    assert!(40 <= terms.len(), "{terms:?}");
    assert!(terms.is_sorted() && !terms.windows(2).any(|two| two[0] == two[1]), "{terms:?}");
    let documents = pages().into_iter().filter(|page| page != glossary);
    let all = documents.chain(sources(Path::new("src"))).map(|path| words(&read(&path)));
    let all: String = all.collect();
    for term in terms {
        let term = words(term);
        let forms = [term.clone(), format!("{}s ", term.trim_end())];
        assert!(forms.iter().any(|form| all.contains(form)), "nothing uses{term}");
    }
}

#[test]
fn architecture_shows_every_floor() {
    let text = read(Path::new("ARCHITECTURE.md"));
    let picture = picture();
    if !text.contains(&picture) {
        fs::write("target/floors.txt", &picture).unwrap();
        panic!("the picture of the floors differs; the right one is in target/floors.txt");
    }
    for (rank, floor) in FLOORS.iter().enumerate() {
        for module in *floor {
            let row = format!("\n| {} | `{module}` | ", rank + 1);
            assert!(text.contains(&row), "{row}");
        }
    }
}

/// A path that is renamed must be renamed here too.
#[test]
fn paths_that_documents_name_exist() {
    let mut missing = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for name in read(Path::new(document)).split('`').skip(1).step_by(2) {
            let is_path = name.starts_with("src/") || name.starts_with("tests/");
            let is_name = !name.contains(['<', '*', ' ']);
            if is_path && is_name && !Path::new(name).exists() {
                missing.push(format!("{document}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_step_of_the_check_has_its_last_result() {
    let script = read(Path::new("tests/run.sh"));
    let text = read(Path::new("docs/reliability.md"));
    for list in ["default", "long", "release"] {
        let steps = script.lines().find_map(|line| line.strip_prefix(&format!("{list}=(")));
        let heading = format!("\n**{}{}**", list[..1].to_uppercase(), &list[1..]);
        let (_, rest) = text.split_once(&heading).unwrap();
        let table = rest.split("\n**").next().unwrap();
        for step in steps.unwrap().trim_end_matches(')').split(' ') {
            let named = |row: &str| row.split(" | ").next().unwrap().contains(&format!("`{step}`"));
            assert!(table.lines().any(named), "{list}: {step}");
        }
    }
}

#[test]
fn bounds_name_constants_that_exist() {
    let text = read(Path::new("docs/reliability.md"));
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains(".rs` |"));
    let mut count = 0;
    for row in rows {
        let names = row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2);
        let mut constants = Vec::new();
        for name in names {
            if name.starts_with("src/") {
                let source = read(Path::new(name));
                for constant in constants.drain(..) {
                    count += 1;
                    assert!(source.contains(&format!("const {constant}:")), "{name}: {constant}");
                }
            } else {
                constants.push(name);
            }
        }
        assert!(constants.is_empty(), "{row}");
    }
    assert!(20 <= count, "only {count}");
}

#[test]
fn states_name_tests_that_exist() {
    let text = read(Path::new("docs/reliability.md"));
    let (_, rest) = text.split_once("## Every failure is notified").unwrap();
    let rows = rest.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| "));
    let sources = ["src", "tests/it"].map(|folder| files(Path::new(folder))).concat();
    let sources: Vec<_> =
        sources.iter().filter(|path| is_rust(path)).map(|path| read(path)).collect();
    let mut count = 0;
    for row in rows.skip(1) {
        for name in row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2) {
            let check = Path::new("tests/daemon/checks").join(format!("{name}.py"));
            let signature = format!("fn {name}(");
            let exists = check.exists() || sources.iter().any(|source| source.contains(&signature));
            assert!(exists, "{name}");
            count += 1;
        }
    }
    assert!(30 <= count, "only {count}");
}

/// The README quotes the ratios that `tests/run.sh peers` measured last.
#[test]
fn readme_quotes_the_ratios_of_the_comparison() {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = read(Path::new("docs/performance.md"));
    let ratios = found.split("\n\n").find(|paragraph| paragraph.contains(" needs ")).unwrap();
    assert!(3 <= ratios.matches(" times the ").count(), "{ratios}");
    let ratios = one_line(ratios);
    assert!(one_line(&read(Path::new("README.md"))).contains(&ratios), "{ratios}");
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

/// The floors, highest first, each with the modules that stand on it.
fn picture() -> String {
    let rows = FLOORS.iter().enumerate().rev().map(|(rank, floor)| {
        let cells: Vec<_> = floor.iter().map(|module| format!("[ {module} ]")).collect();
        format!("  {}   {}\n", rank + 1, cells.join("  "))
    });
    rows.collect()
}

fn pages() -> Vec<PathBuf> {
    let mut pages = files(Path::new("docs"));
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages
}

fn read(path: &Path) -> String {
    let text = fs::read_to_string(path);
    assert!(text.is_ok(), "{}: {text:?}", path.display());
    text.unwrap()
}

/// `text` in lower case, its words between single spaces.
fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    format!(" {} ", words.collect::<Vec<_>>().join(" "))
}

/// The targets of links to files and headings: `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let targets = targets.map(|(target, _)| target.to_owned());
    targets.filter(|target| !target.contains("://")).collect()
}

/// `text` without fenced blocks.
fn prose(text: &str) -> String {
    let blocks = text.split("\n```").step_by(2);
    blocks.collect::<Vec<_>>().join("\n")
}

/// `path` without its steps up.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path {
        if part == ".." {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// True when `document` has a heading that mdBook and GitHub give this anchor.
fn has_anchor(document: &Path, anchor: &str) -> bool {
    let mut seen = BTreeMap::new();
    let text = prose(&read(document));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.into_iter().any(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let slug = kept.collect::<String>().replace(' ', "-");
        let again = seen.entry(slug.clone()).or_insert(0);
        *again += 1;
        *again == 1 && slug == anchor
    })
}
