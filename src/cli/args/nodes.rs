//! Command lines that list the daemons of a database, and drain one.

use clap::{Args, Subcommand};

use super::common::{Change, Json, Source};

/// Arguments of the command `nodes`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Nodes {
    /// Change to make, if any.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<NodeAction>,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of the commands `nodes drain` and `nodes resume`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NodeAction {
    /// Let a node begin and send nothing more; what it has begun ends by itself
    Drain(NodeChange),
    /// Let a drained node go on, as its next start does too
    Resume(NodeChange),
}

/// Node that is to change, and who wants it.
#[derive(Args, Debug)]
pub(in crate::cli) struct NodeChange {
    /// Name of the node, as `nodes` shows it
    pub(in crate::cli) name: String,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}
