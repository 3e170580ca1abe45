//! Logging in with credentials that AWS gives: how long they are kept, and the whole way against moto
//! and a real `PostgreSQL`.

use std::path::Path;

use reqsign_core::StaticEnv;
use serde_json::{Value as Json, json};

use super::cases::{SUBJECT, asked_for};
use super::{PASSED, Server, lines, redshift};
use crate::domain::{Class, Report, Timestamp};
use crate::input::{Faults, Reader, Value};
use crate::net::http::{HttpOptions, client, read_capped};
use crate::platforms::aws::machine::Machine;
use crate::platforms::redshift::{Redshift, config};
use crate::platforms::testing::{self, StandIn, context};
use crate::platforms::{Mode, Validator};

/// The changes that make a configuration ask `aws`.
fn by_iam(aws: &str) -> Json {
    json!({
        "authenticationType": "accessKey", "username": null, "password": null,
        "databaseUser": "kept", "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "secretKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "clusterIdentifier": "prod", "awsRegion": "eu-central-1",
        "endpoints": { "redshift": aws, "sts": aws },
    })
}

fn given(password: &str, end: &str) -> String {
    format!(
        "# Amazon Redshift API Reference, GetClusterCredentials, sample response\n200\n\n\
         <GetClusterCredentialsResponse><GetClusterCredentialsResult>\
         <DbUser>IAM:kept</DbUser><DbPassword>{password}</DbPassword>\
         <Expiration>{end}</Expiration></GetClusterCredentialsResult>\
         </GetClusterCredentialsResponse>"
    )
}

#[tokio::test]
async fn credentials_are_kept_until_they_nearly_end_and_replaced_once_when_refused() {
    let server = Server::shared();
    let dir = tempfile::tempdir().unwrap();
    let answers = [
        ("credentials.1.http", given("pw-kept-1", "2026-11-22T21:15:00Z")),
        ("credentials.2.http", given("pw-kept-1", "2026-11-22T21:28:00Z")),
        ("credentials.3.http", given("pw-kept-2", "2099-01-01T00:00:00Z")),
        ("credentials.http", given("pw-kept-3", "2099-01-01T00:00:00Z")),
    ];
    for (name, answer) in answers {
        std::fs::write(dir.path().join(name), answer).unwrap();
    }
    let aws = testing::Server::start(&SUBJECT, dir.path(), None).await;
    let validator = server.redshift(by_iam(&aws.address));
    let mut run = context(Mode::Recurring);
    let mut at = async |time: &str| {
        run.now = time.parse::<Timestamp>().unwrap();
        let report = validator.validate(&run).await.report;
        let asked = aws.seen().iter().filter(|seen| asked_for(seen) == Some("credentials")).count();
        (lines(&report)[0].clone(), asked)
    };
    assert_eq!(at("2026-11-22T21:00:00Z").await, (PASSED.to_owned(), 1));
    assert_eq!(at("2026-11-22T21:12:59Z").await, (PASSED.to_owned(), 1));
    assert_eq!(at("2026-11-22T21:13:00Z").await, (PASSED.to_owned(), 2));
    // Redshift no longer takes it before its time: another is asked for, in the same run.
    server.sql("postgres", "ALTER ROLE \"IAM:kept\" PASSWORD 'pw-kept-2'");
    assert_eq!(at("2026-11-22T21:14:00Z").await, (PASSED.to_owned(), 3));
    // That it does not take a new one either is definitive, and nothing is kept.
    server.sql("postgres", "ALTER ROLE \"IAM:kept\" PASSWORD 'pw-other'");
    let refused = "failed: Unable to connect to host. [28P01] password authentication failed for \
        user \"IAM:kept\"";
    assert_eq!(at("2026-11-22T21:15:00Z").await, (refused.to_owned(), 4));
    assert_eq!(at("2026-11-22T21:16:00Z").await, (refused.to_owned(), 5));
}

/// moto as the owner of an account with one cluster.
struct Moto {
    endpoint: String,
    _server: StandIn,
}

impl Moto {
    async fn start() -> Self {
        let server = StandIn::start("moto");
        let moto = Self { endpoint: server.value("endpoint").to_owned(), _server: server };
        let cluster = "Action=CreateCluster&Version=2012-12-01&ClusterIdentifier=prod&\
            NodeType=ra3.large&MasterUsername=master&MasterUserPassword=Hunter2Hunter2";
        moto.post("redshift", cluster).await;
        moto
    }

    /// Posts a form that moto does not check, for setting up.
    async fn post(&self, service: &str, form: &str) -> String {
        let scope = format!("Credential=setup/20261122/eu-central-1/{service}/aws4_request");
        let sent = client(&HttpOptions::default())
            .unwrap()
            .post(format!("{}/", self.endpoint))
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, Signature=0"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
            .send()
            .await
            .unwrap();
        let status = sent.status();
        let body = String::from_utf8(read_capped(sent, 100_000).await.unwrap()).unwrap();
        assert!(status.is_success(), "{form}: {body}");
        body
    }

    /// Makes what moto draws next the same as after any other call of this.
    async fn reseed(&self) {
        self.control("seed?a=42", "").await;
    }

    async fn control(&self, path: &str, body: &'static str) {
        let request = client(&HttpOptions::default())
            .unwrap()
            .post(format!("{}/moto-api/{path}", self.endpoint))
            .header("content-type", "text/plain")
            .body(body);
        assert!(request.send().await.unwrap().status().is_success());
    }
}

