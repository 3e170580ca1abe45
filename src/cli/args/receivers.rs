//! Arguments of the commands about receivers and their deliveries.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};

use super::common::{Change, Json, Moment, Source};
use crate::domain::{EventType, UnknownName};
use crate::view::ReceiverState;

/// Arguments of the command `receivers`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Receivers {
    /// Change to make, if any.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ReceiverAction>,
    /// Only those in this state
    #[arg(long, value_name = "STATE", value_parser = states())]
    pub(in crate::cli) state: Option<ReceiverState>,
    /// Only those for which messages are pending
    #[arg(long)]
    pub(in crate::cli) pending: bool,
    /// Order of the list
    #[arg(long, value_enum, value_name = "KEY", default_value_t)]
    pub(in crate::cli) sort: ReceiverSort,
    /// Database to read from.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Order of a list of receivers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(in crate::cli) enum ReceiverSort {
    /// Name, from a to z
    #[default]
    Name,
    /// Number of pending messages, the most first
    Pending,
    /// Oldest pending message, the oldest first
    Oldest,
}

/// Returns the parser of a receiver's state.
fn states() -> impl TypedValueParser<Value = ReceiverState> {
    PossibleValuesParser::new(ReceiverState::ALL.map(ReceiverState::as_str)).try_map(|name| {
        let found = ReceiverState::ALL.into_iter().find(|state| state.as_str() == name);
        found.ok_or(UnknownName(name))
    })
}

/// Arguments of the command `receivers enable` and `receivers disable`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReceiverAction {
    /// Enable a receiver that is disabled: its pending messages are sent in order
    Enable(Enable),
    /// Disable a receiver: its messages stay pending until it is enabled
    Disable(Disable),
}

/// Arguments of the command `receivers enable`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Enable {
    /// Name of the receiver
    pub(in crate::cli) name: String,
    /// Do not ask, however many messages are pending
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Arguments of the command `receivers disable`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Disable {
    /// Name of the receiver
    pub(in crate::cli) name: String,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Arguments of the command `webhook`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WebhookAction {
    /// Send a signed test message now and show the answer; nothing is stored
    ///
    /// Without `--event` that is a `webhook.ping`, which says that nothing has happened. A sample of another type
    /// is marked by `test`. Incident managers open an incident by the sample of a failure, and end it by that of
    /// its end.
    Test(WebhookTest),
}

/// Arguments of the command `webhook test`.
#[derive(Args, Debug)]
pub(in crate::cli) struct WebhookTest {
    /// Name of the receiver in the configuration
    pub(in crate::cli) receiver: String,
    /// Type of the event of which to send a sample
    #[arg(long = "event", value_name = "TYPE", default_value = EventType::WebhookPing.as_str(),
          value_parser = event_types())]
    pub(in crate::cli) kind: EventType,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Returns the parser of a type of events.
pub(super) fn event_types() -> impl TypedValueParser<Value = EventType> {
    let names: Vec<_> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| name.parse::<EventType>())
}

/// Arguments of the command `redeliver`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Redeliver {
    /// Deliveries by their ids, as `deliveries` shows them
    #[arg(required = true, num_args = 1..=1000, value_name = "ID")]
    pub(in crate::cli) ids: Vec<i64>,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}

/// Arguments of the command `replay`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Replay {
    /// Name of the receiver in the configuration
    pub(in crate::cli) receiver: String,
    /// Events at or after this instant: RFC 3339, or an age such as `2h`
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Moment,
    /// Events before this instant: RFC 3339, or an age such as `30m` [default: now]
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) until: Option<Moment>,
    /// Do not ask, however many events that are
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Person, database and form of the output.
    #[command(flatten)]
    pub(in crate::cli) change: Change,
}
