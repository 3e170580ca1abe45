//! Nodes: the daemons of one database.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Liveness;
use crate::domain::Timestamp;
use crate::store::KnownNode;

/// State of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, strum::IntoStaticStr)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[strum(serialize_all = "lowercase", const_into_str)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NodeState {
    /// It is alive now.
    Running,
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
}

impl<'a> Node<'a> {
    /// Returns a node as it is shown; `liveness` stands in where the store does not know whether it is alive.
    pub(crate) fn new(node: &'a KnownNode, liveness: Liveness) -> Self {
        let liveness = node.is_alive.map_or(liveness, |is_alive| Some(is_alive).into());
        let state = match liveness {
            Liveness::Running => NodeState::Running,
            Liveness::Stopped if node.row.stopped_at.is_some() => NodeState::Stopped,
            Liveness::Stopped => NodeState::Gone,
            Liveness::Unknown => NodeState::Unknown,
        };
        let process = node.row.process.filter(|_| state == NodeState::Running);
        Self {
            name: &node.identity.name,
            state,
            labels: &node.identity.labels,
            version: node.version.as_deref(),
            address: node.address.as_deref(),
            pid: process.map(|process| process.pid),
            started_at: node.row.started_at,
            seen_at: node.row.seen_at,
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
        let mut stopped = gone;
        stopped.row.stopped_at = stopped.row.seen_at;
        assert_eq!(Node::new(&stopped, Liveness::Running).state, NodeState::Stopped);
        stopped.is_alive = None;
        let shown = Node::new(&stopped, Liveness::Running);
        assert_eq!((shown.state, shown.pid), (NodeState::Running, Some(812)));
        assert_eq!(Node::new(&stopped, Liveness::Unknown).state, NodeState::Unknown);
    }
}
