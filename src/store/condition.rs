//! Condition of a database: its problems, its size, and what a compaction gives back.

use super::Contents;
use crate::domain::Timestamp;

/// Condition of a database, as a verification found it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Condition {
    /// Damage, in the engine's words; empty when it is sound.
    pub(crate) damage: Vec<String>,
    /// Rules of this program that rows break, with the number of these; not looked for in a damaged database.
    pub(crate) broken: Vec<BrokenRule>,
    /// Number of rows of each table; none in a damaged database.
    pub(crate) contents: Option<Contents>,
    /// Sizes of the tables with their indexes, the largest first.
    pub(crate) tables: Vec<TableSize>,
    /// Sizes of the files, and of what is free in them.
    pub(crate) space: Space,
    /// Instant of the oldest run or event.
    pub(crate) oldest_at: Option<Timestamp>,
}

impl Condition {
    /// Returns true when nothing is wrong.
    pub(crate) const fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.broken.is_empty()
    }
}

/// Rule that some rows break.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct BrokenRule {
    /// Rule, as a sentence that ought to be true.
    pub(crate) rule: &'static str,
    /// Number of rows that break it.
    pub(crate) rows: u64,
}

/// Size of a table with its indexes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TableSize {
    /// Name of the table.
    pub(crate) name: String,
    /// Size of both in bytes.
    pub(crate) bytes: u64,
}

/// Sizes of a database on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Space {
    /// Size of the database itself.
    pub(crate) bytes: u64,
    /// Part of that which is free, and is used again.
    pub(crate) free_bytes: u64,
    /// Size of the write-ahead log.
    pub(crate) log_bytes: u64,
}

/// Result of a compaction, in sizes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Compacted {
    /// Sizes before the compaction.
    pub(crate) before: Space,
    /// Sizes after the compaction.
    pub(crate) after: Space,
    /// True when the whole file was written anew, which takes a stopped daemon.
    pub(crate) is_rewritten: bool,
}
