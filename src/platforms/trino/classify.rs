//! Failed calls to Trino: their causes and the text of each.

use super::reply::QueryError;
use crate::domain::Class;
use crate::platforms::failure::{self, sentence};

/// The first code of `INTERNAL_ERROR`.
const INTERNAL_MIN: i64 = 0x1_0000;
/// The first code of `INSUFFICIENT_RESOURCES`.
const RESOURCES_MIN: i64 = 0x2_0000;
/// The first code that belongs to a connector.
const CONNECTOR_MIN: i64 = 0x100_0000;
/// Texts of refused permissions that are not about the queried table.
const NOT_ABOUT_TABLES: [&str; 3] =
    ["cannot impersonate user", "cannot execute query", "cannot become user"];

/// Failure of a call to Trino.
pub(super) type Failure = failure::Failure<Cause>;

/// Cause of a failed call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// The server, or something before it, answered with a status that refuses.
    Refused {
        /// Status code of the answer.
        status: u16,
        /// True when signing in takes a person at a browser.
        wants_browser: bool,
    },
    /// The query ran into an error, so that Trino had taken the statement and the credentials.
    Query {
        /// True when what a connector reads from failed, and not Trino.
        is_external: bool,
        /// True when reading a table was refused, rather than running queries or impersonation.
        is_about_table: bool,
    },
    /// No answer came, or none that Trino gives.
    NoAnswer,
}

impl failure::Cause for Cause {
    fn no_answer(_class: Class) -> Self {
        Self::NoAnswer
    }

    fn describe(detail: &str) -> String {
        sentence(detail)
    }
}

impl Failure {
    /// Returns a failure without an answer of Trino; `why` says it in one line.
    pub(super) fn silent(class: Class, why: &str) -> Self {
        Self::new(Cause::NoAnswer, class, sentence(why))
    }

    /// Returns the failure of an answer whose status refuses, with the server's `words` and what it
    /// wants to be shown, each in one bounded line without secrets.
    pub(super) fn refused(status: u16, words: &str, challenge: Option<&str>) -> Self {
        let class = class_of_status(status, words);
        let wants_browser = challenge.is_some_and(|text| text.contains("x_redirect_server"));
        let detail = match words {
            "" => format!("HTTP {status}"),
            words => format!("HTTP {status}: {words}"),
        };
        let challenge = challenge.unwrap_or("none");
        let evidence = format!("HTTP {status}, WWW-Authenticate [{challenge}]: {words}");
        let cause = Cause::Refused { status, wants_browser };
        Self::new(cause, class, sentence(&detail)).because(evidence)
    }

    /// Returns the failure of the query `id`, with Trino's words, each bounded and without secrets.
    pub(super) fn query(id: &str, error: &QueryError) -> Self {
        let QueryError { message, error_code, error_name, error_type } = error;
        let class = class_of(error);
        let words = message.as_deref().unwrap_or_default().to_lowercase();
        let is_other = NOT_ABOUT_TABLES.iter().any(|other| words.contains(other));
        let cause = Cause::Query {
            is_external: kind_of(error) == Kind::External,
            is_about_table: class == Class::Denied && !is_other,
        };
        let words = message.as_deref().unwrap_or("no reason given");
        let detail = match (error_name.as_deref(), error_code) {
            (Some(name), _) => format!("{name}: {words}"),
            (None, Some(code)) => format!("error {code}: {words}"),
            (None, None) => words.to_owned(),
        };
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let code = error_code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        let (name, kind) = (or(error_name), or(error_type));
        let evidence = format!("query {id}, {kind}, {name} ({code}): {}", or(message));
        Self::new(cause, class, sentence(&detail)).because(evidence)
    }

    /// True when Trino took the statement, and so the credentials.
    pub(super) const fn is_of_query(&self) -> bool {
        matches!(self.cause, Cause::Query { .. })
    }

    /// True when a query failed for a reason that may pass.
    pub(super) const fn is_passing_query(&self) -> bool {
        self.is_of_query() && !self.class.is_definitive()
    }

