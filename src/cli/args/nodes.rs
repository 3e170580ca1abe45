//! Command line that lists the daemons of a database.

use clap::Args;

use super::common::{Json, Source};

/// Arguments of the command `nodes`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Nodes {
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
