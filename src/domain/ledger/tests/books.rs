//! Books: a store in plain memory that answers needs and applies effects, for tests of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use crate::domain::{
    Class, DeliveryId, Factor, IntegrationId, IntegrationRef, OutageMember, OwnFault, ReportStatus,
    RunId, Status, Subject, Timestamp, Weighed,
};

/// Run with its results, as stored.
#[derive(Clone, Debug)]
pub(super) struct StoredRun {
    pub(super) id: RunId,
    pub(super) integration: IntegrationId,
    pub(super) subject: Subject,
    pub(super) started_at: Timestamp,
    pub(super) status: ReportStatus,
    pub(super) class: Option<Class>,
    pub(super) rule: String,
    pub(super) evidence: Vec<Weighed>,
    pub(super) report: StoredReport,
}

/// Delivery with its place in a queue.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) id: DeliveryId,
    pub(super) event: String,
    pub(super) receiver: String,
    pub(super) integration: Option<IntegrationId>,
    /// Number of its event among those of the queue's integration.
    pub(super) number: usize,
    pub(super) state: DeliveryState,
    pub(super) due_at: Option<Timestamp>,
    pub(super) attempts: u32,
    pub(super) earlier: u32,
    pub(super) token: Option<i64>,
    pub(super) part: Option<Part>,
}

/// Outage with its members and end.
#[derive(Clone, Debug)]
pub(super) struct StoredOutage {
    pub(super) new: NewOutage,
    pub(super) members: BTreeSet<IntegrationId>,
    pub(super) closes_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
}

impl StoredOutage {
    pub(super) const fn new(new: NewOutage) -> Self {
        Self { new, members: BTreeSet::new(), closes_at: None, closed_at: None }
    }
}

/// Silence or acknowledgement with its early end.
#[derive(Clone, Debug)]
pub(super) struct StoredSilence {
    pub(super) open: Silence,
    pub(super) ended_at: Option<Timestamp>,
}

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    pub(super) rows: BTreeMap<IntegrationId, Stored>,
    pub(super) factors: BTreeMap<IntegrationId, Vec<Factor>>,
    pub(super) runs: Vec<StoredRun>,
    pub(super) transitions: Vec<NewTransition>,
    pub(super) events: Vec<NewEvent>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) outages: BTreeMap<String, StoredOutage>,
    pub(super) silences: Vec<StoredSilence>,
    pub(super) faults: BTreeMap<OwnFault, LastingFault>,
    pub(super) receivers: BTreeMap<String, ReceiverHealth>,
    /// Incidents as receivers know them, by id and receiver.
    pub(super) known: BTreeMap<(String, String), KnownIncident>,
    pub(super) operational: i64,
    /// Names of the nodes that work.
    pub(super) nodes: Vec<String>,
    /// Nodes with the integrations that they alone could not reach.
    pub(super) contradicted: Vec<(String, IntegrationId)>,
    /// Needs of the latest decision.
    pub(super) needs: Vec<Need>,
    decisions: u64,
}

impl Books {
    /// Asks for a decision and applies it; the same case must give the same effects.
    pub(super) fn decide<T>(
        &mut self,
        now: Timestamp,
        run: Option<&Finished>,
        ledger: impl Fn(&Case) -> Decided<Decision<T>>,
    ) -> T {
        self.decisions += 1;
        self.needs.clear();
        let mut case = Case::new(self.next_run());
        let decision = loop {
            match ledger(&case) {
                Ok(decision) => break decision,
                Err(need) => {
                    self.needs.push(need.clone());
                    let answer = self.answer(&need, now);
                    assert!(case.answer(need.clone(), answer), "asked twice for {need:?}");
                }
            }
        };
        let again = ledger(&case).map(|again| format!("{:?}", again.effects)).unwrap();
        assert_eq!(format!("{:?}", decision.effects), again, "the same case");
        self.apply_all(&decision.effects, run);
        decision.answer
    }

    /// Applies effects in their order.
    pub(super) fn apply_all(&mut self, effects: &[Effect], run: Option<&Finished>) {
        for effect in effects {
            self.apply(effect, run);
        }
    }

    fn next_run(&self) -> RunId {
        RunId(self.runs.last().map_or(0, |run| run.id.0) + 1)
    }

