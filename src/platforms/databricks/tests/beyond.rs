//! Rights beyond the needs of the tests, as far as the interface shows them.

use super::*;

/// A server that answers like `all-well` but for the given operations, with the surplus after a run.
async fn served(answers: &[(&str, &str)]) -> (Server, Surplus) {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("beyond");
    std::fs::create_dir(&case).unwrap();
    std::os::unix::fs::symlink(cases("databricks").join("all-well"), dir.path().join("all-well"))
        .unwrap();
    for (operation, answer) in answers {
        std::fs::write(case.join(format!("{operation}.http")), format!("# made up\n{answer}"))
            .unwrap();
    }
    let server = Server::start(&SUBJECT, &case, None).await;
    let (_, mut config) = self::server("all-well").await;
    config["workspaceUrl"] = server.address.clone().into();
    let validator = integration(&config);
    let observed = validator.validate(&context(Mode::Recurring)).await.observed;
    let found = validator.surplus(&context(Mode::Recurring), &observed).await;
    (server, found)
}

fn privileges(of: &str) -> String {
    let held = json!({ "privilege_assignments": [
        { "principal": CLIENT, "privileges": [of, "USE_SCHEMA"] },
        { "principal": "another", "privileges": ["MANAGE"] },
    ] });
    format!("200\n\n{held}")
}

#[tokio::test]
async fn privileges_beyond_the_required_ones_are_listed() {
    let (_server, config) = server("all-well").await;
    let validator = integration(&config);
    let mut observed = validator.validate(&context(Mode::Recurring)).await.observed;
    let none = validator.surplus(&context(Mode::Recurring), &observed).await;
    assert_eq!(none.found, []);
    let mut see = |of: &str, value: &str| {
        let fact = crate::domain::Fact { kind: FactKind::Grant, of: of.to_owned() };
        observed.facts.entry(fact).or_default().insert(value.to_owned());
    };
    see("catalog immuta", "ALL_PRIVILEGES");
    see("groups", "admins");
    let found = validator.surplus(&context(Mode::Recurring), &observed).await.found;
    assert_eq!(found[0].what, "ALL PRIVILEGES on catalog immuta");
    let revoke = "REVOKE ALL PRIVILEGES ON CATALOG `immuta` FROM \
        `4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11`;";
    assert_eq!(found[0].revoke.as_deref(), Some(revoke));
    assert!(found[1].what.starts_with("administrator of the workspace"), "{found:?}");
}

#[tokio::test]
async fn own_grants_on_metastore_schemas_and_tables_are_listed_with_what_takes_them_away() {
    let summary = format!("200\n\n{}", json!({ "owner": "stewards" }));
    let answers = [
        ("summary", summary.as_str()),
        ("granted-metastore", &privileges("CREATE_CATALOG")),
        ("granted-schema", &privileges("MANAGE")),
        ("granted-table", &privileges("ALL PRIVILEGES")),
    ];
    let (server, found) = served(&answers).await;
    let lines: Vec<_> =
        found.found.iter().map(|one| (one.what.as_str(), one.revoke.as_deref().unwrap())).collect();
    let owner = "databricks metastores update 5f2a8c1e-7b3d-4e6f-9a0b-1c2d3e4f5a6b --owner <group>";
    let expected = [
        ("owner of the metastore, who may do everything in it", owner),
        (
            "CREATE CATALOG on metastore 5f2a8c1e-7b3d-4e6f-9a0b-1c2d3e4f5a6b",
            "REVOKE CREATE CATALOG ON METASTORE FROM `4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11`;",
        ),
        (
            "USE SCHEMA on metastore 5f2a8c1e-7b3d-4e6f-9a0b-1c2d3e4f5a6b",
            "REVOKE USE SCHEMA ON METASTORE FROM `4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11`;",
        ),
        (
            "MANAGE on schema immuta.policies",
            "REVOKE MANAGE ON SCHEMA `immuta`.`policies` FROM \
             `4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11`;",
        ),
        (
            "ALL PRIVILEGES on table immuta.policies.masking",
            "REVOKE ALL PRIVILEGES ON TABLE `immuta`.`policies`.`masking` FROM \
             `4b2f9c5e-0d9b-4f3f-9d53-6b8a1d1c7a11`;",
        ),
    ];
    assert_eq!(lines, expected);
    assert_eq!(found.unseen.len(), 1, "{:?}", found.unseen);
    server.seen().iter().for_each(check_request);
}

#[tokio::test]
async fn grants_that_are_not_shown_are_said_to_be_unseen() {
    let denied = format!(
        "403\nx-databricks-org-id: 1\n\n{}",
        json!({ "error_code": "PERMISSION_DENIED", "message": "User does not have MANAGE" })
    );
    let gone = "503\n\nno";
    let table = [
        ("summary", denied.as_str(), "The owner of the metastore could not be read: "),
        ("granted-metastore", &denied, "Grants on metastore 5f2a8c1e-"),
        ("schemas", &denied, "The schemas could not be listed: "),
        ("tables", &denied, "The tables of immuta.policies could not be listed: "),
        ("granted-table", &denied, "Grants on table immuta.policies.masking could not be read: "),
        ("granted-schema", gone, "Grants on schema immuta.policies could not be read: "),
    ];
    for (operation, answer, expected) in table {
        let (_server, found) = served(&[(operation, answer)]).await;
        assert_eq!(found.found, [], "{operation}");
        let lines = found.unseen.iter().filter(|line| line.starts_with(expected));
        assert_eq!(lines.count(), 1, "{operation}: {:?}", found.unseen);
    }
}

#[tokio::test]
async fn only_a_bounded_number_of_schemas_is_looked_at() {
    let names: Vec<_> = (0..25).map(|_| json!({ "name": "policies" })).collect();
    let schemas = format!("200\n\n{}", json!({ "schemas": names, "next_page_token": "more" }));
    let tables = format!("200\n\n{}", json!({ "tables": vec![json!({ "name": "masking" }); 9] }));
    let (server, found) = served(&[("schemas", &schemas), ("tables", &tables)]).await;
    assert_eq!(count(&server, "granted-schema"), 20);
    assert_eq!(count(&server, "granted-table"), 50);
    let cut = ["more than the 20 schemas", "Of all tables, 50 were looked at"];
    for words in cut {
        assert!(found.unseen.iter().any(|line| line.contains(words)), "{:?}", found.unseen);
    }
}
