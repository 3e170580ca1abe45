//! The platform against servers: recorded answers in `testcases/`, and moto, which verifies
//! signatures and policies for real.

mod stand_ins;
mod transient;

use std::time::Duration;

use reqsign_core::StaticEnv;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use super::*;
use crate::domain::{Outcome, Report, ReportStatus, Timestamp};
use crate::input::{Faults, Value};
use crate::net::exchange::percent_encoded;
use crate::net::http::HttpOptions;
use crate::platforms::testing::{
    Recorded, Seen, Server, StandIn, Subject, cases, context, echo_is_hidden, facts_of_case, fuzz,
    page, parsed, recorded_again, recorded_bodies, replay, sample_config, xml,
};
use crate::platforms::{Peer, Peers};

/// Fragments that no report, fact, request line or debug text may contain.
const SECRETS: [&str; 5] =
    ["wJalrXUtnFEMI", "FwoGZXIvYXdz", "AQoDYXdzEPT", "eyJhbGciOi", "pod-identity-hunter2"];
const ENV: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/base"),
];

/// The integration that `config` describes. Its `environment` is no key of the platform, but what
/// stands in the environment; container credentials are where STS is.
fn integration(config: &Json, env: &[(&str, &str)]) -> S3 {
    let mut config = config.clone();
    let environment = config.as_object_mut().unwrap().remove("environment");
    let container = config["endpoints"]["sts"].as_str().unwrap_or_default().to_owned();
    let value = Value::from_json(&config, &"case".into());
    let faults = Faults::default();
    let mut reader = Reader::new(&value, "config", &faults).unwrap();
    let config = config::parse(&mut reader);
    reader.finish();
    let faults = faults.into_parts().0;
    assert!(faults.is_empty(), "{faults:?}");
    let envs = match environment {
        Some(environment) => serde_json::from_value(environment).unwrap(),
        None => env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    let env = StaticEnv { home_dir: None, envs };
    S3::new(config.unwrap(), Machine { env, container }).unwrap()
}

fn outcome(report: &Report, test: Test) -> &Outcome {
    let found = report.tests.iter().find(|result| result.test == test);
    &found.expect("every test is listed").outcome
}

fn message(report: &Report, test: Test) -> (ReportStatus, &str) {
    let outcome = outcome(report, test);
    (outcome.status(), outcome.message().unwrap_or_default())
}

/// Which documented operation a request asks for; none for all others.
fn asked_for(seen: &Seen) -> Option<&'static str> {
    let (method, target) = seen.line.split_once(' ')?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match (method, path) {
        ("GET", "/") if query.starts_with("Action=GetCallerIdentity&") => Some("caller"),
        ("GET", "/") if query.starts_with("Action=AssumeRole&") => Some("role"),
        ("POST", "/") if seen.body.starts_with("Action=AssumeRoleWithWebIdentity&") => {
            Some("web-identity")
        }
        ("GET", "/v20180820/accessgrantsinstance") if query.is_empty() => Some("instance"),
        ("GET", "/v20180820/accessgrantsinstance/locations") => Some("locations"),
        ("GET", "/example-lake") if query.starts_with("list-type=2&") => Some("objects"),
        ("GET", "/v1/credentials" | "/v2/credentials/0f1e2d3c") => Some("container"),
        ("PUT", "/latest/api/token") => Some("metadata-token"),
        ("GET", "/latest/meta-data/iam/security-credentials/") => Some("metadata-role"),
        ("GET", "/latest/meta-data/iam/security-credentials/reader") => Some("metadata-keys"),
        _ => None,
    }
}

