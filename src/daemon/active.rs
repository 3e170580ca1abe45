//! The configuration in force: replaced as a whole by a reload, never changed in place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Backups, Limits, Log, Metrics, Own, Settings};
use crate::domain::{
    CommonChecks, HttpSettings, IntegrationId, Listen, Location, Maintenance, NodeIdentity,
    PageUrl, Policy, Pool, Schedule, Subscription, Test, Timestamp,
};
use crate::net::permit::Semaphore;
use crate::platforms::{Peers, Validator};
use crate::store::{NotificationContext, Placed, Retention};
use crate::webhook::{HeartbeatSender, Sender};

/// The most earlier configurations of an integration that are kept: so many consecutive edits may fail
/// before one with a secret in it can no longer be validated.
const EARLIER_MAX: usize = 8;

/// Configuration by which the daemon works until the next reload.
#[derive(Debug)]
pub(super) struct Active {
    /// The integrations to be validated.
    pub(super) watched: BTreeMap<IntegrationId, Watched>,
    /// All integrations, for the tests that compare them.
    pub(super) peers: Arc<Peers>,
    /// Senders of the receivers, by name.
    pub(super) receivers: BTreeMap<String, Arc<Sender>>,
    /// Events that each receiver subscribes to.
    pub(super) subscriptions: Arc<[Subscription]>,
    /// Windows in which notifications are muted.
    pub(super) maintenance: Arc<[Maintenance]>,
    /// Number of integrations that must fail by one cause to make an outage.
    pub(super) outage_min: u32,
    /// Work that is meant for nodes with labels.
    pub(super) placed: Vec<Placed>,
    /// Settings by which the daemon finds faults of its own.
    pub(super) own: Own,
    /// Limits on concurrency and time.
    pub(super) limits: Limits,
    /// Pauses before a refused log-in is tried again.
    pub(super) refused_pauses: Arc<[Duration]>,
    /// Age and number up to which history is kept.
    pub(super) retention: Retention,
    /// The most attempts of one delivery that are kept.
    pub(super) attempts_max: u32,
    /// Schedule by which old history is deleted.
    pub(super) prune_at: Schedule,
    /// Backups that the daemon makes by itself.
    pub(super) backups: Backups,
    /// Client of the service that gets heartbeats; none while there are none.
    pub(super) heartbeat: Option<Arc<HeartbeatSender>>,
    /// Permits of the limits; a reload that leaves the limits as they are keeps them.
    pub(super) permits: Arc<Permits>,
    /// Time limit of running validations after a request to stop.
    pub(super) drain: Duration,
    /// Settings that a reload cannot change.
    pub(super) fixed: Fixed,
    /// Settings of the HTTP server.
    pub(super) http: Arc<HttpSettings>,
}

/// Settings that a reload cannot change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fixed {
    /// Location of the store.
    pub(super) store: Location,
    /// Identity of this node.
    pub(super) node: NodeIdentity,
    /// Filter and format of the log.
    pub(super) log: Log,
    /// Address of the metrics.
    pub(super) metrics: Metrics,
    /// Addresses of the HTTP server.
    pub(super) listen: Vec<Listen>,
    /// Permission bits of its socket.
    pub(super) socket_mode: u32,
    /// True when it has a certificate.
    pub(super) has_certificate: bool,
    /// True when it serves the page.
    pub(super) has_page: bool,
}

impl Fixed {
    /// Returns those of `settings`.
    pub(super) fn of(settings: &Settings) -> Self {
        let http = &settings.http;
        Self {
            store: settings.store.clone(),
            node: settings.node.clone(),
            log: settings.log.clone(),
            metrics: settings.metrics,
            listen: http.listen.clone(),
            socket_mode: http.socket_mode,
            has_certificate: http.tls.is_some(),
            has_page: http.page,
        }
    }
}

/// One integration that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// Validator that runs the tests of its catalog.
    pub(super) validator: Arc<dyn Validator>,
    /// True when the platform side is set up automatically; the store keeps it beside configurations,
    /// not in them.
    pub(super) auto_bootstrap: bool,
    /// Catalog of its platform.
    pub(super) catalog: &'static [Test],
    /// Schedule of its runs.
    pub(super) schedule: Schedule,
    /// Policy by which its runs are judged.
    pub(super) policy: Policy,
    /// The host that it talks to, as its configuration says.
    pub(super) host_name: String,
    /// Checks that all platforms have in common.
    pub(super) checks: CommonChecks,
    /// Nodes that may validate it.
    pub(super) run_on: Pool,
    /// Permits at its host.
    pub(super) host: Arc<Semaphore>,
    /// Its configuration as stored, by which the one that a run is about is recognised.
    pub(super) config: String,
    /// Validators of configurations before that, the latest first: one of them is still in force
    /// while an edit fails, and may hold a secret that the store does not keep.
    pub(super) earlier: Vec<(String, Arc<dyn Validator>)>,
}

impl Watched {
    /// Returns the configurations to keep for `next`, the one that replaces this one.
    pub(super) fn kept_for(&self, next: &str) -> Vec<(String, Arc<dyn Validator>)> {
        let own = (self.config.clone(), Arc::clone(&self.validator));
        let all = std::iter::once(own).chain(self.earlier.iter().cloned());
        all.filter(|(config, _)| config != next).take(EARLIER_MAX).collect()
    }
}

impl Active {
    /// Context that a change of status at `now` needs to become messages.
    pub(super) fn context(&self, now: Timestamp) -> NotificationContext {
        NotificationContext {
            subscriptions: Arc::clone(&self.subscriptions),
            maintenance: Arc::clone(&self.maintenance),
            outage_min: self.outage_min,
            page: PageUrl::of(&self.http),
            now,
        }
    }

    /// Duration of the lease of a run: two configurations may be validated in it.
    pub(super) fn lease(&self) -> Duration {
        self.limits.run.saturating_mul(2).saturating_add(Duration::from_mins(1))
    }
}

/// Permits of runs: among all, and at each host.
#[derive(Debug)]
pub(super) struct Permits {
    limits: Limits,
    runs: Arc<Semaphore>,
    hosts: std::sync::Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Permits {
    /// Permits for `limits`; the `former` ones when the limits are the same, so that a reload
    /// does not grant again the permits of running validations.
    pub(super) fn of(limits: Limits, former: Option<&Arc<Self>>) -> Arc<Self> {
        match former {
            Some(former) if former.limits == limits => Arc::clone(former),
            _ => Arc::new(Self {
                limits,
                runs: Semaphore::new(limits.runs),
                hosts: std::sync::Mutex::default(),
            }),
        }
    }

    /// Returns the permits at `host`.
    pub(super) fn at(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let permits = hosts
            .entry(host.to_owned())
            .or_insert_with(|| Semaphore::new(self.limits.runs_per_host));
        Arc::clone(permits)
    }

    /// Returns the permits among all runs.
    pub(super) const fn among_all(&self) -> &Arc<Semaphore> {
        &self.runs
    }
}
