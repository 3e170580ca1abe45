//! Evidence of a decision: what the store has loaded for it besides its row.
//!
//! A decision reads evidence through the accessors of [`Case`]. What has not been loaded yet comes
//! back as a [`Need`], which the store answers before it asks for the whole decision again; nothing
//! has been written by then.

use std::collections::BTreeMap;

use super::known::KnownIncident;
use super::results::StoredReport;
use crate::domain::{
    Class, Factor, IntegrationId, OutageMember, OwnFault, ReportStatus, RunId, Selection,
    SharedCause, Subject, Timestamp,
};

/// A decision, or what must be loaded before it can be made.
pub(crate) type Decided<T> = Result<T, Need>;

/// Evidence that a decision asks for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Need {
    /// Random bytes from which identifiers are made.
    Random,
    /// The identity of the store and the number of its latest operational event.
    StoreHead,
    /// Silences and acknowledgements that have not ended: those that are open now, and those planned.
    Silences,
    /// Results of this run.
    Results(i64),
    /// Results of the latest run of the integration that passed, before this run if one is named.
    LatestGood(IntegrationId, Option<i64>),
    /// The same of the latest run that failed by the platform's fault; of this configuration only, if
    /// one is named.
    LatestBad(IntegrationId, Option<Subject>, Option<i64>),
    /// Instant of the latest transition.
    StatusSince(IntegrationId),
    /// Factors of an integration, the most specific first.
    Factors(IntegrationId),
    /// Truth of: another integration shares this and has had no answer, or none that says anything about one
    /// integration alone, since the instant or later.
    AnotherFails(Shared, Timestamp),
    /// Others that share this, work, and are due later; those whose latest run lies back furthest.
    IdleSiblings(Shared),
    /// The open outage of a factor and a cause.
    OpenOutage(Factor, SharedCause),
    /// Others that share this and fail, the latest first.
    FailingSiblings(Shared),
    /// Number of others that share this and have passed since the instant.
    PassingSiblings(Shared, Timestamp),
    /// State of an outage as one member sees it.
    OutageState(String, IntegrationId),
    /// Other members that still fail by an outage and are due later.
    FailingMembers(String, IntegrationId),
    /// An open incident as each receiver knows it.
    Known(String),
    /// Faults on the daemon's own side that last.
    OwnFaults,
    /// Truth of: a fault on the daemon's own side keeps another integration from being validated.
    AnotherFailsLocally(IntegrationId),
    /// Number of deliveries that are pending for a receiver.
    Pending(String),
    /// Truth of: another node than the one of this name works, and may validate the integration.
    AnotherNode(IntegrationId, String),
}

/// A silence or an acknowledgement that has not ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Silence {
    /// Id of the silence.
    pub(crate) id: i64,
    /// The integration that is acknowledged, when it is an acknowledgement.
    pub(crate) acknowledges: Option<IntegrationId>,
    /// The integrations that a silence covers.
    pub(crate) selection: Selection,
    /// When it begins by itself; one that lies ahead is planned, and mutes nothing yet.
    pub(crate) from: Timestamp,
    /// When it ends by itself.
    pub(crate) until: Timestamp,
}

/// A factor that an integration shares with others.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Shared {
    /// Factor that they share.
    pub(crate) factor: Factor,
    /// The integration that is compared with others.
    pub(crate) by: IntegrationId,
}

/// Evidence that the store has loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// Answer to [`Need::Random`]: the bytes.
    Random([u8; 10]),
    /// Answer to [`Need::StoreHead`]: the row.
    StoreHead(StoreHead),
    /// Answer to [`Need::Silences`], by their ids.
    Silences(Vec<Silence>),
    /// Answer to needs of results.
    Results(Option<(ReportStatus, StoredReport)>),
    /// Answer to needs of an instant.
    Instant(Option<Timestamp>),
    /// Answer to [`Need::Factors`], in their order.
    Factors(Vec<Factor>),
    /// Answer to needs that are a question.
    Yes(bool),
    /// Answer to needs of rows that may be made due.
    Integrations(Vec<IntegrationId>),
    /// Answer to [`Need::OpenOutage`]: its id, if one is open.
    Outage(Option<String>),
    /// Answer to [`Need::FailingSiblings`], in their order.
    Siblings(Vec<Sibling>),
    /// Answer to needs of a number.
    Count(usize),
    /// Answer to [`Need::OutageState`]: the state.
    OutageState(OutageState),
    /// Answer to [`Need::Known`]: the incident by receiver.
    Known(Vec<KnownIncident>),
    /// Answer to [`Need::OwnFaults`], by their names.
    OwnFaults(Vec<LastingFault>),
}

