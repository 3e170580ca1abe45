//! Stands in for the facade until it is there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::domain::{Report, Schedule};
use crate::input::Fault;
use crate::platforms::Mode;

/// The configuration, put together.
#[derive(Debug)]
pub(crate) struct Assembly {
    /// What is accepted but unwise.
    pub(crate) warnings: Vec<Fault>,
    /// What is logged, and how.
    pub(crate) log: Log,
    /// Where the database is.
    pub(crate) store_path: PathBuf,
    /// Every integration, in the order of the files.
    pub(crate) integrations: Vec<Integration>,
    /// Every receiver.
    pub(crate) receivers: Vec<Receiver>,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// How.
    pub(crate) format: LogFormat,
    /// What.
    pub(crate) filter: String,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogFormat {
    /// By where standard error leads.
    Auto,
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
    /// To the journal, with fields.
    Journald,
}

/// A configured integration.
#[derive(Debug)]
pub(crate) struct Integration {
    /// Its unique name.
    pub(crate) name: String,
    /// Its platform's published name.
    pub(crate) kind: &'static str,
    /// As configured.
    pub(crate) labels: BTreeMap<String, String>,
    /// Force disabled.
    pub(crate) disabled: bool,
    /// When it is due.
    pub(crate) schedule: Schedule,
}

/// A configured receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// Its unique name.
    pub(crate) name: String,
}

/// Reads the configuration; every fault at once.
pub(crate) fn load(config: Option<&Path>) -> Result<Assembly, Vec<Fault>> {
    let origin = config.map_or_else(String::new, |path| path.display().to_string());
    let message = "this build cannot read configuration files yet".to_owned();
    Err(vec![Fault { origin, path: String::new(), message }])
}

/// Validates one integration now; touches no store.
pub(crate) async fn validate(assembly: &Assembly, name: &str, _mode: Mode) -> Option<Report> {
    assembly.integrations.iter().find(|one| one.name == name)?;
    None
}

/// Runs the daemon until it is told to stop.
pub(crate) async fn run(_config: Option<PathBuf>) -> anyhow::Result<()> {
    anyhow::bail!("this build has no daemon yet")
}
