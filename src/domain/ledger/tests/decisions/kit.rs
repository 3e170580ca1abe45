//! Rows, runs and evidence for the tests of the ledger, and effects as lines of text.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::ledger::{
    Answer, Begun, Case, Decided, Effect, Finished, Incident, Lease, Need, NewEvent,
    NotificationContext, OutageState, QueueChange, ReceiverHealth, Row, Seen, StoreHead,
    StoredReport, SubjectRun, Suspect, Trigger,
};
use crate::domain::{
    Class, Counters, EventData, EventType, Finding, Flips, IntegrationId, Observed, Outcome,
    Payload, Policy, Report, ReportStatus, RunId, Schedule, Selection, Status, Subject,
    Subscription, Test, TestResult, Timestamp,
};

/// Instant of every decision.
pub(super) const NOW: Timestamp = Timestamp(1_795_000_000_000);
/// The integration that decisions are about.
pub(super) const ID: IntegrationId = IntegrationId(7);
/// Id that the next run gets.
pub(super) const RUN: RunId = RunId(100);
/// Token of the lease of the run at hand.
pub(super) const TOKEN: i64 = 5;

/// The most needs of one decision.
const NEEDS_MAX: usize = 40;

/// The evidence that a store would load, and the configuration of notifications.
#[derive(Clone)]
pub(super) struct World {
    pub(super) answers: BTreeMap<Need, Answer>,
    pub(super) context: NotificationContext,
}

impl World {
    /// Nothing is open, and the receiver `pager` subscribes to everything.
    pub(super) fn new() -> Self {
        let context = NotificationContext { outage_min: 3, now: NOW, ..Default::default() };
        Self { answers: BTreeMap::new(), context }.subscribed([subscription("pager", "*")])
    }

    pub(super) fn knowing(mut self, need: Need, answer: Answer) -> Self {
        self.answers.insert(need, answer);
        self
    }

    pub(super) fn subscribed<const N: usize>(mut self, all: [Subscription; N]) -> Self {
        self.context.subscriptions = all.into();
        self
    }

    /// Asks for a decision until it needs no more evidence; nothing may be asked for twice.
    pub(super) fn decide<T>(
        &self,
        decide: impl Fn(&Case, &NotificationContext) -> Decided<T>,
    ) -> T {
        let mut case = Case::new(RUN);
        for _ in 0..NEEDS_MAX {
            let need = match decide(&case, &self.context) {
                Ok(decided) => return decided,
                Err(need) => need,
            };
            let answer = self.answers.get(&need).cloned().unwrap_or_else(|| {
                if let Need::Known(incident) = &need {
                    Answer::Known(self.known_by_all(incident))
                } else {
                    nothing(&need)
                }
            });
            assert!(case.answer(need, answer), "the same need again");
        }
        panic!("more than {NEEDS_MAX} needs")
    }
}

/// Returns the answer of a store in which nothing else is.
fn nothing(need: &Need) -> Answer {
    match need {
        Need::Random => Answer::Random([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0, 0, 0]),
        Need::StoreHead => Answer::StoreHead(StoreHead { epoch: "epoch".to_owned(), sequence: 40 }),
        Need::Silences => Answer::Silences(Vec::new()),
        Need::Results(_) | Need::LatestGood(..) | Need::LatestBad(..) => Answer::Results(None),
        Need::FirstFailure(_) | Need::StatusSince(_) => Answer::Instant(None),
        Need::Factors(_) => Answer::Factors(Vec::new()),
        Need::AnotherFails(..) | Need::AnotherFailsLocally(_) => Answer::Yes(false),
        Need::IdleSiblings(_) | Need::FailingMembers(..) => Answer::Integrations(Vec::new()),
        Need::OpenOutage(..) => Answer::Outage(None),
        Need::FailingSiblings(_) => Answer::Siblings(Vec::new()),
        Need::PassingSiblings(..) | Need::Pending(_) => Answer::Count(0),
        Need::OutageState(..) => {
            Answer::OutageState(OutageState { is_open: true, is_closing: false, has_others: true })
        }
        Need::Known(_) => Answer::Known(Vec::new()),
        Need::OwnFaults => Answer::OwnFaults(Vec::new()),
    }
}

