//! The awake clock, and what is old by it.

use super::super::awake;
use super::*;

const DAY: Duration = Duration::from_hours(24);
const START: Timestamp = Timestamp(1_795_000_000_000);

/// Lives through these days: each with the instant that the wall clock shows, if it is trusted.
fn lived(days: impl IntoIterator<Item = Option<Timestamp>>) -> Bench {
    let bench = Bench::new();
    for (day, at) in (0..).zip(days) {
        awake::save(&bench.conn, DAY * day, at).unwrap();
    }
    bench
}

#[test]
fn age_counts_only_time_that_was_awake_and_trusted() {
    let on = |day: u32| START.plus(DAY * day);
    let ten = || (0..10).map(on).map(Some);
    let table = [
        ("steadily", lived(ten()), on(9), on(4)),
        ("asleep for a year", lived(ten()), on(374), on(4)),
        ("a year ahead", lived(ten().chain([Some(on(375))])), on(375), on(5)),
        ("ahead and not trusted", lived(ten().chain([None])), on(375), on(5)),
        ("in 1970 for a while", lived(ten().chain([Some(Timestamp(0))])), on(10), Timestamp(0)),
        ("behind", lived(ten()), Timestamp(0), Timestamp(0).minus(DAY * 5)),
        ("first start", lived([]), on(9), on(4)),
    ];
    for (name, bench, now, expected) in table {
        assert_eq!(awake::before(&bench.conn, DAY * 5, now).unwrap(), expected, "{name}");
    }
}

#[test]
fn reading_never_goes_back_and_old_hours_are_forgotten() {
    let bench = lived((0..10).map(|day| Some(START.plus(DAY * day))));
    assert_eq!(awake::read(&bench.conn).unwrap(), DAY * 9);
    awake::save(&bench.conn, DAY * 9, Some(START)).unwrap();
    assert_eq!(awake::read(&bench.conn).unwrap(), DAY * 9);
    awake::forget(&bench.conn, DAY * 3).unwrap();
    let count: i64 =
        bench.conn.query_row("SELECT count(*) FROM awake", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 4);
}
