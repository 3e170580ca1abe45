//! Effects as lines of text.

use super::kit::NOW;
use crate::domain::ledger::{Effect, QueueChange, ReceiverHealth, Trigger};
use crate::domain::{IntegrationId, Timestamp};

/// Returns every effect as a line: ids as their prefix, instants relative to [`NOW`].
/// Those about what receivers know are [`knowledge`].
pub(super) fn lines(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter(|effect| !is_knowledge(effect)).map(line).collect()
}

/// Returns what receivers know or no longer know after the effects, as lines.
pub(super) fn knowledge(effects: &[Effect]) -> Vec<String> {
    effects.iter().filter(|effect| is_knowledge(effect)).map(line).collect()
}

const fn is_knowledge(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SaveKnown(_)
            | Effect::LearnIncident(_)
            | Effect::ForgetIncident(_)
            | Effect::BuryIncident { .. }
            | Effect::ReviveIncident { .. }
    )
}

fn at(instant: Timestamp) -> String {
    format!("{:+} s", (instant.0 - NOW.0) / 1000)
}

fn about(integration: Option<IntegrationId>) -> i64 {
    integration.map_or(0, |id| id.0)
}

fn prefix(id: &str) -> &str {
    id.split('_').next().unwrap()
}

#[expect(clippy::too_many_lines, reason = "one arm for each effect")]
fn line(effect: &Effect) -> String {
    match effect {
        Effect::SaveRow(row) => format!("save {} as {}", row.id.0, row.status),
        Effect::InsertIntegration(new) => format!("insert {} as {}", new.row.name, new.row.status),
        Effect::Describe(new) => format!("describe {} {}", new.row.name, new.config),
        Effect::Propose(new) => format!("propose {} {}", new.row.name, new.config),
        Effect::Adopt(id) => format!("adopt {}", id.0),
        Effect::Discard(id) => format!("discard {}", id.0),
        Effect::InsertRun { id, index, rule, evidence: _ } => {
            format!("run {} of subject {index}: {rule}", id.0)
        }
        Effect::InsertTransition(new) => {
            let step = new.step.map_or("new".to_owned(), |step| {
                format!("{} -> {} by {}", step.from, step.to, step.cause.as_str())
            });
            let (run, incident) = (new.run.map_or(0, |run| run.0), new.incident.as_deref());
            let incident = incident.map_or("no incident", prefix);
            format!("transition {step}, run {run}, {incident}, {}", at(new.at))
        }
        Effect::InsertEvent(new) => {
            let (kind, sequence) = (new.body.kind.as_str(), new.sequence);
            format!("{} {kind} {sequence} of {}", prefix(&new.id), about(new.integration))
        }
        Effect::CountOperational(number) => format!("operational {number}"),
        Effect::Queue(change) => queue_line(change),
        Effect::OpenOutage(new) => {
            let cause = new.cause.as_str();
            format!("{} open {} {cause} {}", prefix(&new.id), new.factor.value, at(new.since))
        }
        Effect::JoinOutage { outage, integration } => {
            format!("join {} {}", prefix(outage), integration.0)
        }
        Effect::LeaveOutage(id) => format!("leave {}", id.0),
        Effect::ScheduleClose { outage, at: when } => {
            format!("end {} {}", prefix(outage), at(*when))
        }
        Effect::CloseOutage { outage, at: when } => {
            format!("close {} {}", prefix(outage), at(*when))
        }
        Effect::MakeDue { integration, at: when, trigger: Trigger::Confirm } => {
            format!("due {} {}", integration.0, at(*when))
        }
        Effect::MakeDue { integration, at: when, trigger } => {
            format!("due {} {} by {}", integration.0, at(*when), trigger.as_str())
        }
        Effect::Contradict { node, integration, at } => {
            format!("contradict {node} {} {}", integration.0, at.0)
        }
        Effect::RaiseFault { fault, since, message } => {
            format!("raise {} {}: {message}", fault.as_str(), at(*since))
        }
        Effect::ClearFault(fault) => format!("clear {}", fault.as_str()),
        Effect::InsertSilence { id, new, at: when } => {
            let until = at(new.until);
            format!("silence {id} of {} {} until {until}", about(new.acknowledges), at(*when))
        }
        Effect::EndSilence { id, at: when } => format!("end silence {id} {}", at(*when)),
        Effect::ReevaluateMutes { at: when } => format!("look at mutes {}", at(*when)),
        Effect::SaveKnown(known) | Effect::LearnIncident(known) => {
            let (incident, state) = (prefix(&known.incident.id), known.state.as_str());
            format!("{incident} of {} {state} by {}", known.receiver, prefix(&known.event))
        }
        Effect::ForgetIncident(incident) => format!("forget {}", prefix(incident)),
        Effect::BuryIncident { incident, receiver, at: when } => {
            format!("bury {} of {receiver} {}", prefix(incident), at(*when))
        }
        Effect::ReviveIncident { incident, receiver } => {
            format!("revive {} of {receiver}", prefix(incident))
        }
        Effect::InsertAttempt(attempt, number) => {
            format!("attempt {number} of {}", attempt.delivery.0)
        }
        Effect::SaveDelivery(update) => {
            let outcome = update.outcome.map_or("undecided".to_owned(), |(state, due)| {
                format!("{} {}", state.as_str(), due.map_or("never".to_owned(), at))
            });
            let (id, attempts) = (update.id.0, update.attempts);
            let free = match update.earlier {
                0 => String::new(),
                earlier => format!(" ({earlier} free)"),
            };
            format!("delivery {id} after {attempts}{free} {}: {outcome}", at(update.at))
        }
        Effect::UpdateReceiver(health) => receiver_line(health),
    }
}

fn receiver_line(health: &ReceiverHealth) -> String {
    let disabled = health
        .disabled
        .map_or("enabled".to_owned(), |(reason, when)| format!("{} {}", reason.as_str(), at(when)));
    let failing = health.failing_since.map_or("none".to_owned(), at);
    let success = health.last_success_at.map_or("none".to_owned(), at);
    let outage = health.outage.map_or(String::new(), |outage| {
        format!(", {} failures, probe {}", outage.failures, at(outage.probe_at))
    });
    format!("receiver {}: {disabled}, failing {failing}, success {success}{outage}", health.name)
}

fn queue_line(change: &QueueChange) -> String {
    match change {
        QueueChange::Enqueue { event, receiver, integration, at: when, part: _ } => {
            let (event, about) = (prefix(event), about(*integration));
            format!("enqueue {event} of {about} to {receiver} {}", at(*when))
        }
        QueueChange::Insert { event, receiver, integration, part: _ } => {
            format!("insert {event} of {} to {receiver}", about(*integration))
        }
        QueueChange::Requeue(id) => format!("requeue {}", id.0),
        QueueChange::Expire { id, at: when } => format!("expire {} {}", id.0, at(*when)),
        QueueChange::RequeueHead { receiver, integration, at: when } => {
            format!("head of {} to {receiver} {}", about(*integration), at(*when))
        }
        QueueChange::Advance { ended, at: when } => format!("advance {} {}", ended.0, at(*when)),
        QueueChange::ProbeNow { receiver, at: when } => format!("probe {receiver} {}", at(*when)),
        QueueChange::Refresh { receiver, at: when } => format!("refresh {receiver} {}", at(*when)),
    }
}
