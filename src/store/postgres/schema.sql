-- Schema of the cluster's database, in one transaction. Instants end in _at_ms (or _since_ms, _until_ms) and count
-- milliseconds since 1970 in UTC; durations end in _ms. Words and JSON documents are TEXT, as in the files of SQLite.
-- References stand where no hot statement pays for them: a foreign key locks the row that it leads to.

CREATE SCHEMA revalidated;

-- Present instant by the clock of the server, the only one by which the nodes decide; tests put another in its place.
CREATE FUNCTION revalidated.clock_ms() RETURNS BIGINT LANGUAGE sql
    AS 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint';

-- The database itself. `integration_last` is the latest id of an integration: none is ever given twice.
CREATE TABLE revalidated.meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    schema BIGINT NOT NULL,
    epoch TEXT NOT NULL,
    sequence BIGINT NOT NULL DEFAULT 0,
    pruned_number BIGINT NOT NULL DEFAULT 0,
    integration_last BIGINT NOT NULL DEFAULT 0,
    -- The configuration in force: its number (0 before the first), its digest, and the node that put it in force.
    config_generation BIGINT NOT NULL DEFAULT 0,
    config_digest TEXT NOT NULL DEFAULT '',
    config_node TEXT NOT NULL DEFAULT '',
    config_at_ms BIGINT NOT NULL DEFAULT 0,
    -- Token of the move that filled this database from a file; NULL when it began empty.
    arrived TEXT,
    -- Token of the move out of this database, with its file and its instant: no daemon uses it any more.
    departed TEXT,
    departed_to TEXT,
    departed_machine TEXT,
    departed_at_ms BIGINT
);

-- Digest of each part of the configuration in force, such as `integration lake`, by which others are compared.
CREATE TABLE revalidated.config_part (
    name TEXT COLLATE "C" PRIMARY KEY,
    digest TEXT NOT NULL
);

-- Gates: rows that are locked where two transactions would miss each other. `events` orders event numbers by
-- commit, `config` lets one sync run at a time, `claim` orders claims of runs and changes of the configuration,
-- `own_fault` and `factor:KIND:VALUE` guard what is counted, `lane:RECEIVER` the messages in flight to a receiver;
-- of the nodes that find a chore to be done, the one that locks `release` or `prune` does it.
CREATE TABLE revalidated.gate (name TEXT PRIMARY KEY);
INSERT INTO revalidated.gate VALUES ('claim'), ('config'), ('events'), ('own_fault'), ('prune'), ('release');

-- Latest instant that the database ever showed, and the number of times that commits of it were lost. It is no part of
-- `meta`, so that a heartbeat does not wait for a transaction that numbers events.
CREATE TABLE revalidated.clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    high_ms BIGINT NOT NULL DEFAULT 0,
    losses BIGINT NOT NULL DEFAULT 0,
    -- Instants between which the latest loss lies.
    lost_from_ms BIGINT NOT NULL DEFAULT 0,
    lost_until_ms BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO revalidated.clock (one) VALUES (1);

-- Numbers of committed transactions, spread over a few rows so that they do not wait for each other.
CREATE TABLE revalidated.commits (
    slot INTEGER PRIMARY KEY,
    number BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO revalidated.commits (slot) SELECT generate_series(0, 31);

-- Nodes by name. `beat_at_ms` is by the clock of the database, all other instants are the node's own.
CREATE TABLE revalidated.node (
    name TEXT PRIMARY KEY,
    incarnation BIGINT NOT NULL,
    labels TEXT NOT NULL,
    -- Machine on which the number of a process means one process, and its name for people.
    machine TEXT NOT NULL,
    address TEXT NOT NULL,
    holder_pid INTEGER,
    holder_born BIGINT,
    version TEXT NOT NULL,
    beat BIGINT NOT NULL DEFAULT 0,
    -- NULL once it has closed the database in good order, or its leases were taken over.
    beat_at_ms BIGINT,
    -- Number of the configuration that it works by, or worked by last.
    generation BIGINT NOT NULL DEFAULT 0,
    -- Reason for which it begins and sends nothing, as it says with each heartbeat; '' while it works.
    waits_for TEXT NOT NULL DEFAULT '',
    -- True while a person wants it to begin and send nothing.
    draining BOOLEAN NOT NULL DEFAULT FALSE,
    -- True when its next reload is to put its configuration in force in any case.
    publishes BOOLEAN NOT NULL DEFAULT FALSE,
    -- Its life as it notes it, for commands beside it.
    pid INTEGER,
    born BIGINT,
    started_at_ms BIGINT,
    seen_at_ms BIGINT,
    stopped_at_ms BIGINT,
    reload TEXT,
    removals_allowed BIGINT,
    drop_ins TEXT,
    heartbeat TEXT
);

-- Facts of passing runs, once per distinct content.
CREATE TABLE revalidated.fingerprint (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
);

-- Several integrations that fail by one cause.
CREATE TABLE revalidated.outage (
    id TEXT COLLATE "C" PRIMARY KEY CHECK (id LIKE 'out\_%'),
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('unreached', 'refused', 'expired')),
    since_ms BIGINT NOT NULL,
    close_at_ms BIGINT,
    resolved_at_ms BIGINT
);
CREATE UNIQUE INDEX outage_open ON revalidated.outage (kind, value, cause) WHERE resolved_at_ms IS NULL;
CREATE INDEX outage_closing ON revalidated.outage (close_at_ms)
    WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
