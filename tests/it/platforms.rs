//! All platforms in one run of `validate --all`, healthy and broken: against independent servers, and
//! against recorded answers where there is none.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{AccessGrants, Config, Moto, Postgres, Recorded, SECRETS, StandIn, configs};

/// Expected report of the run, without ports. The actual one is written to `target/platforms.json`.
const EXPECTED: &str = "tests/it/platforms.json";

/// Returns the table of one integration.
fn integration(name: &str, kind: &str, config: &str) -> String {
    let bootstrap = if kind == "Trino" { "" } else { "autoBootstrap = false\n" };
    format!(
        "[[integration]]\nname = \"{name}\"\ntype = \"{kind}\"\n{bootstrap}\
         expiry_warn = [\"1h\"]\n[integration.config]\n{config}\n"
    )
}

/// Returns the tables of two integrations: one with `config`, and one in which `from` is replaced by `to`.
/// `STATE` in them becomes `healthy` or `broken`.
fn pair(name: &str, kind: &str, config: &str, (from, to): (&str, &str)) -> String {
    assert!(config.contains(from), "{from} is not in {config}");
    let states = [("healthy", config.to_owned()), ("broken", config.replace(from, to))];
    let tables = states.map(|(state, config)| {
        integration(&format!("{name}-{state}"), kind, &config.replace("STATE", state))
    });
    tables.concat()
}

fn redshift(postgres: &Postgres) -> String {
    postgres.sql("postgres", &format!("CREATE ROLE watcher LOGIN PASSWORD '{}'", SECRETS[0]));
    postgres.sql("postgres", "CREATE DATABASE governed");
    let config = configs::redshift(postgres, "governed") + "initialDatabase = \"postgres\"\n";
    pair("redshift", "Redshift", &config, ("\"governed\"", "\"dropped\""))
}

fn s3(moto: &Moto, grants: &AccessGrants) -> String {
    moto.request("PUT", "/governed");
    moto.request("PUT", "/governed/data/object");
    let config = configs::s3("lake-STATE", moto, grants);
    pair("s3", "Native S3", &config, ("s3://governed/data/", "s3://deleted/data/"))
}

fn synapse(tds: &StandIn) -> String {
    let config = format!(
        r#"
        host = "localhost"
        port = {port}
        database = "pool"
        schema = "immuta"
        username = "immuta"
        password = {{ file = "DIR/synapse-password" }}
        encryption = "strict"
        impersonation = {{ enabled = true }}
        tls = {{ caFile = "{ca}" }}
        "#,
        port = tds.fact("all-well-strict"),
        ca = tds.fact("ca"),
    );
    let broken = ("{ enabled = true }", "{ enabled = true, role = \"DROPPED\" }");
    pair("synapse", "Azure Synapse Analytics", &config, broken)
}

/// Sends JSON to a stand-in server, to set it up.
fn post(url: &str, json: &str) {
    let sent = Command::new("curl")
        .args(["-fsS", "--max-time", "10", "-o", "/dev/null", "-d", json])
        .args(["-H", "content-type: application/json", url])
        .status();
    assert!(sent.unwrap().success(), "{url}");
}

fn databricks(lake: &StandIn) -> String {
    let endpoint = lake.fact("endpoint");
    let unity = format!("{endpoint}/api/2.1/unity-catalog");
    post(&format!("{unity}/catalogs"), r#"{"name": "immuta"}"#);
    post(&format!("{unity}/schemas"), r#"{"name": "policies", "catalog_name": "immuta"}"#);
    let config = format!(
        r#"
        workspaceUrl = "{endpoint}"
        authenticationType = "token"
        token = {{ file = "DIR/password" }}
        expectedObjects = ["policies"]
        "#
    );
    pair("databricks", "Databricks", &config, ("\"policies\"", "\"policies\", \"dropped\""))
}

fn bigquery(emulator: &StandIn, recorded: &Recorded) -> String {
    let endpoint = emulator.fact("endpoint");
    let dataset = r#"{"datasetReference": {"projectId": "example-project", "datasetId": "immuta"},
        "location": "EU"}"#;
    post(&format!("{endpoint}/bigquery/v2/projects/example-project/datasets"), dataset);
    let config = format!(
        r#"
        dataset = "immuta"
        location = "EU"
        serviceAccount = "STATE@example-project.iam.gserviceaccount.com"
        credential = {{ file = "DIR/STATE-key.json" }}
        endpoints = {{ bigquery = "{endpoint}", token = "{recorded}", resourceManager = "{recorded}" }}
        "#,
        recorded = recorded.endpoint,
    );
    let broken = ("\"immuta\"\n        location", "\"dropped\"\n        location");
    pair("bigquery", "Google BigQuery", &config, broken)
}

/// Writes keys of the service accounts `healthy` and `broken`; the emulator does not check them.
fn google_keys(config: &Config) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    for state in ["healthy", "broken"] {
        let key = json!({
            "type": "service_account", "project_id": "example-project", "private_key_id": "1",
            "private_key": pair.serialize_pem(),
            "client_email": format!("{state}@example-project.iam.gserviceaccount.com"),
            "token_uri": "https://oauth2.googleapis.com/token",
        });
        config.secret(&format!("{state}-key.json"), &key.to_string());
    }
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

/// Parses `text` without the parts that differ from run to run: ports, expiries of certificates, moto's
/// request ids, durations.
fn normalised(text: &str) -> Value {
    let text = without(text, "localhost:", |c| c.is_ascii_digit());
    let text = without(&text, "127.0.0.1:", |c| c.is_ascii_digit());
    let text = without(&text, "certificate of localhost at ", |c| {
        c.is_ascii_digit() || "-:TZ".contains(c)
    });
    let text = without(&text, "request ID [", |c| c.is_ascii_alphanumeric());
    let text = without(&text, "(request ID ", |c| c.is_ascii_alphanumeric());
    let mut all: Value = serde_json::from_str(&text).unwrap();
    for one in all.as_array_mut().unwrap() {
        one.as_object_mut().unwrap().remove("durationMs");
    }
    all
}

/// Returns `text` with `0` in place of the characters of `part` after each `begin`.
fn without(text: &str, begin: &str, part: fn(char) -> bool) -> String {
    let mut pieces = text.split(begin);
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |text, piece| format!("{text}{begin}0{}", piece.trim_start_matches(part)))
}

#[test]
fn all_platforms_are_validated_healthy_and_broken_in_one_run() {
    let grants =
        AccessGrants::start("s3://governed/data/*", "arn:aws:iam::123456789012:role/grants");
    let text = std::thread::scope(|scope| {
        let names = ["tds", "minilake", "bqemulator", "snowduck", "buenavista"];
        let starting = names.map(|name| scope.spawn(|| StandIn::start(name)));
        let moto = scope.spawn(Moto::start);
        let postgres = Postgres::start();
        let recorded = Recorded::start(&[
            ("POST /token", "bigquery/testcases/all-well/token.http"),
            ("POST /v3/projects/", "bigquery/testcases/all-well/project.http"),
        ]);
        let [tds, lake, emulator, duck, vista] = starting.map(|one| one.join().unwrap());
        let moto = moto.join().unwrap();
        let tables = [
            s3(&moto, &grants),
            synapse(&tds),
            databricks(&lake),
            bigquery(&emulator, &recorded),
            redshift(&postgres),
            snowflake(&duck),
            trino(&vista),
        ];
        let config = Config::new(&tables.concat());
        google_keys(&config);
        config.secret("synapse-password", "hunter2");
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
