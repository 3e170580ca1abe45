//! An older file keeps everything when it is brought up to date.

use super::super::migrations::{APPLICATION_ID, MIGRATIONS};
use super::*;
use crate::domain::{Class, IntegrationId, Policy, Sight};

/// A file as version 1 left it: two integrations, deliveries in every state, the latest deleted.
pub(super) fn version_1() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    conn.pragma_update(None, "foreign_keys", true).unwrap();
    conn.execute_batch(MIGRATIONS[0].1).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    conn.execute_batch(
        "INSERT INTO meta (one, epoch) VALUES (1, 'epoch-1');
         INSERT INTO integration (id, name, kind, labels, status, config_shown, cron, zone,
             next_run_at_ms, next_trigger, sequence, created_at_ms, active_kind, active_config,
             active_catalog)
         VALUES (5, 'five', 'Redshift', '{}', 'enabled', '{}', '@hourly', 'UTC', 1, 'schedule', 3,
                 1, 'Redshift', '{}', 1),
                (6, 'six', 'Redshift', '{}', 'enabled', '{}', '@hourly', 'UTC', 1, 'schedule', 1, 1,
                 'Redshift', '{}', 1);
         INSERT INTO event VALUES
             ('evt_9', 5, 1, 'integration.status.changed', 1000, '{\"n\":1}'),
             ('evt_1', 6, 1, 'integration.status.changed', 1000, '{\"n\":2}'),
             ('evt_5', 5, 2, 'integration.validation.failed', 2000, '{\"n\":3}'),
             ('evt_3', 5, 3, 'integration.validation.recovered', 3000, '{\"n\":4}');
         INSERT INTO delivery (id, event_id, receiver, integration_id, sequence, state, due_at_ms,
             attempts, ended_at_ms)
         VALUES (1, 'evt_9', 'a', 5, 1, 'delivered', 1000, 1, 1500),
                (2, 'evt_1', 'a', 6, 1, 'failed', 1000, 2, 1600),
                (3, 'evt_5', 'a', 5, 2, 'pending', 9000, 1, NULL),
                (4, 'evt_3', 'a', 5, 3, 'pending', NULL, 0, NULL),
                (9, 'evt_3', 'b', 5, 3, 'pending', 3000, 0, NULL);
         INSERT INTO attempt VALUES (1, 1, 1400, 5, 200, 'ok'), (2, 1, 1400, 5, 500, 'no'),
             (2, 2, 1500, 5, NULL, 'refused'), (3, 1, 2500, 5, 503, 'later');
         INSERT INTO delivery (id, event_id, receiver, integration_id, sequence, state, ended_at_ms)
         VALUES (40, 'evt_9', 'gone', 5, 1, 'failed', 1);
         DELETE FROM delivery WHERE id = 40;",
    )
    .unwrap();
    conn
}

