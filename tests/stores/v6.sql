-- Database as schema 6 left it, made by the daemon of the commit that introduced it; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1795982520471,3,204,'');
INSERT INTO "attempt" VALUES(2,1,1795982520472,6,204,'');
INSERT INTO "attempt" VALUES(3,1,1795982520495,1,204,'');
INSERT INTO "attempt" VALUES(4,1,1795982520495,0,204,'');
INSERT INTO "attempt" VALUES(5,1,1795982523173,1,204,'');
INSERT INTO "attempt" VALUES(6,1,1795982524050,4,204,'');
INSERT INTO "attempt" VALUES(7,1,1795982524160,0,204,'');
INSERT INTO "attempt" VALUES(8,1,1795982526040,0,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(9,1,1795982526188,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "configuration" VALUES(1,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:46135","s3Control":"http://127.0.0.1:46135","sts":"http://127.0.0.1:46135"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:46135","s3Control":"http://127.0.0.1:46135","sts":"http://127.0.0.1:46135"},"name":"lake"}',1,NULL,NULL);
INSERT INTO "configuration" VALUES(2,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:46135","s3Control":"http://127.0.0.1:46135","sts":"http://127.0.0.1:46135"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:46135","s3Control":"http://127.0.0.1:46135","sts":"http://127.0.0.1:46135"},"name":"pond"}',1,NULL,NULL);
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
    ended_at_ms INTEGER, lease_owner INTEGER, lease_token INTEGER
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
INSERT INTO "delivery" VALUES(1,'evt_01a228e6-708b-7b9f-a7c3-d2f49c2e566c','hook',1,1,'delivered',1795982520459,NULL,1,0,1795982520474,NULL,NULL);
INSERT INTO "delivery" VALUES(2,'evt_01a228e6-708b-7b10-971a-3233e120f446','hook',2,1,'delivered',1795982520459,NULL,1,0,1795982520478,NULL,NULL);
INSERT INTO "delivery" VALUES(3,'evt_01a228e6-70a7-71ed-b571-40139c23307c','hook',2,2,'delivered',1795982520487,NULL,1,0,1795982520496,NULL,NULL);
INSERT INTO "delivery" VALUES(4,'evt_01a228e6-70a7-7e9d-886b-2adf89b5410b','hook',1,2,'delivered',1795982520487,NULL,1,0,1795982520495,NULL,NULL);
INSERT INTO "delivery" VALUES(5,'evt_01a228e6-7b12-73f8-b2c5-050484f80515','hook',1,3,'delivered',1795982523154,NULL,1,0,1795982523174,NULL,NULL);
INSERT INTO "delivery" VALUES(6,'evt_01a228e6-7e8f-777e-b7f9-6f68ed3987e2','hook',2,3,'delivered',1795982524047,NULL,1,0,1795982524054,NULL,NULL);
INSERT INTO "delivery" VALUES(7,'evt_01a228e6-7efd-7484-a81b-d66c7e709ed6','hook',1,4,'delivered',1795982524157,NULL,1,0,1795982524160,NULL,NULL);
INSERT INTO "delivery" VALUES(8,'evt_01a228e6-8656-7c2a-a57b-372104c1fa9a','hook',2,4,'pending',1795982531100,NULL,1,0,NULL,NULL,NULL);
INSERT INTO "delivery" VALUES(9,'evt_01a228e6-86cf-71b4-ab1e-56c148d0bafd','hook',1,5,'pending',1795982530373,NULL,1,0,NULL,NULL,NULL);
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
INSERT INTO "event" VALUES(1,'evt_01a228e6-708b-7b9f-a7c3-d2f49c2e566c',1,1,'integration.status.changed',1795982520459,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:02:00.459Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":1,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a228e6-708b-7b10-971a-3233e120f446',2,1,'integration.status.changed',1795982520459,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:02:00.459Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":1,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a228e6-70a7-71ed-b571-40139c23307c',2,2,'integration.status.changed',1795982520487,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:02:00.487Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":2,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T20:02:00.475Z","durationMs":11},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(4,'evt_01a228e6-70a7-7e9d-886b-2adf89b5410b',1,2,'integration.status.changed',1795982520487,'{"type":"integration.status.changed","timestamp":"2026-11-29T20:02:00.487Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":2,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T20:02:00.477Z","durationMs":10},"failingSince":null,"outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(5,'evt_01a228e6-7b12-73f8-b2c5-050484f80515',1,3,'integration.validation.failed',1795982523154,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:02:03.154Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":3,"incidentId":"inc_01a228e6-7b12-73f8-b2c5-050484f80514","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":8,"trigger":"schedule","startedAt":"2026-11-29T20:02:03.135Z","durationMs":18},"failingSince":"2026-11-29T20:02:03.135Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(6,'evt_01a228e6-7e8f-777e-b7f9-6f68ed3987e2',2,3,'integration.validation.failed',1795982524047,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:02:04.047Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":3,"incidentId":"inc_01a228e6-7e8f-777e-b7f9-6f68ed3987e1","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":9,"trigger":"schedule","startedAt":"2026-11-29T20:02:04.037Z","durationMs":10},"failingSince":"2026-11-29T20:02:04.037Z","outageMs":null,"group":null}}');
INSERT INTO "event" VALUES(7,'evt_01a228e6-7efd-7484-a81b-d66c7e709ed6',1,4,'integration.validation.recovered',1795982524157,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T20:02:04.157Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":4,"incidentId":"inc_01a228e6-7b12-73f8-b2c5-050484f80514","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-29T20:02:04.149Z","durationMs":7},"failingSince":"2026-11-29T20:02:03.135Z","outageMs":1022,"group":null}}');
INSERT INTO "event" VALUES(8,'evt_01a228e6-8656-7c2a-a57b-372104c1fa9a',2,4,'integration.validation.recovered',1795982526038,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T20:02:06.038Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":4,"incidentId":"inc_01a228e6-7e8f-777e-b7f9-6f68ed3987e1","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":13,"trigger":"schedule","startedAt":"2026-11-29T20:02:06.032Z","durationMs":5},"failingSince":"2026-11-29T20:02:04.037Z","outageMs":2001,"group":null}}');
INSERT INTO "event" VALUES(9,'evt_01a228e6-86cf-71b4-ab1e-56c148d0bafd',1,5,'integration.validation.failed',1795982526159,'{"type":"integration.validation.failed","timestamp":"2026-11-29T20:02:06.159Z","data":{"schemaVersion":1,"epoch":"a3a75faa-0d99-4a01-aff8-4be15cbebb31","sequence":5,"incidentId":"inc_01a228e6-86cf-71b4-ab1e-56c148d0bafc","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":14,"trigger":"schedule","startedAt":"2026-11-29T20:02:06.153Z","durationMs":5},"failingSince":"2026-11-29T20:02:06.153Z","outageMs":null,"group":null}}');
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "factor" VALUES(1,'account','aws 111122223333');
INSERT INTO "factor" VALUES(2,'account','aws 111122223333');
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:46135');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:46135');
INSERT INTO "factor" VALUES(1,'principal','aws access key AKIAREVALIDATEDDEMO1');
INSERT INTO "factor" VALUES(2,'principal','aws access key AKIAREVALIDATEDDEMO1');
INSERT INTO "factor" VALUES(1,'region','aws eu-central-1');
INSERT INTO "factor" VALUES(2,'region','aws eu-central-1');
CREATE TABLE fingerprint (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "fingerprint" VALUES(1,X'5E6D8426F8722025D101C248BE156A5003EC1935E8C0B63A4E2E1C5A4C0F9911','[{"kind":"address","of":"127.0.0.1","values":["127.0.0.1"]},{"kind":"principal","of":"","values":["arn:aws:iam::111122223333:user/demo"]},{"kind":"principal","of":"id","values":["AIDADEMO"]},{"kind":"grant","of":"s3://bkt-pond/lake/","values":["s3:ListBucket"]},{"kind":"grant","of":"s3://bkt-pond/lake/*","values":["location location-1","role arn:aws:iam::111122223333:role/demo-access-grants"]},{"kind":"latency","of":"127.0.0.1","values":["under 100 ms"]}]');
INSERT INTO "fingerprint" VALUES(2,X'56764154CD9DA77D179ECA1BA2F14C9B1D6F513C9C087ACDA5CD69F69FFECE43','[{"kind":"address","of":"127.0.0.1","values":["127.0.0.1"]},{"kind":"principal","of":"","values":["arn:aws:iam::111122223333:user/demo"]},{"kind":"principal","of":"id","values":["AIDADEMO"]},{"kind":"grant","of":"s3://bkt-lake/lake/","values":["s3:ListBucket"]},{"kind":"grant","of":"s3://bkt-lake/lake/*","values":["location location-0","role arn:aws:iam::111122223333:role/demo-access-grants"]},{"kind":"latency","of":"127.0.0.1","values":["under 100 ms"]}]');
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
    failures INTEGER NOT NULL DEFAULT 0,
    passes INTEGER NOT NULL DEFAULT 0,
    -- The number of its latest event.
    sequence INTEGER NOT NULL DEFAULT 0,
    incident_id TEXT,
    failing_since_ms INTEGER,
    last_run_id INTEGER REFERENCES run (id),
    -- What receivers were told last; it differs from the status while a message is held.
    notified_status TEXT NOT NULL,
    -- While a message is held: when to look whether it still must be, and by what it is.
    muted_until_ms INTEGER,
    muted_by TEXT,
    warning_muted INTEGER NOT NULL DEFAULT 0,
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
    created_at_ms INTEGER NOT NULL, lease_owner INTEGER, lease_token INTEGER
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError','* * * * * *','UTC',1795982528061,'schedule',NULL,2,0,5,'inc_01a228e6-86cf-71b4-ab1e-56c148d0bafc',1795982526153,16,'recurringValidationError',NULL,NULL,0,'[1795982523154,1795982524157,1795982526159]',NULL,NULL,1795982526153,'missing',NULL,NULL,2,1795982525107,NULL,NULL,1795982520459,NULL,NULL);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled','* * * * * *','UTC',1795982528023,'schedule',NULL,0,2,4,NULL,NULL,15,'enabled',NULL,NULL,0,'[1795982524047,1795982526038]',NULL,NULL,NULL,NULL,NULL,NULL,1,1795982527026,NULL,NULL,1795982520459,NULL,NULL);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'a3a75faa-0d99-4a01-aff8-4be15cbebb31',0,0);
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "node" VALUES('local',8929029706136873704);
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
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1795982526040,1795982524160);
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'DD9CE710190B2C6B6BFC956485B03AFAE1FD020167F41505F1EC8CE2083329B9','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(2,X'5CAD186AA62271EF877E43CD1976AD55D99D445C859C4FB5DBBD49BA008D39CD','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(3,X'E0DCC8C3EA72CE4811BDA975463E1D0AD1D7FCCEF73B7223CD08C16A76D6C73C','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
INSERT INTO "report" VALUES(4,X'E6934E6BC8E1FE91CE354B43D91CA2A886BDB2F8A33D9DF0FA9BB0560E0810CC','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
CREATE TABLE "run" (
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
INSERT INTO "run" VALUES(1,2,'candidate','change',1795982520475,11,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(2,1,'candidate','change',1795982520477,10,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(8,1,'active','schedule',1795982523135,18,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(9,2,'active','schedule',1795982524037,10,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(10,1,'active','schedule',1795982524149,7,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(13,2,'active','schedule',1795982526032,5,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(14,1,'active','schedule',1795982526153,5,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(15,2,'active','schedule',1795982527026,6,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(16,1,'active','schedule',1795982527114,21,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795982520459,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795982520459,NULL,NULL);
INSERT INTO "transition" VALUES(3,2,'creating','enabled','candidatePassed',1795982520487,1,NULL);
INSERT INTO "transition" VALUES(4,1,'creating','enabled','candidatePassed',1795982520487,2,NULL);
INSERT INTO "transition" VALUES(5,1,'enabled','recurringValidationError','activeFailed',1795982523154,8,'inc_01a228e6-7b12-73f8-b2c5-050484f80514');
INSERT INTO "transition" VALUES(6,2,'enabled','recurringValidationError','activeFailed',1795982524047,9,'inc_01a228e6-7e8f-777e-b7f9-6f68ed3987e1');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795982524157,10,'inc_01a228e6-7b12-73f8-b2c5-050484f80514');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795982526038,13,'inc_01a228e6-7e8f-777e-b7f9-6f68ed3987e1');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795982526159,14,'inc_01a228e6-86cf-71b4-ab1e-56c148d0bafc');
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
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX integration_muted ON integration (muted_until_ms) WHERE muted_until_ms IS NOT NULL;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE INDEX outage_closing ON outage (close_at_ms)
    WHERE close_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
CREATE UNIQUE INDEX outage_open ON outage (kind, value, cause) WHERE resolved_at_ms IS NULL;
CREATE INDEX outage_resolved ON outage (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;
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
PRAGMA user_version = 6;
PRAGMA application_id = 1919252065;
