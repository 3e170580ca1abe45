//! Configuration as the store keeps it and as people see it: without secrets.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::domain::REDACTED;
use crate::input::{Kind, Value, join};

/// Treatment of references to secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum References {
    /// They stay, since they hold no secret.
    Keep,
    /// They are replaced too.
    Hide,
}

/// Returns the configuration as JSON, without the values at the paths in `secrets`.
pub(super) fn redact(
    value: &Value,
    path: &str,
    secrets: &BTreeSet<String>,
    references: References,
) -> Json {
    let is_reference = matches!(value.kind, Kind::Table(_));
    if secrets.contains(path) && !(is_reference && references == References::Keep) {
        return Json::from(REDACTED);
    }
    match &value.kind {
        Kind::Array(items) => {
            let items = items.iter().enumerate();
            let item =
                |(index, item)| redact(item, &format!("{path}[{index}]"), secrets, references);
            Json::Array(items.map(item).collect())
        }
        Kind::Table(entries) => {
            let entry = |(key, item): &(String, Value)| {
                (key.clone(), redact(item, &join(path, key), secrets, references))
            };
            Json::Object(entries.iter().map(entry).collect())
        }
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => {
            value.to_json()
        }
    }
}
