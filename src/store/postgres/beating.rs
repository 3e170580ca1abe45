//! Heartbeats of this node, and what it may do by the latest of them.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use tokio::time::sleep;

use super::error::Fault;
use super::guard::Known;
use super::node::{self, Pulse};
use super::tx::{read, transact};
use super::{
    Absent, Beat, Connections, FreedNode, NotificationContext, Resend, Store, StoreError, absent,
    contradiction, fault, history, losses, migrate, neighbours, own_fault, random, resend,
    since_boot,
};
use crate::domain::ledger::{Contradiction, Placed};
use crate::domain::{OwnFault, Pool};
use crate::store::Loss;

/// Time after its latest heartbeat that was acknowledged in which a node works; five seconds later others free its
/// leases.
const UNHEARD_MAX: Duration = Duration::from_secs(15);
/// Shortest time between two looks whether another node is dead.
const LOOK_MIN: Duration = Duration::from_millis(500);
/// Time between two heartbeats while those of others are awaited.
const SAID_AGAIN: Duration = Duration::from_secs(1);

/// Heartbeat that was acknowledged.
struct Said {
    /// Time since boot at which it was sent.
    sent: Duration,
    pulse: Pulse,
    /// Loss of commits that was noticed since the one before.
    lost: Option<Loss>,
    /// Milliseconds by which the clock of the database is behind the latest instant that it ever showed.
    clock_behind_ms: i64,
    /// Others had freed the leases of this node.
    was_displaced: bool,
}

impl Store {
    /// Implements [`crate::store::Store::beat`] on this engine.
    pub(crate) async fn beat(&self) -> Result<Beat, StoreError> {
        let (membership, connections) =
            (&self.shared.membership, &self.shared.connections.unguarded());
        let losses = &self.shared.losses;
        let was_silent = UNHEARD_MAX <= membership.unheard();
        let mut said = self.say().await?;
        if was_silent {
            // Others notice by their heartbeats what was lost while this node was away. They may wait for those of this one.
            let mut awaited = self.others().await?;
            while !awaited.is_empty() {
                sleep(SAID_AGAIN).await;
                let again = self.say().await?;
                said = Said {
                    lost: said.lost.or(again.lost),
                    was_displaced: said.was_displaced || again.was_displaced,
                    ..again
                };
                awaited = self.unheard_of(awaited).await?;
            }
        }
        let Said { sent, pulse, lost, clock_behind_ms, was_displaced } = said;
        membership.hear(sent, &pulse);
        if lost.is_some() {
            losses.note_stale_leases(true);
        }
        if losses.may_have_stale_leases() {
            let (owner, in_flight) = (membership.owner(), &self.shared.in_flight);
            let _none_is_claimed = in_flight.freeing().await;
            // A failure is no reason to keep silent about the loss: the next heartbeat frees them.
            let freed = transact!(connections, tx => in_flight.free_others(tx, owner).await);
            losses.note_stale_leases(freed.is_err());
        }
        let freed = match pulse.silent_in_ms {
            Some(silent_in_ms) => self.free_dead(silent_in_ms <= 0).await?,
            None => Vec::new(),
        };
        connections.note_latest(read!(connections, tx => history::latest_event(tx).await)?);
        losses.look_again(connections).await?;
        let silent_in = pulse
            .silent_in_ms
            .map(|wait| Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(LOOK_MIN));
        Ok(Beat {
            freed,
            was_displaced,
            is_draining: pulse.is_draining,
            is_superseded: membership.is_superseded(),
            look_in: silent_in,
            lost,
            clock_behind_ms,
        })
    }

    /// Says that this node is alive; takes its row back before, if others have freed its leases.
    async fn say(&self) -> Result<Said, StoreError> {
        let (membership, connections) =
            (&self.shared.membership, &self.shared.connections.unguarded());
        let (losses, mut lost) = (&self.shared.losses, None);
        let waits_for = membership.waits_for().unwrap_or_default();
        let mut was_displaced = false;
        loop {
            let (sent, owner) = (since_boot(), membership.owner());
            let (name, known) = (&membership.name, losses.known());
            let (found, (state, shown)) = transact!(connections, tx => {
                let seen = losses::look(tx, name, owner, known).await?;
                Ok((node::beat(tx, name, owner, &waits_for).await?, seen))
            })?;
            losses.note(state);
            lost = lost.or(shown.lost);
            if let Some(pulse) = found {
                let beat = state.beat();
                connections.note_beat(Known { name: name.clone(), owner, beat });
                let clock_behind_ms = shown.clock_behind_ms;
                return Ok(Said { sent, pulse, lost, clock_behind_ms, was_displaced });
            }
            was_displaced = true;
            self.take_back(owner).await?;
        }
    }

    /// Frees the leases of nodes that are dead: of those whose process has ended on this machine, and where one is
    /// silent for too long, of those that are.
    async fn free_dead(&self, is_silent: bool) -> Result<Vec<FreedNode>, StoreError> {
        let (opening, connections) = (&self.shared.opening, &self.shared.connections);
        let ended = if opening.machine.is_empty() {
            Vec::new()
        } else {
            read!(connections, tx => neighbours::ended(tx, opening).await)?
        };
        if ended.is_empty() && !is_silent {
            return Ok(Vec::new());
        }
        transact!(connections, tx => node::free_dead(tx, &ended).await)
    }

