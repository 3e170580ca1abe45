//! Retention by number of rows.

use super::super::{Retention, Surplus, outbox, surplus};
use super::*;
use crate::domain::DeliveryId;

const AGE: Duration = Duration::from_hours(24 * 365);

fn find(bench: &Bench, retention: Retention) -> Surplus {
    surplus::find(&bench.conn, retention).unwrap()
}

/// Deletes what is too many in batches of two; how many rows went in each.
fn drop_all(bench: &mut Bench, retention: Retention) -> Vec<usize> {
    let mut rounds = Vec::new();
    loop {
        let mut found = find(bench, retention);
        if found == Surplus::default() {
            return rounds;
        }
        while let batch = found.next(2)
            && batch != Surplus::default()
        {
            rounds.push(bench.write(|tx| surplus::drop_found(tx, &batch)).unwrap());
        }
    }
}

fn ids(bench: &Bench, sql: &str) -> Vec<i64> {
    let mut statement = bench.conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn deliver_all(bench: &mut Bench, receiver: &str) {
    while let [first, ..] = bench.claim(&[(receiver, 1)]).as_slice() {
        bench.wait(Duration::from_millis(1));
        bench.attempt(first, Next::Delivered);
    }
}

#[test]
fn of_each_integration_the_latest_runs_stay_with_what_is_shown_and_compared_with() {
    let mut bench = Bench::enabled();
    for _ in 0..9 {
        bench.fail(Subject::Active, Class::Denied);
    }
    bench.sync(&[wanted("one"), wanted("two")]);
    let retention = Retention { runs_per_integration: 3, ..kept_for(AGE, 2) };
    let rounds = drop_all(&mut bench, retention);
    assert!(2 < rounds.len() && rounds.iter().all(|rows| *rows <= 4), "{rounds:?}");
    let good = ids(&bench, "SELECT id FROM run WHERE status = 'passed'");
    assert_eq!(good.len(), 1, "the next warnings are compared with it");
    let latest = ids(&bench, "SELECT id FROM run ORDER BY id")[1..].to_vec();
    assert_eq!(latest, [8, 9, 10]);
    assert_eq!(bench.count("report"), 2, "results go with the last run that points to them");
    assert_eq!(ids(&bench, "SELECT count(*) FROM transition GROUP BY integration_id"), [3, 1]);
    let shown = bench.row("one").last_run.unwrap().id.0;
    assert_eq!(latest.last(), Some(&shown));
    bench.conn.execute("UPDATE integration SET last_run_id = 8 WHERE name = 'one'", []).unwrap();
    checksum::seal(&bench.conn).unwrap();
    let fewer = Retention { runs_per_integration: 1, ..retention };
    let stale = Surplus { runs: vec![8], ..Surplus::default() };
    assert!(!find(&bench, fewer).runs.contains(&8));
    assert_eq!(bench.write(|tx| surplus::drop_found(tx, &stale)).unwrap(), 0, "shown by now");
    drop_all(&mut bench, fewer);
    assert_eq!(ids(&bench, "SELECT id FROM run ORDER BY id"), [good[0], 8, 10]);
}

#[test]
fn of_deliveries_those_that_ended_first_go_and_none_that_is_pending() {
    let mut bench = Bench::enabled();
    for _ in 0..3 {
        bench.fail(Subject::Active, Class::Denied);
        bench.pass(Subject::Active);
        bench.wait(Duration::from_hours(12));
    }
    deliver_all(&mut bench, "a");
    let ended = "SELECT id FROM delivery WHERE state = 'delivered' ORDER BY ended_at_ms";
    let (all, pending) = (ids(&bench, ended), bench.count("delivery WHERE state = 'pending'"));
    assert_eq!((all.len(), pending), (8, 8));
    let retention = Retention { deliveries_max: 3, ..kept_for(AGE, 2) };
    let now = bench.now;
    let anew = DeliveryId(all[0]);
    let before = find(&bench, retention);
    assert_eq!(before.deliveries, all[..5]);
    bench.write(|tx| outbox::redeliver(tx, &[anew], now)).unwrap();
    assert_eq!(
        bench.write(|tx| surplus::drop_found(tx, &before)).unwrap(),
        4,
        "one is pending again"
    );
    assert_eq!(ids(&bench, ended), all[5..]);
    assert_eq!(bench.count("delivery WHERE state = 'pending'"), pending + 1);
    assert_eq!(bench.count("attempt"), 4, "attempts go with their deliveries");
    assert_eq!(bench.count("event"), 8);
    assert_eq!(drop_all(&mut bench, retention), [0; 0]);
    check_invariants(&bench.conn);
}

#[test]
fn deliveries_that_ended_at_once_are_counted_one_by_one() {
    let mut bench = Bench::enabled();
    bench.conn.execute("UPDATE delivery SET state = 'failed', ended_at_ms = 5", []).unwrap();
    let retention = Retention { deliveries_max: 1, ..kept_for(AGE, 2) };
    assert_eq!(bench.count("delivery"), 4);
    drop_all(&mut bench, retention);
    assert_eq!(ids(&bench, "SELECT id FROM delivery"), [4]);
}

#[test]
fn of_events_the_latest_stay_and_those_that_a_delivery_refers_to() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    deliver_all(&mut bench, "b");
    bench.receivers = vec!["b"];
    for _ in 0..3 {
        bench.pass(Subject::Active);
        bench.wait(Duration::from_hours(12));
        bench.fail(Subject::Active, Class::Denied);
        deliver_all(&mut bench, "b");
    }
    let retention = Retention { events_max: 2, deliveries_max: 1, ..kept_for(AGE, 2) };
    let rounds = drop_all(&mut bench, retention);
    assert!(2 < rounds.len() && rounds.iter().all(|rows| *rows <= 4), "{rounds:?}");
    let left = ids(&bench, "SELECT number FROM event ORDER BY number");
    assert_eq!(left, [1, 2, 3, 4, 8, 9], "the failure and its end are pending for the other");
    assert_eq!(ids(&bench, "SELECT pruned_number FROM meta"), [7]);
    assert!(history::events(&bench.conn, 6, 9).unwrap().is_behind);
    assert!(!history::events(&bench.conn, 7, 9).unwrap().is_behind);
    assert_eq!(bench.count("pragma_foreign_key_check"), 0);
}

#[test]
fn of_a_delivery_the_latest_attempts_stay_and_are_counted_on() {
    let mut bench = Bench::enabled();
    bench.kept_max = 3;
    for number in 1..=5 {
        let sent = bench.claim(&[("a", 1)]);
        assert_eq!(sent[0].attempt, number);
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
    }
    let numbers = "SELECT number FROM attempt WHERE delivery_id = 1 ORDER BY number";
    assert_eq!(ids(&bench, numbers), [3, 4, 5]);
    bench.kept_max = 1;
    let sent = bench.claim(&[("a", 1)]);
    bench.attempt(&sent[0], Next::Delivered);
    assert_eq!(ids(&bench, numbers), [6]);
}
