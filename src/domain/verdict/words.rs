//! Sentences for people that say which rule made a verdict.

use std::time::Duration;

use super::evidence::{Evidence, Sight};
use super::kind::Kind;
use super::policy::Policy;
use super::weights::NEEDED;
use crate::domain::report::Decisive;
use crate::domain::{Class, Timestamp, duration_text};

/// Returns the sentence about a definitive failure that is beyond doubt.
pub(super) fn definitive(class: Class) -> String {
    format!("a definitive failure ({}) counts at once", class.as_str())
}

/// Returns the sentence about a failure of what is known to fail.
pub(super) fn known(class: Class) -> String {
    if class.is_definitive() {
        return definitive(class);
    }
    format!("a transient failure ({}) of what is known to fail", class.as_str())
}

/// Returns the sentence about passing runs that are enough.
pub(super) fn passed(runs: usize) -> String {
    if runs < 2 {
        "a passing run".to_owned()
    } else {
        format!("{runs} passing runs, one after the other")
    }
}

/// Returns the sentence about a passing run of what another node alone could not reach.
pub(super) fn contradicted(node: &str) -> String {
    format!(
        "a passing run; node {node} alone had no answer, which counts as a fault on its own side"
    )
}

/// Returns a sentence about a failing run with what is missing while one node alone has no answer.
pub(super) fn alone(rule: &str, node: &str) -> String {
    format!(
        "{rule}; only node {node} has had no answer, and another node is to look before it counts as failing"
    )
}

/// Returns the sentence about a passing run that is one of several which a key asks for.
pub(super) fn counted_pass(passes: u32, needed: u32) -> String {
    format!("passing run {passes} of the {needed} that recovery needs (`recovery_runs`)")
}

/// Returns the sentence about a passing run of an integration whose status changes often; `early` is the wait
/// that it came too soon for.
pub(super) fn recovering(early: Option<Duration>, total: u32) -> String {
    let run = match early {
        Some(wait) => format!(
            "a passing run less than {} after the one before adds nothing",
            duration_text(wait)
        ),
        None => "a passing run while the status changes often".to_owned(),
    };
    format!("{run}: {total} of the {NEEDED} that recovery needs")
}

/// Returns the sentence about a failing run, after it was added to the evidence; `early` is the instant from
/// which on it would have counted.
pub(super) fn failing(
    policy: &Policy,
    evidence: &Evidence,
    failure: &Decisive,
    early: Option<Timestamp>,
) -> String {
    let class = failure.class;
    if class.is_definitive() && (failure.is_certain || policy.counted_failures().is_some()) {
        return definitive(class);
    }
    if let Some(counted) = policy.counted_failures() {
        let wait = early.map(|_| counted.wait);
        let runs = evidence.runs(policy, Kind::Silent).len();
        return counted_failure(class, runs, counted.runs, wait);
    }
    let kind = policy.kind(class, failure.is_certain);
    let looks = evidence.runs(policy, kind).len();
    let total = evidence.weight_of(policy, kind);
    let name = class.as_str();
    let said = if class.is_definitive() {
        format!("a definitive failure ({name}) that may not be the platform's own answer")
    } else {
        format!("a transient failure ({name})")
    };
    let of = format!("{total} of the {NEEDED} that a failure needs");
    if let Some(Sight::Siblings(siblings)) = evidence.looks.last().map(|look| &look.seen) {
        let (kind_of, value) = (siblings.factor.kind.as_str(), &siblings.factor.value);
        let failing = siblings.failing;
        return format!(
            "{said}, and {failing} others with the same {kind_of} {value} fail too: {of}"
        );
    }
    match early {
        Some(_) => format!("{said} too soon after the one before, which count once: {of}"),
        None if looks == 1 => format!("{said}: {of}"),
        None => format!("{said} in look {looks}: {of}"),
    }
}

/// Returns the sentence about a transient failure that is one of several which a key asks for.
fn counted_failure(class: Class, runs: usize, needed: u32, early: Option<Duration>) -> String {
    let name = class.as_str();
    let is_enough = u32::try_from(runs).is_ok_and(|runs| needed <= runs);
    match early {
        Some(wait) => format!(
            "transient failure ({name}) within {} of the one before, which count once: {runs} of the \
             {needed} that are needed (`confirm_runs`)",
            duration_text(wait)
        ),
        None if needed == 1 => {
            format!("a transient failure ({name}) counts at once, as `confirm_runs` is 1")
        }
        None if is_enough => format!(
            "a transient failure ({name}) in {runs} consecutive runs, {needed} are needed \
             (`confirm_runs`)"
        ),
        None => format!(
            "transient failure ({name}) {runs} of the {needed} consecutive ones that are needed \
             (`confirm_runs`)"
        ),
    }
}
