//! Permissions that the integration needs, and the verdict on each by the answers of Google.

use super::classify::Failure;
use super::reply::Access;

/// Permissions that no test needs, and that a service account of an integration should not have on its project.
pub(super) const BEYOND: [&str; 12] = [
    "bigquery.datasets.setIamPolicy",
    "bigquery.reservations.create",
    "bigquery.tables.getData",
    "cloudkms.cryptoKeys.setIamPolicy",
    "iam.roles.update",
    "iam.serviceAccountKeys.create",
    "iam.serviceAccounts.getAccessToken",
    "resourcemanager.projects.delete",
    "resourcemanager.projects.setIamPolicy",
    "secretmanager.versions.access",
    "storage.buckets.delete",
    "storage.objects.get",
];

/// A permission that is tested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Permission {
    /// Permission to create the dataset.
    DatasetsCreate,
    /// Permission to delete the dataset.
    DatasetsDelete,
    /// Permission to create tables and views in it.
    TablesCreate,
    /// Permission to delete tables.
    TablesDelete,
    /// Permission to read their definitions.
    TablesGet,
    /// Permission to write rows.
    TablesUpdateData,
    /// Permission to change tables and views.
    TablesUpdate,
}

/// Verdict on one permission.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The permission is granted.
    Granted,
    /// The permission is missing.
    Missing,
    /// Google could not be asked.
    Unasked(Failure),
    /// The dataset's access list names a principal that may be the service account, or a custom
    /// role: its name.
    Untold(String),
}

/// Returns the roles that the access list of a dataset gives to `account` itself.
pub(super) fn roles<'a>(
    access: &'a [Access],
    account: Option<&str>,
) -> impl Iterator<Item = &'a str> {
    let is_own = move |entry: &&Access| matches!(who(entry, account), Who::Us);
    access.iter().filter(is_own).filter_map(|entry| entry.role.as_deref())
}

/// Answers of Google about permissions.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    /// Granted on the project.
    pub(super) project: &'a Result<Vec<String>, Failure>,
    /// Granted on a table of the dataset; empty when there is none.
    pub(super) table: &'a Result<Vec<String>, Failure>,
    /// The dataset's access list; empty when there is no dataset.
    pub(super) access: &'a Result<Vec<Access>, Failure>,
    /// The service account, where there is one.
    pub(super) account: Option<&'a str>,
}

impl Permission {
    /// All permissions; they are asked for in one request.
    pub(super) const ALL: [Self; 7] = [
        Self::DatasetsCreate,
        Self::DatasetsDelete,
        Self::TablesCreate,
        Self::TablesDelete,
        Self::TablesGet,
        Self::TablesUpdateData,
        Self::TablesUpdate,
    ];
    /// Those that a table can be asked about.
    pub(super) const OF_TABLES: [Self; 4] =
        [Self::TablesGet, Self::TablesDelete, Self::TablesUpdate, Self::TablesUpdateData];

    /// Google's name of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::DatasetsCreate => "bigquery.datasets.create",
            Self::DatasetsDelete => "bigquery.datasets.delete",
            Self::TablesCreate => "bigquery.tables.create",
            Self::TablesDelete => "bigquery.tables.delete",
            Self::TablesGet => "bigquery.tables.get",
            Self::TablesUpdateData => "bigquery.tables.updateData",
            Self::TablesUpdate => "bigquery.tables.update",
        }
    }

    /// Returns the predefined role that contains the permission and little else.
    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::DatasetsCreate => "roles/bigquery.user",
            Self::DatasetsDelete => "roles/bigquery.dataOwner",
            Self::TablesCreate
            | Self::TablesDelete
            | Self::TablesGet
            | Self::TablesUpdateData
            | Self::TablesUpdate => "roles/bigquery.dataEditor",
        }
    }

    /// True when a healthy integration cannot go on without it.
    pub(super) const fn is_vital(self) -> bool {
        match self {
            Self::TablesCreate | Self::TablesGet | Self::TablesUpdateData | Self::TablesUpdate => {
                true
            }
            Self::DatasetsCreate | Self::DatasetsDelete | Self::TablesDelete => false,
        }
    }

    /// True when it can be granted on the dataset, and not only on the project.
    pub(super) const fn is_of_dataset(self) -> bool {
        match self {
            Self::DatasetsCreate => false,
            Self::DatasetsDelete
            | Self::TablesCreate
            | Self::TablesDelete
            | Self::TablesGet
            | Self::TablesUpdateData
            | Self::TablesUpdate => true,
        }
    }

    /// Returns true if `role` on the dataset has it; none when the role is a custom one.
    fn is_in(self, role: &str) -> Option<bool> {
        match role {
            "OWNER" | "roles/bigquery.dataOwner" | "roles/bigquery.admin" => {
                Some(self.is_of_dataset())
            }
            "WRITER" | "roles/bigquery.dataEditor" => {
                Some(self.is_of_dataset() && self != Self::DatasetsDelete)
            }
            "READER" | "roles/bigquery.dataViewer" | "roles/bigquery.metadataViewer" => {
                Some(self == Self::TablesGet)
            }
            _ => None,
        }
    }
}

