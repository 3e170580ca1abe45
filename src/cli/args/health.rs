//! Arguments of the command `health`.

use clap::Args;

/// Arguments of the command `health`.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Health {
    /// Ask only whether the process lives, not whether its loops make progress and its database answers
    #[arg(long)]
    pub(in crate::cli) live: bool,
}
