//! Arguments of the command `bundle`.

use std::path::PathBuf;

use clap::Args;

use super::Source;

/// Arguments of the command `bundle`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Bundle {
    /// Archive to write, such as `revalidated.tar.gz`; an existing file is left as it is
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
}
