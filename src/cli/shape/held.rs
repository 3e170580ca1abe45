//! What programs get of messages that are held.

use serde::Serialize;

use crate::cli::silences::covered;
use crate::domain::{Selection, Timestamp};
use crate::store::{IntegrationRow, SilenceRow};

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
        integrations: &[IntegrationRow],
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
