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
}

impl Synced {
    /// Adds the status changes of an integration.
    pub(super) fn note(&mut self, name: &str, steps: impl IntoIterator<Item = Transition>) {
        self.transitions.extend(steps.into_iter().map(|step| (name.to_owned(), step)));
    }
}
