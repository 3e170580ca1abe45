//! Tree of the keys of the configuration, and the JSON Schema of a part of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::explore::Keys;
use crate::domain::duration_text;
use crate::input::asked::Shape;

/// Key of the configuration, with the keys below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Shapes in which its value is read.
    pub(super) shapes: BTreeSet<Shape>,
    /// Keys of its table, in the order of the alphabet.
    pub(super) keys: BTreeMap<String, Self>,
    /// Tables of its list, where it is one.
    pub(super) items: Option<Box<Self>>,
    /// Sentence about it, from the documents.
    pub(super) text: String,
    /// Default value, where it has one.
    pub(super) default: Option<Json>,
}

impl Node {
    /// Returns the tree of these keys; `extra` are shapes that readers look for by themselves.
    pub(super) fn of(keys: &Keys, extra: &[(&str, Shape)]) -> Self {
        let mut root = Self::default();
        for (path, shapes) in keys {
            root.at_mut(path).shapes.extend(shapes.iter().cloned());
        }
        for (path, shape) in extra {
            root.at_mut(path).shapes.insert(shape.clone());
        }
        root
    }

    fn at_mut(&mut self, path: &str) -> &mut Self {
        path.split('.').fold(self, |node, part| {
            let (key, is_item) =
                part.split_once('[').map_or((part, false), |(key, _index)| (key, true));
            let node = node.keys.entry(key.to_owned()).or_default();
            if is_item { node.items.get_or_insert_default() } else { node }
        })
    }

    /// Returns the table of which this node is a list, or the node itself.
    pub(super) fn table(&self) -> &Self {
        self.items.as_deref().unwrap_or(self)
    }

    /// Returns true when its value must not be missing.
    pub(super) fn is_required(&self) -> bool {
        self.shapes.contains(&Shape::Required)
    }

    /// Returns the shapes that say something: an integer that may be text is no plain one besides.
    pub(super) fn said(&self) -> Vec<&Shape> {
        let lax = |shape: &Shape| match shape {
            Shape::Integer(min, max) => self.shapes.contains(&Shape::IntegerOrText(*min, *max)),
            Shape::Text => {
                self.shapes.iter().any(|one| matches!(one, Shape::Digits | Shape::Choice(_)))
            }
            Shape::Table => !self.keys.is_empty(),
            Shape::Any | Shape::Required => true,
            Shape::Digits
            | Shape::Boolean
            | Shape::IntegerOrText(..)
            | Shape::Duration(..)
            | Shape::Durations(..)
            | Shape::Choice(_)
            | Shape::Texts
            | Shape::TextMap
            | Shape::Secret
            | Shape::Secrets
            | Shape::Values => false,
        };
        self.shapes.iter().filter(|shape| !lax(shape)).collect()
    }

    /// Returns the paths of keys whose values no shape describes.
    pub(super) fn unknown(&self, path: &str) -> Vec<String> {
        let is_known = path.is_empty()
            || !self.said().is_empty()
            || !self.keys.is_empty()
            || self.items.is_some();
        let own = (!is_known).then(|| path.to_owned());
        let below = self.table().keys.iter();
        let below = below
            .flat_map(|(key, node)| node.unknown(format!("{path}.{key}").trim_start_matches('.')));
        own.into_iter().chain(below).collect()
    }

    /// Returns the schema of its values.
    pub(super) fn schema(&self) -> Json {
        let mut options = Vec::new();
        if !self.keys.is_empty() {
            options.push(self.object());
        }
        if let Some(items) = &self.items {
            options.push(json!({ "type": "array", "items": items.object() }));
        }
        let mut words = BTreeSet::new();
        for shape in self.said() {
            if let Shape::Choice(choices) = shape {
                words.extend(choices.iter().cloned());
            } else {
                options.push(plain(shape));
            }
        }
        if !words.is_empty() {
            options.push(json!({ "enum": words }));
        }
        let mut schema = match options.len() {
            1 => options.remove(0),
            _ => json!({ "anyOf": options }),
        };
        let members = schema.as_object_mut().unwrap();
        if !self.text.is_empty() {
            members.insert("description".to_owned(), json!(self.text));
        }
        if let Some(default) = &self.default {
            members.insert("default".to_owned(), default.clone());
        }
        schema
    }

    /// Returns the closed schema of its table.
    pub(super) fn object(&self) -> Json {
        let properties: Map<_, _> =
            self.keys.iter().map(|(key, node)| (key.clone(), node.schema())).collect();
        let mut schema =
            json!({ "type": "object", "additionalProperties": false, "properties": properties });
        let required: Vec<_> =
            self.keys.iter().filter(|(_, node)| node.is_required()).map(|(key, _)| key).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }
}

/// Returns the schema of a shape that needs nothing but itself.
fn plain(shape: &Shape) -> Json {
    let text = json!({ "type": "string" });
    match shape {
        Shape::Text => text,
        Shape::Digits => json!({ "anyOf": [text, { "type": "integer", "minimum": 0 }] }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::IntegerOrText(min, max) => json!({ "anyOf": [
            { "type": "integer", "minimum": min, "maximum": max },
            { "type": "string", "pattern": "^[0-9]+$" },
        ] }),
        Shape::Duration(..) => json!({ "type": "string", "pattern": DURATION }),
        Shape::Durations(..) => {
            json!({ "type": "array", "items": { "type": "string", "pattern": DURATION } })
        }
        Shape::Texts => json!({ "type": "array", "items": text }),
        Shape::TextMap => json!({ "type": "object", "additionalProperties": text }),
        Shape::Table => json!({ "type": "object" }),
        Shape::Secret => secret(),
        Shape::Secrets => json!({ "type": "array", "items": secret() }),
        Shape::Values => json!({ "type": "object", "additionalProperties": secret() }),
        Shape::Any | Shape::Required | Shape::Choice(_) => unreachable!("{shape:?}"),
    }
}

/// Beginning of a duration: the bounds of one cannot be said in a schema.
const DURATION: &str = "^\\s*[0-9P]";

fn secret() -> Json {
    let reference = |key: &str| {
        json!({ "type": "object", "additionalProperties": false, "required": [key],
            "properties": { key: { "type": "string", "minLength": 1 } } })
    };
    json!({ "anyOf": [
        reference("file"), reference("env"), reference("credential"), { "type": "string" },
    ] })
}

/// Returns words for a shape, as a manual has them.
pub(super) fn words(shape: &Shape) -> String {
    let range = |min, max| format!("from {} to {}", duration_text(min), duration_text(max));
    match shape {
        Shape::Any | Shape::Required => String::new(),
        Shape::Text => "text".to_owned(),
        Shape::Digits => "digits".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::Integer(min, max) | Shape::IntegerOrText(min, max) => {
            format!("a whole number from {min} to {max}")
        }
        Shape::Duration(min, max) => format!("a duration {}", range(*min, *max)),
        Shape::Durations(min, max) => format!("a list of durations {}", range(*min, *max)),
        Shape::Choice(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("one of {}", words.join(", "))
        }
        Shape::Texts => "a list of texts".to_owned(),
        Shape::TextMap => "a table of texts".to_owned(),
        Shape::Table => "a table".to_owned(),
        Shape::Secret => "a secret".to_owned(),
        Shape::Secrets => "a list of secrets".to_owned(),
        Shape::Values => "a table of texts and secrets".to_owned(),
    }
}