    /// The rows besides `id` that share a factor with it, with this filter.
    fn sharing<'a>(&'a self, shared: &'a Shared) -> impl Iterator<Item = &'a Row> {
        let has = |row: &&Row| {
            let own = self.factors.get(&row.id);
            row.id != shared.by && own.is_some_and(|own| own.contains(&shared.factor))
        };
        self.rows.values().map(|stored| &stored.row).filter(has)
    }

    /// The runs of an integration before another one, latest first.
    fn earlier(
        &self,
        id: IntegrationId,
        before: Option<i64>,
    ) -> impl Iterator<Item = &StoredRun> + use<'_> {
        let before = before.unwrap_or(i64::MAX);
        self.runs.iter().rev().filter(move |run| run.integration == id && run.id.0 < before)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each need")]
    fn answer(&self, need: &Need, now: Timestamp) -> Answer {
        let is_idle = |row: &Row| row.lease.is_none() && row.next_run_at.is_some_and(|at| now < at);
        match need {
            Need::Random => {
                // So far apart that the identifiers of two decisions never meet.
                let mut random = [0; 10];
                random[2..].copy_from_slice(&(self.decisions << 16).to_be_bytes());
                Answer::Random(random)
            }
            Need::StoreHead => Answer::StoreHead(StoreHead {
                epoch: "epoch".to_owned(),
                sequence: self.operational,
            }),
            Need::Silences => {
                let is_open = |one: &&StoredSilence| one.ended_at.is_none() && now < one.open.until;
                let open = self.silences.iter().filter(is_open);
                Answer::Silences(open.map(|one| one.open.clone()).collect())
            }
            Need::Results(run) => results(self.runs.iter().find(|one| one.id.0 == *run)),
            Need::LatestGood(id, before) => {
                results(self.earlier(*id, *before).find(|run| is_good(run)))
            }
            Need::LatestBad(id, subject, before) => {
                let is_of = |run: &&StoredRun| subject.is_none_or(|one| one == run.subject);
                results(self.earlier(*id, *before).find(|run| is_bad(run) && is_of(run)))
            }
            Need::StatusSince(id) => {
                let own = self.transitions.iter().rev().find(|one| one.integration == *id);
                Answer::Instant(own.map(|one| one.at))
            }
            Need::Factors(id) => Answer::Factors(self.factors.get(id).cloned().unwrap_or_default()),
            Need::AnotherFails(shared, since) => {
                let is_silent = |class| matches!(class, Class::Unreachable | Class::Unavailable);
                let fails = |row: &Row| {
                    row.suspect.is_some_and(|one| *since <= one.since && is_silent(one.class))
                };
                Answer::Yes(self.sharing(shared).any(fails))
            }
            Need::IdleSiblings(shared) => {
                let works = |row: &&Row| row.status == Status::Enabled && row.suspect.is_none();
                let mut idle: Vec<_> =
                    self.sharing(shared).filter(works).filter(|row| is_idle(row)).collect();
                idle.sort_by_key(|row| row.next_run_at);
                Answer::Integrations(idle.into_iter().map(|row| row.id).collect())
            }
            Need::OpenOutage(factor, cause) => {
                let is_it = |one: &&StoredOutage| {
                    let new = &one.new;
                    one.closed_at.is_none() && new.factor == *factor && new.cause == *cause
                };
                Answer::Outage(self.outages.values().find(is_it).map(|one| one.new.id.clone()))
            }
            Need::FailingSiblings(shared) => {
                Answer::Siblings(self.sharing(shared).filter_map(sibling).collect())
            }
            Need::PassingSiblings(shared, since) => {
                let passed = |row: &&Row| {
                    let run = self.runs.iter().find(|run| Some(run.id.0) == row.active.last_run);
                    row.suspect.is_none()
                        && run.is_some_and(|run| is_good(run) && *since <= run.started_at)
                };
                Answer::Count(self.sharing(shared).filter(passed).count())
            }
            Need::OutageState(outage, id) => {
                let one = &self.outages[outage];
                Answer::OutageState(OutageState {
                    is_open: one.closed_at.is_none(),
                    is_closing: one.closes_at.is_some(),
                    has_others: self.failing(outage).any(|row| row.id != *id),
                })
            }
            Need::FailingMembers(outage, id) => {
                let failing = self.failing(outage).filter(|row| row.id != *id && is_idle(row));
                Answer::Integrations(failing.map(|row| row.id).collect())
            }
            Need::Known(incident) => {
                let known = self.known.values().filter(|one| one.incident.id == *incident);
                Answer::Known(known.cloned().collect())
            }
            Need::OwnFaults => Answer::OwnFaults(self.faults.values().cloned().collect()),
            Need::AnotherFailsLocally(id) => {
                let is_used = |row: &Row| row.status.is_validated();
                let fails = |row: &Row| {
                    row.id != *id && row.own_fault == Some(OwnFault::Validation) && is_used(row)
                };
                Answer::Yes(self.rows.values().any(|stored| fails(&stored.row)))
            }
            Need::AnotherNode(_, node) => Answer::Yes(self.nodes.iter().any(|other| other != node)),
            Need::Pending(receiver) => Answer::Count(self.pending(receiver).count()),
        }
    }