fn lines(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cell =
            |place| row.get::<_, rusqlite::types::Value>(place).map(|cell| format!("{cell:?}"));
        (0..columns).map(cell).collect::<Result<Vec<_>, _>>().map(|cells| cells.join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn version_1_keeps_ids_order_attempts_and_pending_deliveries() {
    let mut conn = version_1();
    let tables = [
        "SELECT id, integration_id, sequence, type, created_at_ms, body FROM event ORDER BY rowid",
        "SELECT id, event_id, receiver, integration_id, state, due_at_ms, lease_until_ms, attempts,
                ended_at_ms FROM delivery ORDER BY id",
        "SELECT * FROM attempt ORDER BY delivery_id, number",
        "SELECT epoch FROM meta",
        "SELECT id, name, kind, labels, status, cron, zone, next_run_at_ms, next_trigger, sequence,
                created_at_ms FROM integration ORDER BY id",
    ];
    let configurations = |conn: &Connection, table: &str, id: &str| {
        let columns = "config_shown, active_kind, active_config, active_catalog, candidate_config,
                       candidate_catalog";
        lines(conn, &format!("SELECT {id}, {columns} FROM {table} ORDER BY {id}"))
    };
    let before = tables.map(|sql| lines(&conn, sql));
    let configured = configurations(&conn, "integration", "id");
    migrate(&mut conn).unwrap();
    assert_eq!(tables.map(|sql| lines(&conn, sql)), before);
    assert_eq!(configurations(&conn, "configuration", "integration_id"), configured);
    assert!(before.iter().all(|lines| !lines.is_empty()));
    let numbers = lines(&conn, "SELECT number FROM event ORDER BY number");
    assert_eq!(numbers.len(), 4);
    assert_eq!(
        lines(&conn, "SELECT body FROM event ORDER BY number").concat().matches('n').count(),
        4
    );
    let ordered = "SELECT count(*) FROM delivery JOIN event ON event.id = event_id
                   WHERE delivery.number <> event.number";
    assert_eq!(lines(&conn, ordered), ["Integer(0)"], "the order is that of the events");
    assert_eq!(lines(&conn, "SELECT name FROM receiver WHERE configured = 1").len(), 2);
    check_migrated(&conn);
    let references = lines(
        &conn,
        "SELECT m.name, f.\"table\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
         ORDER BY 1, 2",
    )
    .join(",");
    assert!(!references.contains("_new"), "{references}");
    let made = "INSERT INTO delivery (event_id, receiver, number, state) VALUES ('evt_9', 'c', 1, 'pending')
         RETURNING id";
    assert_eq!(lines(&conn, made), ["Integer(41)"], "an id is never given twice");
    let none: Vec<String> = lines(&conn, "PRAGMA integrity_check");
    assert_eq!(none, ["Text(\"ok\")"]);
    assert_eq!(lines(&conn, "PRAGMA foreign_keys"), ["Integer(1)"]);
}

#[test]
fn a_file_with_a_broken_reference_stays_as_it_is() {
    let mut conn = version_1();
    let broken = "PRAGMA foreign_keys = OFF; UPDATE delivery SET event_id = 'evt_2' WHERE id = 1;";
    conn.execute_batch(broken).unwrap();
    let error = migrate(&mut conn).unwrap_err();
    let reason = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(reason, "a row of delivery refers to a row of event that is not there");
    assert_eq!(lines(&conn, "PRAGMA user_version"), ["Integer(1)"]);
}

#[tokio::test]
async fn the_daemon_brings_a_file_of_version_1_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let conn = version_1();
    conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    conn.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
    let store = super::super::Store::open(&path).unwrap();
    let view = store.view();
    let rows = view.receivers(Page::first(9)).await.unwrap().rows;
    let pending: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.pending)).collect();
    assert_eq!(pending, [("a", 2), ("b", 1)]);
    let events = view.events(0, 9).await.unwrap();
    let ids: Vec<_> = events.rows.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["evt_9", "evt_1", "evt_5", "evt_3"], "in the order in which they happened");
    store.close().await.unwrap();
}

#[test]
fn a_migrated_file_has_the_schema_of_a_new_one() {
    let mut old = version_1();
    migrate(&mut old).unwrap();
    let new = Bench::new().conn;
    let sql = "SELECT name, sql FROM sqlite_schema ORDER BY name";
    assert_eq!(lines(&old, sql), lines(&new, sql));
}

#[test]
fn deliveries_pending_before_go_out_in_order_after() {
    let mut conn = version_1();
    migrate(&mut conn).unwrap();
    let mut bench = Bench { conn, ..Bench::new() };
    let mut sent = Vec::new();
    for name in ["a", "b"] {
        while let [first] = bench.claim(&[(name, 1)]).as_slice() {
            sent.push((first.receiver.clone(), first.body.clone(), first.attempt));
            bench.attempt(first, Next::Delivered);
        }
    }
    let expected = [("a", "{\"n\":3}", 2), ("a", "{\"n\":4}", 1), ("b", "{\"n\":4}", 1)];
    let expected = expected.map(|(to, body, attempt)| (to.to_owned(), body.to_owned(), attempt));
    assert_eq!(sent, expected);
}

