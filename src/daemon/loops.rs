//! Loops that make up the daemon: planner, outbox, retention, mutes, health and the watchdog.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::clock::Watch;
use super::error::DaemonError;
use super::shared::Shared;
use super::{deliver, health, notify, plan, prune, release, resend, save_awake};

/// Loops that make up the daemon.
pub(super) struct Loops {
    planner: JoinHandle<()>,
    outbox: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

impl Loops {
    /// Starts all of them; `clock_watch` began with the start, `stop` ends them, `abort` also what they have
    /// begun.
    pub(super) fn start(
        shared: &Arc<Shared>,
        clock_watch: Watch,
        stop: &CancellationToken,
        abort: &CancellationToken,
    ) -> Self {
        let plan = plan::plan(Arc::clone(shared), clock_watch, stop.clone(), abort.clone());
        let deliver = deliver::deliver(Arc::clone(shared), stop.clone(), abort.clone());
        let mut others = vec![
            tokio::spawn(prune::prune(Arc::clone(shared), stop.clone())),
            tokio::spawn(save_awake::keep(Arc::clone(shared), stop.clone())),
            tokio::spawn(release::release(Arc::clone(shared), stop.clone())),
            tokio::spawn(resend::resend(Arc::clone(shared), stop.clone())),
            tokio::spawn(health::watch_machine(Arc::clone(shared), stop.clone())),
        ];
        if let Some(period) = sd_notify::watchdog_enabled() {
            others.push(tokio::spawn(watch(Arc::clone(shared), period, stop.clone())));
        }
        Self { planner: tokio::spawn(plan), outbox: tokio::spawn(deliver), others }
    }

    /// Waits for a loop that ends although it was not stopped, which only a defect does.
    pub(super) async fn ended_early(&mut self) -> DaemonError {
        tokio::select! {
            biased;
            _ = &mut self.planner => DaemonError::Ended("planner"),
            _ = &mut self.outbox => DaemonError::Ended("outbox"),
        }
    }

    /// Waits for the work under way, at most `deadline`; then ends it. A run that is ended stores nothing
    /// and is repeated after the next start; so is a delivery, under its old id.
    pub(super) async fn drain(self, deadline: Duration, abort: &CancellationToken) {
        let Self { planner, outbox, others } = self;
        let all = async move {
            for ended in [planner, outbox].into_iter().chain(others) {
                if ended.is_finished() {
                    continue;
                }
                if let Err(error) = ended.await {
                    error!("a loop ended in a panic: {error}");
                }
            }
        };
        tokio::pin!(all);
        if timeout(deadline, &mut all).await.is_err() {
            warn!("the drain deadline has passed; ending what still runs");
            abort.cancel();
            all.await;
        }
    }
}

/// Pings systemd's watchdog as long as both loops make progress.
async fn watch(shared: Arc<Shared>, period: Duration, stop: CancellationToken) {
    loop {
        let before = shared.progress();
        shared.planning.notify_one();
        shared.delivering.notify_one();
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(period / 3) => (),
        }
        let after = shared.progress();
        if before.0 < after.0 && before.1 < after.1 {
            notify::watchdog();
        } else {
            let (planner, outbox) = (before.0 < after.0, before.1 < after.1);
            warn!(planner, outbox, "no progress; the watchdog is not notified");
        }
    }
}

/// Waits for a request to stop, or for a loop that ends without one.
///
/// The loops look at the same request and may have followed it before it is noticed here, so the
/// request comes first.
pub(super) async fn asked_or_ended(
    asked: impl Future<Output = ()>,
    ended: impl Future<Output = DaemonError>,
) -> Result<(), DaemonError> {
    tokio::select! {
        biased;
        () = asked => Ok(()),
        ended = ended => Err(ended),
    }
}
