//! Nodes: the daemons of one database.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Liveness;
use crate::domain::Timestamp;
use crate::store::{Drain, KnownNode};

/// State of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeState {
    /// It is alive now.
    Running,
    /// It is alive, and begins and sends nothing.
    Standby,
    /// It begins and sends nothing more, as a person wants, and some of what it began has not ended.
    Draining,
    /// It begins and sends nothing, as a person wants.
    Drained,
    /// It has stopped in good order.
    Stopped,
    /// It was not heard of for too long, and has not said that it stops.
    Gone,
    /// Nothing can be seen, for want of permissions.
    Unknown,
}

impl NodeState {
    /// Returns the word for the state.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Node of a database.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node<'a> {
    /// Name in its configuration.
    pub(crate) name: &'a str,
    /// State of the node.
    pub(crate) state: NodeState,
    /// Labels in its configuration.
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// Version of its program.
    pub(crate) version: Option<&'a str>,
    /// Address of its machine.
    pub(crate) address: Option<&'a str>,
    /// Number of its process while it runs.
    pub(crate) pid: Option<i32>,
    /// Start of its latest life.
    pub(crate) started_at: Option<Timestamp>,
    /// Instant at which it was last heard of.
    pub(crate) seen_at: Option<Timestamp>,
    /// Number of the configuration that it works by, or worked by last; none in a file, which has one node.
    pub(crate) generation: Option<i64>,
    /// Reason for which it begins and sends nothing.
    pub(crate) waits_for: Option<&'a str>,
}

impl<'a> Node<'a> {
    /// Returns a node as it is shown; `liveness` stands in where the store does not know whether it is alive.
    pub(crate) fn new(node: &'a KnownNode, liveness: Liveness) -> Self {
        let liveness = node.is_alive.map_or(liveness, |is_alive| Some(is_alive).into());
        let state = match liveness {
            Liveness::Running => match (node.drain, &node.waits_for) {
                (Some(Drain::Draining), _) => NodeState::Draining,
                (Some(Drain::Drained), _) => NodeState::Drained,
                (None, Some(_)) => NodeState::Standby,
                (None, None) => NodeState::Running,
            },
            Liveness::Stopped if node.row.stopped_at.is_some() => NodeState::Stopped,
            Liveness::Stopped => NodeState::Gone,
            Liveness::Unknown => NodeState::Unknown,
        };
        let is_alive = liveness == Liveness::Running;
        let process = node.row.process.filter(|_| is_alive);
        Self {
            name: &node.identity.name,
            state,
            labels: &node.identity.labels,
            version: node.version.as_deref(),
            address: node.address.as_deref(),
            pid: process.map(|process| process.pid),
            started_at: node.row.started_at,
            seen_at: node.row.seen_at,
            generation: node.generation.filter(|number| 0 < *number),
            waits_for: node.waits_for.as_deref().filter(|_| is_alive),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn node_that_is_not_alive_has_stopped_or_is_gone() {
        let [alive, gone] = samples::nodes();
        assert_eq!(Node::new(&alive, Liveness::Unknown).state, NodeState::Running);
        assert_eq!(Node::new(&gone, Liveness::Running).state, NodeState::Gone);
        let with = |drain, waits_for: Option<&str>| {
            let waits_for = waits_for.map(str::to_owned);
            let node = KnownNode { waits_for, drain, ..alive.clone() };
            Node::new(&node, Liveness::Unknown).state
        };
        assert_eq!(with(None, Some("it waits")), NodeState::Standby);
        assert_eq!(with(Some(Drain::Draining), None), NodeState::Draining);
        assert_eq!(with(Some(Drain::Drained), Some("it waits")), NodeState::Drained);
        let mut stopped = gone;
        stopped.row.stopped_at = stopped.row.seen_at;
        assert_eq!(Node::new(&stopped, Liveness::Running).state, NodeState::Stopped);
        stopped.is_alive = None;
        let shown = Node::new(&stopped, Liveness::Running);
        assert_eq!((shown.state, shown.pid), (NodeState::Running, Some(812)));
        assert_eq!(Node::new(&stopped, Liveness::Unknown).state, NodeState::Unknown);
    }
}
