//! Command line that copies the database.

use std::path::PathBuf;

use clap::Args;

use super::common::{Json, Source};

/// Arguments of the command `backup`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Backup {
    /// File to make, or a folder that is there to make one in
    #[arg(value_name = "FILE|DIR")]
    pub(in crate::cli) to: PathBuf,
    /// Number of backups that stay in the folder, the newest [default: 14]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) keep: Option<u32>,
    /// Also verify indexes and references, which takes longer
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    /// Leave free pages out of the file
    #[arg(long)]
    pub(in crate::cli) compact: bool,
    /// Database that is copied.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