/// The store's row about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoreHead {
    /// Random identity of the store.
    pub(crate) epoch: String,
    /// The number of the latest event that is about no single integration.
    pub(crate) sequence: i64,
}

/// Another integration that fails and shares something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sibling {
    /// Entry of it in an outage.
    pub(crate) member: OutageMember,
    /// Start of its first consecutive failing run.
    pub(crate) since: Timestamp,
    /// Class of its latest failure.
    pub(crate) class: Class,
    /// Receivers have not been notified of its status.
    pub(crate) is_unnotified: bool,
}

/// State of an outage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OutageState {
    /// It has not ended.
    pub(crate) is_open: bool,
    /// A member has recovered, so that an end is set.
    pub(crate) is_closing: bool,
    /// Another member still fails by it.
    pub(crate) has_others: bool,
}

/// A fault on the daemon's own side that lasts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LastingFault {
    /// Kind of the fault.
    pub(crate) fault: OwnFault,
    /// Instant of its beginning.
    pub(crate) since: Timestamp,
    /// Its description for people.
    pub(crate) message: String,
    /// Node that has it, or had it first; none where it is of all nodes, or of the only one.
    pub(crate) node: Option<String>,
}

/// The evidence of a decision so far, with the id of the run at hand.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The id that a run gets which is recorded.
    pub(crate) next_run: RunId,
    answers: BTreeMap<Need, Answer>,
}

/// Reads one kind of answer.
macro_rules! answer {
    ($case:ident, $need:expr, $kind:ident) => {{
        let need = $need;
        match $case.answers.get(&need) {
            Some(Answer::$kind(found)) => Ok(found),
            Some(_) | None => Err(need),
        }
    }};
}

impl Case {
    /// Creates a case without evidence.
    pub(crate) const fn new(next_run: RunId) -> Self {
        Self { next_run, answers: BTreeMap::new() }
    }

    /// Adds evidence; returns false when it was there already.
    #[must_use]
    pub(crate) fn answer(&mut self, need: Need, answer: Answer) -> bool {
        self.answers.insert(need, answer).is_none()
    }

    pub(super) fn random(&self) -> Decided<[u8; 10]> {
        answer!(self, Need::Random, Random).copied()
    }

    pub(super) fn head(&self) -> Decided<&StoreHead> {
        answer!(self, Need::StoreHead, StoreHead)
    }

    pub(super) fn silences(&self) -> Decided<&Vec<Silence>> {
        answer!(self, Need::Silences, Silences)
    }

    pub(super) fn results(&self, need: Need) -> Decided<&Option<(ReportStatus, StoredReport)>> {
        answer!(self, need, Results)
    }

    pub(super) fn instant(&self, need: Need) -> Decided<Option<Timestamp>> {
        answer!(self, need, Instant).copied()
    }

    pub(super) fn factors(&self, id: IntegrationId) -> Decided<&Vec<Factor>> {
        answer!(self, Need::Factors(id), Factors)
    }

    pub(super) fn is(&self, need: Need) -> Decided<bool> {
        answer!(self, need, Yes).copied()
    }

    pub(super) fn integrations(&self, need: Need) -> Decided<&Vec<IntegrationId>> {
        answer!(self, need, Integrations)
    }

    pub(super) fn open_outage(
        &self,
        factor: &Factor,
        cause: SharedCause,
    ) -> Decided<&Option<String>> {
        answer!(self, Need::OpenOutage(factor.clone(), cause), Outage)
    }

    pub(super) fn failing_siblings(&self, shared: Shared) -> Decided<&Vec<Sibling>> {
        answer!(self, Need::FailingSiblings(shared), Siblings)
    }

    pub(super) fn count(&self, need: Need) -> Decided<usize> {
        answer!(self, need, Count).copied()
    }

    pub(super) fn outage_state(&self, outage: &str, id: IntegrationId) -> Decided<OutageState> {
        answer!(self, Need::OutageState(outage.to_owned(), id), OutageState).copied()
    }

    pub(super) fn known(&self, incident: &str) -> Decided<&Vec<KnownIncident>> {
        answer!(self, Need::Known(incident.to_owned()), Known)
    }

    pub(super) fn own_faults(&self) -> Decided<&Vec<LastingFault>> {
        answer!(self, Need::OwnFaults, OwnFaults)
    }
}
