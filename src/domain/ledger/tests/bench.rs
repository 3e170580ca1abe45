//! A bench: books with a clock, a configuration, and receivers that want everything.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::*;
use super::books::{Books, Delivery};
use super::samples::{failed, found, passed, schedule, wanted};
use crate::domain::{
    AttemptResult, Class, IntegrationId, Maintenance, Next, OwnFault, PageUrl, Policy, Report,
    Selection, Status, Subject, Subscription, Timestamp, Timing, Transition,
};

pub(super) const LEASE: Duration = Duration::from_mins(2);
/// Start of every test: 2026-11-23 10:00:00 UTC.
pub(super) const START: Timestamp = Timestamp(1_795_428_000_000);

/// Books with what a daemon brings.
#[derive(Clone, Debug)]
pub(in crate::domain::ledger) struct Bench {
    pub(super) books: Books,
    pub(super) now: Timestamp,
    pub(super) receivers: Vec<&'static str>,
    pub(super) timing: BTreeMap<&'static str, Timing>,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) policy: Policy,
    pub(super) disable_after: Duration,
    pub(super) disabled: Option<Disabled>,
    /// Time since the beginning that does not count.
    pub(super) asleep: Duration,
    /// Nothing is wrong with the daemon.
    pub(super) is_trusted: bool,
    pub(super) tokens: i64,
}

impl Bench {
    pub(in crate::domain::ledger) fn new() -> Self {
        Self {
            books: Books::default(),
            now: START,
            receivers: vec!["a", "b"],
            timing: BTreeMap::new(),
            maintenance: Vec::new(),
            // Three runs, a minute apart, are easy to count; tests of the rule itself set another policy.
            policy: Policy { confirm_runs: Some(3), recovery_runs: Some(1), ..Policy::default() },
            disable_after: Duration::MAX,
            disabled: None,
            asleep: Duration::ZERO,
            is_trusted: true,
            tokens: 0,
        }
    }

    /// With one integration `one` that is enabled and due.
    pub(super) fn enabled() -> Self {
        let mut bench = Self::new();
        bench.sync(&[wanted("one")]);
        bench.pass(Subject::Candidate);
        bench.wait_until_due();
        bench
    }

    pub(super) fn context(&self) -> NotificationContext {
        let subscription = |receiver: &&str| {
            // Three have names that say what is special about them.
            let events = if *receiver == "few" { "integration.*" } else { "*" };
            let only = (*receiver == "late").then(|| "n5".to_owned());
            let integrations = only.into_iter().collect();
            Subscription {
                receiver: (*receiver).to_owned(),
                events: vec![events.to_owned(), "integration.status.*".to_owned()],
                selection: Selection { integrations, ..Selection::default() },
                individual: *receiver == "each",
                timing: self.timing.get(receiver).cloned().unwrap_or_default(),
                ..Subscription::default()
            }
        };
        NotificationContext {
            subscriptions: self.receivers.iter().map(subscription).collect(),
            maintenance: self.maintenance.clone().into(),
            outage_min: 3,
            page: Some(PageUrl::sample()),
            now: self.now,
        }
    }

    pub(super) fn id(&self, name: &str) -> IntegrationId {
        let mut rows = self.books.rows.values().rev();
        rows.find(|stored| stored.row.name == name).unwrap().row.id
    }

    pub(in crate::domain::ledger) fn stored(&self, name: &str) -> &Stored {
        &self.books.rows[&self.id(name)]
    }

    pub(super) fn row(&self, name: &str) -> &Row {
        &self.stored(name).row
    }

    pub(super) fn row_mut(&mut self, name: &str) -> &mut Row {
        let id = self.id(name);
        &mut self.books.rows.get_mut(&id).unwrap().row
    }

    pub(super) fn status(&self, name: &str) -> Status {
        self.row(name).status
    }

    pub(in crate::domain::ledger) fn sync(&mut self, wanted: &[Wanted]) -> Vec<Transition> {
        self.sync_with(wanted, false)
    }

    pub(super) fn start_up(&mut self, wanted: &[Wanted]) -> Vec<Transition> {
        self.sync_with(wanted, true)
    }

    fn sync_with(&mut self, wanted: &[Wanted], startup: bool) -> Vec<Transition> {
        let (context, now) = (self.context(), self.now);
        self.books.apply_all(&[reevaluate_mutes(now)], None);
        let mut steps = Vec::new();
        let mut ids = std::collections::BTreeSet::new();
        for one in wanted {
            let found = self.known(one);
            let (id, step) = if let Some(stored) = found {
                let adjust = |case: &Case| adjust(case, &stored, one, startup, &context);
                (stored.row.id, self.books.decide(now, None, adjust))
            } else {
                let last = self.books.rows.last_key_value().map_or(0, |(id, _)| id.0);
                let id = IntegrationId(last + 1);
                (id, self.books.decide(now, None, |case| create(case, id, one, &context)))
            };
            self.books.factors.insert(id, one.factors.clone());
            ids.insert(id);
            steps.extend(step);
        }
        let living = self.books.rows.values().filter(|one| one.row.status != Status::Deleted);
        let gone = living.map(|one| one.row.clone()).filter(|row| !ids.contains(&row.id));
        let gone: Vec<_> = gone.collect();
        for row in gone {
            let (row, step) = self.books.decide(now, None, |case| remove(case, &row, &context));
            steps.extend(step);
            steps.extend(self.drain(&row));
        }
        self.check();
        steps
    }