#[tokio::test]
async fn credentials_of_moto_open_a_session_on_a_real_server() {
    let server = Server::shared();
    let moto = Moto::start().await;
    let mut changes = by_iam(&moto.endpoint);
    changes["databaseUser"] = "of_moto".into();
    // What moto is going to give: the password is drawn, and the draw repeats itself.
    moto.reseed().await;
    let ask = "Action=GetClusterCredentials&Version=2012-12-01&ClusterIdentifier=prod&\
        DbUser=of_moto&DbName=immuta&AutoCreate=false&DurationSeconds=900";
    let body = moto.post("redshift", ask).await;
    let (_, rest) = body.split_once("<DbPassword>").unwrap();
    let (password, _) = rest.split_once("</DbPassword>").unwrap();
    server.sql("postgres", &format!("CREATE ROLE \"IAM:of_moto\" LOGIN PASSWORD '{password}'"));
    moto.reseed().await;
    // moto dates by its own clock, so that what it gives has ended long ago for this run, or not.
    let report = server.redshift(changes.clone()).validate(&context(Mode::Recurring)).await.report;
    assert_eq!(lines(&report)[0], PASSED, "{report:?}");
    assert_eq!(lines(&report)[3], PASSED, "{report:?}");

    changes["clusterIdentifier"] = "gone".into();
    let report = server.redshift(changes).validate(&context(Mode::Recurring)).await.report;
    assert_connect(&report, Class::Missing, "ClusterNotFound: Unable to get credentials of ");
}

fn assert_connect(report: &Report, class: Class, begin: &str) {
    let line = &lines(report)[0];
    let begin = format!("failed: Unable to connect to host. {begin}");
    assert!(line.starts_with(&begin), "{line}");
    assert_eq!(report.tests[0].outcome.finding().unwrap().class, class, "{line}");
}

#[tokio::test]
async fn moto_checks_signatures_and_policies() {
    let moto = Moto::start().await;
    let allow = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
        %22Allow%22%2C%22Action%22%3A%22redshift%3AGetClusterCredentials%22%2C%22Resource%22%3A\
        %22%2A%22%7D%5D%7D";
    let mut keys = Vec::new();
    for user in ["allowed", "bare"] {
        let iam = |action: &str| format!("Version=2010-05-08&Action={action}&UserName={user}");
        moto.post("iam", &iam("CreateUser")).await;
        if user == "allowed" {
            let put = format!("{}&PolicyName=p&PolicyDocument={allow}", iam("PutUserPolicy"));
            moto.post("iam", &put).await;
        }
        let made = moto.post("iam", &iam("CreateAccessKey")).await;
        let part = |name: &str| {
            let (_, rest) = made.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        keys.push((part("AccessKeyId"), part("SecretAccessKey")));
    }
    moto.control("reset-auth", "0").await;
    let closed = 1;
    let with = |(id, secret): &(String, String)| {
        let mut changes = by_iam(&moto.endpoint);
        changes["accessKeyId"] = id.as_str().into();
        changes["secretKey"] = secret.as_str().into();
        redshift(closed, Path::new("/ca.pem"), changes)
    };
    let wrong = (keys[0].0.clone(), "0000".to_owned());
    let cases = [
        // Past AWS, the authorities of the database's certificate are what is missing.
        (with(&keys[0]), Class::Local, "Certificate authorities in /ca.pem"),
        (with(&keys[1]), Class::Denied, "AccessDenied: Unable to get credentials of database user"),
        (with(&wrong), Class::Denied, "SignatureDoesNotMatch: Unable to get credentials"),
    ];
    for (validator, class, begin) in cases {
        assert_connect(&validator.validate(&context(Mode::Recurring)).await.report, class, begin);
    }
}

#[tokio::test]
async fn without_a_key_the_machine_itself_is_asked() {
    let server = Server::shared();
    let case = testing::cases("redshift").join("all-well");
    let aws = testing::Server::start(&SUBJECT, &case, None).await;
    let asked = |env: &[(&str, &str)]| -> Redshift {
        let mut all = json!({
            "host": "127.0.0.1", "port": server.port, "database": "immuta",
            "tls": { "caFile": server.ca },
        });
        for (key, value) in by_iam(&aws.address).as_object().unwrap() {
            all[key] = value.clone();
        }
        for key in ["accessKeyId", "secretKey"] {
            all[key] = Json::Null;
        }
        all["databaseUser"] = "immuta".into();
        let value = Value::from_json(&all, &"case".into());
        let faults = Faults::default();
        let envs = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let env = StaticEnv { home_dir: None, envs: envs.collect() };
        let machine = Machine { env, container: aws.address.clone() };
        let found = config::read(Reader::new(&value, "config", &faults).unwrap(), machine);
        found.unwrap_or_else(|| panic!("{:?}", faults.into_parts().0))
    };
    let without = asked(&[("AWS_EC2_METADATA_DISABLED", "true")]);
    let report = without.validate(&context(Mode::Recurring)).await.report;
    assert_connect(&report, Class::Local, "No AWS credentials could be loaded: environment: not");
    assert!(aws.seen().is_empty());
    let env = [("AWS_ACCESS_KEY_ID", "AKIAI44QH8DHBEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
    let report = asked(&env).validate(&context(Mode::Recurring)).await.report;
    assert_eq!(lines(&report)[0], PASSED);
    assert!(aws.seen()[0].header("authorization").unwrap().contains("AKIAI44QH8DHBEXAMPLE"));
}
