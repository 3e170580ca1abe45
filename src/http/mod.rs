//! What the daemon answers over HTTP: its metrics. Knows neither the store nor the loops; whoever
//! starts it says what there is to tell.

mod connection;
mod metrics;
mod server;

pub(crate) use metrics::{Awaiting, Known, Metrics, Outcome, Room, Standing, State};
pub(crate) use server::Server;
