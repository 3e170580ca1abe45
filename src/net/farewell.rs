//! Requests after the end: what a run that is torn down still sends, such as the cancellation of a query.
//!
//! A future that is dropped cannot wait. It leaves its last request here, where it is sent by a task of
//! its own (fire and forget, bounded in time); a command that ends waits for those tasks.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use super::tape;

/// Longest time of one request.
const LIMIT: Duration = Duration::from_secs(2);

/// Number of requests that are being sent.
static PENDING: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::Sender::new(0));

/// Request that is being sent, counted until it is dropped.
struct Counted;

impl Counted {
    fn new() -> Self {
        PENDING.send_modify(|pending| *pending += 1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        PENDING.send_modify(|pending| *pending = pending.saturating_sub(1));
    }
}

/// Sends `request` for a future that is being dropped. Outside of a runtime nothing is sent.
pub(crate) fn send(request: impl Future<Output = ()> + Send + 'static) {
    let Ok(runtime) = Handle::try_current() else { return };
    let counted = Counted::new();
    let request = tape::carried(request);
    runtime.spawn(async move {
        drop(timeout(LIMIT, request).await);
        drop(counted);
    });
}

/// Waits until every request was sent, which takes as long as one may at most.
pub(crate) async fn finished() {
    let mut pending = PENDING.subscribe();
    drop(timeout(LIMIT, pending.wait_for(|pending| *pending == 0)).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[tokio::test]
    async fn end_waits_for_requests_of_dropped_futures() {
        let sent = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&sent);
        send(async move {
            tokio::task::yield_now().await;
            flag.store(true, Ordering::Relaxed);
        });
        finished().await;
        assert!(sent.load(Ordering::Relaxed));
    }

    #[tokio::test(start_paused = true)]
    async fn request_that_hangs_is_abandoned() {
        send(std::future::pending());
        let begun = tokio::time::Instant::now();
        finished().await;
        assert!(begun.elapsed() <= LIMIT + Duration::from_millis(10));
    }

    #[test]
    fn nothing_is_sent_without_a_runtime() {
        send(async { unreachable!("no runtime") });
    }
}