/// A file as version 5 left it, with a fault on the daemon's own side and leases of a daemon.
fn version_5() -> Connection {
    let conn = version_1();
    conn.pragma_update(None, "foreign_keys", false).unwrap();
    for (version, sql) in &MIGRATIONS[1..5] {
        conn.execute_batch(sql).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    }
    let content = |class: &str, evidence: &str| {
        format!(
            r#"{{"tests":[{{"name":"t","status":"failed","class":"{class}","evidence":{evidence}}}]}}"#
        )
    };
    for (id, class) in [(1, "ours"), (2, "denied")] {
        let content = content(class, r#""\"class\":\"ours\"""#);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
        let report = "INSERT INTO report (id, digest, content) VALUES (?1, ?2, ?3)";
        conn.execute(report, (id, digest.as_ref(), content)).unwrap();
        let run = "INSERT INTO run VALUES (?1, 5, 'active', 'schedule', 1, 1, 'failed', ?2, 'r', ?1, NULL)";
        conn.execute(run, (id, class)).unwrap();
    }
    conn.execute_batch(
        "UPDATE integration SET suspect_since_ms = 1, suspect_class = 'ours', lease_until_ms = 9,
                fence = 3, last_run_id = 1 WHERE id = 5;
         UPDATE delivery SET lease_until_ms = 9 WHERE id = 3;",
    )
    .unwrap();
    conn
}

#[test]
fn version_5_calls_faults_of_the_daemon_local_and_ends_its_leases() {
    let mut conn = version_5();
    migrate(&mut conn).unwrap();
    let runs = "SELECT run.class, json_extract(content, '$.tests[0].class'),
                       json_extract(content, '$.tests[0].evidence')
                FROM run JOIN report ON report.id = report_id ORDER BY run.id";
    let evidence = r#"Text("\"class\":\"ours\"")"#;
    let expected =
        ["local", "denied"].map(|class| format!("Text({class:?}) Text({class:?}) {evidence}"));
    assert_eq!(lines(&conn, runs), expected);
    let mut statement = conn.prepare("SELECT digest, content FROM report").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for (digest, content) in rows.map(Result::<(Vec<u8>, String), _>::unwrap) {
        let own = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
        assert_eq!(digest, own.as_ref(), "the same results are found again");
    }
    let row = "SELECT suspect_class, last_run_id, lease_until_ms, lease_owner, lease_token
               FROM integration WHERE id = 5";
    assert_eq!(lines(&conn, row), ["Text(\"local\") Integer(1) Null Null Null"]);
    let leased = "SELECT id FROM delivery WHERE lease_until_ms IS NOT NULL";
    assert_eq!(lines(&conn, leased), [""; 0]);
    check_migrated(&conn);
}

#[test]
fn version_6_keeps_the_results_of_both_configurations_apart() {
    let mut conn = version_5();
    conn.execute_batch(MIGRATIONS[5].1).unwrap();
    conn.pragma_update(None, "user_version", 6).unwrap();
    conn.execute_batch(
        "INSERT INTO run VALUES
             (3, 5, 'candidate', 'change', 2, 1, 'failed', 'denied', 'r', 2, NULL),
             (4, 5, 'active', 'schedule', 3, 1, 'passed', NULL, 'r', 2, NULL),
             (5, 5, 'candidate', 'schedule', 4, 1, 'failed', 'denied', 'r', 2, NULL);
         UPDATE integration SET status = 'editError', notified_status = 'editError', failures = 2,
                last_run_id = 5 WHERE id = 5;
         UPDATE configuration SET candidate_config = 'new', candidate_catalog = 1
         WHERE integration_id = 5;",
    )
    .unwrap();
    migrate(&mut conn).unwrap();
    let row = "SELECT pending_status, last_run_id, failures, candidate_run_id, candidate_failures
               FROM integration WHERE id = 5";
    let expected = r#"Text("editError") Integer(4) Integer(0) Integer(5) Integer(2)"#;
    assert_eq!(lines(&conn, row), [expected]);
    let shown = "SELECT active_shown FROM configuration ORDER BY integration_id";
    assert_eq!(lines(&conn, shown), ["Null", r#"Text("{}")"#], "the former one is not known");
}

/// A file as version 12 left it, with a silence that was ended and one that is open.
fn version_12() -> Connection {
    let conn = version_5();
    for (version, sql) in &MIGRATIONS[5..12] {
        conn.execute_batch(sql).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    }
    conn.execute_batch(
        "INSERT INTO silence (id, selection, comment, created_at_ms, until_ms, ended_at_ms)
         VALUES (3, '{}', 'moving', 5000, 9000, 6000), (4, '{}', '', 7000, 9000, NULL);
         UPDATE integration SET lease_owner = 1, lease_token = 2, lease_until_ms = 3,
                candidate_failures = 4, transitions = 5, pending_status = 'editError'
         WHERE id = 5;",
    )
    .unwrap();
    conn
}

#[test]
fn version_12_keeps_its_rows_and_silences_and_takes_requests() {
    let mut conn = version_12();
    let columns = |conn: &Connection, table: &str| {
        let sql = format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name");
        lines(conn, &sql).iter().map(|name| name[6..name.len() - 2].to_owned()).collect::<Vec<_>>()
    };
    let content = |conn: &Connection, table: &str, columns: &[String]| {
        lines(conn, &format!("SELECT {} FROM {table} ORDER BY id", columns.join(", ")))
    };
    let tables = ["integration", "run", "silence"];
    let before = tables.map(|table| columns(&conn, table));
    let kept = |conn: &Connection| {
        let tables = tables.iter().zip(&before);
        tables.map(|(table, columns)| content(conn, table, columns)).collect::<Vec<_>>()
    };
    let stored = kept(&conn);
    migrate(&mut conn).unwrap();
    assert_eq!(kept(&conn), stored);
    assert!(stored.iter().all(|rows| rows.len() == 2), "{stored:?}");
    let now = columns(&conn, "integration");
    assert!(before[0].iter().all(|column| now.contains(column)), "a column is lost: {now:?}");
    let silences = lines(&conn, "SELECT author, from_ms FROM silence ORDER BY id");
    assert_eq!(silences, [r#"Text("") Integer(5000)"#, r#"Text("") Integer(7000)"#]);
    let asked = "UPDATE integration SET next_trigger = 'request', next_run_at_ms = 1 WHERE id = 6;
                 INSERT INTO run (id, integration_id, subject, trigger, started_at_ms, duration_ms, status, rule, report_id)
                 VALUES (9, 6, 'active', 'request', 1, 1, 'passed', 'r', 2);";
    conn.execute_batch(asked).unwrap();
    let unknown = "UPDATE integration SET next_trigger = 'whim' WHERE id = 6";
    assert!(conn.execute_batch(unknown).is_err(), "other names are refused as before");
    assert_eq!(lines(&conn, "PRAGMA integrity_check"), ["Text(\"ok\")"]);
}

/// A file as version 15 left it, with consecutive runs counted in both configurations.
fn version_15() -> Connection {
    let conn = version_12();
    for (version, sql) in &MIGRATIONS[12..15] {
        conn.execute_batch(sql).unwrap();
        conn.pragma_update(None, "user_version", version).unwrap();
    }
    conn
}

fn forget_runs(conn: &Connection) {
    let sql =
        "UPDATE integration SET last_run_id = NULL, candidate_run_id = NULL; DELETE FROM run;";
    conn.execute_batch(sql).unwrap();
}

/// Columns of an integration before the evidence, and the evidence that they become: number of looks, first and
/// last instant, class, and whether it is known to fail.
type Counted<'a> = (&'a str, usize, (i64, i64), &'a str, bool);

const COUNTED: [Counted<'static>; 8] = [
    ("failures = 0, passes = 9", 0, (0, 0), "", false),
    (
        "failures = 2, passes = 0, first_failure_at_ms = 1000, counted_at_ms = 61000,
         suspect_since_ms = 1000, suspect_class = 'unreachable'",
        2,
        (1000, 61_000),
        "unreachable",
        false,
    ),
    (
        "failures = 4, passes = 0, first_failure_at_ms = 1000, counted_at_ms = 4000,
         suspect_since_ms = 1000, suspect_class = 'throttled'",
        4,
        (1000, 4000),
        "throttled",
        false,
    ),
    (
        "failures = 500, passes = 0, first_failure_at_ms = 1000, counted_at_ms = 6000,
         suspect_since_ms = 1000, suspect_class = 'unreachable', status = 'recurringValidationError'",
        6,
        (1000, 6000),
        "unreachable",
        true,
    ),
    (
        "failures = 7, passes = 0, first_failure_at_ms = 1000, counted_at_ms = 6000,
         suspect_since_ms = 1000, suspect_class = 'denied', status = 'recurringValidationError'",
        1,
        (1000, 6000),
        "denied",
        true,
    ),
    // A recovery that needs more passing runs.
    (
        "failures = 0, passes = 1, status = 'recurringValidationError'",
        0,
        (0, 0),
        "",
        true,
    ),
    ("failures = 1, passes = 0, first_failure_at_ms = 5", 1, (5, 5), "unavailable", false),
    ("failures = 300, passes = 0, first_failure_at_ms = 5", 100, (5, 5), "unavailable", false),
];

#[test]
fn version_15_keeps_what_was_counted_as_evidence() {
    for (columns, looks, (first, last), class, is_failing) in COUNTED {
        let mut conn = version_15();
        forget_runs(&conn);
        conn.execute(&format!("UPDATE integration SET {columns} WHERE id = 5"), []).unwrap();
        migrate(&mut conn).unwrap();
        let row = super::super::row::load(&conn, IntegrationId(5)).unwrap().unwrap();
        let evidence = row.active.evidence;
        assert_eq!((evidence.looks.len(), evidence.is_failing), (looks, is_failing), "{columns}");
        let seen = Class::ALL.iter().find(|one| one.as_str() == class);
        let seen = seen.map(|class| Sight::Failed { class: *class, is_certain: true });
        assert!(evidence.looks.iter().all(|look| Some(&look.seen) == seen.as_ref()), "{columns}");
        let ends = evidence.looks.first().zip(evidence.looks.last());
        let found = ends.map(|ends| (ends.0.at.0, ends.1.at.0));
        let begin = if looks == 1 { last } else { first };
        let expected = (0 < looks).then_some((begin, last));
        assert_eq!(found, expected, "{columns}");
        let counted = format!("failures = {},", evidence.counters.failures);
        assert!(columns.starts_with(&counted), "{columns}");
    }
}

#[test]
fn failure_that_was_half_confirmed_before_an_update_still_is_after_it() {
    let mut conn = version_15();
    forget_runs(&conn);
    let counted = "
        UPDATE integration SET failures = 2, passes = 0, first_failure_at_ms = 1000,
            counted_at_ms = 61000, suspect_since_ms = 1000, suspect_class = 'unreachable',
            candidate_failures = 1, candidate_first_failure_at_ms = 2000,
            candidate_counted_at_ms = 2000, status = 'editError', pending_status = 'editError'
        WHERE id = 5;
        INSERT INTO run VALUES
            (3, 5, 'candidate', 'change', 2000, 1, 'failed', 'missing', 'r', 2, NULL);";
    conn.execute_batch(counted).unwrap();
    migrate(&mut conn).unwrap();
    let row = super::super::row::load(&conn, IntegrationId(5)).unwrap().unwrap();
    let by_runs = |runs| Policy { confirm_runs: Some(runs), ..Policy::default() };
    let active = &row.active.evidence;
    assert_eq!((active.total(&by_runs(3)), active.total(&Policy::default())), (66, 50));
    let candidate = &row.candidate.evidence;
    assert_eq!((candidate.total(&Policy::default()), candidate.is_failing), (100, true));
}
