//! HTTP server for metrics (pull model: Prometheus scrapes it).
//!
//! Knows neither the store nor the loops: the daemon, which starts it, gives it a function that reads
//! their state.

mod caller;
mod connection;
mod metrics;
mod server;

#[expect(unused_imports, reason = "the API and the page are being built on it")]
pub(crate) use caller::{Caller, Public, Scope};
pub(crate) use metrics::{Backlog, IntegrationState, Metrics, Outcome, Permits, State, Stored};
pub(crate) use server::Server;
