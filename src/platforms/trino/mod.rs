//! Starburst and Trino: the coordinator's REST protocol, a few reading statements, no driver.
//!
//! See `docs/platforms/trino.md` for everything that is sent.

mod address;
mod advice;
mod beyond;
mod catalog;
mod catalogs;
mod classify;
mod client;
mod codes;
mod config;
mod credentials;
mod grants;
mod headers;
mod operations;
mod permission;
mod probe;
mod refusal;
mod reply;
mod statement;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

use self::grants::GRANTS;
use super::tested::{Failed, Passed};
use super::{
    AutoBootstrap, BoxFuture, Identity, Names, Platform, Recorder, RunContext, Seen, Surplus,
    Validated, Validator,
};
use crate::domain::{Class, FactKind, Finding, Observed, Redactor, Test};
use crate::input::Reader;
use catalog::{AUTHENTICATION, CATALOG, CONNECTION, QUERY, VERSION};
use classify::{Failure, Kind};
use client::{Client, Until};
use config::{Config, ProbeUser};
use credentials::{Reading, RunCredentials, TokenNames};
use reply::Place;
use statement::Statement;

/// Longest time for the server to cancel an abandoned query.
const CLEAN_UP_MAX: Duration = Duration::from_secs(1);
/// Longest name that is shown, in characters.
const NAME_MAX: usize = 100;

/// Names of the system account's token.
const OWN_TOKEN: TokenNames = TokenNames { fact: "token", expiry: "" };

/// Entry of Starburst and Trino.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Trino",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::Absent,
    operations: operations::OPERATIONS,
    sample: include_str!("../../../config/examples/trino.toml"),
    parse,
};

fn parse(reader: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    Some(Box::new(Trino { config: config::parse(reader)? }))
}

/// Trino integration as configured.
#[derive(Debug)]
struct Trino {
    config: Config,
}

impl Validator for Trino {
    fn identity(&self) -> Identity {
        let Config { authority: host, credentials, endpoint, .. } = &self.config;
        Identity {
            host: host.clone(),
            target: Some(host.clone()),
            principal: credentials.username().map(|name| format!("trino {name}@{host}")),
            authority: endpoint.ca_file(),
            ..Identity::default()
        }
    }

    fn examine(&self) -> BoxFuture<'_, Vec<(String, String)>> {
        Box::pin(self.unusable())
    }

    fn names(&self) -> Names {
        grants::names(&self.config)
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

/// Parts of a run that every test needs.
struct Session<'a> {
    client: Client<'a>,
    credentials: RunCredentials,
    /// True after the test of the log-in.
    is_logged_in: bool,
    test_limit: Duration,
    run_end: Instant,
}

impl Session<'_> {
    /// Returns the time at which a statement that begins now is abandoned: a little before its test
    /// is, so that the server can be asked to cancel it.
    fn until(&self) -> Until {
        let now = Instant::now();
        let limit = self.test_limit.min(self.run_end.saturating_duration_since(now));
        let clean_up = CLEAN_UP_MAX.min(limit / 4);
        Until { give_up: now + limit.saturating_sub(clean_up + clean_up / 2), clean_up }
    }

    async fn ask(&self, statement: Statement<'_>) -> Result<Vec<String>, Failure> {
        let found = self.client.query(&self.credentials, statement, self.until()).await;
        found.map_err(|failure| failure.taken(self.is_logged_in))
    }
}

impl Trino {
    /// Returns the secrets that cannot be used, each with its path and the reason.
    async fn unusable(&self) -> Vec<(String, String)> {
        let Config { endpoint, credentials, probe, .. } = &self.config;
        let mut found = Vec::new();
        let own = credentials.unusable().await;
        found.extend(own.map(|why| ("config.password".to_owned(), why)));
        if let Some(ProbeUser::Own(credentials)) = probe.as_ref().and_then(|one| one.user.as_ref())
        {
            let why = credentials.unusable().await;
            found.extend(why.map(|why| ("config.accessControlProbe.password".to_owned(), why)));
        }
        let certificate = endpoint.connections(&Redactor::default()).await.err();
        let certificate = certificate.filter(|none| none.detail.contains("client certificate"));
        found.extend(certificate.map(|none| ("config.tls.certificate".to_owned(), none.detail)));
        found
    }

