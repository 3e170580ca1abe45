//! Whatever happens in whatever order, the books balance.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// For each of two integrations: absent, disabled, or with one of two configurations.
    Sync([u8; 2], bool),
    Begin(u8),
    Record(u8, u8),
    Release(u8),
    Drain,
    Claim(u32),
    Attempt(u8),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => ([0..6_u8, 0..6_u8], prop::bool::weighted(0.2)).prop_map(|(w, s)| Step::Sync(w, s)),
        6 => (0..2_u8).prop_map(Step::Begin),
        6 => (any::<u8>(), 0..6_u8).prop_map(|(run, report)| Step::Record(run, report)),
        1 => any::<u8>().prop_map(Step::Release),
        1 => Just(Step::Drain),
        3 => (0..3_u32).prop_map(Step::Claim),
        4 => any::<u8>().prop_map(Step::Attempt),
        3 => (0..9000_u16).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Default)]
struct Leased {
    runs: Vec<Begun>,
    deliveries: Vec<PendingDelivery>,
}

fn pick<T>(from: &mut Vec<T>, choice: u8) -> Option<T> {
    (!from.is_empty()).then(|| from.swap_remove(usize::from(choice) % from.len()))
}

fn configured([one, two]: [u8; 2]) -> Vec<Wanted> {
    let wanted = |(name, choice): (&str, u8)| {
        let base = wanted(name);
        match choice {
            0 => None,
            1 => Some(Wanted { disabled: true, ..base }),
            2 => Some(Wanted { config: "other".to_owned(), ..base }),
            3 => Some(Wanted { catalog_version: 2, ..base }),
            _ => Some(base),
        }
    };
    [("one", one), ("two", two)].into_iter().filter_map(wanted).collect()
}

fn reported(choice: u8) -> Report {
    match choice {
        0 => failed(Class::Denied),
        1 => failed(Class::Unreachable),
        2 => failed(Class::Local),
        3 => warned("soon"),
        _ => passed(),
    }
}

fn take(bench: &mut Bench, leased: &mut Leased, step: &Step) {
    let (now, context) = (bench.now, bench.context());
    match *step {
        Step::Sync(choices, startup) => {
            let wanted = configured(choices).into();
            bench.write(|tx| sync::sync(tx, &wanted, startup, &context)).unwrap();
        }
        Step::Begin(place) => {
            let name = if place == 0 { "one" } else { "two" };
            let Some(row) = integration::integration(&bench.conn, name).unwrap() else { return };
            let began = bench.write(|tx| run::begin(tx, row.id, lease(now), now)).unwrap();
            if let Began::Run(begun) = began {
                leased.runs.push(begun);
            }
        }
        Step::Record(choice, report) => {
            let Some(begun) = pick(&mut leased.runs, choice) else { return };
            let subjects = begun.subjects().iter();
            let runs = subjects.map(|&subject| found(subject, reported(report))).collect();
            bench.record(begun, runs);
        }
        Step::Release(choice) => {
            let Some(begun) = pick(&mut leased.runs, choice) else { return };
            bench.write(|tx| run::give_back(tx, &begun)).unwrap();
        }
        Step::Drain => {
            bench.write(|tx| sync::drain(tx, &context)).unwrap();
        }
        Step::Claim(most) => leased.deliveries.extend(bench.claim(&[("a", most), ("b", 1)])),
        Step::Attempt(choice) => {
            let Some(sent) = pick(&mut leased.deliveries, choice) else { return };
            let next = match choice % 4 {
                0 => Next::Failed,
                1 => Next::RetryAfter(Duration::from_secs(5)),
                _ => Next::Delivered,
            };
            bench.attempt(&sent, next);
        }
        Step::Wait(secs) => bench.wait(Duration::from_secs(secs.into())),
    }
}

/// Per receiver and integration, deliveries ended in the order of their events, but ends with their dead
/// beginnings.
fn ended_in_order(conn: &Connection) -> bool {
    let sql = "SELECT count(*) FROM delivery AS early JOIN delivery AS late
        ON early.receiver = late.receiver AND early.integration_id = late.integration_id
            AND early.number < late.number
        WHERE early.state = 'pending' AND (late.state <> 'pending' OR late.attempts > 0)
            AND NOT (late.ends AND late.state = 'failed')";
    conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap() == 0
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn invariants_are_kept_whatever_happens(steps in steps()) {
        let mut bench = Bench::new();
        let mut leased = Leased::default();
        for step in steps {
            take(&mut bench, &mut leased, &step);
            check_invariants(&bench.conn);
            // A receiver whose beginning is dead is sent no end.
            let ends = "('integration.validation.recovered', 'integration.flapping.ended',
                         'integrations.outage.resolved', 'daemon.recovered')";
            let of = |of: &str| format!("event {of} WHERE type NOT IN {ends}");
            let events = bench.count(&of(""));
            let deliveries = bench.count(&of("JOIN delivery ON delivery.event_id = event.id"));
            prop_assert_eq!(deliveries, 2 * events, "one delivery per event and subscription");
            prop_assert!(bench.count("delivery") <= 2 * bench.count("event"));
            prop_assert!(ended_in_order(&bench.conn));
        }
    }
}
