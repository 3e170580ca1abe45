//! Layered settings (defaults, main file, environment), merged by the `config` crate.
//!
//! Every layer is also read on its own: only there does each value still have its line, even one that
//! a higher layer overrides.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use ::config::{Config, ConfigError, Environment, Map, Source, Value as Plain, ValueKind};

use super::entry::LISTS;
use super::format::Format;
use crate::input::{ENVIRONMENT, Fault, Faults, Kind, Value};

/// Prefix of the names of settings in the environment.
const PREFIX: &str = "REVALIDATED";
/// Separator between the parts of such a name.
const SEPARATOR: &str = "__";

/// Layer in the shape that the `config` crate needs.
#[derive(Clone, Debug)]
struct Layer(Value);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Plain>, ConfigError> {
        let Kind::Table(entries) = &self.0.kind else { return Ok(Map::new()) };
        Ok(given(entries).collect())
    }
}

/// Merges the layers into one table, later ones over earlier ones.
pub(super) fn merge(layers: &[Value]) -> Result<Value, ConfigError> {
    let builder = layers
        .iter()
        .cloned()
        .fold(Config::builder(), |builder, layer| builder.add_source(Layer(layer)));
    Ok(from_plain(builder.build()?.cache, None))
}

/// Returns the settings among `variables`, each a layer of its own, ordered by name.
pub(super) fn environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
    faults: &Faults,
) -> Vec<Value> {
    let sorted: BTreeMap<_, _> = variables.collect();
    let layers = sorted.into_iter().filter_map(|(name, text)| {
        let name = name.into_string().ok()?;
        let rest = name.strip_prefix(PREFIX)?.strip_prefix('_')?;
        let origin: Arc<str> = format!("{ENVIRONMENT}{name}").into();
        let note = |message: &str| Fault {
            origin: origin.to_string(),
            path: String::new(),
            message: message.to_owned(),
        };
        let Some(key) = rest.strip_prefix('_') else {
            if rest.contains(SEPARATOR) {
                faults.warn(note("ignored; the names of settings begin with REVALIDATED__"));
            }
            return None;
        };
        let parts: Vec<_> = key.split(SEPARATOR).map(str::to_lowercase).collect();
        let layer = if !parts.iter().all(|part| is_plain(part)) {
            Err("not the name of a setting".to_owned())
        } else if parts.first().is_some_and(|part| LISTS.contains(&part.as_str())) {
            Err("integrations and receivers belong in files, not in the environment".to_owned())
        } else {
            let text = text.into_string().map_err(|_text| "not UTF-8".to_owned());
            text.and_then(|text| variable(&name, text).map_err(|error| error.to_string()))
        };
        match layer {
            Ok(plain) => Some(with_lists(from_plain(plain, Some(&origin)), &origin)),
            Err(message) => {
                faults.push(note(&message));
                None
            }
        }
    });
    layers.collect()
}

/// Returns the value with each text that is a TOML array, such as `["a:443", "b:443"]`, as that list.
fn with_lists(value: Value, origin: &Arc<str>) -> Value {
    let kind = match value.kind {
        Kind::Table(entries) => {
            let entries = entries.into_iter();
            Kind::Table(entries.map(|(key, value)| (key, with_lists(value, origin))).collect())
        }
        Kind::String(text) => match list(&text) {
            Some(items) => {
                let items = items.into_iter();
                Kind::Array(
                    items.map(|item| Value { origin: Arc::clone(origin), ..item }).collect(),
                )
            }
            None => Kind::String(text),
        },
        other @ (Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::Array(_)) => other,
    };
    Value { kind, origin: value.origin }
}

fn list(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    let root = Format::Toml.parse(&format!("list = {text}"), "").ok()?;
    match root.entry("list").map(|list| list.kind.clone()) {
        Some(Kind::Array(items)) => Some(items),
        _ => None,
    }
}