    /// The rows that fail by an outage.
    pub(super) fn failing<'a>(&'a self, outage: &'a str) -> impl Iterator<Item = &'a Row> {
        let rows = self.rows.values().map(|stored| &stored.row);
        rows.filter(move |row| {
            row.outage.as_deref() == Some(outage) && row.status == Status::RecurringValidationError
        })
    }

    /// The pending deliveries of a receiver.
    pub(super) fn pending<'a>(
        &'a self,
        receiver: &'a str,
    ) -> impl Iterator<Item = &'a Delivery> + use<'a> {
        let pending =
            move |one: &&Delivery| one.receiver == receiver && one.state == DeliveryState::Pending;
        self.deliveries.iter().filter(pending)
    }

    /// Returns the part of a delivery in an incident, with what is left for its receiver without it.
    pub(super) fn in_incident(&self, delivery: &Delivery) -> Option<InIncident> {
        let part = delivery.part.as_ref()?;
        let is_other = |one: &&Delivery| {
            let has_part =
                one.part.as_ref().is_some_and(|two| two.incident == part.incident && !two.ends);
            has_part && one.receiver == delivery.receiver && one.id != delivery.id
        };
        let mut others = self.deliveries.iter().filter(is_other);
        let is_alone = !others.any(|one| one.state != DeliveryState::Failed);
        Some(InIncident { incident: part.incident.clone(), ends: part.ends, is_alone })
    }

    /// Returns the members of an outage, from which its end is decided.
    pub(super) fn members(&self, outage: &str) -> OutageMembers {
        let failure = |id: IntegrationId| {
            let is_it = |event: &&NewEvent| {
                event.integration == Some(id)
                    && event.body.kind == crate::domain::EventType::ValidationFailed
            };
            self.events.iter().rev().find(is_it).map(|event| PastEvent {
                id: event.id.clone(),
                integration: event.integration,
                at: event.body.timestamp,
                delivery: None,
                incident: None,
            })
        };
        let members = self.outages[outage].members.iter();
        let all = members.map(|id| member(&self.rows[id].row)).collect();
        let failing = self.failing(outage).map(|row| FailingMember {
            integration: row.reference(),
            incident: row.incident.clone(),
            failure: failure(row.id),
        });
        OutageMembers { all, failing: failing.collect() }
    }
}

pub(super) fn is_good(run: &StoredRun) -> bool {
    matches!(run.status, ReportStatus::Passed | ReportStatus::Warning)
}

pub(super) fn is_bad(run: &StoredRun) -> bool {
    run.status == ReportStatus::Failed && run.class != Some(Class::Local)
}

fn member(row: &Row) -> OutageMember {
    let integration: IntegrationRef = row.reference();
    OutageMember { integration, status: row.status, sequence: row.sequence }
}

fn sibling(row: &Row) -> Option<Sibling> {
    let suspect = row.suspect?;
    matches!(row.status, Status::Enabled | Status::RecurringValidationError).then(|| Sibling {
        member: member(row),
        since: suspect.since,
        class: suspect.class,
        is_unnotified: row.status != row.notified,
    })
}

fn results(found: Option<&StoredRun>) -> Answer {
    Answer::Results(found.map(|run| (run.status, run.report.clone())))
}
