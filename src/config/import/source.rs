//! Files of other programs that integrations are made from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::draft::Context;
use crate::config::gather;

/// Kind of file that integrations are made from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Comma-separated values with a heading.
    Csv,
    /// Answers of the published interface, as JSON or YAML.
    Answers,
    /// Profiles of dbt, in YAML.
    Dbt,
    /// Profiles of Databricks' command line.
    Databricks,
    /// Connections of Snowflake's command line.
    Snowflake,
    /// Connections that Airflow exported.
    Airflow,
}

/// File with integrations, and the parts of it that are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Kind of the file.
    pub(crate) form: Form,
    /// Command that reads it, such as `import dbt`.
    pub(crate) command: String,
    /// Path of the file, or the address that the text came from.
    pub(crate) file: PathBuf,
    /// Text that was fetched; none reads the file.
    pub(crate) text: Option<String>,
    /// Template of all integrations without one of their own.
    pub(crate) template: Option<String>,
    /// Profile or connection that alone is wanted.
    pub(crate) only: Option<String>,
    /// Target of a profile of dbt, instead of its default.
    pub(crate) target: Option<String>,
    /// Name of the drop-in without its extension, unless that of the file.
    pub(crate) stem: Option<&'static str>,
    /// Environment variables that the file may refer to.
    pub(crate) variables: BTreeMap<String, String>,
}

impl Source {
    /// Returns the path of the drop-in beside `main` or the default file.
    pub(crate) fn drop_in(&self, main: Option<&Path>) -> PathBuf {
        let named = self.stem.map_or_else(|| self.file.clone(), PathBuf::from);
        gather::drop_in_for(main, &named)
    }

    /// Returns the path of the file, as origins show it.
    pub(super) fn shown(&self) -> String {
        self.file.display().to_string()
    }

    /// True for a profile or connection that is wanted.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    /// Reports a profile or connection that is wanted and not there; `known` are those that are.
    pub(super) fn check_only(&self, context: Context<'_>, what: &str, known: &[String]) {
        let Some(only) = self.only.as_deref() else { return };
        if !known.iter().any(|name| name == only) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("there is no {what} {only:?}; known are: {known}");
            context.fault(&self.shown(), "", message);
        }
    }
}
