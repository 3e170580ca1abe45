//! The platform against servers: recorded answers in `testcases/`, and moto, which verifies
//! signatures and policies for real.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqsign_core::StaticEnv;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::*;
use crate::domain::{Outcome, ReportStatus, Timestamp};
use crate::input::{Faults, Value};
use crate::net::http::HttpOptions;
use crate::platforms::testing::{Seen, Server, StandIn, Subject, cases, context, replay};

/// What no report, no request line and no debug text may hold.
const SECRETS: [&str; 3] = ["wJalrXUtnFEMI", "FwoGZXIvYXdz", "AQoDYXdzEPT"];
const ENV: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/base"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn integration(config: &Json, env: &[(&str, &str)]) -> S3 {
    let value = Value::from_json(config, &"case".into());
    let faults = Faults::default();
    let config = config::parse(Reader::new(&value, "config", &faults).unwrap());
    let faults = faults.into_parts().0;
    assert!(faults.is_empty(), "{faults:?}");
    let envs = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    S3::new(config.unwrap(), StaticEnv { home_dir: None, envs })
}

fn outcome(report: &Report, test: Test) -> &Outcome {
    let found = report.tests.iter().find(|result| result.test == test);
    &found.expect("every test is listed").outcome
}

fn message(report: &Report, test: Test) -> (ReportStatus, &str) {
    let outcome = outcome(report, test);
    (outcome.status(), outcome.message().unwrap_or_default())
}

/// Which documented operation a request line asks for; none for all others.
fn asked_for(seen: &Seen) -> Option<&'static str> {
    let target = seen.line.strip_prefix("GET ")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match path {
        "/" if query.starts_with("Action=GetCallerIdentity&") => Some("caller"),
        "/" if query.starts_with("Action=AssumeRole&") => Some("role"),
        "/v20180820/accessgrantsinstance" if query.is_empty() => Some("instance"),
        "/v20180820/accessgrantsinstance/locations" => Some("locations"),
        "/example-lake" if query.starts_with("list-type=2&") => Some("objects"),
        _ => None,
    }
}

/// Every request is on the list of what the platform may send, and is signed for its service.
fn check_request(seen: &Seen) {
    let operation = asked_for(seen);
    let service = match operation {
        Some("caller" | "role") => "sts",
        Some("instance" | "locations" | "objects") => "s3",
        _ => panic!("not on the list: {}", seen.line),
    };
    let header = |name: &str| seen.header(name);
    let signature = header("authorization").expect("a signature");
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=A"), "{signature}");
    assert!(signature.contains(&format!("/eu-central-1/{service}/aws4_request")), "{signature}");
    let empty = reqsign_aws_v4::EMPTY_STRING_SHA256;
    assert_eq!(header("x-amz-content-sha256"), Some(empty));
    assert_eq!(header("content-length"), None);
    let mut signed = vec!["host", "x-amz-content-sha256", "x-amz-date"];
    if matches!(operation, Some("instance" | "locations")) {
        assert_eq!(header("x-amz-account-id"), Some("123456789012"));
        signed.push("x-amz-account-id");
    }
    if header("x-amz-security-token").is_some() {
        signed.push("x-amz-security-token");
    }
    for name in signed {
        assert!(signature.contains(name), "{name} is not signed: {signature}");
    }
    assert!(header("user-agent").is_some_and(|agent| agent.starts_with("revalidated/")));
    for secret in SECRETS {
        assert!(!seen.line.contains(secret) && !signature.contains(secret));
    }
}

const SUBJECT: Subject = Subject {
    folder: "s3",
    validator: |config| Box::new(integration(config, &ENV)),
    operation: |seen| asked_for(seen).map(str::to_owned),
    check: check_request,
    shown: Seen::with_body,
    secrets: &SECRETS,
    cases_min: 30,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    replay(SUBJECT).await;
}

/// The answers of `all-well`, for tests that need a healthy S3 Control.
async fn healthy() -> Server {
    Server::start(&SUBJECT, &cases("s3").join("all-well"), None).await
}

