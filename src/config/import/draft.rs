//! Integrations in the making, and the values of other programs that they are made from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::entry::Entry;
use crate::input::{Fault, Faults, Kind, Value};

/// Keys of a table that stands for a variable of the environment: its name, and the value without it.
const VARIABLE: [&str; 2] = ["env", "default"];
/// Name of the secret `content` of a key file, for its credential.
const KEY_FILE: &str = "privateKey.content";

/// Surroundings of an import: variables that files refer to, and where faults go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    /// Environment variables by name.
    pub(super) variables: &'a BTreeMap<String, String>,
    /// Faults of everything that is read.
    pub(super) faults: &'a Faults,
}

impl Context<'_> {
    /// Adds a fault at `origin`.
    pub(super) fn fault(&self, origin: &str, path: &str, message: impl Into<String>) {
        let (origin, path) = (origin.to_owned(), path.to_owned());
        self.faults.push(Fault { origin, path, message: message.into() });
    }

    /// Returns a path of a file with the home folder in place of `~`.
    pub(super) fn path(&self, text: &str) -> String {
        let home = self.variables.get("HOME").zip(text.strip_prefix("~/"));
        let path = home.map(|(home, rest)| PathBuf::from(home).join(rest));
        path.map_or_else(|| text.to_owned(), |path| path.display().to_string())
    }
}

/// Place of a secret that an integration refers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Credential of systemd by this name.
    Credential(String),
    /// Environment variable of the daemon.
    Variable(String),
    /// File that the other program reads too.
    File(String),
}

/// Secret that an integration refers to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Needed {
    /// Name of the integration.
    pub(crate) integration: String,
    /// Path of the key, such as `config.password`.
    pub(crate) path: String,
    /// Place where the daemon looks for it.
    pub(crate) place: Place,
    /// True when the file has the secret itself, which was not copied.
    pub(crate) is_in_clear: bool,
}

/// Values of a connection of another program, by names of our own.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    context: Context<'a>,
    values: BTreeMap<&'static str, Value>,
    /// Keys that no integration has use for.
    pub(super) left_out: Vec<String>,
}

impl<'a> Fields<'a> {
    /// Reads the entries of a connection. `names` gives each key that has a use its name here; the others are kept
    /// by their names alone.
    pub(super) fn read(
        context: Context<'a>,
        given: Vec<(String, Value)>,
        names: &[(&str, &'static str)],
    ) -> Self {
        let (mut values, mut left_out) = (BTreeMap::new(), Vec::new());
        for (key, value) in given {
            match names.iter().find(|(known, _)| known.eq_ignore_ascii_case(&key)) {
                _ if is_nothing(&value) => {}
                Some((_, name)) => {
                    values.entry(*name).or_insert(value);
                }
                None => left_out.push(key),
            }
        }
        Self { context, values, left_out }
    }

    /// True where the connection has a value of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns the value as it was given.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Returns the value as text; a variable of the environment is looked up, and one that is not set is a fault.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.values.get(name)?;
        if let Some((variable, default)) = variable(value) {
            let found = self.context.variables.get(variable).cloned();
            let found = found.or_else(|| default.map(str::to_owned));
            if found.is_none() {
                let message = format!(
                    "environment variable {variable} is not set; set it for this command, or write \
                     the value"
                );
                self.context.fault(&value.origin, name, message);
            }
            return found;
        }
        match &value.kind {
            Kind::String(text) => Some(text.trim().to_owned()),
            Kind::Integer(number) => Some(number.to_string()),
            Kind::Float(number) => Some(number.to_string()),
            Kind::Bool(flag) => Some(flag.to_string()),
            Kind::Null | Kind::Array(_) | Kind::Table(_) => None,
        }
    }

    /// Returns the text in lower case, or nothing.
    pub(super) fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_lowercase()
    }

    /// True for a value that says yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.word(name).as_str(), "true" | "yes" | "on" | "1")
    }

    /// Returns the text as a path of a file.
    pub(super) fn path(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| self.context.path(&text))
    }
}

/// True for a value that stands for none.
fn is_nothing(value: &Value) -> bool {
    matches!(value.kind, Kind::Null) || value.text().is_some_and(str::is_empty)
}

/// Returns the value that stands for a variable of the environment.
pub(super) fn variable_of(name: &str, default: Option<&str>, origin: &Arc<str>) -> Value {
    let own =
        |text: &str| Value { kind: Kind::String(text.to_owned()), origin: Arc::clone(origin) };
    let [env, without] = VARIABLE.map(str::to_owned);
    let default = default.map(|text| (without, own(text)));
    let entries = [(env, own(name))].into_iter().chain(default).collect();
    Value { kind: Kind::Table(entries), origin: Arc::clone(origin) }
}

