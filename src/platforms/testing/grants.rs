//! Agreement of remediations with the tables of grants: what a finding says is to be granted is a grant of its test.

use crate::domain::Report;
use crate::platforms::form::{granted, rules};
use crate::platforms::{PLATFORMS, Validator, needs};

/// Words of permissions that a remediation may name, by their beginning.
const PERMISSIONS: [&str; 6] =
    ["s3:Get", "s3:List", "redshift:", "bigquery.jobs.", "bigquery.datasets.", "bigquery.tables."];
/// Sections of rules of file-based access control.
const SECTIONS: [&str; 4] = ["queries", "catalogs", "tables", "impersonation"];
/// Grants of remediations that are no need: another way out, or what a person does in a situation of its own.
const OTHERWISE: [&str; 3] = [
    // The alternative to `requiredPrivileges` = [].
    "GRANT MANAGE ON CATALOG",
    // Roles without a visible owner, which are no grant of the integration.
    "GRANT OWNERSHIP ON ROLE <name>",
    // Where `role` names none that exists.
    "GRANT \"nope\"",
];

/// Returns the folder of a platform, which is the name of its guide too.
pub(in crate::platforms) fn folder_of(kind: &str) -> &'static str {
    match kind {
        "Native S3" => "s3",
        "Azure Synapse Analytics" => "synapse",
        "Databricks" => "databricks",
        "Google BigQuery" => "bigquery",
        "Redshift" => "redshift",
        "Snowflake" => "snowflake",
        "Trino" => "trino",
        other => panic!("{other} has no folder"),
    }
}

/// Returns the grants that remediations name and that are not in the table, if there are any.
pub(super) fn disagreement(
    folder: &str,
    validator: &dyn Validator,
    report: &Report,
) -> Option<String> {
    let platform = PLATFORMS.iter().find(|one| folder_of(one.kind) == folder)?;
    let needs = needs(platform.grants, &validator.names());
    let mut wrong = Vec::new();
    for result in &report.tests {
        let Some(finding) = result.outcome.finding() else { continue };
        let fix = finding.remediation.as_deref().unwrap_or_default();
        let is_grant = !granted(fix).is_empty()
            || rules(fix).iter().any(|rule| SECTIONS.iter().any(|one| rule.get(one).is_some()))
            || PERMISSIONS.iter().any(|one| fix.contains(one));
        if !is_grant || OTHERWISE.iter().any(|other| fix.contains(other)) {
            continue;
        }
        if !needs.iter().any(|need| need.is_named(finding)) {
            wrong.push(format!("{}: no grant of the table is named by {fix}", result.test.name));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}
