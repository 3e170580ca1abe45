//! Application of effects to books.

use super::super::*;
use super::books::{Books, Delivery, StoredOutage, StoredRun, StoredSilence};
use crate::domain::DeliveryId;

impl Books {
    #[expect(clippy::too_many_lines, reason = "one arm for each effect")]
    pub(super) fn apply(&mut self, effect: &Effect, run: Option<&Finished>) {
        match effect {
            Effect::SaveRow(row) => {
                let stored = self.rows.get_mut(&row.id).unwrap();
                stored.row = (**row).clone();
            }
            Effect::Contradict { node, integration, .. } => {
                self.contradicted.push((node.clone(), *integration));
            }
            Effect::InsertIntegration(new) => {
                let stored = Stored {
                    row: new.row.clone(),
                    formerly: new.formerly.clone(),
                    auto_bootstrap: new.auto_bootstrap,
                    config_shown: new.config_shown.clone(),
                    active_config: None,
                    active_catalog: None,
                    candidate_config: Some(new.config.clone()),
                    candidate_catalog: Some(new.catalog_version),
                    pool: Some(new.pool.clone()),
                };
                assert!(self.rows.insert(new.row.id, stored).is_none());
            }
            Effect::Describe(new) => {
                let stored = self.rows.get_mut(&new.row.id).unwrap();
                stored.row.name.clone_from(&new.row.name);
                stored.formerly.clone_from(&new.formerly);
                stored.row.kind.clone_from(&new.row.kind);
                stored.row.labels.clone_from(&new.row.labels);
                stored.row.cron.clone_from(&new.row.cron);
                stored.row.zone.clone_from(&new.row.zone);
                stored.auto_bootstrap = new.auto_bootstrap;
                stored.pool = Some(new.pool.clone());
                stored.config_shown.clone_from(&new.config_shown);
                let is_candidate = stored.candidate_config.is_some();
                stored.candidate_catalog = is_candidate.then_some(new.catalog_version);
            }
            Effect::Propose(new) => {
                let stored = self.rows.get_mut(&new.row.id).unwrap();
                stored.candidate_config = Some(new.config.clone());
                stored.candidate_catalog = Some(new.catalog_version);
            }
            Effect::Adopt(id) => {
                let stored = self.rows.get_mut(id).unwrap();
                if stored.candidate_config.is_some() {
                    stored.active_config = stored.candidate_config.take();
                    stored.active_catalog = stored.candidate_catalog.take();
                }
            }
            Effect::Discard(id) => {
                let stored = self.rows.get_mut(id).unwrap();
                (stored.active_config, stored.active_catalog) = (None, None);
            }
            Effect::InsertRun { id, index, rule, evidence } => {
                let finished = run.unwrap();
                let found = &finished.runs[*index];
                self.runs.push(StoredRun {
                    id: *id,
                    integration: finished.begun.id,
                    subject: found.subject,
                    started_at: finished.started_at,
                    status: found.report.status(),
                    class: found.report.class(),
                    rule: rule.clone(),
                    evidence: evidence.clone(),
                    report: StoredReport::from(&found.report),
                });
            }
            Effect::InsertTransition(new) => self.transitions.push(new.clone()),
            Effect::InsertEvent(event) => {
                assert!(self.events.iter().all(|one| one.id != event.id), "an id is given once");
                assert!(
                    event.body.data.links().is_some(),
                    "{:?} links to the page",
                    event.body.kind
                );
                self.events.push((**event).clone());
            }
            Effect::CountOperational(number) => self.operational = *number,
            Effect::Queue(change) => self.queue(change),
            Effect::OpenOutage(new) => {
                let one = StoredOutage::new((**new).clone());
                assert!(self.outages.insert(new.id.clone(), one).is_none());
            }
            Effect::JoinOutage { outage, integration } => {
                self.outages.get_mut(outage).unwrap().members.insert(*integration);
            }
            Effect::LeaveOutage(id) => self.rows.get_mut(id).unwrap().row.outage = None,
            Effect::ScheduleClose { outage, at } => {
                self.outages.get_mut(outage).unwrap().closes_at = Some(*at);
            }
            Effect::CloseOutage { outage, at } => {
                let one = self.outages.get_mut(outage).unwrap();
                assert_eq!(one.closed_at.replace(*at), None, "an outage ends once");
            }
            Effect::MakeDue { integration, at, trigger } => {
                let row = &mut self.rows.get_mut(integration).unwrap().row;
                (row.next_run_at, row.trigger) = (Some(*at), *trigger);
            }
            Effect::RaiseFault { fault, since, message } => {
                let (fault, since, message) = (*fault, *since, message.clone());
                let lasting = LastingFault { fault, since, message, node: None };
                assert!(self.faults.insert(fault, lasting).is_none());
            }
            Effect::ClearFault(fault) => assert!(self.faults.remove(fault).is_some()),
            Effect::InsertSilence { id, new, .. } => {
                let NewSilence { acknowledges, selection, from, until, .. } = (**new).clone();
                let open = Silence { id: *id, acknowledges, selection, from, until };
                self.silences.push(StoredSilence { open, ended_at: None });
            }
            Effect::EndSilence { id, at } => {
                let found = self.silences.iter_mut().find(|one| one.open.id == *id).unwrap();
                assert!(found.ended_at.replace(*at).is_none(), "it ends once");
            }
            Effect::ReevaluateMutes { at } => {
                let mutes = self.rows.values_mut().filter_map(|stored| stored.row.mute.as_mut());
                mutes.for_each(|mute| mute.until = mute.until.min(*at));
            }
            Effect::SaveKnown(known) => {
                let key = (known.incident.id.clone(), known.receiver.clone());
                self.known.insert(key, (**known).clone());
            }
            Effect::LearnIncident(known) => {
                let key = (known.incident.id.clone(), known.receiver.clone());
                self.known.entry(key).or_insert_with(|| (**known).clone()).state =
                    NoticeState::Sent;
            }
            Effect::ForgetIncident(incident) => self.known.retain(|(id, _), _| id != incident),
            Effect::BuryIncident { incident, receiver, .. } => self.bury(incident, receiver),
            Effect::ReviveIncident { incident, receiver } => {
                if let Some(known) = self.known.get_mut(&(incident.clone(), receiver.clone())) {
                    known.state = NoticeState::Sent;
                }
            }
            Effect::InsertAttempt(..) => {}
            Effect::SaveDelivery(update) => self.save_delivery(update),
            Effect::UpdateReceiver(health) => {
                self.receivers.insert(health.name.clone(), health.clone());
            }
        }
    }

