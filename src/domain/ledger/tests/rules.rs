//! Rules that hold for the books after any sequence of operations.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::bench::Bench;
use crate::domain::{EventType, Payload, Status};

impl Bench {
    /// Fails when a rule of the books does not hold.
    pub(super) fn check(&self) {
        self.rows_are_consistent();
        self.events_are_numbered_without_gaps();
        self.transitions_follow_each_other();
        self.only_heads_are_due();
        self.incidents_open_and_close();
        self.outages_open_and_close();
        self.ends_are_sent_to_those_who_know();
    }

    fn rows_are_consistent(&self) {
        for Stored { row, active_config, candidate_config, .. } in self.books.rows.values() {
            let name = &row.name;
            let is_used = !row.status.subjects().is_empty();
            assert_eq!(row.next_run_at.is_some(), is_used, "{name}: what is validated is due");
            let is_known =
                row.notified == row.status && !row.warning_muted && row.flapping.is_none();
            assert!(row.mute.is_some() || is_known, "{name}: receivers know, or will");
            let is_watched =
                matches!(row.status, Status::Enabled | Status::RecurringValidationError);
            if is_watched {
                assert!(active_config.is_some() && candidate_config.is_none(), "{name}");
            }
            let fails = row.status == Status::RecurringValidationError;
            if fails {
                assert!(row.incident.is_some(), "{name}: a failure is an incident");
            }
            if matches!(row.status, Status::Disabled | Status::Deleted) {
                assert_eq!(row.incident, None, "{name}: it has ended");
            }
            if row.status == Status::Enabled && is_known {
                assert_eq!(row.incident, None, "{name}: it is over, and receivers know");
            }
            let is_member = row.outage.is_some();
            assert!(!is_member || fails || row.status != row.notified, "{name}: it does not fail");
        }
    }

    fn events_are_numbered_without_gaps(&self) {
        let mut numbers: BTreeMap<_, Vec<i64>> = BTreeMap::new();
        for event in &self.books.events {
            numbers.entry(event.integration).or_default().push(event.sequence);
        }
        for (integration, found) in numbers {
            let last =
                integration.map_or(self.books.operational, |id| self.books.rows[&id].row.sequence);
            assert_eq!(found, (1..=last).collect::<Vec<_>>(), "{integration:?}");
        }
    }

    fn transitions_follow_each_other(&self) {
        let mut statuses = BTreeMap::new();
        for one in &self.books.transitions {
            let before = statuses.insert(one.integration, one.to);
            assert_eq!(one.step.map(|step| step.from), before, "{one:?}");
            assert!(one.step.is_none_or(|step| step.to == one.to));
        }
        for (id, status) in statuses {
            assert_eq!(self.books.rows[&id].row.status, status, "the latest transition");
        }
    }

    fn only_heads_are_due(&self) {
        let mut heads = BTreeMap::new();
        let pending = |state: DeliveryState| state == DeliveryState::Pending;
        for one in self.books.deliveries.iter().filter(|one| pending(one.state)) {
            let head = heads.entry((&one.receiver, one.integration)).or_insert(one.sequence);
            *head = one.sequence.min(*head);
        }
        for one in self.books.deliveries.iter().filter(|one| pending(one.state)) {
            let is_head = heads[&(&one.receiver, one.integration)] == one.sequence;
            assert_eq!(one.due_at.is_some(), is_head, "{one:?}");
        }
    }

    /// One incident at a time: a recovery names the failure before it, and no other comes between.
    fn incidents_open_and_close(&self) {
        let mut open = BTreeMap::new();
        for event in &self.books.events {
            let Payload::Integration(data) = &event.body.data else { continue };
            match event.body.kind {
                EventType::ValidationFailed => {
                    let incident = data.incident_id.clone().unwrap();
                    let before = open.insert(data.integration.id, incident);
                    assert_eq!(before, None, "one incident at a time");
                }
                EventType::ValidationRecovered => {
                    let known = open.remove(&data.integration.id);
                    if let Some(known) = known {
                        assert_eq!(Some(known), data.incident_id);
                    }
                    assert!(data.outage_ms.is_some_and(|lasted| 0 <= lasted));
                }
                EventType::StatusChanged
                | EventType::FlappingStarted
                | EventType::FlappingEnded => {
                    open.remove(&data.integration.id);
                }
                EventType::ValidationWarning
                | EventType::ValidationReminder
                | EventType::ConfigurationApplied
                | EventType::Outage
                | EventType::OutageResolved
                | EventType::DaemonDegraded
                | EventType::DaemonRecovered
                | EventType::ReceiverDisabled
                | EventType::WebhookPing => {}
            }
        }
    }

