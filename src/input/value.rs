//! A configuration value that knows where it stands.

use std::sync::Arc;

use serde_json::Value as Json;

/// How the origin of a value from the environment begins; the variable's name follows.
pub(crate) const ENVIRONMENT: &str = "environment variable ";

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// What it is.
    pub(crate) kind: Kind,
    /// `file:line`, or the name of an environment variable.
    pub(crate) origin: Arc<str>,
}

/// The shapes a value has in TOML, YAML and JSON alike.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// Keys with their values, in the order of the file.
    Table(Vec<(String, Value)>),
}

impl Value {
    /// What kind of value it is, for messages.
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

    /// The text it is, if it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::String(text) = &self.kind { Some(text) } else { None }
    }

    /// True for text whose source knows nothing but text: it may mean a number or a flag.
    pub(crate) fn is_untyped(&self) -> bool {
        self.origin.starts_with(ENVIRONMENT)
    }

    /// The entry `key` of a table.
    pub(crate) fn entry(&self, key: &str) -> Option<&Self> {
        let Kind::Table(entries) = &self.kind else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value without its origins; a number JSON cannot hold becomes null.
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

    /// A value read from JSON that has no lines of its own, such as one from the store.
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
