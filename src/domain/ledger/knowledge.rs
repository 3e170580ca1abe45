//! Incidents as receivers know them (alert state by receiver): an incident ends for the receivers that were sent
//! its beginning, in the form and under the identity of that, whatever the configuration says by then.
//!
//! Incidents are those of integrations, outages, and faults on the daemon's own side. [`notify`](super::notify)
//! emits their events, [`delivery`](super::delivery) says when a beginning is dead.

use super::case::Decided;
use super::draft::Draft;
use super::effects::{Effect, Emitted, Part, QueueChange};
use super::known::{KnownIncident, NoticeState};
use super::row::Incident;
use crate::domain::{EventType, Subscription, Timestamp};

impl KnownIncident {
    /// Returns an incident as a receiver knows it from the event that begins it there.
    pub(super) fn new(
        sent: &Emitted,
        incident: &Incident,
        subscription: &Subscription,
        now: Timestamp,
    ) -> Self {
        let end = end_of(sent.kind);
        let waits = now < subscription.timing.notifies_at(incident.since, now);
        let mut known = Self {
            incident: incident.clone(),
            receiver: subscription.receiver.clone(),
            integration: sent.integration,
            event: sent.id.clone(),
            format: Some(subscription.format),
            wants_end: subscription.wants_kind(end) && subscription.format.takes(end),
            state: if waits { NoticeState::Waiting } else { NoticeState::Sent },
            notified_at: now,
            reminders: 0,
            due_at: None,
            look_at: None,
            resend_at: None,
        };
        known.plan(subscription, now);
        known
    }
}

/// Returns the type of the event that ends what an event of type `kind` begins.
const fn end_of(kind: EventType) -> EventType {
    match kind {
        EventType::Outage | EventType::OutageResolved => EventType::OutageResolved,
        EventType::DaemonDegraded | EventType::DaemonRecovered => EventType::DaemonRecovered,
        EventType::ValidationFailed
        | EventType::ValidationRecovered
        | EventType::ValidationReminder
        | EventType::ConfigurationApplied
        | EventType::StatusChanged
        | EventType::ValidationWarning
        | EventType::FlappingStarted
        | EventType::FlappingEnded
        | EventType::ReceiverDisabled
        | EventType::WebhookPing => EventType::ValidationRecovered,
    }
}

