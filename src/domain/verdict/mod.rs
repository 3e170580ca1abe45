//! From a report to a verdict: one rule of evidence.
//!
//! Each look at an integration has a weight, by what was seen and by how far it is from the look before. At
//! [`NEEDED`] the status changes. Looks of different kinds do not add up. `docs/verdicts.md` states the rule for people, [`weights`] has its
//! numbers, and the tests have its table of cases.

mod evidence;
mod kind;
mod policy;
#[cfg(test)]
mod tests;
mod weights;
mod words;

pub(crate) use evidence::{Counters, Evidence, Look, Siblings, Sight, Weighed};
pub(crate) use kind::Past;
pub(crate) use policy::{Flips, Policy};
#[cfg(test)]
pub(crate) use weights::Measure;
pub(crate) use weights::{NEEDED, Weights};

use std::time::Duration;

use kind::Kind;

use super::report::Decisive;
use super::{Class, Report, ReportStatus, Timestamp};

/// Conclusion from a run about its integration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(crate) enum Verdict {
    /// The integration is known to work.
    Passed,
    /// The integration is known to fail.
    Failed,
    /// It may not work: the failure has to be confirmed by more runs.
    Confirming,
    /// It may work again: the recovery has to be confirmed by more runs.
    Recovering,
    /// The run says nothing about the integration.
    Inconclusive,
}

impl Verdict {
    /// The word in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Finished run, as far as a verdict depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JudgedRun<'a> {
    /// Results of the run.
    pub(crate) report: &'a Report,
    /// Start of the run.
    pub(crate) started_at: Timestamp,
    /// Instant from which the wait for the next look counts.
    pub(crate) ended_at: Timestamp,
    /// Node on which it ran; none where there is one node.
    pub(crate) node: Option<&'a str>,
}

impl JudgedRun<'_> {
    /// Returns the look that it is.
    fn look(&self, seen: Sight) -> Look {
        Look { at: self.started_at, seen, node: self.node.map(str::to_owned) }
    }
}

/// Circumstances of a run besides its own results and those before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// True when the status has changed lately.
    pub(crate) is_unsteady: bool,
    /// Others that share a factor and fail, if they have been asked for and are enough.
    pub(crate) siblings: Option<Siblings>,
    /// True when another node can look too, so that what one node alone cannot reach does not fail yet.
    pub(crate) has_another_node: bool,
}

/// A verdict with the rule that made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Judgement {
    /// Verdict of the policy.
    pub(crate) verdict: Verdict,
    /// Rule that made it, as a sentence for people.
    pub(crate) rule: String,
    /// The evidence after this run.
    pub(crate) evidence: Evidence,
    /// Looks that the verdict rests on.
    pub(crate) shown: Vec<Weighed>,
    /// Instant of the next look, where more are needed.
    pub(crate) look_at: Option<Timestamp>,
    /// Instant since when there is no answer, where siblings that have none either would confirm the failure.
    pub(crate) asks_siblings: Option<Timestamp>,
}

impl Judgement {
    /// Returns a judgement about which nothing more has to be found out.
    fn of(verdict: Verdict, rule: String, evidence: Evidence, shown: Vec<Weighed>) -> Self {
        Self { verdict, rule, evidence, shown, look_at: None, asks_siblings: None }
    }
}

/// Judges a finished run by `policy`, given the evidence before it.
#[must_use]
pub(crate) fn judge(
    policy: &Policy,
    before: &Evidence,
    run: JudgedRun<'_>,
    around: &Around,
) -> Judgement {
    match (run.report.status(), run.report.decisive()) {
        (ReportStatus::Passed | ReportStatus::Warning, _) => passed(policy, before, run, around),
        (ReportStatus::Failed, Some(Decisive { class: Class::Local, .. })) => {
            let rule = "the fault is on the daemon's side, so the status stays";
            inconclusive(policy, before, run, rule)
        }
        (ReportStatus::Failed, failure) => {
            let failure = failure.unwrap_or(Decisive::certain(Class::Invalid));
            Failing { policy, run, around, failure }.judge(before)
        }
        (ReportStatus::Skipped, _) => {
            inconclusive(policy, before, run, "no test could be run, so the status stays")
        }
    }
}

