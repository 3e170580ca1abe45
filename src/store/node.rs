//! Node: the process that serves a database, as commands beside it see it.

use std::time::Duration;

use crate::domain::{HeartbeatState, NodeIdentity, Reload, Timestamp};

/// Process by its number and the clock tick since boot at which it was born: a number alone is used again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProcessId {
    /// Number of the process.
    pub(crate) pid: i32,
    /// Clock ticks from the machine's start to its own.
    pub(crate) born: i64,
}

/// Change of what is stored about the node.
#[derive(Clone, Debug)]
pub(crate) enum NodeNote {
    /// The process has started.
    Started(ProcessId, Timestamp),
    /// The process is still alive.
    Seen(Timestamp),
    /// It stops in good order.
    Stopped(Timestamp),
    /// A configuration was put in force, or refused.
    Reloaded(Box<Reload>),
    /// An operator allows so many removals, once.
    AllowRemovals(u32),
    /// The removals that were allowed have been made.
    RemovalsDone,
    /// Folder of drop-ins that holds some.
    DropIns(Option<String>),
    /// State of the heartbeat; none while there is none.
    Heartbeat(Option<HeartbeatState>),
}

/// Loss of commits that were acknowledged, as by a failover to a standby that was behind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Loss {
    /// Instant of the latest heartbeat that is still there.
    pub(crate) from: Timestamp,
    /// Instant of the latest heartbeat that was acknowledged.
    pub(crate) until: Timestamp,
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { from, until } = self;
        write!(
            f,
            "the database lost what was written between {from} and {until}; receivers may know events that are gone; \
             sequences go on under a new epoch"
        )
    }
}

/// Node as the store keeps it.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeRow {
    /// Process of its latest life.
    pub(crate) process: Option<ProcessId>,
    /// Start of that life.
    pub(crate) started_at: Option<Timestamp>,
    /// Instant at which it was last known to be alive.
    pub(crate) seen_at: Option<Timestamp>,
    /// Instant at which it stopped in good order.
    pub(crate) stopped_at: Option<Timestamp>,
    /// Outcome of its latest start or reload.
    pub(crate) reload: Option<Reload>,
    /// Removals that are allowed once.
    pub(crate) removals_allowed: Option<u32>,
    /// Folder of drop-ins that held some when the configuration in force was read.
    pub(crate) drop_ins: Option<String>,
    /// State of the heartbeat; none while there is none.
    pub(crate) heartbeat: Option<HeartbeatState>,
}

/// Dead node whose leases were freed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FreedNode {
    /// Name of the node.
    pub(crate) name: String,
    /// Number of its runs that others repeat.
    pub(crate) runs: usize,
    /// True when its process was on this machine and has ended; false when it was not heard of for long.
    pub(crate) has_ended: bool,
}

/// Outcome of a heartbeat: what this node has to know of the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beat {
    /// Nodes whose leases were freed, since they are dead.
    pub(crate) freed: Vec<FreedNode>,
    /// True when the leases of this node were freed by others, and it goes on without them.
    pub(crate) was_displaced: bool,
    /// True when a person wants this node to begin and send nothing.
    pub(crate) is_draining: bool,
    /// True when another configuration is in force than the one with which its files were compared last.
    pub(crate) is_superseded: bool,
    /// Time until another node is dead, should it stay silent; none without another one.
    pub(crate) look_in: Option<Duration>,
    /// Loss of commits that a node has noticed since the heartbeat before.
    pub(crate) lost: Option<Loss>,
    /// Milliseconds by which the clock of the database is behind the latest instant that it ever showed.
    pub(crate) clock_behind_ms: i64,
}

/// Pools without a node that works.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Absent {
    /// True while receivers were notified of one that lasts.
    pub(crate) lasts: bool,
    /// True when they have just been notified, of more or of other ones, or of their end.
    pub(crate) is_news: bool,
    /// Sentence about those that last, where that is news.
    pub(crate) message: Option<String>,
}

/// Progress of a node that is to begin and send nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Drain {
    /// Some of its runs or messages have not ended.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    Draining,
    /// All of them have ended.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "a file has one node"))]
    Drained,
}

/// Circumstances under which a daemon opens its database.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// A file of an older version is copied before it is migrated.
    pub(crate) is_copied: bool,
    /// Identity of the node.
    pub(crate) node: NodeIdentity,
    /// This process, where it is known.
    pub(crate) process: Option<ProcessId>,
    /// Machine on which the number of a process means one process.
    pub(crate) machine: String,
    /// Says of a process of this machine whether it is alive.
    pub(crate) is_alive: fn(ProcessId) -> bool,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            is_copied: true,
            node: NodeIdentity::default(),
            process: None,
            machine: String::new(),
            is_alive: |_process| true,
        }
    }
}

/// Node of a database, as it was last heard of.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownNode {
    /// Name and labels in its configuration.
    pub(crate) identity: NodeIdentity,
    /// Version of its program, where it is stored.
    pub(crate) version: Option<String>,
    /// Address of its machine, for people.
    pub(crate) address: Option<String>,
    /// True while it is alive by the clock of the database; none where that is seen elsewhere.
    pub(crate) is_alive: Option<bool>,
    /// Number of the configuration that it works by, or worked by last, where there are several nodes.
    pub(crate) generation: Option<i64>,
    /// Reason for which it begins and sends nothing.
    pub(crate) waits_for: Option<String>,
    /// Progress while a person wants it to begin and send nothing.
    pub(crate) drain: Option<Drain>,
    /// Row of the node.
    pub(crate) row: NodeRow,
}
