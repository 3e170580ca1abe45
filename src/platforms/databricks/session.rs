//! State of a run.

use super::bearer::Bearer;
use super::reply::Me;
use crate::net::http::Connections;

/// State of a run whose principal is known.
pub(super) struct Session {
    pub(super) connections: Connections,
    pub(super) bearer: Bearer,
    pub(super) me: Me,
}
