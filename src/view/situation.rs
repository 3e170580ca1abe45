//! Situation of an integration beyond its row: active mutes, its outage, shared factors.

use super::silence::SilenceState;
use crate::domain::{About, Factor, IntegrationId, Maintenance, Policy, Timestamp};
use crate::store::{
    IntegrationRow, MuteRow, OutageRow, SilenceRow, StoreError, Surroundings, View,
};

/// Part of the configuration that concerns an integration; empty while none is known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Configured<'a> {
    /// Policy by which its runs are judged.
    pub(crate) policy: Option<Policy>,
    /// Windows in which notifications are muted.
    pub(crate) maintenance: &'a [Maintenance],
}

/// Situation of an integration beyond its row.
#[derive(Debug, Default)]
pub(crate) struct Situation {
    /// Mutes that cover it now, whether or not a notification waits, the longest first. Without the
    /// configuration no maintenance is known.
    pub(crate) mutes: Vec<MuteRow>,
    /// Acknowledgement of its failure that is open, the one that lasts longest.
    pub(crate) acknowledgement: Option<SilenceRow>,
    /// Policy by which its runs are judged, when the configuration is known.
    pub(crate) policy: Option<Policy>,
    /// Outage that its failure belongs to.
    pub(crate) outage: Option<OutageRow>,
    /// Factors of shared failures, with the number of other integrations that have each.
    pub(crate) factors: Vec<(Factor, u32)>,
}

impl Situation {
    /// Reads it from the store, completed by the configuration.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(
        view: &View,
        row: &IntegrationRow,
        configured: &Configured<'_>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let about = About { name: &row.name, kind: &row.kind, labels: &row.labels };
        let Surroundings { mut silences, outage, factors } =
            view.surroundings(row.id, row.outage_id.clone(), now).await?;
        silences.retain(|one| one.state(now) == SilenceState::Open);
        let acknowledgement = acknowledgement(&silences, row.id).cloned();
        let silences = silences.iter().filter(|one| one.covers(row.id, about));
        let mute = |one: &SilenceRow| MuteRow {
            by: format!("{} {}", one.kind(), one.id),
            until: one.until,
        };
        let mut mutes: Vec<_> = silences.map(mute).collect();
        for window in configured.maintenance {
            let until = window.open_until(now).filter(|_| window.selection.fits(about));
            let by = || format!("maintenance `{}`", window.name);
            mutes.extend(until.map(|until| MuteRow { by: by(), until }));
        }
        let calm = row.flapping_until.filter(|until| now < *until);
        mutes.extend(calm.map(|until| MuteRow { by: "flapping".to_owned(), until }));
        mutes.sort_by_key(|mute| std::cmp::Reverse(mute.until));
        Ok(Self { mutes, acknowledgement, policy: configured.policy, outage, factors })
    }

    /// Returns the status changes that count towards flapping.
    pub(crate) fn status_changes(&self, row: &IntegrationRow, now: Timestamp) -> Vec<Timestamp> {
        status_changes(row, self.policy.as_ref(), now)
    }
}

/// Reads the silences and acknowledgements that are open.
///
/// # Errors
///
/// Fails when the store cannot be read.
pub(crate) async fn open_silences(
    view: &View,
    now: Timestamp,
) -> Result<Vec<SilenceRow>, StoreError> {
    let mut open = view.all_silences(now).await?;
    open.retain(|one| one.state(now) == SilenceState::Open);
    Ok(open)
}

/// Returns the acknowledgement of an integration's failure that lasts longest.
pub(crate) fn acknowledgement(open: &[SilenceRow], id: IntegrationId) -> Option<&SilenceRow> {
    let of = |one: &&SilenceRow| one.acknowledged.as_ref().is_some_and(|(of, _)| *of == id);
    open.iter().filter(of).max_by_key(|one| one.until)
}

/// Returns the notified status changes within the window of `policy`, or all that are kept without one.
pub(super) fn status_changes(
    row: &IntegrationRow,
    policy: Option<&Policy>,
    now: Timestamp,
) -> Vec<Timestamp> {
    let after = policy.map(|policy| now.minus(policy.flap_window));
    let changes = row.flips.0.iter().copied();
    changes.filter(|at| after.is_none_or(|after| after < *at)).collect()
}
