//! Other nodes of the database: what a heartbeat says of them.

use std::time::Duration;

use tracing::{info, warn};

use super::clock::Clock;
use super::cut_off::CutOff;
use super::health;
use super::shared::Shared;
use super::text::counted;
use crate::domain::{OwnFault, Timestamp, duration_text};
use crate::store::{Beat, FreedNode};

/// State that a node keeps between heartbeats.
#[derive(Debug, Default)]
pub(super) struct Known {
    is_draining: bool,
    is_skewed: bool,
    cut_off: CutOff,
}

impl Known {
    /// Acts on what a heartbeat says.
    pub(super) async fn heed(&mut self, shared: &Shared, beat: &Beat) {
        for FreedNode { name, runs, has_ended } in &beat.freed {
            let runs = counted(*runs, "run");
            if *has_ended {
                warn!(node = name, "the process of node {name} has ended; {runs} of it are free");
            } else {
                warn!(
                    node = name,
                    "node {name} was not heard of for too long; {runs} of it are free"
                );
            }
        }
        if beat.was_displaced {
            warn!(
                "this node was not heard of for too long, so that others have its runs and messages by now; it goes \
                 on with new ones"
            );
        }
        if beat.is_draining != self.is_draining {
            self.is_draining = beat.is_draining;
            if beat.is_draining {
                info!("this node is drained: it begins and sends nothing more");
            } else {
                info!("this node is no longer drained, and goes on");
            }
        }
        if beat.is_superseded {
            shared.superseded.notify_one();
        }
        self.look_at_clock(shared).await;
        self.cut_off.look(shared).await;
        if beat.was_displaced || !beat.freed.is_empty() {
            shared.planning.notify_one();
            shared.delivering.notify_one();
        }
    }

    /// Begins nothing while the clock of this machine differs too much from that of the database: certificates and
    /// signatures go by it.
    async fn look_at_clock(&mut self, shared: &Shared) {
        if !shared.store.is_shared() {
            return;
        }
        let (own, server) = (Clock::default().now(), shared.clock.now());
        let skew = skew(own, server, shared.active().own.clock_skew);
        if skew.is_some() == self.is_skewed {
            return;
        }
        self.is_skewed = skew.is_some();
        let Some(reason) = skew else {
            info!("the clock of this machine agrees with that of the database again");
            shared.store.wait_for(OwnFault::Clock, None);
            health::end(shared, OwnFault::Clock).await;
            shared.planning.notify_one();
            return;
        };
        shared.store.wait_for(OwnFault::Clock, Some(reason.clone()));
        health::begin(shared, OwnFault::Clock, reason).await;
    }
}

/// Returns the reason for which a node waits whose clock differs from that of the database by more than `most`.
fn skew(own: Timestamp, server: Timestamp, most: Duration) -> Option<String> {
    let (ahead, behind) = (own.since(server), server.since(own));
    let by = ahead.max(behind);
    let side = if behind < ahead { "ahead of" } else { "behind" };
    let shown = duration_text(Duration::from_secs(by.as_secs()));
    (most < by).then(|| {
        format!(
            "the clock of this machine is {shown} {side} that of the database: this node begins and sends nothing \
             until they agree"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_differs_too_much_keeps_a_node_from_working() {
        let (server, most) = (Timestamp(1_000_000_000), Duration::from_mins(5));
        let of = |own| skew(own, server, most);
        assert_eq!(of(server), None);
        assert_eq!((of(server.plus(most)), of(server.minus(most))), (None, None));
        let ahead = of(server.plus(Duration::from_mins(6))).unwrap();
        assert!(ahead.contains("6m ahead of that of the database"), "{ahead}");
        let behind = of(server.minus(Duration::from_mins(6))).unwrap();
        assert!(behind.contains("6m behind that of the database"), "{behind}");
    }
}
