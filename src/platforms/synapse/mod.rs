//! Azure Synapse Analytics: dedicated SQL pools over TDS, always over verified TLS.
//!
//! A run is one session: log in, look at the user's permissions and at one role, log out. What it
//! sends is the enum [`statement::Statement`] and nothing else. A paused pool is never resumed.

mod beyond;
mod call;
mod catalog;
mod cause;
mod classify;
mod client;
mod config;
mod credentials;
mod grants;
mod integration;
mod library;
mod operations;
mod recorded;
mod remedy;
mod statement;
mod stream;
#[cfg(test)]
mod tests;
mod transient;

use std::time::Duration;

use self::catalog::{CATALOG, CONNECT, DELIMITERS, MANAGE, ROLE_ABSENT, ROLE_EXISTS};
use self::cause::Cause;
use self::classify::{Failure, can_be_asked_otherwise};
use self::client::{Server, Session};
use self::grants::GRANTS;
use self::integration::{Delimiters, Synapse};
use self::operations::OPERATIONS;
use self::statement::{Found, Statement, identifier};
use super::connection::TcpEndpoint;
use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, Mode, Names, Platform, Recorder, RunContext, Seen, Surplus,
    Validated, Validator,
};
use crate::domain::{Class, FactKind, Finding, Observed, Test};
use crate::input::Reader;

/// Entry of Azure Synapse Analytics.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Azure Synapse Analytics",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::Any,
    operations: OPERATIONS,
    sample: include_str!("../../../config/examples/synapse.toml"),
    parse,
};

/// The other two pairs of delimiters, in the words of the published one.
const HASH_KEY_AND_ARRAY: &str =
    "Hash key delimiter and array delimiter must not have the same value.";
const HASH_AND_HASH_KEY: &str =
    "Hash delimiter and hash key delimiter must not have the same value.";
const PAUSED: &str =
    "The dedicated SQL pool is paused; it was not resumed and the remaining tests were skipped.";

/// Control of the user over the database.
enum Control {
    Granted,
    Missing,
    /// The server does not say, for this reason.
    Unknown(Option<Failure>),
}

fn parse(config: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let validator: Box<dyn Validator> = Box::new(config::read(config)?);
    Some(validator)
}

impl Validator for Synapse {
    fn identity(&self) -> Identity {
        let Server { endpoint, cloud, credentials, database, .. } = &self.server;
        let TcpEndpoint { host: name, port, server_name, .. } = endpoint;
        let host = format!("{name}:{port}");
        Identity {
            target: Some(format!("{host}/{}", database.to_lowercase())),
            account: cloud.sql_server(server_name).map(|server| format!("synapse {server}")),
            principal: credentials.principal(&host),
            authority: endpoint.ca_file(),
            host,
            ..Identity::default()
        }
    }

    fn examine(&self) -> BoxFuture<'_, Vec<(String, String)>> {
        Box::pin(async { self.server.credentials.examine().await.into_iter().collect() })
    }

    fn names(&self) -> Names {
        self.granted_names()
    }

    fn surplus<'a>(
        &'a self,
        run: &'a RunContext,
        _observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(self.beyond(run))
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.walk(run))
    }
}

impl Synapse {
    async fn walk(&self, run: &RunContext) -> Validated {
        let mut recorder = Recorder::new(CATALOG, run);
        let limit = run.test_limit.min(run.run_limit);
        let mode = run.mode;
        let key = self.server.key(run.now).await;
        let connected = recorder.log_in::<Option<Session>, _, _>(CONNECT, key, async || {
            let mut seen = Seen::default();
            let found = self.log_in(limit, run, &mut seen).await;
            seen.with(found)
        });
        let connected = Box::pin(connected).await;
        recorder.test(DELIMITERS, async || self.delimiters.check()).await;
        match connected {
            Some(Some(mut session)) => {
                self.look_up(&mut recorder, &mut session, mode).await;
                if session.is_broken() {
                    session.abandon().await;
                } else {
                    session.close().await;
                }
            }
            Some(None) => {
                let reason = "Not run because the dedicated SQL pool is paused.";
                recorder.skip(MANAGE, reason);
                if self.impersonation.is_some() {
                    recorder.skip(role_test(mode), reason);
                }
            }
            None => {}
        }
        if self.impersonation.is_none() {
            recorder.skip(role_test(mode), "impersonation is not enabled");
        }
        recorder.finish()
    }

