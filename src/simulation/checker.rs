//! Checker: compares the daemon with an independent model after every commit, at every run and at every
//! message, with books of its own.
//!
//! The rules are in [`super::rules`]; this module decides when each of them is applied.

use std::collections::{BTreeMap, BTreeSet};

use super::configured::Configured;
use super::expected::{self, Shown, Tracked};
use super::faults::{MINUTE, SECOND};
use super::judge;
use super::knowledge::{Knowledge, Selection};
use super::messages::{Event, Queued};
use super::plan::{Plan, Spec};
use super::requests::{Answered, Requests};
use super::rules::{self, Table, Wants};
use super::time::Time;
use super::world::Trace;
use crate::config::Limits;
use crate::domain::{Class, Status, Timestamp};
use crate::store::{Entry, IntegrationEntry};

/// Longest delay of the daemon when nothing keeps it waiting, in milliseconds.
pub(super) const LATE_MAX_MS: i64 = 45 * SECOND;

/// Change of a row's status, with its instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flip {
    /// Number of the integration in the plan.
    pub(super) number: usize,
    /// Status after the change.
    pub(super) to: Status,
    /// Instant of the change.
    pub(super) at: Timestamp,
}

/// Books of the checker: everything that it expects and has seen.
pub(super) struct Checker {
    /// Integrations as the configuration files describe them.
    pub(super) specs: Vec<Spec>,
    /// Expected states by the id of their row.
    pub(super) tracked: BTreeMap<i64, Tracked>,
    /// Queued messages by the id of the event.
    pub(super) queued: BTreeMap<String, Queued>,
    /// Every schedule that an integration has had.
    pub(super) tables: Vec<Vec<Table>>,
    /// Every change of a status, in order.
    pub(super) flips: Vec<Flip>,
    /// Messages that receivers took for the first time: receiver, integration, type of event and instant.
    pub(super) taken: Vec<(usize, Option<usize>, String, Timestamp)>,
    /// Descriptions of broken rules.
    pub(super) violations: Vec<String>,
    /// Number of runs, transitions, messages, and lost permissions that were reported in time.
    pub(super) counts: [u64; 4],
    /// Subscription of each receiver.
    pub(super) wants: [Wants; 3],
    /// Selection of the receiver that wants one team's events.
    pub(super) selection: Selection,
    /// Limits of what happens at once.
    pub(super) limits: Limits,
    /// Sequence numbers that are pending, by receiver and integration.
    pub(super) pending: BTreeMap<(usize, Option<i64>), BTreeSet<i64>>,
    /// Events of this commit that must still be queued for these receivers.
    pub(super) unqueued: Vec<(String, BTreeSet<usize>)>,
    /// Incidents that receivers know of.
    pub(super) knowledge: Knowledge,
    /// Number of daemon faults that receivers were notified of and that have not ended.
    pub(super) degraded: i64,
    /// Configuration of which receivers were notified last.
    pub(super) configured: BTreeMap<usize, Configured>,
    /// Sequence number of the latest event about no single integration.
    pub(super) operational: i64,
    requests: Requests,
    /// Integrations that are being run, with their hosts.
    pub(super) inside: BTreeMap<usize, usize>,
    /// Periods in which the daemon was not started or reloaded, the clock was not set, and the disk was not
    /// full; the last one goes on.
    pub(super) quiet: Vec<(Timestamp, Timestamp)>,
}

