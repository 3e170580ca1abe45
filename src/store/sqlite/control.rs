//! Writes of commands beside a running daemon: short transactions on a connection of their own.
//!
//! Like the daemon's, they write only to the file that they opened; unlike the daemon they never
//! create, migrate or take it over. The daemon finds what they changed at its next look.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::open;
use super::place::Place;
use super::{
    NewSilence, NodeNote, ReceiverRow, Redelivered, Replayed, Span, StoreError, node, outbox,
    receiver, silence,
};
use crate::domain::{DeliveryId, DisabledReason, Subscription, Timestamp};

/// Writes beside a daemon, or without one. Blocks for as long as another writes, at most seconds.
#[derive(Debug)]
pub(crate) struct Control {
    conn: Connection,
    place: Place,
}

impl Control {
    /// Implements [`crate::store::Control::open`] on this engine.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let (conn, place) = open::open_to_control(path)?;
        Ok(Self { conn, place })
    }

    /// Implements [`crate::store::Control::note`] on this engine.
    pub(crate) fn note(&mut self, note: &NodeNote) -> Result<(), StoreError> {
        self.write(|tx| node::note(tx, note))
    }

    /// Implements [`crate::store::Control::receiver`] on this engine.
    pub(crate) fn receiver(&mut self, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
        receiver::receiver(&self.conn, name)
    }

    /// Implements [`crate::store::Control::enable`] on this engine.
    pub(crate) fn enable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| receiver::enable(tx, name, now))
    }

    /// Implements [`crate::store::Control::disable`] on this engine.
    pub(crate) fn disable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx| receiver::disable(tx, name, DisabledReason::Manual, now))
    }

    /// Implements [`crate::store::Control::redeliver`] on this engine.
    pub(crate) fn redeliver(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Redelivered, StoreError> {
        self.write(|tx| outbox::redeliver(tx, ids, now))
    }

    /// Implements [`crate::store::Control::plan_replay`] on this engine.
    pub(crate) fn plan_replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
    ) -> Result<Replayed, StoreError> {
        outbox::replay(&self.conn, wanting, span, None)
    }

    /// Implements [`crate::store::Control::replay`] on this engine.
    pub(crate) fn replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
        now: Timestamp,
    ) -> Result<Replayed, StoreError> {
        self.write(|tx| outbox::replay(tx, wanting, span, Some(now)))
    }

    /// Implements [`crate::store::Control::silence`] on this engine.
    pub(crate) fn silence(&mut self, new: &NewSilence, now: Timestamp) -> Result<i64, StoreError> {
        self.write(|tx| silence::add(tx, new, now))
    }

    /// Implements [`crate::store::Control::end_silence`] on this engine.
    pub(crate) fn end_silence(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|tx| silence::end(tx, id, now))
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        // As late as can be: what is written to a file that is gone is lost.
        self.place.check()?;
        tx.commit()?;
        Ok(done)
    }
}
