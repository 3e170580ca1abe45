//! History of integrations as a report of a time reads it.

use super::rows::{TargetRow, TransitionRow};
use crate::domain::{Status, Timestamp};

/// Status changes and acknowledgements of an integration until an instant, as far as a report about the time
/// from another instant on needs them.
#[derive(Clone, Debug)]
pub(crate) struct TimelineRow {
    /// Integration, deleted or not.
    pub(crate) integration: TargetRow,
    /// Present status of the integration.
    pub(crate) status: Status,
    /// Instant of its creation.
    pub(crate) created_at: Timestamp,
    /// Instant of the latest status change that is no longer kept; none while all of them are.
    pub(crate) lost_at: Option<Timestamp>,
    /// Status changes in their order, from the one on that ended the last incident before the time, or from the
    /// first that is kept.
    pub(crate) changes: Vec<TransitionRow>,
    /// Status that it had when `changes` is empty; none when it did not exist yet.
    pub(crate) otherwise: Option<Status>,
    /// Instants of its acknowledgements, the earliest first.
    pub(crate) acknowledged: Vec<Timestamp>,
    /// Earliest known expiry at present, with what expires.
    pub(crate) expires: Option<(Timestamp, String)>,
}
