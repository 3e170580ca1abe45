//! Amazon Redshift: the `PostgreSQL` protocol, always over verified TLS.
//!
//! A run is one session: log in, look up at most two names in the system catalog, log out. What it
//! sends is the enum [`client::Statement`] and nothing else.

mod call;
mod catalog;
mod cause;
mod classify;
mod client;
mod cluster;
mod config;
mod grants;
mod iam;
mod integration;
mod operations;
mod recorded;
mod remedy;
mod stream;
#[cfg(test)]
mod tests;

use tokio::time::Instant;

use self::catalog::{CATALOG, CONNECT, DATABASE_ABSENT, DATABASE_EXISTS, ROLE_ABSENT, ROLE_EXISTS};
use self::cause::Cause;
use self::classify::Failure;
use self::client::{RunCredentials, Session, Statement};
use self::cluster::Target;
use self::config::NO_OKTA;
use self::grants::GRANTS;
use self::integration::{Credentials, Redshift};
use self::operations::OPERATIONS;
use self::remedy::quoted;
use super::aws::machine::Machine;
use super::connection::TcpEndpoint;
use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, LogInKey, Mode, Names, Platform, Recorder, RunContext,
    Seen, Surplus, Validated, Validator,
};
use crate::domain::{Class, FactKind, Finding, Observed, Test};
use crate::input::Reader;

/// Entry of Amazon Redshift.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Redshift",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::Any,
    operations: OPERATIONS,
    sample: include_str!("../../../config/examples/redshift.toml"),
    parse,
};

/// Result of a connection test that passed.
enum Connected {
    /// Session that answers statements.
    Open(Box<Session>),
    /// Host, TLS and password are accepted, but the managed database does not exist: the server
    /// looks for it last.
    NoDatabase(Failure),
}

/// Kinds of objects for the impersonation role: Redshift has groups, and roles beside them.
#[derive(Clone, Copy)]
enum Holder {
    Group,
    Role,
}

impl Holder {
    const fn noun(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    const fn keyword(self) -> &'static str {
        match self {
            Self::Group => "GROUP",
            Self::Role => "ROLE",
        }
    }
}

fn parse(config: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let validator: Box<dyn Validator> = Box::new(config::read(config, Machine::this())?);
    Some(validator)
}

impl Validator for Redshift {
    fn identity(&self) -> Identity {
        let TcpEndpoint { host: name, port, .. } = &self.server.endpoint;
        let host = format!("{name}:{port}");
        let (of_host, its_region) = match cluster::target(name) {
            Target::Cluster { region, .. } | Target::ManagedEndpoint { region } => {
                (None, Some(region))
            }
            Target::Workgroup { place } => place.unzip(),
            Target::Unknown => (None, None),
        };
        let (of_role, region) = match &self.credentials {
            Credentials::Password { .. } | Credentials::Okta { .. } => (None, its_region),
            // Credentials are given for clusters of the same account only.
            Credentials::Iam(iam) => {
                (iam.credentials.source().account(), Some(iam.region.as_str()))
            }
        };
        Identity {
            target: Some(format!("{host}/{}", self.database)),
            account: of_role.or_else(|| Some(format!("aws {}", of_host?))),
            region: region.map(|region| format!("aws {region}")),
            principal: Some(format!("redshift {}@{host}", self.credentials.user())),
            authority: self.server.endpoint.ca_file(),
            host,
            ..Identity::default()
        }
    }

    fn names(&self) -> Names {
        self.granted_names()
    }

    fn surplus<'a>(
        &'a self,
        run: &'a RunContext,
        observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(self.beyond(run, observed))
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.walk(run))
    }
}

impl Redshift {
    async fn walk(&self, run: &RunContext) -> Validated {
        let mut recorder = Recorder::new(CATALOG, run);
        let key = self.key().await;
        let work = async || self.log_in(run).await;
        match recorder.log_in::<Connected, _, _>(CONNECT, key, work).await {
            Some(Connected::Open(session)) => {
                self.look_up(&mut recorder, &session).await;
                session.close().await;
            }
            Some(Connected::NoDatabase(failure)) => {
                self.conclude(&mut recorder, run.mode, &failure).await;
            }
            None => {}
        }
        if self.impersonation.is_none() {
            recorder.skip(role_test(run.mode), "impersonation is not enabled");
        }
        recorder.finish()
    }

