//! Events and who is sent them: one delivery per receiver that subscribes to the event (transactional
//! outbox), unless the outage that it belongs to has been announced to the receiver in its place.

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::{Effect, NewEvent, QueueChange};
use super::row::Row;
use crate::domain::{
    Change, Drift, Event, EventData, EventType, IntegrationId, Payload, RunRef, SCHEMA_VERSION,
    Status, Subscription, Timestamp, ValidationResults,
};

/// Content of an event besides what the row says.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    /// The run that caused it.
    pub(super) run: Option<RunRef>,
    /// Latest results of the integration.
    pub(super) results: Option<ValidationResults>,
    /// The differences from the results before.
    pub(super) changes: Vec<Change>,
    /// The outage that it belongs to.
    pub(super) group: Option<String>,
    /// The facts in which a failing run differs from the last passing one.
    pub(super) drift: Vec<Drift>,
}

/// Kind of an event about one integration, with the status that receivers know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    /// Type of the event.
    pub(super) kind: EventType,
    /// The status of which receivers were notified last.
    pub(super) previous: Option<Status>,
}

impl Draft<'_> {
    /// Adds an event with the next number of the integration, and enqueues it for each receiver that
    /// subscribes to it.
    pub(super) fn emit(&mut self, row: &mut Row, notice: Notice, story: Story) -> Decided<()> {
        let kind = notice.kind;
        row.sequence = row.sequence.saturating_add(1);
        let outage_ms = self.incident_ms(row, kind)?;
        let data = EventData {
            schema_version: SCHEMA_VERSION,
            epoch: self.case.head()?.epoch.clone(),
            sequence: row.sequence,
            transition: None,
            reminder: None,
            incident_id: row.incident.as_ref().map(|incident| incident.id.clone()),
            integration: row.reference(),
            status: row.status,
            previous_status: notice.previous,
            validation_results: story.results,
            changes: story.changes,
            drift: story.drift,
            run: story.run,
            failing_since: row.incident.as_ref().map(|incident| incident.since),
            outage_ms,
            ended_by: None,
            group: story.group,
        };
        let group = data.group.clone();
        let data = Payload::Integration(Box::new(data));
        let body = Event { kind, timestamp: self.now(), data };
        let event = self.insert(Some(row.id), row.sequence, body)?;
        let subscriptions = &self.context.subscriptions;
        for one in subscriptions.iter().filter(|one| one.wants(kind, row.about())) {
            if !self.is_announced(group.as_deref(), one)? {
                self.enqueue(&event, &one.receiver, Some(row.id), row.sequence);
            }
        }
        Ok(())
    }

    /// Adds an event about no single integration, numbered `sequence`, and enqueues it for
    /// `receivers`; returns its id.
    pub(super) fn emit_operational(
        &mut self,
        sequence: i64,
        body: Event,
        receivers: &[&str],
    ) -> Decided<String> {
        let event = self.insert(None, sequence, body)?;
        for receiver in receivers {
            self.enqueue(&event, receiver, None, sequence);
        }
        Ok(event)
    }

    fn insert(
        &mut self,
        integration: Option<IntegrationId>,
        sequence: i64,
        body: Event,
    ) -> Decided<String> {
        let id = self.fresh_id("evt")?;
        let event = NewEvent { id: id.clone(), integration, sequence, body };
        self.push(Effect::InsertEvent(Box::new(event)));
        Ok(id)
    }

    fn enqueue(
        &mut self,
        event: &str,
        receiver: &str,
        integration: Option<IntegrationId>,
        sequence: i64,
    ) {
        let (event, receiver, at) = (event.to_owned(), receiver.to_owned(), self.now());
        let change = QueueChange::Enqueue { event, receiver, integration, sequence, at };
        self.push(Effect::Queue(change));
    }

    /// Returns how long the incident lasted that a recovery ends: until the status changed, which may
    /// be long before receivers can be notified of it.
    fn incident_ms(&self, row: &Row, kind: EventType) -> Decided<Option<i64>> {
        let ended = row.incident.as_ref().filter(|_| kind == EventType::ValidationRecovered);
        let Some(incident) = ended else { return Ok(None) };
        let until = if self.has_stepped {
            self.now()
        } else {
            self.case.instant(Need::StatusSince(row.id))?.unwrap_or(self.now())
        };
        Ok(Some(millis(until, incident.since)))
    }

    /// Returns true when the receiver was sent the beginning of the outage `group`, and subscribes to
    /// nothing besides.
    fn is_announced(&self, group: Option<&str>, subscription: &Subscription) -> Decided<bool> {
        let Some(outage) = group.filter(|_| subscription.is_grouped()) else { return Ok(false) };
        let opened = self.opened.as_ref().filter(|opened| opened.id == outage);
        let receivers = match opened {
            Some(opened) => &opened.receivers,
            None => self.case.outage_receivers(outage)?,
        };
        Ok(receivers.contains(&subscription.receiver))
    }
}

/// Returns the whole milliseconds from `since` to `until`.
pub(super) fn millis(until: Timestamp, since: Timestamp) -> i64 {
    i64::try_from(until.since(since).as_millis()).unwrap_or(i64::MAX)
}
