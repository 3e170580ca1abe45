//! The daemon's own jobs, fired by `tokio-cron-scheduler`: the only file that names it.
//!
//! It gives hints and decides nothing: it keeps the offset of a zone from registration on, may
//! fire a job twice or lose one under load, and polls twice a second. So integrations are not its
//! jobs; their rows say when they are due, and a lost hint is made up for by the loops' own timers.
//! Nor does it know when history is to be deleted, or a backup to be made: it only says every minute to look.

use tokio_cron_scheduler::{Job, JobScheduler};

pub(crate) use tokio_cron_scheduler::JobSchedulerError as JobsError;

/// For log filters: the library logs every job it is given.
pub(crate) const QUIET: &str = "tokio_cron_scheduler=warn";
/// Fires every ten seconds: a nudge to look at the rows, should every timer have been lost.
const HEARTBEAT: &str = "*/10 * * * * *";

/// Fires every minute: a nudge to see whether retention or a backup is due.
const MINUTE: &str = "0 * * * * *";

/// Starts the jobs, which must neither block nor fail: both only wake a loop.
pub(super) async fn start(
    heartbeat: impl Fn() + Clone + Send + Sync + 'static,
    minute: impl Fn() + Clone + Send + Sync + 'static,
) -> Result<Jobs, JobsError> {
    let scheduler = JobScheduler::new().await?;
    scheduler.add(job(HEARTBEAT, heartbeat)?).await?;
    scheduler.add(job(MINUTE, minute)?).await?;
    scheduler.start().await?;
    Ok(Jobs(scheduler))
}

fn job(cron: &str, wake: impl Fn() + Clone + Send + Sync + 'static) -> Result<Job, JobsError> {
    Job::new_async(cron, move |_id, _scheduler| {
        let wake = wake.clone();
        Box::pin(async move { wake() })
    })
}

/// Jobs of the daemon, while they run.
pub(super) struct Jobs(JobScheduler);

impl Jobs {
    /// Stops the jobs for good.
    pub(super) async fn stop(mut self) {
        if let Err(error) = self.0.shutdown().await {
            tracing::warn!("the job scheduler did not stop cleanly: {error}");
        }
    }
}
