-- Database as schema 16 left it, made by a daemon of that time; runs that nothing refers to were deleted.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE "attempt" (
    delivery_id INTEGER NOT NULL REFERENCES "delivery" (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    command TEXT NOT NULL,
    author TEXT NOT NULL,
    target TEXT NOT NULL,
    comment TEXT NOT NULL
) STRICT;
CREATE TABLE awake (
    hour INTEGER PRIMARY KEY,
    awake_ms INTEGER NOT NULL,
    least_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "awake" VALUES(0,49945,9223372036854775807);
CREATE TABLE configuration (
    integration_id INTEGER PRIMARY KEY REFERENCES integration (id),
    config_shown TEXT NOT NULL,
    -- What passed last, and what is to take its place once it passes.
    active_kind TEXT,
    active_config TEXT,
    active_catalog INTEGER,
    candidate_config TEXT,
    candidate_catalog INTEGER, active_shown TEXT,
    CHECK ((active_config IS NULL) = (active_kind IS NULL)),
    CHECK ((active_config IS NULL) = (active_catalog IS NULL)),
    CHECK ((candidate_config IS NULL) = (candidate_catalog IS NULL))
) STRICT;
INSERT INTO "configuration" VALUES(1,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAIOSFODNN7EXAMPLE","awsAccountId":"123456789012","awsLocationPath":"s3://lake/raw*","awsLocationRole":"arn:aws:iam::123456789012:role/grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:1","s3Control":"http://127.0.0.1:1","sts":"http://127.0.0.1:1"},"name":"lakes"}',NULL,NULL,NULL,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAIOSFODNN7EXAMPLE","awsAccountId":"123456789012","awsLocationPath":"s3://lake/raw*","awsLocationRole":"arn:aws:iam::123456789012:role/grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"file":"/etc/revalidated/pw"},"endpoints":{"s3":"http://127.0.0.1:1","s3Control":"http://127.0.0.1:1","sts":"http://127.0.0.1:1"},"name":"lakes"}',1,NULL);
INSERT INTO "configuration" VALUES(2,'{"database":"pool","host":"127.0.0.1","password":"[REDACTED]","port":1,"schema":"immuta","username":"immuta"}',NULL,NULL,NULL,'{"database":"pool","host":"127.0.0.1","password":{"file":"/etc/revalidated/pw"},"port":1,"schema":"immuta","username":"immuta"}',1,NULL);
CREATE TABLE "delivery" (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES "event" (id),
    receiver TEXT NOT NULL,
    integration_id INTEGER REFERENCES integration (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at_ms INTEGER,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    earlier INTEGER NOT NULL DEFAULT 0,
    ended_at_ms INTEGER, lease_owner INTEGER, lease_token INTEGER
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)), incident_id TEXT, began_id TEXT REFERENCES event (id), format TEXT, ends INTEGER NOT NULL DEFAULT 0 CHECK (ends IN (0, 1)), number INTEGER NOT NULL DEFAULT 0, tried_awake_ms INTEGER,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
CREATE TABLE "event" (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "event" VALUES(1,'evt_01a226c8-4c31-7e61-8fd1-a6bd906347ea',1,0,'integration.status.changed',1795946990641,'{"type":"integration.status.changed","timestamp":"2026-11-29T10:09:50.641Z","data":{"schemaVersion":1,"epoch":"df50a84a-d147-4351-9088-6fdd23b652d4","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a226c8-4c31-7343-9266-f9acd60dafed',2,0,'integration.status.changed',1795946990641,'{"type":"integration.status.changed","timestamp":"2026-11-29T10:09:50.641Z","data":{"schemaVersion":1,"epoch":"df50a84a-d147-4351-9088-6fdd23b652d4","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pool","type":"Azure Synapse Analytics","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a226c8-4c31-7985-997e-dbe30f0a8170',NULL,1,'configuration.applied',1795946990641,'{"type":"configuration.applied","timestamp":"2026-11-29T10:09:50.641Z","data":{"schemaVersion":1,"epoch":"df50a84a-d147-4351-9088-6fdd23b652d4","sequence":1,"added":{"count":2,"names":["lake","pool"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":0,"names":[]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}}}');
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "factor" VALUES(1,'account','aws 123456789012');
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:1');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:1');
INSERT INTO "factor" VALUES(1,'principal','aws access key AKIAIOSFODNN7EXAMPLE');
INSERT INTO "factor" VALUES(2,'principal','synapse immuta@127.0.0.1:1');
INSERT INTO "factor" VALUES(1,'region','aws eu-central-1');
CREATE TABLE fingerprint (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
CREATE TABLE incident_receiver (
    incident_id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    integration_id INTEGER REFERENCES integration (id),
    -- When the incident began, and the event that began it for the receiver.
    since_ms INTEGER NOT NULL,
    event_id TEXT NOT NULL REFERENCES event (id),
    -- NULL: the receiver's present format.
    format TEXT,
    wants_end INTEGER NOT NULL CHECK (wants_end IN (0, 1)),
    state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'sent' OR state = 'dead'),
    notified_at_ms INTEGER NOT NULL,
    reminders INTEGER NOT NULL DEFAULT 0,
    -- When more is to be sent, and when to look whether it may.
    due_at_ms INTEGER,
    look_at_ms INTEGER,
    -- When the beginning is to be sent again as it is.
    resend_at_ms INTEGER,
    PRIMARY KEY (incident_id, receiver)
) STRICT, WITHOUT ROWID;
CREATE TABLE "integration" (
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
    created_at_ms INTEGER NOT NULL, formerly TEXT, evidence TEXT, candidate_evidence TEXT,
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','creating',NULL,'* * * * *','UTC',1795947063708,'schedule',NULL,NULL,NULL,3,0,0,1,NULL,NULL,0,4,1795946990648,0,0,NULL,NULL,'creating',NULL,NULL,0,'[]',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795946990641,NULL,'{"looks":[{"at":1795946990648,"seen":"unreachable","certain":false},{"at":1795947020651,"seen":"unreachable","certain":false}],"failing":false}',NULL);
INSERT INTO "integration" VALUES(2,'pool','Azure Synapse Analytics',0,'{}','creating',NULL,'0 * * * *','UTC',1795947118663,'confirm',NULL,NULL,NULL,2,0,0,1,NULL,NULL,0,5,1795946990649,0,0,NULL,NULL,'creating',NULL,NULL,0,'[]',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795946990641,NULL,'{"looks":[{"at":1795946990649,"seen":"unreachable"},{"at":1795947024658,"seen":"unreachable"}],"failing":false}',NULL);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'df50a84a-d147-4351-9088-6fdd23b652d4',1,0);
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
, pid INTEGER, born INTEGER, started_at_ms INTEGER, seen_at_ms INTEGER, stopped_at_ms INTEGER, reload TEXT, removals_allowed INTEGER, drop_ins TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "node" VALUES('local',8689386612488974415,3699,4794820,1795946990648,1795947040593,1795947040593,'{"number":0,"begunAt":"2026-11-29T10:09:50.641Z","endedAt":"2026-11-29T10:09:50.646Z","refused":null,"faults":[],"isConfiguration":false,"changes":{"added":{"count":2,"names":["lake","pool"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":0,"names":[]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}},"passedOver":[]}',NULL,NULL);
CREATE TABLE outage (
    id TEXT NOT NULL PRIMARY KEY CHECK (id GLOB 'out_*'),
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('unreached', 'refused', 'expired')),
    since_ms INTEGER NOT NULL,
    close_at_ms INTEGER,
    resolved_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE outage_member (
    outage_id TEXT NOT NULL REFERENCES outage (id) ON DELETE CASCADE,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    PRIMARY KEY (outage_id, integration_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE "own_fault" (
    fault TEXT NOT NULL PRIMARY KEY CHECK (
        fault = 'network' OR fault = 'clock' OR fault = 'disk' OR fault = 'descriptors'
        OR fault = 'validation' OR fault = 'configuration'),
    since_ms INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE receiver (
    name TEXT NOT NULL PRIMARY KEY,
    configured INTEGER NOT NULL CHECK (configured IN (0, 1)),
    -- While it is disabled, what it is owed waits.
    disabled_at_ms INTEGER,
    reason TEXT CHECK (reason IN ('gone', 'failing', 'manual')),
    -- Since then every attempt has failed.
    failing_since_ms INTEGER,
    last_success_at_ms INTEGER, failing_awake_ms INTEGER, probe_failures INTEGER NOT NULL DEFAULT 0, probe_awake_ms INTEGER, probe_at_ms INTEGER
    CHECK ((probe_at_ms IS NULL) = (probe_awake_ms IS NULL)), config TEXT,
    CHECK ((disabled_at_ms IS NULL) = (reason IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'A960F3252F260B22A589222FEE8D0D69622FF237D1A24ABC8654A12D27320E85','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"failed","message":"Unable to fetch the caller''s identity using STS: no connection: Connection refused (os error 111).","class":"unreachable"},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"skipped","message":"Not run because [The provided AWS credentials allow fetching the caller''s identity via the AWS STS API] did not pass."},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"skipped","message":"Not run because [The provided AWS credentials allow fetching the caller''s identity via the AWS STS API] did not pass."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"skipped","message":"Not run because [The provided AWS credentials allow fetching the caller''s identity via the AWS STS API] did not pass."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
INSERT INTO "report" VALUES(2,X'A53AA98A23552155E16DBAB6531888D4035FDB9034550232A8D6079563AA6741','{"tests":[{"name":"Initial validation: connect","status":"failed","message":"Unable to connect to host. No connection: Connection refused (os error 111).","class":"unreachable","remediation":"Check that firewalls and routes let this machine reach 127.0.0.1:1, and ports 11000 to 11999 where connections are redirected.","evidence":"no connection: Connection refused (os error 111)"},{"name":"Initial validation: delimiters test","status":"passed"},{"name":"Validate automatic: impersonation role does not exist","status":"skipped","message":"applies before set-up"},{"name":"Validate Immuta system user can manage database","status":"skipped","message":"Not run because [Initial validation: connect] did not pass."},{"name":"Recurring validation: impersonation role exists","status":"skipped","message":"impersonation is not enabled"},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
CREATE TABLE "run" (
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
INSERT INTO "run" VALUES(2,2,'candidate','change',1795946990649,4005,'failed','unreachable','a transient failure (unreachable): 25 of the 100 that a failure needs',2,NULL);
INSERT INTO "run" VALUES(3,1,'candidate','schedule',1795947003711,1311,'failed','unreachable','a transient failure (unreachable) too soon after the one before, which count once: 25 of the 100 that a failure needs',1,NULL);
INSERT INTO "run" VALUES(4,1,'candidate','confirm',1795947020651,1307,'failed','unreachable','a transient failure (unreachable) in look 2: 50 of the 100 that a failure needs',1,NULL);
INSERT INTO "run" VALUES(5,2,'candidate','confirm',1795947024658,4004,'failed','unreachable','a transient failure (unreachable) in look 2: 50 of the 100 that a failure needs',2,NULL);
CREATE TABLE silence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    integration_id INTEGER REFERENCES integration (id),
    selection TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
, author TEXT NOT NULL DEFAULT '', from_ms INTEGER NOT NULL DEFAULT 0) STRICT;
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795946990641,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795946990641,NULL,NULL);
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_at ON transition (at_ms);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX factor_value ON factor (kind, value);
CREATE UNIQUE INDEX outage_open ON outage (kind, value, cause) WHERE resolved_at_ms IS NULL;
CREATE INDEX outage_resolved ON outage (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;
CREATE INDEX silence_open ON silence (until_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX outage_closing ON outage (close_at_ms)
    WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
CREATE INDEX incident_receiver_event ON incident_receiver (event_id);
CREATE INDEX incident_receiver_look ON incident_receiver (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE INDEX incident_receiver_resend ON incident_receiver (receiver, resend_at_ms)
    WHERE resend_at_ms IS NOT NULL;
CREATE INDEX delivery_incident ON delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE INDEX delivery_began ON delivery (began_id) WHERE began_id IS NOT NULL;
CREATE INDEX event_created ON event (created_at_ms);
CREATE INDEX event_integration ON event (integration_id) WHERE integration_id IS NOT NULL;
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, number)
    WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, number)
    WHERE state = 'pending' AND integration_id IS NULL;
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
CREATE INDEX audit_at ON audit (at_ms);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',3);
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 16;
PRAGMA application_id = 1919252065;