CREATE INDEX outage_resolved ON revalidated.outage (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;
CREATE INDEX outage_since ON revalidated.outage (since_ms);

-- One row per configured integration, which most runs leave as it is; rows of removed ones stay.
CREATE TABLE revalidated.integration (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    formerly TEXT,
    kind TEXT NOT NULL,
    auto_bootstrap BOOLEAN,
    labels TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN (
        'enabled', 'recurringValidationError', 'creating', 'createError', 'editing', 'editError',
        'migrating', 'migrateError', 'disabled', 'deleting', 'deleteError', 'deleted')),
    -- The error status that an operation has left, which a failure of the configuration in force covers.
    pending_status TEXT,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    -- The number of its latest event, and of its latest event of a status change.
    sequence BIGINT NOT NULL DEFAULT 0,
    transitions BIGINT NOT NULL DEFAULT 0,
    -- The open incident, and whether receivers wait for its end.
    incident_id TEXT,
    failing_since_ms BIGINT,
    incident_notified BOOLEAN NOT NULL DEFAULT FALSE,
    -- Start of the first consecutive failing run of the configuration in force, or of the only one, and its looks.
    first_failure_at_ms BIGINT,
    evidence TEXT,
    -- The same columns for the candidate beside it.
    candidate_failures BIGINT NOT NULL DEFAULT 0,
    candidate_passes BIGINT NOT NULL DEFAULT 0,
    candidate_run_id BIGINT,
    candidate_first_failure_at_ms BIGINT,
    candidate_evidence TEXT,
    -- The status of which receivers were notified last; it differs while notifications are muted.
    notified_status TEXT NOT NULL,
    -- While notifications are muted: when to look whether they still are, and by what.
    muted_until_ms BIGINT,
    muted_by TEXT,
    warning_muted BOOLEAN NOT NULL DEFAULT FALSE,
    -- The latest notified changes of status, as a JSON array of instants.
    flips TEXT NOT NULL DEFAULT '[]',
    flapping_since_ms BIGINT,
    flapping_until_ms BIGINT,
    -- The first of the consecutive failing runs, and the class of the latest.
    suspect_since_ms BIGINT,
    suspect_class TEXT,
    -- The fault on the daemon's own side that made the latest run inconclusive.
    own_fault TEXT,
    outage_id TEXT REFERENCES revalidated.outage (id),
    -- The facts of the last passing run.
    fingerprint_id BIGINT REFERENCES revalidated.fingerprint (id),
    created_at_ms BIGINT NOT NULL,
    -- Instant of the latest status change that is no longer kept; NULL while all of them are.
    history_since_ms BIGINT,
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL))
);
CREATE UNIQUE INDEX integration_name ON revalidated.integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_deleted_name ON revalidated.integration (name) WHERE status = 'deleted';
CREATE INDEX integration_deleting ON revalidated.integration (id) WHERE status = 'deleting';
CREATE INDEX integration_candidate_run ON revalidated.integration (candidate_run_id)
    WHERE candidate_run_id IS NOT NULL;
