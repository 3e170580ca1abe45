-- Database as schema 1 left it, made by the last daemon that had it; most runs were deleted.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempt" VALUES(1,1,1795979615181,14,204,'');
INSERT INTO "attempt" VALUES(2,1,1795979615181,15,204,'');
INSERT INTO "attempt" VALUES(3,1,1795979615220,1,204,'');
INSERT INTO "attempt" VALUES(4,1,1795979615219,1,204,'');
INSERT INTO "attempt" VALUES(5,1,1795979618051,0,204,'');
INSERT INTO "attempt" VALUES(6,1,1795979618094,1,204,'');
INSERT INTO "attempt" VALUES(7,1,1795979619107,0,204,'');
INSERT INTO "attempt" VALUES(8,1,1795979621055,2,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(9,1,1795979622111,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "delivery" VALUES(1,'evt_01a228ba-1ba5-7b54-820e-06f78caa43ee','hook',1,1,'delivered',1795979615141,NULL,1,1795979615195);
INSERT INTO "delivery" VALUES(2,'evt_01a228ba-1ba5-7a74-a869-1de279942d22','hook',2,1,'delivered',1795979615141,NULL,1,1795979615196);
INSERT INTO "delivery" VALUES(3,'evt_01a228ba-1bd0-7556-9b76-66d7eb2595f5','hook',2,2,'delivered',1795979615196,NULL,1,1795979615221);
INSERT INTO "delivery" VALUES(4,'evt_01a228ba-1be1-7c67-af2e-7e07a1848366','hook',1,2,'delivered',1795979615201,NULL,1,1795979615220);
INSERT INTO "delivery" VALUES(5,'evt_01a228ba-26f4-7775-b458-5c8887e0e24f','hook',2,3,'delivered',1795979618036,NULL,1,1795979618051);
INSERT INTO "delivery" VALUES(6,'evt_01a228ba-2722-73a1-b869-3065312ade69','hook',1,3,'delivered',1795979618082,NULL,1,1795979618095);
INSERT INTO "delivery" VALUES(7,'evt_01a228ba-2b14-78a3-8a4a-cca6c4b87c95','hook',1,4,'delivered',1795979619092,NULL,1,1795979619107);
INSERT INTO "delivery" VALUES(8,'evt_01a228ba-32b1-79f1-9052-62df945777a8','hook',2,4,'pending',1795979626117,NULL,1,NULL);
INSERT INTO "delivery" VALUES(9,'evt_01a228ba-36d5-7906-9b35-e895644db522','hook',1,5,'pending',1795979626296,NULL,1,NULL);
CREATE TABLE event (
    id TEXT NOT NULL PRIMARY KEY CHECK (id GLOB 'evt_*'),
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (integration_id, sequence)
) STRICT;
INSERT INTO "event" VALUES('evt_01a228ba-1ba5-7b54-820e-06f78caa43ee',1,1,'integration.status.changed',1795979615141,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:13:35.141Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":1,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-1ba5-7a74-a869-1de279942d22',2,1,'integration.status.changed',1795979615141,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:13:35.141Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":1,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-1bd0-7556-9b76-66d7eb2595f5',2,2,'integration.status.changed',1795979615184,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:13:35.184Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":2,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null}],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T19:13:35.169Z","durationMs":15},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-1be1-7c67-af2e-7e07a1848366',1,2,'integration.status.changed',1795979615201,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:13:35.201Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":2,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null}],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T19:13:35.18Z","durationMs":21},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-26f4-7775-b458-5c8887e0e24f',2,3,'integration.validation.failed',1795979618036,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:13:38.036Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":3,"incidentId":"inc_01a228ba-26f4-79d5-ad4c-baccd2b1b4a6","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."}],"run":{"id":7,"trigger":"schedule","startedAt":"2026-11-29T19:13:38.027Z","durationMs":8},"failingSince":"2026-11-29T19:13:38.027Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-2722-73a1-b869-3065312ade69',1,3,'integration.validation.failed',1795979618082,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:13:38.082Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":3,"incidentId":"inc_01a228ba-2722-7b37-bcdc-c0b580403c72","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."}],"run":{"id":8,"trigger":"schedule","startedAt":"2026-11-29T19:13:38.071Z","durationMs":10},"failingSince":"2026-11-29T19:13:38.071Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-2b14-78a3-8a4a-cca6c4b87c95',1,4,'integration.validation.recovered',1795979619092,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:13:39.092Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":4,"incidentId":"inc_01a228ba-2722-7b37-bcdc-c0b580403c72","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null}],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-29T19:13:39.079Z","durationMs":13},"failingSince":"2026-11-29T19:13:38.071Z","outageMs":1021,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-32b1-79f1-9052-62df945777a8',2,4,'integration.validation.recovered',1795979621041,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:13:41.041Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":4,"incidentId":"inc_01a228ba-26f4-79d5-ad4c-baccd2b1b4a6","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null}],"run":{"id":13,"trigger":"schedule","startedAt":"2026-11-29T19:13:41.027Z","durationMs":13},"failingSince":"2026-11-29T19:13:38.027Z","outageMs":3014,"group":null}}');
INSERT INTO "event" VALUES('evt_01a228ba-36d5-7906-9b35-e895644db522',1,5,'integration.validation.failed',1795979622101,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:13:42.101Z","data":{"schemaVersion":1,"epoch":"9772f782-0a72-4820-8e5d-c325bc1dec4e","sequence":5,"incidentId":"inc_01a228ba-36d5-751b-aaea-e897aed4cb9d","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."}],"run":{"id":16,"trigger":"schedule","startedAt":"2026-11-29T19:13:42.065Z","durationMs":36},"failingSince":"2026-11-29T19:13:42.065Z","outageMs":null,"group":null}}');
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
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:34943","s3Control":"http://127.0.0.1:34943","sts":"http://127.0.0.1:34943"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:34943","s3Control":"http://127.0.0.1:34943","sts":"http://127.0.0.1:34943"},"name":"lake"}',1,NULL,NULL,'* * * * * *','UTC',1795979624061,'schedule',NULL,9,2,0,5,'inc_01a228ba-36d5-751b-aaea-e897aed4cb9d',1795979622065,18,1795979615141);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:34943","s3Control":"http://127.0.0.1:34943","sts":"http://127.0.0.1:34943"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:34943","s3Control":"http://127.0.0.1:34943","sts":"http://127.0.0.1:34943"},"name":"pond"}',1,NULL,NULL,'* * * * * *','UTC',1795979624023,'schedule',NULL,9,0,3,4,NULL,NULL,17,1795979615141);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
) STRICT;
INSERT INTO "meta" VALUES(1,'9772f782-0a72-4820-8e5d-c325bc1dec4e');
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'AC1B7880D71EE5A801B33664D8246920478072BEC01794D2DEA64B39144D4D01','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
INSERT INTO "report" VALUES(2,X'F9636FB00D1402EB1069DEBFA4E47E0FB16DEEA0CA53FAD5CC013FDF2E29D3FC','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."}]}');
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
INSERT INTO "run" VALUES(1,2,'candidate','change',1795979615169,15,'passed',NULL,'a passing run',1);
INSERT INTO "run" VALUES(2,1,'candidate','change',1795979615180,21,'passed',NULL,'a passing run',2);
INSERT INTO "run" VALUES(7,2,'active','schedule',1795979618027,8,'failed','missing','a definitive failure (missing) counts at once',3);
INSERT INTO "run" VALUES(8,1,'active','schedule',1795979618071,10,'failed','missing','a definitive failure (missing) counts at once',4);
INSERT INTO "run" VALUES(10,1,'active','schedule',1795979619079,13,'passed',NULL,'a passing run',2);
INSERT INTO "run" VALUES(13,2,'active','schedule',1795979621027,13,'passed',NULL,'a passing run',1);
INSERT INTO "run" VALUES(16,1,'active','schedule',1795979622065,36,'failed','missing','a definitive failure (missing) counts at once',4);
INSERT INTO "run" VALUES(17,2,'active','schedule',1795979623031,4,'passed',NULL,'a passing run',1);
INSERT INTO "run" VALUES(18,1,'active','schedule',1795979623063,3,'failed','missing','a definitive failure (missing) counts at once',4);
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795979615141,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795979615141,NULL,NULL);
INSERT INTO "transition" VALUES(3,2,'creating','enabled','candidatePassed',1795979615184,1,NULL);
INSERT INTO "transition" VALUES(4,1,'creating','enabled','candidatePassed',1795979615201,2,NULL);
INSERT INTO "transition" VALUES(5,2,'enabled','recurringValidationError','activeFailed',1795979618036,7,'inc_01a228ba-26f4-79d5-ad4c-baccd2b1b4a6');
INSERT INTO "transition" VALUES(6,1,'enabled','recurringValidationError','activeFailed',1795979618082,8,'inc_01a228ba-2722-7b37-bcdc-c0b580403c72');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795979619092,10,'inc_01a228ba-2722-7b37-bcdc-c0b580403c72');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795979621041,13,'inc_01a228ba-26f4-79d5-ad4c-baccd2b1b4a6');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795979622101,16,'inc_01a228ba-36d5-751b-aaea-e897aed4cb9d');
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, sequence)
    WHERE state = 'pending';
CREATE INDEX event_created ON event (created_at_ms);
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
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 1;
PRAGMA application_id = 1919252065;
