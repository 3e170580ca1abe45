//! Arguments of the command `doctor`.

use clap::Args;

use super::{Json, Source};

/// Arguments of the command `doctor`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Doctor {
    /// Print only the lines to type, each below its finding as a comment
    #[arg(long, conflicts_with = "json")]
    pub(in crate::cli) fix_hints: bool,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
