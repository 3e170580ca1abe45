//! Forms of grants, and the comparison of a finding with a grant of each: true where its message or its remediation
//! names the grant.
//!
//! Statements are compared by privileges, object and grantee, rules as JSON, and permissions as words, so that a
//! remediation may name a part of a grant, and may say more than it.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::domain::Finding;

/// Form of a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "camelCase", const_into_str)]
pub(crate) enum Form {
    /// No grant is needed.
    Nothing,
    /// Statement in the platform's SQL.
    Sql,
    /// Statement of the IAM policy of the identity that sends the requests to AWS, in JSON.
    Policy,
    /// Statement of the IAM policy of the identity that takes up a role of AWS, in JSON.
    Caller,
    /// Statement of the trust policy of a role of AWS, in JSON.
    Trust,
    /// Rules of Trino's file-based access control, in JSON.
    Rules,
    /// Name of a permission of Google Cloud.
    Permission,
    /// Command of the platform's command line.
    Command,
}

impl Form {
    /// Returns the heading of a document in this form.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Sql => "SQL, as an administrator",
            Self::Policy => "IAM policy of the identity that sends the requests",
            Self::Caller => "IAM policy of the identity that takes up the role",
            Self::Trust => "Trust policy of the role",
            Self::Rules => "Rules of file-based access control, before wider ones",
            Self::Permission => "Custom role",
            Self::Command => "Command line",
        }
    }

    /// Returns the word in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Returns true where `finding` names the grant `wanted` in `form`.
pub(crate) fn is_named(form: Form, wanted: &str, finding: &Finding) -> bool {
    let remediation = finding.remediation.as_deref().unwrap_or_default();
    let text = format!("{remediation}\n{}", finding.message);
    match form {
        Form::Nothing => false,
        Form::Sql => is_statement(wanted, &text),
        Form::Rules => rules(&text).iter().any(|rule| Some(rule) == parsed(wanted).as_ref()),
        Form::Policy | Form::Caller | Form::Trust => {
            actions(wanted).iter().any(|action| is_word(action, &text))
        }
        Form::Permission => is_word(wanted, &text),
        Form::Command => is_command(wanted, &text),
    }
}

/// Statement that grants, in parts.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Granted {
    privileges: BTreeSet<String>,
    /// Object, and the one that it is granted to.
    rest: String,
}

/// Returns the statements in `text` that grant something.
pub(crate) fn granted(text: &str) -> Vec<Granted> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("GRANT ") {
        rest = after;
        let end = [";", "\n", ", or ", ": the ", " or "].iter().filter_map(|end| after.find(end));
        let statement = after.get(..end.min().unwrap_or(after.len())).unwrap_or_default();
        let statement = statement.trim_end_matches(['.', ' ']);
        let statement = statement.trim_end_matches(" WITH GRANT OPTION");
        let (privileges, rest) = match statement.split_once(" ON ") {
            Some(parts) => parts,
            None => statement.split_once(" TO ").unwrap_or((statement, "")),
        };
        let privileges = privileges.split(',').map(|one| one.trim().to_owned()).collect();
        found.push(Granted { privileges, rest: rest.to_owned() });
    }
    found
}

/// True where `text` has the statement, or one that grants a part of it.
fn is_statement(statement: &str, text: &str) -> bool {
    let Some(wanted) = granted(statement).into_iter().next() else {
        return is_command(statement, text);
    };
    granted(text).iter().any(|one| {
        !one.privileges.is_disjoint(&wanted.privileges) && is_same(&wanted.rest, &one.rest)
    })
}

/// True for the same object and grantee. A name that the configuration does not give is written as `<name>`, and
/// stands for any; a table may be named without its catalog.
fn is_same(wanted: &str, found: &str) -> bool {
    let is_equal = |wanted: &str| match wanted.split_once('<') {
        Some((before, _)) => found.starts_with(before),
        None => found == wanted,
    };
    let wanted = wanted.split(" IN ").next().unwrap_or(wanted);
    is_equal(wanted) || wanted.split_once('.').is_some_and(|(_, table)| is_equal(table))
}

/// True where `text` has the command up to what people fill in.
fn is_command(command: &str, text: &str) -> bool {
    let begin = command.split(['<', '\'', '{']).next().unwrap_or(command);
    let begin = begin.trim_end_matches([';', ' ']);
    !begin.is_empty() && text.contains(begin)
}

/// Returns the actions of a statement of a policy.
fn actions(statement: &str) -> Vec<String> {
    match parsed(statement).as_ref().map(|statement| statement.get("Action")) {
        Some(Some(Json::String(action))) => vec![action.clone()],
        Some(Some(Json::Array(all))) => {
            all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        }
        Some(_) | None => Vec::new(),
    }
}

