//! Command line that puts a backup in place of the database.

use std::path::PathBuf;

use clap::Args;

use super::common::Change;

/// Arguments of the command `restore`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Restore {
    /// Backup that is to be restored
    #[arg(value_name = "FILE")]
    pub(in crate::cli) from: PathBuf,
    /// Restore it without asking
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Database to replace, and who does it.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}
