//! Compares the default policy with those of peers over the same faults, and with the best that any policy
//! could do: false alerts, time to detection, and messages per outage.
//!
//! The row of the default policy comes from the simulated daemon, the others' from their rules in [`peers`].
//! [`rates`] says what goes wrong and why so often, [`scene`] lays it down, [`bound`] computes the best, and
//! [`report`] and [`plot`] write the document.
#![expect(clippy::float_arithmetic, reason = "means and errors are no whole numbers")]

mod bound;
mod criteria;
mod measure;
mod peers;
mod plot;
mod rates;
mod report;
mod scene;
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bound::Bound;
use measure::{Measured, measure};
use peers::{About, Message, PEERS};
use scene::Scene;

use super::driver::live_through;
use crate::domain::{Policy, Timestamp};

/// Name of this project's row.
const OWN: &str = "**revalidated (default)**";
/// Name of the row of the policy that was the default before.
const FORMER: &str = "revalidated, 3 runs, 60 s apart";

/// Measurements of all policies in the worlds of some seeds.
struct Evaluation {
    scene: Scene,
    seeds: u64,
    /// By policy, this project's first: one entry for each seed.
    policies: Vec<(&'static str, Vec<Measured>)>,
    bound: Bound,
}

/// A mean with its standard error.
#[derive(Clone, Copy, Debug)]
struct Mean {
    value: f64,
    error: f64,
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn mean(values: &[f64]) -> Mean {
    let count = number(values.len().max(1));
    let value = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|one| (one - value).powi(2)).sum();
    let error = if values.len() < 2 { 0.0 } else { (squares / (count - 1.0) / count).sqrt() };
    Mean { value, error }
}

/// Returns the 99th percentile of some values.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = values.len() * 99 / 100;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Line of a table, one for each policy.
#[derive(Clone, Copy, Debug)]
struct Line {
    name: &'static str,
    /// In a year of one integration.
    false_alerts: Mean,
    lost: Mean,
    lost_p99: f64,
    outage: Mean,
    outage_p99: f64,
    messages: Mean,
    /// Detection of outages of single integrations.
    lone: Mean,
    /// Detection of used-up quotas.
    used_up: Mean,
}

impl Line {
    fn of(name: &'static str, scene: &Scene, all: &[Measured]) -> Self {
        let days = f64::from(u32::try_from(scene.integration_days()).unwrap());
        let each =
            |value: &dyn Fn(&Measured) -> f64| mean(&all.iter().map(value).collect::<Vec<_>>());
        let pooled = |values: &dyn Fn(&Measured) -> Vec<f64>| {
            all.iter().flat_map(values).collect::<Vec<_>>()
        };
        Self {
            name,
            false_alerts: each(&|one| f64::from(one.false_alerts) * 365.0 / days),
            lost: each(&|one| mean(&one.lost_secs).value),
            lost_p99: p99(pooled(&|one| one.lost_secs.clone())),
            outage: each(&|one| mean(&one.outage_secs).value),
            outage_p99: p99(pooled(&|one| one.outage_secs.clone())),
            messages: each(&|one| mean(&one.messages).value),
            lone: each(&|one| mean(&one.lone_secs).value),
            used_up: each(&|one| mean(&one.used_up_secs).value),
        }
    }
}

/// Maker of a policy that is measured.
type PolicyOf = fn() -> Policy;

/// Policies of the daemon that are measured, with their names.
const DAEMONS: [(&str, PolicyOf); 2] = [(OWN, Policy::default), (FORMER, former)];

/// Returns the policy that was the default before: three runs, a minute apart, whatever they show.
fn former() -> Policy {
    let minute = std::time::Duration::from_mins(1);
    Policy { confirm_runs: Some(3), confirm_wait: Some(minute), ..Policy::default() }
}

impl Evaluation {
    /// Simulates `scene` with each of the seeds, as many at once as there are processors, with so many of
    /// [`DAEMONS`].
    fn of(scene: Scene, seeds: u64, daemons: usize) -> Self {
        let next = AtomicU64::new(0);
        let found = Mutex::new(Vec::new());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seeds <= seed {
                    return;
                }
                let measured = Self::seed(&scene, seed, daemons);
                found.lock().unwrap().push((seed, measured));
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        let mut found = found.into_inner().unwrap();
        found.sort_by_key(|(seed, _)| *seed);
        let daemons = DAEMONS.iter().take(daemons).map(|(name, _)| *name);
        let names = daemons.chain(PEERS.iter().map(|peer| peer.name));
        let of = |place: usize| found.iter().map(|(_, all)| all[place].clone()).collect();
        let policies = names.enumerate().map(|(place, name)| (name, of(place))).collect();
        Self { scene, seeds, policies, bound: Bound::of(&scene, seeds) }
    }

