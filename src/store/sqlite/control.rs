//! Writes of commands beside a running daemon: short transactions on a connection of their own.
//!
//! Like the daemon's, they write only to the file that they opened; unlike the daemon they never
//! create, migrate or take it over. The daemon finds what they changed at its next look. Whatever a person
//! changes is noted in the same transaction (audit trail).

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::audit::{self, NewAudit};
use super::open;
use super::place::Place;
use super::{
    Act, NewSilence, NodeNote, ReceiverRow, Redelivered, Replayed, Requested, Span, StoreError,
    node, outbox, receiver, run, silence,
};
use crate::domain::{DeliveryId, DisabledReason, IntegrationId, Subscription, Timestamp};

/// Writes of a person beside a daemon, or without one. Blocks for as long as another writes, at most
/// seconds.
#[derive(Debug)]
pub(crate) struct Control {
    conn: Connection,
    place: Place,
    author: String,
}

impl Control {
    /// Implements [`crate::store::Control::open`] on this engine.
    pub(crate) fn open(path: &Path, author: &str) -> Result<Self, StoreError> {
        let (conn, place) = open::open_to_control(path)?;
        Ok(Self { conn, place, author: author.to_owned() })
    }

    /// Implements [`crate::store::Control::reload`] on this engine.
    pub(crate) fn reload(
        &mut self,
        removals: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let comment = removals.map_or_else(String::new, |most| format!("allows {most} removals"));
        self.write(|tx, author| {
            if let Some(most) = removals {
                node::note(tx, &NodeNote::AllowRemovals(most))?;
            }
            let act = Act::Reload;
            audit::insert(tx, NewAudit { act, author, target: "", comment: &comment }, now)
        })
    }

    /// Implements [`crate::store::Control::receiver`] on this engine.
    pub(crate) fn receiver(&mut self, name: &str) -> Result<Option<ReceiverRow>, StoreError> {
        receiver::receiver(&self.conn, name)
    }

    /// Implements [`crate::store::Control::enable`] on this engine.
    pub(crate) fn enable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx, author| {
            receiver::enable(tx, name, now)?;
            note(tx, Act::EnableReceiver, author, name, now)
        })
    }

    /// Implements [`crate::store::Control::disable`] on this engine.
    pub(crate) fn disable(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write(|tx, author| {
            receiver::disable(tx, name, DisabledReason::Manual, now)?;
            note(tx, Act::DisableReceiver, author, name, now)
        })
    }

    /// Implements [`crate::store::Control::redeliver`] on this engine.
    pub(crate) fn redeliver(
        &mut self,
        ids: &[DeliveryId],
        now: Timestamp,
    ) -> Result<Redelivered, StoreError> {
        self.write(|tx, author| {
            let done = outbox::redeliver(tx, ids, now)?;
            if matches!(done, Redelivered::Queued(_)) {
                let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
                note(tx, Act::Redeliver, author, &audit::names(&ids), now)?;
            }
            Ok(done)
        })
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
        self.write(|tx, author| {
            let done = outbox::replay(tx, wanting, span, Some(now))?;
            if 0 < done.events && !done.is_too_much {
                let Span { since, until } = span;
                let until = until.unwrap_or(now);
                let target = format!("{} from {since} to {until}", wanting.receiver);
                note(tx, Act::Replay, author, &target, now)?;
            }
            Ok(done)
        })
    }

    /// Implements [`crate::store::Control::request`] on this engine.
    pub(crate) fn request(
        &mut self,
        ids: &[IntegrationId],
        now: Timestamp,
    ) -> Result<Vec<Requested>, StoreError> {
        self.write(|tx, author| {
            let (mut all, mut names) = (Vec::new(), Vec::new());
            for &id in ids {
                let (requested, name) = run::request(tx, id, now)?;
                if !matches!(requested, Requested::NotValidated(_)) {
                    names.push(name);
                }
                all.push(requested);
            }
            if !names.is_empty() {
                note(tx, Act::Revalidate, author, &audit::names(&names), now)?;
            }
            Ok(all)
        })
    }

    /// Implements [`crate::store::Control::silence`] on this engine.
    pub(crate) fn silence(&mut self, new: &NewSilence, now: Timestamp) -> Result<i64, StoreError> {
        self.write(|tx, author| {
            let id = silence::add(tx, new, now)?;
            let is_acknowledgement = new.acknowledges.is_some();
            let act = if is_acknowledgement { Act::Acknowledge } else { Act::Silence };
            let target = silence_target(tx, id)?;
            let comment = new.comment.as_str();
            audit::insert(tx, NewAudit { act, author, target: &target, comment }, now)?;
            Ok(id)
        })
    }

    /// Implements [`crate::store::Control::end_silence`] on this engine.
    pub(crate) fn end_silence(&mut self, id: i64, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|tx, author| {
            let has_ended = silence::end(tx, id, now)?;
            if has_ended {
                note(tx, Act::EndSilence, author, &silence_target(tx, id)?, now)?;
            }
            Ok(has_ended)
        })
    }

    fn write<T>(
        &mut self,
        work: impl FnOnce(&Connection, &str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx, &self.author)?;
        // As late as can be: what is written to a file that is gone is lost.
        self.place.check()?;
        tx.commit()?;
        Ok(done)
    }
}

/// Adds an entry without a comment to the audit trail.
fn note(
    tx: &Connection,
    act: Act,
    author: &str,
    target: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    audit::insert(tx, NewAudit { act, author, target, comment: "" }, now)
}

/// Returns the number of a silence or an acknowledgement, with what it covers.
fn silence_target(tx: &Connection, id: i64) -> Result<String, StoreError> {
    let covers = silence::find(tx, id)?
        .map(|row| row.acknowledged.map_or_else(|| row.selection.to_string(), |(_, name)| name));
    Ok(format!("{id}: {}", covers.unwrap_or_default()))
}