    /// Returns the key of the log-in, by which a refusal is remembered.
    async fn key(&self) -> Option<LogInKey> {
        match &self.credentials {
            Credentials::Password { username, password } => {
                let TcpEndpoint { host, port, .. } = &self.server.endpoint;
                LogInKey::of(&["Redshift", host, &port.to_string(), username], &[password]).await
            }
            Credentials::Iam(iam) => iam.credentials.source().key("redshift", &iam.region).await,
            Credentials::Okta { .. } => None,
        }
    }

    async fn log_in(&self, run: &RunContext) -> Result<Passed<Connected>, Finding> {
        let end = Instant::now() + run.test_limit.min(run.run_limit);
        let left = || end.saturating_duration_since(Instant::now());
        let mut credentials = self.credentials(run).await?;
        let mut opened = self.server.open(&credentials, left(), &run.redactor).await;
        if let (Credentials::Iam(iam), Err(Failure { cause: Cause::LoginRefused, .. })) =
            (&self.credentials, &opened)
        {
            iam.forget().await;
            if credentials.is_kept {
                credentials = self.credentials(run).await?;
                opened = self.server.open(&credentials, left(), &run.redactor).await;
            }
        }
        match opened {
            Ok(mut session) => {
                let seen = std::mem::take(&mut session.seen);
                Ok(Passed::from(Connected::Open(Box::new(session))).seeing(seen))
            }
            Err(failure)
                if failure.cause == Cause::NoDatabase && self.server.database == self.database =>
            {
                Ok(Connected::NoDatabase(failure).into())
            }
            Err(failure) => Err(self.refused(&failure)),
        }
    }

    /// Returns the credentials to log in with, read or asked for now.
    async fn credentials(&self, run: &RunContext) -> Result<RunCredentials, Finding> {
        match &self.credentials {
            Credentials::Password { username, password } => {
                let read = RunCredentials::read(username, password, &run.redactor).await;
                read.map_err(|failure| self.refused(&failure))
            }
            Credentials::Iam(iam) => iam.credentials(run).await.map_err(|finding| {
                let message = format!("{} {}", CONNECT.message, finding.message);
                Finding { message, ..finding }
            }),
            Credentials::Okta { .. } => {
                let finding = Finding::of(CONNECT, Class::Invalid, format!("{NO_OKTA}."));
                Err(finding.fix(
                    "Set `authenticationType` to \"userPassword\", or to \"accessKey\" with \
                    `databaseUser`.",
                ))
            }
        }
    }

    fn refused(&self, failure: &Failure) -> Finding {
        let finding = failure.finding_of(CONNECT).fix(self.remedy(failure.cause));
        // A temporary password is another one at each log-in.
        let is_lasting = matches!(&self.credentials, Credentials::Password { .. });
        let is_refusal = is_lasting && failure.cause == Cause::LoginRefused;
        if is_refusal { finding.refusing_log_in() } else { finding }
    }

    /// Runs the tests that ask the catalog; the recorder leaves out those of the other mode.
    async fn look_up(&self, recorder: &mut Recorder, session: &Session) {
        recorder.test(DATABASE_ABSENT, async || self.database_absent(session).await).await;
        if let Some(role) = &self.impersonation {
            recorder
                .test::<(), _, _>(ROLE_ABSENT, async || self.role_absent(session, role).await)
                .await;
        }
        recorder.test(DATABASE_EXISTS, async || self.database_exists(session).await).await;
        if let Some(role) = &self.impersonation {
            recorder
                .test::<(), _, _>(ROLE_EXISTS, async || self.role_exists(session, role).await)
                .await;
        }
    }

    /// Records the tests that the log-in itself has answered, when there is no database to log in to.
    async fn conclude(&self, recorder: &mut Recorder, mode: Mode, failure: &Failure) {
        recorder.test(DATABASE_ABSENT, async || Ok::<_, Finding>(())).await;
        let missing = async || Err::<(), _>(failure.evident(self.database_missing()));
        recorder.test(DATABASE_EXISTS, missing).await;
        if self.impersonation.is_some() && mode == Mode::Preflight {
            recorder.skip(
                ROLE_ABSENT,
                "Not run because there is no database to log in to; name one in `initialDatabase`.",
            );
        }
    }

