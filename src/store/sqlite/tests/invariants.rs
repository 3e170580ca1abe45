//! Rules that hold for every database, whatever happened.

use super::*;

/// Rules, each with the rows that would contradict it.
const INVARIANTS: &[(&str, &str)] = &[
    ("foreign keys hold", "SELECT * FROM pragma_foreign_key_check"),
    (
        "every transition starts where the one before ended",
        "SELECT * FROM (SELECT from_status, lag(to_status) OVER (
            PARTITION BY integration_id ORDER BY id) AS before FROM transition)
         WHERE from_status IS NOT before",
    ),
    (
        "the latest transition ends at the status",
        "SELECT * FROM integration WHERE status <> (SELECT to_status FROM transition
            WHERE integration_id = integration.id ORDER BY id DESC LIMIT 1)",
    ),
    (
        "of the pending deliveries of one queue, the first and only it is due",
        "SELECT * FROM (SELECT due_at_ms, row_number() OVER (
            PARTITION BY receiver, integration_id ORDER BY number) AS place
            FROM delivery WHERE state = 'pending')
         WHERE (due_at_ms IS NOT NULL) <> (place = 1)",
    ),
    (
        "an incident is open exactly while it may be",
        "SELECT * FROM integration
         WHERE (status LIKE '%Error' AND incident_id IS NULL)
            OR (status IN ('disabled', 'deleted') AND incident_id IS NOT NULL)
            OR (status = 'enabled' AND incident_id IS NOT NULL AND NOT incident_notified)",
    ),
    (
        "receivers were notified of the status, or it is muted",
        "SELECT * FROM integration WHERE muted_until_ms IS NULL
            AND status NOT IN ('creating', 'editing', 'migrating', 'deleting')
            AND (notified_status <> status OR warning_muted OR flapping_since_ms IS NOT NULL)",
    ),
    (
        "the results of each configuration are its own",
        "SELECT * FROM integration LEFT JOIN run AS active ON active.id = last_run_id
         LEFT JOIN run AS candidate ON candidate.id = candidate_run_id
         WHERE candidate.subject = 'active'
            OR (integration.status NOT IN
                    ('creating', 'createError', 'disabled', 'deleting', 'deleted')
                AND active.subject = 'candidate' AND active.status NOT IN ('passed', 'warning'))",
    ),
    (
        "only what fails belongs to an outage",
        "SELECT * FROM integration JOIN outage ON outage.id = outage_id
         WHERE status <> 'recurringValidationError' AND status = notified_status",
    ),
    (
        "what is validated is due some time, and nothing else is",
        "SELECT * FROM integration
         WHERE (next_run_at_ms IS NULL) <> (status IN ('deleting', 'deleted', 'disabled'))",
    ),
    (
        "facts are kept while they are those of a last passing run, and no longer",
        "SELECT * FROM fingerprint
         WHERE NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = fingerprint.id)",
    ),
    (
        "an enabled integration has an active configuration and no candidate",
        "SELECT * FROM integration LEFT JOIN configuration ON integration_id = id
         WHERE status IN ('enabled', 'recurringValidationError') AND pending_status IS NULL
            AND (active_config IS NULL OR candidate_config IS NOT NULL)",
    ),
];

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
    check(conn, INVARIANTS);
}

fn check(conn: &Connection, rules: &[(&str, &str)]) {
    for (what, sql) in rules {
        let count: i64 =
            conn.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |r| r.get(0)).unwrap();
        assert_eq!(count, 0, "{what}");
    }
}
