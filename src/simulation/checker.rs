//! Compares what the daemon does with what it should do: after every commit, at every run and at every
//! message, with books of its own.
//!
//! The rules stand in [`super::rules`]; here is who is asked when.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::{MINUTE, SECOND};
use super::messages::Owed;
use super::plan::{Plan, Spec};
use super::rules::{self, Judge, Table, Wants};
use super::time::Time;
use super::world::Trace;
use crate::config::Limits;
use crate::domain::{Class, Status, Subject, Timestamp};
use crate::store::Entry;

/// How late the daemon may be where nothing keeps it waiting.
pub(super) const LATE_MAX_MS: i64 = 45 * SECOND;

/// What is known of an integration that has a row.
#[derive(Debug)]
pub(super) struct Tracked {
    /// Its number in the plan.
    pub(super) number: usize,
    /// What the transitions add up to; none before the first.
    pub(super) status: Option<Status>,
    /// What the runs add up to.
    pub(super) judge: Judge,
    /// The number of its latest event.
    pub(super) sequence: i64,
    /// A failure was told and no end of it.
    pub(super) incident: bool,
    /// When it is due, and why then.
    pub(super) due: Option<Timestamp>,
    /// What the latest run must cause.
    pub(super) expected: Option<(i64, rules::Step)>,
    /// What the latest transition must tell, unless it is held.
    pub(super) untold: Option<rules::Told>,
    /// The status that was told last.
    pub(super) told: Option<Status>,
    /// The row as it was last written: status, sequence and counters.
    pub(super) row: (String, i64, (u32, u32)),
    /// The row as it was last written: the status that was told last, and until when more is held.
    pub(super) holds: (String, Option<i64>),
}

/// A run that a platform has seen.
#[derive(Debug)]
struct Seen {
    number: usize,
    wall: Timestamp,
    /// None until there is an answer.
    found: Option<Found>,
}

/// What a platform has answered: what is wrong, if anything.
#[derive(Clone, Copy, Debug)]
struct Found(Option<Class>);

/// A status that a row has come to, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flip {
    /// The integration's number.
    pub(super) number: usize,
    /// To what.
    pub(super) to: Status,
    /// When.
    pub(super) at: Timestamp,
}

/// The books.
pub(super) struct Checker {
    /// As the configuration files say.
    pub(super) specs: Vec<Spec>,
    /// By row.
    pub(super) tracked: BTreeMap<i64, Tracked>,
    /// By the id of the event.
    pub(super) owed: BTreeMap<String, Owed>,
    /// Every schedule that an integration has had.
    pub(super) tables: Vec<Vec<Table>>,
    /// Every change of a status, in order.
    pub(super) flips: Vec<Flip>,
    /// What receivers took for the first time: who, which integration, the kind, and when.
    pub(super) told: Vec<(usize, Option<usize>, String, Timestamp)>,
    /// What was wrong.
    pub(super) violations: Vec<String>,
    /// How many runs, transitions, messages and lost permissions told in time there were.
    pub(super) counts: [u64; 4],
    /// What each receiver wants.
    pub(super) wants: [Wants; 2],
    /// How much may happen at once.
    pub(super) limits: Limits,
    /// What each receiver is still owed about each integration, by number.
    pub(super) pending: BTreeMap<(usize, Option<i64>), BTreeSet<i64>>,
    /// Events of this commit that are still to be owed to these receivers.
    pub(super) unowed: Vec<(String, BTreeSet<usize>)>,
    /// Outages that have been told and have not ended.
    pub(super) outages: BTreeSet<String>,
    /// Faults of the daemon's own that have been told and have not ended.
    pub(super) degraded: i64,
    /// The number of the latest event about no single integration.
    pub(super) operational: i64,
    seen: Vec<Seen>,
    /// The integrations that are being run, with their hosts.
    pub(super) inside: BTreeMap<usize, usize>,
    /// The times in which nobody started or reloaded the daemon, or set the clock, and the disk was
    /// not full; the last one goes on.
    pub(super) quiet: Vec<(Timestamp, Timestamp)>,
}

