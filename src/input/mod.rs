//! Located configuration values, and a reader that collects every fault instead of stopping at the
//! first.
//!
//! A [`Reader`] remembers every key it was asked for: any other key in the table is unknown, and the
//! most similar known key is suggested. Reading a missing or wrong value returns `None` and adds a
//! fault: callers read everything first and use `?` only then.

#[cfg(test)]
pub(crate) mod asked;
mod faults;
#[cfg(test)]
pub(crate) mod fuzz;
mod names;
pub(crate) mod parallel;
mod reader;
mod secret;
mod value;
mod words;

pub(crate) use faults::{Faults, Reference};
#[cfg(test)]
pub(crate) use names::{LABEL_MAX, LABELS_MAX, NAME_MAX};
pub(crate) use names::{labels, labels_of, name_problem};
pub(crate) use reader::Reader;
pub(crate) use value::{ENVIRONMENT, Kind, Value};
pub(crate) use words::{duration, join, nearest, quoted};

/// Fault of the configuration: one wrong value, key or file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// File and line, or the environment variable, that the value came from.
    pub(crate) origin: String,
    /// Path of the key, such as `integration[2].config.host`; empty for a whole file.
    pub(crate) path: String,
    /// Problem and how to fix it, without any secret.
    pub(crate) message: String,
}

/// Beginning of the message about a key that nothing reads.
const UNKNOWN_KEY: &str = "unknown key";

impl Fault {
    /// True for a key that nothing reads.
    pub(crate) fn is_unknown_key(&self) -> bool {
        self.message.starts_with(UNKNOWN_KEY)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { origin, path, message } = self;
        if path.is_empty() {
            write!(f, "{origin}: {message}")
        } else {
            write!(f, "{origin}: {path}: {message}")
        }
    }
}