    /// A session, or none when the pool is paused and that is no failure.
    async fn log_in(
        &self,
        limit: Duration,
        run: &RunContext,
        seen: &mut Seen,
    ) -> Result<Passed<Option<Session>>, Finding> {
        let failure = match self.server.open(limit, run, seen).await {
            Ok(session) => return Ok(Some(session).into()),
            Err(failure) => failure,
        };
        let is_tolerated = run.mode == Mode::Recurring && !self.pause_fails;
        if failure.cause == Cause::Paused && is_tolerated {
            let finding = failure.evident(Finding::new(Class::Unavailable, PAUSED));
            let finding = finding.fix(self.remedy(&failure));
            return Ok(Passed::from(None).warning(Some(finding)));
        }
        let finding = failure.finding_of(CONNECT).fix(self.remedy(&failure));
        let is_refusal = self.server.credentials.is_refused_by(failure.cause);
        Err(if is_refusal { finding.refusing_log_in() } else { finding })
    }

    /// The tests that ask the catalog: the permission first, because without it roles may be hidden.
    async fn look_up(&self, recorder: &mut Recorder, session: &mut Session, mode: Mode) {
        let managed = recorder.test(MANAGE, async || self.can_manage(session).await).await;
        let Some(role) = self.impersonation.as_deref().filter(|_| !session.is_broken()) else {
            return;
        };
        let sees_all = managed == Some(true);
        match mode {
            Mode::Preflight => {
                let work = async || self.role_absent(session, role, sees_all).await;
                recorder.test::<(), _, _>(ROLE_ABSENT, work).await;
            }
            Mode::Recurring => {
                let work = async || self.role_exists(session, role, sees_all).await;
                recorder.test::<(), _, _>(ROLE_EXISTS, work).await;
            }
        }
    }

    /// True when the user has control, false when the server does not say.
    async fn can_manage(&self, session: &mut Session) -> Result<Passed<bool>, Finding> {
        let database = identifier(&self.server.database);
        let user = identifier(self.server.credentials.grantee());
        let grant = format!("GRANT CONTROL ON DATABASE::{database} TO {user};");
        let asked = control(session).await;
        match asked.map_err(|failure| self.unknown("the user's permissions", &failure))? {
            Control::Granted => {
                let seen = Seen::of(FactKind::Grant, &self.server.database, "CONTROL");
                Ok(Passed::from(true).seeing(seen))
            }
            Control::Missing => {
                let detail = format!("CONTROL on database {database} is missing.");
                Err(Finding::of(MANAGE, Class::Denied, detail).fix(grant))
            }
            Control::Unknown(failure) => {
                let message = format!(
                    "The server does not say whether the user has CONTROL on database {database}."
                );
                let finding = Finding::new(Class::Denied, message).fix(grant);
                let warning = Some(match failure {
                    Some(failure) => failure.evident(finding),
                    None => finding,
                });
                Ok(Passed::from(false).warning(warning))
            }
        }
    }

    async fn role_absent(
        &self,
        session: &mut Session,
        role: &str,
        sees_all: bool,
    ) -> Result<Passed<()>, Finding> {
        if self.finds_role(session, role).await? {
            let detail = format!("Found role [{role}].");
            let finding = Finding::of(ROLE_ABSENT, Class::Invalid, detail);
            let drop = format!("Only if it is not needed: DROP ROLE {};", identifier(role));
            return Err(finding.fix(drop));
        }
        let message = format!("No role [{role}] was found, but without CONTROL it may be hidden.");
        Ok(Passed::from(()).warning(self.hidden(message, sees_all)))
    }

