//! Reads a table key by key and collects its faults.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use super::UNKNOWN_KEY;
#[cfg(test)]
use super::asked::Shape;
use super::words::{duration, join, nearest, quoted};
use super::{Fault, Faults, Kind, Value};
use crate::domain::duration_text;

/// Reader of one table and its keys.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    value: &'a Value,
    path: String,
    /// Keys that were asked for, in that order and some of them twice: there are too few to be worth a set.
    known: Vec<&'static str>,
    pub(super) faults: &'a Faults,
}

impl<'a> Reader<'a> {
    /// Returns a reader of `value` at `path`; any value but a table is a fault.
    pub(crate) fn new(
        value: &'a Value,
        path: impl Into<String>,
        faults: &'a Faults,
    ) -> Option<Self> {
        let reader = Self { value, path: path.into(), known: Vec::new(), faults };
        if matches!(value.kind, Kind::Table(_)) {
            return Some(reader);
        }
        reader.fault_at(value, &reader.path, format!("expected a table, found {}", shown(value)));
        None
    }

    /// Returns the path of `key` in this table.
    pub(crate) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Adds a fault of `key`; `message` says why and how to fix it.
    pub(crate) fn fault(&self, key: &str, message: impl Into<String>) {
        let value = self.value.entry(key).unwrap_or(self.value);
        self.fault_at(value, &self.path_of(key), message.into());
    }

    /// Adds a fault of `key` that shows its value, which must not be a secret. A value with an `@` is
    /// not shown: it may contain a password.
    pub(crate) fn refuse(&self, key: &str, wanted: &str) {
        let value = self.value.entry(key).unwrap_or(self.value);
        let found = value.text().is_none_or(|text| !text.contains('@'));
        let found = if found { format!(", found {}", shown(value)) } else { String::new() };
        self.fault_at(value, &self.path_of(key), format!("{wanted}{found}"));
    }

    /// Adds a warning of `key`, whose value is accepted but unwise.
    pub(crate) fn warn(&self, key: &str, message: impl Into<String>) {
        let value = self.value.entry(key).unwrap_or(self.value);
        let origin = value.origin.to_string();
        self.faults.warn(Fault { origin, path: self.path_of(key), message: message.into() });
    }

    /// Returns true when `key` is given, and makes it a known key.
    pub(crate) fn has(&mut self, key: &'static str) -> bool {
        #[cfg(test)]
        self.note(key, Shape::Any);
        self.take(key).is_some()
    }

