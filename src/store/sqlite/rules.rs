//! Rules that hold for the rows of every database, whatever happened.

use rusqlite::Connection;

use super::super::condition::BrokenRule;
use super::StoreError;

/// Rules, each with the rows that would contradict it.
const RULES: &[(&str, &str)] = &[
    (
        "every status change starts where the one before ended",
        "SELECT 1 FROM (
            SELECT from_status, history_since_ms, lag(to_status) OVER one AS before,
                   row_number() OVER one AS place
            FROM transition JOIN integration ON integration.id = integration_id
            WINDOW one AS (PARTITION BY integration_id ORDER BY transition.id))
         WHERE from_status IS NOT before AND NOT (place = 1 AND history_since_ms IS NOT NULL)",
    ),
    (
        "the latest status change ends at the status",
        "SELECT 1 FROM integration WHERE status <> (SELECT to_status FROM transition
            WHERE integration_id = integration.id ORDER BY id DESC LIMIT 1)",
    ),
    (
        "of the pending deliveries of one queue, the first and only it is due",
        "SELECT 1 FROM (SELECT due_at_ms, row_number() OVER (
            PARTITION BY receiver, integration_id ORDER BY number) AS place
            FROM delivery WHERE state = 'pending')
         WHERE (due_at_ms IS NOT NULL) <> (place = 1)",
    ),
    (
        "an incident is open exactly while it may be",
        "SELECT 1 FROM integration
         WHERE (status LIKE '%Error' AND incident_id IS NULL)
            OR (status IN ('disabled', 'deleted') AND incident_id IS NOT NULL)
            OR (status = 'enabled' AND incident_id IS NOT NULL AND NOT incident_notified)",
    ),
    (
        "receivers were notified of the status, or it is muted",
        "SELECT 1 FROM integration WHERE muted_until_ms IS NULL
            AND status NOT IN ('creating', 'editing', 'migrating', 'deleting')
            AND (notified_status <> status OR warning_muted OR flapping_since_ms IS NOT NULL)",
    ),
    (
        "the results of each configuration are its own",
        "SELECT 1 FROM integration LEFT JOIN run AS active ON active.id = last_run_id
         LEFT JOIN run AS candidate ON candidate.id = candidate_run_id
         WHERE candidate.subject = 'active'
            OR (integration.status NOT IN
                    ('creating', 'createError', 'disabled', 'deleting', 'deleted')
                AND active.subject = 'candidate' AND active.status NOT IN ('passed', 'warning'))",
    ),
    (
        "only integrations that fail belong to an outage",
        "SELECT 1 FROM integration JOIN outage ON outage.id = outage_id
         WHERE status <> 'recurringValidationError' AND status = notified_status",
    ),
    (
        "integrations that are validated are due some time, and no others are",
        "SELECT 1 FROM integration
         WHERE (next_run_at_ms IS NULL) <> (status IN ('deleting', 'deleted', 'disabled'))",
    ),
    (
        "facts are kept while they are those of a last passing run, and no longer",
        "SELECT 1 FROM fingerprint
         WHERE NOT EXISTS (SELECT 1 FROM integration WHERE fingerprint_id = fingerprint.id)",
    ),
    (
        "an enabled integration has an active configuration and no candidate",
        "SELECT 1 FROM integration LEFT JOIN configuration ON integration_id = id
         WHERE status IN ('enabled', 'recurringValidationError') AND pending_status IS NULL
            AND (active_config IS NULL OR candidate_config IS NOT NULL)",
    ),
    (
        "events of an integration are numbered without gaps",
        "SELECT 1 FROM event
         WHERE number > (SELECT pruned_number FROM meta) AND integration_id IS NOT NULL
         GROUP BY integration_id
         HAVING count(DISTINCT sequence) <> max(sequence) - min(sequence) + 1",
    ),
];

/// Returns the rules that rows break.
pub(super) fn broken(conn: &Connection) -> Result<Vec<BrokenRule>, StoreError> {
    let mut found = Vec::new();
    for (rule, sql) in RULES {
        let sql = format!("SELECT count(*) FROM ({sql})");
        let rows: i64 = conn.query_row(&sql, [], |row| row.get(0))?;
        let rows = u64::try_from(rows).unwrap_or_default();
        if 0 < rows {
            found.push(BrokenRule { rule, rows });
        }
    }
    Ok(found)
}
