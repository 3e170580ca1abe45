//! Writes of commands beside a daemon: each call is one transaction, and notes what was done in the audit trail.

use std::sync::Arc;

use super::audit::{self, NewAudit};
use super::connect::Connections;
use super::tx::{Reads, Tx, read, transact};
use super::{
    Act, NewSilence, NodeNote, ReceiverRow, Redelivered, Replayed, Requested, Span, StoreError,
    asked, health, migrate, node_row, outbox, receiver, run, silences,
};
use crate::domain::ledger;
use crate::domain::{
    DeliveryId, DisabledReason, IntegrationId, PostgresAddress, Subscription, Timestamp,
};

/// Writes of a person beside a daemon, or without one.
#[derive(Debug)]
pub(crate) struct Control {
    connections: Connections,
    author: String,
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
        let comment = removals.map_or_else(String::new, |most| format!("allows {most} removals"));
        let author = self.author.as_str();
        let name = &self.connections.address().node;
        transact!(&self.connections, tx => {
            if let Some(most) = removals {
                node_row::note(tx, name, &NodeNote::AllowRemovals(most)).await?;
            }
            let act = Act::Reload;
            let new = NewAudit { act, author, target: "", comment: &comment };
            audit::insert(tx, new, now).await
        })
    }

    /// Implements [`crate::store::Control::publish`] on this engine.
    pub(crate) async fn publish(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let (author, name) = (self.author.as_str(), &self.connections.address().node);
        transact!(&self.connections, tx => {
            node_row::publish(tx, name).await?;
            note(tx, Act::Publish, author, name, now).await
        })
    }

    /// Implements [`crate::store::Control::drain`] on this engine.
    pub(crate) async fn drain(
        &mut self,
        node: &str,
        is_draining: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            let is_known = node_row::drain(tx, node, is_draining).await?;
            if is_known {
                let act = if is_draining { Act::DrainNode } else { Act::ResumeNode };
                note(tx, act, author, node, now).await?;
            }
            Ok(is_known)
        })
    }

    /// Implements [`crate::store::Control::receiver`] on this engine.
    pub(crate) async fn receiver(&mut self, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
        read!(&self.connections, tx => receiver::receiver(tx, name).await)
    }

    /// Implements [`crate::store::Control::enable`] on this engine.
    pub(crate) async fn enable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            enable(tx, name, now).await?;
            note(tx, Act::EnableReceiver, author, name, now).await
        })
    }

    /// Implements [`crate::store::Control::disable`] on this engine.
    pub(crate) async fn disable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            disable(tx, name, now).await?;
            note(tx, Act::DisableReceiver, author, name, now).await
        })
    }

    /// Implements [`crate::store::Control::redeliver`] on this engine.
    pub(crate) async fn redeliver(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Redelivered, StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            let done = outbox::redeliver(tx, ids, now).await?;
            if matches!(done, Redelivered::Queued(_)) {
                let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
                note(tx, Act::Redeliver, author, &audit::names(&ids), now).await?;
            }
            Ok(done)
        })
    }

    /// Implements [`crate::store::Control::plan_replay`] on this engine.
    pub(crate) async fn plan_replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
    ) -> Result<Replayed, StoreError> {
        read!(&self.connections, tx => outbox::plan_replay(tx, wanting, span).await)
    }

    /// Implements [`crate::store::Control::replay`] on this engine.
    pub(crate) async fn replay(
        &mut self,
        wanting: &Subscription,
        span: Span,
        now: Timestamp,
    ) -> Result<Replayed, StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            let done = outbox::replay(tx, wanting, span, now).await?;
            if 0 < done.events && !done.is_too_much {
                let Span { since, until } = span;
                let until = until.unwrap_or(now);
                let target = format!("{} from {since} to {until}", wanting.receiver);
                note(tx, Act::Replay, author, &target, now).await?;
            }
            Ok(done)
        })
    }

    /// Implements [`crate::store::Control::request`] on this engine.
    pub(crate) async fn request(
        &mut self,
        ids: &[IntegrationId],
        now: Timestamp,
    ) -> Result<Vec<Requested>, StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            let (mut all, mut names) = (Vec::new(), Vec::new());
            run::lock(tx, ids).await?;
            for &id in ids {
                let (requested, name) = run::request(tx, id, now).await?;
                if !matches!(requested, Requested::NotValidated(_)) {
                    names.push(name);
                }
                all.push(requested);
            }
            if !names.is_empty() {
                note(tx, Act::Revalidate, author, &audit::names(&names), now).await?;
            }
            Ok(all)
        })
    }

    /// Implements [`crate::store::Control::silence`] on this engine.
    pub(crate) async fn silence(
        &mut self,
        new: &NewSilence,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let author = self.author.as_str();
        transact!(
            &self.connections,
            tx => add_silence(tx, new, author, now).await,
            id => Ok(silences::find(tx, *id).await?.is_some())
        )
    }

    /// Implements [`crate::store::Control::end_silence`] on this engine.
    pub(crate) async fn end_silence(
        &mut self,
        id: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let author = self.author.as_str();
        transact!(&self.connections, tx => {
            let has_ended = silences::end(tx, id, now).await?;
            if has_ended {
                let target = silence_target(tx, id).await?;
                note(tx, Act::EndSilence, author, &target, now).await?;
            }
            Ok(has_ended)
        })
    }
}

/// Disables a receiver that is enabled; its pending deliveries wait.
async fn disable(tx: &Tx, name: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(health) = health::lock(tx, name).await? else { return Ok(()) };
    let effects = ledger::disable(&health, DisabledReason::Manual, now);
    asked::Asked::default().apply_all(tx, &effects).await
}

/// Enables a receiver that is disabled: its pending deliveries go out in order, with as many attempts as
/// new ones.
async fn enable(tx: &Tx, name: &str, now: Timestamp) -> Result<(), StoreError> {
    super::lane::lock_all(tx, name).await?;
    let Some(health) = health::lock(tx, name).await? else { return Ok(()) };
    asked::Asked::default().apply_all(tx, &ledger::enable(&health, now)).await
}

async fn add_silence(
    tx: &Tx,
    new: &NewSilence,
    author: &str,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let id = silences::add(tx, new, now).await?;
    let act = if new.acknowledges.is_some() { Act::Acknowledge } else { Act::Silence };
    let target = silence_target(tx, id).await?;
    let comment = new.comment.as_str();
    audit::insert(tx, NewAudit { act, author, target: &target, comment }, now).await?;
    Ok(id)
}

/// Adds an entry without a comment to the audit trail.
async fn note(
    tx: &Tx,
    act: Act,
    author: &str,
    target: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::insert(tx, NewAudit { act, author, target, comment: "" }, now).await
}

/// Returns the number of a silence or an acknowledgement, with what it covers.
async fn silence_target(tx: &Reads, id: i64) -> Result<String, StoreError> {
    let found = silences::find(tx, id).await?;
    let covers = found
        .map(|row| row.acknowledged.map_or_else(|| row.selection.to_string(), |(_, name)| name));
    Ok(format!("{id}: {}", covers.unwrap_or_default()))
}
