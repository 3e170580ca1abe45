//! Nodes that share a database: heartbeats, the time of the server, and for what a node waits. A file has one.

use std::sync::atomic::AtomicI64;

use super::Store;
use crate::domain::ledger::{Contradiction, NotificationContext, Placed};
use crate::domain::{OwnFault, Pool};
use crate::store::{Absent, Beat, Resend, StoreError};

impl Store {
    /// Says that this node is alive, looks whether the database is still its own, and frees the leases of nodes that are
    /// dead.
    ///
    /// # Errors
    ///
    /// Fails when a file of the database was removed or replaced while in use, the server cannot be reached, or another
    /// daemon has the name of this one.
    pub(crate) async fn beat(&self) -> Result<Beat, StoreError> {
        match self {
            Self::Sqlite(engine) => engine.check_files().map(|()| Beat::default()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.beat()).await,
        }
    }

    /// Returns true when other nodes may share the database.
    pub(crate) const fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
        }
    }

    /// Returns the life of this node to which its leases belong; none once it was not heard of for so long that others
    /// may free them. What was claimed in another life is not sent.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(clippy::unnecessary_wraps, reason = "a file has one node, with one life")
    )]
    pub(crate) fn life(&self) -> Option<i64> {
        match self {
            Self::Sqlite(_) => Some(0),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.life(),
        }
    }

    /// Waits until this node was not heard of for so long that others may free its leases.
    pub(crate) async fn unheard(&self) {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.unheard().await,
        }
    }

    /// Returns true while this node begins and sends; false while it waits, or is drained.
    pub(crate) fn is_active(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.is_active(),
        }
    }

    /// Returns true when this node may do what is meant for a pool; the only node of a file may do everything.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) fn serves(&self, pool: &Pool) -> bool {
        match self {
            Self::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.serves(pool),
        }
    }

    /// Lets this node wait because its files cannot be compared with those in force.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) fn stand_by(&self, reason: &str) {
        match self {
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.stand_by(reason),
        }
    }

    /// Lets this node begin and send nothing while a fault lasts, or go on.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, clippy::needless_pass_by_value, reason = "a file has one node")
    )]
    pub(crate) fn wait_for(&self, fault: OwnFault, reason: Option<String>) {
        match self {
            Self::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => engine.wait_for(fault, reason),
        }
    }

    /// Returns the name of this node as the vantage point of its runs; none where it is the only one.
    pub(crate) fn vantage(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Some(engine.vantage()),
        }
    }

    /// Returns what this node alone could not reach, while others found it to work.
    pub(crate) async fn contradictions(&self) -> Result<Vec<Contradiction>, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.contradictions()).await,
        }
    }

    /// Forgets what this node alone could not reach.
    pub(crate) async fn forget_contradictions(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.forget_contradictions()).await,
        }
    }

    /// Returns the milliseconds by which the clock of the server is ahead of the time since boot, which change with
    /// every heartbeat; none without a server.
    pub(crate) fn time(&self) -> Option<&'static AtomicI64> {
        match self {
            Self::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Some(engine.time()),
        }
    }

    /// Returns the faults on the side of this node that last, and those of all nodes.
    pub(crate) async fn lasting_faults(&self) -> Result<Vec<OwnFault>, StoreError> {
        match self {
            Self::Sqlite(engine) => {
                Ok(engine.view().own_faults().await?.into_iter().map(|row| row.fault).collect())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.lasting_faults()).await,
        }
    }

    /// Notes that an alert was sent again, so that messages of its queue go out; in one process they wait by themselves.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) async fn end_resend(&self, resend: &Resend) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.end_resend(resend)).await,
        }
    }

    /// Returns true when another node is alive.
    pub(crate) async fn has_others(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.has_others()).await,
        }
    }

    /// Waits until every other node that is alive has beaten since this one has started, or counts as dead: it would have
    /// noticed by then that commits were lost.
    pub(crate) async fn meet_others(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.meet_others()).await,
        }
    }

    /// Looks for pools without a node that works, and notifies receivers of those that have none for long, and of their
    /// ends.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) async fn look_for_absent(
        &self,
        placed: &[Placed],
        context: &NotificationContext,
    ) -> Result<Absent, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(Absent::default()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.look_for_absent(placed, context)).await,
        }
    }

    /// Ends the faults of nodes that are not alive, and notifies receivers of those that no other node has.
    #[cfg_attr(not(feature = "postgres"), expect(unused_variables, reason = "a file has one node"))]
    pub(crate) async fn end_faults_of_dead(
        &self,
        context: NotificationContext,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(engine) => Box::pin(engine.end_faults_of_dead(context)).await,
        }
    }
}
