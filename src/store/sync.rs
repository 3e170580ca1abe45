//! Bringing the rows in line with the configuration.

use std::collections::BTreeMap;

use super::receivers::ReceiverRow;
use crate::domain::{IntegrationId, Transition};

/// What bringing the rows in line with the configuration did.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// The row of every integration in the configuration.
    pub(crate) ids: BTreeMap<String, IntegrationId>,
    /// The status changes, in order.
    pub(crate) transitions: Vec<(String, Transition)>,
    /// The receivers that are disabled, and those no longer configured that are owed something.
    pub(crate) idle: Vec<ReceiverRow>,
}