    /// Returns the value of `key` as given.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        #[cfg(test)]
        self.note(key, Shape::Any);
        self.take(key)
    }

    /// Returns the origin of `key`, if it is given; the key stays unread.
    pub(crate) fn origin(&self, key: &str) -> Option<&'a str> {
        self.value.entry(key).map(|value| &*value.origin)
    }

    /// Reads a text; absent is fine.
    pub(crate) fn string(&mut self, key: &'static str) -> Option<String> {
        #[cfg(test)]
        self.note(key, Shape::Text);
        let value = self.take(key)?;
        let text = value.text().map(str::to_owned);
        text.or_else(|| self.wrong(key, value, text_for(value)))
    }

    /// Reads a text of digits, which YAML takes for a number when it has no quotes; absent is fine.
    pub(crate) fn digits(&mut self, key: &'static str) -> Option<String> {
        #[cfg(test)]
        self.note(key, Shape::Digits);
        if let Kind::Integer(number) = self.raw(key)?.kind {
            return Some(number.to_string());
        }
        self.string(key)
    }

    /// Reads a text that must be given and not be empty.
    pub(crate) fn required_string(&mut self, key: &'static str) -> Option<String> {
        let text = self.required(key).and_then(|()| self.string(key))?;
        if text.trim().is_empty() {
            self.fault(key, "must not be empty");
            return None;
        }
        Some(text)
    }

    /// Reads a boolean; absent is fine.
    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        #[cfg(test)]
        self.note(key, Shape::Boolean);
        let value = self.take(key)?;
        let flag = if let Kind::Bool(flag) = value.kind { Some(flag) } else { untyped(value) };
        flag.or_else(|| self.wrong(key, value, "true or false"))
    }

    /// Reads a whole number from `min` to `max`; absent is fine.
    pub(crate) fn integer(&mut self, key: &'static str, min: i64, max: i64) -> Option<i64> {
        #[cfg(test)]
        self.note(key, Shape::Integer(min, max));
        let value = self.take(key)?;
        let number =
            if let Kind::Integer(number) = value.kind { Some(number) } else { untyped(value) };
        number
            .filter(|number| (min..=max).contains(number))
            .or_else(|| self.wrong(key, value, &format!("a whole number from {min} to {max}")))
    }

    /// Reads a whole number from `min` to `max` that may be written as text, as published payloads do.
    /// Absent is fine.
    pub(crate) fn integer_or_text(&mut self, key: &'static str, min: i64, max: i64) -> Option<i64> {
        #[cfg(test)]
        self.note(key, Shape::IntegerOrText(min, max));
        let value = self.take(key)?;
        let written = value.text().and_then(|text| text.parse().ok());
        match written {
            Some(number) if (min..=max).contains(&number) => Some(number),
            Some(_) | None => self.integer(key, min, max),
        }
    }

    /// Reads a TCP port, which may be written as text; absent is fine.
    pub(crate) fn port(&mut self, key: &'static str) -> Option<u16> {
        self.integer_or_text(key, 1, 65_535).and_then(|number| u16::try_from(number).ok())
    }

    /// Reads a duration such as `"30s"`, `"1h 30m"` or `"90d"`, from `min` to `max`; a day has 24 hours.
    /// Absent is fine.
    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        min: Duration,
        max: Duration,
    ) -> Option<Duration> {
        #[cfg(test)]
        self.note(key, Shape::Duration(min, max));
        let value = self.take(key)?;
        self.duration_at(value, &self.path_of(key), min, max)
    }

    /// Reads a list of durations, each from `min` to `max`; absent is fine.
    pub(crate) fn durations(
        &mut self,
        key: &'static str,
        min: Duration,
        max: Duration,
    ) -> Option<Vec<Duration>> {
        #[cfg(test)]
        self.note(key, Shape::Durations(min, max));
        let value = self.take(key)?;
        let Kind::Array(items) = &value.kind else {
            return self.wrong(key, value, "a list of durations");
        };
        let path = self.path_of(key);
        let read = |(index, item)| self.duration_at(item, &format!("{path}[{index}]"), min, max);
        let read: Vec<_> = items.iter().enumerate().map(read).collect();
        read.into_iter().collect()
    }

    /// Reads one of the given words; absent is fine.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        #[cfg(test)]
        self.note(key, Shape::choice(choices));
        let value = self.take(key)?;
        let text = value.text().unwrap_or_default();
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        let nearest = nearest(text, choices.iter().map(|(word, _)| *word));
        let hint = nearest.map_or(String::new(), |word| format!("; did you mean `{word}`?"));
        let message = format!("expected one of {}, found {}{hint}", words.join(", "), shown(value));
        self.fault(key, message);
        None
    }

    /// Reads a list of texts; absent is fine.
    pub(crate) fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        #[cfg(test)]
        self.note(key, Shape::Texts);
        let value = self.take(key)?;
        let Kind::Array(items) = &value.kind else {
            return self.wrong(key, value, "a list of texts");
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let Kind::String(text) = &item.kind else {
                let path = format!("{}[{index}]", self.path_of(key));
                let wanted = text_for(item);
                self.fault_at(item, &path, format!("expected {wanted}, found {}", shown(item)));
                continue;
            };
            texts.push(text.clone());
        }
        Some(texts)
    }

    /// Reads a table of texts with keys of any name; absent is fine.
    pub(crate) fn string_map(&mut self, key: &'static str) -> Option<BTreeMap<String, String>> {
        #[cfg(test)]
        self.note(key, Shape::TextMap);
        let value = self.take(key)?;
        let Kind::Table(entries) = &value.kind else {
            return self.wrong(key, value, "a table of texts");
        };
        let mut map = BTreeMap::new();
        for (name, item) in entries {
            let Kind::String(text) = &item.kind else {
                let path = join(&self.path_of(key), name);
                let wanted = text_for(item);
                self.fault_at(item, &path, format!("expected {wanted}, found {}", shown(item)));
                continue;
            };
            map.insert(name.clone(), text.clone());
        }
        Some(map)
    }

    /// Returns a reader of the table `key`; absent is fine.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Self> {
        #[cfg(test)]
        self.note(key, Shape::Table);
        let value = self.take(key)?;
        Self::new(value, self.path_of(key), self.faults)
    }

    /// Adds a fault when `key` is missing.
    pub(crate) fn required(&mut self, key: &'static str) -> Option<()> {
        #[cfg(test)]
        self.note(key, Shape::Required);
        if self.take(key).is_none() {
            let message = format!("missing; add `{key}`");
            self.fault(key, message);
            return None;
        }
        Some(())
    }

    /// Adds a fault for every key that was not read.
    pub(crate) fn finish(self) {
        self.finish_beside(None);
    }

    /// Does the same; a key that is like none may belong in the table `beside` them.
    pub(crate) fn finish_beside(self, beside: Option<&str>) {
        let Kind::Table(entries) = &self.value.kind else { return };
        for (key, value) in entries {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let known: BTreeSet<_> = self.known.iter().copied().collect();
            let near = nearest(key, known.iter().copied());
            let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "this table has no keys".to_owned(),
                None => format!("known keys are {}", known.join(", ")),
            };
            let beside = beside.filter(|_| near.is_none()).map_or(String::new(), |table| {
                format!(" a key of the platform belongs in `{table}`, as `{}`;", join(table, key))
            });
            self.fault_at(value, &self.path_of(key), format!("{UNKNOWN_KEY};{beside} {hint}"));
        }
    }

    /// Notes the shape in which `key` is read.
    #[cfg(test)]
    pub(super) fn note(&self, key: &str, shape: Shape) {
        super::asked::note(self.path_of(key), shape);
    }

    /// Returns the value of `key`, which is known from then on; null is like a missing key.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.value.entry(key).filter(|value| !matches!(value.kind, Kind::Null))
    }

    /// Adds a fault of `key` that shows its value, and returns none.
    pub(super) fn wrong<T>(&self, key: &str, value: &Value, wanted: &str) -> Option<T> {
        self.fault_at(
            value,
            &self.path_of(key),
            format!("expected {wanted}, found {}", shown(value)),
        );
        None
    }

    /// Adds a fault of `value` at `path`.
    pub(super) fn fault_at(&self, value: &Value, path: &str, message: String) {
        let origin = value.origin.to_string();
        self.faults.push(Fault { origin, path: path.to_owned(), message });
    }

    fn duration_at(
        &self,
        value: &Value,
        path: &str,
        min: Duration,
        max: Duration,
    ) -> Option<Duration> {
        let given = value.text().and_then(duration).filter(|given| (min..=max).contains(given));
        if given.is_none() {
            let is_long = Duration::from_hours(24) <= min;
            let sample = if is_long { "\"90d\"" } else { "\"30s\" or \"1h 30m\"" };
            let (min, max, found) = (duration_text(min), duration_text(max), shown(value));
            let message =
                format!("expected a duration from {min} to {max} such as {sample}, found {found}");
            self.fault_at(value, path, message);
        }
        given
    }
}

