//! Rights beyond the needs of the tests, as far as the catalog of the database shows them.

use super::*;
use crate::domain::Observed;

async fn surplus(server: &StandIn, scenario: &str) -> Surplus {
    let config = config_of(server.value(scenario), server.value("ca"), &json!({}));
    let validator = validator(&PLATFORM, &config);
    let found = validator.surplus(&context(Mode::Recurring), &Observed::default()).await;
    sent(server, scenario, "IMMUTA_IMPERSONATION");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_permissions_are_listed_with_what_takes_them_away() {
    let server = StandIn::start("tds");
    let found = surplus(&server, "rights-beyond").await;
    let lines: Vec<_> = found
        .found
        .iter()
        .map(|one| (one.what.as_str(), one.revoke.as_deref().unwrap_or_default()))
        .collect();
    let expected = [
        ("CREATE TABLE on the database", "REVOKE CREATE TABLE FROM [immuta];"),
        ("SELECT on schema sal]es", "REVOKE SELECT ON SCHEMA::[sal]]es] FROM [immuta];"),
        ("DELETE on sales.orders", "REVOKE DELETE ON OBJECT::[sales].[orders] FROM [immuta];"),
        ("REFERENCES on database scoped credential", ""),
        ("role db_owner", "EXEC sp_droprolemember N'db_owner', N'immuta';"),
        (
            "role xlargerc, a resource class: more memory for each query",
            "EXEC sp_droprolemember N'xlargerc', N'immuta';",
        ),
        ("role o'role", "EXEC sp_droprolemember N'o''role', N'immuta';"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(found.unseen.len(), 1, "{:?}", found.unseen);
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_is_named_and_what_is_not_shown_is_said() {
    let server = StandIn::start("tds");
    let found = surplus(&server, "rights-of-an-owner").await;
    assert!(found.found.len() == 1 && found.found[0].what.contains("(user dbo)"), "{found:?}");
    // The role may be the only way in which the user has CONTROL.
    let found = surplus(&server, "rights-hidden").await;
    assert_eq!(found.found, []);
    let hidden = found.unseen.iter().any(|line| line.starts_with("Its permissions could not be"));
    assert!(hidden, "{:?}", found.unseen);
    let found = surplus(&server, "paused").await;
    assert!(found.unseen[0].starts_with("Roles and permissions could not be read: "), "{found:?}");
}
