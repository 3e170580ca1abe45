-- Database as schema 8 left it, made by a daemon of that schema two commits after the one that introduced it, which does not compile; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1795980122732,7,204,'');
INSERT INTO "attempt" VALUES(2,1,1795980122728,24,204,'');
INSERT INTO "attempt" VALUES(3,1,1795980122795,1,204,'');
INSERT INTO "attempt" VALUES(4,1,1795980122796,3,204,'');
INSERT INTO "attempt" VALUES(5,1,1795980126062,0,204,'');
INSERT INTO "attempt" VALUES(6,1,1795980126123,0,204,'');
INSERT INTO "attempt" VALUES(7,1,1795980127121,0,204,'');
INSERT INTO "attempt" VALUES(8,1,1795980129060,0,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(9,1,1795980130135,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "configuration" VALUES(1,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:43595","s3Control":"http://127.0.0.1:43595","sts":"http://127.0.0.1:43595"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:43595","s3Control":"http://127.0.0.1:43595","sts":"http://127.0.0.1:43595"},"name":"lake"}',1,NULL,NULL);
INSERT INTO "configuration" VALUES(2,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:43595","s3Control":"http://127.0.0.1:43595","sts":"http://127.0.0.1:43595"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:43595","s3Control":"http://127.0.0.1:43595","sts":"http://127.0.0.1:43595"},"name":"pond"}',1,NULL,NULL);
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
           AND (lease_token IS NULL) = (lease_owner IS NULL)), incident_id TEXT, began_id TEXT REFERENCES event (id), format TEXT, ends INTEGER NOT NULL DEFAULT 0 CHECK (ends IN (0, 1)),
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
INSERT INTO "delivery" VALUES(1,'evt_01a228c1-da50-7a55-82ee-991fad1f9be3','hook',1,1,'delivered',1795980122704,NULL,1,0,1795980122739,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "delivery" VALUES(2,'evt_01a228c1-da50-7388-b7b4-52a413d9b964','hook',2,1,'delivered',1795980122704,NULL,1,0,1795980122752,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "delivery" VALUES(3,'evt_01a228c1-da94-7b50-b8a4-fb2ad858aed1','hook',1,2,'delivered',1795980122772,NULL,1,0,1795980122796,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "delivery" VALUES(4,'evt_01a228c1-daa1-7484-babe-50b1face2b4c','hook',2,2,'delivered',1795980122785,NULL,1,0,1795980122799,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "delivery" VALUES(5,'evt_01a228c1-e758-7015-9da7-61f7384bf55f','hook',2,3,'delivered',1795980126040,NULL,1,0,1795980126062,NULL,NULL,'inc_01a228c1-e758-7015-9da7-61f7384bf55e',NULL,'standard',0);
INSERT INTO "delivery" VALUES(6,'evt_01a228c1-e78f-7417-86ae-4de108d9cf1f','hook',1,3,'delivered',1795980126095,NULL,1,0,1795980126123,NULL,NULL,'inc_01a228c1-e78f-7417-86ae-4de108d9cf1e',NULL,'standard',0);
INSERT INTO "delivery" VALUES(7,'evt_01a228c1-eb76-799d-b0fd-fad12c6372b1','hook',1,4,'delivered',1795980127094,NULL,1,0,1795980127121,NULL,NULL,'inc_01a228c1-e78f-7417-86ae-4de108d9cf1e','evt_01a228c1-e78f-7417-86ae-4de108d9cf1f','standard',1);
INSERT INTO "delivery" VALUES(8,'evt_01a228c1-f313-7a1e-b8a7-c66df6824967','hook',2,4,'pending',1795980134120,NULL,1,0,NULL,NULL,NULL,'inc_01a228c1-e758-7015-9da7-61f7384bf55e','evt_01a228c1-e758-7015-9da7-61f7384bf55f','standard',1);
INSERT INTO "delivery" VALUES(9,'evt_01a228c1-f731-7291-b33e-f6e4cc1395ea','hook',1,5,'pending',1795980134320,NULL,1,0,NULL,NULL,NULL,'inc_01a228c1-f731-7291-b33e-f6e4cc1395e9',NULL,'standard',0);
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
INSERT INTO "event" VALUES(1,'evt_01a228c1-da50-7a55-82ee-991fad1f9be3',1,1,'integration.status.changed',1795980122704,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:22:02.704Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":1,"transition":null,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(2,'evt_01a228c1-da50-7388-b7b4-52a413d9b964',2,1,'integration.status.changed',1795980122704,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:22:02.704Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":1,"transition":null,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(3,'evt_01a228c1-da94-7b50-b8a4-fb2ad858aed1',1,2,'integration.status.changed',1795980122772,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:22:02.772Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":2,"transition":null,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":1,"trigger":"change","startedAt":"2026-11-29T19:22:02.74Z","durationMs":32},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(4,'evt_01a228c1-daa1-7484-babe-50b1face2b4c',2,2,'integration.status.changed',1795980122785,'{"type":"integration.status.changed","timestamp":"2026-11-29T19:22:02.785Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":2,"transition":null,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":2,"trigger":"change","startedAt":"2026-11-29T19:22:02.736Z","durationMs":49},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(5,'evt_01a228c1-e758-7015-9da7-61f7384bf55f',2,3,'integration.validation.failed',1795980126040,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:22:06.04Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":3,"transition":null,"reminder":null,"incidentId":"inc_01a228c1-e758-7015-9da7-61f7384bf55e","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":9,"trigger":"schedule","startedAt":"2026-11-29T19:22:06.029Z","durationMs":11},"failingSince":"2026-11-29T19:22:06.029Z","outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(6,'evt_01a228c1-e78f-7417-86ae-4de108d9cf1f',1,3,'integration.validation.failed',1795980126095,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:22:06.095Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":3,"transition":null,"reminder":null,"incidentId":"inc_01a228c1-e78f-7417-86ae-4de108d9cf1e","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-29T19:22:06.09Z","durationMs":4},"failingSince":"2026-11-29T19:22:06.09Z","outageMs":null,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(7,'evt_01a228c1-eb76-799d-b0fd-fad12c6372b1',1,4,'integration.validation.recovered',1795980127094,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:22:07.094Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":4,"transition":null,"reminder":null,"incidentId":"inc_01a228c1-e78f-7417-86ae-4de108d9cf1e","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":12,"trigger":"schedule","startedAt":"2026-11-29T19:22:07.088Z","durationMs":6},"failingSince":"2026-11-29T19:22:06.09Z","outageMs":1004,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(8,'evt_01a228c1-f313-7a1e-b8a7-c66df6824967',2,4,'integration.validation.recovered',1795980129043,'{"type":"integration.validation.recovered","timestamp":"2026-11-29T19:22:09.043Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":4,"transition":null,"reminder":null,"incidentId":"inc_01a228c1-e758-7015-9da7-61f7384bf55e","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":15,"trigger":"schedule","startedAt":"2026-11-29T19:22:09.037Z","durationMs":5},"failingSince":"2026-11-29T19:22:06.029Z","outageMs":3014,"endedBy":null,"group":null}}');
INSERT INTO "event" VALUES(9,'evt_01a228c1-f731-7291-b33e-f6e4cc1395ea',1,5,'integration.validation.failed',1795980130097,'{"type":"integration.validation.failed","timestamp":"2026-11-29T19:22:10.097Z","data":{"schemaVersion":1,"epoch":"e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd","sequence":5,"transition":null,"reminder":null,"incidentId":"inc_01a228c1-f731-7291-b33e-f6e4cc1395e9","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":18,"trigger":"schedule","startedAt":"2026-11-29T19:22:10.092Z","durationMs":5},"failingSince":"2026-11-29T19:22:10.092Z","outageMs":null,"endedBy":null,"group":null}}');
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO "factor" VALUES(1,'account','aws 111122223333');
INSERT INTO "factor" VALUES(2,'account','aws 111122223333');
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:43595');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:43595');
INSERT INTO "factor" VALUES(1,'principal','aws access key AKIAREVALIDATEDDEMO1');
INSERT INTO "factor" VALUES(2,'principal','aws access key AKIAREVALIDATEDDEMO1');
INSERT INTO "factor" VALUES(1,'region','aws eu-central-1');
INSERT INTO "factor" VALUES(2,'region','aws eu-central-1');
CREATE TABLE fingerprint (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "fingerprint" VALUES(1,X'56764154CD9DA77D179ECA1BA2F14C9B1D6F513C9C087ACDA5CD69F69FFECE43','[{"kind":"address","of":"127.0.0.1","values":["127.0.0.1"]},{"kind":"principal","of":"","values":["arn:aws:iam::111122223333:user/demo"]},{"kind":"principal","of":"id","values":["AIDADEMO"]},{"kind":"grant","of":"s3://bkt-lake/lake/","values":["s3:ListBucket"]},{"kind":"grant","of":"s3://bkt-lake/lake/*","values":["location location-0","role arn:aws:iam::111122223333:role/demo-access-grants"]},{"kind":"latency","of":"127.0.0.1","values":["under 100 ms"]}]');
INSERT INTO "fingerprint" VALUES(2,X'5E6D8426F8722025D101C248BE156A5003EC1935E8C0B63A4E2E1C5A4C0F9911','[{"kind":"address","of":"127.0.0.1","values":["127.0.0.1"]},{"kind":"principal","of":"","values":["arn:aws:iam::111122223333:user/demo"]},{"kind":"principal","of":"id","values":["AIDADEMO"]},{"kind":"grant","of":"s3://bkt-pond/lake/","values":["s3:ListBucket"]},{"kind":"grant","of":"s3://bkt-pond/lake/*","values":["location location-1","role arn:aws:iam::111122223333:role/demo-access-grants"]},{"kind":"latency","of":"127.0.0.1","values":["under 100 ms"]}]');
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
INSERT INTO "incident_receiver" VALUES('inc_01a228c1-f731-7291-b33e-f6e4cc1395e9','hook',1,1795980130092,'evt_01a228c1-f731-7291-b33e-f6e4cc1395ea','standard',1,'sent',1795980130097,0,NULL,NULL,NULL);
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
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError','* * * * * *','UTC',1795980132061,'schedule',NULL,2,0,5,'inc_01a228c1-f731-7291-b33e-f6e4cc1395e9',1795980130092,20,'recurringValidationError',NULL,NULL,0,'[1795980126095,1795980127094,1795980130097]',NULL,NULL,1795980130092,'missing',NULL,NULL,1,1795980129079,NULL,NULL,1795980122704,NULL,NULL);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled','* * * * * *','UTC',1795980132023,'schedule',NULL,0,3,4,NULL,NULL,19,'enabled',NULL,NULL,0,'[1795980126040,1795980129043]',NULL,NULL,NULL,NULL,NULL,NULL,2,1795980131031,NULL,NULL,1795980122704,NULL,NULL);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'e5ce2c3a-57f9-43b5-a5a7-91aef3fb81cd',0,0);
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
, pid INTEGER, born INTEGER, started_at_ms INTEGER, seen_at_ms INTEGER, stopped_at_ms INTEGER, reload TEXT, removals_allowed INTEGER, drop_ins TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "node" VALUES('local',6845627943252810779,18076,8108001,1795980122732,1795980131144,1795980131144,'{"number":0,"begunAt":"2026-11-29T19:22:02.704Z","endedAt":"2026-11-29T19:22:02.719Z","refused":null,"faults":[],"isConfiguration":false,"changes":{"added":{"count":2,"names":["lake","pond"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":1,"names":["hook"]},"receiversRemoved":{"count":0,"names":[]}}}',NULL,NULL);
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
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1795980129060,1795980127121);
CREATE TABLE report (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;
INSERT INTO "report" VALUES(1,X'5CAD186AA62271EF877E43CD1976AD55D99D445C859C4FB5DBBD49BA008D39CD','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(2,X'DD9CE710190B2C6B6BFC956485B03AFAE1FD020167F41505F1EC8CE2083329B9','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]}');
INSERT INTO "report" VALUES(3,X'E6934E6BC8E1FE91CE354B43D91CA2A886BDB2F8A33D9DF0FA9BB0560E0810CC','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
INSERT INTO "report" VALUES(4,X'E0DCC8C3EA72CE4811BDA975463E1D0AD1D7FCCEF73B7223CD08C16A76D6C73C','{"tests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`.","evidence":"HTTP 404 NoSuchBucket: told by the stand-in (request ID X1)"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]}');
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
INSERT INTO "run" VALUES(1,1,'candidate','change',1795980122740,32,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(2,2,'candidate','change',1795980122736,49,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(9,2,'active','schedule',1795980126029,11,'failed','missing','a definitive failure (missing) counts at once',3,NULL);
INSERT INTO "run" VALUES(10,1,'active','schedule',1795980126090,4,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(12,1,'active','schedule',1795980127088,6,'passed',NULL,'a passing run',1,NULL);
INSERT INTO "run" VALUES(15,2,'active','schedule',1795980129037,5,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(18,1,'active','schedule',1795980130092,5,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
INSERT INTO "run" VALUES(19,2,'active','schedule',1795980131031,5,'passed',NULL,'a passing run',2,NULL);
INSERT INTO "run" VALUES(20,1,'active','schedule',1795980131062,5,'failed','missing','a definitive failure (missing) counts at once',4,NULL);
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
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1795980122704,NULL,NULL);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1795980122704,NULL,NULL);
INSERT INTO "transition" VALUES(3,1,'creating','enabled','candidatePassed',1795980122772,1,NULL);
INSERT INTO "transition" VALUES(4,2,'creating','enabled','candidatePassed',1795980122785,2,NULL);
INSERT INTO "transition" VALUES(5,2,'enabled','recurringValidationError','activeFailed',1795980126040,9,'inc_01a228c1-e758-7015-9da7-61f7384bf55e');
INSERT INTO "transition" VALUES(6,1,'enabled','recurringValidationError','activeFailed',1795980126095,10,'inc_01a228c1-e78f-7417-86ae-4de108d9cf1e');
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1795980127094,12,'inc_01a228c1-e78f-7417-86ae-4de108d9cf1e');
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1795980129043,15,'inc_01a228c1-e758-7015-9da7-61f7384bf55e');
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1795980130097,18,'inc_01a228c1-f731-7291-b33e-f6e4cc1395e9');
CREATE INDEX delivery_began ON delivery (began_id) WHERE began_id IS NOT NULL;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_incident ON delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, sequence)
    WHERE state = 'pending' AND integration_id IS NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, sequence)
    WHERE state = 'pending';
CREATE INDEX event_created ON event (created_at_ms);
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE INDEX factor_value ON factor (kind, value);
CREATE INDEX incident_receiver_event ON incident_receiver (event_id);
CREATE INDEX incident_receiver_look ON incident_receiver (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE INDEX incident_receiver_resend ON incident_receiver (receiver, resend_at_ms)
    WHERE resend_at_ms IS NOT NULL;
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
PRAGMA user_version = 8;
PRAGMA application_id = 1919252065;
