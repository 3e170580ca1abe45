//! Connections of the vendors' command lines: `~/.databrickscfg` and Snowflake's `connections.toml`.

use std::sync::Arc;

use super::adapters::Adapter;
use super::draft::{Context, Draft, Fields, unique};
use super::made::Made;
use super::source::Source;
use crate::config::format::Format;
use crate::input::{Kind, Value};

/// Section of defaults for all profiles, which is a profile itself.
const DEFAULT: &str = "DEFAULT";
/// Section of settings of Databricks' command line.
const SETTINGS: &str = "__settings__";

/// Connection of another program.
#[derive(Debug)]
pub(super) struct Connection {
    /// Name for the integration.
    pub(super) name: String,
    /// Type by which the program knows the platform.
    pub(super) kind: String,
    /// Entries of the connection.
    pub(super) entries: Vec<(String, Value)>,
    /// Line of the file.
    pub(super) origin: Arc<str>,
}

impl Connection {
    /// Makes the integration, or notes why there is none.
    pub(super) fn add(self, source: &Source, context: Context<'_>, made: &mut Made) {
        let Self { name, kind, entries, origin } = self;
        let Some(adapter) = Adapter::find(&kind) else {
            made.notes.push(format!("{name}: left out: {kind:?} is no platform of these."));
            return;
        };
        let fields = Fields::read(context, entries, adapter.keys);
        let name = unique(&mut made.names, &name);
        let mut draft = Draft::new(&name, adapter.kind, &origin);
        if let Some(flag) = adapter.auto_bootstrap {
            draft.put("autoBootstrap", Kind::Bool(flag));
        }
        if let Err(why) = (adapter.make)(&fields, &mut draft) {
            made.names.remove(&name);
            made.notes.push(format!("{name}: left out: {why}."));
            return;
        }
        if !fields.left_out.is_empty() {
            let keys = fields.left_out.join(", ");
            made.notes.push(format!("{name}: keys without use here: {keys}."));
        }
        made.needed.append(&mut draft.needed);
        made.entries.push(draft.entry(source.template.as_deref(), made.entries.len()));
    }
}

/// Makes an integration of each profile of Databricks' command line.
pub(super) fn databricks(source: &Source, text: &str, context: Context<'_>, made: &mut Made) {
    let sections = sections(text, &source.shown(), context);
    let names: Vec<_> = sections.iter().map(|(name, ..)| name.clone()).collect();
    source.check_only(context, "profile", &names);
    for (profile, origin, entries) in sections {
        // Without a host there is nothing but defaults.
        let is_empty = !entries.iter().any(|(key, _)| key == "host");
        if profile == SETTINGS || !source.wants(&profile) || (profile == DEFAULT && is_empty) {
            continue;
        }
        let name = if profile == DEFAULT { "databricks".to_owned() } else { profile };
        let kind = "databricks".to_owned();
        Connection { name, kind, entries, origin }.add(source, context, made);
    }
}

/// Section of an INI file: its name, the line of it, and its entries.
type Section = (String, Arc<str>, Vec<(String, Value)>);

/// Reads sections of `key = value` lines, with `#` and `;` before comments.
fn sections(text: &str, shown: &str, context: Context<'_>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let origin: Arc<str> = format!("{shown}:{}", number + 1).into();
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.trim().to_owned(), origin, Vec::new()));
        } else if let (Some((key, value)), Some((.., entries))) =
            (line.split_once('='), sections.last_mut())
        {
            let kind = Kind::String(value.trim().to_owned());
            entries.push((key.trim().to_lowercase(), Value { kind, origin }));
        } else {
            context.fault(&origin, "", "expected [profile] or key = value");
        }
    }
    sections
}

/// Makes an integration of each connection of Snowflake's command line: tables of `connections.toml`, or those below
/// `connections` of `config.toml`.
pub(super) fn snowflake(source: &Source, text: &str, context: Context<'_>, made: &mut Made) {
    let shown = source.shown();
    let root = match Format::Toml.parse(text, &shown) {
        Ok(root) => root,
        Err(malformed) => {
            let origin = format!("{shown}:{}", malformed.line);
            return context.fault(&origin, "", malformed.message);
        }
    };
    let below = root.entry("connections").cloned();
    let Kind::Table(tables) = below.unwrap_or(root).kind else { return };
    let tables = tables.into_iter().filter_map(|(name, table)| {
        let Kind::Table(entries) = table.kind else { return None };
        Some((name, table.origin, entries))
    });
    let tables: Vec<_> = tables.collect();
    let names: Vec<_> = tables.iter().map(|(name, ..)| name.clone()).collect();
    source.check_only(context, "connection", &names);
    for (name, origin, entries) in tables.into_iter().filter(|(name, ..)| source.wants(name)) {
        let kind = "snowflake".to_owned();
        Connection { name, kind, entries, origin }.add(source, context, made);
    }
}
