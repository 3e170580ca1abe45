//! Applied configurations: one event for all that one of them changed, whatever their number.

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::draft::{Decision, Draft};
use crate::domain::{
    Changes, ConfigurationApplied, Event, EventType, PageUrl, Payload, SCHEMA_VERSION,
};

/// Decides to notify receivers of the changes that a configuration made. One that changed nothing is no event;
/// the answer is true when there is one.
pub(crate) fn announce_changes(
    case: &Case,
    changes: &Changes,
    context: &NotificationContext,
) -> Decided<Decision<bool>> {
    let mut draft = Draft::new(case, context);
    if changes.is_empty() {
        return Ok(draft.decide(false));
    }
    let kind = EventType::ConfigurationApplied;
    let data = ConfigurationApplied {
        schema_version: SCHEMA_VERSION,
        epoch: draft.case.head()?.epoch.clone(),
        sequence: draft.next_operational()?,
        changes: changes.clone(),
        links: context.links(PageUrl::overview),
    };
    let sequence = data.sequence;
    let data = Payload::ConfigurationApplied(data);
    let sent = draft.insert_operational(sequence, Event::new(kind, draft.now(), data))?;
    let wanting = draft.context.subscriptions.iter().filter(|one| one.wants_kind(kind));
    draft.enqueue_plain(&sent, &wanting.collect::<Vec<_>>());
    Ok(draft.decide(true))
}
