//! Transactions of this engine: all or nothing, guards of statements, and results that are stored once.

use super::*;

#[test]
fn interrupted_status_change_leaves_nothing() {
    for table in ["run", "report", "transition", "event", "delivery"] {
        let mut bench = Bench::enabled();
        let state = |bench: &Bench| {
            ["run", "report", "transition", "event", "delivery"].map(|table| bench.count(table))
        };
        let before = (state(&bench), format!("{:?}", bench.row("one").next_run_at));
        let begun = bench.begin();
        let trigger = format!(
            "CREATE TEMP TRIGGER stop AFTER INSERT ON {table}
             WHEN (SELECT count(*) FROM {table}) > {} BEGIN SELECT raise(ABORT, 'full'); END",
            bench.count(table) + i64::from(table == "delivery"),
        );
        bench.conn.execute_batch(&trigger).unwrap();
        let runs = vec![found(Subject::Active, failed(Class::Denied))];
        let failed = bench.try_record(finished(begun.clone(), runs.clone(), bench.now));
        assert!(failed.is_err(), "{table}");
        assert_eq!(before, (state(&bench), format!("{:?}", bench.row("one").next_run_at)));
        assert_eq!(bench.status("one"), Status::Enabled, "{table}");
        bench.conn.execute_batch("DROP TRIGGER stop").unwrap();
        let again = bench.try_record(finished(begun, runs, bench.now)).unwrap();
        assert!(matches!(again, Recorded::Stored { transition: Some(_), .. }), "{table}");
    }
}

#[test]
fn only_statuses_that_are_validated_begin() {
    for &status in Status::ALL {
        let mut bench = Bench::enabled();
        let idle = !status.is_validated();
        let sql = "UPDATE integration SET next_run_at_ms = NULL WHERE ?2;
                   UPDATE integration SET status = ?1";
        for sql in sql.split(';') {
            let mut statement = bench.conn.prepare(sql).unwrap();
            match statement.parameter_count() {
                2 => statement.execute((status.as_str(), idle)).unwrap(),
                _ => statement.execute([status.as_str()]).unwrap(),
            };
        }
        checksum::seal(&bench.conn).unwrap();
        assert_eq!(matches!(bench.try_begin(), Began::Run(_)), !idle, "{status}");
    }
}

#[test]
fn equal_results_are_stored_once() {
    let mut bench = Bench::enabled();
    for _ in 0..5 {
        bench.pass(Subject::Active);
    }
    assert_eq!((bench.count("run"), bench.count("report")), (6, 1));
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!((bench.count("run"), bench.count("report")), (7, 2));
    let id = bench.row("one").id;
    let runs = history::runs(&bench.conn, id, &Page::first(2)).unwrap().rows;
    assert_eq!(runs[0].class, Some(Class::Denied));
    assert_eq!(runs[0].report.tests[1].remediation.as_deref(), Some("GRANT it"));
    assert_eq!(runs[0].duration, Duration::from_millis(812));
    assert_eq!(runs[1].rule, "a passing run");
}

#[test]
fn removal_that_cannot_be_stored_is_rolled_back_and_tried_again() {
    let mut bench = Bench::enabled();
    let trigger = "CREATE TEMP TRIGGER stop BEFORE INSERT ON transition
        WHEN new.to_status = 'deleted' BEGIN SELECT raise(ABORT, 'no'); END";
    bench.conn.execute_batch(trigger).unwrap();
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::DeleteError);
    check_invariants(&bench.conn);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.status("one"), Status::RecurringValidationError, "it is still watched");
    bench.pass(Subject::Active);
    assert_eq!(bench.status("one"), Status::DeleteError);
    bench.conn.execute_batch("DROP TRIGGER stop").unwrap();
    bench.sync(&[]);
    assert_eq!(bench.status("one"), Status::Deleted);
    check_invariants(&bench.conn);
}
