//! Incident as one receiver knows it (alert state by receiver).

use super::row::Incident;
use crate::domain::{Format, IntegrationId, Subscription, Timestamp, UnknownName};

/// State of an incident for one receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, strum::EnumString)]
#[strum(serialize_all = "lowercase", const_into_str, parse_err_ty = UnknownName, parse_err_fn = UnknownName::of)]
pub(crate) enum NoticeState {
    /// Nothing has been enqueued for it yet.
    Waiting,
    /// The beginning is enqueued, or delivered.
    Sent,
    /// The beginning is dead: the receiver knows nothing.
    Dead,
}

impl NoticeState {
    /// The name in the database and for people.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Incident that is open, as one receiver knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KnownIncident {
    /// Id of the incident: of an integration's, of an outage, or of a fault on the daemon's own side.
    pub(crate) incident: Incident,
    /// Name of the receiver.
    pub(crate) receiver: String,
    /// Integration that fails, if it is one.
    pub(crate) integration: Option<IntegrationId>,
    /// Id of the event that began the incident for the receiver.
    pub(crate) event: String,
    /// Format of the receiver at that time.
    pub(crate) format: Option<Format>,
    /// The receiver subscribed to the end as well.
    pub(crate) wants_end: bool,
    /// State of the incident for the receiver.
    pub(crate) state: NoticeState,
    /// Instant at which the receiver was last notified that it lasts.
    pub(crate) notified_at: Timestamp,
    /// Number of reminders that the receiver was sent.
    pub(crate) reminders: u32,
    /// When more of it is to be sent.
    pub(crate) due_at: Option<Timestamp>,
    /// When to look whether that may be sent; later than due while notifications are muted.
    pub(crate) look_at: Option<Timestamp>,
    /// When the beginning is to be sent again as it is.
    pub(crate) resend_at: Option<Timestamp>,
}

impl KnownIncident {
    /// Plans when the receiver is to be sent more of the incident.
    pub(super) fn plan(&mut self, subscription: &Subscription, now: Timestamp) {
        let timing = &subscription.timing;
        self.due_at = match self.state {
            NoticeState::Waiting => Some(timing.notifies_at(self.incident.since, now)),
            // Of outages and daemon faults there are no reminders.
            NoticeState::Sent | NoticeState::Dead => {
                let reminder = timing.reminds_at(self.reminders, self.notified_at);
                reminder.filter(|_| self.integration.is_some())
            }
        };
        self.look_at = self.due_at;
        let is_alert = self.format.unwrap_or(subscription.format) == Format::Alertmanager;
        let resend = timing.resend.filter(|_| is_alert && self.state == NoticeState::Sent);
        self.resend_at = resend.map(|every| {
            let next = now.plus(every);
            self.resend_at.map_or(next, |planned| planned.min(next))
        });
    }
}
