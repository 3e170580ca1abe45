-- Database as schema 2 left it, made by the daemon of the commit that introduced it; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1795979495769,1,204,'');
INSERT INTO "attempt" VALUES(2,1,1795979495767,3,204,'');
INSERT INTO "attempt" VALUES(3,1,1795979495780,0,204,'');
INSERT INTO "attempt" VALUES(4,1,1795979495780,2,204,'');
INSERT INTO "attempt" VALUES(5,1,1795979499055,1,204,'');
INSERT INTO "attempt" VALUES(6,1,1795979499075,0,204,'');
INSERT INTO "attempt" VALUES(7,1,1795979500072,1,204,'');
INSERT INTO "attempt" VALUES(8,1,1795979502039,0,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(9,1,1795979503086,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "delivery" VALUES(1,'evt_01a228b8-492e-76bd-9ab8-8dd815550f74','hook',1,1,'delivered',1795979495726,NULL,1,0,1795979495770);
INSERT INTO "delivery" VALUES(2,'evt_01a228b8-492e-7a0f-aa7b-2ee88ea536c7','hook',2,1,'delivered',1795979495726,NULL,1,0,1795979495770);
INSERT INTO "delivery" VALUES(3,'evt_01a228b8-4954-757c-998f-4e8c96f97d6b','hook',1,2,'delivered',1795979495770,NULL,1,0,1795979495780);
INSERT INTO "delivery" VALUES(4,'evt_01a228b8-4955-7a25-9fe9-cf5d47dcea2b','hook',2,2,'delivered',1795979495770,NULL,1,0,1795979495782);
INSERT INTO "delivery" VALUES(5,'evt_01a228b8-561b-71ee-b478-a0859465782e','hook',2,3,'delivered',1795979499035,NULL,1,0,1795979499056);
INSERT INTO "delivery" VALUES(6,'evt_01a228b8-563e-7cb5-9ea8-4c434445eca6','hook',1,3,'delivered',1795979499070,NULL,1,0,1795979499075);
INSERT INTO "delivery" VALUES(7,'evt_01a228b8-5a23-7343-9dc3-a28a516b6eee','hook',1,4,'delivered',1795979500067,NULL,1,0,1795979500073);
INSERT INTO "delivery" VALUES(8,'evt_01a228b8-61d1-7aa1-bf62-f189475a87f4','hook',2,4,'pending',1795979507099,NULL,1,0,NULL);
INSERT INTO "delivery" VALUES(9,'evt_01a228b8-65da-73bf-870e-dda6ddd6c00f','hook',1,5,'pending',1795979507271,NULL,1,0,NULL);
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
INSERT INTO "event" VALUES(1,'evt_01a228b8-492e-76bd-9ab8-8dd815550f74',1,1,'integration.status.changed',1795979495726,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:11:35.726Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":1,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a228b8-492e-7a0f-aa7b-2ee88ea536c7',2,1,'integration.status.changed',1795979495726,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:11:35.726Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":1,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a228b8-4954-757c-998f-4e8c96f97d6b',1,2,'integration.status.changed',1795979495764,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:11:35.764Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":2,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null}],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T19:11:35.755Z","durationMs":8},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(4,'evt_01a228b8-4955-7a25-9fe9-cf5d47dcea2b',2,2,'integration.status.changed',1795979495765,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:11:35.765Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":2,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null}],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T19:11:35.754Z","durationMs":10},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(5,'evt_01a228b8-561b-71ee-b478-a0859465782e',2,3,'integration.validation.failed',1795979499035,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:11:39.035Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":3,"incidentId":"inc_01a228b8-561b-7f0b-b7a6-51199da3f119","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."}],"run":{"id":9,"trigger":"schedule","startedAt":"2026-11-29T19:11:39.029Z","durationMs":6},"failingSince":"2026-11-29T19:11:39.029Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(6,'evt_01a228b8-563e-7cb5-9ea8-4c434445eca6',1,3,'integration.validation.failed',1795979499070,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:11:39.07Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":3,"incidentId":"inc_01a228b8-563e-7164-aacf-34bda1290506","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."}],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-29T19:11:39.065Z","durationMs":4},"failingSince":"2026-11-29T19:11:39.065Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(7,'evt_01a228b8-5a23-7343-9dc3-a28a516b6eee',1,4,'integration.validation.recovered',1795979500067,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:11:40.067Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":4,"incidentId":"inc_01a228b8-563e-7164-aacf-34bda1290506","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null}],"run":{"id":12,"trigger":"schedule","startedAt":"2026-11-29T19:11:40.063Z","durationMs":4},"failingSince":"2026-11-29T19:11:39.065Z","outageMs":1002,"group":null}}');
INSERT INTO "event" VALUES(8,'evt_01a228b8-61d1-7aa1-bf62-f189475a87f4',2,4,'integration.validation.recovered',1795979502033,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:11:42.033Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":4,"incidentId":"inc_01a228b8-561b-7f0b-b7a6-51199da3f119","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null}],"run":{"id":15,"trigger":"schedule","startedAt":"2026-11-29T19:11:42.028Z","durationMs":4},"failingSince":"2026-11-29T19:11:39.029Z","outageMs":3004,"group":null}}');
INSERT INTO "event" VALUES(9,'evt_01a228b8-65da-73bf-870e-dda6ddd6c00f',1,5,'integration.validation.failed',1795979503066,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:11:43.066Z","data":{"schemaVersion":1,"epoch":"f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca","sequence":5,"incidentId":"inc_01a228b8-65da-7145-9743-8a48b32a777e","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."}],"run":{"id":18,"trigger":"schedule","startedAt":"2026-11-29T19:11:43.062Z","durationMs":3},"failingSince":"2026-11-29T19:11:43.062Z","outageMs":null,"group":null}}');
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
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37225","s3Control":"http://127.0.0.1:37225","sts":"http://127.0.0.1:37225"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37225","s3Control":"http://127.0.0.1:37225","sts":"http://127.0.0.1:37225"},"name":"lake"}',1,NULL,NULL,'* * * * * *','UTC',1795979505061,'schedule',NULL,10,2,0,5,'inc_01a228b8-65da-7145-9743-8a48b32a777e',1795979503062,20,1795979495726);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37225","s3Control":"http://127.0.0.1:37225","sts":"http://127.0.0.1:37225"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37225","s3Control":"http://127.0.0.1:37225","sts":"http://127.0.0.1:37225"},"name":"pond"}',1,NULL,NULL,'* * * * * *','UTC',1795979505023,'schedule',NULL,10,0,3,4,NULL,NULL,19,1795979495726);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'f5ef56b2-a67e-4f6f-9ced-8f895dfbbaca',0,0);
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
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1795979502039,1795979500073);
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'F9636FB00D1402EB1069DEBFA4E47E0FB16DEEA0CA53FAD5CC013FDF2E29D3FC','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
INSERT INTO "report" VALUES(2,X'AC1B7880D71EE5A801B33664D8246920478072BEC01794D2DEA64B39144D4D01','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
INSERT INTO "report" VALUES(3,X'B1764032600928ED85507231589D629A3FCBD1F8382499892840E65FFB00D7B9','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
INSERT INTO "report" VALUES(4,X'FC6151F93271C221FC862A314483D4A4A6F473E2E82744C4032E7493C54567CA','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
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
INSERT INTO "run" VALUES(1,1,'candidate','change',1795979495755,8,'passed',NULL,'a passing run',1);
INSERT INTO "run" VALUES(2,2,'candidate','change',1795979495754,10,'passed',NULL,'a passing run',2);
INSERT INTO "run" VALUES(9,2,'active','schedule',1795979499029,6,'failed','missing','a definitive failure (missing) counts at once',3);
INSERT INTO "run" VALUES(10,1,'active','schedule',1795979499065,4,'failed','missing','a definitive failure (missing) counts at once',4);
INSERT INTO "run" VALUES(12,1,'active','schedule',1795979500063,4,'passed',NULL,'a passing run',1);
INSERT INTO "run" VALUES(15,2,'active','schedule',1795979502028,4,'passed',NULL,'a passing run',2);
INSERT INTO "run" VALUES(18,1,'active','schedule',1795979503062,3,'failed','missing','a definitive failure (missing) counts at once',4);
INSERT INTO "run" VALUES(19,2,'active','schedule',1795979504032,4,'passed',NULL,'a passing run',2);
INSERT INTO "run" VALUES(20,1,'active','schedule',1795979504070,4,'failed','missing','a definitive failure (missing) counts at once',4);
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795979495726,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795979495726,NULL,NULL);
INSERT INTO "transition" VALUES(3,1,'creating','enabled','candidatePassed',1795979495764,1,NULL);
INSERT INTO "transition" VALUES(4,2,'creating','enabled','candidatePassed',1795979495765,2,NULL);
INSERT INTO "transition" VALUES(5,2,'enabled','recurringValidationError','activeFailed',1795979499035,9,'inc_01a228b8-561b-7f0b-b7a6-51199da3f119');
INSERT INTO "transition" VALUES(6,1,'enabled','recurringValidationError','activeFailed',1795979499070,10,'inc_01a228b8-563e-7164-aacf-34bda1290506');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795979500067,12,'inc_01a228b8-563e-7164-aacf-34bda1290506');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795979502033,15,'inc_01a228b8-561b-7f0b-b7a6-51199da3f119');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795979503066,18,'inc_01a228b8-65da-7145-9743-8a48b32a777e');
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
CREATE INDEX integration_deleting ON integration (id) WHERE status = 'deleting';
CREATE INDEX integration_due ON integration (next_run_at_ms) WHERE next_run_at_ms IS NOT NULL;
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX run_integration ON run (integration_id);
CREATE INDEX run_report ON run (report_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX transition_at ON transition (at_ms);
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;
INSERT INTO "sqlite_sequence" VALUES('delivery',9);
INSERT INTO "sqlite_sequence" VALUES('event',9);
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 2;
PRAGMA application_id = 1919252065;
