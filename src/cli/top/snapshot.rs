//! Snapshot of the store, as far as every frame shows it.

use std::collections::BTreeSet;

use super::notified::Notified;
use crate::domain::{Status, Timestamp};
use crate::store::{
    Attributed, DeliveryFilter, NodeRow, Page, StatusRow, StoreError, TransitionFilter,
    TransitionRow, View,
};
use crate::view::{FailingRow, Liveness};

/// Number of the latest status changes that are read.
const CHANGES: u32 = 50;

/// Number of the latest deliveries that are read: several receivers may be notified of each change.
const DELIVERIES: u32 = 200;

/// State of the store at a look.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// State of the daemon's process, when it was looked at first.
    pub(super) state: Liveness,
    /// Node of the daemon.
    pub(super) node: NodeRow,
    /// Integrations that are not deleted, by name.
    pub(super) statuses: Vec<StatusRow>,
    /// Those that fail with details, in the order in which they are shown.
    pub(super) failing: Vec<FailingRow>,
    /// Latest status changes, newest first.
    pub(super) changes: Vec<Attributed<TransitionRow>>,
    /// Notifications of those changes.
    pub(super) notified: Notified,
    /// Number of pending messages.
    pub(super) pending: u64,
    /// Number of faults on the daemon's own side.
    pub(super) faults: usize,
}

/// Numbers of integrations by what they need.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    /// Number of those that are enabled.
    pub(super) enabled: usize,
    /// Number of those in an error status.
    pub(super) failing: usize,
    /// Number of those that are not in use.
    pub(super) idle: usize,
    /// Number of those in flight between two statuses.
    pub(super) in_flight: usize,
}

impl Snapshot {
    /// Reads it from the store.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(super) async fn read(
        view: &View,
        state: Liveness,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (statuses, receivers) = (view.all_statuses().await?, view.all_receivers().await?);
        let latest = Page::first(CHANGES);
        let changes = view.all_transitions(TransitionFilter::default(), latest).await?.rows;
        let deliveries =
            view.deliveries(DeliveryFilter::default(), Page::first(DELIVERIES)).await?;
        Ok(Self {
            state,
            node: view.node().await?,
            failing: FailingRow::read(view, &statuses, now).await?,
            changes,
            notified: Notified::of(&deliveries.rows),
            pending: receivers.iter().map(|row| u64::from(row.pending)).sum(),
            faults: view.own_faults().await?.len(),
            statuses,
        })
    }

    /// Returns how many integrations need what.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for row in &self.statuses {
            let count = match row.status {
                status if status.is_error() => &mut counts.failing,
                status if !status.is_in_use() => &mut counts.idle,
                Status::Enabled => &mut counts.enabled,
                Status::CreateError
                | Status::Creating
                | Status::Deleted
                | Status::DeleteError
                | Status::Deleting
                | Status::Disabled
                | Status::Editing
                | Status::EditError
                | Status::MigrateError
                | Status::Migrating
                | Status::RecurringValidationError => &mut counts.in_flight,
            };
            *count += 1;
        }
        counts
    }

    /// Returns the names of the platforms that there are.
    pub(super) fn kinds(&self) -> Vec<&str> {
        let kinds: BTreeSet<_> = self.statuses.iter().map(|row| row.kind.as_str()).collect();
        kinds.into_iter().collect()
    }
}
