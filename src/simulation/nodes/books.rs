//! Books of the judge: runs and messages as the world sees them, whatever the daemons believe.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Plan, RECEIVERS};
use crate::domain::Timestamp;
use crate::simulation::faults::SECOND;

/// Time without a heartbeat after which a node does nothing more, in milliseconds; a step of the world is added.
const UNHEARD_MS: i64 = 16 * SECOND;
/// Time without a heartbeat after which others may take over what a node does, in milliseconds.
const LOST_MS: i64 = 14 * SECOND;
/// Time in which a node that stood still notices, in milliseconds.
const NOTICES_MS: i64 = 3 * SECOND;
/// Time in which a run that has begun by the files before others begins at its platform, in milliseconds.
const BEGINS_MS: i64 = 2 * SECOND;

/// State of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Condition {
    /// It has a life.
    pub(super) is_alive: bool,
    /// Instant at which it was stopped, while it stands still.
    pub(super) paused_at: Option<Timestamp>,
    /// Instant until which it may not have noticed that it stood still for too long.
    zombie_until: Option<Timestamp>,
    /// Instant at which it was cut from the database, while it is.
    pub(super) cut_at: Option<Timestamp>,
    /// Latest instant at which something was done to it.
    pub(super) disturbed_at: Timestamp,
}

impl Condition {
    /// Returns true when others may have what this node is doing.
    fn may_be_lost(&self, now: Timestamp) -> bool {
        let is_cut = self.cut_at.is_some_and(|since| LOST_MS <= now.0 - since.0);
        let is_paused = self.paused_at.is_some();
        is_cut || is_paused || self.zombie_until.is_some_and(|until| now < until)
    }
}

/// Story of one integration for one receiver under one epoch: sequence numbers with ids, as they first came.
type Story = Vec<(i64, String)>;

/// Books of a world.
pub(super) struct Books {
    /// State of each node.
    pub(super) nodes: Vec<Condition>,
    /// Nodes that run an integration.
    runs: BTreeMap<usize, Vec<usize>>,
    /// Nodes that are sending to a receiver.
    sending: [Vec<usize>; RECEIVERS],
    hosts: Vec<usize>,
    limits: [usize; 3],
    /// Files that are in force, and since when.
    force: (u32, Timestamp),
    stories: BTreeMap<(usize, String, String), Story>,
    /// Ids of messages that a receiver took, with their bodies.
    pub(super) taken: Vec<BTreeMap<String, String>>,
    /// Latest status of each integration that a receiver knows.
    pub(super) known: Vec<BTreeMap<String, String>>,
    /// Events that a reader has seen who follows them, by number.
    pub(super) followed: Vec<(i64, String)>,
    /// Instant of the latest run of each integration.
    pub(super) latest: Vec<Timestamp>,
    /// Nodes that have run something.
    pub(super) ran: BTreeSet<usize>,
    /// Number of runs and messages.
    pub(super) counts: [u64; 2],
    /// Descriptions of broken rules.
    pub(super) violations: Vec<String>,
}

