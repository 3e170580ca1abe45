//! The command lines about receivers and what they are owed.

use clap::{Args, Subcommand};

use super::common::{Json, Moment, Source};

/// `receivers`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Receivers {
    /// What to change, if anything.
    #[command(subcommand)]
    pub(in crate::cli) action: Option<ReceiverAction>,
    /// Where to read.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// `receivers enable` and `receivers disable`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ReceiverAction {
    /// Enable a receiver that is disabled: its pending messages are sent in order
    Enable(Enable),
    /// Disable a receiver: its messages stay pending until it is enabled
    Disable(Disable),
}

/// `receivers enable`
#[derive(Args, Debug)]
pub(in crate::cli) struct Enable {
    /// Name of the receiver
    pub(in crate::cli) name: String,
    /// Do not ask, however many messages are pending
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Where to write.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// `receivers disable`
#[derive(Args, Debug)]
pub(in crate::cli) struct Disable {
    /// Name of the receiver
    pub(in crate::cli) name: String,
    /// Where to write.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// `webhook`
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WebhookAction {
    /// Send a signed `webhook.ping` now and show the answer; nothing is stored
    Test(WebhookTest),
}

/// `webhook test`
#[derive(Args, Debug)]
pub(in crate::cli) struct WebhookTest {
    /// Name of the receiver in the configuration
    pub(in crate::cli) receiver: String,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// `redeliver`
#[derive(Args, Debug)]
pub(in crate::cli) struct Redeliver {
    /// Deliveries by their ids, as `deliveries` shows them
    #[arg(required = true, num_args = 1..=1000, value_name = "ID")]
    pub(in crate::cli) ids: Vec<i64>,
    /// Where to write.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// `replay`
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
    /// Where to write.
    #[command(flatten)]
    pub(in crate::cli) source: Source,
    /// Text or JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}
