//! Command line that lists deliveries.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::common::{Json, Moment, Source};
use super::receivers::event_types;
use crate::domain::{EventType, UnknownName};
use crate::store::{Cursor, DeliveryState};

/// Order of the deliveries of a page.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum DeliverySort {
    /// Number, the latest first
    #[default]
    Id,
    /// Next attempt, the earliest first
    Next,
    /// Receiver, from a to z
    Receiver,
    /// Integration, from a to z
    Integration,
}

/// Arguments of the command `deliveries`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Deliveries {
    /// Only those in this state
    #[arg(long, value_parser = states())]
    pub(in crate::cli) state: Option<DeliveryState>,
    /// Only those to this receiver
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) receiver: Option<String>,
    /// Only those about this integration
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) integration: Option<String>,
    /// Only events of this type
    #[arg(long = "event", value_name = "TYPE", value_parser = event_types())]
    pub(in crate::cli) kind: Option<EventType>,
    /// Only events at or after this instant: RFC 3339, or an age such as `2h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<Moment>,
    /// Only events before this instant: RFC 3339, or an age such as `30m`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<Moment>,
    /// Order of the deliveries that are shown
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    pub(in crate::cli) sort: DeliverySort,
    /// Number of deliveries at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(in crate::cli) limit: u32,
    /// Go on where the page ended that named this cursor
    #[arg(long, value_name = "CURSOR")]
    pub(in crate::cli) after: Option<Cursor>,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// The names of the delivery states.
fn states() -> impl TypedValueParser<Value = DeliveryState> {
    let names: Vec<_> = DeliveryState::ALL.iter().map(|state| state.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| {
        let found = DeliveryState::ALL.iter().copied().find(|state| state.as_str() == name);
        found.ok_or(UnknownName(name))
    })
}