/// Every request is on the list of what the platform may send, and is signed for its service; what
/// is asked of the machine itself has the token that belongs to it instead.
fn check_request(seen: &Seen) {
    match asked_for(seen).expect("not on the list") {
        "caller" | "role" => check_signature(seen, "sts", false),
        "instance" | "locations" => check_signature(seen, "s3", true),
        "objects" => check_signature(seen, "s3", false),
        "container" if seen.line.contains("/v1/") => {
            assert_eq!(seen.header("authorization"), Some("pod-identity-hunter2"));
        }
        "metadata-token" => {
            assert_eq!(seen.header("x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
        }
        "metadata-role" | "metadata-keys" => {
            assert_eq!(seen.header("x-aws-ec2-metadata-token"), Some("AQAEAFr3dZ8bQ9hunter2"));
        }
        _ => assert_eq!(seen.header("authorization"), None),
    }
    assert!(seen.header("user-agent").is_some_and(|agent| agent.starts_with("revalidated/")));
    assert!(SECRETS.iter().all(|secret| !seen.line.contains(secret)), "{seen:?}");
}

fn check_signature(seen: &Seen, service: &str, about_account: bool) {
    let signature = seen.header("authorization").expect("a signature");
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=A"), "{signature}");
    assert!(signature.contains(&format!("/eu-central-1/{service}/aws4_request")), "{signature}");
    let empty = reqsign_aws_v4::EMPTY_STRING_SHA256;
    assert_eq!(seen.header("x-amz-content-sha256"), Some(empty));
    assert_eq!(seen.header("content-length"), None);
    let account = about_account.then_some("123456789012");
    assert_eq!(seen.header("x-amz-account-id"), account);
    let mut signed = vec!["host", "x-amz-content-sha256", "x-amz-date"];
    signed.extend(account.map(|_| "x-amz-account-id"));
    signed.extend(seen.header("x-amz-security-token").map(|_| "x-amz-security-token"));
    for name in signed {
        assert!(signature.contains(name), "{name} is not signed: {signature}");
    }
    assert!(SECRETS.iter().all(|secret| !signature.contains(secret)));
}

/// Returns the line of a request in the list; a token in a body is left out.
fn shown(seen: &Seen) -> String {
    let text = seen.with_body();
    let (shown, _token) = text.split_once("&WebIdentityToken=").unwrap_or((&text, ""));
    shown.to_owned()
}

const SUBJECT: Subject = Subject {
    folder: "s3",
    validator: |config| Box::new(integration(config, &ENV)),
    operation: |seen| asked_for(seen).map(str::to_owned),
    check: check_request,
    shown,
    secrets: &SECRETS,
    cases_min: 50,
};

#[tokio::test]
async fn recorded_answers_are_reported_as_expected() {
    replay(SUBJECT).await;
}

#[tokio::test]
async fn case_that_is_recorded_again_hides_its_names_and_has_the_same_verdicts() {
    recorded_again(SUBJECT, "Native S3", machine).await;
}

/// The machine that a case is written for.
fn machine(config: &Json) -> Recorded {
    let mut config = config.clone();
    let own = config.as_object_mut().unwrap().remove("environment");
    let usual = || ENV.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let environment = own.map_or_else(usual, |own| serde_json::from_value(own).unwrap());
    Recorded { config, environment }
}

#[tokio::test]
async fn echoed_credentials_are_hidden() {
    echo_is_hidden(SUBJECT, &["token-expired", "web-identity"], &[xml, page]).await;
}

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let expected = [
        "principal [] arn:aws:iam::123456789012:user/revalidated",
        "principal [id] AIDACKCEVSQ6C2EXAMPLE",
        "grant [s3://example-lake/raw*] location 7a91c3c9-6f6c-4b8b-9f4b-0e9b6a3f2d10",
        "grant [s3://example-lake/raw*] role arn:aws:iam::123456789012:role/access-grants-location",
        "grant [s3://example-lake/raw/] s3:ListBucket",
    ];
    assert_eq!(facts_of_case(SUBJECT, "all-well").await, expected);
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
async fn integrations_with_the_same_name_or_target_are_named() {
    let server = healthy().await;
    let validator = integration(&healthy_config(&server.address), &[]);
    let same = validator.identity();
    assert_eq!(same.target.as_deref(), Some("123456789012/eu-central-1/example-lake/raw/"));
    assert_eq!(format!("http://{}", same.host), server.address);
    let peer = |id, kind, config_name: &str, target: &str| Peer {
        id,
        name: "other".to_owned(),
        kind,
        identity: Identity {
            config_name: Some(config_name.to_owned()),
            target: Some(target.to_owned()),
            ..Identity::default()
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
    for (peer, same_target, same_name) in cases {
        let mut run = context(Mode::Recurring);
        run.everyone = Peers::from_iter([peer]).into();
        let report = validator.validate(&run).await.report;
        for (test, expected) in [(TARGET, same_target), (NAME, same_name)] {
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
        let report = integration(&config, &[]).validate(&context(Mode::Recurring)).await.report;
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
        let report = validator.validate(&run).await.report;
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
async fn refused_key_is_not_sent_by_later_runs() {
    let server = Server::start(&SUBJECT, &cases("s3").join("key-unknown"), None).await;
    let config = healthy_config(&server.address);
    let run = context(Mode::Recurring);
    for is_repeat in [false, true, true] {
        let found = integration(&config, &[]).validate(&run).await;
        run.log_ins.stored();
        assert_eq!((found.report.class(), server.seen().len()), (Some(Class::Denied), 1));
        assert_eq!(found.observed.is_repeat, is_repeat);
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
    let nothing = "environment: not set up; shared profile: not set up; web identity: ";
    let cases: [(&[(&str, &str)], String); 4] = [
        (
            &[("AWS_EC2_METADATA_DISABLED", "true")],
            format!("{nothing}not set up; container: not set up; instance metadata: not set up."),
        ),
        (
            &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &closed)],
            format!(
                "{nothing}not set up; container: not set up; instance metadata: failed to connect \
                 to IMDS: no connection: Connection refused (os error 111)."
            ),
        ),
        (
            &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/none")],
            format!("{nothing}token file /none: No such file or directory (os error 2)."),
        ),
        (
            &[("AWS_PROFILE", "lake"), ("AWS_SHARED_CREDENTIALS_FILE", "/none")],
            "environment: not set up; shared profile: no key was found for the one in AWS_PROFILE."
                .to_owned(),
        ),
    ];
    for (env, expected) in cases {
        let report = integration(&config, env).validate(&context(Mode::Recurring)).await.report;
        let expected = format!("No AWS credentials could be loaded: {expected}");
        assert_eq!(message(&report, CALLER), (ReportStatus::Failed, expected.as_str()));
        assert_eq!(report.class(), Some(Class::Local));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_asked_three_times() {
    let server = Server::start(&SUBJECT, &cases("s3").join("silent-server"), None).await;
    let mut config = healthy_config(&server.address);
    config["connectTimeout"] = "1s".into();
    config["readTimeout"] = "1s".into();
    let validator = integration(&config, &[]);
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let expected = "Unable to retrieve the access grants instance for account [123456789012], \
        region [eu-central-1]: no answer within the time limit.";
    assert_eq!(message(&report, INSTANCE), (ReportStatus::Failed, expected));
    assert_eq!(report.class(), Some(Class::Unreachable));
    let asked = server.seen();
    let asked = asked.iter().filter(|seen| asked_for(seen) == Some("instance"));
    assert_eq!(asked.count(), 3);
}

/// The sample as it stands, and with everything that is commented out in it, but for the keys of
/// the other way to log in.
#[test]
fn the_sample_and_its_commented_keys_are_configurations() {
    let commented = |line: &str| {
        let bare = line.strip_prefix("# ").unwrap_or(line);
        let is_key = bare.starts_with('[') || bare.contains(" = ");
        let other = bare.starts_with("awsRole") || bare.starts_with("externalId");
        let wanted = is_key && !other && !bare.contains("caFile");
        if wanted { bare.to_owned() } else { line.to_owned() }
    };
    let auto = "authenticationType = \"auto\"\n";
    let full = PLATFORM.sample.replacen(auto, "", 1);
    let full = full.lines().map(commented).collect::<Vec<_>>().join("\n");
    for text in [PLATFORM.sample, &full] {
        let (validator, faults) = parsed(&PLATFORM, &sample_config(&PLATFORM, text));
        assert!(validator.is_some() && faults.is_empty(), "{faults:?}");
    }
}

#[test]
fn fuzz_answers() {
    fuzz(&recorded_bodies("s3"), |bytes| {
        let Ok(root) = Element::parse(bytes) else { return };
        let _read = (caller(&root).is_ok(), instance(&root).is_ok(), key_count(&root).is_ok());
        let _read = (locations(&root).is_ok(), root.first("Code"), root.first("Message"));
    });
}

/// The catalog is the published one, to the letter, followed by the unpublished test.
#[test]
fn our_own_tests_stand_last_and_are_marked() {
    let recurring: Vec<_> = PLATFORM.catalog.iter().skip(7).collect();
    assert_eq!(recurring, [&REGISTERED]);
    assert!(REGISTERED.name.starts_with("Recurring validation: "));
}