pub(super) fn subscription(receiver: &str, events: &str) -> Subscription {
    Subscription {
        receiver: receiver.to_owned(),
        events: vec![events.to_owned()],
        ..Subscription::default()
    }
}

/// Selects the integrations of this name, `*` being any text.
pub(super) fn named(pattern: &str) -> Selection {
    Selection { integrations: vec![pattern.to_owned()], ..Selection::default() }
}

pub(super) fn schedule() -> Schedule {
    Schedule::parse("0 * * * *", "UTC").unwrap()
}

/// Returns the instant at which the integration is due next by its schedule.
pub(super) fn scheduled() -> Option<Timestamp> {
    schedule().next_due(ID, NOW)
}

pub(super) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An enabled integration on which the run at hand works.
pub(super) fn row() -> Row {
    Row {
        id: ID,
        name: "warehouse".to_owned(),
        kind: "Amazon Redshift".to_owned(),
        labels: BTreeMap::from([("team".to_owned(), "data".to_owned())]),
        cron: "0 * * * *".to_owned(),
        zone: "UTC".to_owned(),
        status: Status::Enabled,
        next_run_at: Some(NOW),
        trigger: Trigger::Schedule,
        lease: Some(Lease { owner: 1, token: TOKEN, until: NOW.plus(secs(600)) }),
        counters: Counters::default(),
        sequence: 1,
        incident: None,
        last_run: Some(90),
        notified: Status::Enabled,
        mute: None,
        warning_muted: false,
        flips: Flips::default(),
        flapping: None,
        suspect: None,
        own_fault: None,
        outage: None,
        seen: Seen::default(),
    }
}

/// The same with a failure of which receivers were notified, in an incident of ten minutes.
pub(super) fn failing_row(class: Class) -> Row {
    let since = NOW.minus(secs(600));
    Row {
        status: Status::RecurringValidationError,
        notified: Status::RecurringValidationError,
        incident: Some(Incident { id: "inc_1".to_owned(), since }),
        suspect: Some(Suspect { since, class }),
        counters: Counters { failures: 3, passes: 0 },
        ..row()
    }
}

pub(super) fn report(outcome: Outcome) -> Report {
    let test = Test::always("Initial validation: connect", "");
    Report { tests: vec![TestResult { test, outcome }] }
}

pub(super) fn passed() -> Report {
    report(Outcome::Passed(None))
}

pub(super) fn failed(class: Class) -> Report {
    report(Outcome::Failed(Finding::new(class, "it failed").fix("grant it").because("42")))
}

pub(super) fn warned(message: &str) -> Report {
    report(Outcome::Warning(Finding::new(Class::Expired, message)))
}

/// A stored run with this report.
pub(super) fn stored(report: &Report) -> Answer {
    Answer::Results(Some((report.status(), StoredReport::from(report))))
}

/// A finished run of an integration in this status, with one report per subject.
pub(super) fn finished<const N: usize>(status: Status, reports: [Report; N]) -> Finished {
    let run = |(subject, report): (&Subject, Report)| SubjectRun {
        subject: *subject,
        report,
        observed: Observed::default(),
        own_fault: None,
    };
    Finished {
        begun: Begun {
            id: ID,
            name: "warehouse".to_owned(),
            kind: "Amazon Redshift".to_owned(),
            status,
            token: TOKEN,
            trigger: Trigger::Schedule,
            due_at: NOW.minus(secs(20)),
            active_config: None,
            fingerprint: None,
        },
        runs: status.subjects().iter().zip(reports).map(run).collect(),
        started_at: NOW.minus(secs(10)),
        duration: secs(4),
        policy: Policy { confirm_runs: 2, ..Policy::default() },
        schedule: schedule(),
    }
}

