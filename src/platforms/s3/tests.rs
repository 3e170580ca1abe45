//! The platform against servers: recorded answers in `testcases/`, and moto, which verifies
//! signatures and policies for real.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqsign_core::StaticEnv;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::{Outcome, ReportStatus, TestResult, Timestamp, ValidationResults};
use crate::input::{Faults, Value};
use crate::net::http::HttpOptions;

/// What no report, no request line and no debug text may hold.
const SECRETS: [&str; 3] = ["wJalrXUtnFEMI", "FwoGZXIvYXdz", "AQoDYXdzEPT"];
const NOW: &str = "2026-11-22T21:00:00Z";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn cases() -> PathBuf {
    root().join("src/platforms/s3/testcases")
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

fn context(mode: Mode) -> RunContext {
    RunContext {
        name: "lake".to_owned(),
        mode,
        everyone: [].into(),
        test_limit: Duration::from_secs(30),
        run_limit: Duration::from_mins(2),
        now: NOW.parse().unwrap(),
    }
}

fn outcome(report: &Report, test: Test) -> &Outcome {
    let found = report.tests.iter().find(|result| result.test == test);
    &found.expect("every test is listed").outcome
}

fn message(report: &Report, test: Test) -> (ReportStatus, &str) {
    let outcome = outcome(report, test);
    (outcome.status(), outcome.message().unwrap_or_default())
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    /// Method and target.
    line: String,
    headers: HashMap<String, String>,
}

/// A server that answers from the files of one case, or else from those of `all-well`.
struct Server {
    endpoint: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(case: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let (case, log) = (case.to_owned(), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, case.clone(), Arc::clone(&log)));
            }
        });
        Self { endpoint, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Which documented operation a request line asks for; none for all others.
fn asked_for(line: &str) -> Option<&'static str> {
    let target = line.strip_prefix("GET ")?;
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

async fn answer(mut stream: TcpStream, case: PathBuf, log: Arc<Mutex<Vec<Seen>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_closed) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let operation = asked_for(&line).unwrap_or("none");
    let number = {
        let mut log = log.lock().unwrap();
        log.push(Seen { line, headers });
        log.iter().filter(|seen| asked_for(&seen.line) == Some(operation)).count()
    };
    let named = |dir: &Path| {
        let later = dir.join(format!("{operation}.{number}.http"));
        let first = dir.join(format!("{operation}.http"));
        [later, first].into_iter().find(|path| path.exists())
    };
    let file = named(&case).or_else(|| named(&cases().join("all-well")));
    let text = std::fs::read_to_string(file.expect("an answer is recorded")).unwrap();
    let (source, text) = text.split_once('\n').unwrap();
    assert!(source.starts_with("# "), "the first line says where the answer is documented");
    let (head, body) = text.split_once("\n\n").unwrap();
    let (status, headers) = head.split_once('\n').unwrap_or((head, ""));
    if status == "silence" {
        return std::future::pending().await;
    }
    let directive = |name: &str| headers.lines().find_map(|line| line.strip_prefix(name));
    let times = directive("x-repeat: ").map_or(1, |times| times.parse().unwrap());
    let body = body.repeat(times);
    let missing = if directive("x-cut: ").is_some() { 100 } else { 0 };
    let length = body.len() + missing;
    let headers = headers.replace('\n', "\r\n");
    let separator = if headers.is_empty() { "" } else { "\r\n" };
    let answer = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}{separator}\r\n{body}"
    );
    // The client may hang up on a body that is too large.
    let _sent = stream.write_all(answer.as_bytes()).await;
}

