//! Drop-ins as TOML, made from tables of integrations.

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table};

use crate::config::entry::Entry;
use crate::input::{Kind, Value};

/// Returns entries as a drop-in, with where they came from in its first line.
pub(super) fn drop_in(entries: &[Entry], from: &str, command: &str) -> String {
    let mut tables = ArrayOfTables::new();
    for entry in entries {
        tables.push(table(&entry.value));
    }
    let mut document = DocumentMut::new();
    document.insert("integration", Item::ArrayOfTables(tables));
    let from: String = from.chars().filter(|char| !char.is_control()).collect();
    format!("# From {from} by `revalidated {command}`.\n\n{document}")
}

fn table(value: &Value) -> Table {
    let mut table = Table::new();
    let Kind::Table(entries) = &value.kind else { return table };
    for (key, value) in entries {
        let item = if key == "config" {
            Item::Table(self::table(value))
        } else {
            Item::Value(plain(value))
        };
        table.insert(key, item);
    }
    table
}

fn plain(value: &Value) -> toml_edit::Value {
    match &value.kind {
        Kind::Null => "".into(),
        Kind::Bool(flag) => (*flag).into(),
        Kind::Integer(number) => (*number).into(),
        Kind::Float(number) => (*number).into(),
        Kind::String(text) => text.as_str().into(),
        Kind::Array(items) => toml_edit::Value::Array(items.iter().map(plain).collect::<Array>()),
        Kind::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.as_str(), plain(value)));
            toml_edit::Value::InlineTable(entries.collect::<InlineTable>())
        }
    }
}
