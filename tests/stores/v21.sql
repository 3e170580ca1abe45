-- Database as schema 21 left it, made by the daemon of the commit that introduced it; most runs were deleted.
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
INSERT INTO "attempt" VALUES(1,1,1796006438563,3,204,'');
INSERT INTO "attempt" VALUES(2,1,1796006441099,9,204,'');
INSERT INTO "attempt" VALUES(3,1,1796006441127,6,204,'');
INSERT INTO "attempt" VALUES(4,1,1796006442146,4,204,'');
INSERT INTO "attempt" VALUES(5,1,1796006444086,2,NULL,'no connection: Connection refused (os error 111)');
INSERT INTO "attempt" VALUES(5,2,1796006445120,0,NULL,'no connection: Connection refused (os error 111)');
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
INSERT INTO "awake" VALUES(0,7671,9223372036854775807);
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
INSERT INTO "configuration" VALUES(1,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"lake"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"lake"}',1,NULL,NULL,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-lake/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"lake"}');
INSERT INTO "configuration" VALUES(2,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"pond"}','Native S3','{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":{"env":"S3KEY"},"endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"pond"}',1,NULL,NULL,'{"authenticationType":"accessKey","awsAccessKeyId":"AKIAREVALIDATEDDEMO1","awsAccountId":"111122223333","awsLocationPath":"s3://bkt-pond/lake/","awsLocationRole":"arn:aws:iam::111122223333:role/demo-access-grants","awsRegion":"eu-central-1","awsSecretAccessKey":"[REDACTED]","endpoints":{"s3":"http://127.0.0.1:37721","s3Control":"http://127.0.0.1:37721","sts":"http://127.0.0.1:37721"},"name":"pond"}');
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
           AND (lease_token IS NULL) = (lease_owner IS NULL)), incident_id TEXT, began_id TEXT REFERENCES event (id), format TEXT, ends INTEGER NOT NULL DEFAULT 0 CHECK (ends IN (0, 1)), number INTEGER NOT NULL DEFAULT 0, tried_awake_ms INTEGER, checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