/// Returns what a text is called where `value` was found.
const fn text_for(value: &Value) -> &'static str {
    match value.kind {
        Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => "text in quotes",
        Kind::Null | Kind::String(_) | Kind::Array(_) | Kind::Table(_) => "text",
    }
}

/// Parses text from the environment, whose values have no types.
fn untyped<T: FromStr>(value: &Value) -> Option<T> {
    value.text().filter(|_| value.is_untyped()).and_then(|text| text.parse().ok())
}

/// Returns a wrong value for a message: cut, and never a whole table.
fn shown(value: &Value) -> String {
    match &value.kind {
        Kind::String(text) => quoted(text),
        Kind::Bool(flag) => flag.to_string(),
        Kind::Integer(number) => number.to_string(),
        Kind::Float(number) => number.to_string(),
        Kind::Null | Kind::Array(_) | Kind::Table(_) => value.describe().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SecretRef;

    fn read(json: &str, work: impl FnOnce(&mut Reader<'_>)) -> Vec<String> {
        let value = Value::from_json(&serde_json::from_str(json).unwrap(), &"f.json:1".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "server", &faults).unwrap();
        work(&mut reader);
        reader.finish();
        faults.into_parts().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_faults_are_reported_with_their_paths() {
        let faults = read(r#"{"prot": 5439, "host": 7, "wait": "soon", "mode": "acesKey"}"#, |r| {
            assert_eq!(r.port("port"), None);
            assert_eq!(r.required_string("host"), None);
            assert_eq!(r.required_string("user"), None);
            let second = Duration::from_secs(1);
            assert_eq!(r.duration("wait", second, second * 60), None);
            assert_eq!(r.choice("mode", &[("auto", 1), ("accessKey", 2)]), None);
        });
        assert_eq!(
            faults,
            [
                "f.json:1: server.host: expected text in quotes, found 7",
                "f.json:1: server.user: missing; add `user`",
                "f.json:1: server.wait: expected a duration from 1s to 1m such as \"30s\" or \"1h 30m\", found \"soon\"",
                "f.json:1: server.mode: expected one of `auto`, `accessKey`, found \"acesKey\"; did you mean `accessKey`?",
                "f.json:1: server.prot: unknown key; did you mean `port`?",
            ]
        );
    }

    #[test]
    fn numbers_as_text_and_digits_without_quotes_are_read_where_published_payloads_have_them() {
        let json = r#"{"port": "5439", "far": "70000", "word": "x", "account": 123456789012,
            "quoted": "012345678901", "host": 7, "list": [true], "map": {"a": 1.5}}"#;
        let faults = read(json, |reader| {
            assert_eq!(reader.port("port"), Some(5439));
            assert_eq!(reader.port("far"), None);
            assert_eq!(reader.integer_or_text("word", 1, 9), None);
            assert_eq!(reader.digits("account").as_deref(), Some("123456789012"));
            assert_eq!(reader.digits("quoted").as_deref(), Some("012345678901"));
            assert_eq!(reader.digits("absent"), None);
            assert_eq!(reader.string("host"), None);
            assert_eq!(reader.strings("list"), Some(Vec::new()));
            assert_eq!(reader.string_map("map").map(|map| map.len()), Some(0));
        });
        let expected = [
            "f.json:1: server.far: expected a whole number from 1 to 65535, found \"70000\"",
            "f.json:1: server.word: expected a whole number from 1 to 9, found \"x\"",
            "f.json:1: server.host: expected text in quotes, found 7",
            "f.json:1: server.list[0]: expected text in quotes, found true",
            "f.json:1: server.map.a: expected text in quotes, found 1.5",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn durations_are_read_as_they_are_shown() {
        let (min, max) = (Duration::from_millis(100), Duration::from_hours(7 * 24));
        let faults = read(
            r#"{"one": "7d", "all": ["100ms", "1h 30m", "1d 2h"], "bad": ["1s", "8d", 5], "not": "1s"}"#,
            |r| {
                assert_eq!(r.duration("one", min, max), Some(max));
                let all = [100, 5_400_000, 93_600_000].map(Duration::from_millis).to_vec();
                assert_eq!(r.durations("all", min, max), Some(all));
                assert_eq!(r.durations("bad", min, max), None);
                assert_eq!(r.durations("not", min, max), None);
                assert_eq!(r.durations("absent", min, max), None);
            },
        );
        let wanted = "expected a duration from 100ms to 7d such as \"30s\" or \"1h 30m\"";
        assert_eq!(
            faults,
            [
                format!("f.json:1: server.bad[1]: {wanted}, found \"8d\""),
                format!("f.json:1: server.bad[2]: {wanted}, found 5"),
                "f.json:1: server.not: expected a list of durations, found \"1s\"".to_owned(),
            ]
        );
    }

    #[test]
    fn faulty_secret_is_never_shown() {
        let faults = read(
            r#"{"a": {"file": "/x"}, "b": {"env": "B"}, "c": {"credential": "../x"}, "d": {"fle": "hunter2"}}"#,
            |r| {
                assert!(matches!(r.secret("a"), Some(SecretRef::File(_))));
                assert!(matches!(r.secret("b"), Some(SecretRef::Env(_))));
                assert!(r.secret("c").is_none());
                assert!(r.secret("d").is_none());
            },
        );
        assert_eq!(faults.len(), 2);
        assert!(!faults.concat().contains("hunter2"));
    }

    #[test]
    fn refused_value_is_shown_unless_it_may_contain_a_password() {
        let faults = read(r#"{"host": "a b", "url": "https://u:hunter2@h"}"#, |r| {
            for key in ["host", "url"] {
                r.raw(key);
                r.refuse(key, "expected a host name");
            }
        });
        let expected = [
            "f.json:1: server.host: expected a host name, found \"a b\"",
            "f.json:1: server.url: expected a host name",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn only_text_from_the_environment_becomes_a_number_or_a_boolean() {
        let texts = serde_json::json!({"runs": "8", "strict": "true", "bad": "8x"});
        let read = |origin: &str| {
            let value = Value::from_json(&texts, &origin.into());
            let faults = Faults::default();
            let mut reader = Reader::new(&value, "", &faults).unwrap();
            let read = (
                reader.integer("runs", 1, 9),
                reader.boolean("strict"),
                reader.integer("bad", 1, 9),
            );
            (read, faults.count())
        };
        assert_eq!(read("environment variable REVALIDATED__X"), ((Some(8), Some(true), None), 1));
        assert_eq!(read("f.toml:1"), ((None, None, None), 3));
    }
}
