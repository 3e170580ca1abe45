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

/// Server that answers as in `all-well` and in `files`, and a validator whose `changes` replace the log-in.
async fn logging_in(files: &[(&str, String)], changes: Json) -> (Server, Box<dyn Validator>) {
    let (dir, server, _) = answering(files).await;
    // The server reads the answers while it runs.
    let _kept = dir.keep();
    let (_, mut config) = self::server("all-well").await;
    config["workspaceUrl"] = server.address.clone().into();
    config.as_object_mut().unwrap().remove("oAuthClientConfig");
    let text = changes.to_string().replace("@server@", &server.address);
    for (key, value) in serde_json::from_str::<Json>(&text).unwrap().as_object().unwrap() {
        config[key] = value.clone();
    }
    let validator = integration(&config);
    (server, validator)
}

#[tokio::test]
async fn managed_identity_asks_the_metadata_service_for_the_workspace() {
    let issued = json!({ "access_token": "hunter2-entra", "expires_in": "3599" });
    let issued = format!("# Azure's instance metadata service\n200\n\n{issued}");
    let resource = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Databricks/workspaces/w";
    let changes = json!({
        "authenticationType": "azureManagedIdentity",
        "azure": { "clientId": "c", "resourceId": resource, "metadataEndpoint": "@server@" },
    });
    let (server, validator) = logging_in(&[("none", issued)], changes).await;
    let run = context(Mode::Recurring);
    for _again in 0..2 {
        let report = validator.validate(&run).await.report;
        assert_eq!(outcome(&report, BASIC).0, ReportStatus::Passed, "{report:?}");
    }
    let seen = server.seen();
    let asked: Vec<_> = seen.iter().filter(|seen| seen.line.contains("/metadata/")).collect();
    let of = |resource: &str| {
        format!(
            "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}&client_id=c"
        )
    };
    let lines: Vec<_> = asked.iter().map(|seen| seen.line.clone()).collect();
    let expected = [
        of("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"),
        of("https%3A%2F%2Fmanagement.core.windows.net"),
    ];
    assert_eq!(lines, expected, "once, and kept");
    assert_eq!(asked[0].header("metadata"), Some("true"));
    assert_eq!(validator.identity().principal.as_deref(), Some("entra c"));
}

#[tokio::test]
async fn token_of_an_identity_provider_is_exchanged() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "hunter2-token.b.c").unwrap();
    let changes = json!({
        "authenticationType": "oidcFederation",
        "oidc": { "token": { "file": token }, "clientId": CLIENT, "scope": "sql" },
    });
    let (server, validator) = logging_in(&[], changes.clone()).await;
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    assert_eq!(outcome(&report, BASIC).0, ReportStatus::Passed, "{report:?}");
    let seen = server.seen();
    let asked = seen.iter().find(|seen| seen.line.starts_with("POST ")).unwrap();
    assert_eq!(asked.line, "POST /oidc/v1/token");
    assert_eq!(asked.header("authorization"), None);
    let form: Vec<(String, String)> =
        form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", "hunter2-token.b.c"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("scope", "sql"),
        ("client_id", CLIENT),
    ];
    assert_eq!(form, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let no_policy = json!({ "error": "invalid_request",
        "error_description": "No matching federation policy was found for the token" });
    let (_server, validator) = logging_in(&[("token", answer(400, &no_policy))], changes).await;
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let found = report.tests.iter().find_map(|result| result.outcome.finding()).unwrap();
    let remediation = found.remediation.as_deref().unwrap();
    assert!(remediation.contains("federation-policy list"), "{remediation}");
}

#[test]
fn way_that_needs_a_person_is_refused_by_name() {
    for (kind, instead) in [
        ("oAuthU2M", "use `oAuthM2M`"),
        ("azure-cli", "use `azureManagedIdentity`"),
        ("external-browser", "use `oAuthM2M`"),
    ] {
        let found = faults(&json!({ "authenticationType": kind, "token": null }));
        assert!(found[0].contains("cannot be used: ") && found[0].contains(instead), "{found:?}");
    }
    let own = json!({ "token": null, "authenticationType": "azureManagedIdentity" });
    assert_eq!(faults(&own), [""; 0], "the identity of the machine needs no key");
    let wrong = json!({ "token": null, "authenticationType": "azureManagedIdentity",
        "azure": { "metadataEndpoint": "x" } });
    assert!(faults(&wrong)[0].contains("azure.metadataEndpoint: must be an address"));
}