    /// The row of an integration: of its name, of its former one, or one that was deleted.
    fn known(&self, wanted: &Wanted) -> Option<Stored> {
        let find = |name: Option<&str>, deleted: bool| {
            let is_it = |one: &&Stored| {
                Some(one.row.name.as_str()) == name
                    && (one.row.status == Status::Deleted) == deleted
            };
            self.books.rows.values().rev().find(is_it).cloned()
        };
        let (name, former) = (Some(wanted.name.as_str()), wanted.formerly.as_deref());
        let living = find(name, false).or_else(|| find(former, false));
        living.or_else(|| find(name, true)).or_else(|| find(former, true))
    }

    /// Ends a removal unless a run is on.
    pub(super) fn drain(&mut self, row: &Row) -> Option<Transition> {
        let (context, now) = (self.context(), self.now);
        if row.is_leased(now) || row.status != Status::Deleting {
            return None;
        }
        self.books.decide(now, None, |case| drain(case, row, &context))
    }

    pub(super) fn begin_of(&mut self, name: &str) -> Begun {
        self.tokens += 1;
        let lease = Lease { owner: 7, token: self.tokens, until: self.now.plus(LEASE) };
        let now = self.now;
        let row = self.row_mut(name);
        assert!(row.next_run_at.is_some_and(|at| at <= now), "it is due");
        row.lease = Some(lease);
        Begun {
            id: row.id,
            name: row.name.clone(),
            kind: row.kind.clone(),
            status: row.status,
            pending: row.pending,
            token: lease.token,
            trigger: row.trigger,
            due_at: row.next_run_at.unwrap(),
            active_config: None,
            fingerprint: None,
        }
    }

    pub(super) fn finished(&self, begun: Begun, runs: Vec<SubjectRun>) -> Finished {
        Finished {
            begun,
            runs,
            started_at: self.now,
            duration: Duration::from_millis(812),
            policy: self.policy,
            schedule: schedule(),
            node: None,
        }
    }

    pub(super) fn record(&mut self, begun: Begun, runs: Vec<SubjectRun>) -> Recorded {
        let finished = self.finished(begun, runs);
        self.record_finished(&finished)
    }

    pub(super) fn record_finished(&mut self, finished: &Finished) -> Recorded {
        let (context, row) = (self.context(), self.books.rows[&finished.begun.id].row.clone());
        let recorded = self
            .books
            .decide(self.now, Some(finished), |case| record(case, &row, finished, &context));
        self.check();
        recorded
    }

    /// Runs `one` as soon as it is due.
    pub(super) fn run(&mut self, runs: Vec<SubjectRun>) -> Recorded {
        self.wait_until_due();
        let begun = self.begin_of("one");
        self.record(begun, runs)
    }

    /// Runs `name` now, or when it is due.
    pub(super) fn run_of(&mut self, name: &str, report: Report) -> Recorded {
        self.now = self.now.max(self.row(name).next_run_at.unwrap());
        let begun = self.begin_of(name);
        let subject = begun.subjects()[0];
        self.record(begun, vec![found(subject, report)])
    }

    pub(super) fn pass(&mut self, subject: Subject) -> Recorded {
        self.run(vec![found(subject, passed())])
    }

    pub(super) fn fail(&mut self, subject: Subject, class: Class) -> Recorded {
        self.run(vec![found(subject, failed(class))])
    }

    /// Makes `name` due, whatever its schedule says.
    pub(super) fn due_now(&mut self, name: &str) {
        let now = self.now;
        self.row_mut(name).next_run_at = Some(now);
    }

    pub(super) fn fail_at(&mut self, now: Timestamp) {
        self.now = now;
        self.due_now("one");
        self.fail(Subject::Active, Class::Denied);
    }

    pub(super) fn pass_at(&mut self, now: Timestamp) {
        self.now = now;
        self.due_now("one");
        self.pass(Subject::Active);
    }

