//! Arguments of the command `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of the command `import`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportAction {
    /// Make a drop-in from comma-separated values, a column for each key and a line for each integration
    ///
    /// The first line names the keys: `name`, `type`, `schedule`, `labels.team`, `config.host` and so on. An
    /// empty cell is a missing key, `true` and `false` are booleans, and a cell such as
    /// `{ credential = "name" }` is a reference to a secret. Nothing is written while the configuration would
    /// have a fault.
    Csv(ImportCsv),
}

/// Arguments of the command `import csv`.
#[derive(Args, Debug)]
pub(in crate::cli) struct ImportCsv {
    /// Table, as comma-separated values
    pub(in crate::cli) file: PathBuf,
    /// Template of all integrations without a column `template`
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) template: Option<String>,
    /// Drop-in to write [default: named like the table, in `integrations.d` beside the main file]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Write the drop-in anew when it is there already
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}
