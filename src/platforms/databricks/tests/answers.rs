//! Answers of public reports, sent to the whole validator: class, advice, and number of requests.

use super::*;

/// Server that answers as in `all-well`, but for the answers in `files`.
async fn answering(files: &[(&str, String)]) -> (tempfile::TempDir, Server, Box<dyn Validator>) {
    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    std::fs::create_dir(&case).unwrap();
    let all_well = cases("databricks").join("all-well");
    std::os::unix::fs::symlink(all_well, dir.path().join("all-well")).unwrap();
    for (name, text) in files {
        std::fs::write(case.join(format!("{name}.http")), text).unwrap();
    }
    let server = Server::start(&SUBJECT, &case, None).await;
    let (_, mut config) = self::server("all-well").await;
    config["workspaceUrl"] = server.address.clone().into();
    let validator = integration(&config);
    (dir, server, validator)
}

fn answer(status: u16, body: &Json) -> String {
    format!("# a public report\n{status}\ncontent-type: application/json\n\n{body}")
}

fn refusal(status: u16, code: &str, message: &str) -> String {
    answer(status, &json!({ "error_code": code, "message": message }))
}

/// Words of databricks-sdk-py 0.162.0 (`_base_client.py`) and databricks-sdk-go
/// (`apierr/error_overrides.go`).
#[tokio::test]
async fn answer_that_the_sdks_retry_never_decides() {
    let words = [
        "com.databricks.backend.manager.util.UnknownWorkerEnvironmentException: x",
        "Workspace 7 does not have any associated worker environments",
        "There is no worker environment with id workerenv-7",
        "Unknown worker environment WorkerEnvId(workerenv-7)",
        "ClusterNotReadyException: not yet",
        "Unexpected error",
        "Please try again later or try a faster operation.",
        "GetUserPermissionsRequest RPC token bucket limit has been exceeded.",
        "worker env WorkerEnvId(workerenv-7) not found",
    ];
    for message in words {
        for (status, code) in [(400, "INVALID_PARAMETER_VALUE"), (404, "NOT_FOUND")] {
            let refused = refusal(status, code, message);
            let (_dir, server, validator) = answering(&[("catalog.1", refused.clone())]).await;
            let report = validator.validate(&context(Mode::Recurring)).await.report;
            assert_eq!(outcome(&report, MANUAL).0, ReportStatus::Passed, "{message}: {report:?}");
            assert_eq!(count(&server, "catalog"), 2, "{message}");
        }
    }
    let refused = refusal(400, "INVALID_PARAMETER_VALUE", words[3]);
    let (_dir, server, validator) = answering(&[("catalog", refused)]).await;
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    assert_eq!(report.class(), Some(Class::Unavailable), "{report:?}");
    assert_eq!(count(&server, "catalog"), 3);
}

#[tokio::test]
async fn refusal_of_the_token_endpoint_is_advised_by_its_cause() {
    let oauth = |error: &str, description: &str| {
        answer(400, &json!({ "error": error, "error_description": description }))
    };
    let address = "Source IP address: 203.0.113.7 is blocked by Databricks IP ACL for workspace: 7";
    let blocked = answer(403, &json!({ "error_code": 403, "message": address }));
    let scope = "Scopes 'all-apis' are not assigned to the client";
    let table = [
        ("token", blocked.clone(), Class::Denied, 1, "IP access list"),
        ("discovery", blocked, Class::Denied, 0, "IP access list"),
        ("token", oauth("access_denied", scope), Class::Denied, 1, "`oAuthClientConfig.scope`"),
        (
            "token",
            oauth("invalid_client", "Client authentication failed"),
            Class::Denied,
            1,
            "OAuth secret",
        ),
        (
            "token",
            oauth("invalid_request", "Temporarily throttled, too many requests"),
            Class::Throttled,
            3,
            "less often",
        ),
    ];
    for (operation, text, class, tokens, advice) in table {
        let (_dir, server, validator) = answering(&[(operation, text.clone())]).await;
        let run = context(Mode::Recurring);
        let report = validator.validate(&run).await.report;
        assert_eq!(report.class(), Some(class), "{text}");
        assert_eq!(count(&server, "token"), tokens, "{text}");
        let found = report.tests.iter().find_map(|result| result.outcome.finding()).unwrap();
        let remediation = found.remediation.as_deref().unwrap_or_default();
        assert!(remediation.contains(advice), "{text}: {remediation}");
        assert_eq!(found.refuses_log_in, class == Class::Denied && !text.contains("IP ACL"));
    }
}

#[tokio::test]
async fn refusal_of_the_api_is_advised_by_its_cause() {
    let table = [
        ("me", "Provided OAuth token does not have required scopes: scim", "all-apis"),
        ("me", "Unauthorized network access to workspace: 7", "private endpoint"),
        ("me", "Invalid access to Org: 7", "`workspaceId`"),
        ("me", "User not authorized.", "to the workspace"),
        (
            "metastore",
            "This API is disabled for users without the workspace-access entitlement.",
            "entitlement",
        ),
        (
            "catalog",
            "Catalog 'immuta' is not accessible in current workspace",
            "workspace-bindings",
        ),
        ("catalog", "User does not have USE CATALOG on Catalog 'immuta'.", "GRANT USE CATALOG"),
    ];
    for (operation, message, advice) in table {
        let refused = refusal(403, "PERMISSION_DENIED", message);
        let (_dir, server, validator) = answering(&[(operation, refused)]).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert_eq!(report.class(), Some(Class::Denied), "{message}");
        let found = report.tests.iter().find_map(|result| result.outcome.finding()).unwrap();
        let remediation = found.remediation.as_deref().unwrap_or_default();
        assert!(remediation.contains(advice), "{message}: {remediation}");
        assert_eq!(count(&server, "token"), 1, "{message}");
    }
}

#[tokio::test]
async fn account_wide_group_counts_and_workspace_local_ones_do_not() {
    let owner = answer(200, &json!({ "name": "immuta", "owner": "platform-admins" }));
    let held = |names: &[&str]| {
        let privileges: Vec<_> = names.iter().map(|name| json!({ "privilege": name })).collect();
        answer(200, &json!({ "privilege_assignments": [{ "privileges": privileges }] }))
    };
    let unknown = refusal(404, "PRINCIPAL_DOES_NOT_EXIST", "Could not find principal with name x");
    let all = held(&["ALL_PRIVILEGES"]);
    // The principal, its two groups, and everybody in the account.
    let table = [
        (unknown.clone(), all, ReportStatus::Passed),
        (unknown, held(&["USE_CATALOG"]), ReportStatus::Failed),
        (refusal(403, "PERMISSION_DENIED", "no"), held(&[]), ReportStatus::Warning),
    ];
    for (groups, everybody, expected) in table {
        let files = [
            ("catalog", owner.clone()),
            ("permissions.1", held(&[])),
            ("permissions.2", groups.clone()),
            ("permissions.3", groups),
            ("permissions.4", everybody),
        ];
        let (_dir, server, validator) = answering(&files).await;
        let report = validator.validate(&context(Mode::Recurring)).await.report;
        assert_eq!(outcome(&report, MANUAL).0, expected, "{report:?}");
        let seen = server.seen();
        let asked = |group: &str| seen.iter().any(|seen| seen.line.contains(group));
        assert!(asked("principal=account%20users") && !asked("principal=users"));
    }
}
