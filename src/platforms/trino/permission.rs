//! Least rules and grants for refused permissions.
//!
//! The words of a refusal are those of `AccessDeniedException`, whatever access control decides.

use serde_json::json;

use super::statement::quoted;

/// Returns the least rule or grant for a refused permission, as the built-in file-based access control
/// writes it; the words of a refusal are the same with every access control.
pub(super) fn permission(detail: &str, user: &str) -> String {
    let name = user.strip_prefix("user ").unwrap_or("USER");
    let words = detail.split("Access Denied: ").last().unwrap_or_default().trim_end_matches('.');
    let rule = if words.starts_with("Cannot execute query") {
        json!({ "queries": [{ "user": name, "allow": ["execute"] }] })
    } else if let Some((from, to)) = between(words, "User ", " cannot impersonate user ") {
        json!({ "impersonation": [{ "original_user": from, "new_user": to }] })
    } else if let Some((from, to)) = between(words, "Principal ", " cannot become user ") {
        let rule = json!({ "principals": [{ "principal": from, "user": to, "allow": true }] });
        return format!(
            "Correct the user mapping (http-server.authentication.*.user-mapping.pattern), or {}.",
            allowing(&rule)
        );
    } else if let Some(catalog) = words.strip_prefix("Cannot access catalog ") {
        json!({ "catalogs": [{ "user": name, "catalog": catalog, "allow": "read-only" }] })
    } else if let Some(role) = words.strip_prefix("Cannot set role ") {
        return format!(
            "GRANT {} TO {}, or correct `role` or `roles`: the role must exist, be granted to the \
             account, and be of the catalog that the key names.",
            quoted(role),
            grantee(user)
        );
    } else if words.starts_with("View owner ") || words.contains("view owner") {
        return "Let the owner of the view read what it stands on, or recreate the view with \
            SECURITY INVOKER."
            .to_owned();
    } else if let Some(table) = selected(words) {
        return selecting(table, user, name);
    } else {
        return format!(
            "Allow {user} what the message names, in the rules of the cluster's access control."
        );
    };
    format!("In the cluster's access control, {}.", allowing(&rule))
}

fn allowing(rule: &serde_json::Value) -> String {
    format!(
        "add {rule} to the rules of file-based access control, or the same policy where Immuta, \
         Ranger or OPA decides"
    )
}

/// Returns the table or view that could not be selected from, as the words name it.
fn selected(words: &str) -> Option<&str> {
    let rest = words.strip_prefix("Cannot select from ")?;
    let table = match rest.split_once(" in table or view ") {
        Some((_columns, table)) => table,
        None => rest.strip_prefix("table ").or_else(|| rest.strip_prefix("view "))?,
    };
    Some(table.split(':').next().unwrap_or(table))
}

/// Returns the remedy for a table: rules of the cluster name its catalog, a connector's own
/// permissions do not.
fn selecting(table: &str, user: &str, name: &str) -> String {
    let parts: Vec<_> = table.split('.').collect();
    let [catalog, schema, table] = parts.as_slice() else {
        return format!(
            "GRANT SELECT ON {} TO {}: the connector's own permissions refuse it.",
            parts.iter().map(|part| quoted(part)).collect::<Vec<_>>().join("."),
            grantee(user)
        );
    };
    let rule = json!({ "tables": [{
        "user": name, "catalog": catalog, "schema": schema, "table": table,
        "privileges": ["SELECT"],
    }] });
    format!("In the cluster's access control, {}.", allowing(&rule))
}

fn grantee(user: &str) -> String {
    match user.strip_prefix("user ") {
        Some(name) => format!("USER {}", quoted(name)),
        None => user.to_owned(),
    }
}

/// Returns the two names around `middle` in a text that begins with `start`.
fn between<'t>(text: &'t str, start: &str, middle: &str) -> Option<(&'t str, &'t str)> {
    text.strip_prefix(start)?.split_once(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_rule_or_grant_follows_the_words_of_a_refusal() {
        let user = "user immuta";
        let table = [
            ("Cannot execute query", r#"{"queries":[{"allow":["execute"],"user":"immuta"}]}"#),
            (
                "User immuta cannot impersonate user probe",
                r#"{"impersonation":[{"new_user":"probe","original_user":"immuta"}]}"#,
            ),
            ("Principal a cannot become user b", r#"{"allow":true,"principal":"a","user":"b"}"#),
            (
                "Cannot access catalog lake",
                r#"{"catalogs":[{"allow":"read-only","catalog":"lake","user":"immuta"}]}"#,
            ),
            ("Cannot select from table lake.raw.orders", r#""schema":"raw","table":"orders""#),
            (
                "Cannot select from columns [a, b] in table or view lake.raw.orders",
                r#""catalog":"lake","privileges":["SELECT"],"schema":"raw","table":"orders""#,
            ),
            ("Cannot select from table raw.orders", r#"GRANT SELECT ON "raw"."orders" TO USER "#),
            ("Cannot set role reader", r#"GRANT "reader" TO USER "immuta""#),
            ("View owner does not have sufficient privileges", "SECURITY INVOKER"),
            ("Cannot show schemas", "Allow user immuta what the message names"),
        ];
        for (words, expected) in table {
            let detail = format!("PERMISSION_DENIED: Access Denied: {words}.");
            let found = permission(&detail, user);
            assert!(found.contains(expected), "{words}: {found}");
        }
        let rules = permission("Access Denied: Cannot select from table lake.raw.orders", user);
        assert!(!rules.contains("GRANT"), "rules decide: {rules}");
    }
}