    async fn role_exists(
        &self,
        session: &mut Session,
        role: &str,
        sees_all: bool,
    ) -> Result<Passed<()>, Finding> {
        if self.finds_role(session, role).await? {
            let of = &self.server.database;
            let seen = Seen::of(FactKind::Grant, of, &format!("role {role}"));
            return Ok(Passed::from(()).seeing(seen));
        }
        let message = ROLE_EXISTS.message.replacen("[]", &format!("[{role}]"), 1);
        if let Some(warning) = self.hidden(message.clone(), sees_all) {
            return Ok(Passed::from(()).warning(Some(warning)));
        }
        let create = format!("CREATE ROLE {};", identifier(role));
        Err(Finding::new(Class::Missing, message).fix(create))
    }

    async fn finds_role(&self, session: &mut Session, role: &str) -> Result<bool, Finding> {
        let found = session.ask(Statement::Role(role)).await;
        let found = found
            .map_err(|failure| self.unknown(&format!("impersonation role [{role}]"), &failure))?;
        Ok(found != Found::Nothing)
    }

    /// Why nothing follows from a role that was not found.
    fn hidden(&self, message: String, sees_all: bool) -> Option<Finding> {
        let user = identifier(self.server.credentials.grantee());
        let remedy = format!("GRANT VIEW DEFINITION TO {user};");
        (!sees_all).then(|| Finding::new(Class::Denied, message).fix(remedy))
    }

    /// The catalog could not be asked for `what`, so that nothing is known about it.
    fn unknown(&self, what: &str, failure: &Failure) -> Finding {
        let finding = failure.finding_that(&format!("Unable to look up {what}."));
        finding.fix(self.remedy(failure))
    }
}

impl Delimiters {
    /// No two of them may be the same.
    fn check(&self) -> Result<(), Finding> {
        let pairs = [
            (&self.hash, &self.array, DELIMITERS.message),
            (&self.hash_key, &self.array, HASH_KEY_AND_ARRAY),
            (&self.hash, &self.hash_key, HASH_AND_HASH_KEY),
        ];
        let same = pairs.into_iter().filter(|(one, other, _)| one == other);
        let texts: Vec<_> = same.map(|(_, _, text)| text).collect();
        if texts.is_empty() {
            return Ok(());
        }
        Err(Finding::new(Class::Invalid, texts.join(" ")).fix(
            "Give `hashDelimiter`, `hashKeyDelimiter` and `arrayDelimiter` in \
            `metadataDelimiters` three different values.",
        ))
    }
}

/// Returns the user's control over the database. Azure Synapse documents the first statement only;
/// the others are for servers that refuse it. Membership in the role proves control, its lack
/// proves nothing.
async fn control(session: &mut Session) -> Result<Control, Failure> {
    match session.ask(Statement::Control).await {
        Ok(Found::Nothing) => return Ok(Control::Missing),
        Ok(Found::Null | Found::Number(_) | Found::Other) => return Ok(Control::Granted),
        Err(failure) if can_be_asked_otherwise(failure.cause) => {}
        Err(failure) => return Err(failure),
    }
    match session.ask(Statement::ControlByName).await {
        Ok(Found::Number(0)) => return Ok(Control::Missing),
        Ok(Found::Number(_)) => return Ok(Control::Granted),
        Ok(Found::Nothing | Found::Null | Found::Other) => {}
        Err(failure) if can_be_asked_otherwise(failure.cause) => {}
        Err(failure) => return Err(failure),
    }
    match session.ask(Statement::Owner).await {
        Ok(Found::Number(1)) => Ok(Control::Granted),
        Ok(Found::Nothing | Found::Null | Found::Number(_) | Found::Other) => {
            Ok(Control::Unknown(None))
        }
        Err(failure) if can_be_asked_otherwise(failure.cause) => {
            Ok(Control::Unknown(Some(failure)))
        }
        Err(failure) => Err(failure),
    }
}

/// The test of the impersonation role that applies in `mode`.
const fn role_test(mode: Mode) -> Test {
    match mode {
        Mode::Recurring => ROLE_EXISTS,
        Mode::Preflight => ROLE_ABSENT,
    }
}
