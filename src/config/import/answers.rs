//! Integrations of the published interface: what `GET /integrations` answers, as JSON or YAML.
//!
//! Ids are kept, so that clients find what they know. An answer has no secrets, or shows something in their place:
//! each becomes the reference to a credential.

use std::sync::Arc;

use super::draft::{Context, Draft, unique};
use super::made::{Made, Previous, PreviousTest};
use super::source::Source;
use crate::config::format::Format;
use crate::input::{Kind, Value};

/// Members under which a list may be wrapped.
const LISTS: [&str; 4] = ["integrations", "data", "hits", "items"];
/// Names of secrets, whatever table they are in; those of key files are in `content`.
const SECRETS: [&str; 17] = [
    "password",
    "token",
    "clientSecret",
    "clientAssertion",
    "clientCertificate",
    "clientKey",
    "secretKey",
    "sessionToken",
    "awsSecretAccessKey",
    "awsSessionToken",
    "privateKeyPassword",
    "content",
    "credential",
    "apiKey",
    "secret",
    "certificate",
    "key",
];
/// Secrets that a kind of log-in needs, by platform and `authenticationType`; an empty type is the platform's default.
const NEEDED: [(&str, &str, &str); 12] = [
    ("Snowflake", "userPassword", "password"),
    ("Snowflake", "keyPair", "privateKey.content"),
    ("Snowflake", "oAuthClientCredentials", "oAuthClientConfig.clientSecret"),
    ("Redshift", "", "password"),
    ("Redshift", "userPassword", "password"),
    ("Redshift", "accessKey", "secretKey"),
    ("Databricks", "token", "token"),
    ("Databricks", "oAuthM2M", "oAuthClientConfig.clientSecret"),
    ("Azure Synapse Analytics", "", "password"),
    ("Azure Synapse Analytics", "userPassword", "password"),
    ("Google BigQuery", "", "credential"),
    ("Native S3", "accessKey", "awsSecretAccessKey"),
];

/// Makes an integration of each answer.
pub(super) fn read(source: &Source, text: &str, context: Context<'_>, made: &mut Made) {
    let shown = source.shown();
    // JSON is YAML too, but its faults are named better by its own reader.
    let is_json = text.trim_start().starts_with(['[', '{']);
    let format = if is_json { Format::Json } else { Format::Yaml };
    let root = match format.parse(text, &shown) {
        Ok(root) => root,
        Err(malformed) => {
            let origin = format!("{shown}:{}", malformed.line);
            return context.fault(&origin, "", malformed.message);
        }
    };
    let Some(answers) = listed(root) else {
        let message = "expected a list of integrations, as GET /integrations answers it";
        return context.fault(&shown, "", message);
    };
    for answer in answers {
        one(source, answer, context, made);
    }
}

/// Returns the answers: of a list, of a list in an object, or the one integration that the file is.
fn listed(root: Value) -> Option<Vec<Value>> {
    match root.kind {
        Kind::Array(items) => Some(items),
        Kind::Table(entries) if entries.iter().any(|(key, _)| key == "type") => {
            Some(vec![Value { kind: Kind::Table(entries), origin: root.origin }])
        }
        Kind::Table(entries) => entries.into_iter().find_map(|(key, value)| {
            let Kind::Array(items) = value.kind else { return None };
            LISTS.contains(&key.as_str()).then_some(items)
        }),
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => None,
    }
}

fn one(source: &Source, answer: Value, context: Context<'_>, made: &mut Made) {
    let origin = Arc::clone(&answer.origin);
    let text = |key: &str| answer.entry(key).and_then(scalar);
    let Some(kind) = text("type") else {
        return context.fault(&origin, "type", "missing; the answer is not one of an integration");
    };
    let status = text("status").unwrap_or_default();
    let name = unique(&mut made.names, &name(&answer, &kind, made.entries.len()));
    if matches!(status.as_str(), "deleted" | "deleting") {
        made.notes.push(format!("{name}: left out, since it is {status}."));
        return;
    }
    let mut draft = Draft::new(&name, &kind, &origin);
    if status == "disabled" {
        draft.put("disabled", Kind::Bool(true));
        made.notes.push(format!("{name}: disabled, as it is there."));
    }
    let previous = Previous {
        integration: name,
        kind: kind.clone(),
        status,
        tests: answer.entry("validationResults").map(tests).unwrap_or_default(),
    };
    let Kind::Table(entries) = answer.kind else { return };
    for (key, value) in entries {
        match key.as_str() {
            "name" | "type" | "status" | "validationResults" | "revalidated" => {}
            "config" => config(&mut draft, &kind, value),
            _ if matches!(value.kind, Kind::Null) => {}
            _ => draft.put_value(&key, value),
        }
    }
    made.needed.append(&mut draft.needed);
    made.previous.push(previous);
    made.entries.push(draft.entry(source.template.as_deref(), made.entries.len()));
}

