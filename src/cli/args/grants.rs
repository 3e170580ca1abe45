//! Arguments of the command `grants`.

use clap::Args;

use super::common::Json;

/// Arguments of the command `grants`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Grants {
    /// Name of the integration
    pub(in crate::cli) name: String,
    /// Only print what is needed, without a connection to the platform
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Also look for what is needed only before the platform is set up
    #[arg(long, conflicts_with = "offline")]
    pub(in crate::cli) preflight: bool,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