/// Judges a run that only repeated a refusal which an earlier run reported.
#[must_use]
pub(crate) fn repeated(policy: &Policy, before: &Evidence, run: JudgedRun<'_>) -> Judgement {
    let rule = "the refused log-in was not tried again, so the status stays";
    inconclusive(policy, before, run, rule)
}

/// Returns a judgement that leaves the evidence as it is.
fn inconclusive(policy: &Policy, before: &Evidence, run: JudgedRun<'_>, rule: &str) -> Judgement {
    let shown = before.weighed(policy);
    let judged = Judgement::of(Verdict::Inconclusive, rule.to_owned(), before.clone(), shown);
    Judgement { look_at: Some(run.ended_at.plus(policy.wait())), ..judged }
}

fn passed(policy: &Policy, before: &Evidence, run: JudgedRun<'_>, around: &Around) -> Judgement {
    let counters = Counters { failures: 0, passes: before.counters.passes.saturating_add(1) };
    let looks = if before.is_of_failure() { Vec::new() } else { before.looks.clone() };
    let mut evidence = Evidence { counters, looks, ..*before };
    if let Some(counted) = policy.counted_passes() {
        return counted_pass(policy, evidence, run, counted.runs);
    }
    if evidence.looks.is_empty() {
        let is_unsteady = around.is_unsteady && before.is_failing;
        evidence.past = if is_unsteady { Past::Unsteady } else { Past::Usual };
    }
    let wait = |evidence: &Evidence| {
        let measure = policy.weights.measure(Kind::Passed, evidence.past)?;
        Some(measure.wait_after(evidence.looks.len()))
    };
    let latest = evidence.looks.last().map(|look| look.at);
    let early = too_early(run, latest, wait(&evidence));
    if early.is_none() {
        evidence.looks.push(run.look(Sight::Passed));
    }
    let shown = evidence.weighed(policy);
    let total = evidence.total(policy);
    if NEEDED <= total {
        let rule = match before.contradicted(policy, run.node) {
            Some((node, _)) => words::contradicted(node),
            None => words::passed(evidence.looks.len()),
        };
        let evidence = Evidence { counters, ..Evidence::default() };
        return Judgement::of(Verdict::Passed, rule, evidence, shown);
    }
    let rule = words::recovering(early.and(wait(&evidence)), total);
    let look_at = Some(next_look(run, early, wait(&evidence)));
    Judgement { look_at, ..Judgement::of(Verdict::Recovering, rule, evidence, shown) }
}

/// Judges a passing run by the number of passing runs, which a key asks for.
fn counted_pass(
    policy: &Policy,
    mut evidence: Evidence,
    run: JudgedRun<'_>,
    needed: u32,
) -> Judgement {
    let passes = evidence.counters.passes;
    evidence.looks.push(run.look(Sight::Passed));
    let shown = evidence.weighed(policy);
    if needed <= passes {
        let evidence = Evidence { counters: evidence.counters, ..Evidence::default() };
        return Judgement::of(Verdict::Passed, words::passed(1), evidence, shown);
    }
    let look_at = Some(run.ended_at.plus(policy.wait()));
    let rule = words::counted_pass(passes, needed);
    Judgement { look_at, ..Judgement::of(Verdict::Recovering, rule, evidence, shown) }
}

/// Returns the instant from which on a look counts again, when `run` came too soon after the latest of its kind. An
/// instant that lies ahead is of a clock that was rolled back since.
fn too_early(
    run: JudgedRun<'_>,
    latest: Option<Timestamp>,
    wait: Option<Duration>,
) -> Option<Timestamp> {
    let latest = latest.filter(|at| *at <= run.started_at)?;
    Some(latest.plus(wait?)).filter(|from| run.started_at < *from)
}

/// Returns the instant of the next look: a wait after `run`, or as soon as a look counts again.
fn next_look(run: JudgedRun<'_>, early: Option<Timestamp>, wait: Option<Duration>) -> Timestamp {
    let next = run.ended_at.plus(wait.unwrap_or_default());
    early.map_or(next, |from| from.max(run.ended_at))
}

/// Failing run with everything that its weight depends on.
struct Failing<'a> {
    policy: &'a Policy,
    run: JudgedRun<'a>,
    around: &'a Around,
    failure: Decisive,
}