    /// True when what a connector reads from failed, and not Trino.
    pub(super) const fn is_external(&self) -> bool {
        matches!(self.cause, Cause::Query { is_external: true, .. })
    }

    /// True when reading a table was refused, rather than running queries or impersonation.
    pub(super) const fn is_about_table(&self) -> bool {
        matches!(self.cause, Cause::Query { is_about_table: true, .. })
    }

    /// True when signing in takes a person at a browser.
    pub(super) const fn wants_browser(&self) -> bool {
        matches!(self.cause, Cause::Refused { wants_browser: true, .. })
    }
}

/// Returns the class of a refusal.
fn class_of_status(status: u16, words: &str) -> Class {
    match status {
        401 if words.to_lowercase().contains("expired") => Class::Expired,
        401 | 403 | 407 => Class::Denied,
        429 => Class::Throttled,
        408 | 410 | 500..=599 => Class::Unavailable,
        // A redirect is not followed: where it leads is not what was configured.
        _ => Class::Invalid,
    }
}

/// The four types of errors, and those that do not say which.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    User,
    Internal,
    Resources,
    External,
    Unknown,
}

fn kind_of(error: &QueryError) -> Kind {
    match (error.error_type.as_deref(), error.error_code) {
        (Some("USER_ERROR"), _) => Kind::User,
        (Some("INTERNAL_ERROR"), _) => Kind::Internal,
        (Some("INSUFFICIENT_RESOURCES"), _) => Kind::Resources,
        (Some("EXTERNAL"), _) | (_, Some(CONNECTOR_MIN..)) => Kind::External,
        (_, Some(RESOURCES_MIN..)) => Kind::Resources,
        (_, Some(INTERNAL_MIN..)) => Kind::Internal,
        (_, Some(0..)) => Kind::User,
        (_, Some(_) | None) => Kind::Unknown,
    }
}

/// Returns the class of a query's error: by its type, and within that by its name, or its code
/// where it has no name.
fn class_of(error: &QueryError) -> Class {
    let name = error.error_name.as_deref().unwrap_or_default();
    let code = error.error_code.filter(|_| name.is_empty());
    match kind_of(error) {
        Kind::User => user_error(name, code),
        Kind::Internal => match (name, code) {
            ("CONFIGURATION_INVALID" | "INVALID_RESOURCE_GROUP", _)
            | (_, Some(65_559 | 65_561)) => Class::Invalid,
            _ => Class::Unavailable,
        },
        Kind::Resources => match (name, code) {
            ("QUERY_QUEUE_FULL", _) | (_, Some(131_074)) => Class::Throttled,
            _ => Class::Unavailable,
        },
        Kind::External => Class::Unavailable,
        Kind::Unknown => Class::Invalid,
    }
}

