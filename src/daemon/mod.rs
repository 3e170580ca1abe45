//! The daemon: opens the store, assembles the configuration, runs the loops, and shuts down cleanly.

mod absent;
mod active;
mod assemble;
mod awake;
mod backpressure;
mod backup;
mod clock;
mod control;
mod cut_off;
mod deliver;
mod difference;
mod error;
mod following;
mod handle;
mod health;
mod heartbeat;
mod integrity;
mod latest;
mod latest_backup;
mod latest_heartbeat;
mod life;
mod log_throttle;
mod loops;
mod metrics;
mod notify;
mod once;
mod others;
mod plan;
mod process;
mod prune;
mod reach;
mod release;
mod reload;
mod requests;
mod resend;
mod resending;
mod rounds;
mod safety;
mod save_awake;
mod scheduler;
mod shared;
mod signals;
#[cfg(test)]
mod simulated;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod usage;
mod validate;

pub(crate) use assemble::{
    Assembled, Assembly, NextError, NextValue, next, open, open_partly, open_with,
};
pub(crate) use clock::Clock;
pub(crate) use control::{Control, Pulse};
pub(crate) use difference::difference;
pub(crate) use error::DaemonError;
pub(crate) use handle::{Daemon, Start};
pub(crate) use latest_backup::BackupState;
pub(crate) use metrics::MetricsSource;
pub(crate) use once::{observe_once, record_once, surplus_once, validate_once};
pub(crate) use process::{ask_to_reload, may_be_alive};
pub(crate) use reload::load;
pub(crate) use scheduler::QUIET;
pub(crate) use signals::Signals;
#[cfg(test)]
pub(crate) use simulated::{Files, Running};