impl Books {
    /// Returns the empty books of a world.
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            nodes: vec![Condition::default(); plan.nodes.len()],
            runs: BTreeMap::new(),
            sending: [const { Vec::new() }; RECEIVERS],
            hosts: plan.specs.iter().map(|spec| spec.host).collect(),
            limits: [plan.limits.runs, plan.limits.runs_per_host, plan.concurrency],
            force: (0, plan.start),
            stories: BTreeMap::new(),
            taken: vec![BTreeMap::new(); RECEIVERS],
            known: vec![BTreeMap::new(); RECEIVERS],
            followed: Vec::new(),
            latest: vec![plan.start; plan.specs.len()],
            ran: BTreeSet::new(),
            counts: [0, 0],
            violations: Vec::new(),
        }
    }

    /// Notes a broken rule.
    pub(super) fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Notes that a life of a node has begun.
    pub(super) fn born(&mut self, node: usize, now: Timestamp) {
        self.nodes[node] = Condition { is_alive: true, disturbed_at: now, ..Condition::default() };
    }

    /// Notes that a life of a node has ended.
    pub(super) fn died(&mut self, node: usize, now: Timestamp) {
        self.nodes[node] = Condition { disturbed_at: now, ..Condition::default() };
        self.runs.values_mut().for_each(|nodes| nodes.retain(|other| *other != node));
        self.sending.iter_mut().for_each(|nodes| nodes.retain(|other| *other != node));
    }

    /// Notes a failover that loses commits: what is under way goes on, and the database may not know of it any more.
    pub(super) fn failed_over(&mut self) {
        self.runs.clear();
        self.sending.iter_mut().for_each(Vec::clear);
    }

    /// Notes that a node goes on after it stood still.
    pub(super) fn resumed(&mut self, node: usize, now: Timestamp) {
        let condition = &mut self.nodes[node];
        let since = condition.paused_at.take().unwrap_or(now);
        condition.disturbed_at = now;
        if LOST_MS <= now.0 - since.0 {
            condition.zombie_until = Some(Timestamp(now.0 + NOTICES_MS));
        }
    }

    /// Returns the files that are in force.
    pub(super) const fn edition(&self) -> u32 {
        self.force.0
    }

    /// Notes the files that are in force.
    pub(super) fn in_force(&mut self, edition: u32, now: Timestamp) {
        if self.force.0 != edition {
            self.force = (edition, now);
        }
    }

    /// Notes the beginning of a run.
    pub(super) fn entered(&mut self, node: usize, number: usize, edition: u32, now: Timestamp) {
        self.counts[0] += 1;
        self.ran.insert(node);
        self.latest[number] = now;
        let (in_force, since) = self.force;
        if edition != in_force && BEGINS_MS < now.0 - since.0 {
            self.violated(format!(
                "n{node} runs i{number} by files {edition}, and {in_force} are in force"
            ));
        }
        let conditions = self.nodes.clone();
        let counts = |other: &&usize| !conditions[**other].may_be_lost(now);
        let others: Vec<_> = self.runs.get(&number).into_iter().flatten().collect();
        if let Some(other) = others.into_iter().find(counts) {
            self.violated(format!("n{node} runs i{number} while n{other} does"));
        }
        self.runs.entry(number).or_default().push(node);
        let host = self.hosts[number];
        let at_host = self.runs.iter().filter(|(number, _)| self.hosts[**number] == host);
        let at_host = at_host.flat_map(|(_, nodes)| nodes).filter(counts).count();
        if self.limits[1] < at_host {
            self.violated(format!("{at_host} runs at host {host} at once"));
        }
        let own = self.runs.values().flatten().filter(|other| **other == node).count();
        if self.limits[0] < own {
            self.violated(format!("n{node} has {own} runs at once"));
        }
    }

    /// Notes the end of a run.
    pub(super) fn left(&mut self, node: usize, number: usize) {
        remove(self.runs.entry(number).or_default(), node);
    }

    /// Notes the beginning of an attempt.
    pub(super) fn sent(&mut self, node: usize, receiver: usize, id: &str, now: Timestamp) {
        let condition = self.nodes[node];
        if condition.cut_at.is_some_and(|since| UNHEARD_MS < now.0 - since.0) {
            self.violated(format!("n{node} sends {id} although others have its work"));
        }
        let conditions = self.nodes.clone();
        self.sending[receiver].push(node);
        let counts = |other: &&usize| !conditions[**other].may_be_lost(now);
        let at_once = self.sending[receiver].iter().filter(counts).count();
        if self.limits[2] < at_once {
            self.violated(format!("r{receiver} is sent {at_once} messages at once"));
        }
    }

    /// Notes the end of an attempt.
    pub(super) fn answered(&mut self, node: usize, receiver: usize) {
        remove(&mut self.sending[receiver], node);
    }

    /// Notes a message that a receiver takes; returns what it is about.
    pub(super) fn took(&mut self, receiver: usize, id: &str, body: &str) -> String {
        let parsed: serde_json::Value = serde_json::from_str(body).unwrap();
        let (kind, data) = (&parsed["type"], &parsed["data"]);
        let about = data["integration"]["name"].as_str().unwrap_or_default().to_owned();
        let sequence = data["sequence"].as_i64().unwrap_or_default();
        let shown = format!("{kind} {sequence} about {about:?} ({id})");
        if let Some(known) = self.taken[receiver].get(id) {
            if known != body {
                self.violated(format!("r{receiver} takes {shown} again with another body"));
            }
            return format!("again {shown}");
        }
        self.counts[1] += 1;
        self.taken[receiver].insert(id.to_owned(), body.to_owned());
        if let Some(status) = data["status"].as_str() {
            self.known[receiver].insert(about.clone(), status.to_owned());
        }
        if kind == "integration.status.changed" {
            // It has the number of the change that it is about.
            return shown;
        }
        let epoch = data["epoch"].as_str().unwrap_or_default().to_owned();
        let story = self.stories.entry((receiver, epoch, about)).or_default();
        let (before, other) = story.last().cloned().unwrap_or_default();
        let is_doubled = story.iter().any(|(known, _)| *known == sequence);
        story.push((sequence, id.to_owned()));
        if is_doubled {
            self.violated(format!("r{receiver} takes {shown} after {other} of the same number"));
        } else if sequence < before {
            self.violated(format!("r{receiver} takes {shown} after {before}"));
        }
        shown
    }

    /// Notes events in the order in which a reader sees them who follows.
    pub(super) fn follow(&mut self, events: Vec<(i64, String)>) {
        self.followed.extend(events);
    }

    /// Forgets what a reader has seen of events that are lost.
    pub(super) fn forget_followed(&mut self, events: &[(i64, String)]) {
        self.followed.retain(|known| events.contains(known));
    }
}

fn remove(nodes: &mut Vec<usize>, node: usize) {
    if let Some(place) = nodes.iter().position(|other| *other == node) {
        nodes.swap_remove(place);
    }
}
