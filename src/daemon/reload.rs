//! Puts a configuration in force: at the start, and again at every SIGHUP.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::active::{Active, Fixed, Permits, Watched};
use super::assemble::{self, Assembly};
use super::error::DaemonError;
use super::shared::Shared;
use super::text::chain;
use super::{absent, difference, life, notify, safety};
use crate::blocking::{self, READ_TIMEOUT};
use crate::config::Settings;
use crate::domain::{Changes, IntegrationId, PageUrl, PassedOver, Reload, Subscription, Timestamp};
use crate::platforms::{Peer, Peers};
use crate::store::{
    Configured, NotificationContext, Publishing, ReceiverRow, Retention, Store, Synced,
};
use crate::webhook::{Heartbeat, HeartbeatSender, Receiver, SendError, Sender};

/// The most rows that one transaction of the retention deletes per table.
const PRUNE_BATCH: u32 = 500;
/// The most faults of a configuration that are kept for commands beside the daemon.
const FAULTS_MAX: usize = 50;
/// Longest wait for the configuration's files.
const RELOAD_TIMEOUT: Duration = Duration::from_mins(1);

/// Reads the configuration again and puts it in force; one that is wrong is reported and leaves
/// everything as it was.
pub(super) async fn reload(shared: &Shared, config: Option<&Path>) {
    let _loading = shared.loading.lock().await;
    notify::reloading();
    let begun_at = shared.clock.now();
    let replaced = match load(config).await {
        Ok(assembly) => replace(shared, &assembly, Publishing::Changed).await,
        Err(faulty) => Err(faulty),
    };
    finish(shared, begun_at, replaced).await;
}

/// Reads the configuration again because another node has put one in force, and works on if it is the same; otherwise
/// this node waits.
pub(super) async fn follow(shared: &Shared, config: Option<&Path>) {
    let _loading = shared.loading.lock().await;
    follow_with(shared, load(config)).await;
}

/// Does the same with a configuration that is read by `reading`.
pub(super) async fn follow_with(
    shared: &Shared,
    reading: impl Future<Output = Result<Assembly, DaemonError>>,
) {
    let was_waiting = shared.latest.is_waiting();
    let begun_at = shared.clock.now();
    let replaced = match reading.await {
        Ok(assembly) => replace(shared, &assembly, Publishing::Follow).await,
        Err(faulty) => Err(faulty),
    };
    if let Err(error) = &replaced
        && error.is_configuration()
        && !shared.latest.is_waiting()
    {
        shared.store.stand_by(&format!(
            "other files are in force, and those of this node cannot be used: {}; it waits until they can",
            chain(error)
        ));
        shared.latest.wait(true);
    }
    match replaced {
        // It was said when the waiting began.
        Err(_same) if was_waiting => {}
        replaced => finish(shared, begun_at, replaced).await,
    }
}

/// Says and stores what came of a configuration.
async fn finish(shared: &Shared, begun_at: Timestamp, replaced: Result<Applied, DaemonError>) {
    let (refused, faults, is_configuration) = match &replaced {
        Ok(_) => (None, Vec::new(), false),
        Err(error @ DaemonError::Configuration(faulty)) => {
            faulty.faults.iter().for_each(|fault| error!("wrong configuration: {fault}"));
            let faults = faulty.faults.iter().take(FAULTS_MAX).map(ToString::to_string);
            (Some(error.to_string()), faults.collect(), true)
        }
        Err(error) => (Some(chain(error)), Vec::new(), error.is_configuration()),
    };
    let Applied { changes, passed_over } = replaced.unwrap_or_default();
    let status = shared.status_line();
    let status = if let Some(reason) = &refused {
        error!("reload refused, the old configuration stays: {reason}");
        // Its secrets may have changed nevertheless, such as the hash of a token that is withdrawn.
        shared.http.send_modify(|_same| ());
        format!("{status}; last reload refused: {reason}")
    } else {
        info!("configuration reloaded: {status}; {changes}");
        status
    };
    let (number, ended_at) = (shared.latest.next_number(), shared.clock.now());
    let outcome = Reload {
        number,
        begun_at,
        ended_at,
        refused,
        faults,
        is_configuration,
        changes,
        passed_over,
    };
    life::reloaded(shared, outcome).await;
    notify::ready(&status);
}

