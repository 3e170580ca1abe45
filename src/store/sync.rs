//! Bringing the rows in line with the configuration.

use std::collections::BTreeMap;

use super::receivers::ReceiverRow;
use crate::domain::{Changes, IntegrationId, Transition};

/// Result of bringing the rows in line with the configuration.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// The row of every integration in the configuration.
    pub(crate) ids: BTreeMap<String, IntegrationId>,
    /// The status changes, in order.
    pub(crate) transitions: Vec<(String, Transition)>,
    /// Changes of the configuration.
    pub(crate) changes: Changes,
    /// True when receivers are notified of the changes.
    pub(crate) is_announced: bool,
    /// The receivers that are disabled, and those no longer configured with pending deliveries.
    pub(crate) idle: Vec<ReceiverRow>,
}
