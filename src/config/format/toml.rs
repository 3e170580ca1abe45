//! TOML parser: `toml_edit`, which keeps the span of every value.

use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value as Toml};

use super::origin::{Malformed, Origins};
use crate::input::{Kind, Value};

/// Parses a TOML document.
pub(super) fn parse(text: &str, origins: &Origins<'_>) -> Result<Value, Malformed> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    let lines = Lines(breaks.map(|(index, _)| index).collect());
    let document = Document::parse(text).map_err(|error| Malformed {
        line: lines.of(error.span()).unwrap_or(1),
        message: error.message().replace('\n', " "),
    })?;
    let walk = Walk { lines, origins };
    walk.table(document.as_table(), 1)
}

/// Byte offsets at which lines end.
#[derive(Debug)]
struct Lines(Vec<usize>);

impl Lines {
    fn of(&self, span: Option<Range<usize>>) -> Option<usize> {
        span.map(|span| self.0.partition_point(|end| *end < span.start) + 1)
    }
}

#[derive(Debug)]
struct Walk<'a> {
    lines: Lines,
    origins: &'a Origins<'a>,
}

impl Walk<'_> {
    fn table(&self, table: &dyn TableLike, line: usize) -> Result<Value, Malformed> {
        let mut entries = Vec::new();
        for (name, item) in table.iter() {
            let own = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
            let value = self.item(item, self.lines.of(own).unwrap_or(line))?;
            entries.push((name.to_owned(), value));
        }
        Ok(self.value(Kind::Table(entries), line))
    }

    fn item(&self, item: &Item, line: usize) -> Result<Value, Malformed> {
        match item {
            Item::None => Ok(self.value(Kind::Null, line)),
            Item::Value(value) => self.plain(value, line),
            Item::Table(table) => self.table(table, line),
            Item::ArrayOfTables(tables) => {
                let own = |table: &toml_edit::Table| self.lines.of(table.span()).unwrap_or(line);
                let items = tables.iter().map(|table| self.table(table, own(table)));
                Ok(self.value(Kind::Array(items.collect::<Result<_, _>>()?), line))
            }
        }
    }

    fn plain(&self, value: &Toml, line: usize) -> Result<Value, Malformed> {
        let kind = match value {
            Toml::String(text) => Kind::String(text.value().clone()),
            Toml::Integer(number) => Kind::Integer(*number.value()),
            Toml::Float(number) => Kind::Float(*number.value()),
            Toml::Boolean(flag) => Kind::Bool(*flag.value()),
            Toml::Datetime(_) => {
                let message =
                    "dates and times are not supported; put the text in quotes".to_owned();
                return Err(Malformed { line, message });
            }
            Toml::Array(items) => {
                let own = |item: &Toml| self.lines.of(item.span()).unwrap_or(line);
                let items = items.iter().map(|item| self.plain(item, own(item)));
                Kind::Array(items.collect::<Result<_, _>>()?)
            }
            Toml::InlineTable(table) => return self.table(table, line),
        };
        Ok(self.value(kind, line))
    }

    fn value(&self, kind: Kind, line: usize) -> Value {
        Value { kind, origin: self.origins.at(line) }
    }
}
