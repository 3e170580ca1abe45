//! Measures a policy: false alerts, time to detection and messages per outage.

use super::peers::{About, Message};
use super::scene::{LIMIT_MS, RUN_MS, Scene};
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
    /// From every outage of a single integration to its message, in seconds.
    pub(super) lone_secs: Vec<f64>,
    /// From every used-up quota to its message, in seconds.
    pub(super) used_up_secs: Vec<f64>,
}

/// Longest delay of a message after the run that caused it, in milliseconds.
const DELAY_MAX_MS: i64 = 5 * SECOND;

const fn is_lasting(kind: Kind) -> bool {
    matches!(kind, Kind::LostPermission | Kind::Outage | Kind::UsedUp)
}

/// Converts milliseconds to seconds, as a number to calculate with.
pub(super) fn secs(millis: i64) -> f64 {
    std::time::Duration::from_millis(millis.max(0).unsigned_abs()).as_secs_f64()
}

/// Measures the notifications of a policy in `plan`.
pub(super) fn measure(scene: &Scene, plan: &Plan, sent: &[Message]) -> Measured {
    let mut found = Measured::default();
    let failures = sent.iter().filter(|message| message.is_failure());
    let wrong = failures.filter(|message| is_wrong(plan, message)).count();
    found.false_alerts = u32::try_from(wrong).unwrap();
    for number in 0..plan.specs.len() {
        for fault in plan.faults.own[number].iter().filter(|fault| is_lasting(fault.kind)) {
            let times = if fault.kind == Kind::Outage {
                &mut found.lone_secs
            } else if fault.kind == Kind::UsedUp {
                &mut found.used_up_secs
            } else {
                &mut found.lost_secs
            };
            times.extend(detected(sent, plan, number, fault));
        }
    }
    for (host, shared) in plan.faults.shared.iter().enumerate() {
        for fault in shared.iter().filter(|fault| is_lasting(fault.kind)) {
            let on_host = |number: &usize| plan.specs[*number].host == host;
            for number in (0..plan.specs.len()).filter(on_host) {
                found.outage_secs.extend(detected(sent, plan, number, fault));
            }
            found.messages.push(messages(scene, plan, sent, host, fault));
        }
    }
    found
}

/// Returns true when none of what a failure names had a lasting fault at the check that caused it.
pub(super) fn is_wrong(plan: &Plan, message: &Message) -> bool {
    // The check before may have taken all of its time, and Alertmanager may have waited for other alerts.
    let before = [LIMIT_MS + DELAY_MAX_MS, RUN_MS + DELAY_MAX_MS, RUN_MS, 0];
    let seen = before.map(|millis| Timestamp(message.at.0 - millis));
    match &message.about {
        About::Integrations { failing, passing: _ } => {
            let fails = |number: &usize| {
                let host = plan.specs[*number].host;
                let mut all = seen.iter().flat_map(|at| plan.faults.at(*number, host, *at));
                all.any(|fault| is_lasting(fault.kind))
            };
            !failing.iter().any(fails)
        }
        // It is wrong when no host has more than a blip.
        About::Outage { .. } => {
            let mut shared = plan.faults.shared.iter().flatten();
            let covers = |one: &Fault| seen.iter().any(|at| one.covers(*at));
            !shared.any(|one| is_lasting(one.kind) && covers(one))
        }
    }
}

/// Says of an integration that it fails, or that it works; none when the message is not about it.
fn says(message: &Message, number: usize, is_shared: bool) -> Option<bool> {
    match &message.about {
        About::Integrations { failing, .. } if failing.contains(&number) => Some(true),
        About::Integrations { passing, .. } if passing.contains(&number) => Some(false),
        // One notification of an outage for all: there is one at a time.
        About::Outage { is_over } if is_shared => Some(!is_over),
        About::Integrations { .. } | About::Outage { .. } => None,
    }
}

/// Returns the seconds until receivers were notified of an integration's `fault`; all of its time when
/// they were not. None when they knew of another failure that had not ended.
fn detected(sent: &[Message], plan: &Plan, number: usize, fault: &Fault) -> Option<f64> {
    let host = plan.specs[number].host;
    let is_shared = plan.faults.shared[host].iter().any(|one| one.from == fault.from);
    let said = || sent.iter().filter_map(|one| Some((one.at, says(one, number, is_shared)?)));
    let before = said().filter(|(at, _)| *at < fault.from);
    if before.max_by_key(|(at, _)| *at).is_some_and(|(_, fails)| fails) {
        return None;
    }
    let until = Timestamp(fault.to.0 + RUN_MS + DELAY_MAX_MS);
    let after = said().filter(|(at, fails)| *fails && fault.from <= *at && *at <= until);
    let first = after.map(|(at, _)| at).min();
    Some(secs(first.unwrap_or(fault.to).0 - fault.from.0))
}

/// Returns the number of messages that an outage of a host caused: failures during it, and all messages
/// about the same integrations until they must have been found healthy.
fn messages(scene: &Scene, plan: &Plan, sent: &[Message], host: usize, fault: &Fault) -> f64 {
    let until = fault.to.0 + 2 * scene.interval_ms + MINUTE;
    let within = sent.iter().filter(|one| fault.from <= one.at && one.at.0 <= until);
    let is_about = |one: &&Message| match &one.about {
        About::Integrations { failing, passing } => {
            failing.iter().chain(passing).any(|number| plan.specs[*number].host == host)
        }
        About::Outage { .. } => true,
    };
    f64::from(u32::try_from(within.filter(is_about).count()).unwrap())
}
