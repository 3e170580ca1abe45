//! The configuration in force: replaced as a whole by a reload, never changed in place.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::config::{Limits, Log, Metrics, Own};
use crate::domain::{
    CommonChecks, IntegrationId, Maintenance, Policy, Schedule, Subscription, Test, Timestamp,
};
use crate::platforms::{Peers, Validator};
use crate::store::{NotificationContext, Retention};
use crate::webhook::Sender;

/// The most earlier configurations of an integration that are kept: so many edits in a row may fail
/// before one with a secret in it can no longer be validated.
const EARLIER_MAX: usize = 8;

/// What the daemon works by until the next reload.
#[derive(Debug)]
pub(super) struct Active {
    /// The integrations to be validated.
    pub(super) watched: HashMap<IntegrationId, Watched>,
    /// Everybody, for the tests that compare integrations.
    pub(super) peers: Arc<Peers>,
    /// By name.
    pub(super) receivers: BTreeMap<String, Arc<Sender>>,
    /// Who wants to be told of what.
    pub(super) subscriptions: Arc<[Subscription]>,
    /// When messages are held.
    pub(super) maintenance: Arc<[Maintenance]>,
    /// How many integrations must fail by one cause to make an outage.
    pub(super) outage_min: u32,
    /// How the daemon notices that it is at fault itself.
    pub(super) own: Own,
    /// How much at once, and how long.
    pub(super) limits: Limits,
    /// How long, and how much, history is kept.
    pub(super) retention: Retention,
    /// The most attempts of one delivery that are kept.
    pub(super) attempts_max: u32,
    /// When old history is deleted.
    pub(super) prune_at: Schedule,
    /// The room of the limits; handed on by a reload that leaves them as they are.
    pub(super) room: Arc<Room>,
    /// How long running validations may go on after a request to stop.
    pub(super) drain: Duration,
    /// What a reload cannot change: the database, the log, and where metrics are served.
    pub(super) fixed: (PathBuf, Log, Metrics),
}

/// One integration that is watched.
#[derive(Debug)]
pub(super) struct Watched {
    /// Able to run its catalog.
    pub(super) validator: Arc<dyn Validator>,
    /// Whether the platform side is set up automatically; the store keeps it beside configurations,
    /// not in them.
    pub(super) auto_bootstrap: bool,
    /// Its platform's catalog.
    pub(super) catalog: &'static [Test],
    /// When it is due.
    pub(super) schedule: Schedule,
    /// How much evidence a verdict needs.
    pub(super) policy: Policy,
    /// The host that it talks to, as its configuration says.
    pub(super) host_name: String,
    /// What is looked out for besides its platform's tests.
    pub(super) checks: CommonChecks,
    /// The room at its host.
    pub(super) host: Arc<Semaphore>,
    /// Its configuration as stored, by which the one that a run is about is recognised.
    pub(super) config: String,
    /// Validators of configurations before that, the latest first: one of them is still in force
    /// while an edit fails, and may hold a secret that the store does not keep.
    pub(super) earlier: Vec<(String, Arc<dyn Validator>)>,
}

impl Watched {
    /// What is kept of this one for `next`, the configuration that replaces it.
    pub(super) fn kept_for(&self, next: &str) -> Vec<(String, Arc<dyn Validator>)> {
        let own = (self.config.clone(), Arc::clone(&self.validator));
        let all = std::iter::once(own).chain(self.earlier.iter().cloned());
        all.filter(|(config, _)| config != next).take(EARLIER_MAX).collect()
    }
}

impl Active {
    /// What a change of status at `now` needs to become messages.
    pub(super) fn tell(&self, now: Timestamp) -> NotificationContext {
        NotificationContext {
            subscriptions: Arc::clone(&self.subscriptions),
            maintenance: Arc::clone(&self.maintenance),
            outage_min: self.outage_min,
            now,
        }
    }

    /// How long a begun run is believed to be alive: two configurations may be validated in it.
    pub(super) fn lease(&self) -> Duration {
        self.limits.run.saturating_mul(2).saturating_add(Duration::from_mins(1))
    }
}

/// The room that is left for runs.
#[derive(Debug)]
pub(super) struct Room {
    limits: Limits,
    runs: Arc<Semaphore>,
    hosts: std::sync::Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Room {
    /// Room for `limits`; the `former` room when they are the same, so that a reload does not
    /// hand out again what running validations still take.
    pub(super) fn of(limits: Limits, former: Option<&Arc<Self>>) -> Arc<Self> {
        match former {
            Some(former) if former.limits == limits => Arc::clone(former),
            _ => Arc::new(Self {
                limits,
                runs: Arc::new(Semaphore::new(limits.runs)),
                hosts: std::sync::Mutex::default(),
            }),
        }
    }

    /// The room at `host`.
    pub(super) fn at(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = hosts
            .entry(host.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(self.limits.runs_per_host)));
        Arc::clone(room)
    }

    /// The room among all runs.
    pub(super) fn among_all(&self) -> Arc<Semaphore> {
        Arc::clone(&self.runs)
    }
}
