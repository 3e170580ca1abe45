//! Command lines by which the daemon reads its configuration again.

use clap::{Args, Subcommand};

use super::common::{Author, Json, Source};

/// Arguments of the commands `reload` and `config publish`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Reload {
    /// Allow the removal of so many integrations and receivers, this time
    #[arg(long, value_name = "N")]
    pub(in crate::cli) allow_removals: Option<u32>,
    /// Person who asks for it.
    #[command(flatten)]
    pub(in crate::cli) by: Author,
    /// Number of the daemon's process, as systemd gives it to `ExecReload=`
    #[arg(long, env = "MAINPID", hide = true)]
    pub(in crate::cli) main_process: Option<i32>,
    /// Database of the daemon.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of the commands about the configuration of several daemons.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigAction {
    /// Put the configuration of this machine's daemon in force on all daemons of the database
    ///
    /// For a daemon in standby, whose files differ from those that the others work by. The others wait then until
    /// their files are the same.
    Publish(Reload),
}
