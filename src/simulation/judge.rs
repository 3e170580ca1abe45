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

/// Kinds of failing looks, each with a streak of its own.
const KINDS: usize = 4;
const CERTAIN: usize = 0;
const DOUBTFUL: usize = 1;
const SILENT: usize = 2;
const THROTTLED: usize = 3;

/// Past of a configuration before its first failing look.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Past {
    #[default]
    Usual,
    /// The status had changed often.
    Unsteady,
    /// It had passed many times without a failure between.
    Steady,
}

/// Model of the evidence about one configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judge {
    failing: u32,
    passing: u32,
    failures: [Option<Streak>; KINDS],
    recovery: Option<Streak>,
    past: Past,
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

const fn is_counted(policy: &Policy) -> bool {
    policy.confirm_runs.is_some() || policy.confirm_wait.is_some()
}

/// Returns the kind of a failing look.
fn kind(policy: &Policy, class: &str, is_certain: bool) -> usize {
    match class {
        "unreachable" | "unavailable" => SILENT,
        "throttled" if is_counted(policy) => SILENT,
        "throttled" => THROTTLED,
        _ if is_certain || is_counted(policy) => CERTAIN,
        _ => DOUBTFUL,
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
        (self.failing, self.passing, self.failures) = (0, self.passing + 1, [None; KINDS]);
        (self.has_siblings, self.ask) = (false, None);
        let unsteady = around.is_unsteady && self.is_known;
        let recovery = self.recovery.get_or_insert(Streak::new(started, unsteady));
        let measure = &policy.weights.unsteady_pass;
        let (enough, free, ask) = match policy.recovery_runs {
            Some(runs) => {
                recovery.looks = self.passing;
                (runs <= self.passing, None, Ask::After(pause(policy)))
            }
            None if !recovery.is_unsteady => (true, None, Ask::After(0)),
            None => {
                let free = recovery.add(started, Some(millis(measure, recovery.looks)));
                let enough = ENOUGH <= recovery.looks * measure.weight;
                (enough, free, Ask::After(millis(measure, recovery.looks)))
            }
        };
        if enough {
            (self.recovery, self.is_known) = (None, false);
            return Some(true);
        }
        self.ask = Some(free.map_or(ask, Ask::At));
        None
    }

    fn fail(&mut self, run: Found<'_>, policy: &Policy, around: Around) -> Option<bool> {
        if self.failures.iter().all(Option::is_none) {
            self.past = match policy.weights.steady_passes <= self.passing {
                _ if around.is_unsteady => Past::Unsteady,
                true => Past::Steady,
                false => Past::Usual,
            };
        }
        (self.failing, self.passing, self.recovery) = (self.failing + 1, 0, None);
        self.ask = None;
        if self.failures.iter().flatten().any(|streak| ENOUGH <= streak.weight) {
            return Some(false);
        }
        let kind = kind(policy, run.class.unwrap_or("invalid"), run.is_certain);
        let unsteady = self.past == Past::Unsteady;
        let streak = self.failures[kind].get_or_insert(Streak::new(run.started, unsteady));
        let weights = &policy.weights;
        let measure =
            [None, Some(&weights.doubtful), Some(&weights.silent), Some(&weights.throttled)];
        let wait = |looks| match measure[kind] {
            Some(_) if kind == SILENT && is_counted(policy) => Some(pause(policy)),
            Some(measure) => Some(millis(measure, looks)),
            None => None,
        };
        let free = streak.add(run.started, wait(streak.looks));
        let each = measure[kind].map_or(ENOUGH, |measure| match self.past {
            Past::Unsteady => measure.weight * weights.unsteady_percent / 100,
            Past::Steady if kind == SILENT => weights.steady_silent,
            Past::Steady | Past::Usual => measure.weight,
        });
        streak.weight = if kind == SILENT && is_counted(policy) {
            streak.looks * ENOUGH / policy.confirm_runs.unwrap_or(3)
        } else {
            streak.looks * each
        };
        let old = i64::try_from(weights.siblings_age.as_millis()).unwrap();
        let is_shared = kind == SILENT && !is_counted(policy) && around.siblings.is_some();
        if streak.weight < ENOUGH && is_shared && old <= run.started.0 - streak.first.0 {
            (streak.weight, self.has_siblings) = (ENOUGH, true);
        }
        if ENOUGH <= streak.weight {
            self.is_known = true;
            return Some(false);
        }
        let after = Ask::After(wait(streak.looks).unwrap_or(SECOND));
        self.ask = Some(free.map_or(after, Ask::At));
        None
    }

    /// Returns since when there is no answer, with the run that is judged.
    pub(super) fn silent_since(&self, started: Timestamp) -> Timestamp {
        self.failures[SILENT].map_or(started, |streak| streak.first)
    }

    /// Returns the numbers of consecutive failing and passing runs.
    pub(super) const fn counters(&self) -> (u32, u32) {
        (self.failing, self.passing)
    }

    /// Returns the number of looks that are kept, and true when the configuration is known to fail.
    pub(super) fn evidence(&self) -> (usize, bool) {
        let streaks = self.failures.iter().flatten().chain(&self.recovery);
        let looks = streaks.map(|streak| usize::try_from(streak.looks).unwrap()).sum::<usize>();
        (looks + usize::from(self.has_siblings), self.is_known)
    }
}
