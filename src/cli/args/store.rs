//! Command lines about the database itself.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::common::{Json, Moment, Source};

/// Commands about the database itself.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum StoreAction {
    /// Verify the database, and show its tables and sizes; also while the daemon runs
    ///
    /// Every page is read, references are followed, and the rows are compared with the rules of this program. The exit
    /// status is 65 when the database is damaged, and 1 when rows break a rule.
    Check(CheckStore),
    /// Give free pages back to the file system; also while the daemon runs
    ///
    /// A database that was made by an earlier version is written anew the first time, while no daemon runs.
    Compact(CompactStore),
    /// Move everything to an empty database on a server, or from there to a new file, while no daemon runs
    ///
    /// Integrations, history, messages, mutes and their numbers are as they were: nothing is validated out of turn, and
    /// receivers are notified of nothing twice. What was moved is marked, and no daemon uses it any more. An interrupted
    /// move is ended by the same command. Password, protection and authorities of the database are those of the table
    /// `store` of the configuration.
    Move(MoveStore),
}

/// Arguments of the command `store move`.
#[derive(Args, Debug)]
pub(in crate::cli) struct MoveStore {
    /// Empty database to which the file is moved, as `postgres://ROLE@HOST/DATABASE`, without a password
    #[arg(long, value_name = "URL", required_unless_present = "back", conflicts_with = "back")]
    pub(in crate::cli) to: Option<String>,
    /// New file to which the database that the configuration names is moved
    #[arg(long, value_name = "FILE", value_parser = super::common::file, conflicts_with = "store")]
    pub(in crate::cli) back: Option<PathBuf>,
    /// File that is moved.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of the command `store check`.
#[derive(Args, Debug)]
pub(in crate::cli) struct CheckStore {
    /// Also compare indexes with their tables, which takes longer
    #[arg(long)]
    pub(in crate::cli) full: bool,
    /// Database that is verified.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of the command `store compact`.
#[derive(Args, Debug)]
pub(in crate::cli) struct CompactStore {
    /// Database that is compacted.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Arguments of the command `export`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Export {
    /// Only at or after this instant: RFC 3339, or an age such as `720h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Moment,
    /// Only before this instant: RFC 3339, or an age such as `24h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<Moment>,
    /// Records to write; all of them without this, but just one kind as CSV
    #[arg(long = "only", value_enum, value_name = "RECORDS", value_delimiter = ',')]
    pub(in crate::cli) only: Vec<Records>,
    /// Form of the records
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(in crate::cli) format: ExportFormat,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
}

/// Kind of exported records.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Records {
    /// Runs with their results
    Runs,
    /// Status changes of integrations
    Transitions,
    /// Events with the bodies that receivers get
    Events,
    /// Deliveries with their attempts
    Deliveries,
}

/// Form of exported records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// One JSON object in each line
    #[default]
    Ndjson,
    /// Comma-separated values with a line of names
    Csv,
}
