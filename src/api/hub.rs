//! Source of live notices, which costs nothing while there is no listener.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

/// Notices that a slow reader may be behind; then it is asked to read everything again.
const LAG_MAX: usize = 256;
/// Notice of a change.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// Name of its event.
    pub(super) name: &'static str,
    /// Text of the event.
    pub(super) data: String,
    /// Labels of the integration that it is about; none for what only a caller sees that sees everything.
    pub(super) labels: Option<BTreeMap<String, String>>,
}

/// Source of notices, which looks at the store only while it has listeners.
#[derive(Debug)]
pub(super) struct Hub {
    notices: broadcast::Sender<Arc<Notice>>,
    is_running: Mutex<bool>,
}

impl Default for Hub {
    fn default() -> Self {
        let (notices, _none) = broadcast::channel(LAG_MAX);
        Self { notices, is_running: Mutex::default() }
    }
}

impl Hub {
    /// Returns the notices from now on, after `start` when nothing looks for changes yet.
    pub(super) fn subscribe(&self, start: impl FnOnce()) -> broadcast::Receiver<Arc<Notice>> {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.notices.subscribe();
        if !*is_running {
            *is_running = true;
            start();
        }
        receiver
    }

    /// Returns true, and counts as ended, when no one listens any more.
    pub(super) fn is_over(&self) -> bool {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        *is_running = 0 < self.notices.receiver_count();
        !*is_running
    }

    pub(super) fn send(&self, notice: Notice) {
        // Without a listener the notice is of no use.
        let _none = self.notices.send(Arc::new(notice));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_started_by_the_first_listener_and_end_with_the_last() {
        let (hub, started) = (Hub::default(), std::cell::Cell::new(0));
        let start = || started.set(started.get() + 1);
        let (one, two) = (hub.subscribe(start), hub.subscribe(start));
        assert_eq!((started.get(), hub.is_over()), (1, false));
        drop((one, two));
        assert!(hub.is_over());
        let _three = hub.subscribe(start);
        assert_eq!(started.get(), 2);
    }

    #[tokio::test]
    async fn slow_listener_learns_that_it_lost_notices() {
        let hub = Hub::default();
        let mut listener = hub.subscribe(|| ());
        for number in 0..300 {
            hub.send(Notice { name: "integration", data: number.to_string(), labels: None });
        }
        let lost = listener.recv().await.unwrap_err();
        assert!(matches!(lost, broadcast::error::RecvError::Lagged(_)), "{lost}");
    }
}