fn user_error(name: &str, code: Option<i64>) -> Class {
    match (name, code) {
        ("PERMISSION_DENIED", _) | (_, Some(4)) => Class::Denied,
        (
            "NOT_FOUND" | "CATALOG_NOT_FOUND" | "SCHEMA_NOT_FOUND" | "TABLE_NOT_FOUND"
            | "COLUMN_NOT_FOUND" | "ROLE_NOT_FOUND",
            _,
        )
        | (_, Some(5 | 44..=48)) => Class::Missing,
        (
            "ABANDONED_QUERY"
            | "USER_CANCELED"
            | "QUERY_REJECTED"
            | "ADMINISTRATIVELY_KILLED"
            | "CATALOG_NOT_AVAILABLE",
            _,
        )
        | (_, Some(2 | 3 | 31 | 38)) => Class::Unavailable,
        _ => Class::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: &str, name: &str, code: i64) -> QueryError {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        QueryError {
            message: Some("m".to_owned()),
            error_code: Some(code),
            error_name: given(name),
            error_type: given(kind),
        }
    }

    /// Every code of Trino's `StandardErrorCode` that is not `Invalid` beside its kin, and the rest
    /// of each range.
    #[test]
    fn every_standard_error_has_a_class() {
        let codes = include_str!("testcases/codes.txt");
        let mut count = 0;
        for line in codes.lines().filter(|line| !line.starts_with('#')) {
            let [name, code, kind, class] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let code: i64 = code.parse().unwrap();
            let by_all = class_of(&error(kind, name, code));
            assert_eq!(by_all.as_str(), class, "{line}");
            assert_eq!(class_of(&error("", "", code)), by_all, "{line}: by its code");
            assert_eq!(class_of(&error(kind, name, -1)), by_all, "{line}: by its name");
            count += 1;
        }
        assert!(120 < count, "{count}");
    }

    #[test]
    fn the_type_decides_before_the_code_and_what_is_unknown_is_definite() {
        let table = [
            (error("EXTERNAL", "HIVE_METASTORE_ERROR", 0x100_0000), Class::Unavailable),
            (error("", "", 0x100_0000), Class::Unavailable),
            (error("EXTERNAL", "", 4), Class::Unavailable),
            (error("INTERNAL_ERROR", "NEW_ERROR", 65_700), Class::Unavailable),
            (error("INSUFFICIENT_RESOURCES", "NEW_LIMIT", 131_200), Class::Unavailable),
            (error("USER_ERROR", "NEW_MISTAKE", 200), Class::Invalid),
            (error("USER_ERROR", "CATALOG_NOT_AVAILABLE", 115), Class::Unavailable),
            (error("NEW_TYPE", "X", 4), Class::Invalid),
            (error("", "", -1), Class::Invalid),
            (QueryError::default(), Class::Invalid),
        ];
        for (error, class) in table {
            assert_eq!(class_of(&error), class, "{error:?}");
        }
    }

    #[test]
    fn every_status_has_a_class() {
        let table = [
            (300..=399, Class::Invalid),
            (400..=400, Class::Invalid),
            (401..=401, Class::Denied),
            (403..=403, Class::Denied),
            (404..=406, Class::Invalid),
            (407..=407, Class::Denied),
            (408..=408, Class::Unavailable),
            (410..=410, Class::Unavailable),
            (411..=428, Class::Invalid),
            (429..=429, Class::Throttled),
            (430..=499, Class::Invalid),
            (500..=599, Class::Unavailable),
        ];
        for (statuses, class) in table {
            for status in statuses {
                assert_eq!(class_of_status(status, ""), class, "{status}");
            }
        }
        assert_eq!(class_of_status(401, "JWT expired 5000 milliseconds ago"), Class::Expired);
        assert_eq!(class_of_status(403, "expired"), Class::Denied);
    }

    #[test]
    fn only_a_table_that_is_refused_proves_anything() {
        let said = |message: &str, code| {
            let error =
                QueryError { message: Some(message.to_owned()), ..error("USER_ERROR", "", code) };
            Failure::query("q", &error).is_about_table()
        };
        assert!(said("Access Denied: Cannot select from table raw.orders", 4));
        assert!(said("Access Denied: Cannot access catalog lake", 4));
        assert!(!said("Access Denied: User a cannot impersonate user b", 4));
        assert!(!said("Access Denied: Cannot execute query", 4));
        assert!(!said("Access Denied: Principal a cannot become user b", 4));
        assert!(!said("Table does not exist", 46));
        assert!(!Failure::refused(403, "Access Denied", None).is_about_table());
    }

    #[test]
    fn details_are_sentences() {
        let table = [
            (Failure::refused(502, "", None), "HTTP 502."),
            (Failure::refused(401, "Unauthorized", None), "HTTP 401: Unauthorized."),
            (Failure::silent(Class::Local, "no network"), "No network."),
            (Failure::query("q", &error("", "X", 1)), "X: m."),
            (Failure::query("q", &error("", "", -1)), "Error -1: m."),
            (Failure::query("q", &QueryError::default()), "No reason given."),
        ];
        for (failure, expected) in table {
            assert_eq!(failure.detail, expected);
        }
    }
}
