//! Starts the log of a command.

use anyhow::Context as _;

use super::args::Global;
use super::logging::{self, Format};
use crate::config::Log;

/// Starts logging by the command line, else by the configuration, else by the filter `usual`.
pub(super) fn start(global: &Global, log: Option<&Log>, usual: &str) -> anyhow::Result<()> {
    let configured = log.map(|log| (log.filter.as_str(), Format::from(log.format)));
    let (filter, format) = configured.unwrap_or((usual, Format::Auto));
    let filter = logging::filter(global.log_level.as_deref().unwrap_or(filter), global.verbose);
    logging::start(&filter, global.log_format.unwrap_or(format)).context("starting the log")
}
