//! YAML 1.2 parser over the events of `saphyr`, which check the depth before a value is built.

use std::collections::{BTreeMap, BTreeSet};

use saphyr::Scalar;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::origin::{DEPTH_MAX, Malformed, Origins};
use crate::input::{Kind, Value, join};

/// Number of values that the aliases of one file can expand to.
const ALIASED_MAX: usize = 10_000;

/// Parses a YAML stream of one document; an empty one is null.
pub(super) fn parse(text: &str, origins: &Origins<'_>) -> Result<Value, Malformed> {
    let mut builder =
        Builder { origins, open: Vec::new(), anchors: BTreeMap::new(), aliased: 0, document: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Malformed {
            line: error.marker().line().max(1),
            message: error.info().to_owned(),
        })?;
        builder.take(event, span.start.line().max(1))?;
    }
    Ok(builder.document.unwrap_or_else(|| Value { kind: Kind::Null, origin: origins.at(1) }))
}

/// List or table whose end has not been read yet.
#[derive(Debug)]
struct Open {
    line: usize,
    anchor: usize,
    items: Items,
}

/// Content read so far; of a table also the key whose value comes next, with its line.
#[derive(Debug)]
enum Items {
    List(Vec<Value>),
    Table(Entries, Option<(String, usize)>),
}

#[derive(Debug, Default)]
struct Entries {
    all: Vec<(String, Value)>,
    seen: BTreeSet<String>,
}

