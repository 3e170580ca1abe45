//! Rights of the user beyond the needs of the tests: its roles, and permissions that were granted to it.
//!
//! Sources: learn.microsoft.com, `sys.database_permissions`, `sys.database_role_members` ("Any user can view their own role
//! membership"), `sp_droprolemember`, and "Workload management with resource classes" (roles of dedicated SQL pools).

use super::client::Session;
use super::integration::Synapse;
use super::statement::{Statement, identifier, literal};
use crate::domain::Redactor;
use crate::platforms::{RunContext, Seen, Surplus};

/// Longest name that is shown, in characters.
const NAME_MAX: usize = 128;
/// User that the owner of the database and the administrator of the server are.
const OWNER_USER: &str = "dbo";
/// Role that has control of the database.
const OWNER_ROLE: &str = "db_owner";
/// Permissions on the database that the tests need.
const NEEDED: [&str; 3] = ["CONNECT", "CONTROL", "VIEW DEFINITION"];

/// Permission that the user was granted.
struct Permission<'a> {
    class: &'a str,
    schema: &'a str,
    object: &'a str,
    name: &'a str,
}

impl Synapse {
    /// Returns what the user has beyond the needs of the tests, by the catalog of the database.
    pub(super) async fn beyond(&self, run: &RunContext) -> Surplus {
        let limit = run.test_limit.min(run.run_limit);
        let mut session = match self.server.open(limit, run, &mut Seen::default()).await {
            Ok(session) => session,
            Err(failure) => {
                let detail = failure.detail;
                return Surplus::unseen(format!(
                    "Roles and permissions could not be read: {detail}"
                ));
            }
        };
        let mut surplus = Surplus::unseen(
            "CONTROL, which the tests need, includes every right in the database; what is listed is \
             needed by no test beside it. Roles in `master` (dbmanager, loginmanager) and rights at \
             the server are not shown in a dedicated SQL pool.",
        );
        self.listed(&mut session, &run.redactor, &mut surplus).await;
        if session.is_broken() {
            session.abandon().await;
        } else {
            session.close().await;
        }
        surplus
    }

    async fn listed(&self, session: &mut Session, redactor: &Redactor, surplus: &mut Surplus) {
        let asked = [
            (Statement::User, "The user of the database"),
            (Statement::Permissions, "Its permissions"),
            (Statement::Roles, "Its roles"),
        ];
        let mut user = self.server.credentials.grantee().to_owned();
        let mut has_control = false;
        for (statement, what) in asked {
            if session.is_broken() {
                return;
            }
            let (rows, is_cut) = match session.list(statement).await {
                Ok(found) => found,
                Err(failure) => {
                    surplus.unseen.push(format!("{what} could not be read: {}", failure.detail));
                    continue;
                }
            };
            if is_cut {
                surplus.unseen.push(format!("{what} are more than the {} listed.", rows.len()));
            }
            let rows = rows.into_iter().map(|row| {
                row.iter().map(|text| redactor.line(text, NAME_MAX)).collect::<Vec<_>>()
            });
            for row in rows {
                match (statement, row.as_slice()) {
                    (Statement::User, [name, ..]) if !name.is_empty() => user.clone_from(name),
                    (Statement::Roles, [role, ..]) => add_role(surplus, role, &user, has_control),
                    (Statement::Permissions, [class, schema, object, name, state]) => {
                        let permission = Permission { class, schema, object, name };
                        let is_granted = state.starts_with("GRANT");
                        has_control |= is_granted && class == "DATABASE" && name == "CONTROL";
                        if is_granted {
                            permission.add(surplus, &user);
                        }
                    }
                    _ => {}
                }
            }
            if matches!(statement, Statement::User) && user == OWNER_USER {
                let what = "the owner of the database or the administrator of the server (user dbo), \
                    who may do everything in it";
                return surplus.add(what, None);
            }
        }
    }
}

/// Adds a role, with the statement that takes it away.
fn add_role(surplus: &mut Surplus, role: &str, user: &str, has_control: bool) {
    // Without a grant of CONTROL, this role is how the user has it.
    if role == OWNER_ROLE && !has_control {
        return;
    }
    let is_class = role.starts_with("staticrc") || role.ends_with("rc");
    let class = if is_class { ", a resource class: more memory for each query" } else { "" };
    let revoke = format!("EXEC sp_droprolemember {}, {};", literal(role), literal(user));
    surplus.add(format!("role {role}{class}"), Some(revoke));
}

impl Permission<'_> {
    /// Adds the permission, unless the tests need it.
    fn add(&self, surplus: &mut Surplus, user: &str) {
        let Self { class, schema, object, name } = *self;
        let user = identifier(user);
        let (of, on) = match class {
            "DATABASE" if NEEDED.contains(&name) => return,
            "DATABASE" => ("the database".to_owned(), Some(String::new())),
            "SCHEMA" => (format!("schema {schema}"), Some(on("SCHEMA", &identifier(schema)))),
            "OBJECT_OR_COLUMN" if !object.is_empty() => {
                let parts = format!("{}.{}", identifier(schema), identifier(object));
                (format!("{schema}.{object}"), Some(on("OBJECT", &parts)))
            }
            other => (other.replace('_', " ").to_lowercase(), None),
        };
        let revoke = on.map(|on| format!("REVOKE {name}{on} FROM {user};"));
        surplus.add(format!("{name} on {of}"), revoke);
    }
}

/// Returns the part of a statement that names an object.
fn on(kind: &str, name: &str) -> String {
    format!(" ON {kind}::{name}")
}
