//! State of the daemon as a whole: whether it runs, what it could not load, and what fails.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use serde::Serialize;

use super::failing::{Failing, FailingRow};
use super::live::Live;
use super::receiver::{Receiver, ReceiverState};
use crate::blocking;
use crate::config::Backups;
use crate::domain::{HeartbeatState, Reload, Timestamp};
use crate::store::{
    KeptBackup, NodeRow, OwnFaultRow, ReceiverRow, StatusRow, StoreError, View, backups,
};

/// Liveness of the daemon: of the process that serves the database.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Liveness {
    /// A daemon holds the database.
    Running,
    /// No daemon holds the database.
    Stopped,
    /// Nothing can be seen, for want of permissions.
    Unknown,
}

impl From<Option<bool>> for Liveness {
    fn from(in_use: Option<bool>) -> Self {
        in_use.map_or(Self::Unknown, |in_use| if in_use { Self::Running } else { Self::Stopped })
    }
}

/// Process that serves the database, or served it last.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct DaemonProcess {
    /// State of the process.
    pub(crate) state: Liveness,
    /// Number of the process while it runs.
    pub(crate) pid: Option<i32>,
    /// Start of its latest life.
    pub(crate) started_at: Option<Timestamp>,
    /// Instant at which it was last known to be alive, when it does not run.
    pub(crate) last_seen_at: Option<Timestamp>,
    /// True when it stopped in good order.
    pub(crate) stopped_cleanly: bool,
}

impl DaemonProcess {
    /// Process of `node`, given whether it runs.
    pub(crate) fn new(node: &NodeRow, state: Liveness) -> Self {
        let is_running = state == Liveness::Running;
        let last_seen_at = node.stopped_at.or(node.seen_at).filter(|_| !is_running);
        Self {
            state,
            pid: node.process.map(|process| process.pid).filter(|_| is_running),
            started_at: node.started_at,
            last_seen_at,
            stopped_cleanly: !is_running && node.stopped_at.is_some(),
        }
    }
}

/// A fault on the daemon's own side.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LastingFault {
    fault: &'static str,
    since: Timestamp,
    message: String,
}

impl From<&OwnFaultRow> for LastingFault {
    fn from(row: &OwnFaultRow) -> Self {
        Self { fault: row.fault.as_str(), since: row.since, message: row.message.clone() }
    }
}

/// State of the daemon as a whole.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct DaemonStatus<'a> {
    /// True when nothing of the following needs a person.
    pub(crate) is_well: bool,
    /// Process that serves the database, or served it last.
    pub(crate) daemon: DaemonProcess,
    /// Outcome of its latest start or reload.
    pub(crate) reload: Option<&'a Reload>,
    /// Faults on the daemon's own side that last.
    pub(crate) faults: Vec<LastingFault>,
    /// Number of integrations in each status that one has.
    pub(crate) integrations: BTreeMap<&'static str, usize>,
    /// Integrations in an error status.
    pub(crate) failing: Vec<Failing<'a>>,
    /// Receivers that are disabled or failing.
    pub(crate) receivers: Vec<Receiver<'a>>,
    /// Backups that the daemon makes by itself, as far as they can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backup: Option<BackupStatus>,
    /// State of the heartbeat, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heartbeat: Option<&'a HeartbeatState>,
    /// Figures that only the daemon's process knows; null where it could not be asked.
    pub(crate) live: Option<&'a Live>,
}

/// Backups in the folder in which the daemon makes them.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackupStatus {
    /// Number of backups in the folder.
    pub(crate) number: usize,
    /// Instant of the newest one; null without one.
    pub(crate) newest_at: Option<Timestamp>,
}

/// Time limit of a look at the folder of the backups.
const FOLDER_MAX: Duration = Duration::from_secs(5);