fn healthy_config(endpoint: &str) -> Json {
    let path = cases("s3").join("all-well/integration.json");
    let text = std::fs::read_to_string(path).unwrap().replace("@server@", endpoint);
    serde_json::from_str::<Json>(&text).unwrap()["config"].take()
}

#[tokio::test]
async fn others_with_the_same_name_or_target_are_told() {
    let server = healthy().await;
    let validator = integration(&healthy_config(&server.address), &[]);
    let same = validator.identity();
    assert_eq!(same.target.as_deref(), Some("123456789012/eu-central-1/example-lake/raw"));
    assert_eq!(format!("http://{}", same.host), server.address);
    let peer = |id, kind, config_name: &str, target: &str| Peer {
        id,
        name: "other".to_owned(),
        kind,
        identity: Identity {
            host: String::new(),
            config_name: Some(config_name.to_owned()),
            target: Some(target.to_owned()),
        },
    };
    let target = same.target.as_deref().unwrap();
    let cases = [
        (peer(Some(7), "Redshift", "lake", target), None, None),
        (peer(Some(7), "Native S3", "pond", "123456789012/eu-central-1/pond"), None, None),
        (
            peer(Some(7), "Native S3", "pond", target),
            Some(
                "Integration [7] ([other]) already uses account [123456789012], region \
                 [eu-central-1] and location path [s3://example-lake/raw/].",
            ),
            None,
        ),
        (
            peer(None, "Native S3", "lake", "x"),
            None,
            Some("An Amazon S3 integration named [lake] already exists."),
        ),
    ];
    for (peer, twin, namesake) in cases {
        let mut run = context(Mode::Recurring);
        run.everyone = [peer].into();
        let report = validator.validate(&run).await;
        for (test, expected) in [(TARGET, twin), (NAME, namesake)] {
            let status =
                if expected.is_some() { ReportStatus::Failed } else { ReportStatus::Passed };
            assert_eq!(message(&report, test), (status, expected.unwrap_or_default()));
        }
        assert_eq!(outcome(&report, REGISTERED).status(), ReportStatus::Passed);
    }
}

#[tokio::test]
async fn a_role_of_another_kind_or_partition_fails_and_stops_nothing() {
    let server = healthy().await;
    for role in ["arn:aws:iam::123456789012:user/x", "arn:aws-cn:iam::123456789012:role/x"] {
        let mut config = healthy_config(&server.address);
        config["awsLocationRole"] = role.into();
        let report = integration(&config, &[]).validate(&context(Mode::Recurring)).await;
        let expected = "The specified access grants location role is not a valid ARN format.";
        assert_eq!(message(&report, ROLE), (ReportStatus::Failed, expected));
        assert_eq!(outcome(&report, PATH).status(), ReportStatus::Passed);
        assert_eq!(report.class(), Some(Class::Invalid));
    }
}

