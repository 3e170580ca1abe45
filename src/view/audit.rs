//! Entries of the audit trail.

use serde::Serialize;

use crate::domain::Timestamp;
use crate::store::AuditRow;

/// Command by which a person changed something.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Audited<'a> {
    id: i64,
    at: Timestamp,
    author: &'a str,
    command: &'static str,
    target: &'a str,
    comment: &'a str,
}

impl<'a> From<&'a AuditRow> for Audited<'a> {
    fn from(row: &'a AuditRow) -> Self {
        let AuditRow { id, at, act, author, target, comment } = row;
        Self { id: *id, at: *at, author, command: act.as_str(), target, comment }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn entry_says_who_did_what_and_when() {
        let [ended, _] = samples::audit();
        let expected = serde_json::json!({
            "id": 2, "at": "2026-11-23T09:30:00Z", "author": "bert", "command": "silences end",
            "target": "3: types Trino", "comment": "",
        });
        assert_eq!(serde_json::to_value(Audited::from(&ended)).unwrap(), expected);
    }
}
