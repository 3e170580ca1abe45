//! Whatever happens in whatever order, the books balance.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::super::*;
use super::bench::Bench;
use super::books::Delivery;
use super::samples::{failed, found, passed, wanted, warned};
use crate::domain::{Class, Factor, FactorKind, Next, OwnFault, Policy, Report, Status};

const NAMES: [&str; 4] = ["n0", "n1", "n2", "n3"];

#[derive(Clone, Debug)]
enum Step {
    /// For each integration: absent, disabled, or one of some configurations.
    Sync([u8; 4], bool),
    Run(u8, u8),
    Begin(u8),
    Record(u8, u8),
    Silence(Option<u8>, u16),
    EndSilence(u8),
    Fault(bool),
    Release,
    Attempt(u8, u8),
    Receiver(bool),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => ([0..9_u8, 0..9_u8, 0..9_u8, 0..9_u8], prop::bool::weighted(0.2))
            .prop_map(|(wanted, startup)| Step::Sync(wanted, startup)),
        12 => (0..4_u8, 0..7_u8).prop_map(|(which, report)| Step::Run(which, report)),
        2 => (0..4_u8).prop_map(Step::Begin),
        2 => (any::<u8>(), 0..7_u8).prop_map(|(run, report)| Step::Record(run, report)),
        1 => (prop::option::of(0..4_u8), 1..300_u16).prop_map(|(whose, m)| Step::Silence(whose, m)),
        1 => any::<u8>().prop_map(Step::EndSilence),
        1 => any::<bool>().prop_map(Step::Fault),
        3 => Just(Step::Release),
        4 => (any::<u8>(), 0..5_u8).prop_map(|(which, next)| Step::Attempt(which, next)),
        1 => any::<bool>().prop_map(Step::Receiver),
        4 => (0..5400_u16).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..80)
}

fn configured(choices: [u8; 4]) -> Vec<Wanted> {
    let wanted = |(name, choice): (&str, u8)| {
        let host = Factor { kind: FactorKind::Host, value: "db".to_owned() };
        let base = Wanted { factors: vec![host], ..wanted(name) };
        match choice {
            0 => None,
            1 => Some(Wanted { disabled: true, ..base }),
            2 => Some(Wanted { config: "other".to_owned(), ..base }),
            3 => Some(Wanted { catalog_version: 2, ..base }),
            _ => Some(base),
        }
    };
    NAMES.into_iter().zip(choices).filter_map(wanted).collect()
}

fn reported(choice: u8) -> Report {
    match choice {
        0 => failed(Class::Denied),
        1 | 2 => failed(Class::Unreachable),
        3 => failed(Class::Local),
        4 => warned("soon"),
        _ => passed(),
    }
}

#[derive(Default)]
struct Leased {
    runs: Vec<Begun>,
    sent: Vec<Delivery>,
}

fn runs_of(begun: &Begun, report: u8) -> Vec<SubjectRun> {
    let subjects = begun.subjects().iter();
    subjects.map(|&subject| found(subject, reported(report))).collect()
}

fn living(bench: &Bench, which: u8) -> Option<&'static str> {
    let name = NAMES[usize::from(which)];
    let is_it = |stored: &Stored| stored.row.name == name && stored.row.status != Status::Deleted;
    bench.books.rows.values().any(is_it).then_some(name)
}

fn take(bench: &mut Bench, leased: &mut Leased, step: &Step) {
    match *step {
        Step::Sync(choices, true) => drop(bench.start_up(&configured(choices))),
        Step::Sync(choices, false) => drop(bench.sync(&configured(choices))),
        Step::Run(which, report) => {
            let Some(name) = living(bench, which) else { return };
            if bench.row(name).next_run_at.is_none() || bench.row(name).is_leased(bench.now) {
                return;
            }
            bench.now = bench.now.max(bench.row(name).next_run_at.unwrap());
            let begun = bench.begin_of(name);
            let runs = runs_of(&begun, report);
            bench.record(begun, runs);
        }
        Step::Begin(which) => {
            let Some(name) = living(bench, which) else { return };
            let row = bench.row(name);
            if !row.is_leased(bench.now) && row.next_run_at.is_some_and(|at| at <= bench.now) {
                leased.runs.push(bench.begin_of(name));
            }
        }
        Step::Record(choice, report) => {
            if !leased.runs.is_empty() {
                let begun = leased.runs.swap_remove(usize::from(choice) % leased.runs.len());
                let runs = runs_of(&begun, report);
                bench.record(begun, runs);
            }
        }
        Step::Silence(whose, minutes) => {
            let whose = whose.and_then(|which| living(bench, which)).map(|name| bench.id(name));
            let until = bench.minutes(minutes.into());
            bench.silence(whose, until);
        }
        Step::EndSilence(choice) => {
            let made = i64::try_from(bench.books.silences.len()).unwrap();
            bench.end_silence(i64::from(choice) % (made + 1));
        }
        Step::Fault(true) => drop(bench.degrade(OwnFault::Disk, "full")),
        Step::Fault(false) => drop(bench.restore(OwnFault::Disk)),
        Step::Release => drop(bench.release()),
        Step::Attempt(choice, next) => attempt(bench, leased, (choice, next)),
        Step::Receiver(enabled) => {
            let (health, now) = (bench.health("a"), bench.now);
            let reason = crate::domain::DisabledReason::Manual;
            let effects =
                if enabled { enable(&health, now) } else { disable(&health, reason, now) };
            bench.books.apply_all(&effects, None);
        }
        Step::Wait(secs) => bench.wait(Duration::from_secs(secs.into())),
    }
}

