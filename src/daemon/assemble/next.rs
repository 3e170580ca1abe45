//! Next credential of an integration (dry run of a rotation): its configuration with values from files, as it will
//! be once they are rotated.
//!
//! A secret becomes a reference to its file, which is read at the moment of use as any other; another value,
//! such as the id of an access key, becomes the file's text. The platform itself says which of the two a key
//! takes. No message holds anything of a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::clock::Clock;
use super::integration::Assembled;
use crate::config::{self, Faulty};
use crate::domain::{Redactor, Secret, SecretRef};
use crate::input::{Fault, Faults, Kind, Reader, Value, join, nearest};
use crate::platforms::{Platform, Validator};
use crate::secrets;

/// Path of an integration's own part, below which keys are named.
const CONFIG: &str = "config";
/// Longest message of a fault that is shown, in characters.
const MESSAGE_MAX: usize = 300;

/// Value that a key is to have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NextValue {
    /// Path of the key, such as `config.password`.
    pub(crate) key: String,
    /// File with the value.
    pub(crate) file: PathBuf,
}

/// Integration as it will be with the next values.
#[derive(Debug)]
pub(crate) struct Next {
    /// Integration that can be validated.
    pub(crate) one: Assembled,
    /// Keys whose next value is the present one.
    pub(crate) unchanged: Vec<String>,
}

/// Reason for which there is no next credential.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NextError {
    /// The files have no settings at all.
    #[error("the configuration has faults")]
    Configuration(#[from] Faulty),
    /// The key does not exist, or cannot be replaced.
    #[error("{key}: {problem}")]
    Key {
        /// Key as it was given.
        key: String,
        /// Problem, with what helps.
        problem: String,
    },
    /// The file cannot be used.
    #[error("the next value of {key}: {problem}")]
    File {
        /// Key that the file is for.
        key: String,
        /// Problem of the file, which never shows its content.
        problem: String,
    },
    /// All next values are the present ones.
    #[error("{0} would have the value that it has now; there is nothing to rehearse")]
    Unchanged(String),
    /// The configuration has other faults with the values.
    #[error("with the next values, {0}")]
    Unfit(String),
}

/// Returns the integration as it will be with `values`.
///
/// # Errors
///
/// Returns the first key or file that cannot be used.
pub(crate) fn next(
    main: Option<&Path>,
    present: &Assembled,
    values: &[NextValue],
) -> Result<Next, NextError> {
    let loaded = config::load_partly(main, Clock::default().now())?;
    let name = &present.wanted.name;
    let is_asked =
        |one: &&config::Integration| one.plan.as_ref().is_some_and(|plan| plan.name == *name);
    let found = loaded.integrations.iter().find(is_asked);
    let given = found.and_then(|one| one.entry.value.entry(CONFIG));
    let given = given.ok_or_else(|| wrong(CONFIG, "it is gone from the files".to_owned()))?;
    let auto_bootstrap = present.wanted.auto_bootstrap.unwrap_or_default();
    let before = Before { platform: present.platform, given, auto_bootstrap };
    let (validator, unchanged) = before.replaced(values)?;
    let identity = validator.identity();
    let one = Assembled { identity, validator: validator.into(), ..present.clone() };
    Ok(Next { one, unchanged })
}

fn wrong(key: &str, problem: String) -> NextError {
    NextError::Key { key: key.to_owned(), problem }
}

/// Form in which a key takes its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// Reference to a secret.
    Secret,
    /// Text as it is.
    Text,
}

/// Configuration before the rotation.
struct Before<'c> {
    platform: &'static Platform,
    given: &'c Value,
    auto_bootstrap: bool,
}

