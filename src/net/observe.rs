//! Observations that `net` makes by itself during a run: certificates, addresses, clocks, latencies.
//!
//! A run is one task, and a task-local collects its observations, so that no client or session has to
//! hand them on. An observation outside a run is dropped, and so is one of a task that a run has
//! started: no result depends on it. A fact that a test sees is part of what the test returns.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task_local;
use tokio::time::Instant;

use crate::domain::{
    Expiry, ExpiryKind, Fact, FactCollector, FactKind, Observed, ServerClock, Timestamp, one_line,
};

/// Longest name or value of a fact, in characters.
const TEXT_MAX: usize = 300;
/// Most expiries, clocks and hosts of one run.
const OTHERS_MAX: usize = 64;

task_local! {
    static SEEN: RefCell<Seen>;
}

/// Classes of latency, coarse enough to stay the same from day to day.
const LATENCIES: [(Duration, &str); 3] = [
    (Duration::from_millis(100), "under 100 ms"),
    (Duration::from_secs(1), "under 1 s"),
    (Duration::from_secs(10), "under 10 s"),
];

#[derive(Debug)]
struct Seen {
    since: Instant,
    observed: Observed,
    facts: FactCollector,
    /// Quickest answer of each host; others may have opened a connection first.
    quickest: BTreeMap<String, Duration>,
}

impl Seen {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            observed: Observed::default(),
            facts: FactCollector::default(),
            quickest: BTreeMap::new(),
        }
    }

    fn take(&mut self) -> Observed {
        let mut observed = std::mem::take(&mut self.observed);
        observed.facts = self.facts.take();
        for (of, within) in std::mem::take(&mut self.quickest) {
            let class = LATENCIES.iter().find(|(limit, _)| within < *limit);
            let class = class.map_or("10 s or more", |(_, name)| name);
            let fact = Fact { kind: FactKind::Latency, of };
            observed.facts.insert(fact, BTreeSet::from([class.to_owned()]));
        }
        observed
    }
}

/// Runs `work`, and returns its value and its observations.
pub(crate) async fn observed<T>(work: impl Future<Output = T>) -> (T, Observed) {
    SEEN.scope(RefCell::new(Seen::new()), async move {
        let value = work.await;
        (value, SEEN.with(|seen| seen.borrow_mut().take()))
    })
    .await
}

/// Observes a fact: `value` is one of the values of `kind` about `of`. Never a secret.
pub(super) fn fact(kind: FactKind, of: &str, value: &str) {
    with(|seen| {
        let fact = Fact { kind, of: one_line(of, TEXT_MAX) };
        seen.facts.add(fact, one_line(value, TEXT_MAX));
    });
}

/// Observes that `host` has answered within this time.
pub(super) fn answered(host: &str, within: Duration) {
    with(|seen| {
        let host = one_line(host, TEXT_MAX);
        if let Some(quickest) = seen.quickest.get_mut(&host) {
            *quickest = within.min(*quickest);
        } else if seen.quickest.len() < OTHERS_MAX {
            seen.quickest.insert(host, within);
        }
    });
}

/// True inside a run, where observations are kept.
pub(super) fn is_asked() -> bool {
    SEEN.try_with(|_seen| ()).is_ok()
}

/// Observes the expiry of a certificate that people renew.
pub(super) fn expires(kind: ExpiryKind, of: &str, at: Timestamp) {
    with(|seen| {
        if seen.observed.expiries.len() < OTHERS_MAX {
            seen.observed.expiries.insert(Expiry { kind, of: one_line(of, TEXT_MAX), at });
        }
    });
}

/// Observes the lifetime of the certificate of `host`; the shortest of several counts.
pub(super) fn lifetime(host: &str, life: Duration) {
    with(|seen| {
        let (host, lifetimes) = (one_line(host, TEXT_MAX), &mut seen.observed.lifetimes);
        if lifetimes.len() < OTHERS_MAX || lifetimes.contains_key(&host) {
            let shortest = lifetimes.entry(host).or_insert(life);
            *shortest = life.min(*shortest);
        }
    });
}

/// Observes that the clock of `host` shows `shows` now.
pub(crate) fn clock(host: &str, shows: Timestamp) {
    with(|seen| {
        if seen.observed.clocks.len() < OTHERS_MAX {
            let after_ms = i64::try_from(seen.since.elapsed().as_millis()).unwrap_or(i64::MAX);
            let host = one_line(host, TEXT_MAX);
            seen.observed.clocks.push(ServerClock { host, shows, after_ms });
        }
    });
}

fn with(add: impl FnOnce(&mut Seen)) {
    // Outside a run there is no collection.
    SEEN.try_with(|seen| add(&mut seen.borrow_mut())).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn observation_belongs_to_its_run_only() {
        fact(FactKind::Grant, "db", "SELECT");
        let work = async {
            fact(FactKind::Grant, "db", "SELECT");
            fact(FactKind::Grant, "db", "USAGE\n");
            fact(FactKind::Grant, "db", "SELECT");
            expires(ExpiryKind::Token, "pat", Timestamp(5));
            clock("h", Timestamp(7));
            7
        };
        let ((value, seen), ((), other)) = tokio::join!(observed(work), observed(async {}));
        assert_eq!((value, &other), (7, &Observed::default()));
        let grants = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        assert_eq!(seen.facts[&grants].len(), 2);
        assert_eq!((seen.expiries.len(), seen.clocks.len()), (1, 1));
    }

    #[tokio::test]
    async fn observations_of_a_run_are_bounded() {
        let ((), seen) = observed(async {
            for number in 0..5000 {
                let text = number.to_string();
                fact(FactKind::Claim, "long", &"x".repeat(5000));
                fact(FactKind::Grant, "all", &text);
                answered(&text, Duration::ZERO);
                lifetime(&text, Duration::ZERO);
                expires(ExpiryKind::Key, &text, Timestamp(number));
                clock(&text, Timestamp(number));
            }
        })
        .await;
        assert_eq!((seen.expiries.len(), seen.clocks.len(), seen.lifetimes.len()), (64, 64, 64));
        let kinds: Vec<_> = seen.facts.keys().map(|fact| fact.kind).collect();
        assert!(!kinds.contains(&FactKind::Grant), "a part of the grants is none to compare");
        let of = |kind| kinds.iter().filter(|one| **one == kind).count();
        assert_eq!((of(FactKind::Claim), of(FactKind::Latency)), (1, 64));
        assert!(seen.facts.values().flatten().all(|value| value.chars().count() <= TEXT_MAX));
    }

    #[tokio::test(start_paused = true)]
    async fn latency_is_the_class_of_the_quickest_answer() {
        let table = [(0, "under 100 ms"), (100, "under 1 s"), (9999, "under 10 s")];
        for (millis, expected) in table.into_iter().chain([(10_000, "10 s or more")]) {
            let work = async {
                answered("h", Duration::from_mins(1));
                answered("h", Duration::from_millis(millis));
                answered("h", Duration::from_secs(10));
            };
            let ((), seen) = observed(work).await;
            let latency = Fact { kind: FactKind::Latency, of: "h".to_owned() };
            assert_eq!(seen.facts[&latency], BTreeSet::from([expected.to_owned()]));
        }
    }

    #[tokio::test]
    async fn empty_value_is_a_fact() {
        let ((), seen) = observed(async { fact(FactKind::Grant, "db", "") }).await;
        let grants = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        assert_eq!(seen.facts.get(&grants), Some(&BTreeSet::new()));
    }
}