INSERT INTO "delivery" VALUES(1,'evt_01a22a53-6647-76fa-b9bc-d68715ac4fa7','hook',NULL,'delivered',1796006438471,NULL,1,0,1796006438566,NULL,NULL,NULL,NULL,NULL,0,3,19,6617577321867995032);
INSERT INTO "delivery" VALUES(2,'evt_01a22a53-7074-7544-8ebc-f72b1c210c2d','hook',2,'delivered',1796006441076,NULL,1,0,1796006441108,NULL,NULL,'inc_01a22a53-7074-7544-8ebc-f72b1c210c2c',NULL,'standard',0,6,2562,6189729224165216540);
INSERT INTO "delivery" VALUES(3,'evt_01a22a53-7096-70f2-93ae-2f415b1edd43','hook',1,'delivered',1796006441110,NULL,1,0,1796006441133,NULL,NULL,'inc_01a22a53-7096-70f2-93ae-2f415b1edd42',NULL,'standard',0,7,2587,7442195688673238409);
INSERT INTO "delivery" VALUES(4,'evt_01a22a53-7493-7eca-b6c8-995e2177096a','hook',1,'delivered',1796006442131,NULL,1,0,1796006442150,NULL,NULL,'inc_01a22a53-7096-70f2-93ae-2f415b1edd42','evt_01a22a53-7096-70f2-93ae-2f415b1edd43','standard',1,8,3603,-6318102803177102049);
INSERT INTO "delivery" VALUES(5,'evt_01a22a53-7c19-7e8a-898f-dc2024b7d288','hook',2,'pending',1796006444057,NULL,2,1,NULL,NULL,NULL,'inc_01a22a53-7074-7544-8ebc-f72b1c210c2c','evt_01a22a53-7074-7544-8ebc-f72b1c210c2d','standard',1,9,5542,8170569641935240384);
INSERT INTO "delivery" VALUES(6,'evt_01a22a53-804f-7bc1-ab72-4f27f51d0e6c','hook',1,'pending',1796006445135,NULL,0,0,NULL,NULL,NULL,'inc_01a22a53-804f-7bc1-ab72-4f27f51d0e6b',NULL,'standard',0,10,NULL,5138967795814436238);
CREATE TABLE "event" (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL
, checksum INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "event" VALUES(1,'evt_01a22a53-6647-777b-b250-609c0dbc61cc',1,0,'integration.status.changed',1796006438471,'{"type":"integration.status.changed","timestamp":"2026-11-30T02:40:38.471Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}',-5108485603802034191);
INSERT INTO "event" VALUES(2,'evt_01a22a53-6647-7dd2-8300-49faac4c62ad',2,0,'integration.status.changed',1796006438471,'{"type":"integration.status.changed","timestamp":"2026-11-30T02:40:38.471Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":0,"transition":1,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"creating","previousStatus":null,"validationResults":null,"changes":[],"drift":[],"run":null,"verdict":null,"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}',-7506022719815348294);
INSERT INTO "event" VALUES(3,'evt_01a22a53-6647-76fa-b9bc-d68715ac4fa7',NULL,1,'configuration.applied',1796006438471,'{"type":"configuration.applied","timestamp":"2026-11-30T02:40:38.471Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":1,"added":{"count":2,"names":["lake","pond"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":1,"names":["hook"]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}}}',-3839131062885966549);
INSERT INTO "event" VALUES(4,'evt_01a22a53-66c2-742c-8a0f-e5627532be86',1,0,'integration.status.changed',1796006438594,'{"type":"integration.status.changed","timestamp":"2026-11-30T02:40:38.594Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":0,"transition":2,"reminder":null,"incidentId":null,"integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":1,"trigger":"change","startedAt":"2026-11-30T02:40:38.574Z","durationMs":20},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-30T02:40:38.574Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}',352959151175742064);
INSERT INTO "event" VALUES(5,'evt_01a22a53-66c5-7044-ab81-570673c00eb5',2,0,'integration.status.changed',1796006438597,'{"type":"integration.status.changed","timestamp":"2026-11-30T02:40:38.597Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":0,"transition":2,"reminder":null,"incidentId":null,"integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"creating","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"There is no existing integration matching this configuration","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided integration name is unique across Immuta S3 integrations","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided access grants location role is a valid ARN format","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","from":null,"to":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS.","class":null,"remediation":null},{"test":"An AWS Access Grants instance is configured in the provided AWS account and region","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"The provided S3 path exists and Immuta can list prefixes","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"An AWS Access Grants location does not yet exist for the provided path","from":null,"to":"skipped","message":"applies before set-up","class":null,"remediation":null},{"test":"Recurring validation: access grants location is registered","from":null,"to":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants].","class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":null,"to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":null,"to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":2,"trigger":"change","startedAt":"2026-11-30T02:40:38.576Z","durationMs":21},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-30T02:40:38.576Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":null,"outageMs":null,"endedBy":null,"group":null}}',5017874036325417022);
INSERT INTO "event" VALUES(6,'evt_01a22a53-7074-7544-8ebc-f72b1c210c2d',2,1,'integration.validation.failed',1796006441076,'{"type":"integration.validation.failed","timestamp":"2026-11-30T02:40:41.076Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":1,"transition":null,"reminder":null,"incidentId":"inc_01a22a53-7074-7544-8ebc-f72b1c210c2c","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-pond/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-pond, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":7,"trigger":"schedule","startedAt":"2026-11-30T02:40:41.062Z","durationMs":13},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-30T02:40:41.062Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-30T02:40:41.062Z","outageMs":null,"endedBy":null,"group":null}}',-6143522167716159394);
INSERT INTO "event" VALUES(7,'evt_01a22a53-7096-70f2-93ae-2f415b1edd43',1,1,'integration.validation.failed',1796006441110,'{"type":"integration.validation.failed","timestamp":"2026-11-30T02:40:41.11Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":1,"transition":null,"reminder":null,"incidentId":"inc_01a22a53-7096-70f2-93ae-2f415b1edd42","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":8,"trigger":"schedule","startedAt":"2026-11-30T02:40:41.095Z","durationMs":14},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-30T02:40:41.095Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-30T02:40:41.095Z","outageMs":null,"endedBy":null,"group":null}}',5676550338365806512);
INSERT INTO "event" VALUES(8,'evt_01a22a53-7493-7eca-b6c8-995e2177096a',1,2,'integration.validation.recovered',1796006442131,'{"type":"integration.validation.recovered","timestamp":"2026-11-30T02:40:42.131Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":2,"transition":null,"reminder":null,"incidentId":"inc_01a22a53-7096-70f2-93ae-2f415b1edd42","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":10,"trigger":"schedule","startedAt":"2026-11-30T02:40:42.107Z","durationMs":23},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-30T02:40:42.107Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-30T02:40:41.095Z","outageMs":1036,"endedBy":"passed","group":null}}',-2182638353966633142);
INSERT INTO "event" VALUES(9,'evt_01a22a53-7c19-7e8a-898f-dc2024b7d288',2,2,'integration.validation.recovered',1796006444057,'{"type":"integration.validation.recovered","timestamp":"2026-11-30T02:40:44.057Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":2,"transition":null,"reminder":null,"incidentId":"inc_01a22a53-7074-7544-8ebc-f72b1c210c2c","integration":{"id":2,"name":"pond","type":"Native S3","labels":{}},"status":"enabled","previousStatus":"recurringValidationError","validationResults":{"status":"passed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"passed"},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-1] is registered for [s3://bkt-pond/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"passed"},{"name":"Recurring validation: drift","status":"passed"}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"failed","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: credential expiry","from":"skipped","to":"passed","message":null,"class":null,"remediation":null},{"test":"Recurring validation: drift","from":"skipped","to":"passed","message":null,"class":null,"remediation":null}],"drift":[],"run":{"id":13,"trigger":"schedule","startedAt":"2026-11-30T02:40:44.046Z","durationMs":11},"verdict":{"rule":"a passing run","evidence":[{"at":"2026-11-30T02:40:44.046Z","seen":"passed","certain":null,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-30T02:40:41.062Z","outageMs":2995,"endedBy":"passed","group":null}}',8564097482110524655);
INSERT INTO "event" VALUES(10,'evt_01a22a53-804f-7bc1-ab72-4f27f51d0e6c',1,3,'integration.validation.failed',1796006445135,'{"type":"integration.validation.failed","timestamp":"2026-11-30T02:40:45.135Z","data":{"schemaVersion":1,"epoch":"f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a","sequence":3,"transition":null,"reminder":null,"incidentId":"inc_01a22a53-804f-7bc1-ab72-4f27f51d0e6b","integration":{"id":1,"name":"lake","type":"Native S3","labels":{}},"status":"recurringValidationError","previousStatus":"enabled","validationResults":{"status":"failed","validationTests":[{"name":"There is no existing integration matching this configuration","status":"passed"},{"name":"The provided integration name is unique across Immuta S3 integrations","status":"passed"},{"name":"The provided access grants location role is a valid ARN format","status":"passed"},{"name":"The provided AWS credentials allow fetching the caller''s identity via the AWS STS API","status":"passed","message":"Found user ID [AIDADEMO], ARN [arn:aws:iam::111122223333:user/demo] using STS."},{"name":"An AWS Access Grants instance is configured in the provided AWS account and region","status":"passed"},{"name":"The provided S3 path exists and Immuta can list prefixes","status":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1]."},{"name":"An AWS Access Grants location does not yet exist for the provided path","status":"skipped","message":"applies before set-up"},{"name":"Recurring validation: access grants location is registered","status":"passed","message":"Access Grants location [location-0] is registered for [s3://bkt-lake/lake/*] with role [arn:aws:iam::111122223333:role/demo-access-grants]."},{"name":"Recurring validation: credential expiry","status":"skipped","message":"No expiry was seen in a run that failed."},{"name":"Recurring validation: drift","status":"skipped","message":"Checked only when all other tests pass."}]},"changes":[{"test":"The provided S3 path exists and Immuta can list prefixes","from":"passed","to":"failed","message":"NoSuchBucket: The requested path [s3://bkt-lake/lake/] does not exist: AWS responded with code [404], name [NoSuchBucket] and message [told by the stand-in] for request ID [X1].","class":"missing","remediation":"Create bucket bkt-lake, or correct `awsLocationPath`."},{"test":"Recurring validation: credential expiry","from":"passed","to":"skipped","message":"No expiry was seen in a run that failed.","class":null,"remediation":null},{"test":"Recurring validation: drift","from":"passed","to":"skipped","message":"Checked only when all other tests pass.","class":null,"remediation":null}],"drift":[],"run":{"id":16,"trigger":"schedule","startedAt":"2026-11-30T02:40:45.118Z","durationMs":16},"verdict":{"rule":"a definitive failure (missing) counts at once","evidence":[{"at":"2026-11-30T02:40:45.118Z","seen":"missing","certain":true,"siblings":null,"weight":100,"missing":0}]},"failingSince":"2026-11-30T02:40:45.118Z","outageMs":null,"endedBy":null,"group":null}}',321111415663144495);
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
INSERT INTO "factor" VALUES(1,'host','127.0.0.1:37721');
INSERT INTO "factor" VALUES(2,'host','127.0.0.1:37721');
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
INSERT INTO "incident_receiver" VALUES('inc_01a22a53-804f-7bc1-ab72-4f27f51d0e6b','hook',1,1796006445118,'evt_01a22a53-804f-7bc1-ab72-4f27f51d0e6c','standard',1,'sent',1796006445135,0,NULL,NULL,NULL);
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
    created_at_ms INTEGER NOT NULL, formerly TEXT, evidence TEXT, candidate_evidence TEXT, history_since_ms INTEGER, checksum INTEGER NOT NULL DEFAULT 0,
    CHECK ((lease_token IS NULL) = (lease_until_ms IS NULL)
           AND (lease_token IS NULL) = (lease_owner IS NULL)),
    CHECK ((incident_id IS NULL) = (failing_since_ms IS NULL)),
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL))
) STRICT;
INSERT INTO "integration" VALUES(1,'lake','Native S3',0,'{}','recurringValidationError',NULL,'* * * * * *','UTC',1796006447061,'schedule',NULL,NULL,NULL,2,0,3,2,'inc_01a22a53-804f-7bc1-ab72-4f27f51d0e6b',1796006445118,1,18,1796006445118,0,0,NULL,NULL,'recurringValidationError',NULL,NULL,0,'[1796006441110,1796006442131,1796006445135]',NULL,NULL,1796006445118,'missing',NULL,NULL,1,1796006444087,NULL,NULL,1796006438471,NULL,'{"looks":[{"at":1796006445118,"seen":"missing"}],"failing":true,"unsteady":true}',NULL,NULL,6911192023386606014);
INSERT INTO "integration" VALUES(2,'pond','Native S3',0,'{}','enabled',NULL,'* * * * * *','UTC',1796006447023,'schedule',NULL,NULL,NULL,0,3,2,2,NULL,NULL,0,17,NULL,0,0,NULL,NULL,'enabled',NULL,NULL,0,'[1796006441076,1796006444057]',NULL,NULL,NULL,NULL,NULL,NULL,2,1796006446026,NULL,NULL,1796006438471,NULL,NULL,NULL,NULL,3072395085635437792);
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL
, sequence INTEGER NOT NULL DEFAULT 0, pruned_number INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "meta" VALUES(1,'f49dfd4a-5f7b-4c54-941c-9334e3dbbc1a',1,0);
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL
, pid INTEGER, born INTEGER, started_at_ms INTEGER, seen_at_ms INTEGER, stopped_at_ms INTEGER, reload TEXT, removals_allowed INTEGER, drop_ins TEXT, heartbeat TEXT) STRICT, WITHOUT ROWID;
INSERT INTO "node" VALUES('local',8772793337117300530,6890,1703308,1796006438552,1796006446222,1796006446222,'{"number":0,"begunAt":"2026-11-30T02:40:38.471Z","endedAt":"2026-11-30T02:40:38.547Z","refused":null,"faults":[],"isConfiguration":false,"changes":{"added":{"count":2,"names":["lake","pond"]},"changed":{"count":0,"names":[]},"removed":{"count":0,"names":[]},"receiversAdded":{"count":1,"names":["hook"]},"receiversChanged":{"count":0,"names":[]},"receiversRemoved":{"count":0,"names":[]}},"passedOver":[]}',NULL,NULL,NULL);
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
INSERT INTO "receiver" VALUES('hook',1,NULL,NULL,1796006444088,1796006442150,5542,2,5542,1796006447120,'{"allow":["127.0.0.0/8"],"format":"standard","name":"hook","secrets":[{"env":"HOOKSEC"}],"url":"http://127.0.0.1:46737/hook"}');
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
, took BLOB, evidence TEXT) STRICT;
INSERT INTO "run" VALUES(1,1,'candidate','change',1796006438574,20,'passed',NULL,'a passing run',1,NULL,X'0101010505040003','[{"a":1796006438574,"s":"passed","w":100,"m":0}]');
INSERT INTO "run" VALUES(2,2,'candidate','change',1796006438576,21,'passed',NULL,'a passing run',2,NULL,X'0101010604070002','[{"a":1796006438576,"s":"passed","w":100,"m":0}]');
INSERT INTO "run" VALUES(7,2,'active','schedule',1796006441062,13,'failed','missing','a definitive failure (missing) counts at once',3,NULL,X'0101010502020005','[{"a":1796006441062,"s":"missing","w":100,"m":0,"c":true}]');
INSERT INTO "run" VALUES(8,1,'active','schedule',1796006441095,14,'failed','missing','a definitive failure (missing) counts at once',4,NULL,X'0101010302080003','[{"a":1796006441095,"s":"missing","w":100,"m":0,"c":true}]');
INSERT INTO "run" VALUES(10,1,'active','schedule',1796006442107,23,'passed',NULL,'a passing run',1,NULL,X'0101010309050008','[{"a":1796006442107,"s":"passed","w":100,"m":0}]');
INSERT INTO "run" VALUES(13,2,'active','schedule',1796006444046,11,'passed',NULL,'a passing run',2,NULL,X'0101010302020006','[{"a":1796006444046,"s":"passed","w":100,"m":0}]');
INSERT INTO "run" VALUES(16,1,'active','schedule',1796006445118,16,'failed','missing','a definitive failure (missing) counts at once',4,NULL,X'0101010503050004','[{"a":1796006445118,"s":"missing","w":100,"m":0,"c":true}]');
INSERT INTO "run" VALUES(17,2,'active','schedule',1796006446026,21,'passed',NULL,'a passing run',2,NULL,X'010101060202000D',NULL);
INSERT INTO "run" VALUES(18,1,'active','schedule',1796006446107,7,'failed','missing','a definitive failure (missing) counts at once',4,NULL,X'0101010302020002','[{"a":1796006445118,"s":"missing","w":100,"m":0,"c":true}]');
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
    incident_id TEXT, checksum INTEGER NOT NULL DEFAULT 0,
    CHECK ((from_status IS NULL) = (cause IS NULL))
) STRICT;
INSERT INTO "transition" VALUES(1,1,NULL,'creating',NULL,1796006438471,NULL,NULL,7751709822862017702);
INSERT INTO "transition" VALUES(2,2,NULL,'creating',NULL,1796006438471,NULL,NULL,5377305133466028121);
INSERT INTO "transition" VALUES(3,1,'creating','enabled','candidatePassed',1796006438594,1,NULL,5693456843583832811);
INSERT INTO "transition" VALUES(4,2,'creating','enabled','candidatePassed',1796006438597,2,NULL,-1777689622693120524);
INSERT INTO "transition" VALUES(5,2,'enabled','recurringValidationError','activeFailed',1796006441076,7,'inc_01a22a53-7074-7544-8ebc-f72b1c210c2c',-3778463651546942524);
INSERT INTO "transition" VALUES(6,1,'enabled','recurringValidationError','activeFailed',1796006441110,8,'inc_01a22a53-7096-70f2-93ae-2f415b1edd42',-2926537238723568858);
INSERT INTO "transition" VALUES(7,1,'recurringValidationError','enabled','activePassed',1796006442131,10,'inc_01a22a53-7096-70f2-93ae-2f415b1edd42',-5745360731564385029);
INSERT INTO "transition" VALUES(8,2,'recurringValidationError','enabled','activePassed',1796006444057,13,'inc_01a22a53-7074-7544-8ebc-f72b1c210c2c',-8207388730859777655);
INSERT INTO "transition" VALUES(9,1,'enabled','recurringValidationError','activeFailed',1796006445135,16,'inc_01a22a53-804f-7bc1-ab72-4f27f51d0e6b',237577933121140270);
CREATE INDEX audit_at ON audit (at_ms);
CREATE INDEX delivery_began ON delivery (began_id) WHERE began_id IS NOT NULL;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
CREATE INDEX delivery_incident ON delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE TRIGGER delivery_inserted AFTER INSERT ON delivery BEGIN UPDATE delivery SET checksum = row_moved(checksum, 0, row_sum(0, new.id, new.lease_owner, new.lease_token, new.lease_until_ms, new.event_id, new.receiver, new.integration_id, new.state, new.due_at_ms, new.attempts, new.earlier, new.ended_at_ms, new.incident_id, new.began_id, new.format, new.ends, new.number, new.tried_awake_ms)) WHERE rowid = new.rowid; END;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, number)
    WHERE state = 'pending' AND integration_id IS NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, number)
    WHERE state = 'pending';