    fn bury(&mut self, incident: &str, receiver: &str) {
        if let Some(known) = self.known.get_mut(&(incident.to_owned(), receiver.to_owned())) {
            known.state = NoticeState::Dead;
        }
        let ends = |one: &Delivery| {
            one.part.as_ref().is_some_and(|part| part.incident == incident && part.ends)
        };
        for one in self.deliveries.iter_mut().filter(|one| one.receiver == receiver && ends(one)) {
            if one.state == DeliveryState::Pending {
                (one.state, one.token) = (DeliveryState::Failed, None);
            }
        }
    }

    fn save_delivery(&mut self, update: &DeliveryUpdate) {
        let one = self.deliveries.iter_mut().find(|one| one.id == update.id).unwrap();
        one.attempts = update.attempts;
        let Some((state, due)) = update.outcome else { return };
        one.earlier = update.earlier;
        (one.state, one.due_at, one.token) = (state, due.or(one.due_at), None);
        let one = one.clone();
        if state == DeliveryState::Pending && self.head(&one).is_some_and(|head| head != one.id) {
            self.delivery(one.id).due_at = None;
        }
    }

    fn delivery(&mut self, id: DeliveryId) -> &mut Delivery {
        self.deliveries.iter_mut().find(|one| one.id == id).unwrap()
    }

