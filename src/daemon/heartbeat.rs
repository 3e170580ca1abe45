//! Heartbeat (dead man's switch): a sign of life to a service outside, which raises an alarm when none comes.
//!
//! A sign of life must not come from a daemon that only seems to live. So each is preceded by a probe: both loops
//! are woken and must finish a round, and the database must take a write. Without that nothing is sent: silence is
//! what the service acts on, and it is the only message that a stopped process can give. A fault of the daemon's
//! own is sent at once, and again while it lasts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::shared::Shared;
use super::text::chain;
use crate::domain::{HeartbeatState, OwnFault};
use crate::store::NodeNote;
use crate::webhook::{Beat, HeartbeatSender};

/// Longest wait for the progress of the loops and the write, if half a period is longer.
const PROBE_MAX: Duration = Duration::from_secs(30);
/// Time between two looks at the progress of the loops.
const LOOK: Duration = Duration::from_millis(20);
/// Time between two looks at the configuration while there is no heartbeat, should no wake-up come.
const OFF: Duration = Duration::from_mins(10);

/// Sends heartbeats until `stop`, by the configuration in force.
pub(super) async fn beat(shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let began = Instant::now();
        let sender = shared.active().heartbeat.clone();
        let period = if let Some(sender) = &sender {
            if stop.run_until_cancelled(once(&shared, sender)).await.is_none() {
                return;
            }
            sender.every()
        } else {
            set(&shared, None).await;
            OFF
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(period.saturating_sub(began.elapsed())) => (),
            () = shared.beating.notified() => (),
        }
    }
}

/// Sends one heartbeat, if there is a reason to.
async fn once(shared: &Shared, sender: &HeartbeatSender) {
    let faults = shared.health.faults();
    let problem = if faults.is_empty() {
        match probe(shared, sender.every()).await {
            Ok(()) => sender.send(Beat::Alive).await.err(),
            Err(reason) => Some(format!("withheld: {reason}")),
        }
    } else {
        sender.send(Beat::Failing(&named(&faults))).await.err()
    };
    let delivered_at = match &problem {
        None => Some(shared.clock.now()),
        Some(_) => shared.latest_heartbeat.get().and_then(|state| state.delivered_at),
    };
    let every_secs = sender.every().as_secs();
    set(shared, Some(HeartbeatState { every_secs, delivered_at, problem })).await;
}

/// Returns the line that names the faults; their messages may name hosts, which are no business of the service.
fn named(faults: &[OwnFault]) -> String {
    let names: Vec<_> = faults.iter().map(|fault| fault.as_str()).collect();
    format!("daemon.degraded: {}", names.join(", "))
}

/// Waits until both loops have made progress, and the database has taken a write.
///
/// # Errors
///
/// Fails with what stands still.
async fn probe(shared: &Shared, every: Duration) -> Result<(), String> {
    let limit = PROBE_MAX.min(every / 2);
    let before = shared.progress();
    shared.planning.notify_one();
    shared.delivering.notify_one();
    let progress = async {
        loop {
            let now = shared.progress();
            if before.0 < now.0 && before.1 < now.1 {
                return;
            }
            sleep(LOOK).await;
        }
    };
    if timeout(limit, progress).await.is_err() {
        let name = if shared.progress().0 == before.0 { "planner" } else { "outbox" };
        return Err(format!("the {name} makes no progress"));
    }
    match timeout(limit, shared.store.note(NodeNote::Seen(shared.clock.now()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("the database cannot be written: {}", chain(&error))),
        Err(_elapsed) => Err("the database takes no write".to_owned()),
    }
}

/// Takes over a state: for metrics, the log and the store.
async fn set(shared: &Shared, state: Option<HeartbeatState>) {
    let before = shared.latest_heartbeat.replace(state.clone());
    if before == state {
        return;
    }
    let former = before.as_ref().and_then(|state| state.problem.as_deref());
    match &state {
        Some(HeartbeatState { problem: Some(problem), .. }) if former != Some(problem) => {
            warn!("no heartbeat: {problem}");
        }
        Some(HeartbeatState { problem: None, .. }) if former.is_some() => {
            info!("heartbeats are sent again");
        }
        Some(_) | None => {}
    }
    if let Err(error) = shared.store.note(NodeNote::Heartbeat(state)).await {
        shared.store_failed("the state of the heartbeat cannot be stored", &error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_heartbeat_names_the_faults_alone() {
        assert_eq!(named(&[OwnFault::Disk]), "daemon.degraded: disk");
        assert_eq!(named(&[OwnFault::Network, OwnFault::Disk]), "daemon.degraded: network, disk");
    }
}
