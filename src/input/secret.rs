//! Reads secrets: references to where they are kept, or literal values, which are warned about.

use std::path::PathBuf;

#[cfg(test)]
use super::asked::Shape;
use super::words::join;
use super::{Fault, Kind, Reader, Reference, Value};
use crate::domain::{REDACTED, Secret, SecretRef};

impl<'a> Reader<'a> {
    /// Reads a secret: `{ file = ".." }`, `{ env = ".." }`, `{ credential = ".." }`, or the literal
    /// value, which is warned about; absent is fine.
    pub(crate) fn secret(&mut self, key: &'static str) -> Option<SecretRef> {
        #[cfg(test)]
        self.note(key, Shape::Secret);
        let value = self.take(key)?;
        let path = self.path_of(key);
        self.secret_at(value, path)
    }

    /// Reads a list of secrets; absent is an empty list.
    pub(crate) fn secrets(&mut self, key: &'static str) -> Vec<SecretRef> {
        #[cfg(test)]
        self.note(key, Shape::Secrets);
        let Some(value) = self.take(key) else { return Vec::new() };
        let Kind::Array(items) = &value.kind else {
            self.fault(key, "expected a list of secrets such as [{ credential = \"name\" }]");
            return Vec::new();
        };
        let path = self.path_of(key);
        let items = items.iter().enumerate();
        items.filter_map(|(index, item)| self.secret_at(item, format!("{path}[{index}]"))).collect()
    }

    /// Reads a table of values with keys of any name, each a secret or a text of its own; a text is warned
    /// about as a secret where `is_secret` says so of its key. Absent is an empty list.
    pub(crate) fn values(
        &mut self,
        key: &'static str,
        is_secret: impl Fn(&str) -> bool,
    ) -> Vec<(String, SecretRef)> {
        #[cfg(test)]
        self.note(key, Shape::Values);
        let Some(value) = self.take(key) else { return Vec::new() };
        let Kind::Table(entries) = &value.kind else {
            return self.wrong(key, value, "a table").unwrap_or_default();
        };
        let path = self.path_of(key);
        let read = |(name, item): &'a (String, Value)| {
            let path = join(&path, name);
            let read = match item.text().filter(|text| !is_secret(name) && *text != REDACTED) {
                Some(text) => {
                    self.faults.secret_at(&path);
                    Some(SecretRef::Literal(Secret::new(text.to_owned())))
                }
                None => self.secret_at(item, path),
            };
            Some((name.clone(), read?))
        };
        entries.iter().filter_map(read).collect()
    }

    /// Reads a document in PEM form: a secret, or the path of a file as a text.
    pub(crate) fn pem(&mut self, key: &'static str) -> Option<SecretRef> {
        #[cfg(test)]
        self.note(key, Shape::Secret);
        let value = self.raw(key)?;
        let path = value.text().filter(|text| !text.contains("-----BEGIN") && *text != REDACTED);
        let Some(path) = path else { return self.secret(key) };
        let file = SecretRef::File(PathBuf::from(path));
        self.refer(value, self.path_of(key), &file);
        Some(file)
    }

    fn secret_at(&self, value: &'a Value, path: String) -> Option<SecretRef> {
        self.faults.secret_at(&path);
        if let Some(text) = value.text() {
            return self.literal_at(value, path, text);
        }
        let reference = single(value).and_then(|(key, name)| match key {
            _ if name.is_empty() => None,
            "file" => Some(SecretRef::File(PathBuf::from(name))),
            "env" => Some(SecretRef::Env(name.to_owned())),
            "credential" if !name.contains('/') => Some(SecretRef::Credential(name.to_owned())),
            _ => None,
        });
        if reference.is_none() {
            let message = "expected { file = \"path\" }, { env = \"NAME\" } or \
                { credential = \"name\" }";
            self.fault_at(value, &path, message.to_owned());
        }
        if let Some(secret) = &reference {
            self.refer(value, path, secret);
        }
        reference
    }

    fn refer(&self, value: &Value, path: String, secret: &SecretRef) {
        let (origin, secret) = (value.origin.to_string(), secret.clone());
        self.faults.refer(Reference { origin, path, secret });
    }

    fn literal_at(&self, value: &Value, path: String, text: &str) -> Option<SecretRef> {
        let taken_out = text == REDACTED;
        if taken_out {
            let message = "the secret was removed here; put { file = \"..\" }, { env = \"..\" } \
                or { credential = \"..\" } in its place";
            self.fault_at(value, &path, message.to_owned());
        }
        let message = "the configuration contains the secret itself; use { file = \"..\" }, \
            { env = \"..\" } or { credential = \"..\" }";
        let origin = value.origin.to_string();
        self.faults.literal(Fault { origin, path, message: message.to_owned() });
        (!taken_out).then(|| SecretRef::Literal(Secret::new(text.to_owned())))
    }
}

