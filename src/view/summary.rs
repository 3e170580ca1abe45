//! Summary of everything that is watched, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::daemon::LastingFault;
use super::notifications::Outage;
use super::receiver::Receiver;
use crate::domain::Timestamp;
use crate::store::{OutageRow, OwnFaultRow, StatusRow};

/// Summary of everything that a caller may see.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary<'a> {
    integrations: Counts,
    by_type: BTreeMap<&'a str, Counts>,
    faults: Vec<LastingFault>,
    outages: Vec<Outage<'a>>,
    receivers: Vec<Receiver<'a>>,
    next_expiry: Option<NextExpiry<'a>>,
}

/// Numbers of integrations in each state.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counts {
    total: usize,
    failing: usize,
    muted: usize,
    flapping: usize,
    statuses: BTreeMap<&'static str, usize>,
}

/// Expiry that comes next, or has come.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NextExpiry<'a> {
    integration: &'a str,
    at: Timestamp,
    what: &'a str,
}

impl Counts {
    fn add(&mut self, row: &StatusRow) {
        self.total += 1;
        self.failing += usize::from(row.status.is_error());
        self.muted += usize::from(row.is_muted);
        self.flapping += usize::from(row.is_flapping);
        *self.statuses.entry(row.status.as_str()).or_default() += 1;
    }
}

impl<'a> Summary<'a> {
    /// Summary of integrations, beside faults of the daemon's own, open outages and receivers.
    pub(crate) fn new(
        rows: &'a [StatusRow],
        faults: &'a [OwnFaultRow],
        outages: &'a [OutageRow],
        receivers: Vec<Receiver<'a>>,
    ) -> Self {
        let (mut all, mut by_type) = (Counts::default(), BTreeMap::<&str, Counts>::new());
        for row in rows {
            all.add(row);
            by_type.entry(&row.kind).or_default().add(row);
        }
        let ends = rows.iter().filter_map(|row| {
            let (at, what) = row.expires.as_ref()?;
            Some(NextExpiry { integration: &row.name, at: *at, what })
        });
        Self {
            integrations: all,
            by_type,
            faults: faults.iter().map(LastingFault::from).collect(),
            outages: outages.iter().map(Outage::from).collect(),
            receivers,
            next_expiry: ends.min_by_key(|one| one.at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Status;
    use crate::view::samples;

    #[test]
    fn numbers_are_those_of_the_rows() {
        let enabled = StatusRow { status: Status::Enabled, expires: None, ..samples::status() };
        let other = StatusRow { kind: "S3".to_owned(), is_muted: true, ..enabled.clone() };
        let rows = [samples::status(), enabled, other];
        let receivers = samples::receivers();
        let faults = samples::faults();
        let summary =
            Summary::new(&rows, &faults, &[], receivers.iter().map(Receiver::from).collect());
        let json = serde_json::to_value(&summary).unwrap();
        let expected = serde_json::json!({
            "total": 3, "failing": 1, "muted": 1, "flapping": 0,
            "statuses": { "enabled": 2, "recurringValidationError": 1 },
        });
        assert_eq!(json["integrations"], expected);
        assert_eq!(json["byType"]["Redshift"]["total"], 2);
        assert_eq!(json["byType"]["S3"]["statuses"], serde_json::json!({ "enabled": 1 }));
        assert_eq!(json["nextExpiry"]["integration"], "lake");
        assert_eq!(json["receivers"].as_array().map(Vec::len), Some(receivers.len()));
        assert_eq!(json["faults"].as_array().map(Vec::len), Some(faults.len()));
    }
}
