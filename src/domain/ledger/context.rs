//! Configuration of notifications, on which decisions depend besides the rows.

use std::sync::Arc;

use crate::domain::{Links, Maintenance, PageUrl, Subscription, Timestamp};

/// The configuration of notifications, and the instant of a decision.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotificationContext {
    /// The receivers, with the events they subscribe to.
    pub(crate) subscriptions: Arc<[Subscription]>,
    /// The windows in which notifications are muted.
    pub(crate) maintenance: Arc<[Maintenance]>,
    /// Number of integrations that must fail by one cause to make an outage.
    pub(crate) outage_min: u32,
    /// Address of the page that events link to.
    pub(crate) page: Option<PageUrl>,
    /// Instant of the decision by the wall clock.
    pub(crate) now: Timestamp,
}

impl NotificationContext {
    /// Returns the links of an event; none without an address of the page.
    pub(super) fn links(&self, links: impl FnOnce(&PageUrl) -> Links) -> Option<Links> {
        self.page.as_ref().map(links)
    }

    /// Returns the subscription of a receiver, if the configuration has it.
    pub(super) fn subscription(&self, receiver: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|one| one.receiver == receiver)
    }
}
