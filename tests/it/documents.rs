//! What the documents say, tried out.

use std::fs;

use crate::support::revalidated;

/// The fenced block of README.md that begins with the language `language`.
fn block(language: &str) -> String {
    let text = fs::read_to_string("README.md").unwrap();
    let (_before, rest) = text.split_once(&format!("\n```{language}\n")).unwrap();
    rest.split_once("\n```\n").unwrap().0.to_owned()
}

#[test]
fn the_configuration_in_the_readme_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("revalidated.toml");
    fs::write(&path, block("toml")).unwrap();
    let checked = revalidated(&["check", "--json", "--config", path.to_str().unwrap()]);
    let text = String::from_utf8(checked.stdout).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["valid"], true, "{text}");
    assert_eq!(answer["integrations"].as_array().map(Vec::len), Some(2), "{text}");
    assert_eq!(answer["receivers"].as_array().map(Vec::len), Some(2), "{text}");
}

#[test]
fn the_readme_lists_every_command() {
    let readme = fs::read_to_string("README.md").unwrap();
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
        assert!(listed.iter().any(|one| readme.contains(one)), "{name}");
    }
}
