//! What programs get of messages that are held.

use serde::Serialize;

use crate::cli::print::millis;
use crate::cli::silences::covered;
use crate::cli::special::{Special, counting};
use crate::domain::{Factor, FactorKind, OwnFault, Selection, Status, Timestamp};
use crate::store::{HoldRow, IntegrationRow, OutageRow, OwnFaultRow, SilenceRow, TargetRow};

/// A silence or an acknowledgement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Silence<'a> {
    id: i64,
    kind: &'static str,
    open: bool,
    integration: Option<&'a str>,
    selection: Option<&'a Selection>,
    covers: Option<usize>,
    until: Timestamp,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    comment: &'a str,
}

impl<'a> Silence<'a> {
    /// The shape of `row`, given what it may cover.
    pub(in crate::cli) fn new(
        row: &'a SilenceRow,
        integrations: &[TargetRow],
        now: Timestamp,
    ) -> Self {
        let integration = row.acknowledged.as_ref().map(|(_, name)| name.as_str());
        Self {
            id: row.id,
            kind: row.kind(),
            open: row.is_open(now),
            integration,
            selection: integration.is_none().then_some(&row.selection),
            covers: covered(row, integrations, now),
            until: row.until,
            created_at: row.created_at,
            ended_at: row.ended_at,
            comment: &row.comment,
        }
    }
}

/// What receivers know of an integration, and what keeps them from knowing more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Messages<'a> {
    told: Status,
    held: Option<Hold<'a>>,
    flips: Vec<Timestamp>,
    flapping_since: Option<Timestamp>,
    flapping_until: Option<Timestamp>,
    outage_id: Option<&'a str>,
    own_fault: Option<OwnFault>,
    #[serde(flatten)]
    more: Option<More<'a>>,
}

/// What stands not in the integration's row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct More<'a> {
    in_force: Vec<Hold<'a>>,
    flips_let_pass: Option<u32>,
    flip_window_ms: Option<u64>,
    outage: Option<Outage<'a>>,
    factors: Vec<Shared<'a>>,
}

/// Something that holds messages.
#[derive(Debug, Serialize)]
struct Hold<'a> {
    by: &'a str,
    until: Timestamp,
}

/// An outage.
#[derive(Debug, Serialize)]
struct Outage<'a> {
    id: &'a str,
    factor: &'a Factor,
    since: Timestamp,
}

/// Something that an integration may share.
#[derive(Debug, Serialize)]
struct Shared<'a> {
    kind: FactorKind,
    value: &'a str,
    others: u32,
}

impl<'a> From<&'a HoldRow> for Hold<'a> {
    fn from(HoldRow { by, until }: &'a HoldRow) -> Self {
        Self { by, until: *until }
    }
}

impl<'a> From<&'a IntegrationRow> for Messages<'a> {
    fn from(row: &'a IntegrationRow) -> Self {
        Self {
            told: row.told,
            held: row.hold.as_ref().map(Hold::from),
            flips: row.flips.0.clone(),
            flapping_since: row.flapping_since,
            flapping_until: row.flapping_until,
            outage_id: row.outage_id.as_deref(),
            own_fault: row.own_fault,
            more: None,
        }
    }
}

impl<'a> Messages<'a> {
    /// With what does not stand in the integration's row, of which only flips that count remain.
    pub(in crate::cli) fn of(
        row: &'a IntegrationRow,
        special: &'a Special,
        now: Timestamp,
    ) -> Self {
        let Special { in_force, policy, outage, factors } = special;
        let shared = |(factor, others): &'a (Factor, u32)| Shared {
            kind: factor.kind,
            value: &factor.value,
            others: *others,
        };
        let more = More {
            in_force: in_force.iter().map(Hold::from).collect(),
            flips_let_pass: policy.map(|policy| policy.flap_flips),
            flip_window_ms: policy.map(|policy| millis(policy.flap_window)),
            outage: outage.as_ref().map(|OutageRow { id, factor, since }| Outage {
                id,
                factor,
                since: *since,
            }),
            factors: factors.iter().map(shared).collect(),
        };
        let flips = counting(row, policy.as_ref(), now);
        Self { flips, more: Some(more), ..Self::from(row) }
    }
}

/// Something that is wrong on the daemon's own side.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct DaemonFault<'a> {
    fault: OwnFault,
    since: Timestamp,
    message: &'a str,
}

impl<'a> From<&'a OwnFaultRow> for DaemonFault<'a> {
    fn from(OwnFaultRow { fault, since, message }: &'a OwnFaultRow) -> Self {
        Self { fault: *fault, since: *since, message }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::samples::{faults, screen, troubled};

    #[test]
    fn programs_get_everything_special() {
        let (row, special) = troubled();
        let shown = serde_json::to_value(Messages::of(&row, &special, screen().now)).unwrap();
        let silence = json!({ "by": "silence 3", "until": "2026-11-23T12:00:00Z" });
        let flapping = json!({ "by": "flapping", "until": "2026-11-23T10:20:00Z" });
        let factor = json!({ "kind": "host", "value": "db\u{1b}" });
        let since = "2026-11-23T08:00:00Z";
        let mut expected = json!({
            "told": "enabled", "held": silence, "flips": ["2026-11-23T09:00:00Z"],
            "flappingSince": "2026-11-23T09:00:00Z", "flappingUntil": "2026-11-23T10:20:00Z",
            "outageId": "out_1", "ownFault": "network",
            "inForce": [silence, flapping], "flipsLetPass": 3, "flipWindowMs": 21_600_000,
            "outage": { "id": "out_1", "factor": factor, "since": since },
            "factors": [
                { "kind": "host", "value": "db\u{1b}", "others": 3 },
                { "kind": "host", "value": "alone", "others": 0 },
            ],
        });
        assert_eq!(shown, expected);
        let listed = serde_json::to_value(Messages::from(&row)).unwrap();
        let keys = expected.as_object_mut().unwrap();
        for key in ["inForce", "flipsLetPass", "flipWindowMs", "outage", "factors"] {
            keys.remove(key);
        }
        keys["flips"] = json!(["2026-11-23T03:00:00Z", "2026-11-23T09:00:00Z"]);
        assert_eq!(listed, expected);
    }

    #[test]
    fn programs_get_faults_of_the_daemon() {
        let shown = serde_json::to_value(faults().each_ref().map(DaemonFault::from)).unwrap();
        let since = "2026-11-23T09:00:00Z";
        let message = "no canary answers\u{1b}.";
        let expected = json!([{ "fault": "network", "since": since, "message": message }]);
        assert_eq!(shown, expected);
    }
}
