//! Condition of the database, and the results of its compaction and its move.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::Timestamp;
use crate::store::{Compacted, Condition, Moved, Space};

/// Condition of the database.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoreCondition<'a> {
    /// True when nothing is wrong.
    sound: bool,
    /// Damage, in the engine's words.
    damage: &'a [String],
    /// Rules that rows break.
    broken: Vec<Broken>,
    /// Version of the schema; null in a damaged database.
    schema: Option<u32>,
    /// Identity of the database; null in a damaged one.
    epoch: Option<&'a str>,
    tables: Vec<TableCondition<'a>>,
    space: SpaceUsed,
    /// Instant of the oldest run or event.
    oldest_at: Option<Timestamp>,
}

/// Rule that rows break.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Broken {
    rule: &'static str,
    rows: u64,
}

/// Table with its indexes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TableCondition<'a> {
    name: &'a str,
    rows: Option<u64>,
    bytes: u64,
}

/// Sizes on the disk in bytes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct SpaceUsed {
    bytes: u64,
    free_bytes: u64,
    log_bytes: u64,
}

impl From<Space> for SpaceUsed {
    fn from(Space { bytes, free_bytes, log_bytes }: Space) -> Self {
        Self { bytes, free_bytes, log_bytes }
    }
}

impl<'a> From<&'a Condition> for StoreCondition<'a> {
    fn from(found: &'a Condition) -> Self {
        let Condition { damage, broken, contents, tables, space, oldest_at } = found;
        let rows = |name: &str| contents.as_ref()?.rows.get(name).copied();
        let table = |table: &'a crate::store::TableSize| TableCondition {
            name: &table.name,
            rows: rows(&table.name),
            bytes: table.bytes,
        };
        Self {
            sound: found.is_sound(),
            damage,
            broken: broken.iter().map(|one| Broken { rule: one.rule, rows: one.rows }).collect(),
            schema: contents.as_ref().map(|contents| contents.schema),
            epoch: contents.as_ref().map(|contents| contents.epoch.as_str()),
            tables: tables.iter().map(table).collect(),
            space: (*space).into(),
            oldest_at: *oldest_at,
        }
    }
}

/// Result of a compaction.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CompactedStore {
    before: SpaceUsed,
    after: SpaceUsed,
    /// True when the whole file was written anew.
    rewritten: bool,
}

impl From<Compacted> for CompactedStore {
    fn from(done: Compacted) -> Self {
        let Compacted { before, after, is_rewritten } = done;
        Self { before: before.into(), after: after.into(), rewritten: is_rewritten }
    }
}

/// Result of a move to another engine.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct MovedStore<'a> {
    /// Former place of the rows: a path, or an address without a password.
    from: &'a str,
    /// Place of the rows from now on.
    to: &'a str,
    /// Instant of the move.
    at: Timestamp,
    /// Number of rows by table; empty when an interrupted move was ended.
    rows: BTreeMap<&'a str, u64>,
    /// True when this ended a move that was interrupted after its commit.
    resumed: bool,
}

impl<'a> From<&'a Moved> for MovedStore<'a> {
    fn from(done: &'a Moved) -> Self {
        let Moved { from, to, at, rows, is_resumed } = done;
        Self { from, to, at: *at, rows: rows.iter().copied().collect(), resumed: *is_resumed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    #[test]
    fn condition_has_problems_tables_and_sizes() {
        let expected = serde_json::json!({
            "sound": false, "damage": [],
            "broken": [{"rule": "the latest status change ends at the status", "rows": 2}],
            "schema": 17, "epoch": "1a2b3c4d-0000",
            "tables": [{"name": "event", "rows": 12_000, "bytes": 1_048_576},
                       {"name": "run", "rows": 345, "bytes": 8192}],
            "space": {"bytes": 1_572_864, "freeBytes": 524_288, "logBytes": 4096},
            "oldestAt": "2026-11-23T09:00:00Z",
        });
        let found = samples::condition();
        assert_eq!(serde_json::to_value(StoreCondition::from(&found)).unwrap(), expected);
    }

    #[test]
    fn move_has_its_ends_and_the_rows_of_each_table() {
        let done = Moved {
            from: "/s/state.db".to_owned(),
            to: "postgres://a@db/b".to_owned(),
            at: Timestamp(1_795_428_000_000),
            rows: vec![("run", 12)],
            is_resumed: false,
        };
        let expected = serde_json::json!({
            "from": "/s/state.db", "to": "postgres://a@db/b", "at": "2026-11-23T10:00:00Z",
            "rows": {"run": 12}, "resumed": false,
        });
        assert_eq!(serde_json::to_value(MovedStore::from(&done)).unwrap(), expected);
    }

    #[test]
    fn compaction_has_the_sizes_before_and_after_it() {
        let before = samples::condition().space;
        let done = Compacted { before, after: Space::default(), is_rewritten: true };
        let expected = serde_json::json!({
            "before": {"bytes": 1_572_864, "freeBytes": 524_288, "logBytes": 4096},
            "after": {"bytes": 0, "freeBytes": 0, "logBytes": 0}, "rewritten": true,
        });
        assert_eq!(serde_json::to_value(CompactedStore::from(done)).unwrap(), expected);
    }
}