fn attempt(bench: &mut Bench, leased: &mut Leased, (choice, next): (u8, u8)) {
    for receiver in ["a", "b"] {
        leased.sent.extend(bench.claim(receiver));
    }
    if leased.sent.is_empty() {
        return;
    }
    let sent = leased.sent.swap_remove(usize::from(choice) % leased.sent.len());
    let next = match next {
        0 => Next::Failed,
        1 => Next::RetryAfter(Duration::from_secs(5)),
        2 => Next::Gone,
        _ => Next::Delivered,
    };
    bench.attempt(&sent, next);
}

/// No receiver is sent a status that it has been sent last: nothing is notified twice.
fn nothing_is_notified_twice(bench: &Bench) -> bool {
    let mut seen = BTreeSet::new();
    bench.books.deliveries.iter().all(|one| seen.insert((&one.event, &one.receiver)))
}

/// Of each queue, what has ended has smaller numbers than what is pending.
fn queues_end_in_order(bench: &Bench) -> bool {
    bench.books.deliveries.iter().all(|late| {
        // The end of an incident is dead together with its beginning.
        let is_end = late.part.as_ref().is_some_and(|part| part.ends);
        let ended = late.state.has_ended() && !(is_end && late.state == DeliveryState::Failed);
        !ended
            || !bench.books.deliveries.iter().any(|early| {
                early.receiver == late.receiver
                    && early.integration == late.integration
                    && early.number < late.number
                    && early.state == DeliveryState::Pending
            })
    })
}

/// A bench whose runs are judged by the rule of evidence alone.
fn by_the_rule() -> Bench {
    Bench { policy: Policy::default(), ..Bench::new() }
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn books_balance_whatever_happens(steps in steps()) {
        let (mut bench, mut leased) = (by_the_rule(), Leased::default());
        bench.sync(&configured([9; 4]));
        for step in steps {
            take(&mut bench, &mut leased, &step);
            bench.check();
            prop_assert!(nothing_is_notified_twice(&bench));
            prop_assert!(queues_end_in_order(&bench));
        }
    }

    #[test]
    fn same_case_gives_the_same_effects(steps in steps()) {
        let once = || {
            let (mut bench, mut leased) = (by_the_rule(), Leased::default());
            bench.sync(&configured([9; 4]));
            for step in &steps {
                take(&mut bench, &mut leased, step);
            }
            format!("{:?}", bench.books)
        };
        prop_assert_eq!(once(), once());
    }

    #[test]
    fn calm_ends_every_mute_outage_and_fault(steps in steps()) {
        let (mut bench, mut leased) = (by_the_rule(), Leased::default());
        bench.sync(&configured([9; 4]));
        for step in steps {
            take(&mut bench, &mut leased, &step);
        }
        bench.restore(OwnFault::Disk);
        bench.sync(&configured([9; 4]));
        for _ in 0..6 {
            bench.wait(Duration::from_hours(6));
            bench.release();
            for name in NAMES {
                bench.now = bench.now.max(bench.row(name).next_run_at.unwrap());
                let begun = bench.begin_of(name);
                let runs = runs_of(&begun, 6);
                bench.record(begun, runs);
            }
        }
        bench.release();
        for name in NAMES {
            let row = bench.row(name);
            prop_assert_eq!((row.status, row.notified), (Status::Enabled, Status::Enabled));
            prop_assert_eq!((&row.mute, &row.outage, row.flapping), (&None, &None, None));
            prop_assert_eq!((&row.incident, row.suspect), (&None, None));
        }
        prop_assert!(bench.books.outages.values().all(|one| one.closed_at.is_some()));
        prop_assert!(bench.books.faults.is_empty());
    }
}