    async fn walk(&self, run: &RunContext) -> Validated {
        let mut tests = Recorder::new(CATALOG, run);
        if let Some(host) = &self.config.asleep {
            for test in CATALOG {
                let reason = "would be started, and paid for, by a query; `allowGalaxy` = true \
                    permits it";
                tests.skip(*test, format!("Not run because the cluster [{host}] {reason}."));
            }
            return tests.finish();
        }
        let mut session = None;
        let connected = tests.test::<Connected, _, _>(CONNECTION, async || {
            let made = session.insert(self.session(run).await?);
            self.connection(made).await
        });
        let Some(Connected { version, refused }) = connected.await else { return tests.finish() };
        let Some(mut session) = session else { return tests.finish() };
        self.version(&mut tests, version).await;
        let key = self.config.credentials.key(&self.config.origin, run.now).await;
        let known = tests.log_in::<LoggedIn, _, _>(AUTHENTICATION, key, async || match refused {
            Some(failure) => Err(self.refused(&failure).into()),
            None => self.log_in(&mut session).await,
        });
        let Some(LoggedIn { user, waiting }) = known.await else { return tests.finish() };
        session.is_logged_in = true;
        let queried = tests.test::<(), _, _>(QUERY, async || match waiting {
            Some(failure) => Err(self.failed(QUERY, &failure)),
            None => self.query(&session).await,
        });
        if queried.await.is_none() {
            return tests.finish();
        }
        self.catalogs(&mut tests, &session).await;
        self.access_control(&mut tests, &session, user).await;
        tests.finish()
    }

