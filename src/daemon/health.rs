//! Whether a failure is the daemon's own: then no status changes, and receivers are told once.
//!
//! The network is at fault when canaries are configured and none of them takes a connection; without
//! any, when several hosts were silent, none has answered lately, and of the hosts that nothing was
//! heard of none takes a connection either. The clock is at fault when several servers agree on that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::Shared;
use super::active::Active;
use crate::domain::{Class, Clocks, Hosts, Observed, OwnFault, Report, Timestamp, duration_text};
use crate::net::tcp;

/// The longest wait for a canary.
const CANARY_WAIT: Duration = Duration::from_secs(3);
/// How long what the canaries said is believed.
const CANARY_BELIEVED: Duration = Duration::from_secs(10);
/// The most hosts that are tried when no canaries are configured.
const TRIED_MAX: usize = 8;
/// How often the machine is looked at.
const LOOK: Duration = Duration::from_secs(30);
/// The share of file descriptors, in percent, above which they count as used up.
const DESCRIPTORS_MAX: u64 = 90;

/// What is known of the daemon's own side.
#[derive(Default)]
pub(crate) struct Health {
    heard: Mutex<Heard>,
    canaries: tokio::sync::Mutex<Option<(Instant, bool)>>,
    /// Says in a simulation whether a host takes a connection.
    #[cfg(test)]
    probe: Option<Probe>,
}

/// Whether a host of a simulation takes a connection.
#[cfg(test)]
pub(crate) type Probe = std::sync::Arc<dyn Fn(&str) -> bool + Send + Sync>;

#[derive(Debug, Default)]
struct Heard {
    hosts: Hosts,
    clocks: Clocks,
    lasting: BTreeSet<OwnFault>,
}

impl Health {
    /// Takes over the faults that a predecessor told of.
    pub(super) fn with(lasting: impl IntoIterator<Item = OwnFault>) -> Self {
        let heard = Heard { lasting: lasting.into_iter().collect(), ..Heard::default() };
        Self { heard: Mutex::new(heard), ..Self::default() }
    }

    /// Asks `probe` in place of hosts.
    #[cfg(test)]
    pub(super) fn probing(mut self, probe: Probe) -> Self {
        self.probe = Some(probe);
        self
    }

    /// True when one of `hosts` takes a connection.
    async fn any_answers(&self, hosts: &[String]) -> bool {
        #[cfg(test)]
        if let Some(probe) = &self.probe {
            return hosts.iter().any(|host| probe(host));
        }
        any_answers(hosts).await
    }

