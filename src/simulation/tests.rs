//! Seeds, and proof that the checker would notice.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::driver::{Outcome, live_through};
use super::faults::{Fault, Kind, MINUTE};
use super::plan::{Plan, Size};
use crate::domain::Timestamp;

/// Returns the number in an environment variable, or `otherwise`.
pub(super) fn setting(name: &str, otherwise: u64) -> u64 {
    let found = std::env::vars().find(|(own, _)| own == name);
    found.map_or(otherwise, |(_, text)| text.parse().unwrap())
}

/// Returns the broken rules with the trace and the seed, which repeats them.
fn violation(seed: u64, outcome: &Outcome) -> Option<String> {
    let Outcome { violations, trace, .. } = outcome;
    (!violations.is_empty()).then(|| {
        let lines: Vec<_> = trace.lines.iter().map(String::as_str).collect();
        format!("{}\nseed {seed}: {}", lines.join("\n"), violations.join("\n    "))
    })
}

/// Executes the plans of `count` seeds from `first` on, as many at once as there are processors.
fn seeds(first: u64, count: u64, size: Size) -> (Vec<String>, String) {
    let next = AtomicU64::new(first);
    let found = Mutex::new(Vec::new());
    let totals = Mutex::new([0_u64; 5]);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if first + count <= seed {
                return;
            }
            let outcome = live_through(Plan::of(seed, size), None);
            found.lock().unwrap().extend(violation(seed, &outcome));
            let [runs, transitions, messages, lost] = outcome.world.state().checker.counts;
            let own = [u64::from(outcome.lives), runs, transitions, messages, lost];
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
    let [lives, runs, transitions, messages, lost] = totals.into_inner().unwrap();
    let summary = format!(
        "{count} seeds: {lives} lives, {runs} runs, {transitions} transitions, {messages} messages, \
         {lost} lost permissions reported in time"
    );
    (found.into_inner().unwrap(), summary)
}

#[test]
#[expect(clippy::print_stdout, reason = "for those who ask for it by --nocapture")]
fn worlds_with_faults_and_crashes_keep_the_invariants() {
    let (first, count) = (setting("REVALIDATED_SEED", 1), setting("REVALIDATED_SEEDS", 25));
    let (violated, summary) = seeds(first, count, Size::Short);
    println!("{summary}");
    let wrong = violated.len();
    assert!(violated.is_empty(), "{}\n{wrong} of {count}", violated.first().unwrap());
}

#[test]
fn seed_that_is_repeated_gives_the_same_trace() {
    for seed in 0..12 {
        let [first, second] = [(), ()].map(|()| live_through(Plan::of(seed, Size::Short), None));
        let (first, second) = (first.trace, second.trace);
        let differ = first.lines.iter().zip(&second.lines).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!((first.print, first.count), (second.print, second.count), "seed {seed}");
    }
}

