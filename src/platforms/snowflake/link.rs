//! Link to the server of an account: what the SQL API and the drivers' protocol have in common.

use std::time::Duration;

use super::classify::{Cause, Failure};
use crate::domain::{Redactor, Timestamp};
use crate::net::exchange::{Answer, request};
use crate::net::http::Connections;
use crate::platforms::connection::Endpoint;
use crate::platforms::{LogIns, RunContext};

/// The largest answer that is read, in bytes.
const BODY_MAX: usize = 8 * 1024 * 1024;
/// The first wait before a running statement is asked for again, and the longest.
const POLLS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];
/// The least time that a running statement is given, and the share of a test's time.
const PATIENCE_MIN: Duration = Duration::from_secs(1);
const PATIENCE_SHARE: u32 = 2;
/// Tag of the statements in the query history.
pub(super) const QUERY_TAG: &str = "revalidated";

/// Server of an account.
#[derive(Debug)]
pub(super) struct Service {
    /// Address of the server, `https://host:port`.
    pub(super) server: String,
    /// Way to the server.
    pub(super) endpoint: Endpoint,
}

/// Link to the server of an account during one run.
#[derive(Debug)]
pub(super) struct Link<'a> {
    pub(super) server: &'a str,
    pub(super) connections: Connections,
    pub(super) now: Timestamp,
    /// Longest time of a statement.
    pub(super) limit: Duration,
    /// Memory of refused log-ins.
    pub(super) log_ins: LogIns,
}

impl<'a> Link<'a> {
    /// Returns a link for one run; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Names the secret of the connection that cannot be read.
    pub(super) async fn new(service: &'a Service, run: &RunContext) -> Result<Self, Failure> {
        let connections = service.endpoint.connections(&run.redactor).await?;
        let limit = run.test_limit.min(run.run_limit);
        let log_ins = run.log_ins.clone();
        Ok(Self { server: &service.server, connections, now: run.now, limit, log_ins })
    }

    /// Returns the secrets of the run.
    pub(super) const fn redactor(&self) -> &Redactor {
        self.connections.redactor()
    }

    /// Sends `built` without a retry.
    pub(super) async fn fetch(
        &self,
        built: http::Result<http::Request<Vec<u8>>>,
    ) -> Result<Answer, Failure> {
        Ok(self.connections.fetch(request(built)?, BODY_MAX).await?)
    }

    /// Returns the longest wait for a running statement.
    pub(super) fn patience(&self) -> Duration {
        (self.limit / PATIENCE_SHARE).max(PATIENCE_MIN)
    }
}

/// Returns the waits before a running statement is asked for again.
pub(super) fn waits() -> impl Iterator<Item = Duration> {
    let [first, longest] = POLLS;
    std::iter::successors(Some(first), move |wait| Some(wait.saturating_mul(2).min(longest)))
}

/// Returns the failure of a statement that did not end in time.
pub(super) fn too_slow() -> Failure {
    Failure::of(Cause::Cancelled, "The statement was still running and has been abandoned.")
}