    /// The end of an incident goes to the receivers that were sent its beginning, unless that is dead, and
    /// receivers know no incident that is over.
    fn ends_are_sent_to_those_who_know(&self) {
        let open: BTreeSet<_> = self.open_incidents().collect();
        for known in self.books.known.values() {
            assert!(open.contains(&known.incident.id), "it is over: {known:?}");
        }
        let (mut begun, mut ended) = (BTreeSet::new(), BTreeSet::new());
        for one in &self.books.deliveries {
            let Some(part) = &one.part else { continue };
            let key = (&part.incident, &one.receiver);
            if part.ends {
                assert!(part.began.is_some(), "an end without a beginning: {one:?}");
                ended.insert(key);
            } else if one.state != DeliveryState::Failed {
                begun.insert(key);
            }
        }
        for (incident, receiver) in begun {
            let is_known = self.books.known.contains_key(&(incident.clone(), receiver.clone()));
            assert_eq!(is_known, open.contains(incident), "{receiver} knows {incident}");
        }
        let were_sent = |incident: &String, receiver: &String| {
            self.books.deliveries.iter().any(|one| {
                let part = one.part.as_ref().filter(|part| !part.ends);
                one.receiver == *receiver && part.is_some_and(|part| part.incident == *incident)
            })
        };
        for (incident, receiver) in ended {
            assert!(were_sent(incident, receiver), "{receiver} never saw {incident}");
        }
    }

    fn open_incidents(&self) -> impl Iterator<Item = String> + '_ {
        let rows = self.books.rows.values().filter_map(|stored| stored.row.incident.as_ref());
        let outages = self.books.outages.values().filter(|one| one.closed_at.is_none());
        let faults = self.books.faults.values();
        let faults =
            faults.map(|one| format!("revalidated-{}-{}", one.fault.as_str(), one.since.0));
        let rows = rows.map(|incident| incident.id.clone());
        rows.chain(outages.map(|one| one.new.id.clone())).chain(faults)
    }

    /// Every outage is announced once and ends once, and its end goes to the receivers that were sent
    /// its beginning.
    fn outages_open_and_close(&self) {
        let (mut begun, mut ended) = (BTreeMap::new(), BTreeSet::new());
        let receivers = |event: &str| -> BTreeSet<_> {
            let sent = self.books.deliveries.iter().filter(|one| one.event == event);
            sent.map(|one| one.receiver.clone()).collect()
        };
        for event in &self.books.events {
            let Payload::Outage(data) = &event.body.data else { continue };
            if event.body.kind == EventType::Outage {
                let before = begun.insert(data.outage_id.clone(), event.id.clone());
                assert_eq!(before, None, "it begins once");
            } else {
                assert!(ended.insert(data.outage_id.clone()), "it ends once");
                let notified = receivers(&begun[&data.outage_id]);
                assert!(receivers(&event.id).is_subset(&notified), "an end without a beginning");
            }
        }
        for (id, one) in &self.books.outages {
            assert_eq!(one.closed_at.is_some(), ended.contains(id), "{id}");
            let others = self.books.failing(id).count();
            assert!(one.closed_at.is_none() || others == 0, "{id} has ended with members");
        }
        let open = self.books.outages.values().filter(|one| one.closed_at.is_none());
        let shared: Vec<_> = open.map(|one| (&one.new.factor, one.new.cause)).collect();
        let distinct: BTreeSet<_> = shared.iter().collect();
        assert_eq!(distinct.len(), shared.len(), "one outage of a factor at a time");
    }
}
