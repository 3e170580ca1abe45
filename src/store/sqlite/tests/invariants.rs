//! Rules that hold for every database, whatever happened.

use super::super::rules;
use super::*;

/// Rules of numbers, which events of older versions do not keep: theirs counted every change of status.
const NUMBERS: &[(&str, &str)] = &[
    (
        "events are numbered without gaps",
        "SELECT integration.id FROM integration LEFT JOIN event ON integration_id = integration.id
            AND type <> 'integration.status.changed'
            AND type <> 'integration.validation.reminder'
         GROUP BY integration.id
         HAVING count(event.id) <> integration.sequence
             OR coalesce(min(event.sequence), 1) <> 1
             OR coalesce(max(event.sequence), 0) <> integration.sequence",
    ),
    (
        "status changes have numbers of their own and repeat that of the event before",
        "SELECT * FROM (
            SELECT sequence, json_extract(body, '$.data.transition') AS found,
                   row_number() OVER (PARTITION BY integration_id ORDER BY number) AS expected,
                   (SELECT coalesce(max(earlier.sequence), 0) FROM event AS earlier
                    WHERE earlier.integration_id = event.integration_id
                      AND earlier.number < event.number) AS latest
            FROM event WHERE type = 'integration.status.changed')
         WHERE found IS NOT expected OR sequence <> latest",
    ),
];

/// Fails when one does not hold.
pub(super) fn check_invariants(conn: &Connection) {
    check_migrated(conn);
    check(conn, NUMBERS);
}

/// Fails when one does not hold that holds for the events of older versions too.
pub(super) fn check_migrated(conn: &Connection) {
    check(conn, &[("foreign keys hold", "SELECT * FROM pragma_foreign_key_check")]);
    let broken = rules::broken(conn).unwrap();
    assert!(broken.is_empty(), "{broken:?}");
}

fn check(conn: &Connection, rules: &[(&str, &str)]) {
    for (what, sql) in rules {
        let count: i64 =
            conn.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |r| r.get(0)).unwrap();
        assert_eq!(count, 0, "{what}");
    }
}