fn is_plain(part: &str) -> bool {
    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn variable(name: &str, text: String) -> Result<Plain, ConfigError> {
    let source = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .source(Some(Map::from_iter([(name.to_owned(), text)])));
    Ok(Config::builder().add_source(source).build()?.cache)
}

/// Returns the entries with a value: null does not override the layer below.
fn given(entries: &[(String, Value)]) -> impl Iterator<Item = (String, Plain)> {
    let given = entries.iter().filter(|(_, value)| !matches!(value.kind, Kind::Null));
    given.map(|(key, value)| (key.clone(), to_plain(value)))
}

fn to_plain(value: &Value) -> Plain {
    let kind = match &value.kind {
        Kind::Null => ValueKind::Nil,
        Kind::Bool(flag) => ValueKind::Boolean(*flag),
        Kind::Integer(number) => ValueKind::I64(*number),
        Kind::Float(number) => ValueKind::Float(*number),
        Kind::String(text) => ValueKind::String(text.clone()),
        Kind::Array(items) => ValueKind::Array(items.iter().map(to_plain).collect()),
        Kind::Table(entries) => ValueKind::Table(given(entries).collect()),
    };
    Plain::new(Some(&value.origin.to_string()), kind)
}

/// Converts back, with `origin` in place of the values' own; merged tables have lost theirs, and get that of
/// their first entry.
fn from_plain(plain: Plain, origin: Option<&Arc<str>>) -> Value {
    let given = origin.cloned().or_else(|| plain.origin().map(Arc::from));
    let kind = match plain.kind {
        ValueKind::Boolean(flag) => Kind::Bool(flag),
        ValueKind::I64(number) => Kind::Integer(number),
        ValueKind::Float(number) => Kind::Float(number),
        ValueKind::String(text) => Kind::String(text),
        ValueKind::Array(items) => {
            Kind::Array(items.into_iter().map(|item| from_plain(item, origin)).collect())
        }
        ValueKind::Table(entries) => Kind::Table(
            entries.into_iter().map(|(key, item)| (key, from_plain(item, origin))).collect(),
        ),
        // No layer contains numbers of these sizes.
        ValueKind::Nil | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => Kind::Null,
    };
    let first = match &kind {
        Kind::Table(entries) => entries.first().map(|(_, value)| Arc::clone(&value.origin)),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Array(_) => None,
    };
    let origin = given.or(first).unwrap_or_else(|| "configuration".into());
    Value { kind, origin }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layer_overrides_key_by_key_and_keeps_origins() {
        let low = Format::Toml.parse("[a]\nx = 1\nyZ = 2\n", "low").unwrap();
        let high = Format::Toml.parse("[a]\nyZ = 3\n[b]\nz = [1]\n", "high").unwrap();
        let merged = merge(&[low, high]).unwrap();
        assert_eq!(merged.to_json(), serde_json::json!({"a": {"x": 1, "yZ": 3}, "b": {"z": [1]}}));
        let table = merged.entry("a").unwrap();
        assert_eq!(&*table.entry("x").unwrap().origin, "low:2");
        assert_eq!(&*table.entry("yZ").unwrap().origin, "high:2");
    }

    #[test]
    fn null_overrides_nothing() {
        let low = Format::Yaml.parse("a: {x: 1}\nb: {y: 2}\n", "low").unwrap();
        let high = Format::Yaml.parse("a:\nb: {y: null, z: 3}\n", "high").unwrap();
        let merged = merge(&[low, high]).unwrap();
        assert_eq!(merged.to_json(), serde_json::json!({"a": {"x": 1}, "b": {"y": 2, "z": 3}}));
    }

    #[test]
    fn variable_with_a_toml_array_is_a_list() {
        let faults = Faults::default();
        let variables = [
            ("REVALIDATED__A__LIST", r#"["a:443", "b"]"#),
            ("REVALIDATED__B__LISTEN", "[::1]:9090"),
            ("REVALIDATED__C__LIST", "[]"),
        ];
        let variables = variables.map(|(name, text)| (name.into(), text.into()));
        let layers = environment(variables.into_iter(), &faults);
        let json: Vec<_> = layers.iter().map(|layer| layer.to_json().to_string()).collect();
        let expected = [
            r#"{"a":{"list":["a:443","b"]}}"#,
            r#"{"b":{"listen":"[::1]:9090"}}"#,
            r#"{"c":{"list":[]}}"#,
        ];
        assert_eq!(json, expected);
        let list = layers[0].entry("a").unwrap().entry("list").unwrap();
        let Kind::Array(items) = &list.kind else { panic!("no list") };
        assert_eq!(&*items[0].origin, "environment variable REVALIDATED__A__LIST");
    }

    #[test]
    fn variables_become_layers_with_their_names_as_origins() {
        let faults = Faults::default();
        let variables = [
            ("REVALIDATED__LIMITS__RUNS_PER_HOST", "8"),
            ("REVALIDATED__DEFAULTS__SCHEDULE", "*/5 * * * *"),
            ("REVALIDATED_CONFIG", "/x"),
            ("REVALIDATED_LIMITS__RUNS", "8"),
            ("PATH", "/bin"),
        ];
        let variables = variables.map(|(name, text)| (name.into(), text.into()));
        let layers = environment(variables.into_iter(), &faults);
        let json: Vec<_> = layers.iter().map(|layer| layer.to_json().to_string()).collect();
        let expected =
            [r#"{"defaults":{"schedule":"*/5 * * * *"}}"#, r#"{"limits":{"runs_per_host":"8"}}"#];
        assert_eq!(json, expected);
        let leaf = layers[1].entry("limits").unwrap().entry("runs_per_host").unwrap();
        assert_eq!(&*leaf.origin, "environment variable REVALIDATED__LIMITS__RUNS_PER_HOST");
        let (faults, warnings) = faults.into_parts();
        assert_eq!((faults.len(), warnings.len()), (0, 1));
        assert_eq!(
            warnings[0].to_string(),
            "environment variable REVALIDATED_LIMITS__RUNS: ignored; the names of settings begin with REVALIDATED__"
        );
    }
}
