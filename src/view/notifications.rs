//! Notifications about an integration: the status that receivers know, and the mutes in force.

use serde::Serialize;

use super::situation::{Situation, status_changes};
use super::time::millis;
use crate::domain::{Factor, FactorKind, OwnFault, Status, Timestamp};
use crate::store::{IntegrationRow, MuteRow, OutageRow, OwnFaultRow};

/// Notifications about an integration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Notifications<'a> {
    notified_status: Status,
    muted: Option<Mute<'a>>,
    status_changes: Vec<Timestamp>,
    flapping_since: Option<Timestamp>,
    flapping_until: Option<Timestamp>,
    outage_id: Option<&'a str>,
    daemon_fault: Option<OwnFault>,
    #[serde(flatten)]
    more: Option<More<'a>>,
}

/// Part that is not in the integration's row.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct More<'a> {
    active_mutes: Vec<Mute<'a>>,
    status_changes_allowed: Option<u32>,
    status_changes_window_ms: Option<u64>,
    outage: Option<Outage<'a>>,
    factors: Vec<SharedFactor<'a>>,
}

/// Reason for which notifications are muted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Mute<'a> {
    by: &'a str,
    until: Timestamp,
}

/// Outage that integrations share.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Outage<'a> {
    id: &'a str,
    factor: &'a Factor,
    since: Timestamp,
}

/// Factor with the number of other integrations that have it in common.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SharedFactor<'a> {
    kind: FactorKind,
    value: &'a str,
    others: u32,
}

impl<'a> From<&'a MuteRow> for Mute<'a> {
    fn from(MuteRow { by, until }: &'a MuteRow) -> Self {
        Self { by, until: *until }
    }
}

impl<'a> From<&'a OutageRow> for Outage<'a> {
    fn from(OutageRow { id, factor, since, .. }: &'a OutageRow) -> Self {
        Self { id, factor, since: *since }
    }
}

impl<'a> From<&'a IntegrationRow> for Notifications<'a> {
    fn from(row: &'a IntegrationRow) -> Self {
        Self {
            notified_status: row.notified,
            muted: row.mute.as_ref().map(Mute::from),
            status_changes: row.flips.0.clone(),
            flapping_since: row.flapping_since,
            flapping_until: row.flapping_until,
            outage_id: row.outage_id.as_deref(),
            daemon_fault: row.own_fault,
            more: None,
        }
    }
}

impl<'a> Notifications<'a> {
    /// Notifications with the parts that are not in the integration's row; of its status changes only those
    /// that count towards flapping remain.
    pub(super) fn of(row: &'a IntegrationRow, situation: &'a Situation, now: Timestamp) -> Self {
        let Situation { mutes, policy, outage, factors, .. } = situation;
        let shared = |(factor, others): &'a (Factor, u32)| SharedFactor {
            kind: factor.kind,
            value: &factor.value,
            others: *others,
        };
        let more = More {
            active_mutes: mutes.iter().map(Mute::from).collect(),
            status_changes_allowed: policy.map(|policy| policy.flap_flips),
            status_changes_window_ms: policy.map(|policy| millis(policy.flap_window)),
            outage: outage.as_ref().map(Outage::from),
            factors: factors.iter().map(shared).collect(),
        };
        let status_changes = status_changes(row, policy.as_ref(), now);
        Self { status_changes, more: Some(more), ..Self::from(row) }
    }
}

/// Fault on the daemon's own side.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct DaemonFault<'a> {
    fault: OwnFault,
    since: Timestamp,
    message: &'a str,
}

impl<'a> From<&'a OwnFaultRow> for DaemonFault<'a> {
    fn from(OwnFaultRow { fault, since, message, node: _ }: &'a OwnFaultRow) -> Self {
        Self { fault: *fault, since: *since, message }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::view::samples::{faults, now, troubled};

    #[test]
    fn everything_about_notifications_is_shown() {
        let (row, situation) = troubled();
        let shown = serde_json::to_value(Notifications::of(&row, &situation, now())).unwrap();
        let silence = json!({ "by": "silence 3", "until": "2026-11-23T12:00:00Z" });
        let flapping = json!({ "by": "flapping", "until": "2026-11-23T10:20:00Z" });
        let factor = json!({ "kind": "host", "value": "db\u{1b}" });
        let since = "2026-11-23T08:00:00Z";
        let mut expected = json!({
            "notifiedStatus": "enabled", "muted": silence,
            "statusChanges": ["2026-11-23T09:00:00Z"],
            "flappingSince": "2026-11-23T09:00:00Z", "flappingUntil": "2026-11-23T10:20:00Z",
            "outageId": "out_1", "daemonFault": "network",
            "activeMutes": [silence, flapping], "statusChangesAllowed": 3,
            "statusChangesWindowMs": 21_600_000,
            "outage": { "id": "out_1", "factor": factor, "since": since },
            "factors": [
                { "kind": "host", "value": "db\u{1b}", "others": 3 },
                { "kind": "host", "value": "alone", "others": 0 },
            ],
        });
        assert_eq!(shown, expected);
        let listed = serde_json::to_value(Notifications::from(&row)).unwrap();
        let keys = expected.as_object_mut().unwrap();
        let beyond =
            ["activeMutes", "statusChangesAllowed", "statusChangesWindowMs", "outage", "factors"];
        for key in beyond {
            keys.remove(key);
        }
        keys["statusChanges"] = json!(["2026-11-23T03:00:00Z", "2026-11-23T09:00:00Z"]);
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_daemon_fault_is_shown_with_its_message() {
        let shown = serde_json::to_value(faults().each_ref().map(DaemonFault::from)).unwrap();
        let since = "2026-11-23T09:00:00Z";
        let message = "no canary answers\u{1b}.";
        let expected = json!([{ "fault": "network", "since": since, "message": message }]);
        assert_eq!(shown, expected);
    }
}
