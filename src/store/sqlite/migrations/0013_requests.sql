-- People ask for runs (trigger `request`), mute ahead of time, and are remembered by name. The checks of the
-- triggers cannot be changed: new tables take over the rows, and the references of others go by the names.

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
    -- The error status that an operation has left, which a failure of the configuration in force covers.
    pending_status TEXT,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- The queue: due at this instant, leased until that one; results are accepted under the token only.
    next_run_at_ms INTEGER CHECK (
        next_run_at_ms IS NULL
        OR (status <> 'deleting' AND status <> 'deleted' AND status <> 'disabled')),
    next_trigger TEXT NOT NULL CHECK (
        next_trigger = 'schedule' OR next_trigger = 'confirm' OR next_trigger = 'startup'
        OR next_trigger = 'change' OR next_trigger = 'request'),
    lease_until_ms INTEGER,
    lease_owner INTEGER,
    lease_token INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 0,
    -- The number of its latest event, and of its latest event of a status change.
    sequence INTEGER NOT NULL DEFAULT 0,
    transitions INTEGER NOT NULL DEFAULT 0,
    -- The open incident, and whether receivers wait for its end.
    incident_id TEXT,
    failing_since_ms INTEGER,
    incident_notified INTEGER NOT NULL DEFAULT 0,
    last_run_id INTEGER REFERENCES run (id),
    -- Start of the first consecutive failing run of the configuration in force, or of the only one.
    first_failure_at_ms INTEGER,
    -- The same columns for the candidate beside it.
    candidate_failures INTEGER NOT NULL DEFAULT 0,
    candidate_passes INTEGER NOT NULL DEFAULT 0,
    candidate_run_id INTEGER REFERENCES run (id),
    candidate_first_failure_at_ms INTEGER,
    -- The status of which receivers were notified last; it differs while notifications are muted.
    notified_status TEXT NOT NULL,
    -- While notifications are muted: when to look whether they still are, and by what.
    muted_until_ms INTEGER,
    muted_by TEXT,
    warning_muted INTEGER NOT NULL DEFAULT 0,
    -- The latest notified changes of status, as a JSON array of instants.
    flips TEXT NOT NULL DEFAULT '[]',
    flapping_since_ms INTEGER,
    flapping_until_ms INTEGER,
    -- The first of the consecutive failing runs, and the class of the latest.
    suspect_since_ms INTEGER,
    suspect_class TEXT,
    -- The fault on the daemon's own side that made the latest run inconclusive.
    own_fault TEXT,
    outage_id TEXT REFERENCES outage (id),
    -- The facts of the last passing run, and when it began.
    fingerprint_id INTEGER REFERENCES fingerprint (id),
    fingerprint_at_ms INTEGER,
    -- The next expiry, as far as is known.
    expires_at_ms INTEGER,
    expires_what TEXT,
    created_at_ms INTEGER NOT NULL,
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO integration_new (
        id, name, kind, auto_bootstrap, labels, status, pending_status, cron, zone, next_run_at_ms,
        next_trigger, lease_until_ms, lease_owner, lease_token, failures, passes, sequence, transitions,
        incident_id, failing_since_ms, incident_notified, last_run_id, first_failure_at_ms,
        candidate_failures, candidate_passes, candidate_run_id, candidate_first_failure_at_ms,
        notified_status, muted_until_ms, muted_by, warning_muted, flips, flapping_since_ms,
        flapping_until_ms, suspect_since_ms, suspect_class, own_fault, outage_id, fingerprint_id,
        fingerprint_at_ms, expires_at_ms, expires_what, created_at_ms)
    SELECT
        id, name, kind, auto_bootstrap, labels, status, pending_status, cron, zone, next_run_at_ms,
        next_trigger, lease_until_ms, lease_owner, lease_token, failures, passes, sequence, transitions,
        incident_id, failing_since_ms, incident_notified, last_run_id, first_failure_at_ms,
        candidate_failures, candidate_passes, candidate_run_id, candidate_first_failure_at_ms,
        notified_status, muted_until_ms, muted_by, warning_muted, flips, flapping_since_ms,
        flapping_until_ms, suspect_since_ms, suspect_class, own_fault, outage_id, fingerprint_id,
        fingerprint_at_ms, expires_at_ms, expires_what, created_at_ms
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
        trigger = 'schedule' OR trigger = 'confirm' OR trigger = 'startup' OR trigger = 'change'
        OR trigger = 'request'),
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
INSERT INTO run_new SELECT * FROM run;
DROP TABLE run;
ALTER TABLE run_new RENAME TO run;

CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_deleted_name ON integration (name) WHERE status = 'deleted';
CREATE INDEX integration_due ON integration (next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX integration_deleting ON integration (id) WHERE status = 'deleting';
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_candidate_run ON integration (candidate_run_id)
    WHERE candidate_run_id IS NOT NULL;
CREATE INDEX integration_muted ON integration (muted_until_ms) WHERE muted_until_ms IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_fingerprint ON integration (fingerprint_id)
    WHERE fingerprint_id IS NOT NULL;
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX run_report ON run (report_id);

-- The commands by which people changed something: who, when, and what it was about.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    command TEXT NOT NULL,
    author TEXT NOT NULL,
    target TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;
CREATE INDEX audit_at ON audit (at_ms);

-- Who made a silence or an acknowledgement (empty before this version), and when it begins.
ALTER TABLE silence ADD COLUMN author TEXT NOT NULL DEFAULT '';
ALTER TABLE silence ADD COLUMN from_ms INTEGER NOT NULL DEFAULT 0;
UPDATE silence SET from_ms = created_at_ms;
