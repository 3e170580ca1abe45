//! From a report to a verdict: one rule of evidence.
//!
//! Each look at an integration has a weight, by what was seen and by how far it is from the look before. At
//! [`NEEDED`] the status changes. `docs/verdicts.md` states the rule for people, [`weights`] has its
//! numbers, and the tests have its table of cases.

mod evidence;
mod policy;
#[cfg(test)]
mod tests;
mod weights;
mod words;

pub(crate) use evidence::{Counters, Evidence, Look, Siblings, Sight, Weighed};
pub(crate) use policy::{Flips, Policy};
#[cfg(test)]
pub(crate) use weights::Measure;
pub(crate) use weights::{NEEDED, Weights};

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
}

/// Circumstances of a run besides its own results and those before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// True when the status has changed lately.
    pub(crate) is_unsteady: bool,
    /// Others that share a factor and fail, if they have been asked for and are enough.
    pub(crate) siblings: Option<Siblings>,
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
    /// True when siblings that fail as well would confirm the failure.
    pub(crate) asks_siblings: bool,
}

impl Judgement {
    /// Returns a judgement about which nothing more has to be found out.
    fn of(verdict: Verdict, rule: String, evidence: Evidence, shown: Vec<Weighed>) -> Self {
        Self { verdict, rule, evidence, shown, look_at: None, asks_siblings: false }
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
    if evidence.runs() == 0 {
        evidence.is_unsteady = around.is_unsteady && before.is_failing;
    }
    let measure = policy.weights.unsteady_pass;
    let wait = measure.wait_after(evidence.runs());
    let latest = evidence.latest_before(run.started_at);
    let early = latest.map(|at| at.plus(wait)).filter(|until| run.started_at < *until);
    if early.is_none() {
        evidence.looks.push(Look { at: run.started_at, seen: Sight::Passed });
    }
    let shown = evidence.weighed(policy);
    let total = evidence.total(policy);
    if NEEDED <= total {
        let rule = words::passed(evidence.runs());
        let evidence = Evidence { counters, ..Evidence::default() };
        return Judgement::of(Verdict::Passed, rule, evidence, shown);
    }
    let rule = words::recovering(early.map(|_| wait), total);
    let next = run.ended_at.plus(measure.wait_after(evidence.runs()));
    let look_at = Some(early.map_or(next, |until| until.max(run.ended_at)));
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
    evidence.looks.push(Look { at: run.started_at, seen: Sight::Passed });
    let shown = evidence.weighed(policy);
    if needed <= passes {
        let evidence = Evidence { counters: evidence.counters, ..Evidence::default() };
        return Judgement::of(Verdict::Passed, words::passed(1), evidence, shown);
    }
    let look_at = Some(run.ended_at.plus(policy.wait()));
    let rule = words::counted_pass(passes, needed);
    Judgement { look_at, ..Judgement::of(Verdict::Recovering, rule, evidence, shown) }
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
        let failures = before.counters.failures.saturating_add(1);
        let counters = Counters { failures, passes: 0 };
        let mut evidence = if before.is_of_failure() {
            Evidence { counters, ..before.clone() }
        } else {
            let is_unsteady = self.around.is_unsteady;
            Evidence { counters, looks: Vec::new(), is_unsteady, ..*before }
        };
        let Decisive { class, is_certain, .. } = self.failure;
        if NEEDED <= evidence.total(self.policy) {
            let rule =
                if class.is_definitive() { words::definitive(class) } else { words::known(class) };
            let shown = evidence.weighed(self.policy);
            return Judgement::of(Verdict::Failed, rule, evidence, shown);
        }
        let early = self.counts_from(&evidence).filter(|at| self.run.started_at < *at);
        if early.is_none() {
            let seen = Sight::Failed { class, is_certain };
            evidence.looks.push(Look { at: self.run.started_at, seen });
        }
        let age = evidence.age(self.run.started_at);
        let asks_siblings = self.is_shared_in_kind()
            && evidence.total(self.policy) < NEEDED
            && self.policy.weights.siblings_age <= age;
        if let Some(siblings) = self.around.siblings.clone().filter(|_| asks_siblings) {
            let seen = Sight::Siblings(siblings);
            evidence.looks.push(Look { at: self.run.started_at, seen });
        }
        let rule = words::failing(self.policy, &evidence, &self.failure, early);
        let shown = evidence.weighed(self.policy);
        if NEEDED <= evidence.total(self.policy) {
            evidence.is_failing = true;
            return Judgement::of(Verdict::Failed, rule, evidence, shown);
        }
        let look_at = Some(self.next_look(&evidence, early));
        let judged = Judgement::of(Verdict::Confirming, rule, evidence, shown);
        Judgement { look_at, asks_siblings, ..judged }
    }

    /// Returns the instant from which on another look of this kind counts; none when it counts in any case.
    fn counts_from(&self, evidence: &Evidence) -> Option<Timestamp> {
        let latest = evidence.latest_before(self.run.started_at)?;
        Some(latest.plus(self.wait_after(evidence.runs())?))
    }

    /// Returns the wait after so many looks; none when one look of this kind is enough.
    fn wait_after(&self, looks: usize) -> Option<std::time::Duration> {
        let Decisive { class, is_certain, .. } = self.failure;
        match self.policy.counted_failures() {
            Some(_) if class.is_definitive() => None,
            Some(counted) => Some(counted.wait),
            None => {
                let measure = self.policy.weights.of(class, is_certain)?;
                Some(measure.wait_after(looks))
            }
        }
    }

    /// Returns true when others that share a factor can confirm a failure of this kind: throttling says
    /// nothing about the host, however many it hits.
    fn is_shared_in_kind(&self) -> bool {
        matches!(self.failure.class, Class::Unreachable | Class::Unavailable)
            && self.policy.counted_failures().is_none()
    }

    /// Returns the instant of the next look: a wait after this run, or as soon as a look counts again, and not
    /// before the platform wants to be asked.
    fn next_look(&self, evidence: &Evidence, early: Option<Timestamp>) -> Timestamp {
        let ended_at = self.run.ended_at;
        let wait = self.wait_after(evidence.runs()).unwrap_or_default();
        let next = early.map_or(ended_at.plus(wait), |from| from.max(ended_at));
        let asked = self.failure.retry_after.unwrap_or_default().min(weights::RETRY_AFTER_MAX);
        next.max(ended_at.plus(asked))
    }
}
