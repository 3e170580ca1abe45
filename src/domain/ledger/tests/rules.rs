//! Rules that hold for the books after any sequence of operations.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::bench::Bench;
use super::books::is_good;
use crate::domain::{EventType, Payload, Status, Subject};

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
            assert_eq!(row.next_run_at.is_some(), row.status.is_validated(), "{name}: it is due");
            let in_flight = matches!(
                row.status,
                Status::Creating | Status::Editing | Status::Migrating | Status::Deleting
            );
            let is_known = !row.has_news() && !row.warning_muted && row.flapping.is_none();
            assert!(in_flight || row.mute.is_some() || is_known, "{name}: receivers know, or will");
            assert_eq!(row.pending, row.status.leaves(row.pending), "{name}: what is pending");
            let has_candidate = row.status.subjects(row.pending).contains(&Subject::Candidate);
            let is_tried = !row.status.is_untried();
            if row.status.is_validated() && row.status != Status::DeleteError {
                assert_eq!(candidate_config.is_some(), has_candidate, "{name}: the candidate");
                assert_eq!(active_config.is_some(), is_tried, "{name}: in force");
            }
            self.results_belong_to_their_configuration(row);
            let fails = row.status == Status::RecurringValidationError;
            if row.status.is_error() {
                assert!(row.incident.is_some(), "{name}: a failure is an incident");
            }
            if matches!(row.status, Status::Disabled | Status::Deleted) {
                assert_eq!(row.incident, None, "{name}: it has ended");
            }
            if row.status == Status::Enabled && row.mute.is_none() {
                assert_eq!(row.incident, None, "{name}: it is over, and receivers know");
            }
            if row.incident.is_none() {
                assert_eq!(row.notified, row.status, "{name}: nothing is waited for");
            }
            let is_member = row.outage.is_some();
            assert!(!is_member || fails || row.status != row.notified, "{name}: it does not fail");
        }
    }

    /// Results in force are of the configuration in force, or of a candidate that has become it.
    fn results_belong_to_their_configuration(&self, row: &Row) {
        let run = |id: Option<i64>| self.books.runs.iter().find(|run| Some(run.id.0) == id);
        if let Some(run) = run(row.active.last_run).filter(|_| !row.status.is_untried()) {
            let was_adopted = is_good(run) || row.status == Status::Disabled;
            let is_gone = matches!(row.status, Status::Deleting | Status::Deleted);
            assert!(run.subject == Subject::Active || was_adopted || is_gone, "{run:?}");
        }
        if let Some(run) = run(row.candidate.last_run) {
            assert_eq!(run.subject, Subject::Candidate, "{}", row.name);
        }
    }

    fn events_are_numbered_without_gaps(&self) {
        let (mut numbers, mut changes) = (BTreeMap::<_, Vec<i64>>::new(), BTreeMap::new());
        for event in &self.books.events {
            let counted = numbers.entry(event.integration).or_default();
            let is_reminder = event.body.kind == EventType::ValidationReminder;
            if event.body.kind != EventType::StatusChanged && !is_reminder {
                counted.push(event.sequence);
                continue;
            }
            assert_eq!(event.sequence, counted.last().copied().unwrap_or(0), "{event:?}");
            if is_reminder {
                continue;
            }
            let Payload::Integration(data) = &event.body.data else { panic!("{event:?}") };
            let change = changes.entry(event.integration).or_insert(0);
            *change += 1;
            assert_eq!(data.transition, Some(*change), "{event:?}");
        }
        for (integration, found) in numbers {
            let last =
                integration.map_or(self.books.operational, |id| self.books.rows[&id].row.sequence);
            assert_eq!(found, (1..=last).collect::<Vec<_>>(), "{integration:?}");
        }
        for (integration, count) in changes {
            assert_eq!(self.books.rows[&integration.unwrap()].row.transitions, count);
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
            let head = heads.entry((&one.receiver, one.integration)).or_insert(one.number);
            *head = one.number.min(*head);
        }
        for one in self.books.deliveries.iter().filter(|one| pending(one.state)) {
            let is_head = heads[&(&one.receiver, one.integration)] == one.number;
            assert_eq!(one.due_at.is_some(), is_head, "{one:?}");
        }
    }

    /// One incident at a time: it ends once, under the id that the failure had, and only by a recovery.
    fn incidents_open_and_close(&self) {
        let mut open = BTreeMap::new();
        for event in &self.books.events {
            let Payload::Integration(data) = &event.body.data else { continue };
            let id = data.integration.id;
            match event.body.kind {
                EventType::ValidationFailed => {
                    assert!(data.status.is_error(), "{event:?}");
                    let incident = data.incident_id.clone().unwrap();
                    let known = open.entry(id).or_insert_with(|| incident.clone());
                    assert_eq!(*known, incident, "one incident at a time");
                }
                EventType::FlappingStarted => {
                    if let Some(incident) = data.incident_id.clone() {
                        let known = open.entry(id).or_insert_with(|| incident.clone());
                        assert_eq!(*known, incident, "one incident at a time");
                    }
                }
                EventType::ValidationRecovered => {
                    assert_eq!(open.remove(&id), data.incident_id, "it ends once: {event:?}");
                    assert!(data.outage_ms.is_some_and(|lasted| 0 <= lasted));
                    assert!(data.ended_by.is_some(), "{event:?}");
                }
                EventType::StatusChanged
                | EventType::FlappingEnded
                | EventType::ValidationWarning
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
        for Stored { row, .. } in self.books.rows.values() {
            let known = row.incident.as_ref().filter(|incident| incident.is_notified);
            assert_eq!(open.get(&row.id.0), known.map(|one| &one.id), "{}", row.name);
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
