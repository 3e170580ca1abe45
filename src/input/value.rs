//! Configuration values with their origins.

use std::sync::Arc;

use serde_json::Value as Json;

/// Prefix of the origin of a value from the environment; the variable's name follows.
pub(crate) const ENVIRONMENT: &str = "environment variable ";

/// Value with the place it came from.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// The value itself, in one of the shapes below.
    pub(crate) kind: Kind,
    /// Origin: `file:line`, or the name of an environment variable.
    pub(crate) origin: Arc<str>,
}

/// Shapes of values that TOML, YAML and JSON have in common.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Null, which is read like a missing key.
    Null,
    /// Boolean: `true` or `false`.
    Bool(bool),
    /// Whole number of 64 bits.
    Integer(i64),
    /// Number with a fraction or exponent.
    Float(f64),
    /// Text of any length.
    String(String),
    /// List of values, each with its own origin.
    Array(Vec<Value>),
    /// Keys with their values, in the order of the file.
    Table(Vec<(String, Value)>),
}

impl Value {
    /// Returns a noun for the shape of the value, for messages.
    pub(crate) const fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Integer(_) => "a whole number",
            Kind::Float(_) => "a number",
            Kind::String(_) => "text",
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }

    /// Returns the text, if the value is text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// True for text from the environment, which may be meant as a number or a boolean.
    pub(crate) fn is_untyped(&self) -> bool {
        self.origin.starts_with(ENVIRONMENT)
    }

    /// Returns the entry `key` of a table.
    pub(crate) fn entry(&self, key: &str) -> Option<&Self> {
        let Kind::Table(entries) = &self.kind else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Converts to JSON without origins; a number that JSON cannot represent becomes null.
    pub(crate) fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null => Json::Null,
            Kind::Bool(flag) => Json::Bool(*flag),
            Kind::Integer(number) => Json::from(*number),
            Kind::Float(number) => Json::from(*number),
            Kind::String(text) => Json::String(text.clone()),
            Kind::Array(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Kind::Table(entries) => Json::Object(
                entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
            ),
        }
    }

    /// Converts from JSON without lines, such as that of the store, with one `origin` for all.
    pub(crate) fn from_json(json: &Json, origin: &Arc<str>) -> Self {
        let kind = match json {
            Json::Null => Kind::Null,
            Json::Bool(flag) => Kind::Bool(*flag),
            Json::Number(number) => number
                .as_i64()
                .map_or_else(|| Kind::Float(number.as_f64().unwrap_or(f64::NAN)), Kind::Integer),
            Json::String(text) => Kind::String(text.clone()),
            Json::Array(items) => {
                Kind::Array(items.iter().map(|item| Self::from_json(item, origin)).collect())
            }
            Json::Object(entries) => Kind::Table(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), Self::from_json(item, origin)))
                    .collect(),
            ),
        };
        Self { kind, origin: Arc::clone(origin) }
    }
}
