//! Node that is cut off (fencing by peers): it hands its work to others until it can reach something again.
//!
//! Others contradict a node that alone has no answer. After several contradictions it tries its canaries: those that are
//! configured, or else the hosts that others reached. While none takes a connection it begins and sends nothing.

use std::collections::BTreeSet;

use tracing::{info, warn};

use super::active::Active;
use super::health;
use super::shared::Shared;
use crate::domain::OwnFault;
use crate::domain::ledger::{Contradiction, is_suspect};
use crate::store::StoreError;

/// The most hosts that are tried.
const TRIED_MAX: usize = 8;
/// The most hosts that a sentence names.
const NAMED_MAX: usize = 3;

/// State of this node between heartbeats.
#[derive(Debug, Default)]
pub(super) struct CutOff {
    /// True while others have its work.
    is_withdrawn: bool,
}

impl CutOff {
    /// Hands the work of this node to others when it is cut off, and takes it up again.
    pub(super) async fn look(&mut self, shared: &Shared) {
        if !shared.store.is_shared() {
            return;
        }
        if let Err(error) = self.looked(shared).await {
            shared.store_failed("what other nodes have found cannot be read", &error);
        }
    }

    async fn looked(&mut self, shared: &Shared) -> Result<(), StoreError> {
        let active = shared.active();
        let contradictions = shared.store.contradictions().await?;
        let is_suspect = is_suspect(&contradictions, shared.clock.now());
        if !self.is_withdrawn && !is_suspect && !shared.health.lasts(OwnFault::Network) {
            return Ok(());
        }
        let canaries = canaries(shared, &active, &contradictions);
        if canaries.is_empty() {
            return Ok(());
        }
        let answers = shared.health.any_answers(&canaries).await;
        let has_others = shared.store.has_others().await?;
        if self.is_withdrawn && (answers || !has_others) {
            self.resume(shared, answers).await;
        } else if !self.is_withdrawn && !answers && has_others {
            self.withdraw(shared, &active, &canaries).await;
        }
        if answers && !contradictions.is_empty() {
            shared.store.forget_contradictions().await?;
            if is_suspect && !self.is_withdrawn {
                warn!(
                    "other nodes reached {} that this one did not; a canary answers, so that this node goes on",
                    named(&hosts(&contradictions))
                );
            }
        }
        Ok(())
    }

    async fn withdraw(&mut self, shared: &Shared, active: &Active, canaries: &[String]) {
        let reason = reason(active, canaries);
        self.is_withdrawn = true;
        shared.store.wait_for(OwnFault::Network, Some(reason.clone()));
        health::begin(shared, OwnFault::Network, reason).await;
        shared.health.cut(true);
    }

    /// Takes work up again; where no other node is alive any more, with the fault that it has.
    async fn resume(&mut self, shared: &Shared, answers: bool) {
        self.is_withdrawn = false;
        shared.store.wait_for(OwnFault::Network, None);
        shared.health.cut(false);
        if answers {
            health::end(shared, OwnFault::Network).await;
            info!("this node reaches others again, and goes on");
        } else {
            warn!("no other node is alive, so that this one goes on, although nothing answers it");
        }
        shared.planning.notify_one();
        shared.delivering.notify_one();
    }
}

/// Returns the hosts by which this node finds out whether it is cut off.
fn canaries(shared: &Shared, active: &Active, contradictions: &[Contradiction]) -> Vec<String> {
    if !active.own.canaries.is_empty() {
        return active.own.canaries.clone();
    }
    let contradicted = hosts(contradictions);
    if !contradicted.is_empty() {
        return contradicted;
    }
    let own = active.watched.values().filter(|one| shared.store.serves(&one.run_on));
    let own: BTreeSet<_> = own.map(|one| &one.host_name).filter(|host| !host.is_empty()).collect();
    own.into_iter().take(TRIED_MAX).cloned().collect()
}

/// Returns the hosts that others reached.
fn hosts(contradictions: &[Contradiction]) -> Vec<String> {
    let hosts: BTreeSet<_> =
        contradictions.iter().map(|one| &one.host).filter(|host| !host.is_empty()).collect();
    hosts.into_iter().take(TRIED_MAX).cloned().collect()
}

/// Returns the reason for which a node withdraws.
fn reason(active: &Active, canaries: &[String]) -> String {
    let named = named(canaries);
    let until = "it begins and sends nothing until one of them takes a connection";
    if active.own.canaries.is_empty() {
        format!("{named} cannot be reached from here, and other nodes are there to do so; {until}")
    } else {
        format!("none of the canaries answers: {named}; {until}")
    }
}

/// Names the first hosts.
fn named(hosts: &[String]) -> String {
    let first: Vec<_> = hosts.iter().take(NAMED_MAX).map(String::as_str).collect();
    match hosts.len().saturating_sub(NAMED_MAX) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IntegrationId, Timestamp};

    #[test]
    fn hosts_that_others_reached_are_named_once_each_and_the_first_of_many() {
        let of = |host: &str| Contradiction {
            integration: IntegrationId(1),
            host: host.to_owned(),
            at: Timestamp(0),
        };
        let table: [(&[&str], &str); 4] = [
            (&[], ""),
            (&["b:1", "a:1", "", "a:1"], "a:1, b:1"),
            (&["c", "b", "a"], "a, b, c"),
            (&["e", "d", "c", "b", "a"], "a, b, c and 2 more"),
        ];
        for (all, expected) in table {
            let all: Vec<_> = all.iter().map(|host| of(host)).collect();
            assert_eq!(named(&hosts(&all)), expected);
        }
    }
}