impl Checker {
    /// Returns empty books for a plan.
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            specs: plan.specs.clone(),
            tables: plan
                .specs
                .iter()
                .map(|spec| vec![Table::of(&spec.schedule, plan.start)])
                .collect(),
            wants: [Wants::All, Wants::Flips, Wants::Team],
            selection: Selection::new(),
            limits: plan.limits,
            quiet: Vec::new(),
            tracked: BTreeMap::new(),
            queued: BTreeMap::new(),
            flips: Vec::new(),
            taken: Vec::new(),
            violations: Vec::new(),
            counts: [0; 4],
            pending: BTreeMap::new(),
            unqueued: Vec::new(),
            knowledge: Knowledge::default(),
            degraded: 0,
            configured: BTreeMap::new(),
            operational: 0,
            requests: Requests::default(),
            inside: BTreeMap::new(),
        }
    }

    /// Writes down a violation.
    pub(super) fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Notes a disturbance at `now`, after which the daemon may be late for a while.
    pub(super) fn disturbed(&mut self, now: Timestamp) {
        self.quiet.push((now, now));
    }

    /// Notes that there has been no disturbance until `now`.
    pub(super) fn undisturbed(&mut self, now: Timestamp) {
        if let Some((_, until)) = self.quiet.last_mut() {
            *until = now;
        }
    }

    /// Notes the end of the daemon, and with it of all its runs.
    pub(super) fn died(&mut self) {
        self.requests.clear();
        if !self.inside.is_empty() {
            self.violated(format!("runs outlive the daemon: {:?}", self.inside));
        }
    }

    /// Checks the start of a run: no overlap, limits kept, not before it is due.
    pub(super) fn entered(&mut self, number: usize, host: usize, time: &Time) {
        let (wall, what) = (time.wall(), format!("run of i{number}"));
        if self.inside.insert(number, host).is_some() {
            self.violated(format!("{what} overlaps another"));
        }
        if self.limits.runs < self.inside.len() {
            self.violated(format!("{what}: more runs at once than limits.runs"));
        }
        if self.limits.runs_per_host < self.at_host(host) {
            self.violated(format!("{what}: more runs at once than limits.runs_per_host"));
        }
        let due = self.live(number).map(|tracked| tracked.due);
        if due.flatten().is_none_or(|due| wall < due) {
            self.violated(format!("{what} at {wall} is earlier than due, {due:?}"));
        }
        self.requests.begin(number, wall);
    }

    /// Notes the answer of a platform: the class of its failure, if it failed, which is in its own words or may
    /// be another's.
    pub(super) fn answered(&mut self, number: usize, class: Option<Class>, is_certain: bool) {
        self.requests.answered(number, Answered(class, is_certain));
    }

    /// Notes the end of a run.
    pub(super) fn left(&mut self, number: usize) {
        self.inside.remove(&number);
    }

    /// Returns the number of integrations that are being run at a host.
    pub(super) fn at_host(&self, host: usize) -> usize {
        self.inside.values().filter(|at| **at == host).count()
    }

    /// Returns the expected state of an integration's row that is in use.
    pub(super) fn live(&self, number: usize) -> Option<&Tracked> {
        let mut all = self.tracked.values();
        all.find(|one| one.number == number && one.status != Some(Status::Deleted))
    }

    /// Checks a commit: each entry by itself, then their sum.
    pub(super) fn committed(&mut self, entries: Vec<Entry>, time: &Time, trace: &mut Trace) {
        let mut touched = BTreeSet::new();
        let before = self.violations.len();
        for entry in entries {
            if let Some(id) = self.entry(entry, time, trace) {
                touched.insert(id);
            }
        }
        for id in touched {
            self.after_commit(id);
        }
        for (event, receivers) in std::mem::take(&mut self.unqueued) {
            if !receivers.is_empty() {
                let about = self.queued[&event].about;
                self.violated(format!("{about:?} is not queued for {receivers:?}, which want it"));
            }
        }
        for violation in &self.violations[before..] {
            trace.note(time.now(), format_args!("VIOLATED: {violation}"));
        }
    }

    fn entry(&mut self, entry: Entry, time: &Time, trace: &mut Trace) -> Option<i64> {
        let now = time.now();
        match entry {
            Entry::Integration(entry) => {
                let id = entry.id;
                self.integration(*entry, time, trace);
                Some(id)
            }
            Entry::Run { id, integration, subject, started, status, class, .. } => {
                self.counts[0] += 1;
                let tracked = self.tracked.get(&integration)?;
                let shown = class.as_deref().unwrap_or(&status);
                trace.note(now, format_args!("i{}: run is stored: {shown}", tracked.number));
                let run = rules::Run {
                    id,
                    subject: subject.parse().unwrap(),
                    started: Timestamp(started),
                    status: &status,
                    class: class.as_deref(),
                };
                self.run(integration, &run);
                Some(integration)
            }
            Entry::Transition { integration, from, to, cause, run } => {
                self.counts[1] += 1;
                let tracked = self.tracked.get(&integration)?;
                let number = tracked.number;
                let (from, cause) = (from.as_deref(), cause.as_deref());
                trace.note(now, format_args!("i{number}: {from:?} -> {to} ({cause:?})"));
                self.flips.push(Flip { number, to: to.parse().unwrap(), at: now });
                self.transition(integration, &rules::Transition { from, to: &to, cause, run });
                Some(integration)
            }
            Entry::Event { id, integration, sequence, kind, body } => {
                let about = integration.and_then(|id| self.tracked.get(&id));
                let about = about.map(|tracked| tracked.number);
                trace.note(now, format_args!("event {sequence} about {about:?}: {kind}"));
                self.event(Event { id, about: (integration, sequence), kind, body }, now);
                integration
            }
            Entry::Delivery { event, receiver, state, .. } => {
                let number: usize = receiver.trim_start_matches('r').parse().unwrap();
                self.delivery(&event, number, &state, now);
                None
            }
        }
    }

    fn integration(&mut self, entry: IntegrationEntry, time: &Time, trace: &mut Trace) {
        let IntegrationEntry {
            id,
            name,
            status,
            pending,
            next,
            trigger,
            lease,
            failures,
            passes,
            shown,
            evidence,
            candidate_failures,
            candidate_passes,
            candidate_shown,
            candidate_evidence,
            sequence,
            incident,
            notified,
            mute,
            flips,
            suspect,
            suspect_class,
        } = entry;
        // Names that are exchanged go by others within a commit.
        let known = self.tracked.get(&id).map(|tracked| tracked.number);
        let number = known.unwrap_or_else(|| name.trim_start_matches(['i', 'j']).parse().unwrap());
        let is_new = !self.tracked.contains_key(&id);
        let tracked = self.tracked.entry(id).or_insert_with(|| Tracked::new(number));
        let former = tracked.due;
        tracked.row = expected::Row {
            status,
            pending,
            sequence,
            in_force: Shown::new((failures, passes), evidence.as_deref(), shown),
            candidate: Shown::new(
                (candidate_failures, candidate_passes),
                candidate_evidence.as_deref(),
                candidate_shown,
            ),
            incident,
            notified,
            mute,
            flips: serde_json::from_str(&flips).unwrap(),
            suspect: suspect.zip(suspect_class),
        };
        tracked.due = next.map(Timestamp);
        let due = tracked.due;
        let lease_max = 2 * i64::try_from(self.limits.run.as_millis()).unwrap() + MINUTE;
        if time.is_true() && lease.is_some_and(|until| time.wall().0 + lease_max < until) {
            self.violated(format!("{name} is leased until {lease:?}"));
        }
        if due != former || is_new {
            let shown = due.map_or_else(|| "never".to_owned(), |due| due.to_string());
            trace.note(time.now(), format_args!("i{number} is due at {shown} ({trigger})"));
            self.planned(id, former, &trigger, time);
        }
    }

    fn run(&mut self, integration: i64, run: &rules::Run<'_>) {
        let rules::Run { id, subject, started, status, class } = *run;
        let tracked = self.tracked.get_mut(&integration).unwrap();
        let number = tracked.number;
        let pending = tracked.pending;
        let subjects = tracked.status.map_or(&[][..], |now| rules::subjects(now, pending));
        if !subjects.contains(&subject) {
            return;
        }
        let is_first = subjects.first() == Some(&subject);
        let is_last = subjects.last() == Some(&subject);
        let answer = self.requests.take(number, is_first.then_some(started), is_last);
        let is_certain = answer.is_none_or(|Answered(_, is_certain)| is_certain);
        let around = self.around(integration, run);
        let policy = self.specs[number].policy;
        let tracked = self.tracked.get_mut(&integration).unwrap();
        let evidence = tracked.evidence(subject);
        evidence.shown = Some(id);
        evidence.latest = Some((started, matches!(status, "passed" | "warning")));
        let found = judge::Found { status, class, is_certain, started };
        let good = evidence.judge.count(found, &policy, around);
        let step = good.zip(tracked.status);
        let step = step.and_then(|(good, from)| rules::step(subject, from, pending, good));
        tracked.expected = tracked.expected.or(step.map(|step| (id, step)));
        let Some(answer) = answer else {
            if is_first {
                let what = "a run without a request to the platform is stored";
                self.violated(format!("i{number}: {what}"));
            }
            return;
        };
        let Answered(answered, _) = answer;
        let answered = answered.map(Class::as_str);
        // When no host of several can be reached, it is the network on this side.
        let hosts: BTreeSet<_> = self.specs.iter().map(|spec| spec.host).collect();
        let is_network =
            answered == Some("unreachable") && class == Some("local") && 2 < hosts.len();
        if answered != class && !is_network {
            self.violated(format!("i{number}: {class:?} is stored, and {answered:?} was answered"));
        }
    }

    fn transition(&mut self, integration: i64, transition: &rules::Transition<'_>) {
        let tracked = self.tracked.get_mut(&integration).unwrap();
        let found = rules::transition(tracked, transition);
        self.violations.extend(found);
    }

    /// Checks the end of a plan, when all has been calm for long enough: every integration is healthy, and
    /// nothing is pending.
    pub(super) fn ended(&mut self) {
        for number in 0..self.specs.len() {
            let status = self.live(number).and_then(|tracked| tracked.status);
            if status != Some(Status::Enabled) {
                self.violated(format!("i{number} is {status:?} although all is well"));
            }
        }
        let outages = &self.knowledge.outages;
        if !outages.is_empty() || self.degraded != 0 {
            let faults = self.degraded;
            self.violated(format!("outages {outages:?} and {faults} daemon faults do not end"));
        }
        for ((receiver, about), numbers) in std::mem::take(&mut self.pending) {
            if !numbers.is_empty() {
                self.violated(format!("r{receiver} still has {numbers:?} pending about {about:?}"));
            }
        }
    }
}
