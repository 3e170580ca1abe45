//! Bringing the rows in line with the configuration.

use std::collections::BTreeMap;

use super::receivers::ReceiverRow;
use crate::domain::ledger::Wanted;
use crate::domain::{Changes, IntegrationId, Transition};

/// Integrations and receivers of a configuration, as the store keeps them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configured {
    /// Integrations that are to be validated, and those that are disabled.
    pub(crate) integrations: Vec<Wanted>,
    /// Tables of the receivers by their names, as JSON without secrets.
    pub(crate) receivers: BTreeMap<String, String>,
    /// Settings on which decisions rest besides, by the part of the configuration, such as `integration lake`.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) others: BTreeMap<String, String>,
    /// Way in which it may be put in force where several nodes share the database.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    pub(crate) publishing: Publishing,
}

/// Way in which the files of a node may be put in force for all nodes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Publishing {
    /// They were changed here: they are put in force unless others have put theirs in force meanwhile.
    #[default]
    Changed,
    /// Others have put theirs in force: the node works by its own only if they are the same.
    Follow,
}

#[cfg(test)]
impl From<Vec<Wanted>> for Configured {
    fn from(integrations: Vec<Wanted>) -> Self {
        Self { integrations, ..Self::default() }
    }
}

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
    /// Reason for which the configuration is not in force, and nothing was changed.
    pub(crate) waits_for: Option<String>,
}

impl Synced {
    /// Adds the status changes of an integration.
    pub(super) fn note(&mut self, name: &str, steps: impl IntoIterator<Item = Transition>) {
        self.transitions.extend(steps.into_iter().map(|step| (name.to_owned(), step)));
    }
}
