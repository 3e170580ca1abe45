//! Names of the requests that a platform sends, by which recordings know them.

use crate::net::tape::{Asked, SQL};

/// Kind of request, one for each variant of a platform's enum of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// Name, which is that of a file in a recording.
    pub(crate) name: &'static str,
    /// Method, path with query, and body after a space, or `SQL` and the statement; `*` stands for any text.
    pattern: &'static str,
}

/// Name of a request that no operation of its platform fits.
const OTHER: &str = "other";

impl Operation {
    /// Returns an operation with the pattern of its requests.
    pub(crate) const fn new(name: &'static str, pattern: &'static str) -> Self {
        Self { name, pattern }
    }
}

/// Returns the name of the first operation that `asked` fits.
pub(crate) fn operation_of(operations: &[Operation], asked: Asked<'_>) -> &'static str {
    let Asked { method, target, body } = asked;
    let line = format!("{method} {target} {body}");
    let line = line.trim_end();
    let found = operations.iter().find(|operation| fits(operation.pattern, line));
    found.map_or(OTHER, |operation| operation.name)
}

/// True for the name of a question to a database server, in a protocol of its own.
pub(crate) fn is_question(operations: &[Operation], name: &str) -> bool {
    let is_of_sql = |operation: &Operation| {
        let rest = operation.pattern.strip_prefix(SQL);
        operation.name == name && rest.is_some_and(|rest| rest.starts_with(' '))
    };
    operations.iter().any(is_of_sql)
}

/// True when `text` is `pattern`, in which each `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(between) = last.replace(part) {
            let Some((_, after)) = rest.split_once(between) else { return false };
            rest = after;
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_stands_for_any_text() {
        let table = [
            ("GET /a", "GET /a", true),
            ("GET /a", "GET /a?b", false),
            ("GET /a*", "GET /a", true),
            ("GET /a*", "GET /ab?c", true),
            ("GET /a/*/c", "GET /a/b/c", true),
            ("GET /a/*/c", "GET /a/b/cd", false),
            ("GET */a/*/c*", "GET /x/a/b/c/d", true),
            ("*\"x\":\"y*", "POST /z {\"x\":\"yes\"}", true),
            ("GET /a*a", "GET /a", false),
            ("", "GET /a", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn first_operation_that_fits_names_a_request() {
        let operations = [Operation::new("one", "POST /x one*"), Operation::new("any", "POST /x*")];
        let name = |method, target, body| operation_of(&operations, Asked { method, target, body });
        assert_eq!(name("POST", "/x", "one more"), "one");
        assert_eq!(name("POST", "/x", ""), "any");
        assert_eq!(name("GET", "/x", ""), "other");
    }

    #[test]
    fn question_to_a_database_differs_from_a_request() {
        let platforms = crate::platforms::PLATFORMS.iter();
        let all = platforms.filter(|platform| is_question(platform.operations, "log-in"));
        let kinds: Vec<_> = all.map(|platform| platform.kind).collect();
        assert_eq!(kinds, ["Azure Synapse Analytics", "Redshift"]);
        for platform in crate::platforms::PLATFORMS {
            assert!(
                !is_question(platform.operations, "token")
                    && !is_question(platform.operations, "other")
            );
        }
    }

    #[test]
    fn operations_of_a_platform_have_names_of_files_and_patterns_of_their_own() {
        for platform in crate::platforms::PLATFORMS {
            let all = platform.operations;
            for (place, Operation { name, pattern }) in all.iter().enumerate() {
                let is_name = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
                assert!(name.bytes().all(is_name) && *name != OTHER, "{name}");
                let before = &all[..place];
                assert!(before.iter().all(|one| one.pattern != *pattern), "{name}: {pattern}");
                let first = pattern.split(' ').next().unwrap();
                assert!(
                    ["GET", "POST", "PUT", "DELETE", SQL].contains(&first),
                    "{name}: {pattern}"
                );
            }
        }
    }
}
