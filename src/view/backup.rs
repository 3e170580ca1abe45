//! Backups and their contents.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::domain::Timestamp;
use crate::store::{Backup, Contents, RestorePlan};

/// Backup that was made.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeBackup<'a> {
    path: &'a Path,
    bytes: u64,
    rows: u64,
    /// Number of rows of each table.
    tables: &'a BTreeMap<String, u64>,
    /// Identity of the database.
    epoch: &'a str,
    /// Version of the schema.
    schema: u32,
    /// Indexes and references were verified too, not only pages and rows.
    thorough: bool,
    duration_ms: u64,
    /// Older backups that were deleted from the folder.
    removed: Vec<&'a Path>,
}

impl<'a> MadeBackup<'a> {
    /// Returns the view of a backup that took so long.
    pub(crate) fn new(backup: &'a Backup, is_thorough: bool, took: Duration) -> Self {
        let Backup { path, bytes, contents, removed } = backup;
        let Contents { schema, epoch, rows } = contents;
        Self {
            path,
            bytes: *bytes,
            rows: contents.total(),
            tables: rows,
            epoch,
            schema: *schema,
            thorough: is_thorough,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            removed: removed.iter().map(AsRef::as_ref).collect(),
        }
    }
}

/// Backup that was restored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restored<'a> {
    from: &'a Path,
    store: &'a Path,
    /// Path of the former database; null when there was none.
    aside: Option<&'a Path>,
    rows: u64,
    /// Version of the schema of the backup.
    schema: u32,
    former_epoch: &'a str,
    /// Epoch from now on.
    epoch: &'a str,
    /// Instant of the latest run or event in the backup.
    latest_at: Option<Timestamp>,
    /// Number of messages by receiver that are sent again under their old ids.
    pending: BTreeMap<&'a str, u64>,
}

impl<'a> From<&'a RestorePlan> for Restored<'a> {
    fn from(plan: &'a RestorePlan) -> Self {
        let RestorePlan { from, store, aside, contents, epoch, latest_at, pending } = plan;
        Self {
            from,
            store,
            aside: aside.as_deref(),
            rows: contents.total(),
            schema: contents.schema,
            former_epoch: &contents.epoch,
            epoch,
            latest_at: *latest_at,
            pending: pending.iter().map(|(name, number)| (name.as_str(), *number)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn made_backup_has_its_size_rows_and_epoch() {
        let expected = serde_json::json!({
            "path": "/b/state-20261123T100000Z-1a2b3c4d.db", "bytes": 1_572_864, "rows": 12_345,
            "tables": {"event": 12_000, "run": 345}, "epoch": "1a2b3c4d-0000", "schema": 17,
            "thorough": true, "durationMs": 1250, "removed": ["/b/state-old.db"],
        });
        let backup = samples::backup();
        let made = MadeBackup::new(&backup, true, Duration::from_millis(1250));
        assert_eq!(serde_json::to_value(made).unwrap(), expected);
    }

    #[test]
    fn restored_backup_has_both_epochs_and_what_is_pending() {
        let expected = serde_json::json!({
            "from": "/b/state.db", "store": "/s/state.db",
            "aside": "/s/state.db.before-restore-20261123T100000Z", "rows": 12_345, "schema": 17,
            "formerEpoch": "1a2b3c4d-0000", "epoch": "9f8e7d6c-0000",
            "latestAt": "2026-11-23T09:00:00Z", "pending": {"chat": 7, "on-\u{1b}call": 30},
        });
        let plan = samples::restore();
        assert_eq!(serde_json::to_value(Restored::from(&plan)).unwrap(), expected);
    }
}
