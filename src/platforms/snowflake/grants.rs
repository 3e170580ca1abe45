//! Grants that a Snowflake integration needs, and what its role has beyond them.
//!
//! Sources: Snowflake's documents of the statements (docs.snowflake.com, "Access control requirements" of `SHOW
//! WAREHOUSES`, `SHOW DATABASES` and `SHOW ROLES`) and of access control privileges.

use super::bootstrap::ACCOUNT_ADMIN;
use super::catalog::{
    BOOTSTRAP, CONNECT, DATABASE_ABSENT, DATABASE_EXISTS, IMPERSONATION_ABSENT,
    IMPERSONATION_EXISTS, PREFIX, ROLE, WAREHOUSE,
};
use super::client::Session;
use super::integration::Snowflake;
use super::reply::Row;
use super::statement::{Name, Statement};
use crate::domain::{Observed, Redactor, one_line};
use crate::platforms::{Form, Grant, Names, RunContext, Surplus, principal};

/// Most rights beyond the needs that are listed.
const LISTED_MAX: usize = 40;
/// Longest name that is shown, in characters.
const NAME_MAX: usize = 255;

/// Grants of the tests; `BOOTSTRAP ROLE` is the role of the user that sets the integration up.
pub(super) const GRANTS: &[Grant] = &[
    Grant::none(&[CONNECT], "a user that can log in"),
    Grant::of(
        Form::Sql,
        "GRANT ROLE <PRIVILEGED ROLE> TO USER <USER>;",
        &[
            WAREHOUSE,
            PREFIX,
            ROLE,
            DATABASE_ABSENT,
            IMPERSONATION_ABSENT,
            DATABASE_EXISTS,
            IMPERSONATION_EXISTS,
        ],
        "to act as the role that Immuta acts as; it sees every role of the account",
    ),
    Grant::of(
        Form::Sql,
        "GRANT USAGE ON WAREHOUSE <WAREHOUSE> TO ROLE <ROLE>;",
        &[WAREHOUSE],
        "to use the warehouse, which no test starts",
    ),
    Grant::of(
        Form::Sql,
        "GRANT USAGE ON DATABASE <DATABASE> TO ROLE <ROLE>;",
        &[DATABASE_EXISTS],
        "to see the database; its owner needs no grant",
    ),
    Grant::of(
        Form::Sql,
        "GRANT CREATE DATABASE, CREATE ROLE, CREATE USER, MANAGE GRANTS, APPLY MASKING POLICY, \
         APPLY ROW ACCESS POLICY ON ACCOUNT TO ROLE <BOOTSTRAP ROLE> WITH GRANT OPTION;",
        &[BOOTSTRAP],
        "to set the integration up; after that it is not needed",
    ),
    Grant::of(
        Form::Sql,
        "GRANT ROLE <BOOTSTRAP ROLE> TO USER <BOOTSTRAP USER>;",
        &[BOOTSTRAP],
        "to act as the role of the set-up",
    ),
];

impl Snowflake {
    /// Returns the names of the configuration, as statements have them.
    pub(super) fn granted_names(&self, observed: &Observed) -> Names {
        let user = |user: Option<&str>| {
            user.map_or_else(|| "<user>".to_owned(), |user| one_line(user, NAME_MAX))
        };
        let role = self.role.as_ref().map(Name::quoted);
        let own = self.own_role(observed).map(|role| role.quoted());
        let seen = principal(observed, "");
        let bootstrap = self.bootstrap.as_ref();
        Names::default()
            .with("USER", user(self.credentials.user().or(seen)))
            .maybe("PRIVILEGED ROLE", role.clone())
            .with("ROLE", own.unwrap_or_else(|| "<role>".to_owned()))
            .with("WAREHOUSE", self.warehouse.quoted())
            .with("DATABASE", self.database.quoted())
            .maybe("BOOTSTRAP ROLE", bootstrap.map(|one| one.role.quoted()))
            .maybe("BOOTSTRAP USER", bootstrap.map(|one| user(one.credentials.user())))
    }

