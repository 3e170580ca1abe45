//! Knowledge of receivers about incidents, from the messages that are queued for them: an end goes to those that were
//! sent the beginning, and no other gets one.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::checker::Checker;
use super::expected;

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
