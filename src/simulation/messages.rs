//! Messages: those that are queued for each receiver, the order in which they are sent, and those that
//! were taken.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Checker;
use super::expected;
use super::faults::SECOND;
use super::knowledge::{self, Part};
use super::rules::Wants;
use super::time::Time;
use super::world::Trace;
use crate::domain::Timestamp;
use crate::webhook::Message;

/// Id of an integration, none for all others, with the sequence number of an event about it.
type About = (Option<i64>, i64);

/// Event that a commit has stored.
pub(super) struct Event {
    /// Id of the event.
    pub(super) id: String,
    /// Integration that it is about, and its sequence number there.
    pub(super) about: About,
    /// Type of the event.
    pub(super) kind: String,
    /// Body of its messages.
    pub(super) body: String,
}

/// Message that is queued for receivers.
#[derive(Debug)]
pub(super) struct Queued {
    /// Integration that it is about, and its sequence number there.
    pub(super) about: About,
    body: String,
    /// Part of it in an incident.
    part: Option<Part>,
    /// True when it belongs to an outage: when that ends before it does, all receivers are notified of it.
    in_outage: bool,
    /// True when a receiver with a selection that was just edited may be sent it.
    may_be_selected: bool,
    /// Deliveries of the message by receiver.
    receivers: BTreeMap<usize, Delivery>,
}

/// Delivery of a message to one receiver.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The receiver has taken it.
    pub(super) is_taken: bool,
    /// It is no longer pending in the store.
    pub(super) has_ended: bool,
    /// Instant of the end in the store.
    ended_at: Timestamp,
}

impl Checker {
    /// Checks a stored event, and notes the receivers for which it must be queued.
    pub(super) fn event(&mut self, event: Event, now: Timestamp) {
        let Event { id, about, kind, body } = event;
        let (kind, (integration, sequence)) = (kind.as_str(), about);
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        let group = parsed["data"]["group"].as_str().map(str::to_owned);
        if let Some(group) = group.as_ref().filter(|_| kind == "integration.validation.failed")
            && !self.knowledge.outages.contains(group)
        {
            self.violated(format!("{kind} belongs to an outage without an event: {group}"));
        }
        let wants = self.wants.iter().enumerate();
        let selects = self.selection.selects(&parsed["data"]["integration"]["labels"], now);
        let wanting = wants.filter(|(_, wants)| {
            let is_selected = !matches!(wants, Wants::Team) || selects == Some(true);
            is_selected && wants.wants(kind, group.is_some())
        });
        let wanting: BTreeSet<_> = wanting.map(|(to, _)| to).collect();
        let part = knowledge::part(kind, &parsed["data"]);
        let wanting = self.knowledge.receivers(part.as_ref(), kind, wanting);
        let status = parsed["data"]["status"].as_str().unwrap_or_default();
        if let Some(id) = integration.filter(|_| matches!(status, "disabled" | "deleted")) {
            self.knowledge.forget(id);
        }
        if integration.is_none() {
            self.operation(sequence, kind, &parsed["data"]);
        }
        if let Some(tracked) = integration.and_then(|id| self.tracked.get(&id)) {
            let [name, _] = self.specs[tracked.number].names(tracked.number);
            let is_renamed = parsed["data"]["endedBy"] == "renamed";
            if is_renamed && parsed["data"]["integration"]["name"] == *name {
                self.violated(format!("event {sequence} ({kind}) ends what goes on as {name}"));
            }
        }
        if let Some(tracked) = integration.and_then(|id| self.tracked.get_mut(&id)) {
            let found = expected::event(tracked, sequence, kind, &body);
            self.violations.extend(found);
        }
        self.unqueued.push((id.clone(), wanting));
        let in_outage = group.is_some();
        let receivers = BTreeMap::new();
        let may_be_selected = selects.is_none();
        let queued = Queued { about, body, part, in_outage, may_be_selected, receivers };
        if self.queued.insert(id, queued).is_some() {
            self.violated(format!("two events have one id, the later is {about:?}"));
        }
    }