impl Failing<'_> {
    fn judge(&self, before: &Evidence) -> Judgement {
        let Self { policy, run, .. } = *self;
        let mut evidence = self.counted(before);
        let Decisive { class, is_certain, retry_after } = self.failure;
        if NEEDED <= evidence.total(policy) {
            let rule = words::known(class);
            let shown = evidence.weighed(policy);
            return Judgement::of(Verdict::Failed, rule, evidence, shown);
        }
        let kind = policy.kind(class, is_certain);
        let wait = |evidence: &Evidence| {
            let looks = evidence.runs(policy, kind).len();
            if let Some(counted) = policy.counted_failures().filter(|_| kind == Kind::Silent) {
                return Some(counted.wait);
            }
            let measure = policy.weights.measure(kind, evidence.past)?;
            Some(measure.wait_after(looks))
        };
        let latest = evidence.runs(policy, kind).last().copied();
        let early = too_early(run, latest, wait(&evidence));
        let alone = self.alone(&evidence);
        if early.is_none() {
            evidence.looks.push(run.look(Sight::Failed { class, is_certain }));
            // What would be enough is not, as long as one node alone has no answer.
            if alone.is_some() && NEEDED <= evidence.total(policy) {
                evidence.looks.pop();
            }
        }
        let asks_siblings = self.asks_siblings(&evidence, kind).filter(|_| alone.is_none());
        if let Some(siblings) = self.around.siblings.clone().filter(|_| asks_siblings.is_some()) {
            let seen = Sight::Siblings(siblings);
            evidence.looks.push(run.look(seen));
        }
        let mut rule = words::failing(policy, &evidence, &self.failure, early);
        if let Some(node) = alone {
            rule = words::alone(&rule, node);
        }
        let shown = evidence.weighed(policy);
        if NEEDED <= evidence.total(policy) {
            evidence.is_failing = true;
            return Judgement::of(Verdict::Failed, rule, evidence, shown);
        }
        let asked = retry_after.unwrap_or_default().min(weights::RETRY_AFTER_MAX);
        let next = next_look(run, early, wait(&evidence)).max(run.ended_at.plus(asked));
        let judged = Judgement::of(Verdict::Confirming, rule, evidence, shown);
        Judgement { look_at: Some(next), asks_siblings, ..judged }
    }

    /// Returns the node of this run, when it is the only one without an answer, and another one can look too. Where one
    /// run is to be enough, no second look is made.
    fn alone(&self, evidence: &Evidence) -> Option<&str> {
        let is_asked = self.around.has_another_node && self.failure.class == Class::Unreachable;
        let is_enough = self.policy.counted_failures().is_some_and(|counted| counted.runs <= 1);
        let node = self.run.node.filter(|_| is_asked && !is_enough)?;
        evidence.is_silent_from(node).then_some(node)
    }

    /// Returns the evidence with this run among the consecutive ones. A passing run before it ends what was seen.
    fn counted(&self, before: &Evidence) -> Evidence {
        let failures = before.counters.failures.saturating_add(1);
        let counters = Counters { failures, passes: 0 };
        if before.is_of_failure() {
            return Evidence { counters, ..before.clone() };
        }
        let is_steady = self.policy.weights.steady_passes <= before.counters.passes;
        let past = match (self.around.is_unsteady, is_steady) {
            (true, _) => Past::Unsteady,
            (false, true) => Past::Steady,
            (false, false) => Past::Usual,
        };
        Evidence { counters, looks: Vec::new(), past, ..*before }
    }

    /// Returns since when there is no answer, where others that share a factor can confirm it: throttling says
    /// nothing about the host, however many it hits.
    fn asks_siblings(&self, evidence: &Evidence, kind: Kind) -> Option<Timestamp> {
        let policy = self.policy;
        let is_open = policy.counted_failures().is_none() && evidence.total(policy) < NEEDED;
        let since = evidence.runs(policy, kind).first().copied();
        let age = self.run.started_at.since(since?);
        let is_old = policy.weights.siblings_age <= age;
        since.filter(|_| kind == Kind::Silent && is_open && is_old)
    }
}