/// Puts the configuration into the integration, a reference in place of each secret.
fn config(draft: &mut Draft, kind: &str, value: Value) {
    let authentication = value.entry("authenticationType").and_then(scalar).unwrap_or_default();
    let mut secrets = Vec::new();
    let value = without_secrets(value, "config", &mut secrets);
    draft.put_value(
        "config",
        value.unwrap_or(Value { kind: Kind::Table(Vec::new()), origin: "".into() }),
    );
    for (path, is_in_clear) in &secrets {
        draft.credential(path, *is_in_clear);
    }
    let needed = NEEDED.iter().filter(|(of, with, _)| *of == kind && *with == authentication);
    for path in needed.map(|(_, _, path)| format!("config.{path}")) {
        if !secrets.iter().any(|(known, _)| *known == path) {
            draft.credential(&path, false);
        }
    }
}

/// Returns a value without nulls and secrets, whose paths go to `secrets`, each with true where the answer has it in
/// clear.
fn without_secrets(value: Value, at: &str, secrets: &mut Vec<(String, bool)>) -> Option<Value> {
    let origin = value.origin;
    let kind = match value.kind {
        Kind::Null => return None,
        Kind::Table(entries) => {
            let mut kept = Vec::new();
            for (key, value) in entries {
                let path = format!("{at}.{key}");
                if SECRETS.contains(&key.as_str()) && !matches!(value.kind, Kind::Table(_)) {
                    let text = scalar(&value).unwrap_or_default();
                    secrets.push((path, !text.is_empty() && !is_taken_out(&text)));
                } else if let Some(value) = without_secrets(value, &path, secrets) {
                    kept.push((key, value));
                }
            }
            Kind::Table(kept)
        }
        other @ (Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Array(_)) => other,
    };
    Some(Value { kind, origin })
}

/// True for a text that stands in the place of a secret.
fn is_taken_out(text: &str) -> bool {
    let bare = text.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).to_lowercase();
    bare.is_empty()
        || ["redacted", "hidden", "secret", "masked", "removed"].contains(&bare.as_str())
}

/// Returns a name: the one that the answer has, or the platform with the id.
fn name(answer: &Value, kind: &str, place: usize) -> String {
    let own = answer.entry("name").and_then(scalar);
    if let Some(own) = own.filter(|name| !name.trim().is_empty()) {
        return own;
    }
    let of_config = answer.entry("config").and_then(|config| config.entry("name")).and_then(scalar);
    if let Some(name) = of_config.filter(|name| !name.trim().is_empty()) {
        return name;
    }
    let id = answer.entry("id").and_then(scalar).unwrap_or_else(|| (place + 1).to_string());
    let word = match kind {
        "Native S3" => "s3",
        "Azure Synapse Analytics" => "synapse",
        "Google BigQuery" => "bigquery",
        other => return format!("{}-{id}", other.to_lowercase().replace(' ', "-")),
    };
    format!("{word}-{id}")
}

fn scalar(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Integer(number) => Some(number.to_string()),
        Kind::Null | Kind::Bool(_) | Kind::Float(_) | Kind::Array(_) | Kind::Table(_) => None,
    }
}

/// Returns the results of the tests, in the order of the answer.
fn tests(results: &Value) -> Vec<PreviousTest> {
    let Some(Value { kind: Kind::Array(tests), .. }) = results.entry("validationTests") else {
        return Vec::new();
    };
    let text = |test: &Value, key: &str| test.entry(key).and_then(scalar).unwrap_or_default();
    let one = |test: &Value| PreviousTest {
        name: text(test, "name"),
        status: text(test, "status"),
        message: text(test, "message"),
    };
    tests.iter().map(one).collect()
}
