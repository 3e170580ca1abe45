//! The platform against Buena Vista, which speaks the protocol over a database of its own.

use serde_json::{Value as Json, json};

use super::super::catalog::{ACCESS, CATALOGS, ENFORCEMENT};
use super::super::*;
use super::result;
use crate::domain::{ReportStatus, Test};
use crate::platforms::Mode;
use crate::platforms::testing::{StandIn, context, validator};

/// Name, changes of the configuration, test, and how its message begins; none where all is well.
type LiveCase = (&'static str, Json, Test, ReportStatus, &'static str);

/// A table that Buena Vista has.
const READABLE: &str = "lake.raw.\"or.d\"\"ers\"";

/// `changes` for the port where Buena Vista speaks TLS.
fn over_tls(server: &StandIn, changes: Json) -> Json {
    let port = server.value("https").parse::<u16>().unwrap();
    let ca = server.value("ca");
    let base = json!({ "host": "localhost", "port": port, "tls": { "caFile": ca } });
    changed(base, changes)
}

/// `config` with `changes` put in.
fn changed(mut config: Json, mut changes: Json) -> Json {
    config.as_object_mut().unwrap().append(changes.as_object_mut().unwrap());
    config
}

fn broken_cases(server: &StandIn) -> Vec<LiveCase> {
    use ReportStatus::{Failed, Skipped, Warning};
    let at = |key: &str| json!(server.value(key).parse::<u16>().unwrap());
    let probe = |table: &str, user: Option<&str>| json!({ "accessControlProbe": { "table": table, "username": user } });
    let hostile = "lake.raw.\"orders\"\"; DROP TABLE x\"";
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let pond = "The catalog [pond] does not exist or is not visible to the system account.";
    let someone = "The cluster sees the user [duckdb] instead of [immuta].";
    let no_nodes = "The cluster accepted the connection but could not run a query. Error -1: \
        Received error 'Catalog Error: Table with name nodes does not exist!";
    let unknown_table = "Whether the system account can read the table is not known. Error -1: \
        Received error 'Catalog Error: Table with name none does not exist!";
    let unknown_error = "Whether the system account can read the table is not known. Error -1:";
    let no_user = "`accessControlProbe` names no user who may not read the table.";
    let itself = "Whether access control is enforced is not known. The cluster takes the user \
        [probe] for the system account [duckdb].";
    let old = "The Trino version [408] is older than the minimum supported version [409].";
    let refused = "Unable to connect to host. No connection: Connection refused";
    let untrusted = "Unable to connect to host. The server's certificate is not accepted:";
    let unconnected = "Unable to connect to host.";
    let mutual = over_tls(server, json!({ "port": at("mutual") }));
    let unknown = over_tls(server, json!({ "tls": true }));
    vec![
        ("missing catalog", json!({ "catalogs": ["lake", "pond"] }), CATALOGS, Failed, pond),
        ("another user", json!({ "expectedUser": "immuta" }), AUTHENTICATION, Warning, someone),
        ("no nodes", json!({ "port": at("broken") }), QUERY, Failed, no_nodes),
        ("no table", probe("lake.raw.none", None), ACCESS, Failed, unknown_table),
        ("hostile table", probe(hostile, None), ACCESS, Failed, unknown_error),
        ("no user", probe(READABLE, None), ENFORCEMENT, Skipped, no_user),
        ("not another user", probe(READABLE, Some("probe")), ENFORCEMENT, Failed, itself),
        ("old", json!({ "minimumVersion": 409 }), VERSION, Warning, old),
        ("no server there", json!({ "port": closed }), CONNECTION, Failed, refused),
        ("TLS to plain", json!({ "tls": true }), CONNECTION, Failed, unconnected),
        ("unknown authority", unknown, CONNECTION, Failed, untrusted),
        ("no client certificate", mutual, CONNECTION, Failed, unconnected),
    ]
}

fn healthy_cases(server: &StandIn) -> Vec<LiveCase> {
    let ca = server.value("ca");
    let password = json!({ "authenticationType": "userPassword", "password": "hunter2" });
    let token = json!({ "authenticationType": "jwt", "token": "hunter2", "username": null });
    let named = json!({
        "host": "127.0.0.1", "tls": { "caFile": ca, "serverName": "trino.example.com" },
    });
    let certificate = json!({
        "port": server.value("mutual").parse::<u16>().unwrap(), "username": null,
        "authenticationType": "certificate",
        "tls": {
            "caFile": ca, "certificate": { "file": server.value("client_certificate") },
            "key": { "file": server.value("client_key") },
        },
    });
    let cases = [
        ("plain", json!({})),
        ("password", over_tls(server, password)),
        ("token", over_tls(server, token)),
        ("server name", over_tls(server, named)),
        ("client certificate", over_tls(server, certificate)),
    ];
    let probe = json!({ "accessControlProbe": { "table": READABLE } });
    let well =
        |(name, config)| (name, changed(config, probe.clone()), VERSION, ReportStatus::Passed, "");
    cases.map(well).to_vec()
}

#[tokio::test]
async fn a_server_by_others_is_found_healthy_and_broken() {
    let server = StandIn::start("buenavista");
    let config = json!({
        "host": "127.0.0.1", "port": server.value("http").parse::<u16>().unwrap(), "tls": false,
        "authenticationType": "none", "username": "immuta", "catalogs": ["lake", "MEMORY"],
        "expectedUser": "duckdb",
    });
    let all = broken_cases(&server).into_iter().chain(healthy_cases(&server));
    for (name, changes, test, status, expected) in all {
        let validator = validator(&PLATFORM, &changed(config.clone(), changes));
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        let found = result(&report, test);
        assert_eq!(found.0, status, "{name}: {report:?}");
        assert!(found.1.starts_with(expected), "{name}: {report:?}");
        if expected.is_empty() {
            assert_eq!((report.status(), found.1), (status, ""), "{name}: {report:?}");
        }
        let shown = format!("{report:?} {validator:?}");
        assert!(!shown.contains("hunter2"), "{name}: {shown}");
    }
}