CREATE TRIGGER delivery_updated AFTER UPDATE OF id, event_id, receiver, integration_id, state, due_at_ms, attempts, earlier, ended_at_ms, incident_id, began_id, format, ends, number, tried_awake_ms ON delivery BEGIN UPDATE delivery SET checksum = row_moved(checksum, row_sum(0, old.id, old.lease_owner, old.lease_token, old.lease_until_ms, old.event_id, old.receiver, old.integration_id, old.state, old.due_at_ms, old.attempts, old.earlier, old.ended_at_ms, old.incident_id, old.began_id, old.format, old.ends, old.number, old.tried_awake_ms), row_sum(0, new.id, new.lease_owner, new.lease_token, new.lease_until_ms, new.event_id, new.receiver, new.integration_id, new.state, new.due_at_ms, new.attempts, new.earlier, new.ended_at_ms, new.incident_id, new.began_id, new.format, new.ends, new.number, new.tried_awake_ms)) WHERE rowid = new.rowid; END;
CREATE INDEX event_created ON event (created_at_ms);
CREATE TRIGGER event_inserted AFTER INSERT ON event BEGIN UPDATE event SET checksum = row_moved(checksum, 0, row_sum(0, new.number, new.id, new.integration_id, new.sequence, new.type, new.created_at_ms, new.body)) WHERE rowid = new.rowid; END;
CREATE INDEX event_integration ON event (integration_id) WHERE integration_id IS NOT NULL;
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE TRIGGER event_updated AFTER UPDATE OF number, id, integration_id, sequence, type, created_at_ms, body ON event BEGIN UPDATE event SET checksum = row_moved(checksum, row_sum(0, old.number, old.id, old.integration_id, old.sequence, old.type, old.created_at_ms, old.body), row_sum(0, new.number, new.id, new.integration_id, new.sequence, new.type, new.created_at_ms, new.body)) WHERE rowid = new.rowid; END;
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
CREATE TRIGGER integration_inserted AFTER INSERT ON integration BEGIN UPDATE integration SET checksum = row_moved(checksum, 0, row_sum(0, new.id, new.next_run_at_ms, new.next_trigger, new.lease_owner, new.lease_token, new.lease_until_ms, new.failures, new.passes, new.last_run_id, new.fingerprint_at_ms, new.expires_at_ms, new.expires_what, new.name, new.formerly, new.kind, new.auto_bootstrap, new.labels, new.status, new.pending_status, new.cron, new.zone, new.sequence, new.transitions, new.incident_id, new.failing_since_ms, new.incident_notified, new.first_failure_at_ms, new.evidence, new.candidate_failures, new.candidate_passes, new.candidate_run_id, new.candidate_first_failure_at_ms, new.candidate_evidence, new.notified_status, new.muted_until_ms, new.muted_by, new.warning_muted, new.flips, new.flapping_since_ms, new.flapping_until_ms, new.suspect_since_ms, new.suspect_class, new.own_fault, new.outage_id, new.fingerprint_id, new.created_at_ms, new.history_since_ms)) WHERE rowid = new.rowid; END;
CREATE INDEX integration_last_run ON integration (last_run_id) WHERE last_run_id IS NOT NULL;
CREATE INDEX integration_leased ON integration (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX integration_muted ON integration (muted_until_ms) WHERE muted_until_ms IS NOT NULL;
CREATE UNIQUE INDEX integration_name ON integration (name) WHERE status <> 'deleted';
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE TRIGGER integration_updated AFTER UPDATE OF id, name, formerly, kind, auto_bootstrap, labels, status, pending_status, cron, zone, sequence, transitions, incident_id, failing_since_ms, incident_notified, first_failure_at_ms, evidence, candidate_failures, candidate_passes, candidate_run_id, candidate_first_failure_at_ms, candidate_evidence, notified_status, muted_until_ms, muted_by, warning_muted, flips, flapping_since_ms, flapping_until_ms, suspect_since_ms, suspect_class, own_fault, outage_id, fingerprint_id, created_at_ms, history_since_ms ON integration BEGIN UPDATE integration SET checksum = row_moved(checksum, row_sum(0, old.id, old.next_run_at_ms, old.next_trigger, old.lease_owner, old.lease_token, old.lease_until_ms, old.failures, old.passes, old.last_run_id, old.fingerprint_at_ms, old.expires_at_ms, old.expires_what, old.name, old.formerly, old.kind, old.auto_bootstrap, old.labels, old.status, old.pending_status, old.cron, old.zone, old.sequence, old.transitions, old.incident_id, old.failing_since_ms, old.incident_notified, old.first_failure_at_ms, old.evidence, old.candidate_failures, old.candidate_passes, old.candidate_run_id, old.candidate_first_failure_at_ms, old.candidate_evidence, old.notified_status, old.muted_until_ms, old.muted_by, old.warning_muted, old.flips, old.flapping_since_ms, old.flapping_until_ms, old.suspect_since_ms, old.suspect_class, old.own_fault, old.outage_id, old.fingerprint_id, old.created_at_ms, old.history_since_ms), row_sum(0, new.id, new.next_run_at_ms, new.next_trigger, new.lease_owner, new.lease_token, new.lease_until_ms, new.failures, new.passes, new.last_run_id, new.fingerprint_at_ms, new.expires_at_ms, new.expires_what, new.name, new.formerly, new.kind, new.auto_bootstrap, new.labels, new.status, new.pending_status, new.cron, new.zone, new.sequence, new.transitions, new.incident_id, new.failing_since_ms, new.incident_notified, new.first_failure_at_ms, new.evidence, new.candidate_failures, new.candidate_passes, new.candidate_run_id, new.candidate_first_failure_at_ms, new.candidate_evidence, new.notified_status, new.muted_until_ms, new.muted_by, new.warning_muted, new.flips, new.flapping_since_ms, new.flapping_until_ms, new.suspect_since_ms, new.suspect_class, new.own_fault, new.outage_id, new.fingerprint_id, new.created_at_ms, new.history_since_ms)) WHERE rowid = new.rowid; END;
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
CREATE TRIGGER transition_inserted AFTER INSERT ON transition BEGIN UPDATE transition SET checksum = row_moved(checksum, 0, row_sum(0, new.id, new.integration_id, new.from_status, new.to_status, new.cause, new.at_ms, new.run_id, new.incident_id)) WHERE rowid = new.rowid; END;
CREATE INDEX transition_integration ON transition (integration_id);
CREATE INDEX transition_run ON transition (run_id) WHERE run_id IS NOT NULL;
CREATE TRIGGER transition_updated AFTER UPDATE OF id, integration_id, from_status, to_status, cause, at_ms, run_id, incident_id ON transition BEGIN UPDATE transition SET checksum = row_moved(checksum, row_sum(0, old.id, old.integration_id, old.from_status, old.to_status, old.cause, old.at_ms, old.run_id, old.incident_id), row_sum(0, new.id, new.integration_id, new.from_status, new.to_status, new.cause, new.at_ms, new.run_id, new.incident_id)) WHERE rowid = new.rowid; END;
INSERT INTO "sqlite_sequence" VALUES('delivery',6);
INSERT INTO "sqlite_sequence" VALUES('event',10);
INSERT INTO "sqlite_sequence" VALUES('integration',2);
COMMIT;
PRAGMA user_version = 21;
PRAGMA application_id = 1919252065;
