//! Outages: several integrations that fail by one shared cause are one piece of news.
//!
//! Each change of a member is still an event, with the outage as its `group`; it is enqueued only for
//! receivers that want each integration, or that were not sent the outage.

use std::collections::BTreeSet;

use super::case::{Case, Decided, Need, OutageState, Shared, Sibling};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use super::effects::{Effect, Emitted, NewOutage};
use super::finished::{Finished, Trigger};
use super::notify::millis;
use super::outbox::PastEvent;
use super::row::{Incident, Row};
use crate::domain::{
    CLOSE_AFTER, CLOSING_WAIT, Class, EVIDENCE_MAX, Event, EventType, Factor, IntegrationId,
    IntegrationRef, OutageMember, OutageNotice, Payload, SCHEMA_VERSION, SIBLINGS_MAX, SharedCause,
    Siblings, Status, Subscription, Timestamp, is_outage,
};

/// The most integrations that a notification lists.
const LISTED_MAX: usize = 500;

/// An outage as its events name it.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// Id of the outage, `out_<uuid>`.
    pub(crate) id: String,
    /// Factor that the integrations share.
    pub(crate) factor: Factor,
    /// Kind of failure that they share.
    pub(crate) cause: SharedCause,
    /// When the first of them began to fail.
    pub(crate) since: Timestamp,
}

/// The members of an outage at its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutageMembers {
    /// All of them, by id.
    pub(crate) all: Vec<OutageMember>,
    /// Those that still fail by it, by id.
    pub(crate) failing: Vec<FailingMember>,
}

/// Member of an outage that still fails at its end.
#[derive(Clone, Debug)]
pub(crate) struct FailingMember {
    /// The integration, as events name it.
    pub(crate) integration: IntegrationRef,
    /// Incident of the integration that is open.
    pub(crate) incident: Option<Incident>,
    /// The event of its latest failure.
    pub(crate) failure: Option<PastEvent>,
}

fn shared_by(draft: &Draft<'_>, row: &Row, cause: SharedCause) -> Decided<Vec<Shared>> {
    let found = draft.case.factors(row.id)?.iter();
    let found = found.filter(|factor| cause.factors().contains(&factor.kind));
    Ok(found.map(|factor| Shared { factor: factor.clone(), by: row.id }).collect())
}

/// Makes the siblings of the first of its kind to fail due at once: if they fail too, it is not its
/// own trouble. A refused login is not tried on others, since accounts get locked, and a platform that asks
/// for fewer requests gets no more.
pub(super) fn alert(draft: &mut Draft<'_>, row: &Row) -> Decided<()> {
    let cause = row.suspect.filter(|one| is_silent(one.class));
    let cause = cause.and_then(|one| SharedCause::of(one.class));
    let Some(cause @ SharedCause::Unreached) = cause else { return Ok(()) };
    let most = usize::try_from(SIBLINGS_MAX).unwrap_or(usize::MAX);
    let (now, mut alerted) = (draft.now(), BTreeSet::new());
    for shared in shared_by(draft, row, cause)? {
        let since = now.minus(EVIDENCE_MAX);
        if draft.case.is(Need::AnotherFails(shared.clone(), since))? {
            continue;
        }
        let idle = draft.case.integrations(Need::IdleSiblings(shared))?;
        let idle = idle.iter().copied().filter(|id| !alerted.contains(id));
        let due: BTreeSet<_> = idle.take(most).collect();
        for integration in &due {
            draft.push(confirm(*integration, now));
        }
        alerted.extend(due);
    }
    Ok(())
}

/// Returns true when the platform gave no answer, or none that says anything about one integration alone.
const fn is_silent(class: Class) -> bool {
    matches!(class, Class::Unreachable | Class::Unavailable)
}

/// Returns the siblings that confirm a failure of `row` which began at `since`: together with it enough fail in
/// the same way, and few have passed since the first of them failed.
pub(super) fn failing_siblings(
    draft: &Draft<'_>,
    row: &Row,
    since: Timestamp,
    finished: &Finished,
) -> Decided<Option<Siblings>> {
    let oldest = finished.started_at.minus(EVIDENCE_MAX);
    let min = finished.policy.weights.siblings_min;
    let mut most: Option<Siblings> = None;
    for shared in shared_by(draft, row, SharedCause::Unreached)? {
        let siblings = draft.case.failing_siblings(shared.clone())?.iter();
        let counted = siblings.filter(|one| oldest <= one.since && is_silent(one.class));
        let counted: Vec<_> = counted.map(|one| one.since).collect();
        let first = counted.iter().copied().fold(since, Timestamp::min);
        let passing = Need::PassingSiblings(shared.clone(), first.max(oldest));
        let passing = draft.case.count(passing)?;
        let failing = u32::try_from(counted.len()).unwrap_or(u32::MAX);
        let is_more = most.as_ref().is_none_or(|most| most.failing < failing);
        if is_more && is_outage(counted.len().saturating_add(1), passing, min) {
            most = Some(Siblings { factor: shared.factor, failing });
        }
    }
    Ok(most)
}