    fn heard<T>(&self, look: impl FnOnce(&mut Heard) -> T) -> T {
        look(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn lasts(&self, fault: OwnFault) -> bool {
        self.heard(|heard| heard.lasting.contains(&fault))
    }
}

/// A run that is being looked at.
pub(super) struct Run<'a> {
    /// The host that it talked to.
    pub(super) host: &'a str,
    /// When it began.
    pub(super) started_at: Timestamp,
    /// What it saw.
    pub(super) observed: &'a Observed,
}

/// Looks at a run's report: what is the daemon's own fault in it is made [`Class::Local`], and the
/// fault is returned.
pub(super) async fn assess(
    shared: &Shared,
    active: &Active,
    run: Run<'_>,
    report: &mut Report,
) -> Option<OwnFault> {
    let now = shared.clock.now();
    let class = report.class();
    let silent = class == Some(Class::Unreachable);
    shared.health.heard(|heard| {
        if class != Some(Class::Local) {
            heard.hosts.note(run.host, !silent, now);
        }
        for clock in &run.observed.clocks {
            let after = Duration::from_millis(u64::try_from(clock.after_ms).unwrap_or(0));
            heard.clocks.note(&clock.host, clock.shows, run.started_at.plus(after));
        }
    });
    look_at_clock(shared, active).await;
    if class.is_some_and(Class::is_definitive) && shared.health.lasts(OwnFault::Clock) {
        // What is missing is missing at any time of the day.
        report
            .blame_local(|class| matches!(class, Class::Denied | Class::Expired | Class::Invalid));
        return Some(OwnFault::Clock);
    }
    if !silent {
        if class != Some(Class::Local) {
            end(shared, OwnFault::Network).await;
        }
        return None;
    }
    let fault = if shared.health.lasts(OwnFault::Descriptors) {
        OwnFault::Descriptors
    } else {
        let message = network_fault(shared, active).await?;
        begin(shared, OwnFault::Network, message).await;
        OwnFault::Network
    };
    report.blame_local(|class| class == Class::Unreachable);
    Some(fault)
}

/// Why it is the network, if it is.
async fn network_fault(shared: &Shared, active: &Active) -> Option<String> {
    let canaries = &active.own.canaries;
    if !canaries.is_empty() {
        let mut known = shared.health.canaries.lock().await;
        let fresh = known.filter(|(at, _)| at.elapsed() < CANARY_BELIEVED);
        let answers = match fresh {
            Some((_, answers)) => answers,
            None => shared.health.any_answers(canaries).await,
        };
        *known = Some((fresh.map_or_else(Instant::now, |(at, _)| at), answers));
        return (!answers)
            .then(|| format!("none of the canaries answers: {}", canaries.join(", ")));
    }
    let silent = shared.health.heard(|heard| heard.hosts.silent())?;
    let others = shared.health.heard(|heard| unheard(active, &heard.hosts));
    let tried = silent + others.len();
    let answers = shared.health.any_answers(&others).await;
    (!answers).then(|| format!("none of {tried} hosts can be reached"))
}

/// The first hosts that nothing was heard of, as many as are tried.
fn unheard(active: &Active, known: &Hosts) -> Vec<String> {
    let mut first = BTreeSet::new();
    let all = active.watched.values().map(|one| one.host_name.as_str());
    for host in all.filter(|host| known.is_unheard(host)) {
        first.insert(host);
        if TRIED_MAX < first.len() {
            first.pop_last();
        }
    }
    first.into_iter().map(str::to_owned).collect()
}

/// True when one of `hosts` takes a connection.
async fn any_answers(hosts: &[String]) -> bool {
    let mut attempts = JoinSet::new();
    for host in hosts {
        let (host, port) = match host.rsplit_once(':') {
            Some((name, port)) => (name.to_owned(), port.parse().unwrap_or(443)),
            None => (host.clone(), 443),
        };
        attempts.spawn(async move {
            let host = host.trim_matches(['[', ']']).to_owned();
            timeout(CANARY_WAIT, tcp::connect(&host, port)).await.is_ok_and(|found| found.is_ok())
        });
    }
    while let Some(attempt) = attempts.join_next().await {
        if attempt.is_ok_and(|answers| answers) {
            return true;
        }
    }
    false
}

async fn look_at_clock(shared: &Shared, active: &Active) {
    let most = active.own.clock_skew;
    let (wrong, right) =
        shared.health.heard(|heard| (heard.clocks.wrong_by(most), heard.clocks.is_right(most)));
    if let Some(behind_ms) = wrong {
        let by = duration_text(Duration::from_millis(behind_ms.unsigned_abs()));
        let side = if behind_ms < 0 { "ahead of" } else { "behind" };
        let message = format!("the clock is {by} {side} those of several servers");
        begin(shared, OwnFault::Clock, message).await;
    } else if right {
        end(shared, OwnFault::Clock).await;
    }
}

async fn begin(shared: &Shared, fault: OwnFault, message: String) {
    if !shared.health.heard(|heard| heard.lasting.insert(fault)) {
        return;
    }
    let told =
        format!("the fault is on this side ({}), no status changes: {message}", fault.as_str());
    let stored = shared.store.degrade(fault, message, shared.tell(&shared.active())).await;
    match stored {
        Ok(_) => {
            error!(fault = fault.as_str(), "{told}");
            shared.wake_delivery();
        }
        Err(error) => {
            shared.health.heard(|heard| heard.lasting.remove(&fault));
            shared.store_failed("a fault of ours could not be stored", &error);
        }
    }
}

async fn end(shared: &Shared, fault: OwnFault) {
    if !shared.health.heard(|heard| heard.lasting.remove(&fault)) {
        return;
    }
    match shared.store.restore(fault, shared.tell(&shared.active())).await {
        Ok(_) => {
            info!(fault = fault.as_str(), "the fault on this side is over ({})", fault.as_str());
            shared.wake_delivery();
        }
        Err(error) => {
            shared.health.heard(|heard| heard.lasting.insert(fault));
            shared.store_failed("the end of a fault of ours could not be stored", &error);
        }
    }
}

/// Looks at the disk and the file descriptors of this machine until `stop`.
pub(super) async fn look(shared: std::sync::Arc<Shared>, stop: CancellationToken) {
    loop {
        let active = shared.active();
        let folder = active.fixed.0.parent().map(Path::to_owned).unwrap_or_default();
        let found = BTreeMap::from([
            (OwnFault::Disk, disk_fault(&folder, active.own.disk_free_mib)),
            (OwnFault::Descriptors, descriptor_fault()),
        ]);
        for (fault, message) in found {
            match message {
                Some(message) => begin(&shared, fault, message).await,
                None => end(&shared, fault).await,
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(LOOK) => (),
        }
    }
}

/// What is wrong with the disk that holds `folder`, if anything; what cannot be told is nothing.
fn disk_fault(folder: &Path, free_mib: u32) -> Option<String> {
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let found = rustix::fs::statvfs(here).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize) / (1024 * 1024);
    (free < u64::from(free_mib)).then(|| {
        format!("{} has {free} MiB left, less than `own_faults.disk_free_mib`", here.display())
    })
}

/// What is wrong with the file descriptors of this process, if anything.
fn descriptor_fault() -> Option<String> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current?;
    let used = u64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
    let full = limit.saturating_mul(DESCRIPTORS_MAX) / 100 <= used;
    full.then(|| format!("{used} of {limit} file descriptors are in use; raise LimitNOFILE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_canary_is_whoever_takes_a_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().to_string();
        assert!(any_answers(&["127.0.0.1:1".to_owned(), open.clone()]).await);
        drop(listener);
        assert!(!any_answers(&["127.0.0.1:1".to_owned(), open]).await);
        assert!(!any_answers(&[]).await);
    }

    #[test]
    fn a_disk_without_room_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(disk_fault(folder.path(), 0), None);
        let told = disk_fault(folder.path(), u32::MAX).unwrap();
        assert!(told.contains("MiB left"), "{told}");
        assert_eq!(disk_fault(Path::new("/nowhere"), u32::MAX), None);
    }

    #[test]
    fn descriptors_are_not_used_up_here() {
        assert_eq!(descriptor_fault(), None);
    }
}