CREATE INDEX integration_muted ON revalidated.integration (muted_until_ms) WHERE muted_until_ms IS NOT NULL;
CREATE INDEX integration_suspect ON revalidated.integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE INDEX integration_own_fault ON revalidated.integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_outage ON revalidated.integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_fingerprint ON revalidated.integration (fingerprint_id)
    WHERE fingerprint_id IS NOT NULL;

-- What every run changes of an integration; each has its row. The queue: due at this instant, leased until that one,
-- and results are accepted under the token only. What a run changes is in no index but the one of due instants, so that
-- its beginning touches none (HOT).
CREATE TABLE revalidated.work (
    integration_id BIGINT PRIMARY KEY REFERENCES revalidated.integration (id),
    -- Labels of the nodes that may run it, as JSON with sorted keys; '' is every node.
    pool TEXT NOT NULL DEFAULT '',
    -- The host that its latest run was about, by which runs at one host are counted.
    host TEXT NOT NULL DEFAULT '',
    next_run_at_ms BIGINT,
    next_trigger TEXT NOT NULL CHECK (
        next_trigger IN ('schedule', 'confirm', 'startup', 'change', 'request')),
    lease_owner BIGINT,
    lease_token BIGINT,
    lease_until_ms BIGINT,
    -- Node that could not reach the platform, and the instant until which the next look is for others alone.
    elsewhere TEXT,
    elsewhere_until_ms BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    passes BIGINT NOT NULL DEFAULT 0,
    last_run_id BIGINT,
    -- When the last passing run began, and the next expiry, as far as is known.
    fingerprint_at_ms BIGINT,
    expires_at_ms BIGINT,
    expires_what TEXT,
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL)),
    CHECK ((elsewhere IS NULL) = (elsewhere_until_ms IS NULL))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX work_due ON revalidated.work (pool, next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX work_host ON revalidated.work (host) WHERE host <> '';

CREATE TABLE revalidated.configuration (
    integration_id BIGINT PRIMARY KEY REFERENCES revalidated.integration (id),
    config_shown TEXT NOT NULL,
    -- What passed last, and what is to take its place once it passes.
    active_kind TEXT,
    active_config TEXT,
    active_catalog BIGINT,
    active_shown TEXT,
    candidate_config TEXT,
    candidate_catalog BIGINT,
    CHECK ((active_config IS NULL) = (active_kind IS NULL)),
    CHECK ((active_config IS NULL) = (active_catalog IS NULL)),
    CHECK ((candidate_config IS NULL) = (candidate_catalog IS NULL))
);

-- What an integration may have in common with others.
CREATE TABLE revalidated.factor (
    integration_id BIGINT NOT NULL REFERENCES revalidated.integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
);
CREATE INDEX factor_value ON revalidated.factor (kind, value);

-- All expiries that the latest passing run saw.
CREATE TABLE revalidated.expiry (
    integration_id BIGINT NOT NULL REFERENCES revalidated.integration (id),
    at_ms BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (integration_id, at_ms, what)
);
CREATE INDEX expiry_at ON revalidated.expiry (at_ms);

CREATE TABLE revalidated.outage_member (
    outage_id TEXT NOT NULL REFERENCES revalidated.outage (id) ON DELETE CASCADE,
    integration_id BIGINT NOT NULL REFERENCES revalidated.integration (id),
    PRIMARY KEY (outage_id, integration_id)
);

-- Results, once per distinct content. Runs do not refer to their report, which is deleted once it is
-- unused, and has been for a day: `used_at_ms` is raised when it is older than an hour.
CREATE TABLE revalidated.report (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL,
    used_at_ms BIGINT NOT NULL
);
CREATE INDEX report_used ON revalidated.report (used_at_ms);

-- A recording takes two ids, the first of them from here: it has two runs at most.
CREATE SEQUENCE revalidated.run_id INCREMENT BY 2;

CREATE TABLE revalidated.run (
    id BIGINT PRIMARY KEY,
    integration_id BIGINT NOT NULL,
    subject TEXT NOT NULL CHECK (subject IN ('active', 'candidate')),
    trigger TEXT NOT NULL CHECK (trigger IN ('schedule', 'confirm', 'startup', 'change', 'request')),
    -- Token of the lease under which it was recorded.
    token BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('passed', 'failed', 'warning', 'skipped')),
    class TEXT CHECK (class IN (
        'denied', 'missing', 'invalid', 'expired', 'unreachable', 'throttled', 'unavailable', 'local')),
    rule TEXT NOT NULL,
    report_id BIGINT NOT NULL,
    -- What a failing run saw otherwise than the last passing one; NULL when nothing.
    drift TEXT,
    -- Time of each test in the order of the results, as LEB128: its milliseconds and one, zero where it was not run.
    took BYTEA,
    -- Looks that the verdict rests on, as JSON; NULL where nothing was in doubt.
    evidence TEXT
);
CREATE INDEX run_integration ON revalidated.run (integration_id, id);
CREATE INDEX run_started ON revalidated.run (started_at_ms);
CREATE INDEX run_notable ON revalidated.run (started_at_ms, id) WHERE status <> 'passed';
CREATE INDEX run_report ON revalidated.run (report_id);

