//! The interface over HTTP: one table of routes, which is the router and its document.
//!
//! Everything shown comes from [`crate::view`], so that commands and the interface answer the same values.

mod across;
mod act;
mod asked;
mod badge;
mod changes;
mod daemon;
mod document;
mod events;
mod feed;
mod fresh;
mod hub;
mod integrations;
mod messages;
mod mutes;
mod published;
mod report;
mod route;
mod router;
mod routes;
mod state;
#[cfg(test)]
mod tests;
mod validating;

pub(crate) use router::router;
pub(crate) use state::Api;