/// Whom an entry of an access list names.
enum Who {
    Us,
    Perhaps(String),
    Another,
}

impl Evidence<'_> {
    /// Returns the verdict on `permission`.
    pub(super) fn verdict(&self, permission: Permission) -> Verdict {
        let has = |granted: &Result<Vec<String>, Failure>| {
            granted.as_ref().is_ok_and(|all| all.iter().any(|one| one == permission.name()))
        };
        let on_table = Permission::OF_TABLES.contains(&permission);
        if has(self.project) || (on_table && has(self.table)) {
            return Verdict::Granted;
        }
        let listed = if permission.is_of_dataset() { self.listed(permission) } else { None };
        match listed {
            Some(Who::Us) => return Verdict::Granted,
            Some(Who::Perhaps(whom)) => return Verdict::Untold(whom),
            Some(Who::Another) | None => {}
        }
        let unasked = self.project.as_ref().err();
        let unlisted = self.access.as_ref().err().filter(|_| permission.is_of_dataset());
        // That the tables may not be listed is an answer; a missing answer is none.
        let silent = self.table.as_ref().err().filter(|failure| !failure.class.is_definitive());
        match unasked.or(unlisted).or(silent.filter(|_failure| on_table)) {
            Some(failure) => Verdict::Unasked(failure.clone()),
            None => Verdict::Missing,
        }
    }

    /// Returns the holder of `permission` by the dataset's access list: the service account, or a
    /// principal that may be it.
    fn listed(&self, permission: Permission) -> Option<Who> {
        let mut perhaps = None;
        for access in self.access.iter().flatten() {
            let Some(role) = access.role.as_deref() else { continue };
            match (who(access, self.account), permission.is_in(role)) {
                (Who::Us, Some(true)) => return Some(Who::Us),
                (Who::Us, None) => perhaps = Some(Who::Perhaps(role.to_owned())),
                (Who::Perhaps(whom), Some(true) | None) => perhaps = Some(Who::Perhaps(whom)),
                (Who::Us | Who::Perhaps(_), Some(false)) | (Who::Another, _) => {}
            }
        }
        perhaps
    }
}

