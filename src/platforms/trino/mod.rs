//! Starburst and Trino: the coordinator's REST protocol, five reading statements, no driver.
//!
//! See `docs/platforms/trino.md` for everything that is sent.

mod catalog;
mod classify;
mod client;
mod config;
mod credentials;
mod probe;
mod reply;
mod statement;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;

use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, Platform, Recorder, RunContext, Seen, Validated, Validator,
};
use crate::domain::{Class, FactKind, Finding, one_line};
use crate::input::Reader;
use catalog::{AUTHENTICATION, CATALOG, CATALOGS, CONNECTION, QUERY, VERSION};
use classify::{Cause, Failure};
use client::{Client, Until};
use config::Config;
use credentials::{Credentials, RunCredentials, TokenNames};
use statement::Statement;

/// Longest time for the server to cancel an abandoned query.
const CLEAN_UP_MAX: Duration = Duration::from_secs(1);
/// The most names of missing catalogs that are shown.
const NAMES_MAX: usize = 10;
/// The longest name that is shown, in characters.
const NAME_MAX: usize = 100;
/// The most catalogs that are compared with those of another run.
const CATALOGS_COMPARED_MAX: usize = 100;

/// Names of the system account's token.
const OWN_TOKEN: TokenNames = TokenNames { fact: "token", expiry: "" };

/// Entry of Starburst and Trino.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Trino",
    version: 1,
    catalog: CATALOG,
    auto_bootstrap: AutoBootstrap::Absent,
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

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.walk(run))
    }
}

/// Parts of a run that every test needs.
struct Session<'a> {
    client: Client<'a>,
    credentials: RunCredentials,
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
        self.client.query(&self.credentials, statement, self.until()).await
    }
}

