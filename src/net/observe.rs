//! What a run sees on its way, told from wherever it is seen.
//!
//! A run is one task, and what it sees belongs to it: so the place that collects is the task's own,
//! and no client, session or parser has to hand it on. What is told outside a run goes nowhere, and
//! so does what a task tells that a run has started: nothing here is needed for a result.

use std::cell::RefCell;

use tokio::task_local;
use tokio::time::Instant;

use crate::domain::{
    Expiry, ExpiryKind, Fact, FactKind, Observed, ServerClock, Timestamp, one_line,
};

/// The longest name or value of a fact, in characters.
const TEXT_MAX: usize = 300;
/// The most facts of one run, values included.
const FACTS_MAX: usize = 512;
/// The most ends and the most clocks of one run.
const OTHERS_MAX: usize = 64;

task_local! {
    static SEEN: RefCell<Seen>;
}

#[derive(Debug)]
struct Seen {
    since: Instant,
    observed: Observed,
    values: usize,
}

/// Does `work`, and returns what it saw beside its value.
pub(crate) async fn observed<T>(work: impl Future<Output = T>) -> (T, Observed) {
    let seen = Seen { since: Instant::now(), observed: Observed::default(), values: 0 };
    SEEN.scope(RefCell::new(seen), async move {
        let value = work.await;
        let observed = SEEN.with(|seen| std::mem::take(&mut seen.borrow_mut().observed));
        (value, observed)
    })
    .await
}

/// A fact was seen: `value` is one of the values of `kind` about `of`. Nothing secret.
pub(crate) fn fact(kind: FactKind, of: &str, value: &str) {
    with(|seen| {
        if FACTS_MAX <= seen.values {
            return;
        }
        let fact = Fact { kind, of: one_line(of, TEXT_MAX) };
        let values = seen.observed.facts.entry(fact).or_default();
        if values.insert(one_line(value, TEXT_MAX)) {
            seen.values += 1;
        }
    });
}

/// Something was seen that ends at `at` unless somebody renews it. `of` names it, without its secret.
pub(crate) fn expires(kind: ExpiryKind, of: &str, at: Timestamp) {
    with(|seen| {
        if seen.observed.expiries.len() < OTHERS_MAX {
            seen.observed.expiries.insert(Expiry { kind, of: one_line(of, TEXT_MAX), at });
        }
    });
}

/// The clock of `host` showed `shows` when its answer came, which is now.
pub(crate) fn clock(host: &str, shows: Timestamp) {
    with(|seen| {
        if seen.observed.clocks.len() < OTHERS_MAX {
            let after_ms = i64::try_from(seen.since.elapsed().as_millis()).unwrap_or(i64::MAX);
            let host = one_line(host, TEXT_MAX);
            seen.observed.clocks.push(ServerClock { host, shows, after_ms });
        }
    });
}

fn with(tell: impl FnOnce(&mut Seen)) {
    // Outside a run there is nobody to tell.
    SEEN.try_with(|seen| tell(&mut seen.borrow_mut())).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_run_sees_what_is_told_in_it_and_no_other() {
        fact(FactKind::Grant, "db", "SELECT");
        let work = async {
            fact(FactKind::Grant, "db", "SELECT");
            fact(FactKind::Grant, "db", "USAGE\n");
            fact(FactKind::Grant, "db", "SELECT");
            expires(ExpiryKind::Token, "pat", Timestamp(5));
            clock("h", Timestamp(7));
            7
        };
        let ((seven, seen), ((), other)) = tokio::join!(observed(work), observed(async {}));
        assert_eq!((seven, &other), (7, &Observed::default()));
        let grants = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        assert_eq!(seen.facts[&grants].len(), 2);
        assert_eq!((seen.expiries.len(), seen.clocks.len()), (1, 1));
    }

    #[tokio::test]
    async fn what_a_run_sees_is_bounded() {
        let ((), seen) = observed(async {
            for number in 0..5000 {
                let text = number.to_string();
                fact(FactKind::Grant, &text, &"x".repeat(5000));
                fact(FactKind::Grant, "all", &text);
                expires(ExpiryKind::Key, &text, Timestamp(number));
                clock(&text, Timestamp(number));
            }
        })
        .await;
        let values: usize = seen.facts.values().map(std::collections::BTreeSet::len).sum();
        assert_eq!((values, seen.expiries.len(), seen.clocks.len()), (512, 64, 64));
        assert!(seen.facts.values().flatten().all(|value| value.chars().count() <= TEXT_MAX));
    }
}
