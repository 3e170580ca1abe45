//! Incidents that receivers know, for the tests of decisions.

use super::kit::{ID, NOW, World, secs};
use crate::domain::EventType;
use crate::domain::ledger::{Incident, KnownIncident, NoticeState};

impl World {
    /// Every receiver was sent the beginning of an incident that the case does not begin.
    pub(super) fn known_by_all(&self, incident: &str) -> Vec<KnownIncident> {
        let all = self.context.subscriptions.iter();
        all.map(|one| {
            known(incident, &one.receiver, one.wants_kind(EventType::ValidationRecovered))
        })
        .collect()
    }
}

/// Returns an open incident of ten minutes as a receiver knows it.
pub(super) fn known(incident: &str, receiver: &str, wants_end: bool) -> KnownIncident {
    KnownIncident {
        incident: Incident {
            id: incident.to_owned(),
            since: NOW.minus(secs(600)),
            is_notified: true,
        },
        receiver: receiver.to_owned(),
        integration: Some(ID),
        event: "evt_0".to_owned(),
        format: None,
        wants_end,
        state: NoticeState::Sent,
        notified_at: NOW.minus(secs(600)),
        reminders: 0,
        due_at: None,
        look_at: None,
        resend_at: None,
    }
}
