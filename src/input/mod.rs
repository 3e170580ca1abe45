//! Located values and a reader that collects every fault instead of stopping at the first.
//!
//! A [`Reader`] knows every key it was asked for, so what is left over is unknown, and the nearest
//! asked-for key is what was probably meant. Reading a missing or wrong value yields `None` and
//! leaves a fault behind: callers read everything first and use `?` only then.

mod faults;
mod reader;
mod value;
mod words;

pub(crate) use faults::Faults;
pub(crate) use reader::Reader;
pub(crate) use value::{ENVIRONMENT, Kind, Value};
pub(crate) use words::{duration, join, nearest, quoted};

/// One thing that is wrong with the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    /// File and line, or what else the value came from.
    pub(crate) origin: String,
    /// The path of the key, such as `integration[2].config.host`; empty for a whole file.
    pub(crate) path: String,
    /// What is wrong and how to mend it; never a secret.
    pub(crate) message: String,
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
