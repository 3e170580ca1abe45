//! Profiles of dbt: `profiles.yml`, with `env_var` in the values.

use std::sync::Arc;

use super::connections::Connection;
use super::draft::{Context, variable_of};
use super::made::Made;
use super::source::Source;
use crate::config::format::Format;
use crate::input::{Kind, Value};

/// Top-level key of `profiles.yml` that is no profile.
const SETTINGS: &str = "config";
/// Types of dbt's adapters whose platforms are known here.
const TYPES: [&str; 7] =
    ["snowflake", "redshift", "databricks", "bigquery", "trino", "synapse", "sqlserver"];

/// Makes an integration of one target of each profile: the wanted one, or else its default.
pub(super) fn read(source: &Source, text: &str, context: Context<'_>, made: &mut Made) {
    let shown = source.shown();
    let root = match Format::Yaml.parse(text, &shown) {
        Ok(root) => root,
        Err(malformed) => {
            let origin = format!("{shown}:{}", malformed.line);
            return context.fault(&origin, "", malformed.message);
        }
    };
    let Kind::Table(profiles) = root.kind else {
        return context.fault(&shown, "", "expected profiles, each with `target` and `outputs`");
    };
    let profiles: Vec<_> = profiles.into_iter().filter(|(name, _)| name != SETTINGS).collect();
    let names: Vec<_> = profiles.iter().map(|(name, _)| name.clone()).collect();
    source.check_only(context, "profile", &names);
    for (name, profile) in profiles.into_iter().filter(|(name, _)| source.wants(name)) {
        of_profile(source, context, made, &name, &profile);
    }
}

fn of_profile(
    source: &Source,
    context: Context<'_>,
    made: &mut Made,
    profile: &str,
    value: &Value,
) {
    let Some(Value { kind: Kind::Table(outputs), .. }) = value.entry("outputs") else {
        return context.fault(&value.origin, profile, "expected `outputs` with targets");
    };
    let default = value.entry("target").and_then(Value::text);
    let default = default.map(|text| rendered(text, context, &value.origin));
    let wanted = source.target.clone().or(default).unwrap_or_else(|| "default".to_owned());
    let known: Vec<_> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    let Some((target, output)) = outputs.iter().find(|(name, _)| *name == wanted) else {
        let known = known.join(", ");
        // Another profile may have the target that is wanted.
        let message = format!("{profile}: left out: it has no target {wanted:?}, but {known}.");
        made.notes.push(message);
        return;
    };
    let others: Vec<_> = known.into_iter().filter(|name| name != target).collect();
    if !others.is_empty() && source.target.is_none() {
        let others = others.join(", ");
        made.notes.push(format!("{profile}: only its default target {target} is taken; --target takes another: {others}."));
    }
    let Kind::Table(entries) = &output.kind else { return };
    let entries = entries.iter().map(|(key, value)| (key.clone(), of_jinja(value, context)));
    let mut entries: Vec<_> = entries.collect();
    let kind = output.entry("type").and_then(Value::text).unwrap_or_default().to_owned();
    entries.retain(|(key, _)| key != "type");
    let name = format!("{profile}-{target}");
    if !TYPES.contains(&kind.as_str()) {
        made.notes.push(format!("{name}: left out: {kind:?} is no platform of these."));
        return;
    }
    let origin = Arc::clone(&output.origin);
    Connection { name, kind, entries, origin }.add(source, context, made);
}

/// Returns a value with what stands for its `env_var`: a variable where that is all of it, a text otherwise.
fn of_jinja(value: &Value, context: Context<'_>) -> Value {
    let origin = &value.origin;
    let kind = match &value.kind {
        Kind::String(text) if text.contains("{{") => {
            if let Some((name, default)) = whole(text) {
                return variable_of(name, default, origin);
            }
            Kind::String(rendered(text, context, origin))
        }
        Kind::Array(items) => {
            Kind::Array(items.iter().map(|item| of_jinja(item, context)).collect())
        }
        Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Table(_) => value.kind.clone(),
    };
    Value { kind, origin: Arc::clone(origin) }
}

/// Returns the variable, and the value without it, of a text that is nothing but one `env_var`.
fn whole(text: &str) -> Option<(&str, Option<&str>)> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    if inner.contains("{{") {
        return None;
    }
    env_var(inner)
}

/// Reads `env_var('NAME')` or `env_var('NAME', 'default')`, with filters such as `| int` after it.
fn env_var(text: &str) -> Option<(&str, Option<&str>)> {
    let call = text.trim().strip_prefix("env_var")?.trim_start().strip_prefix('(')?;
    let (arguments, _filters) = call.rsplit_once(')')?;
    match arguments.split_once(',') {
        Some((name, default)) => Some((bare(name)?, bare(default))),
        None => Some((bare(arguments)?, None)),
    }
}

/// Returns a text without the quotes around it.
fn bare(text: &str) -> Option<&str> {
    let text = text.trim();
    let within = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('\'').or_else(|| within('"'))
}

/// Returns a text with the values of its variables; one that is not set, and any other expression, is a fault.
fn rendered(text: &str, context: Context<'_>, origin: &Arc<str>) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((inner, after)) = after.split_once("}}") else {
            out.push_str(after);
            return out;
        };
        rest = after;
        let Some((name, default)) = env_var(inner) else {
            let message = format!("[{}] is not understood; only env_var is", inner.trim());
            context.fault(origin, "", message);
            continue;
        };
        if let Some(value) = context.variables.get(name).map(String::as_str).or(default) {
            out.push_str(value);
        } else {
            context.fault(origin, "", format!("environment variable {name} is not set"));
        }
    }
    out.push_str(rest);
    out
}
