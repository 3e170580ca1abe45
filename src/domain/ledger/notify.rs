//! Events and who is sent them: one delivery per receiver that subscribes to the event (transactional
//! outbox), unless the outage that it belongs to has been announced to the receiver in its place.

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::{Effect, Emitted, NewEvent};
use super::known::NoticeState;
use super::row::Row;
use crate::domain::{
    Change, Drift, EndedBy, Event, EventData, EventType, IntegrationId, Payload, RunRef,
    SCHEMA_VERSION, Status, Subscription, Timestamp, ValidationResults, VerdictNotice,
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
    /// Reason for the end of the incident.
    pub(super) ended_by: Option<EndedBy>,
    /// Verdict on the run that caused it.
    pub(super) verdict: Option<VerdictNotice>,
}

/// Content of the events of one change.
#[derive(Clone, Debug, Default)]
pub(super) struct Stories {
    /// Story of the change.
    pub(super) first: Story,
    /// Story of the pending operation that still fails after it.
    pub(super) pending: Story,
}

impl From<Story> for Stories {
    fn from(first: Story) -> Self {
        Self { first, pending: Story::default() }
    }
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
    /// Adds an event, and enqueues it for each receiver that subscribes to it. It has the next number of
    /// the integration; a status change has one of its own and repeats the latest other number.
    pub(super) fn emit(&mut self, row: &mut Row, notice: Notice, story: Story) -> Decided<()> {
        let kind = notice.kind;
        let is_transition = kind == EventType::StatusChanged;
        if is_transition {
            row.transitions = row.transitions.saturating_add(1);
        } else {
            row.sequence = row.sequence.saturating_add(1);
        }
        let data = self.data(row, notice, story)?;
        let group = data.group.clone();
        let data = Payload::Integration(Box::new(data));
        let body = Event::new(kind, self.now(), data);
        let sent = self.insert(Some(row.id), row.sequence, body)?;
        let mut wanting = Vec::new();
        for one in self.context.subscriptions.iter() {
            if one.wants(kind, row.about()) && !self.is_announced(group.as_deref(), one)? {
                wanting.push(one);
            }
        }
        let Some(incident) = row.incident.as_ref() else {
            self.enqueue_plain(&sent, &wanting);
            return Ok(());
        };
        match Role::of(kind, row.status) {
            Role::Opens => self.open_incident(&sent, incident, &wanting),
            Role::Calms => self.calm_incident(&sent, &incident.id),
            Role::Ends => {
                wanting.retain(|one| one.wants_only_ends());
                self.end_incident(&sent, &incident.id, &wanting)
            }
            Role::Informs => {
                self.enqueue_plain(&sent, &wanting);
                Ok(())
            }
        }
    }

    /// Adds reminder number `number` of the incident that `row` has, which repeats the latest number of the
    /// integration and is to be enqueued for one receiver.
    pub(super) fn insert_reminder(
        &mut self,
        row: &Row,
        number: u32,
        story: Story,
    ) -> Decided<Emitted> {
        let kind = EventType::ValidationReminder;
        let data = self.data(row, Notice { kind, previous: Some(row.notified) }, story)?;
        let data = EventData { reminder: Some(i64::from(number)), ..data };
        let data = Payload::Integration(Box::new(data));
        let body = Event::new(kind, self.now(), data);
        self.insert(Some(row.id), row.sequence, body)
    }

    /// Returns the payload of an event about `row`.
    fn data(&self, row: &Row, notice: Notice, story: Story) -> Decided<EventData> {
        let is_transition = notice.kind == EventType::StatusChanged;
        let outage_ms = self.incident_ms(row, notice.kind)?;
        Ok(EventData {
            schema_version: SCHEMA_VERSION,
            epoch: self.case.head()?.epoch.clone(),
            sequence: row.sequence,
            transition: is_transition.then_some(row.transitions),
            reminder: None,
            incident_id: row.incident.as_ref().map(|incident| incident.id.clone()),
            integration: row.reference(),
            status: row.status,
            previous_status: notice.previous,
            validation_results: story.results,
            changes: story.changes,
            drift: story.drift,
            run: story.run,
            verdict: story.verdict,
            failing_since: row.incident.as_ref().map(|incident| incident.since),
            outage_ms,
            ended_by: story.ended_by,
            group: story.group,
            links: self.context.links(|page| page.integration(&row.name, row.id.0)),
        })
    }

    /// Enqueues an event for each of `wanting` that is sent events at once.
    pub(super) fn enqueue_plain(&mut self, sent: &Emitted, wanting: &[&Subscription]) {
        // A receiver of what has lasted is sent nothing that does not last.
        for one in wanting.iter().filter(|one| one.timing.after.is_none()) {
            self.enqueue(sent, &one.receiver, None);
        }
    }

    /// Adds an event about no single integration, numbered `sequence`, which is to be enqueued.
    pub(super) fn insert_operational(&mut self, sequence: i64, body: Event) -> Decided<Emitted> {
        self.insert(None, sequence, body)
    }

    fn insert(
        &mut self,
        integration: Option<IntegrationId>,
        sequence: i64,
        body: Event,
    ) -> Decided<Emitted> {
        let (id, kind) = (self.fresh_id("evt")?, body.kind);
        let event = NewEvent { id: id.clone(), integration, sequence, body };
        self.push(Effect::InsertEvent(Box::new(event)));
        Ok(Emitted { id, integration, kind })
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
        let known = self.known(outage)?;
        Ok(known
            .iter()
            .any(|one| one.receiver == subscription.receiver && one.state != NoticeState::Dead))
    }
}

/// Role of an event in the incident that it names.
enum Role {
    /// It begins the incident or goes on with it.
    Opens,
    /// It says that the incident is about to be ended by another event.
    Calms,
    /// It ends the incident.
    Ends,
    /// It neither begins nor ends an incident.
    Informs,
}

impl Role {
    /// Returns the role of an event of type `kind` about an integration in `status`.
    const fn of(kind: EventType, status: Status) -> Self {
        match kind {
            EventType::ValidationFailed
            | EventType::ValidationReminder
            | EventType::FlappingStarted => Self::Opens,
            EventType::ValidationRecovered => Self::Ends,
            // Only a recovery ends an incident.
            EventType::FlappingEnded => {
                if status.is_error() {
                    Self::Opens
                } else {
                    Self::Calms
                }
            }
            EventType::StatusChanged
            | EventType::ConfigurationApplied
            | EventType::ValidationWarning
            | EventType::Outage
            | EventType::OutageResolved
            | EventType::DaemonDegraded
            | EventType::DaemonRecovered
            | EventType::ReceiverDisabled
            | EventType::WebhookPing => Self::Informs,
        }
    }
}

/// Returns the whole milliseconds from `since` to `until`.
pub(super) fn millis(until: Timestamp, since: Timestamp) -> i64 {
    i64::try_from(until.since(since).as_millis()).unwrap_or(i64::MAX)
}
