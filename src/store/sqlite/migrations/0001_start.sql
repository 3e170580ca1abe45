-- Instants end in _at_ms (or _since_ms, _until_ms) and count milliseconds since 1970 in UTC; durations end in _ms.

-- The database itself.
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
) STRICT;

-- Results, once per distinct content.
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;

-- One row per configured integration; rows of removed ones stay.
CREATE TABLE integration (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    auto_bootstrap INTEGER CHECK (auto_bootstrap IN (0, 1)),
    labels TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN (
        'createError', 'creating', 'deleted', 'deleteError', 'deleting', 'disabled',
        'editing', 'editError', 'enabled', 'migrateError', 'migrating', 'recurringValidationError')),
    config_shown TEXT NOT NULL,
    -- What passed last, and what is to take its place once it passes.
    active_kind TEXT,
    active_config TEXT,
    active_catalog INTEGER,
    candidate_config TEXT,
    candidate_catalog INTEGER,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- The queue: due at this instant, taken until that one, results accepted under this fence only.
    next_run_at_ms INTEGER CHECK (
        next_run_at_ms IS NULL OR status NOT IN ('deleting', 'deleted', 'disabled')),
    next_trigger TEXT NOT NULL CHECK (next_trigger IN ('schedule', 'confirm', 'startup', 'change')),
    lease_until_ms INTEGER,
    fence INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 0,
    -- The number of its latest event.
    sequence INTEGER NOT NULL DEFAULT 0,
    incident_id TEXT,
    failing_since_ms INTEGER,
    last_run_id INTEGER REFERENCES run (id),
    created_at_ms INTEGER NOT NULL,
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((active_config IS NULL) = (active_kind IS NULL)),
    CHECK ((active_config IS NULL) = (active_catalog IS NULL)),
    CHECK ((candidate_config IS NULL) = (candidate_catalog IS NULL))
) STRICT;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_due ON integration (next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX integration_deleting ON integration (id) WHERE status = 'deleting';
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    subject TEXT NOT NULL CHECK (subject IN ('active', 'candidate')),
    trigger TEXT NOT NULL CHECK (trigger IN ('schedule', 'confirm', 'startup', 'change')),
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'warning', 'skipped')),
    class TEXT CHECK (class IN (
        'denied', 'missing', 'invalid', 'expired', 'unreachable', 'throttled', 'unavailable', 'ours')),
    rule TEXT NOT NULL,
    report_id INTEGER NOT NULL REFERENCES report (id)
) STRICT;
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX run_report ON run (report_id);

CREATE TABLE transition (
    id INTEGER PRIMARY KEY,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    from_status TEXT,
    to_status TEXT NOT NULL,
    cause TEXT,
    at_ms INTEGER NOT NULL,
    run_id INTEGER REFERENCES run (id) ON DELETE SET NULL,
    incident_id TEXT,
    CHECK ((from_status IS NULL) = (cause IS NULL))
) STRICT;
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_at ON transition (at_ms);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE event (
    id TEXT NOT NULL PRIMARY KEY CHECK (id GLOB 'evt_*'),
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (integration_id, sequence)
) STRICT;
CREATE INDEX event_created ON event (created_at_ms);

-- One event owed to one receiver. While another delivery about the same integration has to reach
-- the receiver first, due_at_ms is NULL.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES event (id),
    receiver TEXT NOT NULL,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at_ms INTEGER,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    ended_at_ms INTEGER,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, sequence)
    WHERE state = 'pending';
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
