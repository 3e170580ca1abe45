//! Alerts that are being sent again: the end of one waits for that, so that it is the last message about it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Alerts that are being sent again. Their end waits until they are not: it must be the last that a receiver hears.
#[derive(Default)]
pub(super) struct Resending {
    now: Mutex<BTreeSet<(String, String)>>,
    ended: Notify,
}

impl Resending {
    /// Notes that an alert is being sent again.
    pub(super) fn enter(self: &Arc<Self>, incident: &str, receiver: &str) -> Entered {
        let key = (incident.to_owned(), receiver.to_owned());
        self.now.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        Entered { key, resending: Arc::clone(self) }
    }

    fn is_entered(&self, key: &(String, String)) -> bool {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).contains(key)
    }

    /// Waits until an alert is not being sent again.
    pub(super) async fn wait(&self, incident: &str, receiver: &str) {
        let key = (incident.to_owned(), receiver.to_owned());
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if !self.is_entered(&key) {
                return;
            }
            ended.await;
        }
    }
}

/// Alert that is being sent again until this is dropped.
pub(super) struct Entered {
    key: (String, String),
    resending: Arc<Resending>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.resending.now.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.resending.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn end_waits_until_its_alert_is_not_being_sent_again() {
        let resending = Arc::new(Resending::default());
        let entered = resending.enter("inc_1", "alerts");
        let second = Duration::from_secs(1);
        assert!(timeout(second, resending.wait("inc_1", "alerts")).await.is_err());
        assert!(timeout(second, resending.wait("inc_2", "alerts")).await.is_ok(), "another one");
        assert!(
            timeout(second, resending.wait("inc_1", "pager")).await.is_ok(),
            "another receiver"
        );
        let waiting = tokio::spawn({
            let resending = Arc::clone(&resending);
            async move { resending.wait("inc_1", "alerts").await }
        });
        tokio::time::sleep(second).await;
        assert!(!waiting.is_finished());
        drop(entered);
        assert!(timeout(second, waiting).await.is_ok());
    }
}
