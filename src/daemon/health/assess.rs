//! Judges whether a failure is the daemon's own: then no status changes, and receivers are notified
//! once.
//!
//! The network is at fault when canaries are configured and none of them takes a connection; without
//! any, when several hosts were silent, none has answered lately, and of the hosts without an
//! answer none takes a connection either. The clock is at fault when several servers agree on that.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::fault::{begin, end};
use crate::daemon::active::Active;
use crate::daemon::shared::Shared;
use crate::domain::{Class, Hosts, Observed, OwnFault, Report, Timestamp, duration_text};

/// Time for which the answers of canaries are believed.
const CANARY_BELIEVED: Duration = Duration::from_secs(10);
/// The most hosts that are tried when no canaries are configured.
const TRIED_MAX: usize = 8;

/// A run that is being looked at.
pub(in crate::daemon) struct Run<'a> {
    /// The host that it talked to.
    pub(in crate::daemon) host: &'a str,
    /// Instant at which it began.
    pub(in crate::daemon) started_at: Timestamp,
    /// Observations that it made.
    pub(in crate::daemon) observed: &'a Observed,
}

/// Judges a run's report: failures by a fault of the daemon become [`Class::Local`], and the fault is
/// returned.
pub(in crate::daemon) async fn assess(
    shared: &Shared,
    active: &Active,
    run: Run<'_>,
    report: &mut Report,
) -> Option<OwnFault> {
    let now = shared.clock.now();
    let class = report.class();
    let silent = class == Some(Class::Unreachable);
    shared.health.evidence(|evidence| {
        if class != Some(Class::Local) {
            evidence.hosts.note(run.host, !silent, now);
        }
        for clock in &run.observed.clocks {
            let after = Duration::from_millis(u64::try_from(clock.after_ms).unwrap_or(0));
            evidence.clocks.note(&clock.host, clock.shows, run.started_at.plus(after));
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

/// Returns the reason for which the network is at fault, if it is.
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
    let silent = shared.health.evidence(|evidence| evidence.hosts.silent())?;
    let others = shared.health.evidence(|evidence| unheard(shared, active, &evidence.hosts));
    let tried = silent + others.len();
    let answers = shared.health.any_answers(&others).await;
    (!answers).then(|| format!("none of {tried} hosts can be reached"))
}

/// Returns the first hosts without an answer that this node is to reach, as many as are tried.
fn unheard(shared: &Shared, active: &Active, known: &Hosts) -> Vec<String> {
    let mut first = BTreeSet::new();
    let own = active.watched.values().filter(|one| shared.store.serves(&one.run_on));
    let all = own.map(|one| one.host_name.as_str());
    for host in all.filter(|host| known.is_unheard(host)) {
        first.insert(host);
        if TRIED_MAX < first.len() {
            first.pop_last();
        }
    }
    first.into_iter().map(str::to_owned).collect()
}

async fn look_at_clock(shared: &Shared, active: &Active) {
    let most = active.own.clock_skew;
    let (wrong, right) = shared
        .health
        .evidence(|evidence| (evidence.clocks.wrong_by(most), evidence.clocks.is_right(most)));
    if let Some(behind_ms) = wrong {
        let by = duration_text(Duration::from_millis(behind_ms.unsigned_abs()));
        let side = if behind_ms < 0 { "ahead of" } else { "behind" };
        let message = format!("the clock is {by} {side} those of several servers");
        begin(shared, OwnFault::Clock, message).await;
    } else if right {
        end(shared, OwnFault::Clock).await;
    }
}
