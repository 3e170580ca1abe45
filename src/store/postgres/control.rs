//! Writes of commands beside a daemon: each call is one transaction, and notes what was done in the audit trail.

use std::sync::Arc;

use super::connect::Connections;
use super::error::todo;
use super::migrate;
use super::{NewSilence, ReceiverRow, Redelivered, Replayed, Requested, Span, StoreError};
use crate::domain::{DeliveryId, IntegrationId, PostgresAddress, Subscription, Timestamp};

/// Writes of a person beside a daemon, or without one.
#[derive(Debug)]
pub(crate) struct Control {
    pub(super) connections: Connections,
    pub(super) author: String,
}

impl Control {
    /// Implements [`crate::store::Control::open`] on this engine.
    pub(crate) async fn open(
        address: &Arc<PostgresAddress>,
        author: &str,
    ) -> Result<Self, StoreError> {
        let connections = Connections::new(Arc::clone(address), 1, true);
        migrate::require_schema(&connections).await?;
        Ok(Self { connections, author: author.to_owned() })
    }

    /// Implements [`crate::store::Control::reload`] on this engine.
    pub(crate) async fn reload(
        &mut self,
        removals: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        todo("reload", (removals, now, &self.author))
    }

    /// Implements [`crate::store::Control::request`] on this engine.
    pub(crate) async fn request(
        &mut self,
        ids: &[IntegrationId],
        now: Timestamp,
    ) -> Result<Vec<Requested>, StoreError> {
        todo("request", (ids, now))
    }

    /// Implements [`crate::store::Control::receiver`] on this engine.
    pub(crate) async fn receiver(&mut self, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
        todo("receiver", (name,))
    }

    /// Implements [`crate::store::Control::enable`] on this engine.
    pub(crate) async fn enable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        todo("enable", (name, now))
    }

    /// Implements [`crate::store::Control::disable`] on this engine.
    pub(crate) async fn disable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        todo("disable", (name, now))
    }

    /// Implements [`crate::store::Control::redeliver`] on this engine.
    pub(crate) async fn redeliver(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Redelivered, StoreError> {
        todo("redeliver", (ids, now))
    }

    /// Implements [`crate::store::Control::plan_replay`] on this engine.
    pub(crate) async fn plan_replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
    ) -> Result<Replayed, StoreError> {
        todo("plan_replay", (wanting, span))
    }

    /// Implements [`crate::store::Control::replay`] on this engine.
    pub(crate) async fn replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
        now: Timestamp,
    ) -> Result<Replayed, StoreError> {
        todo("replay", (wanting, span, now))
    }

    /// Implements [`crate::store::Control::silence`] on this engine.
    pub(crate) async fn silence(
        &mut self,
        new: &NewSilence,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        todo("silence", (new, now))
    }

    /// Implements [`crate::store::Control::end_silence`] on this engine.
    pub(crate) async fn end_silence(
        &mut self,
        id: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        todo("end_silence", (id, now))
    }
}