/// Every request is on the list of what the platform may send, and is signed for its service.
fn check_request(seen: &Seen) {
    let operation = asked_for(&seen.line);
    let service = match operation {
        Some("caller" | "role") => "sts",
        Some("instance" | "locations" | "objects") => "s3",
        _ => panic!("not on the list: {}", seen.line),
    };
    let header = |name: &str| seen.headers.get(name).map(String::as_str);
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

/// A report as `expected.json` holds it.
fn shown(report: &Report, seen: &[Seen]) -> Json {
    let mut findings = serde_json::Map::new();
    for TestResult { test, outcome } in &report.tests {
        if let Some(Finding { class, remediation, evidence, .. }) = outcome.finding() {
            let finding =
                json!({ "class": class, "remediation": remediation, "evidence": evidence });
            findings.insert(test.name.to_owned(), finding);
        }
    }
    let requests: Vec<_> = seen.iter().map(|seen| seen.line.as_str()).collect();
    json!({
        "class": report.class(),
        "validationResults": ValidationResults::from(report),
        "findings": findings,
        "requests": requests,
    })
}

async fn run_case(case: PathBuf) -> Result<(), String> {
    let read = |name: &str| -> Json {
        let text = std::fs::read_to_string(case.join(name)).unwrap_or_else(|_| "null".to_owned());
        serde_json::from_str(&text).unwrap()
    };
    let server = Server::start(&case).await;
    let given = read("integration.json");
    let config = given["config"].to_string().replace("@server@", &server.endpoint);
    let env = [
        ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/base"),
    ];
    let validator = integration(&serde_json::from_str(&config).unwrap(), &env);
    let preflight = given["mode"] == "preflight";
    let mut run = context(if preflight { Mode::Preflight } else { Mode::Recurring });
    if let Some(limit) = given["testLimit"].as_str() {
        let limit: jiff::SignedDuration = limit.parse().unwrap();
        run.test_limit = limit.unsigned_abs();
    }
    let report = validator.validate(&run).await;
    let seen = server.seen();
    seen.iter().for_each(check_request);
    let found = shown(&report, &seen);
    let everything = format!("{found} {validator:?}");
    for secret in SECRETS {
        assert!(!everything.contains(secret), "{} shows {secret}", case.display());
    }
    if found == read("expected.json") {
        return Ok(());
    }
    Err(format!("{}: found\n{found:#}", case.display()))
}

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    let entries = std::fs::read_dir(cases()).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    assert!(30 <= found.len(), "only {} cases", found.len());
    let running: Vec<_> = found.into_iter().map(|case| tokio::spawn(run_case(case))).collect();
    let mut wrong = Vec::new();
    for case in running {
        wrong.extend(case.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The answers of `all-well`, for tests that need a healthy S3 Control.
async fn healthy() -> Server {
    Server::start(&cases().join("all-well")).await
}

fn healthy_config(endpoint: &str) -> Json {
    let path = cases().join("all-well/integration.json");
    let text = std::fs::read_to_string(path).unwrap().replace("@server@", endpoint);
    serde_json::from_str::<Json>(&text).unwrap()["config"].take()
}

#[tokio::test]
async fn others_with_the_same_name_or_target_are_told() {
    let server = healthy().await;
    let validator = integration(&healthy_config(&server.endpoint), &[]);
    let same = validator.identity();
    assert_eq!(same.target.as_deref(), Some("123456789012/eu-central-1/example-lake/raw"));
    assert_eq!(format!("http://{}", same.host), server.endpoint);
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
        let mut config = healthy_config(&server.endpoint);
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
    let server = Server::start(&cases().join("role-taken-up")).await;
    let mut config = healthy_config(&server.endpoint);
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
        seen.iter().filter(|seen| asked_for(&seen.line) == Some("role")).count()
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
        let base = asked_for(&seen.line) == Some("role");
        let key = if base { "AKIAI44QH8DHBEXAMPLE" } else { "ASIAIOSFODNN7EXAMPLE" };
        assert!(seen.headers["authorization"].contains(key), "{seen:?}");
    }
}

#[tokio::test]
async fn every_source_of_credentials_says_why_it_has_none() {
    let server = healthy().await;
    let mut config = healthy_config(&server.endpoint);
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
    let mut config = healthy_config(&server.endpoint);
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
    let server = Server::start(&cases().join("silent-server")).await;
    let mut validator = integration(&healthy_config(&server.endpoint), &[]);
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
    let asked = asked.iter().filter(|seen| asked_for(&seen.line) == Some("instance"));
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

/// A moto server, stopped when dropped.
struct Moto {
    endpoint: String,
    dir: PathBuf,
}

impl Moto {
    fn start() -> Self {
        let dir = root().join("target/servers/moto");
        let output = script("start", &dir);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let endpoint = text.trim().strip_prefix("endpoint=").unwrap_or_else(|| {
            panic!(
                "moto cannot be started; install python3, python3-venv and `pip install \
                 'moto[server]'`: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        Self { endpoint: endpoint.to_owned(), dir }
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

impl Drop for Moto {
    fn drop(&mut self) {
        script("stop", &self.dir);
    }
}

fn script(verb: &str, dir: &Path) -> std::process::Output {
    Command::new(root().join("tests/servers/moto.sh")).arg(verb).arg(dir).output().unwrap()
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
                "sts": moto.endpoint, "s3": moto.endpoint, "s3Control": control.endpoint,
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