    /// Measures one policy of the daemon in the worlds of some seeds, one after the other.
    fn one_policy(scene: &Scene, seeds: u64, policy: &Policy) -> Vec<Measured> {
        let seed = |seed| {
            let sent = daemon_messages(scene, seed, policy);
            measure(scene, &scene.plan(seed, policy), &sent)
        };
        (0..seeds).map(seed).collect()
    }

    fn seed(scene: &Scene, seed: u64, daemons: usize) -> Vec<Measured> {
        let plan = scene.plan(seed, &Policy::default());
        let daemons =
            DAEMONS.iter().take(daemons).map(|(_, policy)| daemon_messages(scene, seed, &policy()));
        let peers = PEERS.iter().map(|peer| peer.messages(scene, &plan));
        daemons.chain(peers).map(|sent| measure(scene, &plan, &sent)).collect()
    }

    fn lines(&self) -> Vec<Line> {
        self.policies.iter().map(|(name, all)| Line::of(name, &self.scene, all)).collect()
    }

    /// Returns the share by which the default policy detects lost permissions later than the first failure,
    /// over the same losses.
    fn lost_later(&self) -> f64 {
        let lines = self.lines();
        let first = lines.iter().find(|line| line.name == PEERS[0].name).unwrap();
        lines[0].lost.value / first.lost.value - 1.0
    }
}

/// Runs the daemon with `policy` for all integrations. Returns the notifications of a receiver.
fn daemon_messages(scene: &Scene, seed: u64, policy: &Policy) -> Vec<Message> {
    let outcome = live_through(scene.plan(seed, policy), None);
    assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
    let state = outcome.world.state();
    let taken = state.checker.taken.iter().filter(|(receiver, ..)| *receiver == 0);
    let messages = taken.map(|(_, number, kind, at)| message(*number, kind, *at));
    messages.collect()
}

fn message(number: Option<usize>, kind: &str, at: Timestamp) -> Message {
    match number {
        Some(number) => Message::of(number, kind == "integration.validation.failed", at),
        None => Message { about: About::Outage { is_over: kind != "integrations.outage" }, at },
    }
}

/// Returns true when `one` has fewer false alerts than `other` and is faster as well, by more than the
/// seeds differ among themselves; `time` is the detection that is compared.
fn beats(one: &Line, other: &Line, time: impl Fn(&Line) -> Mean) -> bool {
    is_less(one.false_alerts, other.false_alerts) && is_less(time(one), time(other))
}

/// Returns true when `one` is less than `other` by more than two standard errors.
fn is_less(one: Mean, other: Mean) -> bool {
    one.value + 2.0 * one.error.hypot(other.error) < other.value
}

/// Returns true when no other line has fewer false alerts and detects lost permissions sooner, nor
/// outages.
fn is_on_frontier(line: &Line, all: &[Line]) -> bool {
    let others = || all.iter().filter(|other| other.name != line.name);
    !others().any(|other| beats(other, line, |one| one.lost))
        && !others().any(|other| beats(other, line, |one| one.outage))
}
