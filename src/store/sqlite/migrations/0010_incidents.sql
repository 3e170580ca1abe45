-- Every error status is an incident, status changes have numbers of their own, and each of two
-- configurations has results of its own.

-- A status change repeats the number of the event before it: the order is that of `number`.
CREATE TABLE event_new (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO event_new (number, id, integration_id, sequence, type, created_at_ms, body)
    SELECT number, id, integration_id, sequence, type, created_at_ms, body FROM event
    ORDER BY number;
-- Numbers of deleted events are not given again.
DELETE FROM sqlite_sequence WHERE name = 'event_new';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'event_new', seq FROM sqlite_sequence WHERE name = 'event';
DROP TABLE event;
ALTER TABLE event_new RENAME TO event;
CREATE INDEX event_created ON event (created_at_ms);
CREATE INDEX event_integration ON event (integration_id) WHERE integration_id IS NOT NULL;
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;

-- The number of its event orders the deliveries of a queue.
ALTER TABLE delivery ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET number = (SELECT event.number FROM event WHERE event.id = event_id);
DROP INDEX delivery_order;
DROP INDEX delivery_operational;
ALTER TABLE delivery DROP COLUMN sequence;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, number)
    WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, number)
    WHERE state = 'pending' AND integration_id IS NULL;

-- The error status that an operation has left, which a failure of the configuration in force covers.
ALTER TABLE integration ADD COLUMN pending_status TEXT;
-- Number of its latest event of a status change.
ALTER TABLE integration ADD COLUMN transitions INTEGER NOT NULL DEFAULT 0;
-- Receivers wait for the end of the open incident.
ALTER TABLE integration ADD COLUMN incident_notified INTEGER NOT NULL DEFAULT 0;
-- Start of the first consecutive failing run of the configuration in force, or of the only one.
ALTER TABLE integration ADD COLUMN first_failure_at_ms INTEGER;
-- The same columns for the candidate beside it.
ALTER TABLE integration ADD COLUMN candidate_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integration ADD COLUMN candidate_passes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE integration ADD COLUMN candidate_run_id INTEGER REFERENCES run (id);
ALTER TABLE integration ADD COLUMN candidate_first_failure_at_ms INTEGER;
CREATE INDEX integration_candidate_run ON integration (candidate_run_id)
    WHERE candidate_run_id IS NOT NULL;
-- The active configuration as users see it.
ALTER TABLE configuration ADD COLUMN active_shown TEXT;
UPDATE configuration SET active_shown = config_shown
    WHERE active_config IS NOT NULL AND candidate_config IS NULL;

UPDATE integration SET pending_status = status
    WHERE status IN ('editError', 'migrateError', 'deleteError');
UPDATE integration SET incident_notified = 1
    WHERE incident_id IS NOT NULL
      AND (notified_status <> 'enabled' OR flapping_since_ms IS NOT NULL);
UPDATE integration SET first_failure_at_ms = coalesce(suspect_since_ms, failing_since_ms)
    WHERE status IN ('enabled', 'recurringValidationError');
UPDATE integration SET
    candidate_failures = failures, candidate_passes = passes, failures = 0, passes = 0,
    candidate_run_id = (
        SELECT max(id) FROM run WHERE integration_id = integration.id AND subject = 'candidate')
    WHERE status IN ('editing', 'editError', 'migrating', 'migrateError');
UPDATE integration SET last_run_id = (
        SELECT max(id) FROM run
        WHERE integration_id = integration.id
          AND (subject = 'active' OR status IN ('passed', 'warning')))
    WHERE status IN ('editing', 'editError', 'migrating', 'migrateError');