/// Changes that putting a configuration in force has made.
#[derive(Debug, Default)]
pub(super) struct Applied {
    /// Changes of the configuration.
    pub(super) changes: Changes,
    /// Receivers whose format has no place for messages that are pending.
    pub(super) passed_over: Vec<PassedOver>,
}

/// Replaces the configuration in force and the rows together: no run begins in between. Where other nodes work by another
/// one, this node waits.
pub(super) async fn replace(
    shared: &Shared,
    assembly: &Assembly,
    publishing: Publishing,
) -> Result<Applied, DaemonError> {
    if publishing == Publishing::Changed
        && let Some(reason) = safety::check(&shared.store, assembly).await?
    {
        return Err(DaemonError::Removals(reason));
    }
    let former = shared.active();
    let pending = shared.store.view().pending_types().await?;
    let passed_over = difference::passed_over(assembly, &pending);
    for one in &passed_over {
        warn!("{one}");
    }
    let _closed = shared.reloading.write().await;
    let (active, synced) =
        prepare(&shared.store, assembly, publishing, shared.clock.now(), Some(&former)).await?;
    shared.put_in_force(active);
    shared.log_changes(&synced);
    shared.latest.wait(synced.waits_for.is_some());
    if let Some(reason) = synced.waits_for {
        return Err(DaemonError::Waits(reason));
    }
    Ok(Applied { changes: synced.changes, passed_over })
}

/// Reads and assembles the configuration, off the threads that serve others.
///
/// # Errors
///
/// Fails with every fault, or when a file does not answer.
pub(crate) async fn load(config: Option<&Path>) -> Result<Assembly, DaemonError> {
    let path = config.map(Path::to_owned);
    let read = move || assemble::open(path.as_deref());
    let read = blocking::run("the configuration", RELOAD_TIMEOUT, read).await;
    let assembly = read.map_err(DaemonError::Blocking)??;
    warn_of(&assembly);
    Ok(assembly)
}

/// Logs the warnings of a configuration that is accepted but unwise.
pub(super) fn warn_of(assembly: &Assembly) {
    for warning in &assembly.warnings {
        warn!("unwise configuration: {warning}");
    }
}

/// Reconciles the rows with `assembly`, and returns the configuration to put in force; without a former one,
/// this is the start.
pub(super) async fn prepare(
    store: &Store,
    assembly: &Assembly,
    publishing: Publishing,
    now: Timestamp,
    former: Option<&Active>,
) -> Result<(Active, Synced), DaemonError> {
    let mut receivers = BTreeMap::new();
    for receiver in &assembly.receivers {
        let sender = Box::pin(sender(receiver.clone())).await?;
        receivers.insert(receiver.name.clone(), Arc::new(sender));
    }
    let subscriptions: Arc<[Subscription]> =
        assembly.receivers.iter().map(|receiver| receiver.subscription.clone()).collect();
    let configured = Configured {
        integrations: assembly.integrations.values().map(|one| one.wanted.clone()).collect(),
        receivers: assembly.receiver_tables.clone(),
        others: others(assembly),
        publishing,
    };
    let context = NotificationContext {
        subscriptions: Arc::clone(&subscriptions),
        maintenance: Arc::clone(&assembly.maintenance),
        outage_min: assembly.settings.outage_min,
        page: PageUrl::of(&assembly.settings.http),
        now,
    };
    let synced = store.sync(configured, former.is_none(), context).await?;
    warn_of_idle(&synced.idle);
    let settings = &assembly.settings;
    let permits = Permits::of(settings.limits, former.map(|former| &former.permits));
    let active = Active {
        watched: watched(assembly, &synced.ids, &permits, former),
        peers: peers(assembly, &synced.ids),
        receivers,
        subscriptions,
        maintenance: Arc::clone(&assembly.maintenance),
        outage_min: settings.outage_min,
        placed: absent::placed(assembly),
        own: settings.own.clone(),
        limits: settings.limits,
        refused_pauses: Arc::clone(&settings.refused_pauses),
        retention: retention(settings),
        attempts_max: settings.retention.attempts_per_delivery,
        prune_at: settings.retention.at.clone(),
        backups: settings.backups.clone(),
        heartbeat: heartbeat(assembly.heartbeat.clone()).await?,
        permits,
        drain: settings.drain,
        fixed: Fixed::of(settings),
        http: Arc::new(settings.http.clone()),
    };
    if former.is_some_and(|former| former.fixed != active.fixed) {
        warn!(
            "a changed [store], [node], [log] or [metrics], and a changed address or page of [http], takes effect after a \
             restart"
        );
    }
    Ok((active, synced))
}

