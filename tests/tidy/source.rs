//! Files of the repository, and the parts of Rust source that the rules look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Folders that git, Cargo, pip, npm and Python make.
const NOT_WRITTEN: &[&str] = &[".git", "target", ".venv", "node_modules", "__pycache__"];

/// Modules of `src` that are declared behind `#[cfg(test)]`, by file and by folder.
static TEST_MODULES: LazyLock<BTreeSet<PathBuf>> = LazyLock::new(|| {
    let mut found = BTreeSet::new();
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).unwrap();
        for (_, rest) in text.match_indices("#[cfg(test)]\n").map(|(at, _)| text.split_at(at)) {
            let declaration = rest.lines().nth(1).unwrap_or_default();
            let Some((_, name)) = declaration.split_once("mod ") else { continue };
            let Some(name) = name.strip_suffix(';') else { continue };
            let folder = if path.ends_with("mod.rs") || path.ends_with("lib.rs") {
                path.parent().unwrap().to_owned()
            } else {
                path.with_extension("")
            };
            found.insert(folder.join(name));
            found.insert(folder.join(format!("{name}.rs")));
        }
    }
    found
});

/// Returns everything below `dir` that is written by hand.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if NOT_WRITTEN.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Returns the Rust source files below `dir`.
pub(crate) fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = files(dir);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found
}

/// Returns true for files of tests only.
pub(crate) fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs")
        || path.components().any(|part| part.as_os_str() == "tests")
        || path.ancestors().any(|part| TEST_MODULES.contains(part))
}

/// Returns the text of a source file before its tests.
pub(crate) fn production(path: &Path) -> String {
    if is_test(path) {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned()
}

/// Returns the tokens of `text` without comments and literals: identifiers, `::` and single signs.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&first) = chars.get(at) {
        let rest = &chars[at..];
        let length = if first.is_whitespace() {
            1
        } else if rest.starts_with(&['/', '/']) {
            rest.iter().position(|sign| *sign == '\n').unwrap_or(rest.len())
        } else if let Some(length) = literal(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let word = rest.iter().take_while(|sign| sign.is_alphanumeric() || **sign == '_');
            let word: String = word.collect();
            found.push(word.clone());
            word.chars().count()
        } else if rest.starts_with(&[':', ':']) {
            found.push("::".to_owned());
            2
        } else {
            found.push(first.to_string());
            1
        };
        at += length;
    }
    found
}

/// Returns the length of the literal or lifetime with which `rest` begins.
fn literal(rest: &[char]) -> Option<usize> {
    let body = rest.strip_prefix(&['b']).unwrap_or(rest);
    let prefix = rest.len() - body.len();
    if let Some(raw) = body.strip_prefix(&['r']) {
        let hashes = raw.iter().take_while(|sign| **sign == '#').count();
        if raw.get(hashes) == Some(&'"') {
            let end: Vec<char> = format!("\"{}", "#".repeat(hashes)).chars().collect();
            let inside = &raw[hashes + 1..];
            let length = inside.windows(end.len()).position(|part| part == end)?;
            return Some(prefix + 1 + hashes + 1 + length + end.len());
        }
    }
    let closed = |quote: char| {
        let mut at = 1;
        while *body.get(at)? != quote {
            at += if body[at] == '\\' { 2 } else { 1 };
        }
        Some(prefix + at + 1)
    };
    match body.first()? {
        '"' => closed('"'),
        '\'' if body.get(1) == Some(&'\\') || body.get(2) == Some(&'\'') => closed('\''),
        '\'' if prefix == 0 => {
            let name = body[1..].iter().take_while(|sign| sign.is_alphanumeric() || **sign == '_');
            Some(1 + name.count())
        }
        _ => None,
    }
}

/// Returns `tokens` without the items behind `#[cfg(test)]`.
pub(crate) fn without_tests(tokens: &[String]) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        if !tokens[at..].iter().take(attribute.len()).eq(attribute.iter()) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += attribute.len();
        let mut depth = 0_i32;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            let is_end = matches!(token.as_str(), ";" | ",") || token == "}";
            if depth < 0 {
                at -= 1;
            }
            if depth < 0 || (depth == 0 && is_end) {
                at += usize::from(token == "}" && tokens.get(at).is_some_and(|next| next == ";"));
                break;
            }
        }
    }
    kept
}

#[test]
fn tokens_have_no_comments_and_no_literals() {
    let text = "let a::b = 'x'; // no\nf(\"no \\\" no\", b'\\'', r#\"n\"o\"#, &'a str);";
    let expected = "let a :: b = ; f ( , , , & str ) ;";
    assert_eq!(tokens(text).join(" "), expected);
}

#[test]
fn items_for_tests_are_left_out() {
    let text =
        "a; #[cfg(test)] use b::{c, d}; e { #[cfg(test)] f: g(h), i } #[cfg(test)] fn j() { k; } l";
    let expected = "a ; e { i } l";
    assert_eq!(without_tests(&tokens(text)).join(" "), expected);
}