    /// Checks an event about no single integration.
    fn operation(&mut self, sequence: i64, kind: &str, data: &serde_json::Value) {
        if sequence != self.operational + 1 {
            let before = self.operational;
            self.violated(format!("event {sequence} ({kind}) follows {before}"));
        }
        self.operational = sequence;
        let outage = data["outageId"].as_str().unwrap_or_default().to_owned();
        let fits = match kind {
            "integrations.outage" => self.knowledge.outages.insert(outage),
            "integrations.outage.resolved" => self.knowledge.outages.remove(&outage),
            "daemon.degraded" => {
                self.degraded += 1;
                true
            }
            "daemon.recovered" => {
                self.degraded -= 1;
                0 <= self.degraded
            }
            "configuration.applied" => self.configured(data),
            _ => false,
        };
        if !fits {
            self.violated(format!("event {sequence} ({kind}) has no place: {data}"));
        }
    }

    /// Checks a stored delivery against the subscriptions and what the receiver has taken.
    pub(super) fn delivery(&mut self, event: &str, receiver: usize, state: &str, now: Timestamp) {
        let Some(queued) = self.queued.get_mut(event) else {
            self.violated("a delivery is of no event".to_owned());
            return;
        };
        let about = queued.about;
        if !queued.receivers.contains_key(&receiver) {
            let mut unqueued = self.unqueued.iter_mut();
            let wanting = unqueued.find(|(id, _)| id == event);
            let wanted = wanting.is_some_and(|(_, wanting)| wanting.remove(&receiver));
            let may = queued.may_be_selected && matches!(self.wants[receiver], Wants::Team);
            if !wanted && !may && !queued.in_outage {
                let what = format!("{about:?} is queued for r{receiver}");
                self.violated(format!("{what}, which does not want it"));
                return;
            }
            self.knowledge.queued(receiver, queued.part.as_ref(), about.0);
        }
        let delivery = queued.receivers.entry(receiver).or_default();
        if state != "pending" && !delivery.has_ended {
            delivery.ended_at = now;
        }
        delivery.has_ended = state != "pending";
        let is_taken = delivery.is_taken;
        let pending = self.pending.entry((receiver, about.0)).or_default();
        if state == "pending" {
            pending.insert(about.1);
        } else {
            pending.remove(&about.1);
        }
        if state == "delivered" && !is_taken {
            self.violated(format!("{about:?} is delivered to r{receiver}, which does not have it"));
        } else if state == "failed" {
            self.violated(format!("{about:?} is dead, and r{receiver} is well by now"));
        }
    }

    /// Checks a message that is sent: queued, unchanged, and in order.
    pub(super) fn sent(
        &mut self,
        receiver: usize,
        message: &Message<'_>,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(queued) = self.queued.get(message.id) else {
            self.violated(format!("r{receiver} is sent a message of no event: {}", message.body));
            return;
        };
        let about = queued.about;
        trace.note(now, format_args!("r{receiver} is sent {about:?}"));
        // One whose lease ran out while the machine slept was claimed again just before it ended.
        let is_pending = queued
            .receivers
            .get(&receiver)
            .is_some_and(|one| !one.has_ended || now.0 < one.ended_at.0 + SECOND);
        let is_same = queued.body == message.body;
        let pending = self.pending.get(&(receiver, about.0));
        let before = pending.and_then(BTreeSet::first).is_some_and(|first| *first < about.1);
        for (wrong, what) in [
            (!is_pending, "is sent a message that is not pending"),
            (!is_same, "is sent another body than the stored one"),
            (before, "is sent a message before an earlier one"),
        ] {
            if wrong {
                self.violated(format!("r{receiver} {what}: {about:?}"));
            }
        }
    }

    /// Notes a message that a receiver has taken.
    pub(super) fn took(
        &mut self,
        receiver: usize,
        message: &Message<'_>,
        time: &Time,
        trace: &mut Trace,
    ) {
        let Some(queued) = self.queued.get_mut(message.id) else { return };
        let Some(delivery) = queued.receivers.get_mut(&receiver) else { return };
        let (about, is_first) = (queued.about, !delivery.is_taken);
        delivery.is_taken = true;
        let now = time.now();
        let again = if is_first { "" } else { " again" };
        trace.note(now, format_args!("r{receiver} takes {about:?}{again}"));
        if is_first {
            self.counts[2] += 1;
            let body: serde_json::Value = serde_json::from_str(message.body).unwrap();
            let kind = body["type"].as_str().unwrap_or_default().to_owned();
            let number = about.0.and_then(|id| Some(self.tracked.get(&id)?.number));
            self.taken.push((receiver, number, kind, now));
        }
    }
}
