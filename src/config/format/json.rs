//! JSON parser: `serde_json` over a reader that counts lines.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::origin::{Malformed, Origins};
use crate::input::{Kind, Value};

/// Parses a JSON document strictly, without duplicate keys.
pub(super) fn parse(text: &str, origins: &Origins<'_>) -> Result<Value, Malformed> {
    let line = Cell::new(1);
    let counted = Counted { rest: text.as_bytes(), line: &line };
    let mut json = serde_json::Deserializer::from_reader(counted);
    let value = Node { line: &line, at: None, origins }.deserialize(&mut json);
    let value = value.and_then(|value| json.end().map(|()| value));
    value.map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = error.to_string();
        let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
        Malformed { line: error.line().max(1), message }
    })
}

/// Reader that counts lines. The parser reads at most one byte ahead of a value, and has read its
/// first byte before it asks for the value: so the count is the value's line.
#[derive(Debug)]
struct Counted<'a> {
    rest: &'a [u8],
    line: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        let breaks = buffer.iter().take(count).filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + breaks);
        Ok(count)
    }
}

/// Seed of one value; `at` is the line of its key, if it has one.
#[derive(Clone, Copy, Debug)]
struct Node<'a> {
    line: &'a Cell<usize>,
    at: Option<usize>,
    origins: &'a Origins<'a>,
}

impl Node<'_> {
    fn value(self, kind: Kind) -> Value {
        Value { kind, origin: self.origins.at(self.at.unwrap_or(1)) }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let at = Some(self.at.unwrap_or_else(|| self.line.get()));
        deserializer.deserialize_any(Self { at, ..self })
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(self.value(Kind::Null))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(self.value(Kind::Bool(flag)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(self.value(Kind::Integer(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_too_large) => Err(E::custom("number out of range")),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(self.value(Kind::Float(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(self.value(Kind::String(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Node { at: None, ..self })? {
            items.push(item);
        }
        Ok(self.value(Kind::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let at = Some(self.line.get());
            if !seen.insert(key.clone()) {
                let key = crate::input::join("", &key);
                return Err(A::Error::custom(format!("duplicate key `{key}` in one object")));
            }
            entries.push((key, map.next_value_seed(Node { at, ..self })?));
        }
        Ok(self.value(Kind::Table(entries)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;

    #[test]
    fn numbers_in_a_list_keep_their_own_lines() {
        let value = Format::Json.parse("[1,\n2\n,\n\n3\n]\n", "f").unwrap();
        let crate::input::Kind::Array(items) = &value.kind else { panic!() };
        let lines: Vec<_> = items.iter().map(|item| &*item.origin).collect();
        assert_eq!(lines, ["f:1", "f:2", "f:5"]);
    }

    #[test]
    fn invalid_json_is_refused_with_its_line() {
        for (text, line, message) in [
            ("", 1, "EOF while parsing a value"),
            ("{\n\"a\": 1,\n}", 3, "trailing comma"),
            ("{'a': 1}", 1, "key must be a string"),
            ("{\"a\": 1 // one\n}", 1, "expected `,` or `}`"),
            ("{}\n{}", 2, "trailing characters"),
            ("{\"a\": 1,\n\"a\": 2}", 2, "duplicate key `a` in one object"),
            ("{\"a\": 18446744073709551615}", 1, "number out of range"),
        ] {
            let fault = Format::Json.parse(text, "f").unwrap_err();
            assert_eq!((fault.line, fault.message.as_str()), (line, message), "{text}");
        }
    }
}
