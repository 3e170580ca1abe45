-- Every run reads and writes rows of `integration` and `run`, which are made lighter. Configurations,
-- which are seldom read, get a table of their own. Of the values that a check allows each is compared
-- with: for a list of more than two a table is made each time. Columns and checks cannot be dropped:
-- new tables take over the rows, and the references of others go by the names.

CREATE TABLE configuration (
    integration_id INTEGER PRIMARY KEY REFERENCES integration (id),
    config_shown TEXT NOT NULL,
    -- What passed last, and what is to take its place once it passes.
    active_kind TEXT,
    active_config TEXT,
    active_catalog INTEGER,
    candidate_config TEXT,
    candidate_catalog INTEGER,
    CHECK ((active_config IS NULL) = (active_kind IS NULL)),
    CHECK ((active_config IS NULL) = (active_catalog IS NULL)),
    CHECK ((candidate_config IS NULL) = (candidate_catalog IS NULL))
) STRICT;
INSERT INTO configuration
    SELECT id, config_shown, active_kind, active_config, active_catalog, candidate_config,
           candidate_catalog
    FROM integration;

-- One row per configured integration; rows of removed ones stay.
CREATE TABLE integration_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    auto_bootstrap INTEGER CHECK (auto_bootstrap IN (0, 1)),
    labels TEXT NOT NULL,
    status TEXT NOT NULL CHECK (
        status = 'enabled' OR status = 'recurringValidationError' OR status = 'creating'
        OR status = 'createError' OR status = 'editing' OR status = 'editError'
        OR status = 'migrating' OR status = 'migrateError' OR status = 'disabled'
        OR status = 'deleting' OR status = 'deleteError' OR status = 'deleted'),
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- The queue: due at this instant, taken until that one, results accepted under this fence only.
    next_run_at_ms INTEGER CHECK (
        next_run_at_ms IS NULL
        OR (status <> 'deleting' AND status <> 'deleted' AND status <> 'disabled')),
    next_trigger TEXT NOT NULL CHECK (
        next_trigger = 'schedule' OR next_trigger = 'confirm' OR next_trigger = 'startup'
        OR next_trigger = 'change'),
    lease_until_ms INTEGER,
    fence INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 0,
    -- The number of its latest event.
    sequence INTEGER NOT NULL DEFAULT 0,
    incident_id TEXT,
    failing_since_ms INTEGER,
    last_run_id INTEGER REFERENCES run (id),
    -- What receivers were told last; it differs from the status while a message is held.
    told_status TEXT NOT NULL,
    -- While a message is held: when to look whether it still must be, and by what it is.
    hold_until_ms INTEGER,
    hold_by TEXT,
    warning_held INTEGER NOT NULL DEFAULT 0,
    -- The changes of status that were told lately, as a JSON array of instants.
    flips TEXT NOT NULL DEFAULT '[]',
    flapping_since_ms INTEGER,
    flapping_until_ms INTEGER,
    -- The first of the failing runs in a row, and the class of the latest.
    suspect_since_ms INTEGER,
    suspect_class TEXT,
    -- What on the daemon's own side kept the latest run from telling anything.
    own_fault TEXT,
    outage_id TEXT REFERENCES outage (id),
    -- What the last passing run saw, and when.
    fingerprint_id INTEGER REFERENCES fingerprint (id),
    fingerprint_at_ms INTEGER,
    -- What ends next, as far as is known.
    expires_at_ms INTEGER,
    expires_what TEXT,
    created_at_ms INTEGER NOT NULL,
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO integration_new
    SELECT id, name, kind, auto_bootstrap, labels, status, cron, zone, next_run_at_ms, next_trigger,
           lease_until_ms, fence, failures, passes, sequence, incident_id, failing_since_ms,
           last_run_id, told_status, hold_until_ms, hold_by, warning_held, flips,
           flapping_since_ms, flapping_until_ms, suspect_since_ms, suspect_class, own_fault,
           outage_id, fingerprint_id, fingerprint_at_ms, expires_at_ms, expires_what, created_at_ms
    FROM integration;
-- Ids of deleted rows are not given again either.
DELETE FROM sqlite_sequence WHERE name = 'integration_new';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'integration_new', seq FROM sqlite_sequence WHERE name = 'integration';

DROP TABLE integration;
ALTER TABLE integration_new RENAME TO integration;

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
        OR class = 'ours'),
    rule TEXT NOT NULL,
    report_id INTEGER NOT NULL REFERENCES report (id),
    -- What a failing run saw otherwise than the last passing one; NULL when nothing.
    drift TEXT
) STRICT;
INSERT INTO run_new SELECT * FROM run;
DROP TABLE run;
ALTER TABLE run_new RENAME TO run;

CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_due ON integration (next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX integration_deleting ON integration (id) WHERE status = 'deleting';
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_hold ON integration (hold_until_ms) WHERE hold_until_ms IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_fingerprint ON integration (fingerprint_id)
    WHERE fingerprint_id IS NOT NULL;
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX run_report ON run (report_id);
