//! Text of an import: its drop-in, what was left out, results where it comes from, secrets, and what to do next.

use super::super::print::{counted, sanitise};
use crate::config::{Import, Needed, Place, Previous};
use crate::platforms::find;

/// Most names of integrations in one line.
const NAMES_MAX: usize = 10;
/// Folder for secrets that the guide uses too.
const FOLDER: &str = "/etc/revalidated/secrets";
/// Status of results that are worth a word.
const FAILED: [&str; 2] = ["failed", "warning"];

/// Returns the text after a drop-in was written.
pub(super) fn written(import: &Import) -> String {
    let path = sanitise(&import.path.display().to_string()).into_owned();
    let shown: Vec<_> = import.names.iter().take(NAMES_MAX).map(|name| sanitise(name)).collect();
    let more = import.names.len().saturating_sub(NAMES_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let first = format!(
        "{} written to {path}: {}{more}\n",
        counted(import.names.len(), "integration"),
        shown.join(", ")
    );
    [first, details(import), next(import)].concat()
}

/// Returns the text of a drop-in that is not written; `change` is the difference from the one that is there.
pub(super) fn shown(import: &Import, change: &str) -> String {
    let path = sanitise(&import.path.display().to_string()).into_owned();
    let lines = change.lines().map(|line| format!("{}\n", sanitise(line)));
    let change = match change {
        "" => format!("{path} is there already, and the same.\n"),
        _ => format!("{path} would change so:\n{}", lines.collect::<String>()),
    };
    format!(
        "{change}{}Nothing is written. The configuration has no fault with it.\n",
        details(import)
    )
}

/// Returns what was left out, previous results, and the places of secrets.
fn details(import: &Import) -> String {
    let notes = import.notes.iter().map(|note| format!("  {}\n", sanitise(note)));
    let previous: String = import.previous.iter().map(results).collect();
    let parts = [
        section("Noted", &notes.collect::<String>()),
        section("Results where they come from", &previous),
        secrets(&import.needed),
    ];
    parts.concat()
}

fn section(heading: &str, lines: &str) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{heading}\n{lines}") }
}

/// Returns a line for each test that did not pass where the integration comes from. Names are compared without case.
fn results(previous: &Previous) -> String {
    let Previous { integration, kind, status, tests } = previous;
    let catalog = find(kind).map_or(&[][..], |platform| platform.catalog);
    let name = sanitise(integration);
    let mut lines = Vec::new();
    for test in tests {
        let known = catalog.iter().find(|known| known.name.eq_ignore_ascii_case(&test.name));
        let shown = known.map_or_else(|| sanitise(&test.name), |known| known.name.into());
        let message = sanitise(&test.message);
        if FAILED.contains(&test.status.as_str()) {
            let was = if test.status == "failed" { "was failing" } else { "had a warning" };
            lines.push(format!("  {name}: {was} there too: [{shown}] {message}\n"));
        } else if known.is_none() {
            lines.push(format!("  {name}: [{shown}] is no test of this program\n"));
        }
    }
    if lines.is_empty() && !status.is_empty() && status != "enabled" {
        lines.push(format!("  {name}: its status was {}\n", sanitise(status)));
    }
    lines.concat()
}

/// Returns the lines of the unit for the secrets that the drop-in refers to.
fn secrets(needed: &[Needed]) -> String {
    let mut credentials = Vec::new();
    let (mut variables, mut files, mut clear) = (Vec::new(), Vec::new(), Vec::new());
    for one in needed {
        let (list, text) = match &one.place {
            Place::Credential(name) => {
                (&mut credentials, format!("  LoadCredential={name}:{FOLDER}/{name}\n"))
            }
            Place::Variable(name) => (&mut variables, format!("  {}\n", sanitise(name))),
            Place::File(name) => (&mut files, format!("  {}\n", sanitise(name))),
        };
        if !list.contains(&text) {
            list.push(text);
        }
        if one.is_in_clear {
            clear.push(format!("  {} of {}\n", one.path, sanitise(&one.integration)));
        }
    }
    let unit = if credentials.is_empty() { "" } else { "  [Service]\n" };
    [
        section(
            "Secrets as credentials (systemctl edit revalidated), each in a file of mode 0600",
            &format!("{unit}{}", credentials.concat()),
        ),
        section("The source has these in clear; they were not copied", &clear.concat()),
        section("Environment variables that the daemon needs", &variables.concat()),
        section("Files that the daemon must be able to read", &files.concat()),
    ]
    .concat()
}

fn next(import: &Import) -> String {
    let first = import.names.first().map_or("NAME", String::as_str);
    format!(
        "\nNext\n  revalidated check\n  revalidated validate {}\n  systemctl reload revalidated\n",
        quoted(first)
    )
}

/// Returns a name as a word of a shell.
fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.chars().all(is_plain) {
        return name.to_owned();
    }
    format!("'{}'", sanitise(name).replace('\'', "'\\''"))
}
