//! Connections of Airflow: `airflow connections export --file-format json`.

use std::sync::Arc;

use super::connections::Connection;
use super::draft::Context;
use super::made::Made;
use super::source::Source;
use crate::config::format::Format;
use crate::input::{Kind, Value};

/// Prefix of keys in `extra`, before the type of the connection.
const PREFIX: &str = "extra__";

/// Makes an integration of each connection to a platform.
pub(super) fn read(source: &Source, text: &str, context: Context<'_>, made: &mut Made) {
    let shown = source.shown();
    let is_json = text.trim_start().starts_with(['[', '{']);
    let format = if is_json { Format::Json } else { Format::Yaml };
    let root = match format.parse(text, &shown) {
        Ok(root) => root,
        Err(malformed) => {
            let origin = format!("{shown}:{}", malformed.line);
            return context.fault(&origin, "", malformed.message);
        }
    };
    let connections = match root.kind {
        Kind::Table(connections) => connections,
        // As `airflow connections list --output json` prints them.
        Kind::Array(items) => items.into_iter().filter_map(named).collect(),
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => {
            let message = "expected connections, as `airflow connections export` writes them";
            return context.fault(&shown, "", message);
        }
    };
    let names: Vec<_> = connections.iter().map(|(name, _)| name.clone()).collect();
    source.check_only(context, "connection", &names);
    for (name, connection) in connections.into_iter().filter(|(name, _)| source.wants(name)) {
        let origin = Arc::clone(&connection.origin);
        let Kind::Table(entries) = connection.kind else {
            // A URI has its parts in an order of its own for each type.
            made.notes
                .push(format!("{name}: left out: export connections with --file-format json."));
            continue;
        };
        let (kind, entries) = flattened(entries, context);
        Connection { name, kind, entries, origin }.add(source, context, made);
    }
}

fn named(item: Value) -> Option<(String, Value)> {
    let name = item.entry("conn_id")?.text()?.to_owned();
    Some((name, item))
}

/// Returns the type of a connection, and its entries with those of `extra` among them.
fn flattened(
    entries: Vec<(String, Value)>,
    context: Context<'_>,
) -> (String, Vec<(String, Value)>) {
    let mut kind = String::new();
    let (mut own, mut more) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        match key.as_str() {
            "conn_type" => value.text().unwrap_or_default().clone_into(&mut kind),
            "conn_id" | "description" | "id" | "is_encrypted" | "is_extra_encrypted"
            | "get_uri" => {}
            "extra" | "extra_dejson" => more.extend(extra(value, context)),
            _ => own.push((key, value)),
        }
    }
    // Airflow has no key for the database of Redshift and of SQL servers: it is in `schema`.
    let has_database = matches!(kind.as_str(), "redshift" | "mssql");
    let own = own.into_iter().map(|(key, value)| match key.as_str() {
        "schema" if has_database => ("database".to_owned(), value),
        _ => (key, value),
    });
    let prefix = format!("{PREFIX}{kind}__");
    let more = more.into_iter().map(|(key, value)| {
        let bare = key.strip_prefix(&prefix).map(str::to_owned);
        (bare.unwrap_or(key), value)
    });
    let entries = own.chain(more).collect();
    (kind, entries)
}

/// Returns the entries of `extra`, which is an object or the text of one.
fn extra(value: Value, context: Context<'_>) -> Vec<(String, Value)> {
    let origin = Arc::clone(&value.origin);
    let table = match value.kind {
        Kind::String(text) if text.trim().is_empty() => return Vec::new(),
        Kind::String(text) => match serde_json::from_str(&text) {
            Ok(json) => Value::from_json(&json, &origin).kind,
            Err(_malformed) => {
                context.fault(&origin, "extra", "is not JSON");
                return Vec::new();
            }
        },
        kind @ (Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::Array(_)
        | Kind::Table(_)) => kind,
    };
    let Kind::Table(entries) = table else { return Vec::new() };
    entries
}
