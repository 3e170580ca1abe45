//! Vantage points (confirmation from elsewhere): what one node cannot reach, another one is to look at before it counts.
//!
//! A node whose findings others contradict again and again is cut off itself.

use std::time::Duration;

use super::case::{Decided, Need};
use super::draft::Draft;
use super::effects::Effect;
use super::finished::{Finished, SubjectRun};
use super::row::{Elsewhere, Row};
use crate::domain::{Class, IntegrationId, Judgement, NEEDED, Subject, Timestamp, Verdict};

/// Number of integrations that a node alone cannot reach, from which on its own network is suspected.
const CONTRADICTED_MIN: usize = 3;
/// Time for which a contradiction counts.
const CONTRADICTED_MAX: Duration = Duration::from_mins(10);

/// Integration that one node alone had no answer from, while another one found it to work.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(not(any(feature = "postgres", test)), expect(dead_code, reason = "a file has one node"))]
pub(crate) struct Contradiction {
    /// Id of the integration.
    pub(crate) integration: IntegrationId,
    /// Host that it talks to.
    pub(crate) host: String,
    /// Start of the latest run that had no answer.
    pub(crate) at: Timestamp,
}

/// Returns true when so many of the findings of a node were contradicted lately that its network is suspected.
pub(crate) fn is_suspect(contradictions: &[Contradiction], now: Timestamp) -> bool {
    let oldest = now.minus(CONTRADICTED_MAX);
    let recent = contradictions.iter().filter(|one| oldest < one.at && one.at <= now);
    CONTRADICTED_MIN <= recent.count()
}

/// Returns true when another node can look at what this run could not reach, and has not had the time for it: once it
/// had, this one decides alone.
pub(super) fn has_another(
    draft: &Draft<'_>,
    row: &Row,
    finished: &Finished,
    run: &SubjectRun,
) -> Decided<bool> {
    let Some(node) = finished.node.as_ref().filter(|_| is_unreachable(run)) else {
        return Ok(false);
    };
    let before = &row.progress(run.subject).evidence;
    let had_time = |one: &Elsewhere| one.node == *node && one.until <= finished.started_at;
    if row.elsewhere.as_ref().is_some_and(had_time) || NEEDED <= before.total(&finished.policy) {
        return Ok(false);
    }
    draft.case.is(Need::AnotherNode(row.id, node.clone()))
}

fn is_unreachable(run: &SubjectRun) -> bool {
    run.report.class() == Some(Class::Unreachable)
}

/// Returns the reservation of the next look for other nodes, where this run could not reach what may fail and there are
/// others. It ends a wait after the look is due: others have had time for it then.
pub(super) fn reserve(
    draft: &Draft<'_>,
    row: &Row,
    finished: &Finished,
    judged: &[(Subject, Judgement)],
) -> Decided<Option<Elsewhere>> {
    let mut runs = finished.runs.iter().zip(judged);
    let is_open =
        runs.any(|(run, (_, one))| one.verdict == Verdict::Confirming && is_unreachable(run));
    let asked = finished.node.as_ref().zip(row.next_run_at).filter(|_| is_open);
    let Some((node, next)) = asked else { return Ok(None) };
    let until = next.plus(finished.policy.wait());
    let has_others = draft.case.is(Need::AnotherNode(row.id, node.clone()))?;
    Ok(has_others.then(|| Elsewhere { node: node.clone(), until }))
}

/// Notes which node alone could not reach what this run finds to work.
pub(super) fn note_contradictions(draft: &mut Draft<'_>, row: &Row, finished: &Finished) {
    let node = finished.node.as_deref();
    for run in finished.runs.iter().filter(|run| run.is_good()) {
        let before = &row.progress(run.subject).evidence;
        if let Some((other, at)) = before.contradicted(&finished.policy, node) {
            let (node, integration) = (other.to_owned(), row.id);
            draft.push(Effect::Contradict { node, integration, at });
        }
    }
}
