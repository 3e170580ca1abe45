//! Rights beyond the needs of the tests, as far as statements show them. The answers are those of Trino 476, their names
//! replaced.

use super::*;
use crate::domain::Observed;

/// Answer of one page with these rows.
fn rows(rows: &Json) -> String {
    page(&json!({ "columns": [{ "name": "c", "type": "varchar" }], "data": rows }))
}

/// Answer of one page with an error.
fn error(name: &str, code: i64, message: &str) -> String {
    let error = json!({
        "message": message, "errorCode": code, "errorName": name, "errorType": "USER_ERROR",
    });
    page(&json!({ "error": error }))
}

fn page(members: &Json) -> String {
    let mut page = json!({
        "id": "20261129_145100_00012_abcde", "infoUri": "http://localhost/ui/",
        "stats": { "state": "FINISHED", "queued": false, "nodes": 1 },
    });
    for (key, value) in members.as_object().unwrap() {
        page[key] = value.clone();
    }
    format!("# made up\n200\ncontent-type: application/json\n\n{page}")
}

/// Returns the surplus at a server that denies everything but for the given operations.
async fn surplus(answers: &[(&str, String)], changes: &Json) -> (Server, Surplus) {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("beyond");
    std::fs::create_dir(&case).unwrap();
    let denied = error("PERMISSION_DENIED", 4, "Access Denied: Cannot insert into table a.b.c");
    let none =
        error("NOT_SUPPORTED", 13, "line 1:1: Catalog 'lake' does not support role management");
    let usual = [
        ("roles", rows(&json!([]))),
        ("catalog-roles", none),
        ("privileges", rows(&json!([]))),
        ("insert", denied.clone()),
        ("delete", denied),
        ("queries", rows(&json!([[0]]))),
    ];
    for (operation, answer) in usual.iter().chain(answers) {
        std::fs::write(case.join(format!("{operation}.http")), answer).unwrap();
    }
    let server = Server::start(&SUBJECT, &case, None).await;
    let mut config = all_well(&server.address);
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    let validator = validator(&PLATFORM, &config);
    let found = validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
    for seen in server.seen() {
        assert!(asked_for(&seen).is_some(), "not on the list: {seen:?}");
        check_request(&seen);
    }
    (server, found)
}

fn lines(found: &Surplus) -> Vec<(&str, &str)> {
    found
        .found
        .iter()
        .map(|one| (one.what.as_str(), one.revoke.as_deref().unwrap_or_default()))
        .collect()
}

#[tokio::test]
async fn account_with_nothing_but_its_needs_has_no_surplus() {
    let (server, found) = surplus(&[], &json!({})).await;
    assert_eq!(lines(&found), []);
    assert_eq!(found.unseen.len(), 1, "{:?}", found.unseen);
    let asked: Vec<_> = server.seen().iter().filter_map(asked_for).collect();
    let expected =
        ["roles", "catalog-roles", "catalog-roles", "privileges", "insert", "delete", "queries"];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn roles_grants_and_permitted_changes_are_listed_with_what_takes_them_away() {
    let answers = [
        ("roles", rows(&json!([["sysadmin"], ["reader"]]))),
        ("catalog-roles", rows(&json!([["public"], ["Admin"]]))),
        (
            "privileges",
            rows(&json!([
                [r#"["SELECT","immuta_system_account","USER"]"#],
                [r#"["DELETE","writers","ROLE"]"#],
            ])),
        ),
        ("insert", rows(&json!([[true]]))),
        ("queries", rows(&json!([[7]]))),
    ];
    let changes = json!({ "role": "reader", "catalogs": ["lake"] });
    let (_server, found) = surplus(&answers, &changes).await;
    let expected = [
        (
            "role sysadmin of the cluster",
            "REVOKE \"sysadmin\" FROM USER \"immuta_system_account\";",
        ),
        (
            "role Admin of catalog lake",
            "REVOKE \"Admin\" FROM USER \"immuta_system_account\" IN \"lake\";",
        ),
        (
            "DELETE on lake.probe.orders",
            "REVOKE DELETE ON \"lake\".\"probe\".\"orders\" FROM ROLE \"writers\";",
        ),
        ("INSERT on lake.probe.orders: the cluster's access control permits it", ""),
        ("queries of other users, which it may view", ""),
    ];
    assert_eq!(lines(&found), expected);
}

#[tokio::test]
async fn failure_of_a_question_is_said_and_a_sleeping_cluster_is_not_asked() {
    let broken = error("GENERIC_INTERNAL_ERROR", 65_536, "broken");
    let table = [
        ("roles", "Roles of the cluster could not be read: "),
        ("privileges", "Grants on lake.probe.orders could not be read: "),
        ("insert", "Whether INSERT on lake.probe.orders is permitted"),
    ];
    for (operation, expected) in table {
        let (_server, found) = surplus(&[(operation, broken.clone())], &json!({})).await;
        assert_eq!(lines(&found), [], "{operation}");
        let is_said = found.unseen.iter().any(|line| line.starts_with(expected));
        assert!(is_said, "{operation}: {:?}", found.unseen);
    }
    let asleep = json!({ "host": "free.galaxy.starburst.io", "endpoint": null });
    let (server, found) = surplus(&[], &asleep).await;
    assert!(found.unseen[0].contains("would start the cluster"), "{:?}", found.unseen);
    assert_eq!(server.seen().len(), 0);
}
