//! Rows, runs and evidence for the tests of the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use super::lines::{knowledge, lines};
use crate::domain::ledger::{
    Answer, Begun, Case, Decided, Effect, Finished, Incident, Lease, Need, NewEvent,
    NotificationContext, OutageState, Progress, QueueChange, Row, Seen, StoreHead, StoredReport,
    SubjectRun, Suspect, Trigger,
};
use crate::domain::{
    Class, Counters, EventData, EventType, Evidence, Finding, Flips, IntegrationId, Look, Observed,
    Outcome, PageUrl, Payload, Policy, Report, ReportStatus, RunId, Schedule, Selection, Sight,
    Status, Subject, Subscription, Test, TestResult, Timestamp,
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
        let page = Some(PageUrl::sample());
        let context = NotificationContext { outage_min: 3, page, now: NOW, ..Default::default() };
        Self { answers: BTreeMap::new(), context }.subscribed([every()])
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
        Need::StatusSince(_) => Answer::Instant(None),
        Need::Factors(_) => Answer::Factors(Vec::new()),
        Need::AnotherFails(..) | Need::AnotherFailsLocally(_) | Need::AnotherNode(..) => {
            Answer::Yes(false)
        }
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

/// The receiver `pager`, which names status changes besides everything.
fn every() -> Subscription {
    let events = vec!["*".to_owned(), "integration.status.*".to_owned()];
    Subscription { events, ..subscription("pager", "*") }
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
        pending: None,
        next_run_at: Some(NOW),
        trigger: Trigger::Schedule,
        lease: Some(Lease { owner: 1, token: TOKEN, until: NOW.plus(secs(600)) }),
        active: Progress { last_run: Some(90), ..Progress::default() },
        candidate: Progress::default(),
        sequence: 1,
        transitions: 4,
        incident: None,
        notified: Status::Enabled,
        mute: None,
        warning_muted: false,
        flips: Flips::default(),
        flapping: None,
        suspect: None,
        own_fault: None,
        outage: None,
        seen: Seen::default(),
        elsewhere: None,
    }
}

/// An incident of which receivers were notified, and that began so many seconds ago.
pub(super) fn incident(ago: u64) -> Incident {
    Incident { id: "inc_1".to_owned(), since: NOW.minus(secs(ago)), is_notified: true }
}

/// The same with a failure of which receivers were notified, in an incident of ten minutes.
pub(super) fn failing_row(class: Class) -> Row {
    let since = NOW.minus(secs(600));
    Row {
        status: Status::RecurringValidationError,
        notified: Status::RecurringValidationError,
        incident: Some(incident(600)),
        suspect: Some(Suspect { since, class }),
        active: Progress {
            evidence: Evidence { looks: vec![look(since, class)], is_failing: true, ..failures(3) },
            failing_since: Some(since),
            ..row().active
        },
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
            pending: status.leaves(None),
            token: TOKEN,
            trigger: Trigger::Schedule,
            due_at: NOW.minus(secs(20)),
            active_config: None,
            fingerprint: None,
        },
        runs: status.subjects(status.leaves(None)).iter().zip(reports).map(run).collect(),
        started_at: NOW.minus(secs(10)),
        duration: secs(4),
        policy: Policy { confirm_runs: Some(2), ..Policy::default() },
        schedule: schedule(),
        node: None,
    }
}

/// The same after so many failures of the configuration in force.
pub(super) fn failed_before(failures: u32) -> Row {
    Row { active: Progress { evidence: self::failures(failures), ..row().active }, ..row() }
}

fn look(at: Timestamp, class: Class) -> Look {
    Look { at, seen: Sight::Failed { class, is_certain: true }, node: None }
}

/// Evidence of so many runs that had no answer, a minute apart.
pub(super) fn failures(failures: u32) -> Evidence {
    let at = |number| NOW.minus(secs(600)).plus(secs(60) * number);
    let looks = (0..failures).map(|number| look(at(number), Class::Unreachable)).collect();
    Evidence { counters: Counters { failures, passes: 0 }, looks, ..Evidence::default() }
}

/// The same in a status that an operation left, which receivers were notified of if it is an error.
pub(super) fn in_status(status: Status) -> Row {
    let incident = status.is_error().then(|| incident(600));
    Row { status, pending: status.leaves(None), notified: status, incident, ..row() }
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

/// Returns the address that the only event of this type links to.
pub(super) fn link(effects: &[Effect], kind: EventType) -> String {
    let found = events(effects, kind);
    assert_eq!(found.len(), 1, "{:#?}", lines(effects));
    found[0].body.data.links().expect("a link").page.clone()
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
