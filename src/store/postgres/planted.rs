//! Hazards of several nodes on one database, each of which a simulation plants at run time as a straight port of an engine
//! for one node would have it, to prove that it is found. A build without tests has none, and the compiler removes the
//! questions.

/// Hazard, by what a straight port would do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hazard {
    /// Queues a delivery without the lock of its lane.
    Lane,
    /// Counts failing siblings without the gates of their factors.
    Factors,
    /// Counts the nodes with a fault without a gate.
    OwnFaults,
    /// Gives event numbers without the gate of their order.
    Numbers,
    /// Waits for rows of others while they are being recorded.
    Siblings,
    /// Frees the leases of all nodes when one starts.
    Leases,
    /// Gives the token of a lease again.
    Tokens,
    /// Limits runs at a host for each node.
    Limits,
    /// Begins runs by files that are not in force.
    Files,
    /// Overlooks that commits were lost.
    Losses,
    /// Begins before others could notice that commits were lost.
    Starts,
}

/// Returns true when a hazard was planted in the node of this thread.
#[cfg(test)]
pub(super) fn is(hazard: Hazard) -> bool {
    crate::store::simulated::is_planted(hazard)
}

/// Returns true when a hazard was planted, which never is.
#[cfg(not(test))]
pub(super) const fn is(_hazard: Hazard) -> bool {
    false
}
