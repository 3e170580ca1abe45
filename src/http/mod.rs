//! Transport of what is asked over HTTP: listeners, access, bounds, the forms of answers, and metrics.
//!
//! Knows neither the store nor the loops: it is given routes, and judges who asks before they do anything.

mod access;
mod admission;
mod answer;
mod caller;
mod connection;
mod frames;
mod gate;
mod gauges;
mod lateness;
mod listener;
mod metrics;
mod packed;
mod parameter;
mod peer;
mod problem;
mod process;
mod query;
mod refusal;
mod requests;
mod scrape;
mod server;
mod socket;
#[cfg(test)]
mod tests;
mod thread;
mod tls;
mod watched;
mod yaml;

pub(crate) use admission::Streaming;
pub(crate) use answer::{Answer, JSON, matches, unchanged};
pub(crate) use caller::{Caller, Public, Scope};
pub(crate) use frames::{ALIVE, RETRY, event, written};
pub(crate) use gauges::{Backlog, IntegrationState};
pub(crate) use listener::ListenError;
pub(crate) use metrics::{Backups, Beats, Metrics, Outcome, Permits, State, Stored};
pub(crate) use packed::{Packed, Packing};
#[cfg(test)]
pub(crate) use parameter::CURSOR_MAX;
pub(crate) use parameter::{Kind, Parameter, TEXT_MAX};
pub(crate) use problem::{BadParameter, Code, Form, Problem};
pub(crate) use process::Process;
pub(crate) use query::Query;
#[cfg(test)]
pub(crate) use query::REPEATED_MAX;
pub(crate) use refusal::Refusal;
pub(crate) use requests::Requests;
pub(crate) use scrape::{metrics, scraped};
pub(crate) use server::{Handle, Server, ServerError, examine};
pub(crate) use thread::Thread;
pub(crate) use yaml::yaml;
