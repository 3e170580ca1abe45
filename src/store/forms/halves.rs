//! Halves of an integration's row: what every run changes, and what most leave as it is.

use crate::domain::Evidence;
use crate::domain::ledger::{FactsRef, Row};

/// Returns the stored facts that `row` points to.
pub(in crate::store) fn facts_of(row: &Row) -> Option<i64> {
    match row.seen.fingerprint?.facts {
        FactsRef::Stored(id) => Some(id),
        FactsRef::OfRun(_) => None,
    }
}

/// Returns true when the half of a row that most runs leave as it is, is the same in both.
pub(in crate::store) fn is_cold_part_same(row: &Row, before: &Row, facts: Option<i64>) -> bool {
    row.status == before.status
        && row.pending == before.pending
        && row.active.failing_since == before.active.failing_since
        && is_same_evidence(&row.active.evidence, &before.active.evidence)
        && row.candidate == before.candidate
        && row.sequence == before.sequence
        && row.transitions == before.transitions
        && row.incident == before.incident
        && row.notified == before.notified
        && row.mute == before.mute
        && row.warning_muted == before.warning_muted
        && row.flips == before.flips
        && row.flapping == before.flapping
        && row.suspect == before.suspect
        && row.own_fault == before.own_fault
        && row.outage == before.outage
        && facts == facts_of(before)
}

/// Returns true when the text of both is the same; the counters have columns of their own.
fn is_same_evidence(one: &Evidence, other: &Evidence) -> bool {
    let Evidence { counters: _, looks, is_failing, past } = one;
    *looks == other.looks
        && *is_failing == other.is_failing
        && (*past == other.past || (looks.is_empty() && !is_failing))
}
