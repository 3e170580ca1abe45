//! Configurations from the samples of platforms.

use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Value};

use crate::platforms::{AutoBootstrap, Platform};

/// The `config` of the first integration in `text`: a sample of `platform` as it stands, or with
/// keys in force that are commented out in it.
pub(in crate::platforms) fn sample_config(platform: &Platform, text: &str) -> Json {
    let document: DocumentMut = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let table = document["integration"].as_array_of_tables().unwrap().get(0).unwrap();
    assert_eq!(table["type"].as_str(), Some(platform.kind));
    let given = table.get("autoBootstrap").map(|item| item.as_bool().unwrap());
    match platform.auto_bootstrap {
        AutoBootstrap::Any => {}
        AutoBootstrap::MustBeFalse => assert_eq!(given, Some(false)),
        AutoBootstrap::Absent => assert_eq!(given, None),
    }
    item(&table["config"])
}

fn item(given: &Item) -> Json {
    match given {
        Item::Table(table) => table.iter().map(|(key, one)| (key.to_owned(), item(one))).collect(),
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| item(&Item::Table(table.clone()))).collect()
        }
        Item::Value(one) => value(one),
        Item::None => Json::Null,
    }
}

fn value(given: &Value) -> Json {
    match given {
        Value::String(text) => text.value().as_str().into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Boolean(flag) => (*flag.value()).into(),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::InlineTable(table) => {
            table.iter().map(|(key, one)| (key.to_owned(), value(one))).collect()
        }
        Value::Float(_) | Value::Datetime(_) => panic!("no configuration has {given:?}"),
    }
}
