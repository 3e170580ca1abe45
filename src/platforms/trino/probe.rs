//! Tests of the probe table: the system account may read it, and the probe user may not.

use super::catalog::{ACCESS, ENFORCEMENT};
use super::config::{Probe, ProbeUser};
use super::credentials::{RunCredentials, TokenNames};
use super::statement::{Statement, Table, quoted};
use super::{NAME_MAX, Session, Trino};
use crate::domain::{Class, FactKind, Finding, one_line};
use crate::platforms::tested::Passed;
use crate::platforms::{Recorder, Seen};

/// Names of the probe user's token.
const PROBE_TOKEN: TokenNames =
    TokenNames { fact: "probe token", expiry: "in `accessControlProbe`" };

impl Trino {
    /// Runs the two tests of the probe table.
    pub(super) async fn access_control(
        &self,
        tests: &mut Recorder,
        session: &Session<'_>,
        user: Option<String>,
    ) {
        let Some(Probe { table, user: probe }) = &self.config.probe else {
            for test in [ACCESS, ENFORCEMENT] {
                tests.skip(test, "`accessControlProbe` is not configured.");
            }
            return;
        };
        if session.credentials.is_refused() {
            let reason = "Not run because the credentials were refused in this run.";
            for test in [ACCESS, ENFORCEMENT] {
                tests.skip(test, reason);
            }
            return;
        }
        let is_readable =
            tests.test::<bool, _, _>(ACCESS, async || self.access(session, table).await).await;
        let Some(probe) = probe else {
            let reason = "`accessControlProbe` names no user who may not read the table.";
            tests.skip(ENFORCEMENT, reason);
            return;
        };
        if is_readable != Some(true) {
            let reason = format!("Not run because [{}] did not pass.", ACCESS.name);
            tests.skip(ENFORCEMENT, reason);
            return;
        }
        let probing = Probing { session, table, system: user };
        let work = async || {
            let mut seen = Seen::default();
            let found = probing.enforcement(probe, &mut seen).await;
            seen.with(found)
        };
        tests.test::<(), _, _>(ENFORCEMENT, work).await;
    }

    /// Returns true if the system account may read the table; false where that is unknown.
    async fn access(&self, session: &Session<'_>, table: &Table) -> Result<Passed<bool>, Finding> {
        let Err(failure) = session.ask(Statement::MayRead(table)).await else {
            let seen = Seen::of(FactKind::Grant, &table.shown, "SELECT");
            return Ok(Passed::from(true).seeing(seen));
        };
        let shown = one_line(&table.shown, NAME_MAX);
        if failure.is_external() {
            let what = format!("What the table [{shown}] stands on does not answer.");
            let warning = Some(failure.finding_that(&what));
            return Ok(Passed::from(false).warning(warning));
        }
        let cannot = format!("The system account cannot read [{shown}].");
        Err(match failure.class {
            Class::Denied => {
                let grantee = self.config.credentials.username().map_or_else(
                    || "the system account".to_owned(),
                    |name| format!("USER {}", quoted(name)),
                );
                let table = table.quoted();
                failure.finding_that(&cannot).fix(format!(
                    "GRANT SELECT ON {table} TO {grantee}, or allow it in the rules of the \
                     cluster's access control."
                ))
            }
            Class::Missing => failure.finding_that(&cannot).fix(
                "Correct `accessControlProbe.table`, or make the table visible to the system \
                 account.",
            ),
            Class::Invalid | Class::Expired => failure.finding_that(&cannot),
            Class::Unreachable | Class::Throttled | Class::Unavailable | Class::Local => {
                let what = "Whether the system account can read the table is not known.";
                failure.finding_that(what)
            }
        })
    }
}

/// Probe table, and the user that the cluster sees in the system account.
struct Probing<'a> {
    session: &'a Session<'a>,
    table: &'a Table,
    system: Option<String>,
}

impl Probing<'_> {
    async fn enforcement(&self, probe: &ProbeUser, seen: &mut Seen) -> Result<Passed<()>, Finding> {
        let Self { session, table, .. } = self;
        let unknown = "Whether access control is enforced is not known.";
        let (reader, name) = match probe {
            ProbeUser::Impersonated(name) => {
                (session.credentials.impersonating(name.clone()), name.as_str())
            }
            ProbeUser::Own(credentials) => {
                let redactor = session.client.http.redactor();
                let read = credentials.read(PROBE_TOKEN, redactor, seen).await;
                let read = read.map_err(|failure| failure.finding_that(unknown))?;
                (read, credentials.username().unwrap_or("of the probe's token"))
            }
        };
        let name = one_line(name, NAME_MAX);
        let statement = Statement::MayRead(table);
        let Err(failure) = session.client.query(&reader, statement, session.until()).await else {
            return Err(self.not_enforced(&reader, &name).await);
        };
        if failure.is_about_table() {
            return Ok(().into());
        }
        let finding = failure.finding_that(unknown);
        match (failure.class, failure.is_of_query(), probe) {
            (Class::Missing, true, _) => {
                let what = format!(
                    "The table is hidden from the user [{name}], but not refused: that does not \
                     prove that access control is enforced."
                );
                let fix = "Choose an `accessControlProbe.table` that the user can see.";
                let warning = Some(failure.finding_that(&what).fix(fix));
                Ok(Passed::from(()).warning(warning))
            }
            (Class::Denied, _, ProbeUser::Impersonated(_)) => Err(finding.fix(format!(
                "Allow the system account to impersonate the user {name}, or give \
                 `accessControlProbe` credentials of its own."
            ))),
            (Class::Denied | Class::Expired, _, ProbeUser::Own(_)) => {
                Err(finding.fix("Correct the credentials in `accessControlProbe`."))
            }
            _ => Err(finding),
        }
    }

    /// Returns the finding for a user who can read the table, or who is the system account itself.
    async fn not_enforced(&self, reader: &RunCredentials, name: &str) -> Finding {
        let Self { session, table, system } = self;
        let asked = session.client.query(reader, Statement::CurrentUser, session.until()).await;
        let seen = asked.ok().and_then(|rows| rows.into_iter().next());
        let seen = seen.map(|seen| session.client.line(&seen));
        if seen.is_some() && seen == *system {
            let seen = seen.unwrap_or_default();
            let message = format!(
                "Whether access control is enforced is not known. The cluster takes the user \
                 [{name}] for the system account [{seen}]."
            );
            let fix = "Correct the user mapping of the cluster, or give another user in \
                `accessControlProbe`.";
            return Finding::new(Class::Invalid, message).fix(fix);
        }
        let shown = one_line(&table.shown, NAME_MAX);
        let message = format!(
            "Access control is not enforcing policies on this cluster. The user [{name}] can read \
             [{shown}]."
        );
        let fix = "Confirm that access-control.name=immuta is configured and restart the \
            coordinator.";
        Finding::new(Class::Denied, message).fix(fix)
    }
}
