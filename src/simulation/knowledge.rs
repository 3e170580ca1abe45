//! Knowledge of receivers about incidents, from the messages that are queued for them: an end goes to those that were
//! sent the beginning, and no other gets one.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::checker::Checker;
use super::expected;
use super::faults::SECOND;
use super::plan::Team;
use crate::domain::Timestamp;

/// Part of an event in an incident.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// It begins this incident or goes on with it.
    Begins(String),
    /// It says that another event is about to end this incident.
    Calms(String),
    /// It ends this incident.
    Ends(String),
}

/// Time in milliseconds after a reload in which decisions made by the configuration before it are committed.
const UNSETTLED_MS: i64 = 5 * SECOND;

/// Selection of a receiver by label, which edits of the configuration change.
#[derive(Debug)]
pub(super) struct Selection {
    /// Team that the configuration files select.
    pub(super) team: Team,
    /// Instant until which the daemon may still decide by the selection before it.
    until: Timestamp,
}

impl Selection {
    /// Returns the selection of the first configuration.
    pub(super) const fn new() -> Self {
        Self { team: Team::Red, until: Timestamp(0) }
    }

    /// Selects the other team, which the daemon does not know yet.
    pub(super) const fn edit(&mut self) {
        (self.team, self.until) = (self.team.other(), Timestamp(i64::MAX));
    }

    /// Notes that the daemon knows the selection at `now`.
    pub(super) fn taken(&mut self, now: Timestamp) {
        if self.until == Timestamp(i64::MAX) {
            self.until = Timestamp(now.0 + UNSETTLED_MS);
        }
    }

    /// Returns true when an event at `now` about an integration with these labels is selected, and none
    /// while it may be or not.
    pub(super) fn selects(&self, labels: &Json, now: Timestamp) -> Option<bool> {
        (self.until <= now).then(|| labels["team"] == self.team.as_str())
    }
}

/// Incidents that receivers know of.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// Outages that receivers were notified of and that have not ended.
    pub(super) outages: BTreeSet<String>,
    /// Receivers with the incidents that they were sent the beginning of, and the integrations that fail.
    known: BTreeSet<(usize, String, Option<i64>)>,
}

impl Knowledge {
    /// Notes that a message with this part is queued for a receiver.
    pub(super) fn queued(
        &mut self,
        receiver: usize,
        part: Option<&Part>,
        integration: Option<i64>,
    ) {
        if let Some(Part::Begins(incident)) = part {
            self.known.insert((receiver, incident.clone(), integration));
        }
    }

    /// Returns the receivers that must be sent an event of a type, of those that subscribe to it.
    pub(super) fn receivers(
        &mut self,
        part: Option<&Part>,
        kind: &str,
        mut wanting: BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        match part {
            Some(Part::Begins(incident)) if kind == "integration.validation.failed" => {
                wanting.extend(self.knowing(incident));
            }
            None | Some(Part::Begins(_)) => {}
            Some(Part::Calms(incident)) => {
                let knowing: BTreeSet<_> = self.knowing(incident).collect();
                wanting.retain(|receiver| knowing.contains(receiver));
            }
            Some(Part::Ends(incident)) => {
                wanting = self.knowing(incident).collect();
                self.known.retain(|(_, known, _)| known != incident);
            }
        }
        wanting
    }

    fn knowing(&self, incident: &str) -> impl Iterator<Item = usize> {
        let known = self.known.iter().filter(move |(_, known, _)| known == incident);
        known.map(|(receiver, ..)| *receiver)
    }

    /// Returns the receivers that know an incident of an integration.
    pub(super) fn of(&self, integration: i64) -> BTreeSet<usize> {
        let own = self.known.iter().filter(|(.., about)| *about == Some(integration));
        own.map(|(receiver, ..)| *receiver).collect()
    }

    /// Forgets the incidents of an integration that has been taken out of use.
    pub(super) fn forget(&mut self, integration: i64) {
        self.known.retain(|(.., about)| *about != Some(integration));
    }
}

impl Checker {
    /// Checks an integration that a commit has touched: its row, and what receivers know of it.
    pub(super) fn after_commit(&mut self, id: i64) {
        let Some(tracked) = self.tracked.get_mut(&id) else { return };
        let found = expected::after_commit(tracked);
        self.violations.extend(found);
        let knowing = self.knowledge.of(id);
        if tracked.incident.is_none() && !knowing.is_empty() {
            let number = tracked.number;
            self.violated(format!("{knowing:?} know an incident of i{number} that is over"));
        }
    }
}

/// Returns the part of an event in an incident, from its payload.
pub(super) fn part(kind: &str, data: &Json) -> Option<Part> {
    let text = |key: &str| data[key].as_str().map(str::to_owned);
    let is_well = data["status"] == "enabled";
    match kind {
        "integration.validation.failed" | "integration.flapping.started" => {
            text("incidentId").map(Part::Begins)
        }
        "integration.flapping.ended" if !is_well => text("incidentId").map(Part::Begins),
        "integration.flapping.ended" => text("incidentId").map(Part::Calms),
        "integration.validation.recovered" => text("incidentId").map(Part::Ends),
        "integrations.outage" => text("outageId").map(Part::Begins),
        "integrations.outage.resolved" => text("outageId").map(Part::Ends),
        "daemon.degraded" => Some(Part::Begins(fault(data))),
        "daemon.recovered" => Some(Part::Ends(fault(data))),
        _ => None,
    }
}

fn fault(data: &Json) -> String {
    format!("{} since {}", data["fault"], data["since"])
}
