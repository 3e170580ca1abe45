//! State of a run.

use super::bearer::Bearer;
use super::reply::Me;
use crate::net::http::Connections;

/// Longest name of a principal that is shown, in characters.
const WHO_MAX: usize = 255;

/// State of a run whose principal is known.
pub(super) struct Session {
    pub(super) connections: Connections,
    pub(super) bearer: Bearer,
    pub(super) me: Me,
}

impl Session {
    /// Returns the name of the principal as it may be shown.
    pub(super) fn who(&self) -> String {
        self.connections.redactor().line(&self.me.user_name, WHO_MAX)
    }
}