impl Checker {
    /// Empty books.
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            specs: plan.specs.clone(),
            tables: plan
                .specs
                .iter()
                .map(|spec| vec![Table::of(&spec.schedule, plan.start)])
                .collect(),
            wants: [Wants::All, Wants::Flips],
            limits: plan.limits,
            quiet: Vec::new(),
            tracked: BTreeMap::new(),
            owed: BTreeMap::new(),
            flips: Vec::new(),
            told: Vec::new(),
            violations: Vec::new(),
            counts: [0; 4],
            pending: BTreeMap::new(),
            unowed: Vec::new(),
            outages: BTreeSet::new(),
            degraded: 0,
            operational: 0,
            seen: Vec::new(),
            inside: BTreeMap::new(),
        }
    }

    /// Writes down a violation.
    pub(super) fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Something happened until `now` after which the daemon may be late for a while.
    pub(super) fn disturbed(&mut self, now: Timestamp) {
        self.quiet.push((now, now));
    }

    /// Nothing of that kind has happened until `now`.
    pub(super) fn undisturbed(&mut self, now: Timestamp) {
        if let Some((_, until)) = self.quiet.last_mut() {
            *until = now;
        }
    }

    /// The daemon is gone; what it was doing is gone with it.
    pub(super) fn died(&mut self) {
        self.seen.clear();
        if !self.inside.is_empty() {
            self.violated(format!("runs outlive the daemon: {:?}", self.inside));
        }
    }

    /// A platform is asked.
    pub(super) fn entered(&mut self, (number, host): (usize, usize), time: &Time) {
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
        self.seen.push(Seen { number, wall, found: None });
    }

    /// A platform has answered: what is wrong, if anything.
    pub(super) fn answered(&mut self, number: usize, class: Option<Class>) {
        let latest = self.seen.iter_mut().rev().find(|seen| seen.number == number);
        if let Some(seen) = latest {
            seen.found = Some(Found(class));
        }
    }

    /// A platform is no longer asked.
    pub(super) fn left(&mut self, (number, _): (usize, usize)) {
        self.inside.remove(&number);
    }

    /// How many are being run at a host.
    pub(super) fn at_host(&self, host: usize) -> usize {
        self.inside.values().filter(|at| **at == host).count()
    }

    /// The row in use of an integration.
    pub(super) fn live(&self, number: usize) -> Option<&Tracked> {
        let mut all = self.tracked.values();
        all.find(|one| one.number == number && one.status != Some(Status::Deleted))
    }

    /// A commit has been made.
    pub(super) fn committed(&mut self, entries: Vec<Entry>, time: &Time, trace: &mut Trace) {
        let mut touched = BTreeSet::new();
        let before = self.violations.len();
        for entry in entries {
            if let Some(id) = self.entry(entry, time, trace) {
                touched.insert(id);
            }
        }
        for id in touched {
            self.settled(id);
        }
        for (event, receivers) in std::mem::take(&mut self.unowed) {
            if !receivers.is_empty() {
                let about = self.owed[&event].about;
                self.violated(format!("{about:?} is not owed to {receivers:?}, who want it"));
            }
        }
        for violation in &self.violations[before..] {
            trace.note(time.now(), format_args!("VIOLATED: {violation}"));
        }
    }

    fn entry(&mut self, entry: Entry, time: &Time, trace: &mut Trace) -> Option<i64> {
        let now = time.now();
        match entry {
            Entry::Integration { id, .. } => {
                self.integration(entry, time, trace);
                Some(id)
            }
            Entry::Run { id, integration, subject, started, status, class, .. } => {
                self.counts[0] += 1;
                let tracked = self.tracked.get(&integration)?;
                let shown = class.as_deref().unwrap_or(&status);
                trace.note(now, format_args!("i{}: run is stored: {shown}", tracked.number));
                let run = (id, subject.parse().unwrap(), Timestamp(started));
                self.run(integration, run, (&status, class.as_deref()));
                Some(integration)
            }
            Entry::Transition { integration, from, to, cause, run } => {
                self.counts[1] += 1;
                let tracked = self.tracked.get(&integration)?;
                let number = tracked.number;
                let (from, cause) = (from.as_deref(), cause.as_deref());
                trace.note(now, format_args!("i{number}: {from:?} -> {to} ({cause:?})"));
                self.flips.push(Flip { number, to: to.parse().unwrap(), at: now });
                self.transition(integration, (from, &to, cause), run);
                Some(integration)
            }
            Entry::Event { id, integration, sequence, kind, body } => {
                let about = integration.and_then(|id| self.tracked.get(&id));
                let about = about.map(|tracked| tracked.number);
                trace.note(now, format_args!("event {sequence} about {about:?}: {kind}"));
                self.event((id, integration, sequence), &kind, body);
                integration
            }
            Entry::Delivery { event, receiver, state, .. } => {
                let number: usize = receiver.trim_start_matches('r').parse().unwrap();
                self.delivery(&event, (number, &state), now);
                None
            }
        }
    }

    fn integration(&mut self, entry: Entry, time: &Time, trace: &mut Trace) {
        let Entry::Integration {
            id,
            name,
            status,
            next,
            trigger,
            lease,
            failures,
            passes,
            sequence,
            told,
            hold,
        } = entry
        else {
            return;
        };
        let number: usize = name.trim_start_matches('i').parse().unwrap();
        let is_new = !self.tracked.contains_key(&id);
        let tracked = self.tracked.entry(id).or_insert_with(|| Tracked::new(number));
        let former = tracked.due;
        tracked.row = (status, sequence, (failures, passes));
        tracked.holds = (told, hold);
        tracked.due = next.map(Timestamp);
        let due = tracked.due;
        let lease_max = 2 * i64::try_from(self.limits.run.as_millis()).unwrap() + MINUTE;
        if time.is_true() && lease.is_some_and(|until| time.wall().0 + lease_max < until) {
            self.violated(format!("{name} is leased until {lease:?}"));
        }
        if due != former || is_new {
            let shown = due.map_or_else(|| "never".to_owned(), |due| due.to_string());
            trace.note(time.now(), format_args!("i{number} is due at {shown} ({trigger})"));
            self.planned(id, (former, due), &trigger, time);
        }
    }

    /// After a commit, whatever one entry asked of another is there.
    fn settled(&mut self, id: i64) {
        let Some(tracked) = self.tracked.get_mut(&id) else { return };
        let found = rules::settled(tracked);
        self.violations.extend(found);
    }

    fn planned(
        &mut self,
        id: i64,
        (former, due): (Option<Timestamp>, Option<Timestamp>),
        trigger: &str,
        time: &Time,
    ) {
        let tracked = &self.tracked[&id];
        let number = tracked.number;
        let (Some(due), false) = (due, time.now().0 < time.set_at.0 + 5 * SECOND) else { return };
        let plan = rules::Planned {
            former,
            due,
            wall: time.wall(),
            was_set: !time.is_true(),
            tables: &self.tables[number],
            confirm_wait: self.specs[number].policy.confirm_wait,
        };
        if let Err(why) = plan.fits(trigger) {
            self.violated(format!("i{number} is due at {due} ({trigger}): {why}"));
        }
    }

    fn run(
        &mut self,
        id: i64,
        (run, subject, started): (i64, Subject, Timestamp),
        (status, class): (&str, Option<&str>),
    ) {
        let tracked = self.tracked.get_mut(&id).unwrap();
        let number = tracked.number;
        let decides = tracked.status.and_then(|status| status.subjects().first().copied());
        if decides != Some(subject) {
            return;
        }
        let policy = self.specs[number].policy;
        let step = tracked.judge.judge((status, class), &policy, tracked.status, subject);
        tracked.expected = step.map(|step| (run, step));
        let place = self.seen.iter().position(|seen| seen.number == number && seen.wall == started);
        let Some(place) = place else {
            self.violated(format!("i{number}: a run that nobody was asked for is stored"));
            return;
        };
        let seen = self.seen.remove(place);
        // What it was asked for besides, and what was overtaken, decides about nothing.
        self.seen.retain(|seen| seen.number != number);
        // One that does not end is ended by the daemon.
        let Found(heard) = seen.found.unwrap_or(Found(Some(Class::Local)));
        let heard = heard.map(Class::as_str);
        // When no host of several can be reached, it is the network on this side.
        let hosts: BTreeSet<_> = self.specs.iter().map(|spec| spec.host).collect();
        let is_network = heard == Some("unreachable") && class == Some("local") && 2 < hosts.len();
        if heard != class && !is_network {
            self.violated(format!("i{number}: {class:?} is stored, and {heard:?} was answered"));
        }
    }

    fn transition(&mut self, id: i64, step: (Option<&str>, &str, Option<&str>), run: Option<i64>) {
        let tracked = self.tracked.get_mut(&id).unwrap();
        let found = rules::transition(tracked, step, run);
        self.violations.extend(found);
    }

    /// All has been calm for long enough: everybody is well and has been told everything.
    pub(super) fn ended(&mut self) {
        for number in 0..self.specs.len() {
            let status = self.live(number).and_then(|tracked| tracked.status);
            if status != Some(Status::Enabled) {
                self.violated(format!("i{number} is {status:?} although all is well"));
            }
        }
        if !self.outages.is_empty() || self.degraded != 0 {
            let (outages, faults) = (&self.outages, self.degraded);
            self.violated(format!("outages {outages:?} and {faults} faults of ours do not end"));
        }
        for ((receiver, about), numbers) in std::mem::take(&mut self.pending) {
            if !numbers.is_empty() {
                self.violated(format!("r{receiver} is still owed {numbers:?} about {about:?}"));
            }
        }
    }
}
