//! Configuration of notifications, on which decisions depend besides the rows.

use std::sync::Arc;

use crate::domain::{Maintenance, Subscription, Timestamp};

/// The configuration of notifications, and the instant of a decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotificationContext {
    /// The receivers, with the events they subscribe to.
    pub(crate) subscriptions: Arc<[Subscription]>,
    /// The windows in which notifications are muted.
    pub(crate) maintenance: Arc<[Maintenance]>,
    /// Number of integrations that must fail by one cause to make an outage.
    pub(crate) outage_min: u32,
    /// Instant of the decision by the wall clock.
    pub(crate) now: Timestamp,
}

impl NotificationContext {
    /// Returns the subscription of a receiver, if the configuration has it.
    pub(super) fn subscription(&self, receiver: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|one| one.receiver == receiver)
    }
}
