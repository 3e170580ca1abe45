-- A lease names its owner, one life of one node, and has a token that is never used again: a counter in
-- the row is set back with the row when a copy is restored, a random token is not. Nobody runs while a
-- file is migrated, so that all leases end here.

UPDATE integration SET lease_until_ms = NULL WHERE lease_until_ms IS NOT NULL;
ALTER TABLE integration DROP COLUMN fence;
ALTER TABLE integration ADD COLUMN lease_owner INTEGER;
ALTER TABLE integration ADD COLUMN lease_token INTEGER
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL));

UPDATE delivery SET lease_until_ms = NULL WHERE lease_until_ms IS NOT NULL;
ALTER TABLE delivery ADD COLUMN lease_owner INTEGER;
ALTER TABLE delivery ADD COLUMN lease_token INTEGER
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL));

-- The current life of each node, the owner of its leases.
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The class of faults on the daemon's own side is called `local`.
UPDATE integration SET suspect_class = 'local' WHERE suspect_class = 'ours';
CREATE TABLE run_new (
    id INTEGER PRIMARY KEY,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    subject TEXT NOT NULL CHECK (subject = 'active' OR subject = 'candidate'),
    trigger TEXT NOT NULL CHECK (
        trigger = 'schedule' OR trigger = 'confirm' OR trigger = 'startup' OR trigger = 'change'),
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (
        status = 'passed' OR status = 'failed' OR status = 'warning' OR status = 'skipped'),
    class TEXT CHECK (
        class = 'denied' OR class = 'missing' OR class = 'invalid' OR class = 'expired'
        OR class = 'unreachable' OR class = 'throttled' OR class = 'unavailable'
        OR class = 'local'),
    rule TEXT NOT NULL,
    report_id INTEGER NOT NULL REFERENCES report (id),
    -- What a failing run saw otherwise than the last passing one; NULL when nothing.
    drift TEXT
) STRICT;
INSERT INTO run_new
    SELECT id, integration_id, subject, trigger, started_at_ms, duration_ms, status,
           iif(class = 'ours', 'local', class), rule, report_id, drift
    FROM run;
DROP TABLE run;
ALTER TABLE run_new RENAME TO run;
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX run_report ON run (report_id);

-- Columns and indexes are called by the words of the glossary.
ALTER TABLE integration RENAME COLUMN told_status TO notified_status;
ALTER TABLE integration RENAME COLUMN hold_until_ms TO muted_until_ms;
ALTER TABLE integration RENAME COLUMN hold_by TO muted_by;
ALTER TABLE integration RENAME COLUMN warning_held TO warning_muted;
DROP INDEX integration_hold;
CREATE INDEX integration_muted ON integration (muted_until_ms) WHERE muted_until_ms IS NOT NULL;
ALTER TABLE outage RENAME COLUMN settle_at_ms TO close_at_ms;
DROP INDEX outage_settling;
CREATE INDEX outage_closing ON outage (close_at_ms)
    WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
