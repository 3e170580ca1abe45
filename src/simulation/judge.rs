//! Independent model of verdicts: the rule of evidence as sums that go on, where the daemon keeps its looks and
//! weighs them anew.

use super::faults::{MINUTE, SECOND};
use crate::domain::{Measure, Policy, Timestamp};

/// Weight that changes a status.
const ENOUGH: u32 = 100;

/// Finding of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    /// Result of the run.
    pub(super) status: &'a str,
    /// Class of its failure, if it failed.
    pub(super) class: Option<&'a str>,
    /// True when the failure is in the platform's own words.
    pub(super) is_certain: bool,
    /// Start of the run.
    pub(super) started: Timestamp,
}

/// Circumstances of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    /// True when the status has changed often lately.
    pub(super) is_unsteady: bool,
    /// Number of others on the host that fail, when they are an outage together with this one.
    pub(super) siblings: Option<usize>,
}

/// Next look that a verdict asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ask {
    /// So many milliseconds after the run.
    After(i64),
    /// At an instant, or at once when that has passed.
    At(Timestamp),
}

/// Consecutive looks of one kind.
#[derive(Clone, Copy, Debug)]
struct Streak {
    first: Timestamp,
    latest: Timestamp,
    looks: u32,
    weight: u32,
    is_unsteady: bool,
}

impl Streak {
    const fn new(started: Timestamp, is_unsteady: bool) -> Self {
        Self { first: started, latest: started, looks: 0, weight: 0, is_unsteady }
    }

    /// Adds a look, unless it comes less than `wait` after the one before. Returns the instant from which on it
    /// would have counted when it does not.
    fn add(&mut self, started: Timestamp, wait: Option<i64>) -> Option<Timestamp> {
        let free = Timestamp(self.latest.0 + wait.unwrap_or_default());
        if 0 < self.looks && self.latest <= started && started < free && wait.is_some() {
            return Some(free);
        }
        (self.looks, self.latest) = (self.looks + 1, started);
        None
    }
}

/// Model of the evidence about one configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judge {
    failing: u32,
    passing: u32,
    failure: Option<Streak>,
    recovery: Option<Streak>,
    is_known: bool,
    has_siblings: bool,
    /// Next look that the latest run asks for.
    pub(super) ask: Option<Ask>,
}

fn millis(measure: &Measure, looks: u32) -> i64 {
    let place = usize::try_from(looks.clamp(1, 3) - 1).unwrap();
    i64::try_from(measure.waits[place].as_millis()).unwrap()
}

fn pause(policy: &Policy) -> i64 {
    policy.confirm_wait.map_or(MINUTE, |wait| i64::try_from(wait.as_millis()).unwrap())
}

/// Weight of a look by the rule; none when it has all the weight.
fn measure<'a>(policy: &'a Policy, class: &str, is_certain: bool) -> Option<&'a Measure> {
    match class {
        "unreachable" | "unavailable" => Some(&policy.weights.silent),
        "throttled" => Some(&policy.weights.throttled),
        _ if is_certain => None,
        _ => Some(&policy.weights.doubtful),
    }
}

impl Judge {
    /// Adds a run. Returns true or false when the configuration now counts as passed or failed.
    pub(super) fn count(
        &mut self,
        run: Found<'_>,
        policy: &Policy,
        around: Around,
    ) -> Option<bool> {
        match (run.status, run.class) {
            ("passed" | "warning", _) => self.pass(run.started, policy, around),
            ("failed", Some("local")) | ("skipped", _) => {
                self.ask = Some(Ask::After(pause(policy)));
                None
            }
            _ => self.fail(run, policy, around),
        }
    }

    fn pass(&mut self, started: Timestamp, policy: &Policy, around: Around) -> Option<bool> {
        (self.failing, self.passing, self.failure) = (0, self.passing + 1, None);
        (self.has_siblings, self.ask) = (false, None);
        let unsteady = around.is_unsteady && self.is_known;
        let recovery = self.recovery.get_or_insert(Streak::new(started, unsteady));
        let measure = &policy.weights.unsteady_pass;
        let (enough, wait, ask) = match policy.recovery_runs {
            Some(runs) => {
                recovery.looks = self.passing;
                (runs <= self.passing, None, Ask::After(pause(policy)))
            }
            None if !recovery.is_unsteady => (true, None, Ask::After(0)),
            None => {
                let wait = millis(measure, recovery.looks);
                let free = recovery.add(started, Some(wait));
                let enough = ENOUGH <= recovery.looks * measure.weight;
                let ask = Ask::After(millis(measure, recovery.looks));
                (enough, free, ask)
            }
        };
        if enough {
            (self.recovery, self.is_known) = (None, false);
            return Some(true);
        }
        self.ask = Some(wait.map_or(ask, Ask::At));
        None
    }

    fn fail(&mut self, run: Found<'_>, policy: &Policy, around: Around) -> Option<bool> {
        (self.failing, self.passing, self.recovery) = (self.failing + 1, 0, None);
        self.ask = None;
        let class = run.class.unwrap_or("invalid");
        let silent = matches!(class, "unreachable" | "unavailable");
        let transient = silent || class == "throttled";
        let counted = policy.confirm_runs.is_some() || policy.confirm_wait.is_some();
        let failure = self.failure.get_or_insert(Streak::new(run.started, around.is_unsteady));
        if ENOUGH <= failure.weight {
            return Some(false);
        }
        let rule = measure(policy, class, run.is_certain || (counted && !transient));
        let wait = |looks| match rule {
            Some(_) if counted => Some(pause(policy)),
            Some(measure) => Some(millis(measure, looks)),
            None => None,
        };
        let free = failure.add(run.started, wait(failure.looks));
        let runs = policy.confirm_runs.unwrap_or(3);
        failure.weight = match (rule, free) {
            (None, _) => failure.weight + ENOUGH,
            (Some(_), _) if counted => failure.looks * ENOUGH / runs,
            (Some(_), Some(_)) => failure.weight,
            (Some(one), None) if failure.is_unsteady => {
                failure.weight + one.weight * policy.weights.unsteady_percent / 100
            }
            (Some(one), None) => failure.weight + one.weight,
        };
        let age = run.started.0 - failure.first.0;
        let old = i64::try_from(policy.weights.siblings_age.as_millis()).unwrap() <= age;
        if failure.weight < ENOUGH && silent && !counted && old && around.siblings.is_some() {
            (failure.weight, self.has_siblings) = (ENOUGH, true);
        }
        if ENOUGH <= failure.weight {
            self.is_known = true;
            return Some(false);
        }
        let after = Ask::After(wait(failure.looks).unwrap_or(SECOND));
        self.ask = Some(free.map_or(after, Ask::At));
        None
    }

    /// Returns the start of the failure, with the run that is judged.
    pub(super) fn fails_since(&self, started: Timestamp) -> Timestamp {
        self.failure.map_or(started, |failure| failure.first)
    }

    /// Returns the numbers of consecutive failing and passing runs.
    pub(super) const fn counters(&self) -> (u32, u32) {
        (self.failing, self.passing)
    }

    /// Returns the number of looks that are kept, and true when the configuration is known to fail.
    pub(super) fn evidence(&self) -> (usize, bool) {
        let streak = self.failure.or(self.recovery);
        let looks = streak.map_or(0, |streak| usize::try_from(streak.looks).unwrap());
        (looks + usize::from(self.has_siblings), self.is_known)
    }
}