    async fn database_absent(&self, session: &Session) -> Result<(), Finding> {
        let name = &self.database;
        if !self.finds_database(session).await? {
            return Ok(());
        }
        let finding =
            Finding::of(DATABASE_ABSENT, Class::Invalid, format!("Found database [{name}]."));
        Err(finding
            .fix(format!("Only if nothing in it is needed: DROP DATABASE {};", quoted(name))))
    }

    async fn database_exists(&self, session: &Session) -> Result<(), Finding> {
        if self.finds_database(session).await? { Ok(()) } else { Err(self.database_missing()) }
    }

    async fn finds_database(&self, session: &Session) -> Result<bool, Finding> {
        let name = &self.database;
        let found = session.finds(Statement::Database(name)).await;
        found.map_err(|failure| self.unknown(&format!("database [{name}]"), &failure))
    }

    fn database_missing(&self) -> Finding {
        let name = &self.database;
        Finding::new(Class::Missing, filled(DATABASE_EXISTS, name)).fix(format!(
            "Restore the database, or run the integration's set-up script again, which begins \
            with CREATE DATABASE {};",
            quoted(name)
        ))
    }

    async fn role_absent(&self, session: &Session, role: &str) -> Result<Passed<()>, Finding> {
        let (holder, warning) = self.holder(session, role).await?;
        let Some(holder) = holder else {
            return Ok(Passed::from(()).warning(warning));
        };
        let detail = format!("Found {} [{role}].", holder.noun());
        Err(Finding::of(ROLE_ABSENT, Class::Invalid, detail).fix(format!(
            "Only if it is not needed: DROP {} {};",
            holder.keyword(),
            quoted(role)
        )))
    }

    async fn role_exists(&self, session: &Session, role: &str) -> Result<Passed<()>, Finding> {
        let (holder, warning) = self.holder(session, role).await?;
        if let Some(holder) = holder {
            let seen = Seen::of(FactKind::Grant, role, holder.noun());
            return Ok(Passed::from(()).seeing(seen));
        }
        let finding = Finding::new(Class::Missing, filled(ROLE_EXISTS, role));
        let finding = finding.fix(format!(
            "CREATE GROUP {role}; or, where it is a role, GRANT ROLE {role} TO {}; svv_roles shows a \
             user its own roles alone.",
            quoted(self.credentials.user()),
            role = quoted(role)
        ));
        Err(match warning {
            Some(warning) => finding.because(warning.message),
            None => finding,
        })
    }

    /// Looks for a group, then for a role. A role that may not be looked for is a warning: it
    /// matters only when there is no group.
    async fn holder(
        &self,
        session: &Session,
        name: &str,
    ) -> Result<(Option<Holder>, Option<Finding>), Finding> {
        let asked =
            |failure: Failure| self.unknown(&format!("impersonation role [{name}]"), &failure);
        if session.finds(Statement::Group(name)).await.map_err(asked)? {
            return Ok((Some(Holder::Group), None));
        }
        match session.finds(Statement::Role(name)).await {
            Ok(found) => Ok((found.then_some(Holder::Role), None)),
            Err(failure) if matches!(failure.cause, Cause::NoPrivilege | Cause::NoRelation) => {
                let what = "Only groups were looked at: roles cannot be read.";
                let finding = failure.finding_that(what);
                let user = quoted(self.credentials.user());
                Ok((None, Some(finding.fix(format!("GRANT SELECT ON svv_roles TO {user};")))))
            }
            Err(failure) => Err(asked(failure)),
        }
    }

    /// Returns the finding of a failed query of the catalog, after which nothing is known about `what`.
    fn unknown(&self, what: &str, failure: &Failure) -> Finding {
        let finding = failure.finding_that(&format!("Unable to look up {what}."));
        finding.fix(self.remedy(failure.cause))
    }
}

/// Returns the test of the impersonation role that applies in `mode`.
const fn role_test(mode: Mode) -> Test {
    match mode {
        Mode::Recurring => ROLE_EXISTS,
        Mode::Preflight => ROLE_ABSENT,
    }
}

/// Returns the published text of `test` with `name` in its slot.
fn filled(test: Test, name: &str) -> String {
    test.message.replacen("[]", &format!("[{name}]"), 1)
}