/// Returns the name of the variable that a value stands for, and the value without it.
fn variable(value: &Value) -> Option<(&str, Option<&str>)> {
    let [env, default] = VARIABLE;
    let name = value.entry(env)?.text()?;
    Some((name, value.entry(default).and_then(Value::text)))
}

/// Integration that is being made.
#[derive(Debug)]
pub(super) struct Draft {
    name: String,
    origin: Arc<str>,
    table: Value,
    /// Secrets that it refers to.
    pub(super) needed: Vec<Needed>,
}

impl Draft {
    /// Returns an integration of a platform without a configuration.
    pub(super) fn new(name: &str, kind: &str, origin: &Arc<str>) -> Self {
        let table = Value { kind: Kind::Table(Vec::new()), origin: Arc::clone(origin) };
        let name = name.to_owned();
        let mut draft = Self { name, origin: Arc::clone(origin), table, needed: Vec::new() };
        draft.put("name", Kind::String(draft.name.clone()));
        draft.put("type", Kind::String(kind.to_owned()));
        draft
    }

    /// Sets a key of the integration, such as `config.host`; the same key again takes its place.
    pub(super) fn put(&mut self, path: &str, kind: Kind) {
        let value = Value { kind, origin: Arc::clone(&self.origin) };
        self.put_value(path, value);
    }

    /// Sets a key to a value with an origin of its own.
    pub(super) fn put_value(&mut self, path: &str, value: Value) {
        let path: Vec<_> = path.split('.').collect();
        insert(&mut self.table, &path, value);
    }

    /// Sets a key to a text.
    pub(super) fn set(&mut self, path: &str, text: impl Into<String>) {
        self.put(path, Kind::String(text.into()));
    }

    /// Sets a key to a value of the connection, if it has one; digits are a number for `port`.
    pub(super) fn copy(&mut self, fields: &Fields<'_>, name: &str, path: &str) {
        let Some(text) = fields.text(name) else { return };
        let number =
            text.parse().ok().filter(|_number: &i64| path.rsplit('.').next() == Some("port"));
        self.put(path, number.map_or(Kind::String(text), Kind::Integer));
    }

    /// Sets a key to a reference to a secret of the connection: a variable stays one, and all else becomes a
    /// credential, whose value is not copied.
    pub(super) fn secret(&mut self, fields: &Fields<'_>, name: &str, path: &str) {
        match fields.value(name).and_then(variable) {
            Some((variable, _)) => {
                let place = Place::Variable(variable.to_owned());
                self.refer(path, place, false);
            }
            None => self.credential(path, fields.has(name)),
        }
    }

    /// Sets a key to a reference to a file.
    pub(super) fn file(&mut self, path: &str, file: &str) {
        self.refer(path, Place::File(file.to_owned()), false);
    }

    /// Sets a key to a reference to a credential of systemd.
    pub(super) fn credential(&mut self, path: &str, is_in_clear: bool) {
        let leaf = if path.ends_with(KEY_FILE) { "privateKey" } else { path };
        let leaf = leaf.rsplit('.').next().unwrap_or(path);
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        let name = self.name.chars().map(|letter| if is_plain(letter) { letter } else { '-' });
        let name: String = name.collect();
        self.refer(path, Place::Credential(format!("{name}-{leaf}")), is_in_clear);
    }

    fn refer(&mut self, path: &str, place: Place, is_in_clear: bool) {
        let (key, text) = match &place {
            Place::Credential(name) => ("credential", name),
            Place::Variable(name) => ("env", name),
            Place::File(name) => ("file", name),
        };
        let text = Value { kind: Kind::String(text.clone()), origin: Arc::clone(&self.origin) };
        self.put(path, Kind::Table(vec![(key.to_owned(), text)]));
        let (integration, path) = (self.name.clone(), path.to_owned());
        self.needed.push(Needed { integration, path, place, is_in_clear });
    }

    /// Ends the making: the integration with `template`, in which every key stands once, as entry `place` of the file.
    pub(super) fn entry(mut self, template: Option<&str>, place: usize) -> Entry {
        if let Some(template) = template.filter(|_| self.table.entry("template").is_none()) {
            self.set("template", template);
        }
        if self.table.entry("config").is_none() {
            self.put("config", Kind::Table(Vec::new()));
        }
        Entry { value: self.table, path: format!("[{place}]") }
    }
}

/// Inserts a value under a path of keys.
pub(super) fn insert(table: &mut Value, path: &[&str], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *table = value;
        return;
    };
    let Kind::Table(entries) = &mut table.kind else { return };
    if let Some((_, next)) = entries.iter_mut().find(|(name, _)| name == key) {
        return insert(next, rest, value);
    }
    let mut next = Value { kind: Kind::Table(Vec::new()), origin: Arc::clone(&value.origin) };
    insert(&mut next, rest, value);
    entries.push(((*key).to_owned(), next));
}

/// Returns a name that is not taken, and takes it.
pub(super) fn unique(taken: &mut BTreeSet<String>, name: &str) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}
