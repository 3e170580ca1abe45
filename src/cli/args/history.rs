//! Command line that lists runs and status changes.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::common::{Moment, Named};
use crate::domain::{ReportStatus, UnknownName};
use crate::store::Cursor;

/// Results that a run can have.
const RESULTS: [ReportStatus; 4] =
    [ReportStatus::Passed, ReportStatus::Failed, ReportStatus::Warning, ReportStatus::Skipped];

/// Kind of the entries of a history.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum Entries {
    /// Runs, whatever they found
    Runs,
    /// Changes of the status
    Changes,
}

/// Arguments of the command `history`.
#[derive(Args, Debug)]
pub(in crate::cli) struct History {
    /// Which integration, and how to show it.
    #[command(flatten)]
    pub(in crate::cli) named: Named,
    /// Only entries of this kind
    #[arg(long, value_enum, value_name = "KIND")]
    pub(in crate::cli) only: Option<Entries>,
    /// Only runs with this result
    #[arg(long, value_name = "RESULT", value_parser = results())]
    pub(in crate::cli) result: Option<ReportStatus>,
    /// Only entries at or after this instant: RFC 3339, or an age such as `2h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<Moment>,
    /// Only entries before this instant: RFC 3339, or an age such as `30m`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<Moment>,
    /// Number of lines at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) limit: u32,
    /// Go on where the page ended that named this cursor
    #[arg(long, value_name = "CURSOR")]
    pub(in crate::cli) after: Option<Cursor>,
}

/// Returns the parser of a result.
fn results() -> impl TypedValueParser<Value = ReportStatus> {
    PossibleValuesParser::new(RESULTS.map(ReportStatus::as_str)).try_map(|name| {
        let found = RESULTS.into_iter().find(|result| result.as_str() == name);
        found.ok_or(UnknownName(name))
    })
}
