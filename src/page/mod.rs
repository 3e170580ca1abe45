//! Pages for browsers, made on the server (server-side rendering) from the values of [`crate::view`].
//!
//! Models are plain values that pure functions make from rows of the store; templates print them, and one
//! escaper stands behind everything that they print. Without the script every page, link and form works.

mod address;
mod assets;
mod escape;
mod frame;
mod handlers;
mod integration;
mod lists;
mod look;
mod moment;
mod mutes;
mod notes;
mod overview;
mod report;
mod spans;
mod strip;
mod templates;
mod text;
mod viewer;
mod visit;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use visit::Source;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use self::assets::{CSS, JS};
use self::handlers::{
    actions, integration as one, lists as many, messages, overview as all, report as monthly,
    silences,
};

/// Version of the program, for the foot of every page.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Router of the pages; a caller is an extension of each request.
pub(crate) fn router(source: Source) -> Router {
    Router::new()
        .route("/", get(all::page))
        .route("/i/{name}", get(one::page))
        .route("/i/{name}/runs/{id}", get(one::run))
        .route("/runs", get(many::runs))
        .route("/events", get(many::events))
        .route("/deliveries", get(messages::deliveries))
        .route("/receivers", get(messages::receivers))
        .route("/receivers/{name}", get(messages::receiver))
        .route("/silences", get(silences::page))
        .route("/outages/{id}", get(many::outage))
        .route("/expiry", get(many::expiry))
        .route("/expiry.ics", get(many::expiry_calendar))
        .route("/report", get(monthly::page))
        .route("/fragment/head", get(all::head))
        .route("/fragment/row/{name}", get(all::row))
        .route("/fragment/strip/{name}", get(all::strip))
        .route("/do/{action}", post(actions::act))
        .route(&CSS.path, get(async || CSS.answer()))
        .route(&JS.path, get(async || JS.answer()))
        .with_state(Arc::new(source))
}
