//! Compares the default policy with those of peers over the same faults: false alerts, time to
//! detection, and messages per outage.
//!
//! The row of the default policy comes from the simulated daemon, the others' from their rules.
#![expect(clippy::float_arithmetic, reason = "means and errors are no whole numbers")]

mod measure;
mod peers;
mod report;
mod scene;
mod tests;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use measure::{Measured, measure};
use peers::{Message, PEERS};
use scene::Scene;

use super::driver::live_through;

/// Name of this project's row.
const OWN: &str = "**revalidated (default)**";

/// Measurements of all policies in the worlds of some seeds.
struct Evaluation {
    scene: Scene,
    /// By policy, this project's first: one entry for each seed.
    policies: Vec<(&'static str, Vec<Measured>)>,
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
}

impl Evaluation {
    /// Simulates `scene` with each of the seeds, as many at once as there are processors.
    fn of(scene: Scene, seeds: u64) -> Self {
        let next = AtomicU64::new(0);
        let found = Mutex::new(Vec::new());
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seeds <= seed {
                    return;
                }
                let measured = Self::seed(&scene, seed);
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
        let names = std::iter::once(OWN).chain(PEERS.iter().map(|peer| peer.name));
        let of = |place: usize| found.iter().map(|(_, all)| all[place].clone()).collect();
        let policies = names.enumerate().map(|(place, name)| (name, of(place))).collect();
        Self { scene, policies }
    }

    fn seed(scene: &Scene, seed: u64) -> Vec<Measured> {
        let plan = scene.plan(seed);
        let outcome = live_through(scene.plan(seed), None);
        assert!(outcome.violations.is_empty(), "seed {seed}: {:?}", outcome.violations);
        let state = outcome.world.state();
        let taken = state.checker.taken.iter().filter(|(receiver, ..)| *receiver == 0);
        let own: Vec<_> = taken
            .map(|(_, number, kind, at)| Message {
                number: *number,
                is_failure: matches!(
                    kind.as_str(),
                    "integration.validation.failed" | "integrations.outage"
                ),
                at: *at,
            })
            .collect();
        let peers = PEERS.iter().map(|peer| peer.messages(scene, &plan));
        let all = std::iter::once(own).chain(peers);
        all.map(|sent| measure(scene, &plan, &sent)).collect()
    }

    fn lines(&self) -> Vec<Line> {
        let days = f64::from(u32::try_from(self.scene.integration_days()).unwrap());
        let line = |(name, all): &(&'static str, Vec<Measured>)| {
            let each =
                |value: &dyn Fn(&Measured) -> f64| mean(&all.iter().map(value).collect::<Vec<_>>());
            let pooled = |values: &dyn Fn(&Measured) -> Vec<f64>| {
                all.iter().flat_map(values).collect::<Vec<_>>()
            };
            Line {
                name,
                false_alerts: each(&|one| f64::from(one.false_alerts) * 365.0 / days),
                lost: each(&|one| mean(&one.lost_secs).value),
                lost_p99: p99(pooled(&|one| one.lost_secs.clone())),
                outage: each(&|one| mean(&one.outage_secs).value),
                outage_p99: p99(pooled(&|one| one.outage_secs.clone())),
                messages: each(&|one| mean(&one.messages).value),
            }
        };
        self.policies.iter().map(line).collect()
    }
}

/// Returns true when `one` has fewer false alerts than `other` and is faster as well, by more than the
/// seeds differ among themselves; `time` is the detection that is compared.
fn beats(one: &Line, other: &Line, time: impl Fn(&Line) -> Mean) -> bool {
    let less =
        |one: Mean, other: Mean| one.value + 2.0 * one.error.hypot(other.error) < other.value;
    less(one.false_alerts, other.false_alerts) && less(time(one), time(other))
}

/// Returns true when no other line has fewer false alerts and detects lost permissions sooner, nor
/// outages.
fn is_on_frontier(line: &Line, all: &[Line]) -> bool {
    let others = || all.iter().filter(|other| other.name != line.name);
    !others().any(|other| beats(other, line, |one| one.lost))
        && !others().any(|other| beats(other, line, |one| one.outage))
}
