//! Lists across all integrations of a file that an earlier version wrote.

use super::super::migrations::MIGRATIONS;
use super::*;

/// Version of the schema before lists across all integrations.
const BEFORE: u32 = 16;

/// A file as the version before left it: `whole` has its creation in its history, `cut` has lost it, and `bare`
/// has no history any more.
fn before() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    for (_, sql) in MIGRATIONS.iter().filter(|(version, _)| *version <= BEFORE) {
        conn.execute_batch(sql).unwrap();
    }
    conn.pragma_update(None, "user_version", BEFORE).unwrap();
    conn.execute_batch(
        "INSERT INTO meta (one, epoch) VALUES (1, 'epoch-1');
         INSERT INTO integration (id, name, kind, labels, status, cron, zone, next_trigger,
             notified_status, created_at_ms, expires_at_ms, expires_what)
         VALUES (1, 'whole', 'Redshift', '{}', 'enabled', '@hourly', 'UTC', 'schedule', 'enabled', 100,
                 9000, 'the token ci'),
                (2, 'cut', 'Redshift', '{}', 'enabled', '@hourly', 'UTC', 'schedule', 'enabled', 100,
                 NULL, NULL),
                (3, 'bare', 'Redshift', '{}', 'enabled', '@hourly', 'UTC', 'schedule', 'enabled', 100,
                 NULL, NULL);
         INSERT INTO transition (integration_id, from_status, to_status, cause, at_ms)
         VALUES (1, NULL, 'creating', NULL, 100),
                (2, 'enabled', 'recurringValidationError', 'activeFailed', 700),
                (2, 'recurringValidationError', 'enabled', 'activePassed', 800),
                (1, 'creating', 'enabled', 'candidatePassed', 900);",
    )
    .unwrap();
    conn
}

#[test]
fn file_of_the_version_before_keeps_expiries_and_knows_which_history_is_cut() {
    let mut conn = before();
    migrate(&mut conn).unwrap();
    let lost = |id: i64| -> Option<i64> {
        let sql = "SELECT history_since_ms FROM integration WHERE id = ?1";
        conn.query_row(sql, [id], |row| row.get(0)).unwrap()
    };
    assert_eq!((lost(1), lost(2)), (None, Some(700)));
    assert!(lost(3).is_some_and(|at| START.0 / 10 < at), "until now, for nothing is known");
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: (i64, i64, String) = conn.query_row("SELECT * FROM expiry", [], read).unwrap();
    assert_eq!(found, (1, 9000, "the token ci".to_owned()));
}

#[test]
fn surplus_changes_of_status_are_remembered_by_the_latest_that_is_gone() {
    let mut bench = Bench::enabled();
    let lost = |bench: &Bench| -> Option<i64> {
        let sql = "SELECT history_since_ms FROM integration";
        bench.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    for _ in 0..2 {
        bench.fail(Subject::Active, Class::Denied);
        bench.pass(Subject::Active);
    }
    assert_eq!(lost(&bench), None);
    let retention = Retention { runs_per_integration: 1, ..kept_for(Duration::MAX, 100) };
    let surplus = super::super::surplus::find(&bench.conn, retention).unwrap();
    let newest = *surplus.transitions.last().unwrap();
    let sql = "SELECT at_ms FROM transition WHERE id = ?1";
    let at: i64 = bench.conn.query_row(sql, [newest], |row| row.get(0)).unwrap();
    bench.write(|tx| super::super::surplus::drop_found(tx, &surplus)).unwrap();
    assert_eq!(lost(&bench), Some(at));
    assert_eq!(bench.count("transition"), 1);
}