#[test]
fn different_seeds_give_different_worlds_with_all_kinds_of_faults() {
    let mut missing = vec![
        "is found good",
        "is found denied",
        "is found unreachable",
        "is found unavailable",
        "-> recurringValidationError",
        "-> deleted",
        "(confirm)",
        "(startup)",
        ") again",
        "the disk is full",
        "the machine crashes",
        "Set(",
        "reported in time",
        "integrations.outage",
        "integrations.outage.resolved",
        "integration.flapping.started",
        "integration.flapping.ended",
        "daemon.degraded",
        "daemon.recovered",
    ];
    let mut prints = BTreeSet::new();
    for seed in 0..120 {
        let Outcome { trace, .. } = live_through(Plan::of(seed, Size::Short), None);
        missing.retain(|happens| !trace.lines.iter().any(|line| line.contains(happens)));
        assert!(prints.insert(trace.print), "seed {seed} is like another");
        if 12 < seed && missing.is_empty() {
            return;
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Defects that are planted in the middle of a plan, each with a part of the violation to be found.
const DEFECTS: &[(&str, &str)] = &[
    (
        "CREATE TEMP TRIGGER defect BEFORE INSERT ON main.delivery
         BEGIN SELECT RAISE(IGNORE); END",
        "which want it",
    ),
    (
        "INSERT INTO transition (integration_id, from_status, to_status, cause, at_ms)
         SELECT integration_id, from_status, to_status, cause, at_ms FROM transition
         ORDER BY id DESC LIMIT 1",
        "does not go on from",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER INSERT ON main.transition WHEN new.from_status IS NOT NULL
         BEGIN DELETE FROM transition WHERE id = new.id; END;
         INSERT INTO transition (integration_id, from_status, to_status, cause, at_ms)
         SELECT id, status, 'deleting', 'removed', 0 FROM integration LIMIT 1",
        "the event of a transition is missing",
    ),
    ("UPDATE integration SET status = 'migrateError'", "and its transitions end in"),
    ("UPDATE integration SET sequence = sequence + 1", "events, there are"),
    ("UPDATE integration SET failures = 7", "they add up to"),
    (
        "UPDATE integration SET notified_status = 'editing', muted_until_ms = NULL, muted_by = NULL
         WHERE status = 'enabled'",
        "as notified",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER INSERT ON main.event WHEN new.type = 'integrations.outage'
         BEGIN UPDATE outage SET close_at_ms = NULL; END;
         CREATE TEMP TRIGGER another AFTER UPDATE OF close_at_ms ON main.outage
         WHEN new.close_at_ms IS NOT NULL BEGIN UPDATE outage SET close_at_ms = NULL; END",
        "do not end",
    ),
    ("UPDATE integration SET next_run_at_ms = NULL", "never due"),
    (
        "CREATE TEMP TRIGGER defect AFTER UPDATE OF status ON main.integration
         WHEN new.status LIKE '%Error'
         BEGIN UPDATE integration SET incident_id = NULL, failing_since_ms = NULL
               WHERE id = new.id; END",
        "has no open incident",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER UPDATE OF candidate_run_id ON main.integration
         WHEN new.candidate_run_id IS NOT NULL
         BEGIN UPDATE integration SET last_run_id = new.candidate_run_id, cron = cron
               WHERE id = new.id; END",
        "the configuration in force shows the results of",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER UPDATE OF status ON main.integration
         WHEN new.status = 'recurringValidationError'
         BEGIN UPDATE integration SET pending_status = 'editError' WHERE id = new.id; END",
        "pending, not",
    ),
    (
        "UPDATE integration SET next_run_at_ms = next_run_at_ms + 3600000, next_trigger = 'schedule'
         WHERE next_run_at_ms IS NOT NULL",
        "is due at",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER INSERT ON main.delivery
         BEGIN UPDATE delivery SET state = 'delivered', ended_at_ms = 0 WHERE id = new.id; END",
        "which does not have it",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER UPDATE OF ended_at_ms ON main.delivery
         WHEN new.state = 'delivered'
         BEGIN UPDATE delivery SET state = 'pending', ended_at_ms = NULL, due_at_ms = 0
               WHERE id = new.id; END",
        "still has",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER INSERT ON main.run
         BEGIN UPDATE run SET status = 'passed', class = NULL WHERE id = new.id; END;
         INSERT INTO run (integration_id, subject, trigger, started_at_ms, duration_ms, status, rule,
                          report_id)
         SELECT id, 'active', 'schedule', 5, 5, 'passed', '', 1 FROM integration
         WHERE status = 'enabled' LIMIT 1",
        "a run without a request",
    ),
    (
        "CREATE TEMP TRIGGER defect AFTER INSERT ON main.incident_receiver WHEN new.receiver = 'r2'
         BEGIN DELETE FROM incident_receiver WHERE incident_id = new.incident_id AND receiver = 'r2'; END",
        "is not queued for {2}",
    ),
];

/// Returns a plan in which the one host of all integrations has an outage after the middle, and nothing else
/// disturbs the daemon.
fn with_outage(seed: u64) -> Plan {
    let mut plan = Plan::of(seed, Size::Short);
    (plan.dangers.crash, plan.dangers.refuse) = (0, 0);
    plan.actions.clear();
    plan.specs.iter_mut().for_each(|spec| spec.host = 0);
    let middle = i64::midpoint(plan.start.0, plan.calm.0);
    let outage = Fault::new(Kind::Outage, Timestamp(middle + MINUTE), 9 * MINUTE);
    plan.faults.shared[0].push(outage);
    plan
}

#[test]
fn planted_defects_are_found() {
    for (sql, said) in DEFECTS {
        let found = (0..16).find_map(|seed| {
            let is_about_outages = sql.contains("integrations.outage");
            let plan =
                if is_about_outages { with_outage(seed) } else { Plan::of(seed, Size::Short) };
            let outcome = live_through(plan, Some(sql));
            outcome.violations.into_iter().find(|one| one.contains(said))
        });
        assert!(found.is_some(), "{sql}");
    }
}

#[test]
#[ignore = "a longer run: tests/run.sh simulate"]
#[expect(clippy::print_stdout, reason = "for those who ask for it by --nocapture")]
fn ten_thousand_integration_weeks_keep_the_invariants() {
    let (first, count) = (setting("REVALIDATED_SEED", 1), setting("REVALIDATED_WEEKS", 100));
    let (violated, summary) = seeds(first, count, Size::Week);
    println!("{summary}, {} integration-weeks", 100 * count);
    assert!(violated.is_empty(), "{}", violated.join("\n\n"));
}