/// Returns the row that the effects leave.
pub(super) fn saved(effects: &[Effect]) -> Row {
    let row = |effect: &Effect| {
        if let Effect::SaveRow(row) = effect { Some((**row).clone()) } else { None }
    };
    effects.iter().rev().find_map(row).unwrap()
}

/// Returns the events of this type.
pub(super) fn events(effects: &[Effect], kind: EventType) -> Vec<&NewEvent> {
    let all = effects.iter().filter_map(|effect| {
        if let Effect::InsertEvent(event) = effect { Some(&**event) } else { None }
    });
    all.filter(|event| event.body.kind == kind).collect()
}

/// Returns the payload of the only event of this type, which is about one integration.
pub(super) fn data(effects: &[Effect], kind: EventType) -> EventData {
    let found = events(effects, kind);
    assert_eq!(found.len(), 1, "{:#?}", lines(effects));
    let Payload::Integration(data) = &found[0].body.data else { panic!("another payload") };
    (**data).clone()
}

/// Returns every effect as a line: ids as their prefix, instants relative to [`NOW`].
/// Those about what receivers know are [`knowledge`].
pub(super) fn lines(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter(|effect| !is_knowledge(effect)).map(line).collect()
}

/// Returns what receivers know or no longer know after the effects, as lines.
pub(super) fn knowledge(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter(|effect| is_knowledge(effect)).map(line).collect()
}

const fn is_knowledge(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SaveKnown(_)
            | Effect::LearnIncident(_)
            | Effect::ForgetIncident(_)
            | Effect::BuryIncident { .. }
            | Effect::ReviveIncident { .. }
    )
}

fn at(instant: Timestamp) -> String {
    format!("{:+} s", (instant.0 - NOW.0) / 1000)
}

fn about(integration: Option<IntegrationId>) -> i64 {
    integration.map_or(0, |id| id.0)
}

fn prefix(id: &str) -> &str {
    id.split('_').next().unwrap()
}