impl BackupStatus {
    /// Returns the backups that the daemon makes by this configuration; none when it makes none, or they cannot be
    /// seen.
    pub(crate) async fn read(configured: Option<&Backups>) -> Option<Self> {
        let Backups { at, dir, .. } = configured?;
        at.as_ref()?;
        let dir = dir.clone();
        let found = blocking::run("the backups", FOLDER_MAX, move || backups(&dir)).await;
        match found.ok()? {
            Ok(kept) => Some(kept.as_slice().into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Some((&[][..]).into()),
            Err(_) => None,
        }
    }
}

impl From<&[KeptBackup]> for BackupStatus {
    fn from(kept: &[KeptBackup]) -> Self {
        Self { number: kept.len(), newest_at: kept.first().map(|newest| newest.at) }
    }
}

/// Rows of the store that make the state of the daemon.
#[derive(Debug)]
pub(crate) struct DaemonRows {
    /// State of the process.
    pub(crate) state: Liveness,
    /// Node of the daemon.
    pub(crate) node: NodeRow,
    /// Faults on the daemon's own side that last.
    pub(crate) faults: Vec<OwnFaultRow>,
    /// Integrations that are not deleted.
    pub(crate) statuses: Vec<StatusRow>,
    /// Evidence about those that fail, in the order in which they are shown.
    pub(crate) failing: Vec<FailingRow>,
    /// Receivers that are, or were, configured.
    pub(crate) receivers: Vec<ReceiverRow>,
    /// Figures of the process, when it was asked for them.
    pub(crate) live: Option<Live>,
}

impl DaemonRows {
    /// Reads the rows from the store; the process is not asked for its figures.
    ///
    /// # Errors
    ///
    /// Fails when the store cannot be read.
    pub(crate) async fn read(
        view: &View,
        state: Liveness,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (statuses, receivers) = (view.all_statuses().await?, view.all_receivers().await?);
        let (node, faults) = (view.node().await?, view.own_faults().await?);
        let failing = FailingRow::read(view, &statuses, now).await?;
        Ok(Self { state, node, faults, statuses, failing, receivers, live: None })
    }
}

impl<'a> From<&'a DaemonRows> for DaemonStatus<'a> {
    fn from(rows: &'a DaemonRows) -> Self {
        let DaemonRows { state, node, faults, statuses, failing: detailed, receivers, live } = rows;
        let mut integrations = BTreeMap::new();
        for row in statuses {
            *integrations.entry(row.status.as_str()).or_insert(0) += 1;
        }
        let failing = failing(statuses, detailed);
        let needs_a_person = |row: &&ReceiverRow| {
            matches!(ReceiverState::from(*row), ReceiverState::Disabled | ReceiverState::Failing)
        };
        let receivers: Vec<_> = receivers.iter().filter(needs_a_person).map(Into::into).collect();
        let reload = node.reload.as_ref();
        let is_refused = reload.is_some_and(|reload| reload.refused.is_some());
        let heartbeat = node.heartbeat.as_ref();
        let is_withheld = heartbeat.is_some_and(|state| state.problem.is_some());
        Self {
            is_well: *state == Liveness::Running
                && !is_refused
                && !is_withheld
                && faults.is_empty()
                && failing.is_empty()
                && receivers.is_empty()
                && live.iter().flat_map(|live| &live.loops).all(|one| !one.stands_still),
            daemon: DaemonProcess::new(node, *state),
            reload,
            faults: faults.iter().map(LastingFault::from).collect(),
            integrations,
            failing,
            receivers,
            backup: None,
            heartbeat,
            live: live.as_ref(),
        }
    }
}

/// Returns those that fail: first the ones with details, in their order, then the others by name.
fn failing<'a>(statuses: &'a [StatusRow], detailed: &'a [FailingRow]) -> Vec<Failing<'a>> {
    let with = detailed.iter().map(|one| {
        let (name, status) = (one.row.name.as_str(), one.row.status);
        Failing { name, status, details: Some(one.into()) }
    });
    let is_detailed = |row: &StatusRow| detailed.iter().any(|one| one.row.name == row.name);
    let others = statuses.iter().filter(|row| row.status.is_error() && !is_detailed(row));
    let without = others.map(|row| Failing { name: &row.name, status: row.status, details: None });
    with.chain(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;
    use crate::store::ProcessId;
    use crate::view::samples;

    fn rows(state: Liveness) -> DaemonRows {
        let node = NodeRow {
            process: Some(ProcessId { pid: 7, born: 1 }),
            started_at: Some(Timestamp(1000)),
            seen_at: Some(Timestamp(2000)),
            ..NodeRow::default()
        };
        DaemonRows {
            state,
            node,
            faults: Vec::new(),
            statuses: Vec::new(),
            failing: Vec::new(),
            receivers: Vec::new(),
            live: None,
        }
    }

    #[test]
    fn daemon_is_well_while_it_runs_and_nothing_fails() {
        let well = rows(Liveness::Running);
        let status = DaemonStatus::from(&well);
        assert!(status.is_well);
        assert_eq!((status.daemon.pid, status.daemon.last_seen_at), (Some(7), None));
        let stopped = rows(Liveness::Stopped);
        let status = DaemonStatus::from(&stopped);
        assert!(!status.is_well && !status.daemon.stopped_cleanly);
        assert_eq!((status.daemon.pid, status.daemon.last_seen_at), (None, Some(Timestamp(2000))));
        let degraded = DaemonRows { faults: samples::faults().into(), ..rows(Liveness::Running) };
        assert!(!DaemonStatus::from(&degraded).is_well);
        let failing =
            DaemonRows { receivers: samples::receivers().into(), ..rows(Liveness::Running) };
        let status = DaemonStatus::from(&failing);
        assert!(!status.is_well && !status.receivers.is_empty());
        for (problem, expected) in [(None, true), (Some("withheld".to_owned()), false)] {
            let heartbeat = HeartbeatState { every_secs: 60, delivered_at: None, problem };
            let mut beating = rows(Liveness::Running);
            beating.node.heartbeat = Some(heartbeat);
            assert_eq!(DaemonStatus::from(&beating).is_well, expected);
        }
    }

    #[test]
    fn failing_integrations_come_with_details_first() {
        let status =
            |name: &str, status| StatusRow { name: name.to_owned(), status, ..samples::status() };
        let failed = Status::RecurringValidationError;
        let statuses = vec![
            status("a", Status::CreateError),
            status("lake", failed),
            status("z", Status::Enabled),
        ];
        let rows =
            DaemonRows { statuses, failing: vec![samples::failing()], ..rows(Liveness::Running) };
        let shown = DaemonStatus::from(&rows);
        let names: Vec<_> =
            shown.failing.iter().map(|one| (one.name, one.details.is_some())).collect();
        assert_eq!(names, [("lake", true), ("a", false)]);
        assert!(!shown.is_well);
    }
}
