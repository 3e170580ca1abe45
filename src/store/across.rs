//! Rows of reads across all integrations: strips, expiries, runs and status changes, and the position of the
//! database among its commits.

use super::rows::TargetRow;
use crate::domain::{Class, IntegrationId, ReportStatus, Timestamp};

/// The most runs of one strip.
pub(super) const STRIP_MAX: u32 = 200;

/// Expiry of a credential, certificate or token that the latest conclusive run of an integration saw.
#[derive(Clone, Debug)]
pub(crate) struct ExpiryRow {
    /// Integration that uses it.
    pub(crate) integration: TargetRow,
    /// Instant at which it expires.
    pub(crate) at: Timestamp,
    /// Object that expires, as a noun within a sentence.
    pub(crate) what: String,
}

/// Row together with the integration that it is about.
#[derive(Clone, Debug)]
pub(crate) struct Attributed<T> {
    /// Integration that the row is about.
    pub(crate) integration: TargetRow,
    /// Row of the list.
    pub(crate) row: T,
}

/// Filter of status changes of all integrations; shows everything when empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct TransitionFilter {
    /// Only those at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only those before this instant.
    pub(crate) until: Option<Timestamp>,
}

/// Filter of runs of all integrations; shows everything when empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct RunFilter {
    /// Only those that began at or after this instant.
    pub(crate) since: Option<Timestamp>,
    /// Only those that began before this instant.
    pub(crate) until: Option<Timestamp>,
    /// Only those with this overall result.
    pub(crate) result: Option<ReportStatus>,
    /// Only those whose result this class decided.
    pub(crate) class: Option<Class>,
    /// Only those of this integration, by number instead of beginning.
    pub(crate) integration: Option<IntegrationId>,
}

/// Position of the database among its commits, as one view and its clones count them.
///
/// While two positions of the same view are equal nothing was committed in between, by this process or by
/// another. They say nothing across views, or across lives of a process.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Position {
    /// Version of the data as a connection counts it that only looks at others' commits.
    pub(super) version: i64,
    /// Number of rows that this connection itself has changed: none, unless it also writes.
    pub(super) changes: i64,
}
