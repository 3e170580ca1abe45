//! Outcome of operations on a bench: events, and the deliveries of each receiver.

use std::time::Duration;

use super::bench::Bench;
use super::books::Delivery;
use crate::domain::{DeliveryId, EventType, IntegrationId, Next};

impl Bench {
    /// Delivers to `name` until nothing is left; returns the events in the order of their delivery.
    pub(super) fn deliver(&mut self, name: &str) -> Vec<(Option<IntegrationId>, usize)> {
        let mut order = Vec::new();
        while let [first, ..] = self.claim(name).as_slice() {
            for other in &mut self.books.deliveries {
                if other.id != first.id && other.receiver == name {
                    other.token = None;
                }
            }
            order.push((first.integration, first.number));
            self.attempt(first, Next::Delivered);
            self.wait(Duration::from_secs(1));
        }
        order
    }

    pub(super) fn delivery(&self, id: DeliveryId) -> &Delivery {
        self.books.deliveries.iter().find(|one| one.id == id).unwrap()
    }

    /// The types of the events about an integration from number `from` on.
    pub(super) fn notified(&self, name: &str, from: usize) -> Vec<EventType> {
        let id = Some(self.id(name));
        let own = self.books.events.iter().filter(|one| one.integration == id);
        own.skip(from - 1).map(|one| one.body.kind).collect()
    }

    /// The number of events about an integration.
    pub(super) fn count(&self, name: &str) -> usize {
        self.notified(name, 1).len()
    }

    /// The types of all events.
    pub(super) fn kinds(&self) -> Vec<EventType> {
        self.books.events.iter().map(|event| event.body.kind).collect()
    }

    /// The types of the events that are, or were, queued for a receiver.
    pub(super) fn queued(&self, receiver: &str) -> Vec<EventType> {
        let of = |one: &Delivery| {
            self.books.events.iter().find(|event| event.id == one.event).unwrap().body.kind
        };
        let sent = self.books.deliveries.iter().filter(|one| one.receiver == receiver);
        sent.map(of).collect()
    }

    /// The body of the latest event.
    pub(super) fn last_event(&self) -> serde_json::Value {
        serde_json::to_value(&self.books.events.last().unwrap().body).unwrap()
    }
}