    /// The head of the queue that a delivery is in.
    fn head(&self, like: &Delivery) -> Option<DeliveryId> {
        let queue = self.pending(&like.receiver).filter(|one| one.integration == like.integration);
        queue.min_by_key(|one| one.number).map(|one| one.id)
    }

    fn queue(&mut self, change: &QueueChange) {
        match change.clone() {
            QueueChange::Enqueue { event, receiver, integration, at, part } => {
                let id = self.insert(event, receiver, integration);
                self.delivery(id).part = part.map(|part| *part);
                let new = self.delivery(id).clone();
                if self.head(&new) == Some(id) {
                    self.delivery(id).due_at = Some(at);
                }
            }
            QueueChange::Insert { event, receiver, integration, part } => {
                let is_it = |one: &Delivery| one.event == event && one.receiver == receiver;
                if !self.deliveries.iter().any(is_it) {
                    let id = self.insert(event, receiver, integration);
                    self.delivery(id).part = part.map(|part| *part);
                }
            }
            QueueChange::Requeue(id) => {
                let one = self.delivery(id);
                assert!(one.state.has_ended(), "it is queued already");
                (one.state, one.due_at, one.earlier) = (DeliveryState::Pending, None, one.attempts);
            }
            QueueChange::Expire { id, .. } => {
                let one = self.delivery(id);
                (one.state, one.token) = (DeliveryState::Failed, None);
            }
            QueueChange::RequeueHead { receiver, integration, at } => {
                self.requeue_head(&receiver, integration, at);
            }
            QueueChange::Advance { ended, at } => {
                let ended = self.delivery(ended).clone();
                if let Some(head) = self.head(&ended) {
                    let head = self.delivery(head);
                    head.due_at = head.due_at.or(Some(at));
                }
            }
            QueueChange::ProbeNow { receiver, at } => {
                let known = self.receivers.get_mut(&receiver);
                if let Some(outage) = known.and_then(|known| known.outage.as_mut()) {
                    outage.probe_at = outage.probe_at.min(at);
                }
            }
            QueueChange::Refresh { receiver, at } => {
                for one in self.deliveries.iter_mut().filter(|one| one.receiver == receiver) {
                    if one.state == DeliveryState::Pending {
                        one.earlier = one.attempts;
                        one.due_at = one.due_at.map(|due| due.min(at));
                    }
                }
            }
        }
    }

    /// Makes the head of a queue due, and nothing behind it.
    fn requeue_head(
        &mut self,
        receiver: &str,
        integration: Option<crate::domain::IntegrationId>,
        at: crate::domain::Timestamp,
    ) {
        let queue = |one: &Delivery| one.receiver == receiver && one.integration == integration;
        let Some(any) = self.pending(receiver).find(|one| queue(one)).cloned() else { return };
        let head = self.head(&any);
        let pending = |one: &Delivery| queue(one) && one.state == DeliveryState::Pending;
        for one in self.deliveries.iter_mut().filter(|one| pending(one)) {
            let due = one.due_at.map_or(at, |due| due.min(at));
            one.due_at = (Some(one.id) == head).then_some(due);
        }
    }

    fn insert(
        &mut self,
        event: String,
        receiver: String,
        integration: Option<crate::domain::IntegrationId>,
    ) -> DeliveryId {
        let twice = |one: &Delivery| one.event == event && one.receiver == receiver;
        assert!(!self.deliveries.iter().any(twice), "an event is sent to a receiver once");
        let id = DeliveryId(self.deliveries.last().map_or(0, |one| one.id.0) + 1);
        let own = self.events.iter().filter(|one| one.integration == integration);
        let number = own.clone().position(|one| one.id == event).unwrap() + 1;
        self.deliveries.push(Delivery {
            id,
            event,
            receiver,
            integration,
            number,
            state: DeliveryState::Pending,
            due_at: None,
            attempts: 0,
            earlier: 0,
            token: None,
            part: None,
        });
        id
    }
}
