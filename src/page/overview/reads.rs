//! Reads of the overview: details of what is shown, never of all integrations.

use std::collections::BTreeMap;
use std::time::Duration;

use super::row::EXPIRY_SHOWN;
use super::selection::Selection;
use crate::daemon::BackupState;
use crate::domain::{IntegrationId, Timestamp};
use crate::page::strip::MARKS;
use crate::store::{
    Attributed, ExpiryRow, Mark, OutageRow, OwnFaultRow, PAGE_MAX, Page, ReceiverRow, StoreError,
    TransitionFilter, TransitionRow, View,
};
use crate::view::FailingRow;

/// Number of expiries that are read.
const EXPIRIES_MAX: u32 = 200;
/// Number of status changes among which the latest one is looked for that a caller may see.
const CHANGES_MAX: u32 = 20;
/// Time over which runs are counted.
const RUNS_WITHIN: Duration = Duration::from_hours(1);

/// Rows of the store beside the statuses.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// Latest runs of the integrations that are listed.
    pub(crate) strips: BTreeMap<IntegrationId, Vec<Mark>>,
    /// Evidence about the first integration of each cause.
    pub(crate) failing: BTreeMap<IntegrationId, FailingRow>,
    /// Outages of the causes.
    pub(crate) outages: BTreeMap<String, OutageRow>,
    /// Receivers that are, or were, configured.
    pub(crate) receivers: Vec<ReceiverRow>,
    /// Faults on the daemon's own side that last.
    pub(crate) faults: Vec<OwnFaultRow>,
    /// True when the latest reload was refused.
    pub(crate) is_refused: bool,
    /// Expiries of the next ninety days.
    pub(crate) expiries: Vec<ExpiryRow>,
    /// Latest change of a status.
    pub(crate) latest: Option<Attributed<TransitionRow>>,
    /// Number of runs within the last hour.
    pub(crate) runs: Option<u32>,
    /// Lateness that 99 % of the latest runs stay within.
    pub(crate) lateness: Option<Duration>,
    /// State of the backups that the daemon makes.
    pub(crate) backup: Option<BackupState>,
}

impl Reads {
    /// Reads what belongs to the rows that are selected.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(
        view: &View,
        selection: &Selection<'_>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut reads = Self {
            strips: view.strips(selection.listed(), MARKS).await?.into_iter().collect(),
            receivers: view.receivers(Page::first(PAGE_MAX)).await?.rows,
            faults: view.own_faults().await?,
            is_refused: view.node().await?.reload.is_some_and(|one| one.refused.is_some()),
            expiries: view.expiries(now.plus(EXPIRY_SHOWN), Page::first(EXPIRIES_MAX)).await?.rows,
            runs: Some(view.runs_since(now.minus(RUNS_WITHIN)).await?),
            ..Self::default()
        };
        for cause in &selection.causes {
            let Some(first) = cause.rows.first() else { continue };
            if let Some(row) = view.integration(&first.name).await? {
                let failing =
                    FailingRow { row, notices: Vec::new(), outage: None, acknowledgement: None };
                reads.failing.insert(first.id, failing);
            }
            if let Some(id) = cause.outage
                && let Some(outage) = view.outage(id).await?
            {
                reads.outages.insert(id.to_owned(), outage);
            }
        }
        let changes = view.all_transitions(TransitionFilter::default(), Page::first(CHANGES_MAX));
        let is_seen = |change: &Attributed<TransitionRow>| {
            selection.matching.iter().any(|row| row.id == change.integration.id)
        };
        reads.latest = changes.await?.rows.into_iter().find(is_seen);
        Ok(reads)
    }
}