CREATE TABLE revalidated.transition (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration_id BIGINT NOT NULL REFERENCES revalidated.integration (id),
    from_status TEXT,
    to_status TEXT NOT NULL,
    cause TEXT,
    at_ms BIGINT NOT NULL,
    -- NULL where no run caused it, or its run is no longer kept.
    run_id BIGINT,
    incident_id TEXT,
    CHECK ((from_status IS NULL) = (cause IS NULL))
);
CREATE INDEX transition_integration ON revalidated.transition (integration_id, id);
CREATE INDEX transition_at ON revalidated.transition (at_ms);
CREATE INDEX transition_run ON revalidated.transition (run_id) WHERE run_id IS NOT NULL;

-- The number orders all events by their commits (gate `events`) and is never used twice; the sequence counts those
-- about one integration, and those about none.
CREATE TABLE revalidated.event (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE CHECK (id LIKE 'evt\_%'),
    integration_id BIGINT REFERENCES revalidated.integration (id),
    sequence BIGINT NOT NULL,
    type TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX event_created ON revalidated.event (created_at_ms);
CREATE INDEX event_integration ON revalidated.event (integration_id, number) WHERE integration_id IS NOT NULL;
CREATE UNIQUE INDEX event_operational ON revalidated.event (sequence) WHERE integration_id IS NULL;

-- One row per receiver that is, or was, configured.
CREATE TABLE revalidated.receiver (
    name TEXT COLLATE "C" PRIMARY KEY,
    configured BOOLEAN NOT NULL,
    -- Table of the receiver in the configuration, as JSON without secrets.
    config TEXT,
    -- While it is disabled, what is pending for it waits.
    disabled_at_ms BIGINT,
    reason TEXT CHECK (reason IN ('gone', 'failing', 'manual')),
    -- Since then every attempt has failed.
    failing_since_ms BIGINT,
    last_success_at_ms BIGINT,
    failing_awake_ms BIGINT,
    probe_failures BIGINT NOT NULL DEFAULT 0,
    probe_awake_ms BIGINT,
    probe_at_ms BIGINT,
    CHECK ((disabled_at_ms IS NULL) = (reason IS NULL)),
    CHECK ((probe_at_ms IS NULL) = (probe_awake_ms IS NULL))
);

-- One event for one receiver (transactional outbox). It has neither a due instant nor a lease: its lane has both.
CREATE TABLE revalidated.delivery (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT COLLATE "C" NOT NULL REFERENCES revalidated.event (id),
    receiver TEXT COLLATE "C" NOT NULL,
    integration_id BIGINT,
    -- Number of the event, by which the deliveries of a lane are sent.
    number BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Attempts made before it was last queued anew.
    earlier BIGINT NOT NULL DEFAULT 0,
    ended_at_ms BIGINT,
    tried_awake_ms BIGINT,
    incident_id TEXT,
    began_id TEXT COLLATE "C" REFERENCES revalidated.event (id),
    format TEXT,
    ends BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
);
CREATE UNIQUE INDEX delivery_order ON revalidated.delivery (receiver, COALESCE(integration_id, 0), number)
    WHERE state = 'pending';
CREATE INDEX delivery_ended ON revalidated.delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_incident ON revalidated.delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE INDEX delivery_began ON revalidated.delivery (began_id) WHERE began_id IS NOT NULL;

-- Lane: the queue of the pending deliveries to one receiver about one integration (0: about none), in the order of
-- their numbers. Its head is the first of them, and alone may be sent: when it is due, under the lane's lease. While
-- nothing is pending `head_id`, `due_at_ms` and the lease are NULL. A transaction that changes deliveries of a lane
-- locks the lane before it looks; `lane.rs` has the statements.
CREATE TABLE revalidated.lane (
    receiver TEXT COLLATE "C" NOT NULL,
    integration_id BIGINT NOT NULL,
    head_id BIGINT,
    due_at_ms BIGINT,
    lease_owner BIGINT,
    lease_token BIGINT,
    lease_until_ms BIGINT,
    -- Until then an alert of the lane is being sent again, and no message of it is sent: an end must not overtake it.
    resend_until_ms BIGINT,
    PRIMARY KEY (receiver, integration_id),
    CHECK ((head_id IS NULL) = (due_at_ms IS NULL)),
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK (head_id IS NOT NULL OR lease_token IS NULL)
) WITH (fillfactor = 50);
CREATE INDEX lane_due ON revalidated.lane (receiver, due_at_ms) WHERE due_at_ms IS NOT NULL;

CREATE TABLE revalidated.attempt (
    delivery_id BIGINT NOT NULL REFERENCES revalidated.delivery (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    -- Token of the lease under which it was sent.
    token BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- Open incidents as each receiver knows them.
CREATE TABLE revalidated.incident_receiver (
    incident_id TEXT NOT NULL,
    receiver TEXT COLLATE "C" NOT NULL,
    integration_id BIGINT REFERENCES revalidated.integration (id),
    -- When the incident began, and the event that began it for the receiver.
    since_ms BIGINT NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL REFERENCES revalidated.event (id),
    -- NULL: the receiver's present format.
    format TEXT,
    wants_end BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'dead')),
    notified_at_ms BIGINT NOT NULL,
    reminders BIGINT NOT NULL DEFAULT 0,
    -- When more is to be sent, and when to look whether it may.
    due_at_ms BIGINT,
    look_at_ms BIGINT,
    -- When the beginning is to be sent again as it is.
    resend_at_ms BIGINT,
    PRIMARY KEY (incident_id, receiver)
);
CREATE INDEX incident_receiver_event ON revalidated.incident_receiver (event_id);
CREATE INDEX incident_receiver_look ON revalidated.incident_receiver (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE INDEX incident_receiver_resend ON revalidated.incident_receiver (receiver, resend_at_ms)
    WHERE resend_at_ms IS NOT NULL;

-- Silences and acknowledgements.
CREATE TABLE revalidated.silence (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    integration_id BIGINT REFERENCES revalidated.integration (id),
    selection TEXT NOT NULL,
    author TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    ended_at_ms BIGINT
);
CREATE INDEX silence_open ON revalidated.silence (until_ms) WHERE ended_at_ms IS NULL;

-- Faults on the daemons' own side that last: those of one node, and under '' those of all of them.
CREATE TABLE revalidated.own_fault (
    fault TEXT NOT NULL CHECK (fault IN (
        'network', 'clock', 'disk', 'descriptors', 'validation', 'configuration', 'backup', 'store',
        'region')),
    node TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (fault, node)
);

-- Integrations that a node alone could not reach while another one found them to work, until the node has looked at its
-- network: the latest of each.
CREATE TABLE revalidated.contradiction (
    node TEXT NOT NULL,
    integration_id BIGINT NOT NULL,
    host TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (node, integration_id)
);

-- Pools without a node that works, by their canonical texts: since when, and whether the fault that lasts names them.
CREATE TABLE revalidated.absence (
    pool TEXT PRIMARY KEY,
    since_ms BIGINT NOT NULL,
    notified BOOLEAN NOT NULL
);

-- The commands by which people changed something: who, when, and what it was about.
CREATE TABLE revalidated.audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    command TEXT NOT NULL,
    author TEXT NOT NULL,
    target TEXT NOT NULL,
    comment TEXT NOT NULL
);
CREATE INDEX audit_at ON revalidated.audit (at_ms);

-- Awake clock: the least instant that the wall clock showed within each hour for which nodes were awake.
CREATE TABLE revalidated.awake (
    hour BIGINT PRIMARY KEY,
    awake_ms BIGINT NOT NULL,
    least_at_ms BIGINT NOT NULL
);
