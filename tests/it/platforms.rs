//! Every platform at once, healthy and broken, as `validate --all` sees them: against servers that
//! nobody here wrote, and against recorded answers where there is none.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{AccessGrants, Config, Moto, Postgres, Recorded, SECRETS, StandIn};

/// The report of the run, ports left out. What was found instead is written to `target/platforms.json`.
const EXPECTED: &str = "tests/it/platforms.json";

/// One integration of the file; `extra` is laid over its `config`.
fn integration(name: &str, kind: &str, config: &str) -> String {
    let bootstrap = if kind == "Trino" { "" } else { "autoBootstrap = false\n" };
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"{kind}\"\n{bootstrap}\
         [integration.config]\n{config}\n"
    )
}

/// Twice the same configuration, the second time with `from` replaced by `to`.
fn pair(name: &str, kind: &str, config: &str, (from, to): (&str, &str)) -> String {
    assert!(config.contains(from), "{from} is not in {config}");
    let broken = config.replace(from, to);
    integration(&format!("{name}-healthy"), kind, config)
        + &integration(&format!("{name}-broken"), kind, &broken)
}

fn redshift(postgres: &Postgres) -> String {
    postgres.sql("postgres", &format!("CREATE ROLE watcher LOGIN PASSWORD '{}'", SECRETS[0]));
    postgres.sql("postgres", "CREATE DATABASE governed");
    let config = format!(
        r#"
        host = "localhost"
        port = {port}
        database = "governed"
        initialDatabase = "postgres"
        authenticationType = "userPassword"
        username = "watcher"
        password = {{ file = "DIR/password" }}
        tls = {{ caFile = "{ca}" }}
        "#,
        port = postgres.facts["port"],
        ca = postgres.facts["ca"],
    );
    pair("redshift", "Redshift", &config, ("\"governed\"", "\"dropped\""))
}

fn s3(moto: &Moto, grants: &AccessGrants) -> String {
    moto.request("PUT", "/governed");
    moto.request("PUT", "/governed/data/object");
    let config = format!(
        r#"
        name = "lake"
        awsAccountId = "123456789012"
        awsRegion = "us-east-1"
        awsLocationRole = "arn:aws:iam::123456789012:role/grants"
        awsLocationPath = "s3://governed/data/"
        authenticationType = "accessKey"
        awsAccessKeyId = "AKIAIOSFODNN7EXAMPLE"
        awsSecretAccessKey = {{ file = "DIR/aws-secret" }}
        endpoints = {{ sts = "{moto}", s3 = "{moto}", s3Control = "{grants}" }}
        "#,
        moto = moto.endpoint,
        grants = grants.endpoint,
    );
    pair("s3", "Native S3", &config, ("s3://governed/data/", "s3://deleted/data/"))
}

fn snowflake(duck: &StandIn) -> String {
    let config = format!(
        r#"
        host = "org-account.snowflakecomputing.com"
        endpoint = "{endpoint}"
        warehouse = "DEFAULT_WAREHOUSE"
        database = "IMMUTA"
        role = "SYSADMIN"
        authenticationType = "programmaticAccessToken"
        token = {{ file = "DIR/password" }}
        tableGrants = {{ enabled = false }}
        "#,
        endpoint = duck.fact("endpoint"),
    );
    pair("snowflake", "Snowflake", &config, ("DEFAULT_WAREHOUSE", "DROPPED_WAREHOUSE"))
}

fn trino(vista: &StandIn) -> String {
    let config = format!(
        r#"
        host = "127.0.0.1"
        port = {port}
        tls = false
        authenticationType = "none"
        username = "watcher"
        catalogs = ["lake"]
        expectedUser = "duckdb"
        accessControlProbe = {{ table = 'lake.raw."or.d""ers"' }}
        "#,
        port = vista.fact("http").rsplit(':').next().unwrap(),
    );
    pair("trino", "Trino", &config, ("[\"lake\"]", "[\"lake\", \"pond\"]"))
}

/// `text` without what differs from run to run.
fn normalised(text: &str) -> Value {
    let mut left = text;
    let mut steady = String::new();
    for host in ["127.0.0.1:", "localhost:"] {
        while let Some((before, after)) = left.split_once(host) {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            steady += before;
            steady += "server:0";
            left = &after[digits..];
        }
        steady += left;
        let done = std::mem::take(&mut steady);
        left = Box::leak(done.into_boxed_str());
    }
    let mut all: Value = serde_json::from_str(left).unwrap();
    for one in all.as_array_mut().unwrap() {
        one.as_object_mut().unwrap().remove("durationMs");
    }
    all
}

#[test]
fn all_platforms_are_validated_healthy_and_broken_in_one_run() {
    let grants =
        AccessGrants::start("s3://governed/data/*", "arn:aws:iam::123456789012:role/grants");
    let text = std::thread::scope(|scope| {
        let starting = ["snowduck", "buenavista"].map(|name| scope.spawn(|| StandIn::start(name)));
        let moto = scope.spawn(Moto::start);
        let postgres = Postgres::start();
        let [duck, vista] = starting.map(|one| one.join().unwrap());
        let moto = moto.join().unwrap();
        let config = Config::new(
            &[redshift(&postgres), s3(&moto, &grants), snowflake(&duck), trino(&vista)].concat(),
        );
        let output = config.run(&["validate", "--all", "--json"]);
        assert_eq!(output.status.code(), Some(1), "the broken ones fail");
        String::from_utf8(output.stdout).unwrap()
    });
    let found = normalised(&text);
    for one in found.as_array().unwrap() {
        let (name, results) = (one["name"].as_str().unwrap(), &one["validationResults"]);
        let wanted = if name.ends_with("-broken") { "failed" } else { "passed" };
        assert_eq!(results["status"], wanted, "{name}: {results:#}");
    }
    let expected = fs::read_to_string(EXPECTED).unwrap_or_else(|_| "null".to_owned());
    if found != serde_json::from_str::<Value>(&expected).unwrap() {
        let target = Path::new("target/platforms.json");
        fs::write(target, format!("{found:#}\n")).unwrap();
        panic!("{EXPECTED} differs; what was found is in {}", target.display());
    }
}
