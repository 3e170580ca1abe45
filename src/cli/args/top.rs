//! Command line that watches the store on the terminal.

use clap::Args;

use super::common::{Author, Source};

/// Arguments of the command `top`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Top {
    /// Print one frame and end, also without a terminal
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Height of the frame that --once prints, in lines, instead of that of the terminal
    #[arg(long, value_name = "N", env = "LINES", hide = true,
          value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(in crate::cli) lines: Option<u16>,
    /// Person who validates, acknowledges and mutes.
    #[command(flatten)]
    pub(in crate::cli) by: Author,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
}
