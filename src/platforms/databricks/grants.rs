//! Grants that a Databricks integration needs; `beyond.rs` looks for those that it does not need.
//!
//! Sources: docs.databricks.com, "Unity Catalog privileges and securable objects", "Audit log system table
//! reference" and the Permissions API of SQL warehouses.

use super::catalog::{AUDIT, BASIC, MANUAL, METASTORE, PRESENT};
use super::credentials::Credentials;
use super::integration::Databricks;
use super::lookup::quoted;
use crate::platforms::{Form, Grant, Names};

/// Privileges that the tests of the catalog need besides `requiredPrivileges`.
pub(super) const TO_LOOK: [&str; 2] = ["USE_CATALOG", "USE_SCHEMA"];

/// Grants of the tests.
pub(super) const GRANTS: &[Grant] = &[
    Grant::none(&[BASIC, METASTORE], "to be in the workspace"),
    Grant::of(
        Form::Command,
        r#"databricks warehouses update-permissions <WAREHOUSE> --json '{"access_control_list": [{"<KIND>": "<NAME>", "permission_level": "CAN_USE"}]}'"#,
        &[BASIC],
        "to look at the SQL warehouse",
    ),
    Grant::of(
        Form::Sql,
        "GRANT <PRIVILEGE> ON CATALOG <CATALOG> TO <PRINCIPAL>;",
        &[MANUAL, PRESENT],
        "to see the catalog, and what `requiredPrivileges` names; the owner needs no grant",
    ),
    Grant::of(
        Form::Sql,
        "GRANT BROWSE ON CATALOG <CATALOG> TO <PRINCIPAL>;",
        &[MANUAL, PRESENT],
        "to see that `expectedObjects` are there",
    )
    .only("where `requiredPrivileges` leaves SELECT out"),
    Grant::of(
        Form::Sql,
        "GRANT USE CATALOG ON CATALOG system TO <AUDITOR>;",
        &[AUDIT],
        "to see the audit table",
    ),
    Grant::of(
        Form::Sql,
        "GRANT USE SCHEMA ON SCHEMA system.access TO <AUDITOR>;",
        &[AUDIT],
        "to see the audit table",
    ),
    Grant::of(
        Form::Sql,
        "GRANT SELECT ON TABLE system.access.audit TO <AUDITOR>;",
        &[AUDIT],
        "to read the audit table",
    ),
];

impl Databricks {
    /// Returns the names of the configuration, as statements have them, and the principal that a run saw.
    pub(super) fn granted_names(&self, seen: Option<&str>) -> Names {
        let config = &self.config;
        let is_service = seen.is_some_and(|name| !name.contains('@'));
        let (kind, name) = match &config.credentials {
            Credentials::Token(_) if is_service => ("service_principal_name", None),
            Credentials::Token(_) => ("user_name", None),
            Credentials::Machine(_)
            | Credentials::Entra(_)
            | Credentials::Managed(_)
            | Credentials::Federated(_) => {
                let name = config.credentials.name();
                ("service_principal_name", Some(name).filter(|name| !name.contains(' ')))
            }
        };
        let name = seen.or(name);
        let principal = name.map_or_else(|| "`<principal>`".to_owned(), quoted);
        let privileges = TO_LOOK.iter().map(|&name| name.to_owned());
        let privileges = privileges.chain(config.required.iter().cloned());
        Names::default()
            .maybe("WAREHOUSE", config.warehouse.clone())
            .with("KIND", kind)
            .with("NAME", name.unwrap_or("<principal>"))
            .all("PRIVILEGE", privileges.map(|privilege| privilege.replace('_', " ")))
            .with("CATALOG", quoted(&config.catalog))
            .with("PRINCIPAL", principal.clone())
            .maybe("AUDITOR", config.audit.then_some(principal))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Fact, FactKind, Observed};
    use crate::platforms::databricks::PLATFORM;
    use crate::platforms::testing::validator;
    use crate::platforms::{Need, needs};

    fn texts(changes: &serde_json::Value) -> Vec<String> {
        let mut config = json!({
            "workspaceUrl": "dbc-1.cloud.databricks.com", "authenticationType": "oAuthM2M",
            "oAuthClientConfig": { "clientId": "c-1", "clientSecret": "s" }, "catalog": "my`lake",
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        let all = needs(GRANTS, &validator(&PLATFORM, &config).names());
        all.into_iter().map(|Need { text, .. }| text).collect()
    }

    #[test]
    fn each_required_privilege_is_a_grant_of_its_own() {
        let found = texts(&json!({ "requiredPrivileges": ["SELECT", "USE_CATALOG"] }));
        let of = |privilege: &str| format!("GRANT {privilege} ON CATALOG `my``lake` TO `c-1`;");
        assert_eq!(found, ["USE CATALOG", "USE SCHEMA", "SELECT", "BROWSE"].map(of));
        assert_eq!(texts(&json!({ "requiredPrivileges": [] })).len(), 3);
    }

    #[test]
    fn audit_and_warehouse_need_grants_where_they_are_configured() {
        let found = texts(&json!({
            "audit": { "enabled": true }, "requiredPrivileges": [], "checkWarehouse": true,
            "httpPath": "/sql/1.0/warehouses/77aa",
        }));
        assert!(found[0].starts_with("databricks warehouses update-permissions 77aa"), "{found:?}");
        assert_eq!(found.last().unwrap(), "GRANT SELECT ON TABLE system.access.audit TO `c-1`;");
        assert_eq!(found.len(), 7, "{found:?}");
    }

    #[test]
    fn principal_of_a_personal_token_is_left_to_people() {
        let found = texts(&json!({
            "authenticationType": "token", "token": "t", "oAuthClientConfig": null,
            "requiredPrivileges": [], "checkWarehouse": true, "httpPath": "/sql/1.0/warehouses/7",
        }));
        assert!(found[0].contains(r#""user_name": "<principal>""#), "{found:?}");
        assert_eq!(found[1], "GRANT USE CATALOG ON CATALOG `my``lake` TO `<principal>`;");
    }

    #[test]
    fn principal_that_a_run_saw_is_named() {
        let config = json!({
            "workspaceUrl": "dbc-1.cloud.databricks.com", "authenticationType": "token",
            "token": "t", "catalog": "lake", "checkWarehouse": true,
            "httpPath": "/sql/1.0/warehouses/7",
        });
        for (name, kind) in [("a@b.example", "user_name"), ("c-1", "service_principal_name")] {
            let mut observed = Observed::default();
            let fact = Fact { kind: FactKind::Principal, of: String::new() };
            observed.facts.insert(fact, [name.to_owned()].into());
            let all = needs(GRANTS, &validator(&PLATFORM, &config).names_seen(&observed));
            assert!(all[0].text.contains(&format!("\"{kind}\": \"{name}\"")), "{all:?}");
            assert!(all[1].text.ends_with(&format!(" TO `{name}`;")), "{all:?}");
        }
    }
}
