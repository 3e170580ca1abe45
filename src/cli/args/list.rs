//! Command line that lists the integrations.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::common::{Json, Source};
use super::fitting::Fitting;
use crate::domain::Status;

/// Arguments of the command `list`.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Also list integrations that are deleted
    #[arg(long)]
    pub(in crate::cli) deleted: bool,
    /// Only those in a status that says that something failed
    #[arg(long, conflicts_with = "status")]
    pub(in crate::cli) failing: bool,
    /// Only those in this status
    #[arg(long, value_name = "STATUS", value_parser = statuses())]
    pub(in crate::cli) status: Option<Status>,
    /// Choice of the integrations to list.
    #[command(flatten)]
    pub(in crate::cli) fitting: Fitting,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    pub(in crate::cli) sort: Sort,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Order of a list of integrations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Sort {
    /// Name, from a to z
    #[default]
    Name,
    /// Start of the incident, the oldest first
    Since,
    /// Next run, the earliest first
    Next,
    /// Next expiry, the earliest first
    Expires,
}

/// Returns the parser of a status.
fn statuses() -> impl TypedValueParser<Value = Status> {
    let names: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Status>())
}