impl Before<'_> {
    fn parsed(&self, config: &Value) -> (Option<Box<dyn Validator>>, Faults) {
        let faults = Faults::default();
        let reader = Reader::new(config, CONFIG, &faults);
        let validator =
            reader.and_then(|reader| (self.platform.parse)(reader, self.auto_bootstrap));
        (validator, faults)
    }

    /// Replaces the values; returns the validator, and the keys whose value stays the same.
    fn replaced(
        &self,
        values: &[NextValue],
    ) -> Result<(Box<dyn Validator>, Vec<String>), NextError> {
        let (_validator, faults) = self.parsed(self.given);
        let (mut config, mut unchanged) = (self.given.clone(), Vec::new());
        let redactor = Redactor::default();
        let mut seen = BTreeSet::new();
        for NextValue { key, file } in values {
            if !seen.insert(key.as_str()) {
                return Err(wrong(key, "it is given twice".to_owned()));
            }
            let form = self.form(key, file, &faults)?;
            let problem = |problem: String| NextError::File { key: key.clone(), problem };
            let text = secrets::resolve_now(&SecretRef::File(file.clone()));
            let text = text.map_err(|error| problem(error.to_string()))?;
            if self.present(key, &faults).is_some_and(|now| now.expose() == text.expose()) {
                unchanged.push(key.clone());
            }
            redactor.learn(&text);
            let value = match form {
                Form::Secret => reference(file),
                Form::Text => Kind::String(text.expose().to_owned()),
            };
            put(&mut config, key, value);
        }
        if unchanged.len() == values.len() {
            return Err(NextError::Unchanged(unchanged.join(", ")));
        }
        let (validator, faults) = self.parsed(&config);
        let (faults, warnings) = faults.into_parts();
        let of_key = |fault: &&Fault| seen.contains(fault.path.as_str());
        if let Some(fault) = faults.iter().chain(&warnings).find(of_key) {
            return Err(wrong(&fault.path, shown(fault, &redactor)));
        }
        match validator.filter(|_| faults.is_empty()) {
            Some(validator) => Ok((validator, unchanged)),
            None => Err(NextError::Unfit(unfit(&faults, &redactor))),
        }
    }

    /// Returns the form in which `key` takes its value; `faults` are those of the present configuration.
    fn form(&self, key: &str, file: &Path, faults: &Faults) -> Result<Form, NextError> {
        let secrets = faults.secret_paths();
        if secrets.contains(key) {
            return Ok(Form::Secret);
        }
        let is_below = |path: &String| key.strip_prefix(path.as_str()).is_some_and(is_part);
        let mut config = self.given.clone();
        if secrets.iter().any(is_below) || !put(&mut config, key, reference(file)) {
            return Err(wrong(key, self.hint(key, &secrets)));
        }
        let (_validator, faults) = self.parsed(&config);
        if faults.secret_paths().contains(key) {
            return Ok(Form::Secret);
        }
        let (faults, _warnings) = faults.into_parts();
        let is_unknown = |fault: &Fault| fault.path == key && fault.message.starts_with("unknown");
        if faults.iter().any(is_unknown) {
            return Err(wrong(key, self.hint(key, &secrets)));
        }
        Ok(Form::Text)
    }

    /// Returns what to say of a key that does not exist.
    fn hint(&self, key: &str, secrets: &BTreeSet<String>) -> String {
        let mut keys = Vec::new();
        leaves(CONFIG, self.given, secrets, &mut keys);
        // All begin alike, which makes none of them similar.
        let near = nearest(own(key), keys.iter().map(|key| own(key)));
        let secrets: Vec<_> = secrets.iter().map(|path| format!("`{path}`")).collect();
        let hint = match near {
            Some(near) => format!("did you mean `{CONFIG}.{near}`?"),
            None if secrets.is_empty() => "this configuration has no secret".to_owned(),
            None => format!("the secrets of this configuration are {}", secrets.join(", ")),
        };
        format!("unknown key; {hint}")
    }

    /// Returns the present value of `key`, if it can be read.
    fn present(&self, key: &str, faults: &Faults) -> Option<Secret> {
        let references = faults.references();
        if let Some(reference) = references.iter().find(|one| one.path == key) {
            return secrets::resolve_now(&reference.secret).ok();
        }
        let mut config = self.given.clone();
        let value = at(&mut config, &parts(key)?)?;
        match &value.kind {
            Kind::String(text) => Some(Secret::new(text.trim_end_matches(['\n', '\r']).to_owned())),
            Kind::Integer(number) => Some(Secret::new(number.to_string())),
            Kind::Null | Kind::Bool(_) | Kind::Float(_) | Kind::Array(_) | Kind::Table(_) => None,
        }
    }
}

/// True for the rest of a path below another one.
fn is_part(rest: &str) -> bool {
    rest.starts_with(['.', '['])
}