    /// Returns the role that the integration acts with: the configured one, or the default that a run saw.
    fn own_role(&self, observed: &Observed) -> Option<Name> {
        let seen = principal(observed, "default role").map(Name::stored);
        self.role.clone().or(seen)
    }

    /// Returns what the role has beyond the needs of the tests, by `SHOW GRANTS`.
    pub(super) async fn beyond(&self, run: &RunContext, observed: &Observed) -> Surplus {
        let Some(role) = &self.own_role(observed) else {
            return Surplus::unseen(
                "No `role` is configured, and the user has no default, so no role is asked about.",
            );
        };
        let failed = |detail: &str| {
            Surplus::unseen(format!("The grants of role {role} could not be read: {detail}"))
        };
        let mut session = match Session::open(&self.service, &self.credentials, run).await {
            Ok(session) => session,
            Err(failure) => return failed(&failure.detail),
        };
        let found = session.ask(Statement::Grants(role), self.role.as_ref()).await;
        session.close().await;
        let rows = match found {
            Ok(rows) => rows,
            Err(failure) => return failed(&failure.detail),
        };
        let mut surplus = Surplus::default();
        let mut more = 0_usize;
        for row in rows.iter().filter(|row| !self.is_needed(*row)) {
            if LISTED_MAX <= surplus.found.len() {
                more += 1;
            } else {
                add(&mut surplus, role, row, &run.redactor);
            }
        }
        if 0 < more {
            surplus.unseen.push(format!("{more} more are not listed."));
        }
        if !rows.complete {
            surplus.unseen.push("Snowflake's answer was cut short.".to_owned());
        }
        surplus.unseen.push(
            "Rights by the roles below it and by secondary roles are not looked at; Immuta itself \
             needs more than the tests, such as MANAGE GRANTS."
                .to_owned(),
        );
        surplus
    }

    /// True for a grant of the table, or the ownership of its object.
    fn is_needed(&self, row: Row<'_>) -> bool {
        let is_of = |name: &Name| name.is(row.text("name"));
        let is_sufficient = matches!(row.text("privilege"), "USAGE" | "OWNERSHIP");
        is_sufficient
            && match row.text("granted_on") {
                "WAREHOUSE" => is_of(&self.warehouse),
                "DATABASE" => is_of(&self.database),
                _ => false,
            }
    }
}

/// Adds the grant in `row`, with the statement that takes it away.
fn add(surplus: &mut Surplus, role: &Name, row: Row<'_>, redactor: &Redactor) {
    let shown = |column: &str| redactor.line(row.text(column), NAME_MAX);
    let (privilege, kind, name) = (shown("privilege"), shown("granted_on"), shown("name"));
    let (kind, role) = (kind.replace('_', " "), role.quoted());
    let privilege = privilege.replace('_', " ");
    let quoted = Name::stored(&name).quoted();
    match (kind.as_str(), privilege.as_str()) {
        ("ROLE", "USAGE") => {
            let all = if name == ACCOUNT_ADMIN { ", which has every privilege" } else { "" };
            let revoke = format!("REVOKE ROLE {quoted} FROM ROLE {role};");
            surplus.add(format!("role {name}{all}"), Some(revoke));
        }
        ("ACCOUNT", _) => {
            let revoke = format!("REVOKE {privilege} ON ACCOUNT FROM ROLE {role};");
            surplus.add(format!("{privilege} on the account"), Some(revoke));
        }
        (_, "OWNERSHIP") => surplus.add(format!("ownership of {kind} {name}"), None),
        _ => {
            // Names of more than one part are quoted by Snowflake as they must be.
            let object = if name.contains('.') { name.clone() } else { quoted };
            let revoke = format!("REVOKE {privilege} ON {kind} {object} FROM ROLE {role};");
            surplus.add(format!("{privilege} on {kind} {name}"), Some(revoke));
        }
    }
}
