//! Generation of the configuration's schema and manual page, from what the readers ask for.

mod explore;
mod page;
mod texts;
mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

use self::explore::explored;
use self::tree::Node;
use crate::config;
use crate::domain::Timestamp;
use crate::input::asked::{self, Shape};
use crate::input::{Faults, Reader, Value};
use crate::platforms::{AutoBootstrap, PLATFORMS, Platform};
use crate::webhook::{Heartbeat, Receiver};

/// Values that a reader looks at by itself, in a shape of its own.
const EXTRA: [(&str, Shape); 2] = [
    ("safety.removals_max", Shape::Integer(0, 4_294_967_295)),
    ("safety.removals_max", Shape::Text),
];
/// The same of platforms.
const PLATFORM_EXTRA: [(&str, &str, Shape); 6] = [
    ("Trino", "tls", Shape::Boolean),
    ("Databricks", "workspaceId", Shape::Text),
    ("Redshift", "connectArgs", Shape::Text),
    ("Redshift", "useDualstack", Shape::Boolean),
    ("Redshift", "useFips", Shape::Boolean),
    ("Snowflake", "connectArgs", Shape::Text),
];
/// Keys of an integration as it is answered, which are passed over with a warning.
const ANSWERED: [&str; 3] = ["status", "validationResults", "revalidated"];

