//! Metrics: counters of the daemon, and the present state of its loops and its store.

use std::sync::{Arc, Weak};

use tracing::error;

use super::shared::Shared;
use crate::http::{Backlog, Backups, IntegrationState, Permits, State, Stored};
use crate::store::{PAGE_MAX, Page, ReceiverRow, StatusRow, StoreError};

/// Metrics as text. Clone it freely; it keeps nothing alive.
#[derive(Clone)]
pub(crate) struct MetricsSource(Weak<Shared>);

impl MetricsSource {
    /// Returns the metrics of the daemon that has `shared`.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Returns everything as text; none when the daemon is gone.
    pub(crate) async fn text(&self) -> Option<String> {
        let shared = self.0.upgrade()?;
        let stored = match stored(&shared).await {
            Ok(stored) => Some(stored),
            Err(error) => {
                shared.store_failed("the metrics of the store cannot be read", &error);
                None
            }
        };
        let limits = shared.active().limits;
        let (among_all, at_hosts) = shared.backpressure.waiting();
        let (planner_rounds, outbox_rounds) = shared.progress();
        let permits = vec![
            Permits { limit: "runs", max: limits.runs, waiting: among_all },
            Permits { limit: "runs_per_host", max: limits.runs_per_host, waiting: at_hosts },
        ];
        let text = shared.metrics.text(State {
            planner_rounds,
            outbox_rounds,
            permits,
            reload_success: shared.latest.refused().is_none(),
            loaded_at: shared.latest.applied_at(),
            backups: shared
                .latest_backup
                .get()
                .map(|state| Backups { newest_at: state.newest_at, is_good: !state.has_failed }),
            stored,
        });
        text.inspect_err(|error| error!("the metrics cannot be written: {error}")).ok()
    }
}

async fn stored(shared: &Shared) -> Result<Stored, StoreError> {
    let now = shared.clock.now();
    let (mut integrations, mut receivers) = (Vec::new(), Vec::new());
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = shared.outside.statuses(asked).await?;
        page = listed.following();
        integrations.extend(listed.rows.into_iter().map(integration));
    }
    let backlog = |ReceiverRow { name, disabled, pending, oldest_pending_at, .. }| Backlog {
        name,
        pending,
        oldest_age: oldest_pending_at.map_or_else(Default::default, |at| now.since(at)),
        is_disabled: disabled.is_some(),
    };
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = shared.outside.receivers(asked).await?;
        page = listed.following();
        receivers.extend(listed.rows.into_iter().map(backlog));
    }
    let own_faults = shared.outside.own_faults().await?.into_iter();
    Ok(Stored { integrations, receivers, own_faults: own_faults.map(|row| row.fault).collect() })
}

fn integration(row: StatusRow) -> IntegrationState {
    let StatusRow { name, kind: platform, status, last_run, expires, outage_id, .. } = row;
    let conditions =
        [("muted", row.is_muted), ("flapping", row.is_flapping), ("outage", outage_id.is_some())];
    let conditions = conditions.into_iter().filter_map(|(name, is_so)| is_so.then_some(name));
    let conditions = conditions.collect();
    let last_run_at = last_run.map(|run| run.started_at);
    let expires_at = expires.map(|(at, _)| at);
    IntegrationState { name, platform, status, last_run_at, expires_at, conditions }
}
