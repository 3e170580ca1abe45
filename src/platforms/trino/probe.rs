//! Tests of the probe table: the system account may read it, and the probe user may not.

use super::catalog::{ACCESS, ENFORCEMENT};
use super::client::Client;
use super::config::{Probe, ProbeUser};
use super::credentials::{Reading, RunCredentials, TokenNames};
use super::statement::{Statement, Table};
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
        let probing = Probing { trino: self, session, table, system: user };
        let work = async || {
            let mut seen = Seen::default();
            let found = probing.enforcement(probe, &mut seen).await;
            seen.with(found)
        };
        // An account of its own is locked as any other.
        let key = match probe {
            ProbeUser::Impersonated(_) => None,
            ProbeUser::Own(credentials) => {
                let Client { place, now, .. } = &session.client;
                credentials.key(place.origin, *now).await
            }
        };
        tests.log_in::<(), _, _>(ENFORCEMENT, key, work).await;
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
            let warning = Some(self.failed_that(&what, &failure));
            return Ok(Passed::from(false).warning(warning));
        }
        Err(match failure.class {
            Class::Denied | Class::Missing | Class::Invalid | Class::Expired => {
                let what = format!("The system account cannot read [{shown}].");
                self.failed_that(&what, &failure)
            }
            Class::Unreachable | Class::Throttled | Class::Unavailable | Class::Local => {
                let what = "Whether the system account can read the table is not known.";
                self.failed_that(what, &failure)
            }
        })
    }
}

/// Probe table, and the user that the cluster sees in the system account.
struct Probing<'a> {
    trino: &'a Trino,
    session: &'a Session<'a>,
    table: &'a Table,
    system: Option<String>,
}

impl Probing<'_> {
    async fn enforcement(&self, probe: &ProbeUser, seen: &mut Seen) -> Result<Passed<()>, Finding> {
        let Self { trino, session, table, .. } = self;
        let unknown = "Whether access control is enforced is not known.";
        let (reader, name) = match probe {
            ProbeUser::Impersonated(name) => {
                (session.credentials.impersonating(name.clone()), name.as_str())
            }
            ProbeUser::Own(credentials) => {
                let Client { http, now, .. } = &session.client;
                let reading = Reading { connections: http, now: *now, names: PROBE_TOKEN };
                let read = credentials.read(reading, seen).await;
                let read = read.map_err(|failure| trino.failed_that(unknown, &failure))?;
                (read, credentials.username().unwrap_or("of the probe's token"))
            }
        };
        let reader = reader.with(trino.config.headers.shared.clone());
        let name = one_line(name, NAME_MAX);
        let statement = Statement::MayRead(table);
        let Err(failure) = session.client.query(&reader, statement, session.until()).await else {
            return Err(self.not_enforced(&reader, &name).await);
        };
        if failure.is_about_table() {
            return Ok(().into());
        }
        let finding = failure.finding_that(unknown);
        let is_refusal = failure.class.is_definitive() && failure.is_of_sent_credentials();
        let finding = if is_refusal { finding.refusing_log_in() } else { finding };
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
            (Class::Denied, false, ProbeUser::Impersonated(_)) => Err(finding.fix(format!(
                "Allow the system account to impersonate the user {name}, or give \
                 `accessControlProbe` credentials of its own."
            ))),
            (Class::Denied | Class::Expired, false, ProbeUser::Own(_)) => {
                Err(finding.fix("Correct the credentials in `accessControlProbe`."))
            }
            _ => Err(trino.advised_for(&format!("user {name}"), &failure, finding)),
        }
    }

    /// Returns the finding for a user who can read the table, or who is the system account itself.
    async fn not_enforced(&self, reader: &RunCredentials, name: &str) -> Finding {
        let Self { session, table, system, .. } = self;
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
            "The user [{name}] may select from [{shown}]: nothing refuses it. A row filter or column \
             mask that hides its data from the user is not seen by this test."
        );
        let fix = "If the user is to be refused, confirm that access-control.name is configured on \
            the coordinator (immuta, file, ranger, opa) and that its rules or policies name the \
            table; if a filter or mask protects it, choose an `accessControlProbe.table` that the \
            user may not select from.";
        Finding::new(Class::Denied, message).fix(fix)
    }
}
