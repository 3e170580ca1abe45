//! Arguments that several commands share.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use crate::config::schedule_problem;
use crate::domain::{Schedule, Timestamp};

/// The choice between text and JSON.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct Json {
    /// Print JSON, for programs
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Database of the daemon.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Source {
    /// Database to use, instead of the one that the configuration names
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) store: Option<PathBuf>,
}

/// Parses a zone by its IANA name; `local` is that of this machine.
pub(super) fn zone(name: &str) -> Result<jiff::tz::TimeZone, String> {
    if name == "local" {
        return Ok(jiff::tz::TimeZone::system());
    }
    Schedule::parse("@daily", name).map_err(|error| schedule_problem(&error))?;
    jiff::tz::TimeZone::get(name).map_err(|error| error.to_string())
}

/// An instant as it is given on the command line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Moment {
    /// Instant, in absolute terms.
    At(Timestamp),
    /// Age, counted back from now.
    Ago(Duration),
}

impl Moment {
    /// The instant, counted from `now`.
    pub(in crate::cli) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(instant) => instant,
            Self::Ago(age) => now.minus(age),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::At(instant));
        }
        let age = text.parse::<jiff::SignedDuration>().ok();
        let age = age.and_then(|age| Duration::try_from(age).ok());
        age.map(Self::Ago).ok_or_else(|| {
            "expected an instant such as 2026-11-23T10:00:00Z or an age such as 2h".to_owned()
        })
    }
}