#[tokio::test]
async fn an_assumed_role_is_kept_until_it_nearly_ends() {
    let server = Server::start(&SUBJECT, &cases("s3").join("role-taken-up"), None).await;
    let mut config = healthy_config(&server.address);
    for key in ["awsAccessKeyId", "awsSecretAccessKey"] {
        config.as_object_mut().unwrap().remove(key);
    }
    config["authenticationType"] = "auto".into();
    config["awsRoleToAssume"] = "arn:aws:iam::123456789012:role/revalidated".into();
    let env = [("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let validator = integration(&config, &env);
    let mut run = context(Mode::Recurring);
    let taken = || {
        let seen = server.seen();
        seen.iter().filter(|seen| asked_for(seen) == Some("role")).count()
    };
    let end: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
    let steps = [(run.now, 1), (run.now, 1), (end.minus(Duration::from_secs(301)), 1), (end, 2)];
    for (now, expected) in steps {
        run.now = now;
        let report = validator.validate(&run).await;
        assert_eq!(report.status(), ReportStatus::Passed);
        assert_eq!(taken(), expected, "at {now}");
    }
    for seen in server.seen() {
        let base = asked_for(&seen) == Some("role");
        let key = if base { "AKIAI44QH8DHBEXAMPLE" } else { "ASIAIOSFODNN7EXAMPLE" };
        assert!(seen.headers["authorization"].contains(key), "{seen:?}");
    }
}

#[tokio::test]
async fn every_source_of_credentials_says_why_it_has_none() {
    let server = healthy().await;
    let mut config = healthy_config(&server.address);
    for key in ["awsAccessKeyId", "awsSecretAccessKey"] {
        config.as_object_mut().unwrap().remove(key);
    }
    config["authenticationType"] = "auto".into();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let nobody = "environment: not set up; shared profile: not set up; web identity: ";
    let cases: [(&[(&str, &str)], String); 3] = [
        (
            &[("AWS_EC2_METADATA_DISABLED", "true")],
            format!("{nobody}not set up; container: not set up; instance metadata: not set up."),
        ),
        (
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &closed)],
            format!(
                "{nobody}not set up; container: not set up; instance metadata: failed to connect \
                 to IMDS: no connection: Connection refused (os error 111)."
            ),
        ),
        (
            &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/none")],
            format!(
                "{nobody}failed to read web identity token file: No such file or directory (os \
                 error 2)."
            ),
        ),
    ];
    for (env, expected) in cases {
        let report = integration(&config, env).validate(&context(Mode::Recurring)).await;
        let expected = format!("No AWS credentials could be loaded: {expected}");
        assert_eq!(message(&report, CALLER), (ReportStatus::Failed, expected.as_str()));
        assert_eq!(report.class(), Some(Class::Ours));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn metadata_services_give_credentials() {
    use axum::routing::{get, put};
    let server = healthy().await;
    let keys = json!({
        "Code": "Success", "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": "s",
        "Token": "FwoGZXIvYXdzEXAMPLETOKEN", "Expiration": "2099-01-01T00:00:00Z",
    })
    .to_string();
    let (container, instance) = (keys.clone(), keys);
    let role = "/latest/meta-data/iam/security-credentials/";
    let router = axum::Router::new()
        .route("/v1/credentials", get(async move || container))
        .route("/latest/api/token", put(async || "t"))
        .route(role, get(async || "reader"))
        .route(&format!("{role}reader"), get(async move || instance));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut config = healthy_config(&server.address);
    for key in ["awsAccessKeyId", "awsSecretAccessKey"] {
        config.as_object_mut().unwrap().remove(key);
    }
    config["authenticationType"] = "auto".into();
    let container = format!("{endpoint}/v1/credentials");
    let sources = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str()),
    ];
    for source in sources {
        let report = integration(&config, &[source]).validate(&context(Mode::Recurring)).await;
        assert_eq!(report.status(), ReportStatus::Passed, "{source:?}: {report:?}");
    }
    for seen in server.seen() {
        check_request(&seen);
        assert!(seen.headers.contains_key("x-amz-security-token"), "{seen:?}");
    }
    assert_eq!(server.seen().len(), 8);
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_asked_three_times() {
    let server = Server::start(&SUBJECT, &cases("s3").join("silent-server"), None).await;
    let mut validator = integration(&healthy_config(&server.address), &[]);
    let limit = Duration::from_millis(200);
    let options =
        HttpOptions { connect_timeout: limit, total_timeout: limit, ..HttpOptions::default() };
    validator.config.client = crate::net::http::Connections::new(&options).unwrap();
    let validator = S3::new(validator.config, StaticEnv::default());
    let report = validator.validate(&context(Mode::Recurring)).await;
    let expected = "Unable to retrieve the access grants instance for account [123456789012], \
        region [eu-central-1]: no answer within the time limit.";
    assert_eq!(message(&report, INSTANCE), (ReportStatus::Failed, expected));
    assert_eq!(report.class(), Some(Class::Unreachable));
    let asked = server.seen();
    let asked = asked.iter().filter(|seen| asked_for(seen) == Some("instance"));
    assert_eq!(asked.count(), 3);
}

#[test]
fn the_sample_is_a_configuration() {
    let document: toml_edit::DocumentMut = PLATFORM.sample.parse().unwrap();
    let table = document["integration"].as_array_of_tables().unwrap().get(0).unwrap();
    assert_eq!(table["type"].as_str(), Some(PLATFORM.kind));
    assert_eq!(table["autoBootstrap"].as_bool(), Some(false));
    let config = table["config"].as_table().unwrap();
    let entries = config.iter().map(|(key, item)| (key.to_owned(), json!(item.as_str().unwrap())));
    integration(&Json::Object(entries.collect()), &[]);
}

/// The catalog is the published one, to the letter, followed by ours.
#[test]
fn our_own_tests_stand_last_and_are_marked() {
    let recurring: Vec<_> = PLATFORM.catalog.iter().skip(7).collect();
    assert_eq!(recurring, [&REGISTERED]);
    assert!(REGISTERED.name.starts_with("Recurring validation: "));
}

/// A running moto server.
struct Moto {
    endpoint: String,
    _server: StandIn,
}

impl Moto {
    fn start() -> Self {
        let server = StandIn::start("moto");
        Self { endpoint: server.value("endpoint").to_owned(), _server: server }
    }

    /// Sends a request that moto does not check, for setting up.
    async fn prepare(&self, method: &str, target: &str, service: &str, body: &str) -> String {
        let client = crate::net::http::client(&HttpOptions::default()).unwrap();
        let scope = format!("Credential=setup/20261122/us-east-1/{service}/aws4_request");
        let url = format!("{}{target}", self.endpoint);
        let sent = client
            .request(method.parse().unwrap(), url)
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert!(sent.status().is_success(), "{target} {body}: {}", sent.status());
        String::from_utf8(crate::net::http::read_capped(sent, 100_000).await.unwrap()).unwrap()
    }

    async fn iam(&self, parameters: &[(&str, &str)], name: &str, document: &Json) -> String {
        let mut body = "Version=2010-05-08".to_owned();
        let document = document.to_string();
        for (key, value) in parameters.iter().copied().chain([(name, document.as_str())]) {
            body = format!("{body}&{key}={}", client::percent_encoded(value));
        }
        self.prepare("POST", "/", "iam", &body).await
    }

    /// A user with a policy; the answer is its key and the key's secret.
    async fn user(&self, name: &str, policy: &Json) -> (String, String) {
        let user = ("UserName", name);
        self.iam(&[("Action", "CreateUser"), user], "Tags", &Json::Null).await;
        let put = [("Action", "PutUserPolicy"), user, ("PolicyName", "p")];
        self.iam(&put, "PolicyDocument", policy).await;
        let made = self.iam(&[("Action", "CreateAccessKey"), user], "Tags", &Json::Null).await;
        let made = reply::Element::parse(made.as_bytes()).unwrap();
        let part = |name| made.first(name).unwrap().to_owned();
        (part("AccessKeyId"), part("SecretAccessKey"))
    }
}

/// Keys of a user who may list and take up the role `reader`, and of one who may do neither; from
/// then on moto checks every signature and policy.
async fn seed(moto: &Moto) -> [(String, String); 2] {
    moto.prepare("PUT", "/lake", "s3", "").await;
    moto.prepare("PUT", "/lake/raw/%C3%BC%20ber+%26/part-1", "s3", "x").await;
    let allow = |actions: Json| {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    };
    let good = moto.user("good", &allow(json!(["s3:ListBucket", "sts:AssumeRole"]))).await;
    let bare = moto.user("bare", &allow(json!("s3:GetObject"))).await;
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": "arn:aws:iam::123456789012:user/good" },
        "Condition": { "StringEquals": { "sts:ExternalId": "lake:1" } },
    }]});
    let role = ("RoleName", "reader");
    moto.iam(&[("Action", "CreateRole"), role], "AssumeRolePolicyDocument", &trust).await;
    let put = [("Action", "PutRolePolicy"), role, ("PolicyName", "p")];
    moto.iam(&put, "PolicyDocument", &allow(json!("s3:ListBucket"))).await;
    let client = crate::net::http::client(&HttpOptions::default()).unwrap();
    let reset = client.post(format!("{}/moto-api/reset-auth", moto.endpoint));
    let reset = reset.header("content-type", "text/plain").body("0").send().await.unwrap();
    assert!(reset.status().is_success());
    [good, bare]
}

