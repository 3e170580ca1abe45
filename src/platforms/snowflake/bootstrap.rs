//! Grants of the user that sets an integration up.

use std::collections::VecDeque;

use super::classify::Failure;
use super::client::Session;
use super::reply::Row;
use super::statement::{Name, Statement};

/// Privileges that set-up needs on the account, with the grant option.
const BOOTSTRAP_PRIVILEGES: [&str; 6] = [
    "CREATE DATABASE",
    "CREATE ROLE",
    "CREATE USER",
    "MANAGE GRANTS",
    "APPLY MASKING POLICY",
    "APPLY ROW ACCESS POLICY",
];
/// The role that has every privilege on the account.
pub(super) const ACCOUNT_ADMIN: &str = "ACCOUNTADMIN";
/// The most roles whose grants are read.
const ROLES_MAX: usize = 30;

/// Grant of a role, one row of the answer.
enum Grant {
    Privilege(String),
    Role(Name),
}

/// Those of [`BOOTSTRAP_PRIVILEGES`] that neither `role` nor any role below it has with the right to
/// pass them on, and whether all grants were seen.
pub(super) async fn missing_privileges(
    session: &mut Session<'_>,
    role: &Name,
) -> Result<(Vec<&'static str>, bool), Failure> {
    let mut missing = BOOTSTRAP_PRIVILEGES.to_vec();
    let mut waiting = VecDeque::from([role.clone()]);
    let mut seen = vec![role.clone()];
    let mut complete = true;
    while let Some(next) = waiting.pop_front() {
        if next.as_str() == ACCOUNT_ADMIN {
            // It must be had, and then it has everything.
            session.ask(Statement::CurrentRole, Some(role)).await?;
            return Ok((Vec::new(), true));
        }
        let rows = session.ask(Statement::Grants(&next), Some(role)).await?;
        complete &= rows.complete;
        for grant in rows.iter().filter_map(grant) {
            match grant {
                Grant::Privilege(name) => missing.retain(|privilege| *privilege != name),
                Grant::Role(name) if seen.contains(&name) => {}
                Grant::Role(_) if ROLES_MAX <= seen.len() => complete = false,
                Grant::Role(name) => {
                    seen.push(name.clone());
                    waiting.push_back(name);
                }
            }
        }
        if missing.is_empty() {
            break;
        }
    }
    Ok((missing, complete))
}

fn grant(row: Row<'_>) -> Option<Grant> {
    match (row.text("granted_on"), row.text("privilege")) {
        ("ACCOUNT", privilege) if row.is_true("grant_option") => {
            Some(Grant::Privilege(privilege.replace('_', " ")))
        }
        ("ROLE", "USAGE") => Some(Grant::Role(Name::stored(row.text("name")))),
        _ => None,
    }
}