/// Returns a path without its beginning, which all have.
fn own(key: &str) -> &str {
    key.strip_prefix(CONFIG).and_then(|rest| rest.strip_prefix('.')).unwrap_or(key)
}

/// Returns the message of a fault without what the files hold.
fn shown(fault: &Fault, redactor: &Redactor) -> String {
    let message = fault.message.split(", found ").next().unwrap_or_default();
    redactor.line(message, MESSAGE_MAX)
}

fn unfit(faults: &[Fault], redactor: &Redactor) -> String {
    let fault = |fault: &Fault| format!("{}: {}", fault.path, shown(fault, redactor));
    let faults: Vec<_> = faults.iter().map(fault).collect();
    if faults.is_empty() {
        return "the configuration cannot be used".to_owned();
    }
    faults.join("; ")
}

/// Returns a reference to a secret in `file`.
fn reference(file: &Path) -> Kind {
    let path = Kind::String(file.display().to_string());
    Kind::Table(vec![("file".to_owned(), Value { kind: path, origin: "next value".into() })])
}

/// Returns the parts of a path below the configuration; a part in quotes is taken out of them.
fn parts(key: &str) -> Option<Vec<String>> {
    let rest = key.strip_prefix(CONFIG)?.strip_prefix('.')?;
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in rest.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(std::mem::take(&mut part)),
            _ => part.push(letter),
        }
    }
    parts.push(part);
    parts.iter().all(|part| !part.is_empty()).then_some(parts)
}

/// Puts `kind` at `key`; false where no table could hold it.
fn put(config: &mut Value, key: &str, kind: Kind) -> bool {
    let Some(value) = parts(key).and_then(|parts| at(config, &parts)) else { return false };
    *value = Value { kind, origin: "next value".into() };
    true
}

/// Returns the value at `path`, which is null where the last table does not have it yet.
fn at<'v>(value: &'v mut Value, path: &[String]) -> Option<&'v mut Value> {
    let Some((first, rest)) = path.split_first() else { return Some(value) };
    let origin = Arc::clone(&value.origin);
    let Kind::Table(entries) = &mut value.kind else { return None };
    let place = match entries.iter().position(|(name, _)| name == first) {
        Some(place) => place,
        None if rest.is_empty() => {
            entries.push((first.clone(), Value { kind: Kind::Null, origin }));
            entries.len().checked_sub(1)?
        }
        None => return None,
    };
    let (_, inner) = entries.get_mut(place)?;
    at(inner, rest)
}

