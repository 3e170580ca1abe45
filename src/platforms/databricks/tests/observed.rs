//! Observations of runs besides their results.

use super::*;
use crate::platforms::testing::{facts_of, facts_of_case, token_of};

const SEEN: [&str; 12] = [
    "principal [] 4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11",
    "principal [id] 4711",
    "grant [catalog immuta] CREATE_SCHEMA",
    "grant [catalog immuta] CREATE_TABLE",
    "grant [catalog immuta] MODIFY",
    "grant [catalog immuta] SELECT",
    "grant [catalog immuta] USE_CATALOG",
    "grant [catalog immuta] USE_SCHEMA",
    "grant [catalog immuta] owner platform-admins",
    "grant [groups] readers",
    "grant [groups] stewards",
    "grant [metastore] 5f2a8c1e-7b3d-4e6f-9a0b-1c2d3e4f5a6b",
];

#[tokio::test]
async fn equal_runs_see_equal_facts() {
    let secret = "secret [a0b1c2d3-0000-4000-8000-000000000001] ends 2028-01-31T10:24:55Z";
    let token = "token [revalidated] ends 2027-01-15T08:00:00Z";
    let table = [
        ("all-well", Some(secret)),
        ("end-of-secret-hidden", None),
        ("personal-token", Some(token)),
        ("end-of-token-hidden", None),
        ("entra", None),
    ];
    for (case, end) in table {
        let mut expected = SEEN.to_vec();
        expected.extend(end);
        assert_eq!(facts_of_case(SUBJECT, case).await, expected, "{case}");
    }
}

#[tokio::test]
async fn expiry_is_requested_once_a_day_and_observed_in_every_run() {
    for (case, asked) in [("personal-token", "tokens"), ("end-of-token-hidden", "tokens")] {
        let (server, mut config) = server(case).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        config["token"] = json!({ "file": file.path() });
        let validator = integration(&config);
        let mut run = context(Mode::Recurring);
        let later = |hours| run.now.plus(Duration::from_hours(hours));
        let steps = [
            (run.now, "hunter2-token", 1),
            (later(1), "hunter2-token", 1),
            (later(23), "hunter2-token", 1),
            (later(24), "hunter2-token", 2),
            (later(25), "hunter2-access", 3),
            (later(26), "hunter2-access", 3),
        ];
        for (now, token, expected) in steps {
            std::fs::write(file.path(), token).unwrap();
            run.now = now;
            let found = facts_of(&*validator, &run).await;
            let is_observed =
                found.iter().any(|line| line.starts_with("token [revalidated] ends "));
            assert_eq!(is_observed, case == "personal-token", "{found:?}");
            assert_eq!(count(&server, asked), expected, "{case} at {now}");
        }
    }
}

#[tokio::test]
async fn claims_of_access_tokens_are_observed_without_their_expiry() {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("claims");
    std::fs::create_dir(&case).unwrap();
    std::os::unix::fs::symlink(cases("databricks").join("all-well"), dir.path().join("all-well"))
        .unwrap();
    let token =
        token_of(&json!({ "client_id": CLIENT, "scope": "all-apis", "exp": 1_800_000_000 }));
    let body = json!({ "access_token": token, "expires_in": 3600 });
    std::fs::write(case.join("token.http"), format!("# made up\n200\n\n{body}")).unwrap();
    let server = Server::start(&SUBJECT, &case, None).await;
    let (_, mut config) = self::server("all-well").await;
    config["workspaceUrl"] = server.address.clone().into();
    let validator = integration(&config);
    for _ in 0..2 {
        let run = context(Mode::Recurring);
        let found = facts_of(&*validator, &run).await;
        let claims: Vec<_> = found.iter().filter(|line| line.contains("token")).collect();
        let client = format!("claim [access token client] {CLIENT}");
        assert_eq!(claims, [&client, "claim [access token permissions] all-apis"]);
    }
}

#[tokio::test]
async fn missing_privilege_is_a_missing_grant() {
    use crate::platforms::{State, judged, needs};
    let missing = async |case: &str| {
        let (_server, config) = server(case).await;
        let validator = integration(&config);
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        let needs = needs(GRANTS, &validator.names());
        let states = judged(&needs, &report);
        let missing = needs.iter().zip(states).filter(|(_, (state, _))| *state == State::Missing);
        missing.map(|(need, _)| need.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(missing("all-well").await, [""; 0]);
    assert_eq!(missing("privileges-of-groups-hidden").await, [""; 0], "they cannot be seen");
    let warehouse = missing("warehouse-denied").await;
    let command = "databricks warehouses update-permissions 1a2b3c4d5e6f7a8b --json ";
    assert!(warehouse.len() == 1 && warehouse[0].starts_with(command), "{warehouse:?}");
    let name = "\"service_principal_name\": \"4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11\"";
    assert!(warehouse[0].contains(name), "{warehouse:?}");
}