/// Returns the effect that makes another row due, to confirm what this one showed.
const fn confirm(integration: IntegrationId, at: Timestamp) -> Effect {
    Effect::MakeDue { integration, at, trigger: Trigger::Confirm }
}

/// Makes `row`, which fails, part of the outage that it belongs to, if there is one or it begins one.
pub(super) fn join(draft: &mut Draft<'_>, row: &mut Row) -> Decided<()> {
    row.outage = None;
    let Some(cause) = row.suspect.and_then(|suspect| SharedCause::of(suspect.class)) else {
        return Ok(());
    };
    let all = shared_by(draft, row, cause)?;
    for shared in &all {
        if let Some(open) = draft.case.open_outage(&shared.factor, cause)? {
            enlist(draft, row, open.clone());
            return Ok(());
        }
    }
    let mut widest: Option<(Outage, Vec<OutageMember>)> = None;
    for shared in all {
        if let Some(found) = evidence(draft, row, shared, cause)?
            && widest.as_ref().is_none_or(|(_, members)| members.len() < found.1.len())
        {
            widest = Some(found);
        }
    }
    if let Some((outage, members)) = widest {
        let id = outage.id.clone();
        open(draft, outage, members)?;
        enlist(draft, row, id);
    }
    Ok(())
}

fn enlist(draft: &mut Draft<'_>, row: &mut Row, outage: String) {
    row.outage = Some(outage.clone());
    draft.push(Effect::JoinOutage { outage, integration: row.id });
}

/// Returns the outage that `row` and its siblings make of what they share, if they do. Others count
/// that began to fail lately, or of whose failure receivers have not been notified.
fn evidence(
    draft: &mut Draft<'_>,
    row: &Row,
    shared: Shared,
    cause: SharedCause,
) -> Decided<Option<(Outage, Vec<OutageMember>)>> {
    let Some(own) = row.suspect else { return Ok(None) };
    let oldest = draft.now().minus(EVIDENCE_MAX);
    let counts = |one: &&Sibling| {
        (oldest <= one.since || one.is_unnotified) && SharedCause::of(one.class) == Some(cause)
    };
    let siblings = draft.case.failing_siblings(shared.clone())?;
    let counted: Vec<_> = siblings.iter().filter(counts).collect();
    let since = counted.iter().map(|one| one.since).fold(own.since, Timestamp::min);
    let passing = Need::PassingSiblings(shared.clone(), since.max(oldest));
    let passing = draft.case.count(passing)?;
    let mut members = vec![OutageMember {
        integration: row.reference(),
        status: row.status,
        sequence: row.sequence,
    }];
    members.extend(counted.into_iter().map(|one| one.member.clone()));
    if !is_outage(members.len(), passing, draft.context.outage_min) {
        return Ok(None);
    }
    members.sort_by_key(|member| member.integration.id);
    let id = draft.fresh_id("out")?;
    Ok(Some((Outage { id, factor: shared.factor, cause, since }, members)))
}

fn open(draft: &mut Draft<'_>, outage: Outage, members: Vec<OutageMember>) -> Decided<()> {
    let fits = |one: &Subscription| {
        members.iter().any(|member| one.selection.fits(member.integration.about()))
    };
    let wanting = draft.context.subscriptions.iter();
    let wanting = wanting.filter(|one| one.wants_kind(EventType::Outage) && fits(one));
    let wanting: Vec<_> = wanting.collect();
    let data = notice(draft, &outage, members)?;
    let sent = insert(draft, EventType::Outage, data)?;
    let Outage { id, factor, cause, since } = outage;
    draft.begin_incident(&id);
    draft.open_incident(&sent, &Incident { id: id.clone(), since, is_notified: true }, &wanting)?;
    draft.opened = Some(id.clone());
    let event = sent.id;
    draft.push(Effect::OpenOutage(Box::new(NewOutage { id, event, factor, cause, since })));
    Ok(())
}

/// Returns what an event says about an outage and its members.
fn notice(
    draft: &mut Draft<'_>,
    outage: &Outage,
    mut members: Vec<OutageMember>,
) -> Decided<OutageNotice> {
    let unlisted = members.len().saturating_sub(LISTED_MAX);
    members.truncate(LISTED_MAX);
    Ok(OutageNotice {
        schema_version: SCHEMA_VERSION,
        epoch: draft.case.head()?.epoch.clone(),
        sequence: draft.next_operational()?,
        outage_id: outage.id.clone(),
        factor: outage.factor.clone(),
        cause: outage.cause.as_str().to_owned(),
        since: outage.since,
        outage_ms: None,
        integrations: members,
        unlisted: u32::try_from(unlisted).unwrap_or(u32::MAX),
        links: draft.context.links(|page| page.outage(&outage.id)),
    })
}