/// Adds the paths of all values to `keys`; a secret is one value.
fn leaves(path: &str, value: &Value, secrets: &BTreeSet<String>, keys: &mut Vec<String>) {
    match &value.kind {
        Kind::Table(entries) if !secrets.contains(path) => {
            for (key, item) in entries {
                leaves(&join(path, key), item, secrets, keys);
            }
        }
        Kind::Null
        | Kind::Bool(_)
        | Kind::Integer(_)
        | Kind::Float(_)
        | Kind::String(_)
        | Kind::Array(_)
        | Kind::Table(_) => keys.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::assembly::open;
    use super::*;

    const MAIN: &str = "[[integration]]\nname = \"lake\"\ntype = \"Redshift\"\nautoBootstrap = false\n\
        [integration.config]\nhost = \"db.example.com\"\ndatabase = \"d\"\nusername = \"u\"\n\
        password = { file = \"DIR/now\" }\n";

    /// Returns what becomes of the configuration in a folder with these files, and `--with` these values.
    fn tried(main: &str, files: &[(&str, &str)], with: &[(&str, &str)]) -> Result<Next, String> {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().display().to_string();
        let path = folder.path().join("main.toml");
        std::fs::write(&path, main.replace("DIR", &dir)).unwrap();
        std::fs::write(folder.path().join("now"), "hunter1\n").unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let value = |(key, file): &(&str, &str)| NextValue {
            key: (*key).to_owned(),
            file: folder.path().join(file),
        };
        let values: Vec<_> = with.iter().map(value).collect();
        let assembly = open(Some(&path)).unwrap_or_else(|faulty| panic!("{faulty}"));
        let present = assembly.integrations.get("lake").unwrap();
        next(Some(&path), present, &values)
            .map_err(|error| error.to_string().replace(&format!("{dir}/"), ""))
    }

    #[test]
    fn wrong_key_is_refused_with_the_nearest_one() {
        let table = [
            ("config.pasword", "config.pasword: unknown key; did you mean `config.password`?"),
            ("password", "password: unknown key; did you mean `config.password`?"),
            ("config.password.file", "unknown key; did you mean `config.password`?"),
            ("config.okta.zzz", "the secrets of this configuration are `config.password`"),
            ("", "unknown key"),
            ("config.", "unknown key"),
            ("config.tls", "config.tls: expected a table"),
            ("config.port", "config.port: expected a whole number from 1 to 65535"),
            ("config.connectArgs", "config.connectArgs: "),
        ];
        for (key, expected) in table {
            let problem = tried(MAIN, &[("next", "hunter2")], &[(key, "next")]).unwrap_err();
            assert!(problem.contains(expected), "{key}: {problem}");
            assert!(!problem.contains("hunter"), "{key}: {problem}");
        }
    }

    #[test]
    fn file_that_cannot_be_used_is_named() {
        let table = [
            ("none", "the next value of config.password: secret file none cannot be read: No such"),
            ("empty", "the next value of config.password: the secret in empty is empty"),
            ("same", "config.password would have the value that it has now"),
        ];
        let files = [("empty", "\n"), ("same", "hunter1")];
        for (file, expected) in table {
            let problem = tried(MAIN, &files, &[("config.password", file)]).unwrap_err();
            assert!(problem.starts_with(expected), "{file}: {problem}");
        }
        let twice = [("config.password", "same"), ("config.password", "same")];
        assert!(tried(MAIN, &files, &twice).unwrap_err().contains("it is given twice"));
    }

    #[test]
    fn secret_becomes_a_reference_and_other_text_a_value() {
        let files = [("next", "hunter2\n"), ("user", "other\n")];
        let next = tried(MAIN, &files, &[("config.password", "next")]).unwrap();
        assert_eq!(next.unchanged, [""; 0]);
        let shown = format!("{next:?}");
        assert!(shown.contains("/next\"") && !shown.contains("hunter2"), "{shown}");
        let both = [("config.username", "user"), ("config.password", "now")];
        let next = tried(MAIN, &files, &both).unwrap();
        assert_eq!(next.unchanged, ["config.password"]);
        assert!(next.one.identity.principal.unwrap().contains("other"));
        let literal = MAIN.replace("{ file = \"DIR/now\" }", "\"hunter1\"");
        let same = tried(&literal, &files, &[("config.password", "now")]).unwrap_err();
        assert!(same.contains("the value that it has now"), "{same}");
        tried(&literal, &files, &[("config.password", "next")]).unwrap();
    }

    #[test]
    fn secret_that_is_not_there_yet_can_be_added() {
        let main = "[[integration]]\nname = \"lake\"\ntype = \"Snowflake\"\nautoBootstrap = false\n\
            [integration.config]\nhost = \"org-acct.snowflakecomputing.com\"\nwarehouse = \"W\"\n\
            database = \"D\"\nrole = \"R\"\nauthenticationType = \"keyPair\"\nusername = \"U\"\n\
            [integration.config.privateKey]\nkeyName = \"PRIV_KEY_FILE\"\nuserFilename = \"k\"\n\
            content = { file = \"DIR/now\" }\n";
        let files = [("key", "k"), ("phrase", "p")];
        let both = [("config.privateKey.content", "key"), ("config.privateKeyPassword", "phrase")];
        let next = tried(main, &files, &both).unwrap();
        let shown = format!("{next:?}");
        assert!(shown.contains("/phrase\""), "{shown}");
        let unused = tried(main, &files, &[("config.password", "key")]).unwrap_err();
        assert!(unused.starts_with("config.password: "), "{unused}");
    }

    #[test]
    fn quoted_part_of_a_path_may_contain_a_period() {
        let owned = |parts: &[&str]| Some(parts.iter().map(|&part| part.to_owned()).collect());
        assert_eq!(parts("config.headers.\"X.Y\""), owned(&["headers", "X.Y"]));
        assert_eq!(parts("config.a.b"), owned(&["a", "b"]));
        for key in ["config", "configa", "config.", "config.a.", "x.a"] {
            assert_eq!(parts(key), None, "{key}");
        }
    }
}
