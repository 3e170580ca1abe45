//! Silences and acknowledgements: made and ended by people. What they mute is decided by
//! [`super::mute`].

use super::draft::Decision;
use super::effects::{Effect, NewSilence};
use crate::domain::Timestamp;

/// Stored silence or acknowledgement, as far as a decision about its end needs it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SilenceRecord {
    /// Id of the silence.
    pub(crate) id: i64,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
    /// Instant at which it was ended early, if it was.
    pub(crate) ended_at: Option<Timestamp>,
}

impl SilenceRecord {
    /// Returns true while it may mute notifications.
    fn is_open(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.until
    }
}

/// Decides to add a silence or an acknowledgement, which gets this id. Notifications that wait already
/// find it when their mute is over.
pub(crate) fn add(id: i64, new: &NewSilence, now: Timestamp) -> Vec<Effect> {
    vec![Effect::InsertSilence { id, new: Box::new(new.clone()), at: now }]
}

/// Decides to end a silence before its time, after which every mute is looked at again. The answer is
/// false when none is open.
pub(crate) fn end(found: Option<&SilenceRecord>, now: Timestamp) -> Decision<bool> {
    let Some(open) = found.filter(|found| found.is_open(now)) else {
        return Decision { effects: Vec::new(), answer: false };
    };
    let effects = vec![Effect::EndSilence { id: open.id, at: now }, reevaluate_all(now)];
    Decision { effects, answer: true }
}

/// Decides to look at every mute again, after a change of what mutes.
pub(crate) const fn reevaluate_all(now: Timestamp) -> Effect {
    Effect::ReevaluateMutes { at: now }
}
