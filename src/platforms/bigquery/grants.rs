//! Grants that a Google `BigQuery` integration needs, and what its principal has beyond them.
//!
//! Source: cloud.google.com/bigquery/docs/access-control ("`BigQuery` permissions") and the Resource Manager's
//! `projects.testIamPermissions`.

use super::catalog::{
    CONNECT, DATASET_CREATE, DATASET_DELETE, KEY_FILE, NOT_YET, POSTFIX, PRESENT, REUSE,
    TABLE_CREATE, TABLE_DELETE, TABLE_GET, TABLE_INSERT, TABLE_UPDATE,
};
use super::permissions::BEYOND;
use crate::domain::Test;
use crate::platforms::{Form, Grant, Names, Surplus};

/// Grants of the tests.
pub(super) const GRANTS: &[Grant] = &[
    Grant::none(&[POSTFIX, KEY_FILE, REUSE], "they are about configurations alone"),
    permission("bigquery.jobs.create", &[CONNECT], "to plan a query; listing datasets needs none"),
    permission("bigquery.datasets.get", &[NOT_YET, PRESENT], "to look at the dataset"),
    permission("bigquery.datasets.create", &[DATASET_CREATE], "to create the dataset")
        .only("while the integration is set up"),
    permission("bigquery.datasets.delete", &[DATASET_DELETE], "to remove the dataset"),
    permission("bigquery.tables.create", &[TABLE_CREATE], "to create views and tables"),
    permission("bigquery.tables.delete", &[TABLE_DELETE], "to remove them"),
    permission("bigquery.tables.get", &[TABLE_GET], "to look at them"),
    permission("bigquery.tables.updateData", &[TABLE_INSERT], "to write rows"),
    permission("bigquery.tables.update", &[TABLE_UPDATE], "to change them"),
    permission("bigquery.datasets.getIamPolicy", &OF_DATASET, "to read the access list")
        .only("where the dataset grants the permissions, and not the project"),
    permission("bigquery.tables.list", &OF_DATASET, "to find a table to ask about")
        .only("where a table grants the permissions, and not the project"),
];

/// Tests of permissions that a dataset can grant.
const OF_DATASET: [Test; 6] =
    [DATASET_DELETE, TABLE_CREATE, TABLE_DELETE, TABLE_GET, TABLE_INSERT, TABLE_UPDATE];

const fn permission(name: &'static str, tests: &'static [Test], why: &'static str) -> Grant {
    Grant::of(Form::Permission, name, tests, why)
}

/// Returns the names of the configuration, as far as they are known.
pub(super) fn names(project: Option<String>, member: Option<String>) -> Names {
    Names::default()
        .with("PROJECT", project.unwrap_or_else(|| "<project>".to_owned()))
        .with("MEMBER", member.unwrap_or_else(|| "serviceAccount:<service account>".to_owned()))
}

/// Returns what the principal has on the project beyond the needs, of the permissions that give much.
pub(super) fn beyond(project: &str, found: &[String]) -> Surplus {
    let mut surplus = Surplus::unseen(format!(
        "Google answers for the permissions that are asked about: these are {} that give much, on \
         the project alone. gcloud asset analyze-iam-policy shows the rest.",
        BEYOND.len()
    ));
    for name in BEYOND.into_iter().filter(|name| found.iter().any(|one| one == name)) {
        surplus.add(format!("{name} on project {project}"), None);
    }
    surplus
}
