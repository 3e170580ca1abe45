//! Rules and grants that a Trino integration needs.
//!
//! Sources: trino.io/docs/current/security/file-system-access-control.html and sql-standard access control of the
//! connectors; `tests/real.rs` tries the rules on a real server, and each of them taken away.

use serde_json::Value as Json;

use super::catalog::{ACCESS, AUTHENTICATION, CATALOGS, CONNECTION, ENFORCEMENT, QUERY, VERSION};
use super::config::{Config, Probe, ProbeUser};
use super::statement::{Table, quoted};
use crate::platforms::{Form, Grant, Names};

/// Grants of the tests; the first matching rule of a section decides.
pub(super) const GRANTS: &[Grant] = &[
    Grant::none(&[CONNECTION, AUTHENTICATION, VERSION], "an account that the cluster lets in"),
    Grant::of(
        Form::Rules,
        r#"{"queries": [{"user": <USER>, "allow": ["execute"]}]}"#,
        &[QUERY, CATALOGS, ACCESS, ENFORCEMENT],
        "to run a query",
    ),
    Grant::of(
        Form::Rules,
        r#"{"tables": [{"user": <USER>, "catalog": "system", "schema": "runtime", "table": "nodes", "privileges": ["SELECT"]}]}"#,
        &[QUERY],
        "to count the nodes; every user sees the catalog `system`",
    ),
    Grant::of(
        Form::Rules,
        r#"{"catalogs": [{"user": <USER>, "catalog": <CATALOG>, "allow": "read-only"}]}"#,
        &[CATALOGS],
        "to see the catalogs in `catalogs`",
    ),
    Grant::of(
        Form::Rules,
        r#"{"catalogs": [{"user": <USER>, "catalog": <PROBE CATALOG>, "allow": "read-only"}]}"#,
        &[ACCESS],
        "to see the catalog of the probe table",
    ),
    Grant::of(
        Form::Rules,
        r#"{"tables": [{"user": <USER>, "catalog": <PROBE CATALOG>, "schema": <PROBE SCHEMA>, "table": <PROBE TABLE>, "privileges": ["SELECT"]}]}"#,
        &[ACCESS],
        "to read the probe table",
    ),
    Grant::of(
        Form::Sql,
        "GRANT SELECT ON <SQL TABLE> TO <SQL USER>;",
        &[ACCESS],
        "to read the probe table",
    )
    .only("where the connector decides (SQL standard access control)"),
    Grant::of(
        Form::Rules,
        r#"{"impersonation": [{"original_user": <USER>, "new_user": <IMPERSONATED USER>}]}"#,
        &[ENFORCEMENT],
        "to act as the probe user",
    ),
    Grant::of(
        Form::Rules,
        r#"{"queries": [{"user": <PROBE USER>, "allow": ["execute"]}]}"#,
        &[ENFORCEMENT],
        "to have the probe user refused at the table, and not before it",
    ),
    Grant::of(
        Form::Sql,
        "GRANT <SQL ROLE> TO <SQL USER>;",
        &[QUERY, CATALOGS, ACCESS],
        "to act with the role in `role`",
    ),
    Grant::of(
        Form::Sql,
        "GRANT <ROLE TO USER IN CATALOG>;",
        &[QUERY, CATALOGS, ACCESS],
        "to act with the roles in `roles`",
    ),
];

/// Returns the names of the configuration: in JSON, or as statements have them.
pub(super) fn names(config: &Config) -> Names {
    let user = config.user_name();
    let in_json = |name: &str| Json::from(name).to_string();
    let sql_user = format!("USER {}", quoted(user));
    let probe = config.probe.as_ref();
    let part = |part: fn(&Table) -> &str| probe.map(|Probe { table, .. }| in_json(part(table)));
    let probe_user = probe.and_then(|probe| match probe.user.as_ref()? {
        ProbeUser::Impersonated(name) => Some(in_json(name)),
        ProbeUser::Own(credentials) => credentials.username().map(in_json),
    });
    let is_impersonated =
        probe.is_some_and(|probe| matches!(probe.user, Some(ProbeUser::Impersonated(_))));
    let roles = config.headers.named_roles().into_iter();
    let (system, others): (Vec<_>, Vec<_>) = roles.partition(|(catalog, _)| catalog == "system");
    let in_catalogs = others
        .into_iter()
        .map(|(catalog, role)| format!("{} TO {sql_user} IN {}", quoted(&role), quoted(&catalog)));
    let in_catalogs: Vec<_> = in_catalogs.collect();
    Names::default()
        .with("USER", in_json(user))
        .with("SQL USER", sql_user)
        .all("SQL ROLE", system.into_iter().map(|(_, role)| quoted(&role)))
        .all("ROLE TO USER IN CATALOG", in_catalogs)
        .all("CATALOG", config.catalogs.iter().map(|name| in_json(&name.to_lowercase())))
        .maybe("PROBE CATALOG", part(Table::catalog))
        .maybe("PROBE SCHEMA", part(Table::schema))
        .maybe("PROBE TABLE", part(Table::table))
        .maybe("SQL TABLE", probe.map(|Probe { table, .. }| table.quoted()))
        .maybe("IMPERSONATED USER", probe_user.clone().filter(|_| is_impersonated))
        .maybe("PROBE USER", probe_user)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platforms::testing::validator;
    use crate::platforms::trino::PLATFORM;
    use crate::platforms::{Need, needs};

    fn texts(config: &Json) -> Vec<String> {
        let all = needs(GRANTS, &validator(&PLATFORM, config).names());
        all.into_iter().map(|Need { text, .. }| text).collect()
    }

    #[test]
    fn rules_are_of_what_is_configured_alone() {
        let config = json!({ "host": "t.example.com", "authenticationType": "jwt", "token": "t" });
        let found = texts(&config);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], r#"{"queries": [{"user": "USER", "allow": ["execute"]}]}"#);
    }

    #[test]
    fn names_are_quoted_in_json_and_in_statements() {
        let config = json!({
            "host": "t.example.com", "authenticationType": "userPassword", "username": "a\"b",
            "password": "p", "catalogs": ["Lake"], "role": "r\"x", "roles": { "pond": "s" },
            "accessControlProbe": {
                "table": "lake.\"s.1\".t", "username": "probe", "password": "q",
            },
        });
        let found = texts(&config).join("\n");
        let expected = [
            r#"{"queries": [{"user": "a\"b", "allow": ["execute"]}]}"#,
            r#"{"catalogs": [{"user": "a\"b", "catalog": "lake", "allow": "read-only"}]}"#,
            r#""catalog": "lake", "schema": "s.1", "table": "t", "privileges": ["SELECT"]"#,
            r#"GRANT SELECT ON "lake"."s.1"."t" TO USER "a""b";"#,
            r#"{"queries": [{"user": "probe", "allow": ["execute"]}]}"#,
            r#"GRANT "r""x" TO USER "a""b";"#,
            r#"GRANT "s" TO USER "a""b" IN "pond";"#,
        ];
        for text in expected {
            assert!(found.contains(text), "{text}\n{found}");
        }
        // The probe user has a password of its own.
        assert!(!found.contains("impersonation"), "{found}");
        for text in texts(&config).iter().filter(|text| text.starts_with('{')) {
            assert!(serde_json::from_str::<Json>(text).is_ok(), "{text}");
        }
    }
}
