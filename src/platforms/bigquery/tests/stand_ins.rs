//! `BigQuery` against the emulator, and our assertions as Google's library sees them.

use super::*;

/// Sends what prepares bqemulator; the platform itself could not spell it.
async fn prepare(server: &StandIn, path: &str, body: &Json) {
    let options = crate::net::http::HttpOptions::default();
    let client = crate::net::http::client(&options).unwrap();
    let base = format!("{}/bigquery/v2/projects/example-project", server.value("endpoint"));
    let sent = client
        .post(format!("{base}/{path}"))
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer = sent.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
}

/// Name, changes of the configuration, mode, test, and what it reports.
type Case = (&'static str, Json, Mode, Test, ReportStatus, &'static str);

fn emulated() -> [Case; 8] {
    use Mode::{Preflight, Recurring};
    use ReportStatus::{Failed, Passed, Warning};
    let gone = || json!({ "dataset": "gone" });
    let elsewhere = json!({ "projectId": "another-project" });
    let missing = "Dataset [example-project:gone] no longer exists.";
    let exists = "An existing Immuta instance exists. Delete this dataset to continue.";
    [
        ("healthy", json!({}), Recurring, CONNECT, Passed, ""),
        ("healthy", json!({}), Recurring, PRESENT, Passed, ""),
        ("healthy", json!({}), Recurring, TABLE_UPDATE, Passed, ""),
        ("not set up", gone(), Preflight, NOT_YET, Passed, ""),
        ("set up already", json!({}), Preflight, NOT_YET, Failed, exists),
        ("dataset gone", gone(), Recurring, PRESENT, Failed, missing),
        ("unknown project", elsewhere, Recurring, PRESENT, Failed, "[another-project:immuta] no"),
        (
            "moved",
            json!({ "location": "US" }),
            Recurring,
            PRESENT,
            Warning,
            "in location [EU], not",
        ),
    ]
}

#[tokio::test]
async fn bqemulator_answers_for_datasets_and_planned_queries() {
    let emulator = StandIn::start("bqemulator");
    let dir = tempfile::tempdir().unwrap();
    let (recorded, config) = served("all-well", dir.path()).await;
    let reference = json!({ "projectId": "example-project", "datasetId": "immuta" });
    let access = json!([{ "role": "OWNER", "userByEmail": ACCOUNT }]);
    let dataset = json!({ "datasetReference": reference, "location": "EU", "access": access });
    prepare(&emulator, "datasets", &dataset).await;
    for (name, changes, mode, test, status, expected) in emulated() {
        let mut config = config.clone();
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        config["endpoints"]["bigquery"] = emulator.value("endpoint").into();
        // Of a project without recorded permissions, the access list is all that is known.
        let report = validator(&PLATFORM, &config).validate(&context(mode)).await.report;
        let found = message(&report, test);
        assert!(found.0 == status && found.1.contains(expected), "{name}: {found:?} {report:?}");
    }
    google_auth_verifies(&emulator, &recorded);
}

/// Google's own library takes the assertion for one of the key.
fn google_auth_verifies(emulator: &StandIn, recorded: &Server) {
    let seen = recorded.seen();
    let asked = seen.iter().find(|seen| asked_for(seen) == Some("token")).unwrap();
    let assertion = form(asked)["assertion"].clone();
    let program = "import sys, google.auth.jwt as jwt\n\
        from cryptography.hazmat.primitives import serialization as s\n\
        key = s.load_pem_private_key(sys.argv[1].encode(), None).public_key()\n\
        pem = key.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)\n\
        skew = 10 * 365 * 24 * 3600\n\
        found = jwt.decode(sys.argv[2], pem, clock_skew_in_seconds=skew)\n\
        print(found['iss'])";
    let output = std::process::Command::new(emulator.value("python"))
        .args(["-c", program, &key().serialize_pem(), &assertion])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text.trim(), ACCOUNT, "{}", String::from_utf8_lossy(&output.stderr));
}
