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

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            (-1e9..1e9_f64).prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn value_from_json_converts_back_to_the_same_json(json in json()) {
            prop_assert_eq!(Value::from_json(&json, &"f:1".into()).to_json(), json);
        }
    }

    #[test]
    fn every_value_has_the_origin_of_its_document() {
        let json = serde_json::json!({ "a": [{ "b": 1 }] });
        let value = Value::from_json(&json, &"f:7".into());
        let Kind::Array(items) = &value.entry("a").unwrap().kind else { panic!("{value:?}") };
        let inner = items[0].entry("b").unwrap();
        assert!([&value, &items[0], inner].iter().all(|value| &*value.origin == "f:7"));
        assert!(value.entry("b").is_none() && inner.entry("b").is_none());
    }

    #[test]
    fn only_text_from_the_environment_is_untyped() {
        let value = |origin: &str| Value::from_json(&"8".into(), &origin.into());
        assert!(value("environment variable REVALIDATED__LIMITS__RUNS").is_untyped());
        assert!(!value("revalidated.toml:3").is_untyped());
    }
}