/// Returns the age and number up to which history is kept.
const fn retention(settings: &Settings) -> Retention {
    let kept = &settings.retention;
    Retention {
        history: kept.history,
        deliveries: kept.deliveries,
        runs_per_integration: kept.runs_per_integration,
        deliveries_max: kept.deliveries_max,
        events_max: kept.events_max,
        batch: PRUNE_BATCH,
    }
}

/// Returns what decisions rest on besides what is stored, by the part of the configuration: nodes must agree on it.
fn others(assembly: &Assembly) -> BTreeMap<String, String> {
    let integrations = assembly.integrations.iter();
    let policies = integrations.map(|(name, one)| {
        (format!("integration {name}"), format!("{:?} {:?}", one.policy, one.checks))
    });
    let settings = &assembly.settings;
    let shared = [
        ("maintenance", format!("{:?}", assembly.maintenance)),
        ("outages", settings.outage_min.to_string()),
        ("retention", format!("{:?}", settings.retention)),
    ];
    policies.chain(shared.map(|(name, text)| (name.to_owned(), text))).collect()
}

/// Makes a sender on a thread that may block: a file of certificate authorities may hang.
async fn sender(receiver: Receiver) -> Result<Sender, DaemonError> {
    if receiver.access.ca_file.is_none() {
        return Ok(Sender::new(receiver)?);
    }
    let key = format!("receiver {}", receiver.name);
    let made = blocking::run(&key, 2 * READ_TIMEOUT, move || Sender::new(receiver)).await;
    Ok(made.map_err(DaemonError::Blocking)??)
}

/// Makes the client of the service that gets heartbeats, on a thread that may block.
async fn heartbeat(
    heartbeat: Option<Heartbeat>,
) -> Result<Option<Arc<HeartbeatSender>>, DaemonError> {
    let Some(heartbeat) = heartbeat else { return Ok(None) };
    let work = move || HeartbeatSender::new(heartbeat);
    let made: Result<_, SendError> =
        blocking::run("heartbeat", 2 * READ_TIMEOUT, work).await.map_err(DaemonError::Blocking)?;
    Ok(Some(Arc::new(made?)))
}

/// Logs the receivers that have pending deliveries and are sent none.
fn warn_of_idle(idle: &[ReceiverRow]) {
    for ReceiverRow { name, disabled, pending, configured, .. } in idle {
        match disabled {
            Some((reason, since)) if *configured => warn!(
                receiver = name,
                pending,
                "{name}: disabled since {since}, since {}; {pending} pending messages wait for \
                 `revalidated receivers enable`",
                reason.clause()
            ),
            Some(_) | None => warn!(
                receiver = name,
                pending,
                "{name}: no longer configured, with {pending} pending messages; those older than \
                 retention.deliveries fail"
            ),
        }
    }
}

fn watched(
    assembly: &Assembly,
    ids: &BTreeMap<String, IntegrationId>,
    permits: &Permits,
    former: Option<&Active>,
) -> BTreeMap<IntegrationId, Watched> {
    let integrations = assembly.integrations.iter();
    integrations
        .filter_map(|(name, one)| {
            let id = *ids.get(name)?;
            let former = former.and_then(|former| former.watched.get(&id));
            let watched = Watched {
                validator: Arc::clone(&one.validator),
                auto_bootstrap: one.wanted.auto_bootstrap.unwrap_or_default(),
                catalog: one.platform.catalog,
                schedule: one.wanted.schedule.clone(),
                policy: one.policy,
                host_name: one.identity.host.clone(),
                checks: one.checks.clone(),
                run_on: one.wanted.run_on.clone(),
                host: permits.at(&one.identity.host),
                earlier: former.map_or_else(Vec::new, |former| former.kept_for(&one.wanted.config)),
                config: one.wanted.config.clone(),
            };
            Some((id, watched))
        })
        .collect()
}

/// Returns all integrations, with the ids of their rows.
fn peers(assembly: &Assembly, ids: &BTreeMap<String, IntegrationId>) -> Arc<Peers> {
    let known = assembly
        .peers
        .iter()
        .map(|peer| Peer { id: ids.get(&peer.name).map(|id| id.0), ..peer.clone() });
    Arc::new(known.collect())
}