#[derive(Debug)]
struct Builder<'a> {
    origins: &'a Origins<'a>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Value>,
    aliased: usize,
    document: Option<Value>,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Malformed> {
        match event {
            Event::DocumentStart(_) if self.document.is_some() => {
                malformed(line, "a second document begins; move it to a file of its own")
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_))
            | Event::Scalar(_, _, _, Some(_)) => malformed(line, "tags are not supported"),
            Event::SequenceStart(anchor, None) => {
                self.begin(Open { line, anchor, items: Items::List(Vec::new()) })
            }
            Event::MappingStart(anchor, None) => {
                self.begin(Open { line, anchor, items: Items::Table(Entries::default(), None) })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Scalar(text, style, anchor, None) => {
                if let Some(Open { items: Items::Table(entries, next @ None), .. }) =
                    self.open.last_mut()
                {
                    *next = Some((key(&text, style, line, entries)?, line));
                    return Ok(());
                }
                self.add(scalar(&text, style, line)?, line, anchor);
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, line),
        }
    }

    fn begin(&mut self, mut open: Open) -> Result<(), Malformed> {
        match self.open.last() {
            _ if self.open.len() == DEPTH_MAX => {
                let message = format!("lists and tables are nested more than {DEPTH_MAX} deep");
                return malformed(open.line, &message);
            }
            Some(Open { items: Items::Table(_, None), .. }) => {
                return malformed(open.line, "a key must be text");
            }
            Some(Open { items: Items::Table(_, Some((_, key_line))), .. }) => open.line = *key_line,
            Some(Open { items: Items::List(_), .. }) | None => {}
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Malformed> {
        let Some(Open { line, anchor, items }) = self.open.pop() else {
            return malformed(1, "a list or table ends that never began");
        };
        let kind = match items {
            Items::List(items) => Kind::Array(items),
            Items::Table(entries, _) => Kind::Table(entries.all),
        };
        self.add(kind, line, anchor);
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Malformed> {
        if let Some(Open { items: Items::Table(_, None), .. }) = self.open.last() {
            return malformed(line, "a key must be text");
        }
        let Some(value) = self.anchors.get(&anchor).cloned() else {
            return malformed(line, "an alias is used inside its own anchor");
        };
        self.aliased += size(&value);
        if ALIASED_MAX < self.aliased {
            let message = format!("aliases expand to more than {ALIASED_MAX} values");
            return malformed(line, &message);
        }
        self.put(value, line);
        Ok(())
    }

    /// Adds a value, which an alias may name later.
    fn add(&mut self, kind: Kind, line: usize, anchor: usize) {
        let line = match self.open.last() {
            Some(Open { items: Items::Table(_, Some((_, key_line))), .. }) => *key_line,
            Some(_) | None => line,
        };
        let value = Value { kind, origin: self.origins.at(line) };
        if 0 < anchor {
            self.anchors.insert(anchor, value.clone());
        }
        self.put(value, line);
    }

    fn put(&mut self, value: Value, line: usize) {
        match self.open.last_mut().map(|open| &mut open.items) {
            Some(Items::List(items)) => items.push(value),
            Some(Items::Table(entries, next)) => {
                if let Some((key, key_line)) = next.take() {
                    let origin = self.origins.at(key_line);
                    entries.all.push((key, Value { origin, ..value }));
                }
            }
            None => self.document = Some(Value { origin: self.origins.at(line), ..value }),
        }
    }
}

fn key(
    text: &str,
    style: ScalarStyle,
    line: usize,
    entries: &mut Entries,
) -> Result<String, Malformed> {
    if style == ScalarStyle::Plain && text == "<<" {
        return malformed(line, "merge keys (`<<`) are not supported; write the keys out");
    }
    let shown = join("", text);
    if !matches!(scalar(text, style, line)?, Kind::String(_)) {
        return malformed(line, &format!("a key must be text; put `{shown}` in quotes"));
    }
    if !entries.seen.insert(text.to_owned()) {
        return malformed(line, &format!("duplicate key `{shown}` in one table"));
    }
    Ok(text.to_owned())
}

fn scalar(text: &str, style: ScalarStyle, line: usize) -> Result<Kind, Malformed> {
    match Scalar::parse_from_cow_and_metadata(text.into(), style, None) {
        Some(Scalar::Null) => Ok(Kind::Null),
        Some(Scalar::Boolean(flag)) => Ok(Kind::Bool(flag)),
        // Such as the number of an account, of which every digit counts.
        Some(Scalar::Integer(_)) if is_padded(text) => Ok(Kind::String(text.to_owned())),
        Some(Scalar::Integer(number)) => Ok(Kind::Integer(number)),
        Some(Scalar::FloatingPoint(number)) => Ok(Kind::Float(number.into_inner())),
        Some(Scalar::String(text)) => Ok(Kind::String(text.into_owned())),
        None => malformed(line, "a value cannot be read"),
    }
}

/// Returns true for digits that begin with a zero, which a number would lose.
fn is_padded(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the number of values in `value`, itself included.
fn size(value: &Value) -> usize {
    match &value.kind {
        Kind::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Kind::Table(entries) => 1 + entries.iter().map(|(_, item)| size(item)).sum::<usize>(),
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) | Kind::String(_) => 1,
    }
}

fn malformed<T>(line: usize, message: &str) -> Result<T, Malformed> {
    Err(Malformed { line, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::Format;

    fn read(text: &str) -> Result<String, (usize, String)> {
        let value = Format::Yaml.parse(text, "f");
        value.map(|value| value.to_json().to_string()).map_err(|bad| (bad.line, bad.message))
    }

    #[test]
    fn scalars_have_the_types_of_the_core_schema() {
        let text = "a: yes\nb: 'true'\nc: true\nd: 0x10\ne: ~\nf: 1e3\ng: |\n  x\n  y\n\
            h: 012345678901\ni: 0\n";
        let json = r#"{"a":"yes","b":"true","c":true,"d":16,"e":null,"f":1000.0,"g":"x\ny\n","h":"012345678901","i":0}"#;
        assert_eq!(read(text).unwrap(), json);
        assert_eq!(read("# nothing\n").unwrap(), "null");
    }

    #[test]
    fn alias_is_replaced_by_its_anchor() {
        let text = "a: &x {b: [1, 2]}\nc: *x\nd: &y text\ne: [*y, *y]\n";
        let json = r#"{"a":{"b":[1,2]},"c":{"b":[1,2]},"d":"text","e":["text","text"]}"#;
        assert_eq!(read(text).unwrap(), json);
    }

    #[test]
    fn ambiguous_yaml_is_refused_with_its_line() {
        let laughs = "a: &a [1,2,3,4,5,6,7,8,9]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
            c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
            e: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
        for (text, line, message) in [
            ("a: 1\nb: 2\na: 3\n", 3, "duplicate key `a` in one table"),
            (
                "a: &x {b: 1}\nc:\n  <<: *x\n",
                3,
                "merge keys (`<<`) are not supported; write the keys out",
            ),
            ("a: !!str 1\n", 1, "tags are not supported"),
            ("a: !mine {}\n", 1, "tags are not supported"),
            ("a: 1\n---\nb: 1\n", 2, "a second document begins; move it to a file of its own"),
            ("1: a\n", 1, "a key must be text; put `1` in quotes"),
            ("? [a]\n: b\n", 1, "a key must be text"),
            ("a: &x [*x]\n", 1, "an alias is used inside its own anchor"),
            (laughs, 5, "aliases expand to more than 10000 values"),
        ] {
            assert_eq!(read(text), Err((line, message.to_owned())), "{text}");
        }
    }
}
