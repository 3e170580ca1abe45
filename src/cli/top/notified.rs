//! Notifications of status changes: which receivers were sent one, and how long that took.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::store::{DeliveryRow, DeliveryState};

/// Words about the notifications of changes, by the integration and the instant.
#[derive(Debug, Default)]
pub(super) struct Notified(BTreeMap<(String, Timestamp), Vec<String>>);

impl Notified {
    /// Notifications that these deliveries are.
    pub(super) fn of(deliveries: &[DeliveryRow]) -> Self {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        // Deliveries come newest first.
        for row in deliveries.iter().rev() {
            let Some(name) = &row.integration else { continue };
            let key = (name.clone(), row.created_at);
            all.entry(key).or_default().push(words(row));
        }
        Self(all)
    }

    /// Returns the words about the change of an integration at an instant; empty for none.
    pub(super) fn about(&self, name: &str, at: Timestamp) -> String {
        let found = self.0.get(&(name.to_owned(), at));
        found.map_or_else(String::new, |words| format!("notified {}", words.join(", ")))
    }
}

/// Returns the receiver, and the time from the event to the receipt or the state.
fn words(row: &DeliveryRow) -> String {
    let last = row.attempts.last();
    let ended = last.map(|attempt| attempt.started_at.plus(attempt.duration));
    match row.state {
        DeliveryState::Delivered => {
            let took = ended.map(|at| brief(at.since(row.created_at)));
            format!("{} {}", row.receiver, took.unwrap_or_default()).trim_end().to_owned()
        }
        DeliveryState::Pending => format!("{} pending", row.receiver),
        DeliveryState::Failed => format!("{} dead", row.receiver),
    }
}

/// Returns a duration in tenths of a second below ten of them.
fn brief(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..10_000 => format!("{}.{}s", millis / 1000, millis % 1000 / 100),
        _ => super::cell::short(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::AttemptRow;
    use crate::view::samples;

    #[test]
    fn change_has_the_receivers_that_were_notified_of_it() {
        let [dead, pending] = samples::deliveries();
        let at = dead.created_at;
        let attempt = |ms| AttemptRow {
            number: 1,
            started_at: at.plus(Duration::from_millis(ms)),
            duration: Duration::from_millis(40),
            code: Some(204),
            detail: String::new(),
        };
        let delivered = |receiver: &str, ms| DeliveryRow {
            receiver: receiver.to_owned(),
            state: DeliveryState::Delivered,
            attempts: vec![attempt(ms)],
            ..dead.clone()
        };
        let rows = [pending, dead.clone(), delivered("late", 90_000), delivered("soon", 290)];
        let notified = Notified::of(&rows);
        let expected = "notified soon 0.3s, late 1m, on-call dead, audit pending";
        assert_eq!(notified.about("lake", at), expected);
        assert_eq!(notified.about("lake", at.plus(Duration::from_secs(1))), "");
        assert_eq!(notified.about("other", at), "");
    }
}