/// Name, changes of the configuration, test, and what it reports.
type MotoCase = (&'static str, Json, Test, ReportStatus, &'static str);

fn moto_cases(bare: &(String, String)) -> [MotoCase; 10] {
    use ReportStatus::{Failed, Passed, Warning};
    let role = |external_id: &str| {
        json!({
            "authenticationType": "auto", "awsAccessKeyId": null, "awsSecretAccessKey": null,
            "awsRoleToAssume": "arn:aws:iam::123456789012:role/reader", "externalId": external_id,
        })
    };
    let path = |path: &str| json!({ "awsLocationPath": path });
    let wrong = json!({ "awsSecretAccessKey": "0000" });
    let unknown = json!({ "awsAccessKeyId": "AKIAIOSFODNN7EXAMPLE" });
    let bare = json!({ "awsAccessKeyId": bare.0, "awsSecretAccessKey": bare.1 });
    let good = "ARN [arn:aws:iam::123456789012:user/good] using STS.";
    let denied = "Immuta does not have access to the requested path [s3://lake/raw/";
    let assumed = ":assumed-role/reader/revalidated-lake] using STS.";
    let refused = "AccessDenied: Unable to assume the role [arn:";
    let empty = "No objects were found under [s3://lake/none/].";
    [
        ("good key", json!({}), CALLER, Passed, good),
        ("good key", json!({}), PATH, Passed, ""),
        ("wrong secret", wrong, CALLER, Failed, "name [SignatureDoesNotMatch]"),
        ("unknown key", unknown, CALLER, Failed, "name [InvalidClientTokenId]"),
        ("no permission", bare, PATH, Warning, denied),
        ("no bucket", path("s3://pond/raw"), PATH, Failed, "code [404], name [NoSuchBucket]"),
        ("nothing there", path("s3://lake/none/"), PATH, Warning, empty),
        ("role", role("lake:1"), CALLER, Passed, assumed),
        ("role", role("lake:1"), PATH, Passed, ""),
        ("role with a wrong external ID", role("pond:2"), CALLER, Failed, refused),
    ]
}

#[tokio::test]
async fn signatures_policies_and_roles_hold_against_moto() {
    let moto = Moto::start();
    let control = healthy().await;
    let [good, bare] = seed(&moto).await;
    let env = [("AWS_ACCESS_KEY_ID", good.0.as_str()), ("AWS_SECRET_ACCESS_KEY", &good.1)];
    for (name, changes, test, status, expected) in moto_cases(&bare) {
        let mut config = json!({
            "name": "lake", "awsAccountId": "123456789012", "awsRegion": "us-east-1",
            "awsLocationRole": "arn:aws:iam::123456789012:role/grants",
            "awsLocationPath": "s3://lake/raw/\u{fc} ber+&/", "authenticationType": "accessKey",
            "awsAccessKeyId": good.0, "awsSecretAccessKey": good.1,
            "endpoints": {
                "sts": moto.endpoint, "s3": moto.endpoint, "s3Control": control.address,
            },
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let report = integration(&config, &env).validate(&context(Mode::Recurring)).await;
        let found = message(&report, test);
        assert!(found.0 == status && found.1.contains(expected), "{name}: {found:?} {report:?}");
    }
}