impl Draft<'_> {
    /// Notes that an incident begins with this decision, so that no receiver knows it yet.
    pub(super) fn begin_incident(&mut self, incident: &str) {
        self.known.insert(incident.to_owned(), Vec::new());
    }

    /// Returns the receivers that know an incident, or will.
    pub(super) fn known(&self, incident: &str) -> Decided<Vec<KnownIncident>> {
        match self.known.get(incident) {
            Some(known) => Ok(known.clone()),
            None => self.case.known(incident).cloned(),
        }
    }

    /// Enqueues an event that begins `incident` or goes on with it: for the receivers that know it under its
    /// identity there, and as the beginning for the others of `wanting`.
    pub(super) fn open_incident(
        &mut self,
        sent: &Emitted,
        incident: &Incident,
        wanting: &[&Subscription],
    ) -> Decided<()> {
        let mut known = self.known(&incident.id)?;
        known.retain(|one| {
            let is_renewed = wanting.iter().any(|wanting| wanting.receiver == one.receiver);
            one.state != NoticeState::Dead || !is_renewed
        });
        for one in &mut known {
            if one.state == NoticeState::Waiting {
                one.event.clone_from(&sent.id);
                self.push(Effect::SaveKnown(Box::new(one.clone())));
            } else if self.goes_on(one, sent.kind) {
                let part = Part::of(one, Some(one.event.clone()), false);
                self.enqueue(sent, &one.receiver, Some(part));
            }
        }
        for one in wanting {
            if known.iter().all(|known| known.receiver != one.receiver) {
                let new = KnownIncident::new(sent, incident, one, self.now());
                if new.state == NoticeState::Sent {
                    self.enqueue(sent, &one.receiver, Some(Part::of(&new, None, false)));
                }
                self.push(Effect::SaveKnown(Box::new(new.clone())));
                known.push(new);
            }
        }
        self.known.insert(incident.id.clone(), known);
        Ok(())
    }

    /// Returns true when a receiver that knows an incident is sent an event of type `kind` about it: every
    /// failure, and what else it subscribes to.
    fn goes_on(&self, known: &KnownIncident, kind: EventType) -> bool {
        let subscription = self.context.subscription(&known.receiver);
        let wants =
            |one: &Subscription| kind == EventType::ValidationFailed || one.wants_kind(kind);
        known.state == NoticeState::Sent && subscription.is_some_and(wants)
    }

    /// Enqueues an event for the receivers that know an incident, which another event is about to end.
    pub(super) fn calm_incident(&mut self, sent: &Emitted, incident: &str) -> Decided<()> {
        let mut known = self.known(incident)?;
        known.retain(|one| self.goes_on(one, sent.kind));
        for one in &known {
            self.enqueue(sent, &one.receiver, Some(Part::of(one, Some(one.event.clone()), false)));
        }
        Ok(())
    }

    /// Enqueues an event that ends an incident: for the receivers that were sent its beginning, and for those
    /// of `others`, which subscribe to ends alone.
    pub(super) fn end_incident(
        &mut self,
        sent: &Emitted,
        incident: &str,
        others: &[&Subscription],
    ) -> Decided<()> {
        let known = self.known(incident)?;
        let was_sent = |one: &&KnownIncident| {
            let subscription = self.context.subscription(&one.receiver);
            let wants = one.wants_end || subscription.is_some_and(|one| one.wants_kind(sent.kind));
            one.state == NoticeState::Sent && wants
        };
        let receivers: Vec<_> = known.iter().filter(was_sent).collect();
        for one in &receivers {
            let part = Part::of(one, Some(one.event.clone()), true);
            self.enqueue(sent, &one.receiver, Some(part));
        }
        for one in others {
            if receivers.iter().all(|known| known.receiver != one.receiver) {
                self.enqueue(sent, &one.receiver, None);
            }
        }
        self.forget_incident(incident);
        Ok(())
    }

    /// Forgets an incident of which no receiver knows any more.
    pub(super) fn forget_incident(&mut self, incident: &str) {
        self.push(Effect::ForgetIncident(incident.to_owned()));
        self.known.insert(incident.to_owned(), Vec::new());
    }

    /// Enqueues an event that was stored before as the beginning of `incident` for a receiver that does not know
    /// it.
    pub(super) fn send_earlier(
        &mut self,
        sent: &Emitted,
        incident: &Incident,
        subscription: &Subscription,
    ) -> Decided<()> {
        let mut known = self.known(&incident.id)?;
        let receiver = &subscription.receiver;
        if known.iter().any(|one| one.receiver == *receiver && one.state != NoticeState::Dead) {
            return Ok(());
        }
        let new = KnownIncident::new(sent, incident, subscription, self.now());
        if new.state == NoticeState::Sent {
            self.insert_beginning(&new);
        }
        self.push(Effect::SaveKnown(Box::new(new.clone())));
        known.retain(|one| one.receiver != new.receiver);
        known.push(new);
        self.known.insert(incident.id.clone(), known);
        Ok(())
    }

    /// Enqueues the event that began an incident for a receiver, in the place of its number.
    pub(super) fn insert_beginning(&mut self, known: &KnownIncident) {
        let (receiver, integration, at) = (known.receiver.clone(), known.integration, self.now());
        self.push(Effect::Queue(QueueChange::Insert {
            event: known.event.clone(),
            receiver: receiver.clone(),
            integration,
            part: Some(Box::new(Part::of(known, None, false))),
        }));
        self.push(Effect::Queue(QueueChange::RequeueHead { receiver, integration, at }));
    }

    /// Enqueues an event for a receiver, as its part in an incident if it has one.
    pub(super) fn enqueue(&mut self, sent: &Emitted, receiver: &str, part: Option<Part>) {
        let Emitted { id, integration, .. } = sent.clone();
        self.push(Effect::Queue(QueueChange::Enqueue {
            event: id,
            receiver: receiver.to_owned(),
            integration,
            at: self.now(),
            part: part.map(Box::new),
        }));
    }
}