#[expect(clippy::too_many_lines, reason = "one arm for each effect")]
fn line(effect: &Effect) -> String {
    match effect {
        Effect::SaveRow(row) => format!("save {} as {}", row.id.0, row.status),
        Effect::InsertIntegration(new) => format!("insert {} as {}", new.row.name, new.row.status),
        Effect::Describe(new) => format!("describe {} {}", new.row.name, new.config),
        Effect::Propose(new) => format!("propose {} {}", new.row.name, new.config),
        Effect::Adopt(id) => format!("adopt {}", id.0),
        Effect::InsertRun { id, index, rule } => format!("run {} of subject {index}: {rule}", id.0),
        Effect::InsertTransition(new) => {
            let step = new.step.map_or("new".to_owned(), |step| {
                format!("{} -> {} by {}", step.from, step.to, step.cause.as_str())
            });
            let (run, incident) = (new.run.map_or(0, |run| run.0), new.incident.as_deref());
            let incident = incident.map_or("no incident", prefix);
            format!("transition {step}, run {run}, {incident}, {}", at(new.at))
        }
        Effect::InsertEvent(new) => {
            let (kind, sequence) = (new.body.kind.as_str(), new.sequence);
            format!("{} {kind} {sequence} of {}", prefix(&new.id), about(new.integration))
        }
        Effect::CountOperational(number) => format!("operational {number}"),
        Effect::Queue(change) => queue_line(change),
        Effect::OpenOutage(new) => {
            let cause = new.cause.as_str();
            format!("{} open {} {cause} {}", prefix(&new.id), new.factor.value, at(new.since))
        }
        Effect::JoinOutage { outage, integration } => {
            format!("join {} {}", prefix(outage), integration.0)
        }
        Effect::LeaveOutage(id) => format!("leave {}", id.0),
        Effect::ScheduleClose { outage, at: when } => {
            format!("end {} {}", prefix(outage), at(*when))
        }
        Effect::CloseOutage { outage, at: when } => {
            format!("close {} {}", prefix(outage), at(*when))
        }
        Effect::MakeDue { integration, at: when } => format!("due {} {}", integration.0, at(*when)),
        Effect::RaiseFault { fault, since, message } => {
            format!("raise {} {}: {message}", fault.as_str(), at(*since))
        }
        Effect::ClearFault(fault) => format!("clear {}", fault.as_str()),
        Effect::InsertSilence { id, new, at: when } => {
            let until = at(new.until);
            format!("silence {id} of {} {} until {until}", about(new.acknowledges), at(*when))
        }
        Effect::EndSilence { id, at: when } => format!("end silence {id} {}", at(*when)),
        Effect::ReevaluateMutes { at: when } => format!("look at mutes {}", at(*when)),
        Effect::SaveKnown(known) | Effect::LearnIncident(known) => {
            let (incident, state) = (prefix(&known.incident.id), known.state.as_str());
            format!("{incident} of {} {state} by {}", known.receiver, prefix(&known.event))
        }
        Effect::ForgetIncident(incident) => format!("forget {}", prefix(incident)),
        Effect::BuryIncident { incident, receiver, at: when } => {
            format!("bury {} of {receiver} {}", prefix(incident), at(*when))
        }
        Effect::ReviveIncident { incident, receiver } => {
            format!("revive {} of {receiver}", prefix(incident))
        }
        Effect::InsertAttempt(attempt, number) => {
            format!("attempt {number} of {}", attempt.delivery.0)
        }
        Effect::SaveDelivery(update) => {
            let outcome = update.outcome.map_or("undecided".to_owned(), |(state, due)| {
                format!("{} {}", state.as_str(), due.map_or("never".to_owned(), at))
            });
            let (id, attempts) = (update.id.0, update.attempts);
            format!("delivery {id} after {attempts} {}: {outcome}", at(update.at))
        }
        Effect::UpdateReceiver(health) => receiver_line(health),
    }
}

fn receiver_line(health: &ReceiverHealth) -> String {
    let disabled = health
        .disabled
        .map_or("enabled".to_owned(), |(reason, when)| format!("{} {}", reason.as_str(), at(when)));
    let failing = health.failing_since.map_or("none".to_owned(), at);
    let success = health.last_success_at.map_or("none".to_owned(), at);
    format!("receiver {}: {disabled}, failing {failing}, success {success}", health.name)
}

fn queue_line(change: &QueueChange) -> String {
    match change {
        QueueChange::Enqueue { event, receiver, integration, sequence, at: when, part: _ } => {
            let (event, about) = (prefix(event), about(*integration));
            format!("enqueue {event} {sequence} of {about} to {receiver} {}", at(*when))
        }
        QueueChange::Insert { event, receiver, integration, sequence, part: _ } => {
            format!("insert {event} {sequence} of {} to {receiver}", about(*integration))
        }
        QueueChange::Requeue(id) => format!("requeue {}", id.0),
        QueueChange::Expire { id, at: when } => format!("expire {} {}", id.0, at(*when)),
        QueueChange::RequeueHead { receiver, integration, at: when } => {
            format!("head of {} to {receiver} {}", about(*integration), at(*when))
        }
        QueueChange::Advance { ended, at: when } => format!("advance {} {}", ended.0, at(*when)),
        QueueChange::Refresh { receiver, at: when } => format!("refresh {receiver} {}", at(*when)),
    }
}

/// Returns true when no receiver is sent anything.
pub(super) fn is_quiet(effects: &[Effect]) -> bool {
    !effects.iter().any(|effect| {
        matches!(effect, Effect::InsertEvent(_) | Effect::Queue(QueueChange::Enqueue { .. }))
    })
}

/// Results as users see them, for comparison.
pub(super) fn status_of(data: &EventData) -> Option<ReportStatus> {
    data.validation_results.as_ref().map(|results| results.status)
}
