//! Membership of this node among the others: whether it was heard of lately, by which configuration it works, and for what
//! it waits.
//!
//! A node that could not say for 15 seconds that it is alive begins and sends nothing and ends the runs in flight,
//! since others free its leases after 20. The time is counted by a clock that goes on while the machine sleeps.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::node::{self, Pulse};
use super::tx::read;
use super::{Connections, StoreError, cluster, since_boot};
use crate::domain::OwnFault;

/// Membership of this node.
#[derive(Debug)]
pub(super) struct Membership {
    /// Name of this node.
    pub(super) name: String,
    /// Incarnation of this node, the owner of its leases.
    owner: AtomicI64,
    /// Time since boot at which the latest heartbeat that was acknowledged was sent.
    beaten: Mutex<Duration>,
    /// Milliseconds by which the clock of the database is ahead of the time since boot.
    offset: &'static AtomicI64,
    /// Number of the configuration by which it works; zero while it waits for others to have the same.
    works_by: AtomicI64,
    /// Number of the configuration with which its own was compared last.
    compared: AtomicI64,
    /// Number of the configuration in force, as the latest heartbeat has found it.
    in_force: AtomicI64,
    is_draining: AtomicBool,
    /// Difference of its configuration, while it waits for that reason.
    differs: Mutex<Option<String>>,
    /// Reasons of the daemon's own to begin nothing, by the faults that they are.
    reasons: Mutex<BTreeMap<OwnFault, String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

impl Membership {
    /// Membership of a node that has just taken its row, and works by the configuration in force until its own is
    /// compared with that.
    pub(super) async fn begun(
        connections: &Connections,
        name: &str,
        owner: i64,
        beaten: Duration,
    ) -> Result<Self, StoreError> {
        let asked = since_boot();
        let (now_ms, generation) = read!(
            connections,
            tx => Ok((node::now(tx).await?, cluster::generation(tx).await?))
        )?;
        // Lives as long as the process: the clock of the daemon is made of it.
        let offset: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(0)));
        offset.store(now_ms - millis(midway(asked)), Ordering::Relaxed);
        Ok(Self {
            name: name.to_owned(),
            owner: AtomicI64::new(owner),
            beaten: Mutex::new(beaten),
            offset,
            works_by: AtomicI64::new(generation),
            compared: AtomicI64::new(generation),
            in_force: AtomicI64::new(generation),
            is_draining: AtomicBool::new(false),
            differs: Mutex::default(),
            reasons: Mutex::default(),
        })
    }

    /// Returns the incarnation of this node.
    pub(super) fn owner(&self) -> i64 {
        self.owner.load(Ordering::Relaxed)
    }

    /// Returns the number of the configuration by which this node works; none while it waits.
    pub(super) fn works_by(&self) -> Option<i64> {
        Some(self.works_by.load(Ordering::Relaxed)).filter(|number| 0 < *number)
    }

    /// Returns the number of the configuration under which this node begins, sends and tidies up; none while it does
    /// not.
    pub(super) fn active(&self) -> Option<i64> {
        let waits = self.is_draining.load(Ordering::Relaxed) || !lock(&self.reasons).is_empty();
        self.works_by().filter(|_| !waits)
    }

    /// Notes that the files of this node are those in force under a number.
    pub(super) fn join(&self, generation: i64) {
        self.works_by.store(generation, Ordering::Relaxed);
        self.compared.store(generation, Ordering::Relaxed);
        *lock(&self.differs) = None;
    }

    /// Notes that the files of this node differ from those in force under a number.
    pub(super) fn stand_by(&self, generation: i64, reason: &str) {
        self.works_by.store(0, Ordering::Relaxed);
        self.compared.store(generation, Ordering::Relaxed);
        *lock(&self.differs) = Some(reason.to_owned());
    }

    /// Returns the reason for which this node begins and sends nothing.
    pub(super) fn waits_for(&self) -> Option<String> {
        lock(&self.differs).clone().or_else(|| lock(&self.reasons).values().next().cloned())
    }

    /// Returns the time since the latest heartbeat that was acknowledged.
    pub(super) fn unheard(&self) -> Duration {
        since_boot().saturating_sub(*lock(&self.beaten))
    }

    /// Returns true when another configuration is in force than the one that was compared last.
    pub(super) fn is_superseded(&self) -> bool {
        self.in_force.load(Ordering::Relaxed) != self.compared.load(Ordering::Relaxed)
    }

    /// Returns the number of the configuration in force, as the latest heartbeat has found it.
    pub(super) fn in_force(&self) -> i64 {
        self.in_force.load(Ordering::Relaxed)
    }

    /// Notes the reason to begin nothing while a fault lasts, or that it is over.
    pub(super) fn wait_for(&self, fault: OwnFault, reason: Option<String>) {
        let mut reasons = lock(&self.reasons);
        match reason {
            Some(reason) => drop(reasons.insert(fault, reason)),
            None => drop(reasons.remove(&fault)),
        }
    }

    /// Goes on under another incarnation.
    pub(super) fn renew(&self, incarnation: i64) {
        self.owner.store(incarnation, Ordering::Relaxed);
    }

    /// Returns the milliseconds by which the clock of the database is ahead of the time since boot.
    pub(super) const fn offset(&self) -> &'static AtomicI64 {
        self.offset
    }

    /// Notes the answer to a heartbeat that was sent at a time since boot.
    pub(super) fn hear(&self, sent: Duration, pulse: &Pulse) {
        *lock(&self.beaten) = sent;
        self.offset.store(pulse.now_ms - millis(midway(sent)), Ordering::Relaxed);
        self.is_draining.store(pulse.is_draining, Ordering::Relaxed);
        self.in_force.store(pulse.generation, Ordering::Relaxed);
    }
}

/// Returns the time since boot halfway between one and now, when the server has read its clock.
fn midway(sent: Duration) -> Duration {
    sent.saturating_add(since_boot().saturating_sub(sent) / 2)
}
