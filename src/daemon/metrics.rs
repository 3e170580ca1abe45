//! Metrics: counters of the daemon, and the present state of its loops and its store.

use std::sync::{Arc, Weak};

use tracing::error;

use super::shared::Shared;
use super::usage;
use crate::domain::{Maintenance, Timestamp};
use crate::http::{Backlog, Backups, Beats, IntegrationState, Permits, Requests, State, Stored};
use crate::store::{PAGE_MAX, Page, ReceiverRow, SilenceRow, StatusRow, StoreError};

/// Metrics as text. Clone it freely; it keeps nothing alive.
#[derive(Clone)]
pub(crate) struct MetricsSource {
    shared: Weak<Shared>,
    started_at: Timestamp,
}

impl MetricsSource {
    /// Returns the metrics of the daemon that has `shared`.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared), started_at: shared.clock.now() }
    }

    /// Returns the counter of requests over HTTP.
    pub(crate) fn requests(&self) -> Requests {
        self.shared.upgrade().map(|shared| shared.metrics.requests()).unwrap_or_default()
    }

    /// Returns everything as text; none when the daemon is gone.
    pub(crate) async fn text(&self) -> Option<String> {
        let shared = self.shared.upgrade()?;
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
            heartbeat: shared.latest_heartbeat.get().map(|state| Beats {
                delivered_at: state.delivered_at,
                is_good: state.problem.is_none(),
            }),
            store_bytes: shared
                .active()
                .fixed
                .store
                .file()
                .map_or_else(Vec::new, usage::store_bytes),
            process: usage::process(self.started_at),
            stored,
        });
        text.inspect_err(|error| error!("the metrics cannot be written: {error}")).ok()
    }
}

async fn stored(shared: &Shared) -> Result<Stored, StoreError> {
    let now = shared.clock.now();
    let silences = shared.outside.all_silences(now).await?;
    let maintenance = Arc::clone(&shared.active().maintenance);
    let mutes = Mutes { silences: &silences, maintenance: &maintenance, now };
    let (mut integrations, mut receivers) = (Vec::new(), Vec::new());
    let mut page = Some(Page::first(PAGE_MAX));
    while let Some(asked) = page {
        let listed = shared.outside.statuses(asked).await?;
        page = listed.following();
        integrations.extend(listed.rows.into_iter().map(|row| integration(row, &mutes)));
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

/// Everything that mutes messages at an instant.
struct Mutes<'a> {
    silences: &'a [SilenceRow],
    maintenance: &'a [Maintenance],
    now: Timestamp,
}

impl Mutes<'_> {
    /// Returns the kinds of mutes that cover an integration.
    fn of(&self, row: &StatusRow) -> impl Iterator<Item = (&'static str, bool)> {
        let is_open = |one: &&SilenceRow| {
            one.ended_at.is_none() && one.from <= self.now && self.now < one.until
        };
        let (mut is_acknowledged, mut is_silenced) = (false, false);
        for one in self.silences.iter().filter(is_open) {
            match &one.acknowledged {
                Some((id, _)) => is_acknowledged |= *id == row.id,
                None => is_silenced |= one.selection.fits(row.about()),
            }
        }
        let is_open = |window: &Maintenance| {
            window.selection.fits(row.about()) && window.open_until(self.now).is_some()
        };
        let is_maintained = self.maintenance.iter().any(is_open);
        [
            ("acknowledged", is_acknowledged),
            ("silenced", is_silenced),
            ("maintenance", is_maintained),
        ]
        .into_iter()
    }
}

fn integration(row: StatusRow, mutes: &Mutes<'_>) -> IntegrationState {
    let conditions = [
        ("muted", row.is_muted),
        ("flapping", row.is_flapping),
        ("outage", row.outage_id.is_some()),
    ];
    let conditions = conditions.into_iter().chain(mutes.of(&row));
    let conditions = conditions.filter_map(|(name, is_so)| is_so.then_some(name)).collect();
    let StatusRow { name, kind: platform, status, labels, last_run, next_run_at, expires, .. } =
        row;
    IntegrationState {
        name,
        platform,
        status,
        labels: labels.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        last_run_at: last_run.map(|run| run.started_at),
        next_run_at,
        expires_at: expires.map(|(at, _)| at),
        conditions,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{IntegrationId, Schedule, Selection, Status};

    fn row() -> StatusRow {
        StatusRow {
            id: IntegrationId(7),
            name: "lake".to_owned(),
            kind: "Trino".to_owned(),
            labels: [("team".to_owned(), "data".to_owned())].into(),
            status: Status::Enabled,
            last_run: None,
            failing_since: None,
            last_passed_at: None,
            next_run_at: Some(Timestamp(60_000)),
            lease_until: None,
            expires: None,
            is_muted: false,
            is_flapping: true,
            outage_id: None,
        }
    }

    fn silence(acknowledged: Option<i64>, kind: &str) -> SilenceRow {
        SilenceRow {
            id: 1,
            acknowledged: acknowledged.map(|id| (IntegrationId(id), "inc_1".to_owned())),
            selection: Selection { types: vec![kind.to_owned()], ..Selection::default() },
            author: String::new(),
            comment: String::new(),
            created_at: Timestamp(0),
            from: Timestamp(1000),
            until: Timestamp(9000),
            ended_at: None,
        }
    }

    #[test]
    fn conditions_are_those_of_open_mutes_that_cover_it() {
        let window = |kind: &str| Maintenance {
            name: "nightly".to_owned(),
            schedule: Schedule::parse("* * * * *", "UTC").unwrap(),
            duration: Duration::from_mins(5),
            selection: Selection { types: vec![kind.to_owned()], ..Selection::default() },
        };
        let ended = SilenceRow { ended_at: Some(Timestamp(1500)), ..silence(None, "Trino") };
        let table = [
            (vec![], vec![], 2000, "flapping"),
            (vec![silence(Some(7), "Trino")], vec![], 2000, "flapping acknowledged"),
            (vec![silence(Some(8), "Trino")], vec![], 2000, "flapping"),
            (vec![silence(None, "Trino")], vec![], 2000, "flapping silenced"),
            (vec![silence(None, "Redshift"), ended], vec![], 2000, "flapping"),
            (vec![silence(None, "Trino")], vec![], 500, "flapping"),
            (vec![silence(None, "Trino")], vec![window("Trino")], 9000, "flapping maintenance"),
            (vec![], vec![window("Redshift")], 9000, "flapping"),
        ];
        for (silences, maintenance, now, expected) in table {
            let now = Timestamp(now);
            let mutes = Mutes { silences: &silences, maintenance: &maintenance, now };
            let found = integration(row(), &mutes);
            assert_eq!(found.conditions.join(" "), expected);
            assert_eq!(
                (found.labels.join(" ").as_str(), found.next_run_at),
                ("team=data", row().next_run_at)
            );
        }
    }
}
