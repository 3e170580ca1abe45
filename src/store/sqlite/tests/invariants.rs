//! Rules that hold for every database, whatever happened.

use super::*;

/// Rules, each with the rows that would contradict it.
const INVARIANTS: &[(&str, &str)] = &[
    ("foreign keys hold", "SELECT * FROM pragma_foreign_key_check"),
    (
        "events are numbered without gaps",
        "SELECT integration.id FROM integration LEFT JOIN event ON integration_id = integration.id
         GROUP BY integration.id
         HAVING count(event.id) <> integration.sequence
             OR coalesce(min(event.sequence), 1) <> 1
             OR coalesce(max(event.sequence), 0) <> integration.sequence",
    ),
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
            PARTITION BY receiver, integration_id ORDER BY sequence) AS place
            FROM delivery WHERE state = 'pending')
         WHERE (due_at_ms IS NOT NULL) <> (place = 1)",
    ),
    (
        "an incident is open exactly while it may be",
        "SELECT * FROM integration
         WHERE (status = 'recurringValidationError' AND incident_id IS NULL)
            OR (status IN ('disabled', 'deleted') AND incident_id IS NOT NULL)
            OR (status = 'enabled' AND incident_id IS NOT NULL
                AND notified_status = 'enabled' AND flapping_since_ms IS NULL)",
    ),
    (
        "receivers were notified of the status, or it is muted",
        "SELECT * FROM integration WHERE muted_until_ms IS NULL
            AND (notified_status <> status OR warning_muted OR flapping_since_ms IS NOT NULL)",
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
         WHERE status IN ('enabled', 'recurringValidationError')
            AND (active_config IS NULL OR candidate_config IS NOT NULL)",
    ),
];

/// Fails when one does not hold.
pub(super) fn check_invariants(conn: &Connection) {
    for (what, sql) in INVARIANTS {
        let count: i64 =
            conn.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |r| r.get(0)).unwrap();
        assert_eq!(count, 0, "{what}");
    }
}