fn insert(draft: &mut Draft<'_>, kind: EventType, data: OutageNotice) -> Decided<Emitted> {
    let sequence = data.sequence;
    let body = Event::new(kind, draft.now(), Payload::Outage(data));
    draft.insert_operational(sequence, body)
}

/// Takes `row`, which works again, out of the outage that it was part of. The first recovery makes
/// those that still fail due at once; the last one ends the outage.
pub(super) fn recover(draft: &mut Draft<'_>, row: &mut Row) -> Decided<()> {
    let Some(outage) = row.outage.take() else { return Ok(()) };
    let state = state(draft, &outage, row)?;
    if !state.is_open {
        return Ok(());
    }
    let now = draft.now();
    let at = if state.has_others { now.plus(CLOSE_AFTER) } else { now };
    draft.push(Effect::ScheduleClose { outage: outage.clone(), at });
    if !state.is_closing && state.has_others {
        let failing = Need::FailingMembers(outage, row.id);
        for integration in draft.case.integrations(failing)? {
            draft.push(confirm(*integration, now));
        }
    }
    Ok(())
}

/// Plans another look at `row` when it still fails by an outage that is about to be closed: by then it is known
/// whether it has a fault of its own.
pub(super) fn look_again(draft: &Draft<'_>, row: &mut Row) -> Decided<()> {
    let fails = row.status == Status::RecurringValidationError && row.suspect.is_some();
    let Some(outage) = row.outage.as_deref().filter(|_| fails) else { return Ok(()) };
    let state = state(draft, outage, row)?;
    let look = draft.now().plus(CLOSING_WAIT);
    let is_sooner = row.next_run_at.is_none_or(|next| look < next);
    if state.is_open && state.is_closing && is_sooner {
        (row.next_run_at, row.trigger) = (Some(look), Trigger::Confirm);
    }
    Ok(())
}

/// Takes `row`, which is no longer validated as it was, out of its outage; the last one ends it.
pub(super) fn leave(draft: &mut Draft<'_>, row: &mut Row) -> Decided<()> {
    let Some(outage) = row.outage.take() else { return Ok(()) };
    let state = state(draft, &outage, row)?;
    if state.is_open && !state.has_others {
        draft.push(Effect::ScheduleClose { outage, at: draft.now() });
    }
    Ok(())
}

fn state(draft: &Draft<'_>, outage: &str, row: &Row) -> Decided<OutageState> {
    // One that the same decision has opened has no other member yet.
    if draft.opened.as_ref().is_some_and(|opened| opened == outage) {
        return Ok(OutageState { is_open: true, is_closing: false, has_others: false });
    }
    draft.case.outage_state(outage, row.id)
}

/// Ends an outage that is over: its end is enqueued for the receivers that were sent its beginning.
/// Members that still fail do so by themselves from then on, and their failures are enqueued for those
/// that were only sent the outage.
pub(crate) fn close(
    case: &Case,
    outage: &Outage,
    members: &OutageMembers,
    context: &NotificationContext,
) -> Decided<Decision<()>> {
    let mut draft = Draft::new(case, context);
    let now = context.now;
    draft.push(Effect::CloseOutage { outage: outage.id.clone(), at: now });
    let data = notice(&mut draft, outage, members.all.clone())?;
    let data = OutageNotice { outage_ms: Some(millis(now, outage.since)), ..data };
    let sent = insert(&mut draft, EventType::OutageResolved, data)?;
    draft.end_incident(&sent, &outage.id, &[])?;
    for member in &members.failing {
        draft.push(Effect::LeaveOutage(IntegrationId(member.integration.id)));
        enqueue_failure(&mut draft, member)?;
    }
    Ok(draft.decide(()))
}

/// Enqueues the latest failure of a member for the receivers that were only sent the outage.
fn enqueue_failure(draft: &mut Draft<'_>, member: &FailingMember) -> Decided<()> {
    let FailingMember { integration, incident, failure } = member;
    let (Some(failure), Some(incident)) = (failure, incident) else { return Ok(()) };
    let sent = Emitted {
        id: failure.id.clone(),
        integration: Some(IntegrationId(integration.id)),
        kind: EventType::ValidationFailed,
    };
    let about = integration.about();
    let wanting = draft.context.subscriptions.iter();
    for one in wanting.filter(|one| one.wants(EventType::ValidationFailed, about)) {
        draft.send_earlier(&sent, incident, one)?;
    }
    Ok(())
}