    async fn session(&self, run: &RunContext) -> Result<Session<'_>, Finding> {
        let Config { endpoint, origin, prefix, alias, .. } = &self.config;
        let http = endpoint.connections(&run.redactor).await;
        let http = http.map_err(|none| Failure::silent(none).finding_of(CONNECTION))?;
        let place = Place { origin, alias: alias.as_deref() };
        Ok(Session {
            client: Client { http, place, prefix, now: run.now },
            credentials: RunCredentials::open(None),
            is_logged_in: false,
            test_limit: run.test_limit,
            run_end: Instant::now() + run.run_limit,
        })
    }

    /// Returns the finding of a failure that fits the text of `test`, with its remedy.
    fn failed(&self, test: Test, failure: &Failure) -> Finding {
        self.advised(failure, failure.finding_of(test))
    }

    /// Returns the finding of a failure that `what` describes, with its remedy.
    fn failed_that(&self, what: &str, failure: &Failure) -> Finding {
        self.advised(failure, failure.finding_that(what))
    }

    async fn version(&self, tests: &mut Recorder, version: Option<String>) {
        let Some(version) = version else {
            tests.skip(VERSION, "The cluster does not show its version.");
            return;
        };
        let digits = version.find(|char: char| !char.is_ascii_digit()).unwrap_or(version.len());
        let Some(number) = version.get(..digits).and_then(|digits| digits.parse::<u64>().ok())
        else {
            let reason = format!("The version [{version}] does not begin with a number.");
            tests.skip(VERSION, reason);
            return;
        };
        let minimum = self.config.minimum_version;
        let old = (number < minimum).then(|| {
            let message = format!(
                "The Trino version [{version}] is older than the minimum supported version \
                 [{minimum}]."
            );
            let fix = format!("Update the cluster to Trino {minimum} or newer.");
            Finding::new(Class::Invalid, message).fix(fix)
        });
        let passed = Passed::from(()).warning(old);
        tests.test::<(), _, _>(VERSION, async || Ok::<_, Finding>(passed)).await;
    }

    /// Reads the secrets and logs in. A kept token that was refused is replaced by a new one, once.
    async fn log_in(&self, session: &mut Session<'_>) -> Result<Passed<LoggedIn>, Failed> {
        let mut seen = Seen::default();
        let mut found = self.log_in_once(session, &mut seen).await;
        if found.is_err() && self.config.credentials.forget(&session.credentials).await {
            found = self.log_in_once(session, &mut seen).await;
        }
        seen.with(found)
    }

    async fn log_in_once(
        &self,
        session: &mut Session<'_>,
        seen: &mut Seen,
    ) -> Result<Passed<LoggedIn>, Finding> {
        self.authorise(session, seen).await.map_err(|failure| self.refused(&failure))?;
        self.authentication(session).await
    }

    /// Reads the secrets of the system account, which statements are then sent with.
    async fn authorise(&self, session: &mut Session<'_>, seen: &mut Seen) -> Result<(), Failure> {
        let Client { http, now, .. } = &session.client;
        let reading = Reading { connections: http, now: *now, names: OWN_TOKEN };
        let read = self.config.credentials.read(reading, seen).await?;
        session.credentials = read.with(self.config.headers.of_system());
        Ok(())
    }

    /// Checks which user the cluster maps the system account to, where it can be queried.
    async fn authentication(&self, session: &Session<'_>) -> Result<Passed<LoggedIn>, Finding> {
        let expected = self.config.expected_user.as_deref();
        let answer = session.ask(Statement::CurrentUser).await;
        let user = match answer {
            Ok(rows) => rows.into_iter().next().map(|user| session.client.line(&user)),
            // The server took the credentials; whether queries run is for the next test to say.
            Err(failure) if failure.is_logged_in() => {
                let what = "The cluster could not be asked for the name of its user.";
                let warning = expected.map(|_| self.failed_that(what, &failure));
                let is_waiting = failure.cause.kind == Kind::Waiting;
                let logged_in =
                    LoggedIn { user: None, waiting: Some(failure).filter(|_| is_waiting) };
                return Ok(Passed::from(logged_in).warning(warning));
            }
            // A role that is not granted is refused after the log-in.
            Err(failure) if failure.is_of_query() => {
                return Ok(LoggedIn { user: None, waiting: Some(failure) }.into());
            }
            Err(failure) => return Err(self.refused(&failure)),
        };
        let seen = user.as_ref().map(|user| Seen::of(FactKind::Principal, "", user));
        let warning = expected.filter(|expected| user.as_deref() != Some(expected));
        let warning = warning.map(|expected| {
            let found = user.as_deref().unwrap_or("none");
            let message = format!("The cluster sees the user [{found}] instead of [{expected}].");
            let fix = "Correct `expectedUser`, or the user mapping of the cluster.";
            Finding::new(Class::Invalid, message).fix(fix)
        });
        let logged_in = LoggedIn { user, waiting: None };
        Ok(Passed::from(logged_in).warning(warning).seeing(seen.unwrap_or_default()))
    }

    /// Returns the finding of a log-in that failed; the published text is only about credentials.
    fn refused(&self, failure: &Failure) -> Finding {
        if failure.is_of_credentials() {
            let finding = self.failed(AUTHENTICATION, failure);
            let is_refusal = failure.class.is_definitive() && failure.is_of_sent_credentials();
            return if is_refusal { finding.refusing_log_in() } else { finding };
        }
        self.failed_that("The log-in could not be tested.", failure)
    }

    /// Returns the version, where the coordinator shows it.
    async fn connection(&self, session: &Session<'_>) -> Result<Passed<Connected>, Finding> {
        let info = match session.client.info().await {
            Ok(info) => info,
            // The server answers, and refuses the certificate: that is the log-in.
            Err(failure) if failure.cause.kind == Kind::Certificate => {
                return Ok(Connected { version: None, refused: Some(failure) }.into());
            }
            Err(failure) => return Err(self.failed(CONNECTION, &failure)),
        };
        let Some(info) = info else { return Ok(Connected::default().into()) };
        if info.coordinator == Some(false) {
            let detail = "What answers is a worker, not the coordinator.";
            let fix = "Correct `host`: clients talk to the coordinator.";
            return Err(Finding::of(CONNECTION, Class::Invalid, detail).fix(fix));
        }
        if info.starting == Some(true) {
            let detail = "The coordinator is starting and takes no queries yet.";
            let fix = "Wait. If it stays, look into the coordinator's log: a catalog may not load.";
            return Err(Finding::of(CONNECTION, Class::Unavailable, detail).fix(fix));
        }
        let version = info.version().map(|version| session.client.line(&version));
        let seen = version.as_ref().map(|version| Seen::of(FactKind::ServerVersion, "", version));
        let connected = Connected { version, refused: None };
        Ok(Passed::from(connected).seeing(seen.unwrap_or_default()))
    }

    async fn query(&self, session: &Session<'_>) -> Result<Passed<()>, Finding> {
        let failure = match session.ask(Statement::ActiveNodes).await {
            Ok(rows) => return counted(&rows).map(Into::into),
            Err(failure) => failure,
        };
        let is_hidden =
            failure.is_of_query() && matches!(failure.class, Class::Denied | Class::Missing);
        if !is_hidden {
            return Err(self.failed(QUERY, &failure));
        }
        let ran = session.ask(Statement::One).await;
        ran.map_err(|failure| self.failed(QUERY, &failure))?;
        let what = "The active nodes cannot be counted.";
        let warning = Some(self.failed_that(what, &failure));
        Ok(Passed::from(()).warning(warning))
    }
}

/// Answer of the coordinator to the first test.
#[derive(Debug, Default)]
struct Connected {
    /// Version, where it is shown.
    version: Option<String>,
    /// Refusal of the client's certificate, which is a failure of the log-in.
    refused: Option<Failure>,
}

/// Result of a log-in that was accepted.
#[derive(Debug)]
struct LoggedIn {
    /// User that the cluster sees, where it could be asked.
    user: Option<String>,
    /// Failure of that query, where another one would fail in the same way.
    waiting: Option<Failure>,
}

/// Checks the number of active nodes.
fn counted(rows: &[String]) -> Result<(), Finding> {
    let detail = match rows.first().and_then(|count| count.parse::<u64>().ok()) {
        Some(0) => "None of its nodes is active.",
        Some(_) => return Ok(()),
        None => "The number of active nodes is missing in the answer.",
    };
    let fix = "Start workers, or look why they do not reach the coordinator (discovery.uri).";
    Err(Finding::of(QUERY, Class::Unavailable, detail).fix(fix))
}
