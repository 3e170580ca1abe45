//! Measures a policy: false alerts, time to detection and messages per outage.

use super::peers::Message;
use super::scene::{RUN_MS, Scene};
use crate::domain::Timestamp;
use crate::simulation::faults::{Fault, Kind, MINUTE, SECOND};
use crate::simulation::plan::Plan;

/// Measurements of one policy in one world.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Notifications of a failure while there was no lasting fault.
    pub(super) false_alerts: u32,
    /// From every lost permission to its message, in seconds.
    pub(super) lost_secs: Vec<f64>,
    /// From every outage to its message, for every integration on the host, in seconds.
    pub(super) outage_secs: Vec<f64>,
    /// Messages about one outage.
    pub(super) messages: Vec<f64>,
}

/// Longest delay of a message after the run that caused it, in milliseconds.
const DELAY_MAX_MS: i64 = 5 * SECOND;

fn is_lasting(kind: Kind) -> bool {
    matches!(kind, Kind::LostPermission | Kind::Outage)
}

/// Converts milliseconds to seconds, as a number to calculate with.
fn secs(millis: i64) -> f64 {
    std::time::Duration::from_millis(millis.max(0).unsigned_abs()).as_secs_f64()
}

/// Measures the notifications of a policy in `plan`.
pub(super) fn measure(scene: &Scene, plan: &Plan, sent: &[Message]) -> Measured {
    let mut found = Measured::default();
    for message in sent.iter().filter(|message| message.is_failure) {
        let seen = [message.at.0 - RUN_MS - DELAY_MAX_MS, message.at.0 - RUN_MS, message.at.0];
        let at = |at| match message.number {
            Some(number) => plan.faults.at(number, plan.specs[number].host, Timestamp(at)),
            // It is about a host, and wrong when no host has more than a blip.
            None => plan
                .faults
                .shared
                .iter()
                .flatten()
                .filter(|one| one.covers(Timestamp(at)))
                .copied()
                .collect(),
        };
        if !seen.into_iter().flat_map(at).any(|fault| is_lasting(fault.kind)) {
            found.false_alerts += 1;
        }
    }
    for number in 0..plan.specs.len() {
        for fault in lasting(&plan.faults.own[number]) {
            found.lost_secs.extend(detected(sent, plan, number, fault));
        }
    }
    for (host, shared) in plan.faults.shared.iter().enumerate() {
        for fault in lasting(shared) {
            let on_host = |number: &usize| plan.specs[*number].host == host;
            for number in (0..plan.specs.len()).filter(on_host) {
                found.outage_secs.extend(detected(sent, plan, number, fault));
            }
            found.messages.push(messages(scene, plan, sent, host, fault));
        }
    }
    found
}

fn lasting(faults: &[Fault]) -> impl Iterator<Item = &Fault> {
    faults.iter().filter(|fault| is_lasting(fault.kind))
}

/// Returns the seconds until receivers were notified of an integration's `fault`; all of its time when
/// they were not. None when they knew of another failure that had not ended.
fn detected(sent: &[Message], plan: &Plan, number: usize, fault: &Fault) -> Option<f64> {
    let host = plan.specs[number].host;
    let about = |message: &&Message| match message.number {
        Some(own) => own == number,
        // One notification of an outage for all: there is one at a time.
        None => plan.faults.shared[host].iter().any(|one| one.from == fault.from),
    };
    let before = sent.iter().filter(about).filter(|message| message.at < fault.from);
    if before.max_by_key(|message| message.at).is_some_and(|latest| latest.is_failure) {
        return None;
    }
    let until = Timestamp(fault.to.0 + RUN_MS + DELAY_MAX_MS);
    let mut after = sent.iter().filter(about).filter(|message| message.is_failure);
    let first = after.by_ref().filter(|one| fault.from <= one.at && one.at <= until);
    let first = first.map(|message| message.at).min();
    Some(secs(first.unwrap_or(fault.to).0 - fault.from.0))
}

/// Returns the number of messages that an outage of a host caused: failures during it, and all messages
/// about the same integrations until they must have been found healthy.
fn messages(scene: &Scene, plan: &Plan, sent: &[Message], host: usize, fault: &Fault) -> f64 {
    let until = fault.to.0 + 2 * scene.interval_ms + MINUTE;
    let within = sent.iter().filter(|one| fault.from <= one.at && one.at.0 <= until);
    let about = within.filter(|one| one.number.is_none_or(|own| plan.specs[own].host == host));
    f64::from(u32::try_from(about.count()).unwrap())
}
