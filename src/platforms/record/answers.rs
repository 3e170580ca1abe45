//! Answers as a recording keeps them: without names, secrets and the headers that no platform reads.

use http::HeaderMap;
use serde_json::{Map, Number, Value as Json};

use super::case::{Reply, Said};
use super::pseudonym::{Kind, Pseudonyms, Reading};
use super::words::is_prose;
use crate::domain::one_line;
use crate::net::tape::{Outcome, Sql, SqlAnswer};

/// Headers that platforms read.
const HEADERS: [&str; 13] = [
    "content-type",
    "location",
    "metadata-flavor",
    "retry-after",
    "server",
    "www-authenticate",
    "x-amz-bucket-region",
    "x-amz-request-id",
    "x-amz-retry-after",
    "x-amzn-requestid",
    "x-databricks-reason-phrase",
    "x-request-id",
    "x-trino-error",
];
/// Keys and elements of codes, which vendors define.
const CODES: [&str; 10] = [
    "Code",
    "code",
    "error",
    "errorCode",
    "errorName",
    "errorType",
    "error_code",
    "reason",
    "state",
    "status",
];
/// Keys of names that people gave, in lower case; even a public word is replaced there.
const GIVEN: [&str; 9] = [
    "comment",
    "createdby",
    "display",
    "displayname",
    "email",
    "owner",
    "updatedby",
    "user",
    "username",
];
/// Longest code, in characters.
const CODE_MAX: usize = 80;
/// Fields of database servers with codes and numbers of their own.
const SQL_CODES: [&str; 9] =
    ["cause", "class", "is_superuser", "number", "port", "severity", "sqlstate", "state", "value"];
/// Longest field of an answer of a database server, in characters.
const FIELD_MAX: usize = 1000;
/// Parts of keys whose numbers are instants.
const INSTANTS: [&str; 8] = ["time", "expir", "creat", "updat", "_at", "exp", "iat", "last"];
/// Largest number that is no identifier.
const NUMBER_MAX: u64 = 999_999;
/// Milliseconds since 1970 in the year 2100, beyond which no number is an instant.
const INSTANT_MAX: u64 = 4_102_444_800_000;

/// Returns an outcome without names and secrets.
pub(super) fn reply(names: &mut Pseudonyms, outcome: &Outcome) -> Reply {
    match outcome {
        Outcome::Silence => Reply::of(Said::Silence, String::new()),
        Outcome::NoAnswer { class, detail } => {
            Reply::of(Said::NoAnswer(*class), names.text(detail))
        }
        Outcome::Answer { status, headers, body } => Reply {
            said: Said::Status(*status),
            headers: kept(names, headers),
            body: body_of(names, body),
        },
        Outcome::Sql(SqlAnswer { said, fields, text }) => {
            let headers =
                fields.iter().map(|(name, value)| ((*name).to_owned(), field(names, name, value)));
            let said = match said {
                Sql::LoggedIn => Said::LoggedIn,
                Sql::Redirected => Said::Redirected,
                Sql::Rows => Said::Rows,
                Sql::Error => Said::Error,
                Sql::Fault(class) => Said::NoAnswer(*class),
            };
            Reply { said, headers: headers.collect(), body: names.text(text) }
        }
    }
}

/// Returns a field of an answer of a database server, in one line.
fn field(names: &mut Pseudonyms, name: &str, value: &str) -> String {
    let value = one_line(value, FIELD_MAX);
    let is_code = value.chars().count() <= CODE_MAX && !names.has_name(&value);
    match name {
        "session_authorization" => names.named(&value, Kind::User),
        _ if SQL_CODES.contains(&name) && is_code => value,
        _ => names.text(&value),
    }
}

fn kept(names: &mut Pseudonyms, headers: &HeaderMap) -> Vec<(String, String)> {
    let all = HEADERS.iter().flat_map(|name| headers.get_all(*name).iter().map(move |v| (name, v)));
    let text = |(name, value): (&&str, &http::HeaderValue)| {
        Some(((**name).to_owned(), names.text(value.to_str().ok()?)))
    };
    all.filter_map(text).collect()
}

fn body_of(names: &mut Pseudonyms, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if let Ok(json) = serde_json::from_str::<Json>(&text) {
        return names.part_by_part(&text, |names| value(names, "", &json)).to_string();
    }
    if text.trim_start().starts_with('<') {
        return markup(names, &text);
    }
    names.text(&text)
}

/// Returns a document in JSON without names.
pub(super) fn value(names: &mut Pseudonyms, key: &str, json: &Json) -> Json {
    match json {
        Json::Null | Json::Bool(_) => json.clone(),
        Json::Number(number) => Json::Number(self::number(names, key, number)),
        Json::String(text) if CODES.contains(&key) && is_code(names, text) => json.clone(),
        Json::String(text) if GIVEN.contains(&key.to_lowercase().replace('_', "").as_str()) => {
            Json::String(names.named(text, Kind::User))
        }
        Json::String(text) => Json::String(names.text(text)),
        Json::Array(items) => items.iter().map(|item| value(names, key, item)).collect(),
        Json::Object(entries) => {
            let mut replaced = Map::new();
            for (key, item) in entries {
                let new = if is_prose(key) { key.clone() } else { names.text(key) };
                replaced.insert(new, value(names, key, item));
            }
            Json::Object(replaced)
        }
    }
}

/// Returns a number; one that is too large for a count, and no instant, is an identifier.
fn number(names: &mut Pseudonyms, key: &str, number: &Number) -> Number {
    let Some(whole) = number.as_u64().filter(|whole| NUMBER_MAX < *whole) else {
        return number.clone();
    };
    let key = key.to_lowercase();
    let is_instant = whole < INSTANT_MAX && INSTANTS.iter().any(|part| key.contains(part));
    if is_instant {
        return number.clone();
    }
    let replaced = names.word(&whole.to_string(), Reading::Identifier);
    replaced.parse::<u64>().map_or_else(|_not_whole| number.clone(), Number::from)
}

/// True for a code of a vendor: one word of letters that is no name.
fn is_code(names: &Pseudonyms, text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.');
    (1..=CODE_MAX).contains(&text.len()) && text.bytes().all(is_letter) && !names.has_name(text)
}

/// Returns a document in XML or HTML without names; its elements stay.
fn markup(names: &mut Pseudonyms, text: &str) -> String {
    let text = names.redacted(text);
    let mut replaced = String::with_capacity(text.len());
    let mut element = "";
    for piece in text.split_inclusive('>') {
        let (content, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        let is_code = CODES.contains(&element) && is_code(names, content);
        let content = if is_code { content.to_owned() } else { names.text(content) };
        replaced.push_str(&content);
        replaced.push_str(&names.tokens(tag, Reading::Prose));
        element = tag.trim_matches(['<', '>']);
    }
    replaced
}