    /// Looks at mutes and outages that may be over; returns how many of each are.
    pub(super) fn release(&mut self) -> (usize, usize) {
        let (context, now) = (self.context(), self.now);
        let is_up = |row: &Row| row.mute.as_ref().is_some_and(|mute| mute.until <= now);
        let rows = self.books.rows.values().map(|stored| &stored.row);
        let muted: Vec<_> = rows.filter(|row| is_up(row)).cloned().collect();
        let mut ended = 0;
        for row in muted {
            ended +=
                usize::from(self.books.decide(now, None, |case| release(case, &row, &context)));
        }
        let is_over = |one: &&super::books::StoredOutage| {
            one.closed_at.is_none() && one.closes_at.is_some_and(|at| at <= now)
        };
        let over: Vec<_> = self.books.outages.values().filter(is_over).cloned().collect();
        for one in &over {
            let NewOutage { id, factor, cause, since, .. } = one.new.clone();
            let members = self.books.members(&id);
            let outage = Outage { id, factor, cause, since };
            self.books.decide(now, None, |case| close_outage(case, &outage, &members, &context));
        }
        self.check();
        (ended, over.len())
    }

    pub(super) fn silence(&mut self, acknowledges: Option<IntegrationId>, until: Timestamp) -> i64 {
        self.add_silence(&NewSilence { acknowledges, until, ..NewSilence::default() })
    }

    pub(super) fn add_silence(&mut self, new: &NewSilence) -> i64 {
        let id = i64::try_from(self.books.silences.len()).unwrap() + 1;
        self.books.apply_all(&add_silence(id, new, self.now), None);
        id
    }

    pub(super) fn end_silence(&mut self, id: i64) -> bool {
        let found = self.books.silences.iter().find(|one| one.open.id == id);
        let record =
            found.map(|one| SilenceRecord { id, until: one.open.until, ended_at: one.ended_at });
        let Decision { effects, answer } = end_silence(record.as_ref(), self.now);
        self.books.apply_all(&effects, None);
        answer
    }

    pub(super) fn degrade(&mut self, fault: OwnFault, message: &str) -> bool {
        let context = self.context();
        let begun = || NodeFault { fault, message: message.to_owned(), node: None };
        self.books.decide(self.now, None, |case| begin_fault(case, begun(), &context))
    }

    pub(super) fn restore(&mut self, fault: OwnFault) -> bool {
        let context = self.context();
        self.books.decide(self.now, None, |case| end_fault(case, fault, &context))
    }

    /// Leases the deliveries to a receiver that are due.
    pub(super) fn claim(&mut self, receiver: &str) -> Vec<Delivery> {
        if self.health(receiver).disabled.is_some() {
            return Vec::new();
        }
        let (now, mut claimed) = (self.now, Vec::new());
        let outage = self.health(receiver).outage;
        let is_leased = |one: &Delivery| one.receiver == receiver && one.token.is_some();
        if outage.is_some_and(|outage| now < outage.probe_at)
            || (outage.is_some() && self.books.deliveries.iter().any(is_leased))
        {
            return Vec::new();
        }
        for one in &mut self.books.deliveries {
            let is_due = one.due_at.is_some_and(|at| at <= now || outage.is_some());
            let is_pending = one.state == DeliveryState::Pending && one.receiver == receiver;
            if is_pending && is_due && one.token.is_none() {
                self.tokens += 1;
                one.token = Some(self.tokens);
                claimed.push(one.clone());
            }
        }
        if outage.is_some() {
            claimed.sort_by_key(|one| (one.due_at, one.id));
            for other in claimed.drain(1.min(claimed.len())..) {
                self.books.deliveries.iter_mut().find(|one| one.id == other.id).unwrap().token =
                    None;
            }
        }
        claimed
    }

    pub(super) fn health(&self, receiver: &str) -> ReceiverHealth {
        let name = receiver.to_owned();
        let known = self.books.receivers.get(receiver).cloned();
        known.unwrap_or(ReceiverHealth { name, ..ReceiverHealth::default() })
    }

    pub(super) fn attempt(&mut self, sent: &Delivery, next: Next) {
        let attempt = Attempt {
            delivery: sent.id,
            token: sent.token.unwrap(),
            started_at: self.now,
            duration: Duration::from_millis(20),
            result: AttemptResult::Unreachable,
            detail: String::new(),
            next,
            disable_after: self.disable_after,
            awake: self.now.since(START).saturating_sub(self.asleep),
            is_trusted: self.is_trusted,
            kept_max: 100,
        };
        let found = self.books.deliveries.iter().find(|one| one.id == sent.id).unwrap();
        let delivery = DeliveryRecord {
            state: found.state,
            attempts: found.attempts,
            earlier: found.earlier,
            token: found.token,
            receiver: self.health(&sent.receiver),
            part: self.books.in_incident(found),
        };
        let context = self.context();
        self.disabled = self
            .books
            .decide(self.now, None, |case| record_attempt(case, &delivery, &attempt, &context));
        self.check();
    }

    pub(super) fn wait_until_due(&mut self) {
        self.now = self.now.max(self.row("one").next_run_at.unwrap());
    }

    pub(super) fn wait(&mut self, wait: Duration) {
        self.now = self.now.plus(wait);
    }

    pub(super) fn minutes(&self, minutes: u64) -> Timestamp {
        self.now.plus(Duration::from_mins(minutes))
    }
}
