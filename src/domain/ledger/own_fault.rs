//! Faults on the daemon's own side: notified once when they begin, and once when they are over.

use super::case::{Case, Decided, Need};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::Effect;
use super::finished::{Finished, SubjectRun};
use super::notify::millis;
use super::row::{Incident, Row};
use crate::domain::{
    Class, DaemonFaultNotice, Event, EventType, OwnFault, PageUrl, Payload, ReportStatus,
    SCHEMA_VERSION, Timestamp,
};

/// A fault with its description for people.
#[derive(Clone, Debug)]
pub(crate) struct NodeFault {
    /// Kind of the fault.
    pub(crate) fault: OwnFault,
    /// Description of the fault for people.
    pub(crate) message: String,
    /// Node that has it; none where it is of all nodes, or of the only one.
    pub(crate) node: Option<String>,
}

/// Decides that `fault` lasts: receivers are notified when that is new. The answer is true then.
pub(crate) fn begin(
    case: &Case,
    fault: NodeFault,
    context: &NotificationContext,
) -> Decided<Decision<bool>> {
    let mut draft = Draft::new(case, context);
    let is_new = raise(&mut draft, fault)?;
    Ok(draft.decide(is_new))
}

/// Decides that `fault` is over: receivers are notified when it lasted. The answer is true then.
pub(crate) fn end(
    case: &Case,
    fault: OwnFault,
    context: &NotificationContext,
) -> Decided<Decision<bool>> {
    let mut draft = Draft::new(case, context);
    let lasted = clear(&mut draft, fault)?;
    Ok(draft.decide(lasted))
}

fn raise(draft: &mut Draft<'_>, raised: NodeFault) -> Decided<bool> {
    let NodeFault { fault, message, .. } = raised.clone();
    if draft.case.own_faults()?.iter().any(|lasting| lasting.fault == fault) {
        return Ok(false);
    }
    let since = draft.now();
    draft.push(Effect::RaiseFault { fault, since, message });
    announce(draft, EventType::DaemonDegraded, raised, since)?;
    Ok(true)
}

fn clear(draft: &mut Draft<'_>, fault: OwnFault) -> Decided<bool> {
    let lasting = draft.case.own_faults()?.iter().find(|lasting| lasting.fault == fault);
    let Some(lasting) = lasting else { return Ok(false) };
    draft.push(Effect::ClearFault(fault));
    let (message, node) = (lasting.message.clone(), lasting.node.clone());
    let ended = NodeFault { fault, message, node };
    announce(draft, EventType::DaemonRecovered, ended, lasting.since)?;
    Ok(true)
}

fn announce(
    draft: &mut Draft<'_>,
    kind: EventType,
    NodeFault { fault, message, node }: NodeFault,
    since: Timestamp,
) -> Decided<()> {
    let now = draft.now();
    let over = kind == EventType::DaemonRecovered;
    let data = DaemonFaultNotice {
        schema_version: SCHEMA_VERSION,
        epoch: draft.case.head()?.epoch.clone(),
        sequence: draft.next_operational()?,
        fault,
        message,
        node,
        since,
        lasted_ms: over.then(|| millis(now, since)),
        links: draft.context.links(PageUrl::overview),
    };
    let (sequence, incident) =
        (data.sequence, Incident { id: data.incident_id(), since, is_notified: true });
    let body = Event::new(kind, now, Payload::DaemonFaultNotice(data));
    let sent = draft.insert_operational(sequence, body)?;
    let wanting = draft.context.subscriptions.iter().filter(|one| one.wants_kind(kind));
    let mut wanting: Vec<_> = wanting.collect();
    if over {
        wanting.retain(|one| !one.wants_kind(EventType::DaemonDegraded));
        return draft.end_incident(&sent, &incident.id, &wanting);
    }
    draft.begin_incident(&incident.id);
    draft.open_incident(&sent, &incident, &wanting)
}

/// Returns the fault on the daemon's own side that made the run inconclusive.
pub(super) fn of(finished: &Finished) -> Option<NodeFault> {
    let SubjectRun { report, own_fault, .. } = finished.runs.first()?;
    if report.status() != ReportStatus::Failed || report.class() != Some(Class::Local) {
        return None;
    }
    let findings = report.tests.iter().filter_map(|test| test.outcome.finding());
    let mut local = findings.filter(|finding| finding.class == Class::Local);
    let message = local.next().map(|finding| finding.message.as_str()).unwrap_or_default();
    let (fault, name) = (own_fault.unwrap_or(OwnFault::Validation), &finished.begun.name);
    Some(NodeFault { fault, message: format!("{name}: {message}"), node: None })
}

/// Notes on `row` the fault that made its latest run inconclusive. A fault of one validation lasts
/// until no integration has one any more; the others are ended by those that noticed them.
pub(super) fn note(draft: &mut Draft<'_>, row: &mut Row, fault: Option<NodeFault>) -> Decided<()> {
    let before = row.own_fault;
    row.own_fault = fault.as_ref().map(|fault| fault.fault);
    if let Some(fault) = fault {
        raise(draft, fault)?;
    }
    let ended = before == Some(OwnFault::Validation) && before != row.own_fault;
    if ended && !draft.case.is(Need::AnotherFailsLocally(row.id))? {
        clear(draft, OwnFault::Validation)?;
    }
    Ok(())
}
