//! Facts about an installation, which the checks look at without asking for anything more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::unit::Unit;
use crate::daemon::Assembly;
use crate::domain::ledger::Difference;
use crate::domain::{IntegrationId, Timestamp};
use crate::input::Fault;
use crate::store::{ExpiryRow, NodeRow, OwnFaultRow, ReceiverRow, StatusRow};
use crate::view::Liveness;

/// Facts about an installation.
#[derive(Debug)]
pub(in crate::cli) struct Facts {
    /// Instant of the diagnosis.
    pub(super) now: Timestamp,
    /// Unit and process of the service.
    pub(super) service: Service,
    /// Variables of this process.
    pub(super) environment: BTreeMap<String, String>,
    /// Configuration on the disk.
    pub(super) configuration: Configuration,
    /// File of the database and its folder.
    pub(super) files: Files,
    /// Rows of the database; none where it cannot be read.
    pub(super) rows: Option<Rows>,
    /// Machine and its network.
    pub(super) machine: Machine,
}

/// Unit and process of the service.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// Unit file with its drop-ins; none where it is not installed.
    pub(super) unit: Option<Unit>,
    /// True when systemd has not read the unit since it changed; none where it does not run.
    pub(super) is_reload_due: Option<bool>,
    /// Program of the daemon's process, where it can be seen.
    pub(super) running: Option<PathBuf>,
    /// User of the daemon's process, where it can be seen.
    pub(super) user: Option<u32>,
    /// Programs that exist and can be executed, of those that the unit names.
    pub(super) programs: BTreeSet<PathBuf>,
}

/// Configuration on the disk.
#[derive(Debug, Default)]
pub(super) struct Configuration {
    /// As much of the configuration as can be read.
    pub(super) assembly: Option<Assembly>,
    /// Faults for which it would be refused.
    pub(super) faults: Vec<Fault>,
    /// Warnings of settings that are accepted but unwise.
    pub(super) warnings: Vec<Fault>,
    /// Secrets that cannot be used.
    pub(super) secrets: Vec<Fault>,
    /// Files of secrets with their permission bits.
    pub(super) modes: BTreeMap<PathBuf, u32>,
}

/// File of the database and its folder.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Location of the database, as it is shown.
    pub(super) shown: String,
    /// Path of the database; none where it is on a server.
    pub(super) path: Option<PathBuf>,
    /// Folder of the database; none where there is none.
    pub(super) folder: Option<Folder>,
    /// Size of the database in bytes, and the instant of its creation; none where there is none yet.
    pub(super) database: Option<(u64, Option<Timestamp>)>,
    /// Reason why the database cannot be read.
    pub(super) unreadable: Option<String>,
    /// True when that reason is a schema of another version.
    pub(super) is_of_another_version: bool,
    /// Latest backup beside the database or in the configured folder.
    pub(super) backup: Option<Backup>,
}

/// Latest backup of the database.
#[derive(Debug)]
pub(super) struct Backup {
    /// Instant of the backup.
    pub(super) at: Timestamp,
    /// True when it is on the disk of the database.
    pub(super) is_on_same_disk: bool,
}

/// Folder of the database.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// Owner of the folder.
    pub(super) owner: u32,
    /// Permission bits of the folder.
    pub(super) mode: u32,
    /// Magic number of the file system.
    pub(super) file_system: u64,
    /// Free bytes on its disk.
    pub(super) free: u64,
}

/// Rows of the database.
#[derive(Debug)]
pub(super) struct Rows {
    /// State of the daemon's process.
    pub(super) liveness: Liveness,
    /// Node of the daemon.
    pub(super) node: NodeRow,
    /// Faults on the daemon's own side that last.
    pub(super) faults: Vec<OwnFaultRow>,
    /// Integrations that are not deleted.
    pub(super) statuses: Vec<StatusRow>,
    /// Receivers that are, or were, configured.
    pub(super) receivers: Vec<ReceiverRow>,
    /// Expiries within the days that are looked at.
    pub(super) expiries: Vec<ExpiryRow>,
    /// Integrations whose failure is acknowledged.
    pub(super) acknowledged: BTreeSet<IntegrationId>,
    /// Number of events that are kept.
    pub(super) events: i64,
    /// Damage of the database's pages; none where it could not be looked for in time.
    pub(super) damage: Option<Vec<String>>,
    /// Changes that a reload would make; none where that cannot be said.
    pub(super) difference: Option<Difference>,
}

/// Machine and its network.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// True when the clock is synchronised; none where that cannot be said.
    pub(super) is_synchronised: Option<bool>,
    /// Names that were resolved.
    pub(super) names: Vec<Name>,
    /// True when there is a default route of IPv6.
    pub(super) has_ipv6: bool,
    /// File of certificate authorities with the instant of its last change; none where there is none.
    pub(super) authorities: Option<(PathBuf, Timestamp)>,
    /// Canaries of the configuration, true where they accept a connection.
    pub(super) canaries: Vec<(String, bool)>,
    /// Addresses at which some process of this machine listens; none where that cannot be seen.
    pub(super) listening: Option<Vec<SocketAddr>>,
    /// Unix sockets of the API with their permission bits.
    pub(super) sockets: BTreeMap<PathBuf, u32>,
}

/// Name that was resolved.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// Name of the host.
    pub(super) host: String,
    /// Time that it took.
    pub(super) took: Duration,
    /// Addresses, or the reason why there is none.
    pub(super) addresses: Result<Vec<IpAddr>, String>,
}
