//! The ledger: every decision that changes what is stored, as a pure function from a case to effects.
//!
//! The store loads a [`Case`], asks for a decision, and applies its [`Effect`]s in one transaction
//! (functional core, imperative shell). Nothing here knows SQL, threads, clocks or random numbers:
//! instants, row ids, sequence numbers and random bytes are given in, so that the same case gives the
//! same effects, byte for byte. A decision that needs more than it was given returns a [`Need`], and
//! is asked again once that has been loaded; 99 of 100 runs need nothing.

#[cfg_attr(not(any(feature = "postgres", test)), expect(dead_code, reason = "a file has one node"))]
mod absence;
mod applied;
mod case;
mod context;
mod delivery;
mod difference;
mod draft;
mod effects;
mod finished;
mod incident;
mod knowledge;
mod known;
mod mute;
mod notify;
mod operation;
mod outage;
mod outbox;
mod own_fault;
mod plan;
mod receiver;
mod record;
mod renames;
mod request;
mod results;
mod row;
mod silence;
mod sync;
#[cfg(test)]
mod tests;
mod vantage;
mod wake;

pub(crate) use absence::Placed;
#[cfg(feature = "postgres")]
pub(crate) use absence::{Absence, Absences, LivingNode, absence_message, absences, is_news};
pub(crate) use applied::announce_changes;
pub(crate) use case::{
    Answer, Case, Decided, LastingFault, Need, OutageState, Shared, Sibling, Silence, StoreHead,
};
pub(crate) use context::NotificationContext;
pub(crate) use delivery::{Replay, expire, record_attempt, redeliver, replay};
pub(crate) use difference::{ChangeKind, Described, Difference, IntegrationChange, ReceiverChange};
pub(crate) use draft::Decision;
pub(crate) use effects::{
    DeliveryUpdate, Effect, NewEvent, NewIntegration, NewOutage, NewSilence, NewTransition, Part,
    QueueChange,
};
pub(crate) use finished::{Begun, Finished, Recorded, SubjectRun, Trigger};
pub(crate) use known::{KnownIncident, NoticeState};
pub(crate) use mute::release;
pub(crate) use outage::{FailingMember, Outage, OutageMembers, close as close_outage};
pub(crate) use outbox::{
    Attempt, DeliveryRecord, DeliveryState, Disabled, InIncident, Overdue, PastEvent, ProbedOutage,
    Queue, ReceiverHealth, Redelivery,
};
pub(crate) use own_fault::{NodeFault, begin as begin_fault, end as end_fault};
pub(crate) use plan::after_clock_rollback;
pub(crate) use receiver::{disable, enable};
pub(crate) use record::record;
pub(crate) use renames::renames;
pub(crate) use request::{Requested, request};
pub(crate) use results::{StoredReport, StoredTest};
pub(crate) use row::{
    Elsewhere, FactsRef, Fingerprint, Flapping, Incident, Lease, Mute, Progress, Row, Seen, Suspect,
};
pub(crate) use silence::{
    SilenceRecord, add as add_silence, end as end_silence, reevaluate_all as reevaluate_mutes,
};
pub(crate) use sync::{Stored, Wanted, adjust, create, drain, remove, roll_back_removal};
pub(crate) use vantage::{Contradiction, is_suspect};
pub(crate) use wake::{replan, wake};