/// Everything that the configuration can have.
struct Tables {
    /// Settings, with the lists of tables but integrations, receivers and templates.
    settings: Node,
    receiver: Node,
    integration: Node,
    /// The tables `config`, by the types of integrations.
    configs: Vec<(&'static Platform, Node)>,
}

/// Found once for all tests: it takes seconds.
static TABLES: LazyLock<Tables> = LazyLock::new(tables);

fn tables() -> Tables {
    let mut settings = Node::of(&explored(asked_of_settings), &EXTRA);
    let mut integration = settings.keys.remove("integration").unwrap().table().clone();
    for list in ["receiver", "template"] {
        settings.keys.remove(list);
    }
    integration.keys.get_mut("template").unwrap().shapes.insert(Shape::Text);
    let mut receiver = Node::of(
        &explored(|document| asked_of(document, |reader| drop(Receiver::parse(reader)))),
        &[],
    );
    settings.keys.get_mut("heartbeat").unwrap().keys = heartbeat().keys;
    let texts = texts::of_defaults();
    texts::describe(&mut settings, &texts);
    texts::describe(&mut receiver, &below(&texts, "receiver."));
    let inherited = below(&texts, "defaults.");
    texts::describe(&mut integration, &below(&texts, "integration."));
    texts::describe(&mut integration, &inherited);
    defaults(&mut settings, &embedded());
    let configs = PLATFORMS.iter().map(|platform| (platform, config_of(platform))).collect();
    Tables { settings, receiver, integration, configs }
}

/// Returns the keys of the heartbeat, which its client reads once all layers are merged: none must be in each of them.
fn heartbeat() -> Node {
    let read = |document: &Json| asked_of(document, |reader| drop(Heartbeat::parse(reader)));
    let mut node = Node::of(&explored(read), &[]);
    for key in node.keys.values_mut() {
        key.shapes.remove(&Shape::Required);
    }
    node
}

/// Returns the sentences below a table.
fn below(texts: &texts::Texts, table: &str) -> texts::Texts {
    let own = texts.iter().filter_map(|(path, text)| Some((path.strip_prefix(table)?, text)));
    own.map(|(path, text)| (path.to_owned(), text.clone())).collect()
}

/// Returns the keys of a platform, with the sentences of its page.
fn config_of(platform: &'static Platform) -> Node {
    let read = |document: &Json| asked_of(document, |reader| drop((platform.parse)(reader, false)));
    let extra = PLATFORM_EXTRA.iter().filter(|(kind, ..)| *kind == platform.kind);
    let extra: Vec<_> = extra.map(|(_, path, shape)| (*path, shape.clone())).collect();
    let mut node = Node::of(&explored(read), &extra);
    let mut texts = texts::of_sample(platform.sample);
    texts.extend(texts::of_page(&page_of(platform)));
    texts::describe(&mut node, &texts);
    node
}

/// Returns the page about a platform.
fn page_of(platform: &Platform) -> String {
    let name = platform.kind.rsplit(' ').next().unwrap().to_lowercase();
    let file = match name.as_str() {
        "analytics" => "synapse",
        other => other,
    };
    let path = root().join(format!("docs/platforms/{file}.md"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn asked_of(document: &Json, read: impl FnOnce(Reader<'_>)) -> Vec<(String, Shape)> {
    let value = Value::from_json(document, &"f:1".into());
    let faults = Faults::default();
    asked::recorded(|| read(Reader::new(&value, "", &faults).unwrap()))
}

/// Reads a main file with this document.
fn asked_of_settings(document: &Json) -> Vec<(String, Shape)> {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(&file, document.to_string()).unwrap();
    asked::recorded(|| {
        let none = std::iter::empty::<(OsString, OsString)>();
        drop(config::load_from(Some(file.path()), none, Timestamp(0)));
    })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the embedded defaults as JSON.
fn embedded() -> Json {
    let text = include_str!("../../../../config/revalidated.toml");
    let document: toml_edit::DocumentMut = text.parse().unwrap();
    table_json(document.as_table())
}

fn table_json(table: &dyn toml_edit::TableLike) -> Json {
    table.iter().map(|(key, item)| (key.to_owned(), item_json(item))).collect::<Map<_, _>>().into()
}

fn item_json(item: &toml_edit::Item) -> Json {
    if let Some(table) = item.as_table_like() {
        return table_json(table);
    }
    value_json(item.as_value().unwrap())
}

fn value_json(value: &toml_edit::Value) -> Json {
    if let Some(items) = value.as_array() {
        return items.iter().map(value_json).collect();
    }
    let text = value.as_str().map(|text| json!(text));
    let text = text.or_else(|| value.as_integer().map(|number| json!(number)));
    text.or_else(|| value.as_bool().map(|flag| json!(flag))).unwrap()
}

/// Puts the values of a document at their keys as defaults.
fn defaults(node: &mut Node, document: &Json) {
    for (key, value) in document.as_object().unwrap() {
        let below = node.keys.get_mut(key).unwrap();
        if value.is_object() && !below.keys.is_empty() {
            defaults(below, value);
        } else {
            below.default = Some(value.clone());
        }
    }
}

/// Returns the schema of a file: settings and lists of tables, one integration as published, or a list of them.
fn schema(tables: &Tables) -> Json {
    let Tables { settings, receiver, integration, configs } = tables;
    let list = |name: &str| json!({ "type": "array", "items": { "$ref": format!("#/definitions/{name}") } });
    let mut document = settings.object();
    let properties = document["properties"].as_object_mut().unwrap();
    for name in ["integration", "receiver", "template"] {
        properties.insert(name.to_owned(), list(name));
        let items = &mut properties[name]["items"];
        *items = json!({ "allOf": [items, { "required": ["name"] }] });
    }
    properties.insert("$schema".to_owned(), json!({ "type": "string" }));
    let mut definitions = json!({
        "document": document,
        "integration": one(integration, configs, true),
        "template": one(integration, configs, false),
        "receiver": receiver.object(),
    });
    for (platform, config) in configs {
        let mut object = config.object();
        // A template may give what is missing.
        object.as_object_mut().unwrap().remove("required");
        definitions[config_name(platform)] = object;
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of revalidated",
        "if": { "type": "array" },
        "then": { "items": { "$ref": "#/definitions/integration" } },
        "else": {
            "if": { "required": ["type"] },
            "then": { "$ref": "#/definitions/integration" },
            "else": { "$ref": "#/definitions/document" },
        },
        "definitions": definitions,
    })
}

/// Returns the name under which the schema of a platform's `config` is defined; references have no spaces.
fn config_name(platform: &Platform) -> String {
    format!("config.{}", platform.kind.replace(' ', ""))
}

/// Returns the schema of an integration, or of a template, whose type decides about its `config`.
fn one(integration: &Node, configs: &[(&Platform, Node)], is_integration: bool) -> Json {
    let mut node = integration.clone();
    let config = node.keys.get_mut("config").unwrap();
    config.keys.clear();
    config.shapes.insert(Shape::Table);
    if !is_integration {
        node.keys.remove("template");
    }
    let mut schema = node.object();
    schema["properties"]["type"]["enum"] =
        configs.iter().map(|(platform, _)| platform.kind).collect();
    for key in ANSWERED {
        schema["properties"][key] = json!({ "description": "Belongs to an answer; passed over." });
    }
    let when = |platform: &Platform| json!({ "required": ["type"], "properties": { "type": { "const": platform.kind } } });
    let then = |platform: &Platform| {
        let auto = match platform.auto_bootstrap {
            AutoBootstrap::Any => json!(true),
            AutoBootstrap::MustBeFalse => json!({ "const": false }),
            AutoBootstrap::Absent => json!(false),
        };
        let config = json!({ "$ref": format!("#/definitions/{}", config_name(platform)) });
        json!({ "properties": { "autoBootstrap": auto, "config": config } })
    };
    let mut all: Vec<_> = configs
        .iter()
        .map(|(platform, _)| json!({ "if": when(platform), "then": then(platform) }))
        .collect();
    let required = schema.as_object_mut().unwrap().remove("required");
    if is_integration {
        // A template may give all but the name, and a file of one payload names it.
        let needed = json!(
            required
                .unwrap()
                .as_array()
                .unwrap()
                .iter()
                .filter(|key| *key != "name")
                .collect::<Vec<_>>()
        );
        all.push(json!({ "if": { "not": { "required": ["template"] } }, "then": { "required": needed } }));
    }
    schema["allOf"] = json!(all);
    schema
}

/// Compares a committed file with what it must be; one that is out of date is written anew beside the build.
fn compare(committed: &str, expected: &str) {
    let (committed, name) = (root().join(committed), Path::new(committed).file_name().unwrap());
    if std::fs::read_to_string(&committed).unwrap_or_default() != expected {
        let fresh = root().join("target").join(name);
        std::fs::write(&fresh, expected).unwrap();
        panic!("out of date: cp {} {}", fresh.display(), committed.display());
    }
}

#[test]
fn published_schema_of_the_configuration_has_what_the_readers_ask_for() {
    let tables = &*TABLES;
    let mut unknown = tables.settings.unknown("");
    unknown.extend(tables.receiver.unknown(""));
    unknown.extend(tables.integration.unknown(""));
    for (platform, config) in &tables.configs {
        unknown.extend(config.unknown("").iter().map(|path| format!("{}: {path}", platform.kind)));
    }
    assert_eq!(unknown, [""; 0], "no shape is known of these");
    compare("schemas/config.v1.schema.json", &format!("{:#}\n", schema(tables)));
}

#[test]
fn manual_page_of_the_configuration_has_every_key() {
    compare("man/revalidated.toml.5", &page::page(&TABLES));
}