    /// Goes on under a new incarnation after others have freed the leases of this one.
    async fn take_back(&self, former: i64) -> Result<(), StoreError> {
        let (membership, connections) =
            (&self.shared.membership, &self.shared.connections.unguarded());
        let incarnation = random::number()?;
        let opening = &self.shared.opening;
        let taken = transact!(connections, tx => {
            migrate::require_here(tx, connections).await?;
            node::take_back(tx, opening, former, incarnation).await
        })?;
        taken.map_err(|alive| alive.error(connections))?;
        membership.renew(incarnation);
        Ok(())
    }

    /// Implements [`crate::store::Store::life`] on this engine.
    pub(crate) fn life(&self) -> Option<i64> {
        let membership = &self.shared.membership;
        (membership.unheard() < UNHEARD_MAX).then(|| membership.owner())
    }

    /// Implements [`crate::store::Store::unheard`] on this engine.
    pub(crate) async fn unheard(&self) {
        loop {
            let left = UNHEARD_MAX.saturating_sub(self.shared.membership.unheard());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// Implements [`crate::store::Store::is_active`] on this engine.
    pub(crate) fn is_active(&self) -> bool {
        self.shared.membership.active().is_some()
    }

    /// Implements [`crate::store::Store::serves`] on this engine.
    pub(crate) fn serves(&self, pool: &Pool) -> bool {
        self.shared.eligible.serves(pool)
    }

    /// Implements [`crate::store::Store::stand_by`] on this engine.
    pub(crate) fn stand_by(&self, reason: &str) {
        let membership = &self.shared.membership;
        membership.stand_by(membership.in_force(), reason);
    }

    /// Implements [`crate::store::Store::wait_for`] on this engine.
    pub(crate) fn wait_for(&self, fault: OwnFault, reason: Option<String>) {
        self.shared.membership.wait_for(fault, reason);
    }

    /// Implements [`crate::store::Store::vantage`] on this engine.
    pub(crate) fn vantage(&self) -> String {
        self.shared.membership.name.clone()
    }

    /// Implements [`crate::store::Store::contradictions`] on this engine.
    pub(crate) async fn contradictions(&self) -> Result<Vec<Contradiction>, StoreError> {
        let name = &self.shared.membership.name;
        read!(&self.shared.connections, tx => contradiction::of(tx, name).await)
    }

    /// Implements [`crate::store::Store::forget_contradictions`] on this engine.
    pub(crate) async fn forget_contradictions(&self) -> Result<(), StoreError> {
        let name = &self.shared.membership.name;
        transact!(self.writes()?, tx => contradiction::forget(tx, name).await)
    }

    /// Implements [`crate::store::Store::time`] on this engine.
    pub(crate) fn time(&self) -> &'static AtomicI64 {
        self.shared.membership.offset()
    }

    /// Implements [`crate::store::Store::lasting_faults`] on this engine.
    pub(crate) async fn lasting_faults(&self) -> Result<Vec<OwnFault>, StoreError> {
        let name = &self.shared.membership.name;
        read!(&self.shared.connections, tx => fault::of(tx, name).await)
    }

    /// Implements [`crate::store::Store::end_resend`] on this engine.
    pub(crate) async fn end_resend(&self, resend: &Resend) -> Result<(), StoreError> {
        transact!(self.writes()?, tx => resend::end(tx, resend).await)
    }

    /// Implements [`crate::store::Store::has_others`] on this engine.
    pub(crate) async fn has_others(&self) -> Result<bool, StoreError> {
        let name = &self.shared.membership.name;
        read!(&self.shared.connections, tx => node::has_others(tx, name).await)
    }

    /// Implements [`crate::store::Store::end_faults_of_dead`] on this engine.
    pub(crate) async fn end_faults_of_dead(
        &self,
        context: NotificationContext,
    ) -> Result<(), StoreError> {
        let connections = &self.shared.connections;
        if !self.is_active() || read!(connections, tx => fault::of_dead(tx).await)?.is_empty() {
            return Ok(());
        }
        transact!(self.writes()?, tx => own_fault::end_of_dead(tx, &context).await)
    }

    /// Implements [`crate::store::Store::look_for_absent`] on this engine.
    pub(crate) async fn look_for_absent(
        &self,
        placed: &[Placed],
        context: &NotificationContext,
    ) -> Result<Absent, StoreError> {
        let connections = &self.shared.connections;
        let known = read!(connections, tx => absent::known(tx, placed, context.now).await)?;
        if let Some(known) = known {
            return Ok(known);
        }
        transact!(self.writes()?, tx => absent::look(tx, placed, context).await)
    }

    /// Returns the sessions for a write.
    ///
    /// # Errors
    ///
    /// Fails when this node was not heard of for so long that others may free its leases.
    pub(super) fn writes(&self) -> Result<&Connections, StoreError> {
        match self.life() {
            Some(_) => Ok(&self.shared.connections),
            None => Err(Fault::Late.into()),
        }
    }
}
