//! Seeds, and proof that the checker would notice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

use super::driver::{Outcome, live_through};
use super::plan::{Plan, Size};

/// Variables that say what is simulated.
fn setting(name: &str, otherwise: u64) -> u64 {
    let found = std::env::vars().find(|(own, _)| own == name);
    found.map_or(otherwise, |(_, text)| text.parse().unwrap())
}

/// Says what was wrong, and how to see it again.
fn told(seed: u64, outcome: &Outcome) -> Option<String> {
    let Outcome { violations, trace, .. } = outcome;
    (!violations.is_empty()).then(|| {
        let lines: Vec<_> = trace.lines.iter().map(String::as_str).collect();
        format!("{}\nseed {seed}: {}", lines.join("\n"), violations.join("\n    "))
    })
}

/// Lives through `count` seeds from `first` on, as many at once as there are processors.
fn seeds(first: u64, count: u64, size: Size) -> (Vec<String>, String) {
    let next = AtomicU64::new(first);
    let found = Mutex::new(Vec::new());
    let totals = Mutex::new([0_u64; 4]);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if first + count <= seed {
                return;
            }
            let outcome = live_through(Plan::of(seed, size), None);
            found.lock().unwrap().extend(told(seed, &outcome));
            let [runs, transitions, messages] = outcome.world.state().checker.counts;
            let own = [u64::from(outcome.lives), runs, transitions, messages];
            let mut totals = totals.lock().unwrap();
            totals.iter_mut().zip(own).for_each(|(total, own)| *total += own);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let [lives, runs, transitions, messages] = totals.into_inner().unwrap();
    let summary = format!(
        "{count} seeds: {lives} lives, {runs} runs, {transitions} transitions, {messages} messages"
    );
    (found.into_inner().unwrap(), summary)
}

#[test]
fn whatever_goes_wrong_the_invariants_hold() {
    let (first, count) = (setting("REVALIDATED_SEED", 1), setting("REVALIDATED_SEEDS", 100));
    let (violated, summary) = seeds(first, count, Size::Short);
    println!("{summary}");
    let wrong = violated.len();
    assert!(violated.is_empty(), "{}\n{wrong} of {count}", violated.first().unwrap());
}