impl Trino {
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
        let mut seen = Seen::default();
        let read = self.config.credentials.read(OWN_TOKEN, &run.redactor, &mut seen).await;
        tests.saw(seen);
        let (credentials, unreadable) = match read {
            Ok(credentials) => (credentials, None),
            Err(failure) => (RunCredentials::open(None), Some(failure)),
        };
        let mut session = None;
        let connected = tests.test::<Option<String>, _, _>(CONNECTION, async || {
            let made = session.insert(self.session(run, credentials).await?);
            connection(made).await
        });
        let Some(version) = connected.await else { return tests.finish() };
        let Some(session) = session else { return tests.finish() };
        self.version(&mut tests, version).await;
        let known = tests.test::<Option<String>, _, _>(AUTHENTICATION, async || match unreadable {
            Some(failure) => Err(failure.finding_of(AUTHENTICATION)),
            None => self.authentication(&session).await,
        });
        let Some(user) = known.await else { return tests.finish() };
        if tests.test::<(), _, _>(QUERY, async || query(&session).await).await.is_none() {
            return tests.finish();
        }
        if self.config.catalogs.is_empty() {
            tests.skip(CATALOGS, "No catalogs are configured; list them in `catalogs`.");
        } else {
            let work = async || {
                let mut seen = Seen::default();
                let found = self.catalogs(&session, &mut seen).await;
                seen.with(found)
            };
            tests.test::<(), _, _>(CATALOGS, work).await;
        }
        self.access_control(&mut tests, &session, user).await;
        tests.finish()
    }

    async fn session(
        &self,
        run: &RunContext,
        credentials: RunCredentials,
    ) -> Result<Session<'_>, Finding> {
        let Config { endpoint, origin, .. } = &self.config;
        let http = endpoint.connections(&run.redactor).await;
        let http = http.map_err(|none| Failure::from(none).finding_of(CONNECTION))?;
        Ok(Session {
            client: Client { http, origin, now: run.now },
            credentials,
            test_limit: run.test_limit,
            run_end: Instant::now() + run.run_limit,
        })
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

    /// Checks which user the cluster maps the system account to, where it can be queried.
    async fn authentication(
        &self,
        session: &Session<'_>,
    ) -> Result<Passed<Option<String>>, Finding> {
        let expected = self.config.expected_user.as_deref();
        let answer = session.ask(Statement::CurrentUser).await;
        let user = match answer {
            Ok(rows) => rows.into_iter().next().map(|user| session.client.line(&user)),
            // The server took the credentials; whether queries run is for the next test to say.
            Err(failure) if failure.is_of_query() => {
                let what = "The cluster could not be asked for the name of its user.";
                let warning = expected.map(|_| failure.finding_that(what));
                return Ok(Passed::from(None).warning(warning));
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
        Ok(Passed::from(user).warning(warning).seeing(seen.unwrap_or_default()))
    }

    fn refused(&self, failure: &Failure) -> Finding {
        let finding = failure.finding_of(AUTHENTICATION);
        if !matches!(failure.class, Class::Denied | Class::Expired) {
            return finding;
        }
        if failure.wants_browser() {
            let fix = "The cluster asks for an OAuth 2.0 sign-in at a browser. Give the system \
                account a password, a token or a certificate that the cluster accepts beside it \
                (http-server.authentication.type).";
            return finding.fix(fix);
        }
        if finding.message.contains("Authentication over HTTP is not enabled") {
            let fix = "Connect over HTTPS, or set http-server.process-forwarded=true where a \
                proxy before the coordinator ends TLS.";
            return finding.fix(fix);
        }
        finding.fix(match &self.config.credentials {
            Credentials::Open { username } => format!(
                "Let [{username}] in without a password, or set `authenticationType` to what the \
                 cluster asks for."
            ),
            Credentials::Password { username, .. } => {
                format!("Correct `username` [{username}] or `password`, or unlock the account.")
            }
            Credentials::Token { .. } => "Renew `token`: issuer, audience and end must be as \
                http-server.authentication.jwt.* ask for."
                .to_owned(),
            Credentials::Certificate { .. } => {
                "Renew `tls.certificate`: its authority must be in the \
                cluster's trust store, and `CERTIFICATE` among http-server.authentication.type."
                    .to_owned()
            }
        })
    }

    async fn catalogs(&self, session: &Session<'_>, seen: &mut Seen) -> Result<(), Finding> {
        let mut found = session.ask(Statement::Catalogs).await.map_err(|failure| {
            unrun(
                &failure,
                failure.finding_that("The catalogs of the cluster could not be listed."),
            )
        })?;
        found.sort_unstable();
        for name in found.iter().take(CATALOGS_COMPARED_MAX) {
            seen.fact(FactKind::Grant, "catalogs", name);
        }
        // Names of catalogs are matched as Trino does: whatever their case.
        let is_missing =
            |name: &&String| !found.iter().any(|found| found.eq_ignore_ascii_case(name));
        let missing: Vec<_> = self.config.catalogs.iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let shown: Vec<_> =
            missing.iter().take(NAMES_MAX).map(|name| one_line(name, NAME_MAX)).collect();
        let shown = shown.join(", ");
        let more = missing.len().saturating_sub(NAMES_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let verb = if missing.len() == 1 {
            ("catalog", "does not exist or is")
        } else {
            ("catalogs", "do not exist or are")
        };
        let message =
            format!("The {} [{shown}]{more} {} not visible to the system account.", verb.0, verb.1);
        let fix = "Create them, correct `catalogs`, or let the system account access them in the \
            rules of the cluster's access control.";
        Err(Finding::new(Class::Missing, message).fix(fix))
    }
}

/// Returns the version, where the coordinator shows it.
async fn connection(session: &Session<'_>) -> Result<Passed<Option<String>>, Finding> {
    let info = session.client.info().await;
    let info = info.map_err(|failure| {
        let finding = failure.finding_of(CONNECTION);
        match &failure.cause {
            Cause::NoAnswer if failure.class == Class::Invalid => finding.fix(
                "Give the certificate's authority in `tls.caFile`, or its name in \
                 `tls.serverName`.",
            ),
            Cause::NoAnswer if failure.class == Class::Expired => {
                finding.fix("Renew the server's certificate, or the one in `tls.certificate`.")
            }
            Cause::Refused { status: 300..=399, .. } => {
                finding.fix("Set `host` and `port` to where clients are sent.")
            }
            Cause::Refused { .. } | Cause::Query { .. } | Cause::NoAnswer => finding,
        }
    })?;
    let Some(info) = info else { return Ok(None.into()) };
    if info.coordinator == Some(false) {
        let detail = "What answers is a worker, not the coordinator.";
        let fix = "Correct `host`: clients talk to the coordinator.";
        return Err(Finding::of(CONNECTION, Class::Invalid, detail).fix(fix));
    }
    if info.starting == Some(true) {
        let detail = "The coordinator is starting and takes no queries yet.";
        return Err(Finding::of(CONNECTION, Class::Unavailable, detail));
    }
    let version = info.version().map(|version| session.client.line(&version));
    let seen = version.as_ref().map(|version| Seen::of(FactKind::ServerVersion, "", version));
    Ok(Passed::from(version).seeing(seen.unwrap_or_default()))
}

async fn query(session: &Session<'_>) -> Result<Passed<()>, Finding> {
    let failure = match session.ask(Statement::ActiveNodes).await {
        Ok(rows) => {
            let count = rows.first().and_then(|count| count.parse::<u64>().ok());
            return match count {
                Some(0) => {
                    let detail = "None of its nodes is active.";
                    let fix = "Start workers, or look why they do not reach the coordinator.";
                    Err(Finding::of(QUERY, Class::Unavailable, detail).fix(fix))
                }
                Some(_) => Ok(().into()),
                None => {
                    let detail = "The number of active nodes is missing in the answer.";
                    Err(Finding::of(QUERY, Class::Unavailable, detail))
                }
            };
        }
        Err(failure) => failure,
    };
    let is_hidden =
        failure.is_of_query() && matches!(failure.class, Class::Denied | Class::Missing);
    if !is_hidden {
        return Err(failure.finding_of(QUERY));
    }
    let ran = session.ask(Statement::One).await;
    ran.map_err(|failure| unrun(&failure, failure.finding_of(QUERY)))?;
    let what = "The active nodes cannot be counted.";
    let fix = "Let the system account read system.runtime.nodes.";
    let warning = Some(failure.finding_that(what).fix(fix));
    Ok(Passed::from(()).warning(warning))
}

/// Adds how to fix that a statement was denied which reads no table.
fn unrun(failure: &Failure, finding: Finding) -> Finding {
    if failure.class == Class::Denied && failure.is_of_query() {
        return finding.fix(
            "Allow the system account to execute queries in the rules of the cluster's access \
             control.",
        );
    }
    finding
}