fn parsed(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// Returns the objects of JSON in `text`.
pub(crate) fn rules(text: &str) -> Vec<Json> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let begin = rest.len().saturating_sub(after.len()).saturating_sub(1);
        let json = rest.get(begin..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<Json>();
        rest = match values.next() {
            Some(Ok(value)) => {
                found.push(value);
                json.get(values.byte_offset()..).unwrap_or_default()
            }
            Some(Err(_)) | None => after,
        };
    }
    found
}

/// True where `word` is in `text`, and not only as a part of a longer name.
pub(crate) fn is_word(word: &str, text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    text.match_indices(word).any(|(begin, _)| {
        let before = text.get(..begin).and_then(|text| text.chars().next_back());
        let after = text.get(begin + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;

    fn named(form: Form, text: &str, remediation: &str) -> bool {
        is_named(form, text, &Finding::new(Class::Denied, "No.").fix(remediation))
    }

    #[test]
    fn statement_is_named_by_a_part_of_its_privileges_on_the_same_object() {
        let usage = "GRANT USAGE ON WAREHOUSE \"W\" TO ROLE \"R\";";
        let account =
            "GRANT CREATE ROLE, MANAGE GRANTS ON ACCOUNT TO ROLE \"B\" WITH GRANT OPTION;";
        let select = "GRANT SELECT ON \"c\".\"s\".\"t\" TO USER \"u\";";
        let user = "CREATE USER [u] FROM EXTERNAL PROVIDER;";
        let table = [
            (usage, "If it is there: GRANT USAGE ON WAREHOUSE \"W\" TO ROLE \"R\"; or other", true),
            (usage, "GRANT USAGE ON WAREHOUSE \"V\" TO ROLE \"R\";", false),
            (usage, "GRANT MONITOR ON WAREHOUSE \"W\" TO ROLE \"R\";", false),
            (usage, "REVOKE all.", false),
            (
                "GRANT USAGE ON DATABASE \"D\" TO ROLE <role>;",
                "GRANT USAGE ON DATABASE \"D\" TO ROLE \"R\";",
                true,
            ),
            (account, "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE \"B\" WITH GRANT OPTION;", true),
            (account, "GRANT MANAGE GRANTS ON ACCOUNT TO ROLE \"C\" WITH GRANT OPTION;", false),
            (select, "GRANT SELECT ON \"s\".\"t\" TO USER \"u\": the connector's own", true),
            ("GRANT ROLE \"R\" TO USER u;", "Check it: GRANT ROLE \"R\" TO USER u;", true),
            ("GRANT ROLE \"R\" TO USER u;", "GRANT ROLE \"S\" TO USER u;", false),
            (user, "In database [d]: CREATE USER [u] FROM EXTERNAL PROVIDER;", true),
            (user, "CREATE USER [other] FROM EXTERNAL PROVIDER;", false),
        ];
        for (text, remediation, expected) in table {
            assert_eq!(named(Form::Sql, text, remediation), expected, "{text}: {remediation}");
        }
    }

    #[test]
    fn rules_are_compared_as_json_and_permissions_as_words() {
        let rule = r#"{"queries": [{"user": "u", "allow": ["execute"]}]}"#;
        let fix = r#"In it, add {"queries":[{"allow":["execute"],"user":"u"}]} to the rules {}."#;
        assert!(named(Form::Rules, rule, fix));
        assert!(!named(Form::Rules, &rule.replace("\"u\"", "\"v\""), fix));
        let policy = r#"{"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": "r"}"#;
        assert!(named(Form::Policy, policy, "Allow s3:ListBucket on it."));
        assert!(!named(Form::Policy, policy, "Allow s3:ListBucketVersions on it."));
        let update = "bigquery.tables.update";
        assert!(named(Form::Permission, update, "missing permission [bigquery.tables.update]"));
        assert!(!named(Form::Permission, update, "missing [bigquery.tables.updateData]"));
        let command = "databricks warehouses update-permissions 7 --json '{}'";
        assert!(named(
            Form::Command,
            command,
            "Run: databricks warehouses update-permissions 7 --json x"
        ));
        assert!(!named(Form::Command, command, "Run: databricks warehouses update-permissions 8"));
        assert!(!named(Form::Nothing, "", "anything"));
    }

    #[test]
    fn broken_json_in_a_text_is_passed_over() {
        assert_eq!(
            rules("{ {\"a\":1} {x} {\"b\": {\"c\": 2}}"),
            [serde_json::json!({ "a": 1 }), serde_json::json!({ "b": { "c": 2 } }),]
        );
        assert!(rules("no { json").is_empty());
    }
}
