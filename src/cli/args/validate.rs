//! Arguments of the command `validate`.

use std::path::PathBuf;

use clap::Args;

use super::common::Json;

/// Arguments of the command `validate`.
#[derive(Args, Debug)]
pub(in crate::cli) struct Validate {
    /// Name of the integration to validate
    #[arg(required_unless_present_any = ["all", "replay"])]
    pub(in crate::cli) name: Option<String>,
    /// Validate all integrations that are not disabled
    #[arg(long, conflicts_with = "name")]
    pub(in crate::cli) all: bool,
    /// Also run the tests that apply only before the platform is set up
    #[arg(long)]
    pub(in crate::cli) preflight: bool,
    /// Recording of the run, if one is to be made.
    #[command(flatten)]
    pub(in crate::cli) recording: Recording,
    /// Show the result as a plugin of Nagios and Icinga does; the exit status is 0 for OK, 1 for a warning or an
    /// unconfirmed failure, 2 for a failure, 3 when nothing can be said
    #[arg(long, requires = "name", conflicts_with_all = ["all", "record", "replay", "json"])]
    pub(in crate::cli) nagios: bool,
    /// Replay a recording: answer the client from this folder, and compare the report with the recorded one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "all", "preflight", "record"])]
    pub(in crate::cli) replay: Option<PathBuf>,
    /// Choice between text and JSON.
    #[command(flatten)]
    pub(in crate::cli) form: Json,
}

/// Recording of a run.
#[derive(Args, Debug)]
pub(in crate::cli) struct Recording {
    /// Record the run in this folder, without secrets and names, as a test case that can be sent and replayed
    #[arg(long, value_name = "DIR", conflicts_with = "all")]
    pub(in crate::cli) record: Option<PathBuf>,
    /// Write the recording without asking
    #[arg(long, requires = "record")]
    pub(in crate::cli) yes: bool,
}
