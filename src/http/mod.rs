//! HTTP server (listeners, access, bounds) and metrics (pull model: Prometheus scrapes them).
//!
//! Knows neither the store nor the loops: it is given routes, and judges who asks before they do anything.

mod access;
mod admission;
mod caller;
mod connection;
mod gate;
mod listener;
mod metrics;
mod peer;
mod refusal;
mod scrape;
mod server;
mod socket;
#[cfg(test)]
mod tests;
mod tls;
mod watched;

#[expect(unused_imports, reason = "the API and the page are being built on it")]
pub(crate) use admission::Streaming;
#[expect(unused_imports, reason = "the API and the page are being built on it")]
pub(crate) use caller::{Caller, Public, Scope};
pub(crate) use listener::ListenError;
pub(crate) use metrics::{Backlog, IntegrationState, Metrics, Outcome, Permits, State, Stored};
#[expect(unused_imports, reason = "the API and the page are being built on it")]
pub(crate) use refusal::Refusal;
pub(crate) use scrape::{health, metrics};
pub(crate) use server::{Handle, Server, ServerError, examine};
