//! Messages: who is owed which, who is sent them in which order, and who has them.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Checker;
use super::faults::SECOND;
use super::rules;
use super::time::Time;
use super::world::Trace;
use crate::domain::Timestamp;
use crate::webhook::Message;

/// A message that is owed.
#[derive(Debug)]
pub(super) struct Owed {
    /// Which integration it is about, and its number there.
    pub(super) about: (Option<i64>, i64),
    body: String,
    /// It belongs to an outage: when that ends before it does, everybody is told of it.
    in_outage: bool,
    /// By receiver: what became of it.
    receivers: BTreeMap<usize, Delivery>,
}

/// What became of a message for one receiver.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// The receiver has it.
    pub(super) is_taken: bool,
    /// The store says so.
    pub(super) has_ended: bool,
    /// Since when.
    ended_at: Timestamp,
}

impl Checker {
    pub(super) fn event(
        &mut self,
        (id, integration, sequence): (String, Option<i64>, i64),
        kind: &str,
        body: String,
    ) {
        let parsed: serde_json::Value = serde_json::from_str(&body).unwrap();
        let group = parsed["data"]["group"].as_str().map(str::to_owned);
        if let Some(group) = group.as_ref().filter(|_| kind == "integration.validation.failed")
            && !self.outages.contains(group)
        {
            self.violated(format!("{kind} belongs to an outage that is not told: {group}"));
        }
        let wants = self.wants.iter().enumerate();
        let wanting = wants.filter(|(_, wants)| wants.wants(kind, group.is_some()));
        let wanting: BTreeSet<_> = wanting.map(|(to, _)| to).collect();
        if integration.is_none() {
            self.operation(sequence, kind, &parsed["data"]);
        }
        if let Some(tracked) = integration.and_then(|id| self.tracked.get_mut(&id)) {
            let found = rules::event(tracked, sequence, kind, &body);
            self.violations.extend(found);
        }
        let about = (integration, sequence);
        self.unowed.push((id.clone(), wanting));
        let in_outage = group.is_some();
        let owed = Owed { about, body, in_outage, receivers: BTreeMap::new() };
        if self.owed.insert(id, owed).is_some() {
            self.violated(format!("two events have one id, the later is {about:?}"));
        }
    }

    /// An event about no single integration.
    fn operation(&mut self, sequence: i64, kind: &str, data: &serde_json::Value) {
        if sequence != self.operational + 1 {
            let before = self.operational;
            self.violated(format!("event {sequence} ({kind}) follows {before}"));
        }
        self.operational = sequence;
        let outage = data["outageId"].as_str().unwrap_or_default().to_owned();
        let fits = match kind {
            "integrations.outage" => self.outages.insert(outage),
            "integrations.outage.resolved" => self.outages.remove(&outage),
            "daemon.degraded" => {
                self.degraded += 1;
                true
            }
            "daemon.recovered" => {
                self.degraded -= 1;
                0 <= self.degraded
            }
            _ => false,
        };
        if !fits {
            self.violated(format!("event {sequence} ({kind}) has no place: {data}"));
        }
    }

    pub(super) fn delivery(
        &mut self,
        event: &str,
        (receiver, state): (usize, &str),
        now: Timestamp,
    ) {
        let Some(owed) = self.owed.get_mut(event) else {
            self.violated("a delivery is of no event".to_owned());
            return;
        };
        let about = owed.about;
        if !owed.receivers.contains_key(&receiver) {
            let mut unowed = self.unowed.iter_mut();
            let wanting = unowed.find(|(id, _)| id == event);
            let wanted = wanting.is_some_and(|(_, wanting)| wanting.remove(&receiver));
            if !wanted && !owed.in_outage {
                self.violated(format!("{about:?} is owed to r{receiver}, who does not want it"));
                return;
            }
        }
        let delivery = owed.receivers.entry(receiver).or_default();
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
            self.violated(format!("{about:?} is delivered to r{receiver}, who does not have it"));
        } else if state == "failed" {
            self.violated(format!("{about:?} is given up, and r{receiver} is well by now"));
        }
    }

    /// A message is sent.
    pub(super) fn sent(
        &mut self,
        receiver: usize,
        message: &Message<'_>,
        trace: &mut Trace,
        now: Timestamp,
    ) {
        let Some(owed) = self.owed.get(message.id) else {
            self.violated(format!("r{receiver} is sent a message of no event: {}", message.body));
            return;
        };
        let about = owed.about;
        trace.note(now, format_args!("r{receiver} is sent {about:?}"));
        // One whose lease ran out while the machine slept was claimed again just before it ended.
        let is_owed = owed
            .receivers
            .get(&receiver)
            .is_some_and(|one| !one.has_ended || now.0 < one.ended_at.0 + SECOND);
        let is_same = owed.body == message.body;
        let pending = self.pending.get(&(receiver, about.0));
        let before = pending.and_then(BTreeSet::first).is_some_and(|first| *first < about.1);
        for (wrong, what) in [
            (!is_owed, "is sent what it is not owed"),
            (!is_same, "is sent another body than is stored"),
            (before, "is sent a message before an earlier one"),
        ] {
            if wrong {
                self.violated(format!("r{receiver} {what}: {about:?}"));
            }
        }
    }

    /// A receiver has taken a message.
    pub(super) fn took(
        &mut self,
        receiver: usize,
        message: &Message<'_>,
        time: &Time,
        trace: &mut Trace,
    ) {
        let Some(owed) = self.owed.get_mut(message.id) else { return };
        let Some(delivery) = owed.receivers.get_mut(&receiver) else { return };
        let (about, is_first) = (owed.about, !delivery.is_taken);
        delivery.is_taken = true;
        let now = time.now();
        let again = if is_first { "" } else { " again" };
        trace.note(now, format_args!("r{receiver} takes {about:?}{again}"));
        if is_first {
            self.counts[2] += 1;
            let body: serde_json::Value = serde_json::from_str(message.body).unwrap();
            let kind = body["type"].as_str().unwrap_or_default().to_owned();
            let number = about.0.and_then(|id| Some(self.tracked.get(&id)?.number));
            self.told.push((receiver, number, kind, now));
        }
    }
}
