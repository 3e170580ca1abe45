-- Database as schema 4 left it, made by the daemon of the commit that introduced it; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1795982413551,16,204,'');
INSERT INTO "attempt" VALUES(2,1,1795982413552,23,204,'');
INSERT INTO "attempt" VALUES(3,1,1795982413612,1,204,'');
INSERT INTO "attempt" VALUES(4,1,1795982413615,0,204,'');
INSERT INTO "attempt" VALUES(5,1,1795982416056,1,204,'');
INSERT INTO "attempt" VALUES(6,1,1795982416085,0,204,'');
INSERT INTO "attempt" VALUES(7,1,1795982417099,0,204,'');
INSERT INTO "attempt" VALUES(8,1,1795982419035,0,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(9,1,1795982420083,0,NULL,'no connection: Connection refused (os error 111)');
CREATE TABLE "delivery" (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES "event" (id),
    receiver TEXT NOT NULL,
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at_ms INTEGER,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    earlier INTEGER NOT NULL DEFAULT 0,
    ended_at_ms INTEGER,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
INSERT INTO "delivery" VALUES(1,'evt_01a228e4-ceaf-7ca9-a848-da855ddabbda','hook',1,1,'delivered',1795982413487,NULL,1,0,1795982413567);
INSERT INTO "delivery" VALUES(2,'evt_01a228e4-ceaf-70a2-9e94-18b437863a0f','hook',2,1,'delivered',1795982413487,NULL,1,0,1795982413575);
INSERT INTO "delivery" VALUES(3,'evt_01a228e4-cf08-7154-a23e-ac78d464d5ae','hook',1,2,'delivered',1795982413576,NULL,1,0,1795982413613);
INSERT INTO "delivery" VALUES(4,'evt_01a228e4-cf20-76a3-87ef-47bb8b4c90bf','hook',2,2,'delivered',1795982413600,NULL,1,0,1795982413615);
INSERT INTO "delivery" VALUES(5,'evt_01a228e4-d8a8-7b30-828a-4d907454b23f','hook',2,3,'delivered',1795982416040,NULL,1,0,1795982416057);
INSERT INTO "delivery" VALUES(6,'evt_01a228e4-d8d2-7f0e-addd-3847787bd649','hook',1,3,'delivered',1795982416082,NULL,1,0,1795982416085);
INSERT INTO "delivery" VALUES(7,'evt_01a228e4-dcc3-7bea-b953-77b25eb1dfd3','hook',1,4,'delivered',1795982417091,NULL,1,0,1795982417099);
INSERT INTO "delivery" VALUES(8,'evt_01a228e4-e459-72cd-8a94-93440567b498','hook',2,4,'pending',1795982424095,NULL,1,0,NULL);
INSERT INTO "delivery" VALUES(9,'evt_01a228e4-e871-79d5-a923-43fc9950c795','hook',1,5,'pending',1795982424268,NULL,1,0,NULL);
CREATE TABLE "event" (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (integration_id, sequence)
) STRICT;
INSERT INTO "event" VALUES(1,'evt_01a228e4-ceaf-7ca9-a848-da855ddabbda',1,1,'integration.status.changed',1795982413487,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:00:13.487Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":1,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a228e4-ceaf-70a2-9e94-18b437863a0f',2,1,'integration.status.changed',1795982413487,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:00:13.487Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":1,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a228e4-cf08-7154-a23e-ac78d464d5ae',1,2,'integration.status.changed',1795982413576,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:00:13.576Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":2,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T20:00:13.523Z","durationMs":53},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(4,'evt_01a228e4-cf20-76a3-87ef-47bb8b4c90bf',2,2,'integration.status.changed',1795982413600,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:00:13.6Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":2,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T20:00:13.515Z","durationMs":85},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(5,'evt_01a228e4-d8a8-7b30-828a-4d907454b23f',2,3,'integration.validation.failed',1795982416040,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:00:16.04Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":3,"incidentId":"inc_01a228e4-d8a8-7a6e-87fc-a0eb3316f0a5","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"Nothing that ends was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Looked for only when the other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"Nothing that ends was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Looked for only when the other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":7,"trigger":"schedule","startedAt":"2026-11-29T20:00:16.035Z","durationMs":4},"failingSince":"2026-11-29T20:00:16.035Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(6,'evt_01a228e4-d8d2-7f0e-addd-3847787bd649',1,3,'integration.validation.failed',1795982416082,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:00:16.082Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":3,"incidentId":"inc_01a228e4-d8d2-720b-97e6-37b94d7c4d51","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"Nothing that ends was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Looked for only when the other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"Nothing that ends was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Looked for only when the other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":8,"trigger":"schedule","startedAt":"2026-11-29T20:00:16.077Z","durationMs":5},"failingSince":"2026-11-29T20:00:16.077Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(7,'evt_01a228e4-dcc3-7bea-b953-77b25eb1dfd3',1,4,'integration.validation.recovered',1795982417091,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T20:00:17.091Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":4,"incidentId":"inc_01a228e4-d8d2-720b-97e6-37b94d7c4d51","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-29T20:00:17.087Z","durationMs":4},"failingSince":"2026-11-29T20:00:16.077Z","outageMs":1014,"group":null}}');
INSERT INTO "event" VALUES(8,'evt_01a228e4-e459-72cd-8a94-93440567b498',2,4,'integration.validation.recovered',1795982419033,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T20:00:19.033Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":4,"incidentId":"inc_01a228e4-d8a8-7a6e-87fc-a0eb3316f0a5","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":13,"trigger":"schedule","startedAt":"2026-11-29T20:00:19.028Z","durationMs":4},"failingSince":"2026-11-29T20:00:16.035Z","outageMs":2998,"group":null}}');
INSERT INTO "event" VALUES(9,'evt_01a228e4-e871-79d5-a923-43fc9950c795',1,5,'integration.validation.failed',1795982420081,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:00:20.081Z","data":{"schemaVersion":1,"epoch":"a87b2adf-2d0f-4807-b1f1-d9da410cc027","sequence":5,"incidentId":"inc_01a228e4-e871-733c-bb0d-df806bfe3881","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"Nothing that ends was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Looked for only when the other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"Nothing that ends was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Looked for only when the other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":16,"trigger":"schedule","startedAt":"2026-11-29T20:00:20.075Z","durationMs":5},"failingSince":"2026-11-29T20:00:20.075Z","outageMs":null,"group":null}}');
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:40977');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:40977');
CREATE TABLE fingerprint (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "fingerprint" VALUES(1,X'6368CBDECC01D624AC88E5829D2A25456BB07F37FCE6BBDA5E887E66B023F0C1','[{"kind":"address","of":"127.0.0.1","values":["127.0.0.1"]},{"kind":"latency","of":"127.0.0.1","values":["under 100 ms"]}]');
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
    created_at_ms INTEGER NOT NULL, fingerprint_id INTEGER REFERENCES fingerprint (id), fingerprint_at_ms INTEGER, expires_at_ms INTEGER, expires_what TEXT
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL)), told_status TEXT, hold_until_ms INTEGER, hold_by TEXT, warning_held INTEGER NOT NULL DEFAULT 0, flips TEXT NOT NULL DEFAULT '[]', flapping_since_ms INTEGER, flapping_until_ms INTEGER, suspect_since_ms INTEGER, suspect_class TEXT, own_fault TEXT, outage_id TEXT REFERENCES outage (id),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((active_config IS NULL) = (active_kind IS NULL)),
    CHECK ((active_config IS NULL) = (active_catalog IS NULL)),
    CHECK ((candidate_config IS NULL) = (candidate_catalog IS NULL))
) STRICT;
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:40977","s3Control":"http://127.0.0.1:40977","sts":"http://127.0.0.1:40977"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:40977","s3Control":"http://127.0.0.1:40977","sts":"http://127.0.0.1:40977"},"name":"lake"}',1,NULL,NULL,'* * * * * *','UTC',1795982422061,'schedule',NULL,9,2,0,5,'inc_01a228e4-e871-733c-bb0d-df806bfe3881',1795982420075,18,1795982413487,1,1795982419067,NULL,NULL,'recurringValidationError',NULL,NULL,0,'[1795982416082,1795982417091,1795982420081]',NULL,NULL,1795982420075,'missing',NULL,NULL);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:40977","s3Control":"http://127.0.0.1:40977","sts":"http://127.0.0.1:40977"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:40977","s3Control":"http://127.0.0.1:40977","sts":"http://127.0.0.1:40977"},"name":"pond"}',1,NULL,NULL,'* * * * * *','UTC',1795982422023,'schedule',NULL,9,0,3,4,NULL,NULL,17,1795982413487,1,1795982421026,NULL,NULL,'enabled',NULL,NULL,0,'[1795982416040,1795982419033]',NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'a87b2adf-2d0f-4807-b1f1-d9da410cc027',0,0);
CREATE TABLE outage (
    id TEXT NOT NULL PRIMARY KEY CHECK (id GLOB 'out_*'),
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('unreached', 'refused', 'expired')),
    since_ms INTEGER NOT NULL,
    settle_at_ms INTEGER,
    resolved_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE outage_member (
    outage_id TEXT NOT NULL REFERENCES outage (id) ON DELETE CASCADE,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    PRIMARY KEY (outage_id, integration_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE own_fault (
    fault TEXT NOT NULL PRIMARY KEY
        CHECK (fault IN ('network', 'clock', 'disk', 'descriptors', 'validation')),
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
    last_success_at_ms INTEGER,
    CHECK ((disabled_at_ms IS NULL) = (reason IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1795982419035,1795982417099);
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'5CAD186AA62271EF877E43CD1976AD55D99D445C859C4FB5DBBD49BA008D39CD','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(2,X'DD9CE710190B2C6B6BFC956485B03AFAE1FD020167F41505F1EC8CE2083329B9','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(3,X'956E53D77329B34188CE441CBE0E51CB582F87DD66FBBBC075D80F6C0E0B331F','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"Nothing that ends was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Looked for only when the other tests pass."}]}');
INSERT INTO "report" VALUES(4,X'B4A2DB43681DEC5518D5A245AEC6F8DF4E589927818B70E9E737C943723600FF','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"Nothing that ends was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Looked for only when the other tests pass."}]}');
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
, drift TEXT) STRICT;
INSERT INTO "run" VALUES(1,1,'candidate','change',1795982413523,53,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(2,2,'candidate','change',1795982413515,85,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(7,2,'active','schedule',1795982416035,4,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(8,1,'active','schedule',1795982416077,5,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(10,1,'active','schedule',1795982417087,4,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(13,2,'active','schedule',1795982419028,4,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(16,1,'active','schedule',1795982420075,5,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(17,2,'active','schedule',1795982421026,4,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(18,1,'active','schedule',1795982421065,4,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
CREATE TABLE silence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    integration_id INTEGER REFERENCES integration (id),
    selection TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
) STRICT;
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795982413487,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795982413487,NULL,NULL);
INSERT INTO "transition" VALUES(3,1,'creating','enabled','candidatePassed',1795982413576,1,NULL);
INSERT INTO "transition" VALUES(4,2,'creating','enabled','candidatePassed',1795982413600,2,NULL);
INSERT INTO "transition" VALUES(5,2,'enabled','recurringValidationError','activeFailed',1795982416040,7,'inc_01a228e4-d8a8-7a6e-87fc-a0eb3316f0a5');
INSERT INTO "transition" VALUES(6,1,'enabled','recurringValidationError','activeFailed',1795982416082,8,'inc_01a228e4-d8d2-720b-97e6-37b94d7c4d51');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795982417091,10,'inc_01a228e4-d8d2-720b-97e6-37b94d7c4d51');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795982419033,13,'inc_01a228e4-d8a8-7a6e-87fc-a0eb3316f0a5');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795982420081,16,'inc_01a228e4-e871-733c-bb0d-df806bfe3881');
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, sequence)
    WHERE state = 'pending' AND integration_id IS NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, sequence)
    WHERE state = 'pending';
CREATE INDEX event_created ON event (created_at_ms);
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE INDEX factor_value ON factor (kind, value);
CREATE INDEX integration_deleting ON integration (id) WHERE status = 'deleting';
CREATE INDEX integration_due ON integration (next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX integration_fingerprint ON integration (fingerprint_id)
    WHERE fingerprint_id IS NOT NULL;
CREATE INDEX integration_hold ON integration (hold_until_ms) WHERE hold_until_ms IS NOT NULL;
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE UNIQUE INDEX outage_open ON outage (kind, value, cause) WHERE resolved_at_ms IS NULL;
CREATE INDEX outage_resolved ON outage (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;
CREATE INDEX outage_settling ON outage (settle_at_ms)
    WHERE settle_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_report ON run (report_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX silence_open ON silence (until_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX transition_at ON transition (at_ms);
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;
INSERT INTO "sqlite_sequence" VALUES('delivery',9);
INSERT INTO "sqlite_sequence" VALUES('event',9);
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 4;
PRAGMA application_id = 1919252065;