/// Returns whom an entry of an access list names, as seen from `account`.
fn who(access: &Access, account: Option<&str>) -> Who {
    let Access { user_by_email, group_by_email, domain, special_group, iam_member, .. } = access;
    if let Some(member) = iam_member {
        return match member.split_once(':') {
            None if member == "allUsers" || member == "allAuthenticatedUsers" => Who::Us,
            Some(("serviceAccount", email)) if Some(email) == account => Who::Us,
            Some(("user" | "serviceAccount" | "deleted", _)) => Who::Another,
            Some(_) | None => Who::Perhaps(member.clone()),
        };
    }
    if let Some(group) = special_group {
        // Those of the project are granted on the project, which is asked itself.
        return if group == "allAuthenticatedUsers" { Who::Us } else { Who::Another };
    }
    match (user_by_email, group_by_email.as_ref().or(domain.as_ref())) {
        (Some(email), _) if Some(email.as_str()) == account => Who::Us,
        (None, Some(group)) => Who::Perhaps(group.clone()),
        (Some(_), _) | (None, None) => Who::Another,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Class;
    use serde_json::{Value as Json, json};

    /// Returns one word for what is known about `permission`.
    fn word(
        project: &Result<Vec<String>, Failure>,
        table: &Result<Vec<String>, Failure>,
        access: Json,
        permission: Permission,
    ) -> &'static str {
        let access = if access.is_null() {
            Err(Failure::silent(Class::Denied, "no"))
        } else {
            Ok(serde_json::from_value(access).unwrap())
        };
        let evidence = Evidence { project, table, access: &access, account: Some("sa@p") };
        match evidence.verdict(permission) {
            Verdict::Granted => "granted",
            Verdict::Missing => "missing",
            Verdict::Unasked(_) => "unasked",
            Verdict::Untold(_) => "untold",
        }
    }

    #[test]
    fn the_project_then_a_table_then_the_access_list_is_believed() {
        use Permission::{DatasetsCreate, DatasetsDelete, TablesCreate, TablesGet, TablesUpdate};
        let none = Ok(Vec::new());
        let off = Err(Failure::silent(Class::Invalid, "off"));
        let down = Err(Failure::silent(Class::Unavailable, "down"));
        let denied = Err(Failure::silent(Class::Denied, "denied"));
        let get = Ok(vec!["bigquery.tables.get".to_owned()]);
        let create = Ok(vec!["bigquery.tables.create".to_owned()]);
        let us = |role: &str| json!([{ "role": role, "userByEmail": "sa@p" }]);
        let member = |role: &str, who: &str| json!([{ "role": role, "iamMember": who }]);
        let group = json!([{ "role": "WRITER", "groupByEmail": "g@p" }]);
        let owners = json!([{ "role": "OWNER", "specialGroup": "projectOwners" }]);
        let other = json!([{ "role": "OWNER", "userByEmail": "x@p" }]);
        let view = json!([{ "view": { "tableId": "v" } }]);
        let unlisted = json!([]);
        let table = [
            (&get, &none, &unlisted, TablesGet, "granted"),
            (&none, &get, &unlisted, TablesGet, "granted"),
            (&off, &get, &unlisted, TablesGet, "granted"),
            (&none, &create, &unlisted, TablesCreate, "missing"),
            (&none, &none, &unlisted, TablesGet, "missing"),
            (&off, &none, &unlisted, TablesGet, "unasked"),
            (&none, &down, &unlisted, TablesGet, "unasked"),
            (&none, &down, &unlisted, TablesCreate, "missing"),
            (&none, &denied, &unlisted, TablesGet, "missing"),
            (&off, &none, &us("OWNER"), DatasetsDelete, "granted"),
            (&none, &none, &us("WRITER"), DatasetsDelete, "missing"),
            (&none, &none, &us("roles/bigquery.dataEditor"), TablesCreate, "granted"),
            (&none, &none, &us("READER"), TablesGet, "granted"),
            (&none, &none, &us("READER"), TablesUpdate, "missing"),
            (&none, &none, &us("OWNER"), DatasetsCreate, "missing"),
            (&none, &none, &us("projects/p/roles/own"), TablesCreate, "untold"),
            (&none, &none, &member("WRITER", "serviceAccount:sa@p"), TablesCreate, "granted"),
            (&none, &none, &member("WRITER", "serviceAccount:x@p"), TablesCreate, "missing"),
            (&none, &none, &member("WRITER", "principalSet://iam/x"), TablesCreate, "untold"),
            (&none, &none, &member("READER", "allUsers"), TablesGet, "granted"),
            (&none, &none, &group, TablesCreate, "untold"),
            (&none, &none, &group, DatasetsDelete, "missing"),
            (&none, &none, &owners, TablesCreate, "missing"),
            (&none, &none, &other, TablesCreate, "missing"),
            (&none, &none, &view, TablesCreate, "missing"),
            (&none, &none, &Json::Null, TablesCreate, "unasked"),
            (&get, &none, &Json::Null, TablesGet, "granted"),
            (&none, &none, &Json::Null, DatasetsCreate, "missing"),
        ];
        for (project, table, access, permission, expected) in table {
            let found = word(project, table, access.clone(), permission);
            assert_eq!(found, expected, "{project:?} {table:?} {access} {permission:?}");
        }
    }
}