/// Returns the only entry of a table, when that is text.
fn single(value: &Value) -> Option<(&str, &str)> {
    let Kind::Table(entries) = &value.kind else { return None };
    let [(key, item)] = entries.as_slice() else { return None };
    Some((key, item.text()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Faults;

    /// Reads a table; returns the faults, the warnings, and the references with their paths.
    fn read(json: &str, work: impl FnOnce(&mut Reader<'_>)) -> [Vec<String>; 3] {
        let value = Value::from_json(&serde_json::from_str(json).unwrap(), &"f.json:1".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "server", &faults).unwrap();
        work(&mut reader);
        reader.finish();
        let references = faults.references().into_iter();
        let references = references.map(|one| format!("{} {:?}", one.path, one.secret)).collect();
        let (faults, warnings) = faults.into_parts();
        let texts = |all: Vec<Fault>| {
            all.into_iter().map(|one| format!("{}: {}", one.path, one.message)).collect()
        };
        [texts(faults), texts(warnings), references]
    }

    #[test]
    fn each_reference_is_collected_with_its_path() {
        let [faults, warnings, references] = read(
            r#"{"a": {"file": "/a"}, "all": [{"env": "B"}, {"credential": "c"}], "own": "/own.pem",
                "table": {"X-Key": {"file": "/k"}, "X-Tenant": "data"}}"#,
            |reader| {
                reader.secret("a");
                assert_eq!(reader.secrets("all").len(), 2);
                assert!(matches!(reader.pem("own"), Some(SecretRef::File(_))));
                let values = reader.values("table", |name| name == "X-Key");
                assert!(
                    matches!(&values[1].1, SecretRef::Literal(text) if text.expose() == "data")
                );
            },
        );
        assert_eq!((faults, warnings), (vec![], vec![]));
        let expected = [
            r#"server.a File("/a")"#,
            r#"server.all[0] Env("B")"#,
            r#"server.all[1] Credential("c")"#,
            r#"server.own File("/own.pem")"#,
            r#"server.table.X-Key File("/k")"#,
        ];
        assert_eq!(references, expected);
    }

    #[test]
    fn literal_secret_is_a_warning_and_one_that_was_removed_is_a_fault() {
        let json = r#"{"own": "-----BEGIN X-----hunter2", "gone": "[REDACTED]",
            "table": {"X-Key": "hunter2", "X-Gone": "[REDACTED]"}, "absent": null}"#;
        let [faults, warnings, references] = read(json, |reader| {
            assert!(matches!(reader.pem("own"), Some(SecretRef::Literal(_))));
            assert!(reader.pem("gone").is_none() && reader.pem("absent").is_none());
            assert_eq!(reader.values("table", |name| name == "X-Key").len(), 1);
            assert!(reader.values("absent", |_| true).is_empty());
        });
        assert_eq!(references, [""; 0]);
        let removed = "the secret was removed here";
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with(&format!("server.gone: {removed}")), "{faults:?}");
        assert!(faults[1].starts_with(&format!("server.table.X-Gone: {removed}")), "{faults:?}");
        assert!(warnings.iter().any(|one| one.starts_with("server.own: ")), "{warnings:?}");
        assert!(warnings.iter().any(|one| one.starts_with("server.table.X-Key: ")), "{warnings:?}");
        assert!(!format!("{faults:?}{warnings:?}").contains("hunter2"));
    }

    #[test]
    fn other_shapes_are_faults() {
        let [faults, ..] = read(r#"{"a": 7, "all": "x", "table": "y"}"#, |reader| {
            assert!(reader.secret("a").is_none());
            assert!(reader.secrets("all").is_empty());
            assert!(reader.values("table", |_| true).is_empty());
        });
        let expected = [
            "server.a: expected { file = \"path\" }, { env = \"NAME\" } or { credential = \"name\" }",
            "server.all: expected a list of secrets such as [{ credential = \"name\" }]",
            "server.table: expected a table, found \"y\"",
        ];
        assert_eq!(faults, expected);
    }
}
