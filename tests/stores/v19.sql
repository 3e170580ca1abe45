-- Database as schema 19 left it, made by the daemon of the commit that introduced it; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1795979780270,17,204,'');
INSERT INTO "attempt" VALUES(2,1,1795979782091,1,204,'');
INSERT INTO "attempt" VALUES(3,1,1795979783035,0,204,'');
INSERT INTO "attempt" VALUES(4,1,1795979783114,1,204,'');
INSERT INTO "attempt" VALUES(5,1,1795979785061,0,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(5,2,1795979786078,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "awake" VALUES(0,6894,9223372036854775807);
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
INSERT INTO "configuration" VALUES(1,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"lake"}',1,NULL,NULL,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"lake"}');
INSERT INTO "configuration" VALUES(2,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"pond"}',1,NULL,NULL,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37363","s3Control":"http://127.0.0.1:37363","sts":"http://127.0.0.1:37363"},"name":"pond"}');
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
INSERT INTO "delivery" VALUES(1,'evt_01a228bc-a07c-78e8-a8c2-97d2ec79e2c8','hook',NULL,'delivered',1795979780220,NULL,1,0,1795979780287,NULL,NULL,NULL,NULL,NULL,0,3,47);
INSERT INTO "delivery" VALUES(2,'evt_01a228bc-a7c7-7033-aaf1-6d55c7a2f59c','hook',1,'delivered',1795979782087,NULL,1,0,1795979782092,NULL,NULL,'inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b',NULL,'standard',0,6,1851);
INSERT INTO "delivery" VALUES(3,'evt_01a228bc-ab77-71a5-a798-533d7b05c644','hook',2,'delivered',1795979783031,NULL,1,0,1795979783035,NULL,NULL,'inc_01a228bc-ab77-71a5-a798-533d7b05c643',NULL,'standard',0,7,2795);
INSERT INTO "delivery" VALUES(4,'evt_01a228bc-abb3-7cad-af21-c0765852ec19','hook',1,'delivered',1795979783091,NULL,1,0,1795979783115,NULL,NULL,'inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b','evt_01a228bc-a7c7-7033-aaf1-6d55c7a2f59c','standard',1,8,2874);
INSERT INTO "delivery" VALUES(5,'evt_01a228bc-b353-7e1e-b6d0-9b928b054ca5','hook',2,'pending',1795979785043,NULL,2,1,NULL,NULL,NULL,'inc_01a228bc-ab77-71a5-a798-533d7b05c643','evt_01a228bc-ab77-71a5-a798-533d7b05c644','standard',1,9,4821);
INSERT INTO "delivery" VALUES(6,'evt_01a228bc-b769-72d6-88cc-09e547857e52','hook',1,'pending',1795979786089,NULL,0,0,NULL,NULL,NULL,'inc_01a228bc-b769-72d6-88cc-09e547857e51',NULL,'standard',0,10,NULL);
CREATE TABLE "event" (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
INSERT INTO "event" VALUES(1,'evt_01a228bc-a07c-70e6-a581-acf17118e3f2',1,0,'integration.status.changed',1795979780220,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:16:20.22Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a228bc-a07c-7361-9046-80babcfb0b49',2,0,'integration.status.changed',1795979780220,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:16:20.22Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a228bc-a07c-78e8-a8c2-97d2ec79e2c8',NULL,1,'configuration.applied',1795979780220,'{"type":"configuration.applied","timestamp":"2026-11-29T19:16:20.22Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":1,"added":{"count":2,"names":["lake","pond"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":1,"names":["hook"]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}}}');
INSERT INTO "event" VALUES(4,'evt_01a228bc-a0e6-7f93-bace-b1889680449e',2,0,'integration.status.changed',1795979780326,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:16:20.326Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":0,"transition":2,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T19:16:20.266Z","durationMs":59},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-29T19:16:20.266Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(5,'evt_01a228bc-a0f9-7db1-843f-ee499b79929a',1,0,'integration.status.changed',1795979780345,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:16:20.345Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":0,"transition":2,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T19:16:20.275Z","durationMs":69},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-29T19:16:20.275Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(6,'evt_01a228bc-a7c7-7033-aaf1-6d55c7a2f59c',1,1,'integration.validation.failed',1795979782087,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:16:22.087Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":1,"transition":null,"reminder":null,"incidentId":"inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":6,"trigger":"schedule","startedAt":"2026-11-29T19:16:22.082Z","durationMs":5},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-29T19:16:22.082Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-29T19:16:22.082Z","outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(7,'evt_01a228bc-ab77-71a5-a798-533d7b05c644',2,1,'integration.validation.failed',1795979783031,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:16:23.031Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":1,"transition":null,"reminder":null,"incidentId":"inc_01a228bc-ab77-71a5-a798-533d7b05c643","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":7,"trigger":"schedule","startedAt":"2026-11-29T19:16:23.025Z","durationMs":5},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-29T19:16:23.025Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-29T19:16:23.025Z","outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(8,'evt_01a228bc-abb3-7cad-af21-c0765852ec19',1,2,'integration.validation.recovered',1795979783091,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:16:23.091Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":2,"transition":null,"reminder":null,"incidentId":"inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":8,"trigger":"schedule","startedAt":"2026-11-29T19:16:23.086Z","durationMs":5},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-29T19:16:23.086Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-29T19:16:22.082Z","outageMs":1009,"endedBy":"passed","group":null}}');
INSERT INTO "event" VALUES(9,'evt_01a228bc-b353-7e1e-b6d0-9b928b054ca5',2,2,'integration.validation.recovered',1795979785043,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:16:25.043Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":2,"transition":null,"reminder":null,"incidentId":"inc_01a228bc-ab77-71a5-a798-533d7b05c643","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":11,"trigger":"schedule","startedAt":"2026-11-29T19:16:25.034Z","durationMs":8},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-29T19:16:25.034Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-29T19:16:23.025Z","outageMs":2018,"endedBy":"passed","group":null}}');
INSERT INTO "event" VALUES(10,'evt_01a228bc-b769-72d6-88cc-09e547857e52',1,3,'integration.validation.failed',1795979786089,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:16:26.089Z","data":{"schemaVersion":1,"epoch":"33bad0dd-6969-4abe-87f5-763ca95414d0","sequence":3,"transition":null,"reminder":null,"incidentId":"inc_01a228bc-b769-72d6-88cc-09e547857e51","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":14,"trigger":"schedule","startedAt":"2026-11-29T19:16:26.079Z","durationMs":10},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-29T19:16:26.079Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-29T19:16:26.079Z","outageMs":null,"endedBy":null,"group":null}}');
CREATE TABLE expiry (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (integration_id, at_ms, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "factor" VALUES(1,'account','aws 111122223333');
INSERT INTO "factor" VALUES(2,'account','aws 111122223333');
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:37363');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:37363');
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
INSERT INTO "incident_receiver" VALUES('inc_01a228bc-b769-72d6-88cc-09e547857e51','hook',1,1795979786079,'evt_01a228bc-b769-72d6-88cc-09e547857e52','standard',1,'sent',1795979786089,0,NULL,NULL,NULL);
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
    created_at_ms INTEGER NOT NULL, formerly TEXT, evidence TEXT, candidate_evidence TEXT, history_since_ms INTEGER,
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError',NULL,'* * * * * *','UTC',1795979788061,'schedule',NULL,NULL,NULL,2,0,3,2,'inc_01a228bc-b769-72d6-88cc-09e547857e51',1795979786079,1,16,1795979786079,0,0,NULL,NULL,'recurringValidationError',NULL,NULL,0,'[1795979782087,1795979783091,1795979786089]',NULL,NULL,1795979786079,'missing',NULL,NULL,2,1795979785137,NULL,NULL,1795979780220,NULL,'{"looks":[{"at":1795979786079,"seen":"missing"}],"failing":true,"unsteady":true}',NULL,NULL);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled',NULL,'* * * * * *','UTC',1795979788023,'schedule',NULL,NULL,NULL,0,3,2,2,NULL,NULL,0,15,NULL,0,0,NULL,NULL,'enabled',NULL,NULL,0,'[1795979783031,1795979785043]',NULL,NULL,NULL,NULL,NULL,NULL,1,1795979787025,NULL,NULL,1795979780220,NULL,NULL,NULL,NULL);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'33bad0dd-6969-4abe-87f5-763ca95414d0',1,0);
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
, pid INTEGER, born INTEGER, started_at_ms INTEGER, seen_at_ms INTEGER, stopped_at_ms INTEGER, reload TEXT, removals_allowed INTEGER, drop_ins TEXT, heartbeat TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "node" VALUES('local',4538422461481394114,7479,8073682,1795979780256,1795979787145,1795979787145,'{"number":0,"begunAt":"2026-11-29T19:16:20.22Z","endedAt":"2026-11-29T19:16:20.24Z","refused":null,"faults":[],"isConfiguration":false,"changes":{"added":{"count":2,"names":["lake","pond"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":1,"names":["hook"]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}},"passedOver":[]}',NULL,NULL,NULL);
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
        OR fault = 'validation' OR fault = 'configuration' OR fault = 'backup'),
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
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1795979785061,1795979783115,4821,2,4821,1795979788078,'{"allow":["127.0.0.0/8"],"format":"standard","name":"hook","secrets":[{"env":"HOOKSEC"}],"url":"http://127.0.0.1:45447/hook"}');
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
INSERT INTO "run" VALUES(1,2,'candidate','change',1795979780266,59,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(2,1,'candidate','change',1795979780275,69,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(6,1,'active','schedule',1795979782082,5,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(7,2,'active','schedule',1795979783025,5,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(8,1,'active','schedule',1795979783086,5,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(11,2,'active','schedule',1795979785034,8,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(14,1,'active','schedule',1795979786079,10,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(15,2,'active','schedule',1795979787025,8,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(16,1,'active','schedule',1795979787083,6,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795979780220,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795979780220,NULL,NULL);
INSERT INTO "transition" VALUES(3,2,'creating','enabled','candidatePassed',1795979780326,1,NULL);
INSERT INTO "transition" VALUES(4,1,'creating','enabled','candidatePassed',1795979780345,2,NULL);
INSERT INTO "transition" VALUES(5,1,'enabled','recurringValidationError','activeFailed',1795979782087,6,'inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b');
INSERT INTO "transition" VALUES(6,2,'enabled','recurringValidationError','activeFailed',1795979783031,7,'inc_01a228bc-ab77-71a5-a798-533d7b05c643');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795979783091,8,'inc_01a228bc-a7c7-7033-aaf1-6d55c7a2f59b');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795979785043,11,'inc_01a228bc-ab77-71a5-a798-533d7b05c643');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795979786089,14,'inc_01a228bc-b769-72d6-88cc-09e547857e51');
CREATE INDEX audit_at ON audit (at_ms);
CREATE INDEX delivery_began ON delivery (began_id) WHERE began_id IS NOT NULL;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_incident ON delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, number)
    WHERE state = 'pending' AND integration_id IS NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, number)
    WHERE state = 'pending';
CREATE INDEX event_created ON event (created_at_ms);
CREATE INDEX event_integration ON event (integration_id) WHERE integration_id IS NOT NULL;
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE INDEX expiry_at ON expiry (at_ms);
CREATE INDEX factor_value ON factor (kind, value);
CREATE INDEX incident_receiver_event ON incident_receiver (event_id);
CREATE INDEX incident_receiver_look ON incident_receiver (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE INDEX incident_receiver_resend ON incident_receiver (receiver, resend_at_ms)
    WHERE resend_at_ms IS NOT NULL;
CREATE INDEX integration_candidate_run ON integration (candidate_run_id)
    WHERE candidate_run_id IS NOT NULL;
CREATE INDEX integration_deleted_name ON integration (name) WHERE status = 'deleted';
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
CREATE INDEX outage_since ON outage (since_ms);
CREATE INDEX run_integration ON run (
    integration_id, id, started_at_ms, duration_ms, status, class);
CREATE INDEX run_notable ON run (started_at_ms, id, status, class) WHERE status <> 'passed';
CREATE INDEX run_report ON run (report_id);
CREATE INDEX run_started ON run (started_at_ms);
CREATE INDEX silence_open ON silence (until_ms) WHERE ended_at_ms IS NULL;
CREATE INDEX transition_at ON transition (at_ms);
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;
INSERT INTO "sqlite_sequence" VALUES('delivery',6);
INSERT INTO "sqlite_sequence" VALUES('event',10);
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 19;
PRAGMA application_id = 1919252065;
