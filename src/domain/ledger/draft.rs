//! A decision while it is made: its effects so far, and the identifiers and numbers it has given.

use std::collections::BTreeMap;

use uuid::Builder;

use super::case::{Case, Decided};
use super::context::NotificationContext;
use super::effects::Effect;
use super::known::KnownIncident;
use crate::domain::Timestamp;

/// Decision with its changes and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Decision<T> {
    /// The changes, in the order in which they are made.
    pub(crate) effects: Vec<Effect>,
    /// The answer once they are stored.
    pub(crate) answer: T,
}

/// A decision in the making.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    /// Evidence of the decision.
    pub(super) case: &'a Case,
    /// The configuration of notifications and the instant.
    pub(super) context: &'a NotificationContext,
    /// Id of an outage that is being opened.
    pub(super) opened: Option<String>,
    /// Incidents as receivers know them after the effects so far, by id; those that are not here are as stored.
    pub(super) known: BTreeMap<String, Vec<KnownIncident>>,
    /// A transition has been made, so that the status is as old as the decision.
    pub(super) has_stepped: bool,
    /// Name that the integration had until this decision, which gives it another one.
    pub(super) former_name: Option<String>,
    effects: Vec<Effect>,
    ids: u64,
    operational: i64,
}

impl<'a> Draft<'a> {
    /// Creates a draft without effects.
    pub(super) const fn new(case: &'a Case, context: &'a NotificationContext) -> Self {
        Self {
            case,
            context,
            opened: None,
            known: BTreeMap::new(),
            has_stepped: false,
            former_name: None,
            effects: Vec::new(),
            ids: 0,
            operational: 0,
        }
    }

    /// Returns the instant of the decision.
    pub(super) const fn now(&self) -> Timestamp {
        self.context.now
    }

    /// Adds an effect after those before it.
    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Adds effects after those before them.
    pub(super) fn push_all(&mut self, effects: impl IntoIterator<Item = Effect>) {
        self.effects.extend(effects);
    }

    /// Returns the decision with its answer.
    pub(super) fn decide<T>(self, answer: T) -> Decision<T> {
        Decision { effects: self.effects, answer }
    }

    /// Gives the next `<prefix>_<UUIDv7>`. The first has the case's random bytes, each of the others
    /// counts on from the one before ("monotonic random", RFC 9562, 6.2).
    pub(super) fn fresh_id(&mut self, prefix: &str) -> Decided<String> {
        let mut random = self.case.random()?;
        if let Some(counter) = random.last_chunk_mut::<8>() {
            *counter = u64::from_be_bytes(*counter).wrapping_add(self.ids).to_be_bytes();
        }
        self.ids += 1;
        let millis = u64::try_from(self.now().0).unwrap_or(0);
        let uuid = Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Ok(format!("{prefix}_{uuid}"))
    }

    /// Gives the next number among events that are about no single integration.
    pub(super) fn next_operational(&mut self) -> Decided<i64> {
        self.operational += 1;
        let number = self.case.head()?.sequence.saturating_add(self.operational);
        self.push(Effect::CountOperational(number));
        Ok(number)
    }
}
