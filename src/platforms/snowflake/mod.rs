//! Snowflake: the documented SQL API over HTTPS, and the drivers' protocol for passwords only.
//!
//! Whatever is sent is a [`statement::Statement`]; see `docs/platforms/snowflake.md`.

mod bootstrap;
mod catalog;
mod checks;
mod classify;
mod client;
mod config;
mod credential_keys;
mod credentials;
mod driver;
mod grants;
mod integration;
mod link;
mod obtain;
mod operations;
mod prefix;
mod remedy;
mod reply;
mod statement;
#[cfg(test)]
mod tests;
mod workload;

use self::catalog::{
    BOOTSTRAP, CATALOG, CONNECT, DATABASE_ABSENT, DATABASE_EXISTS, IMPERSONATION_ABSENT,
    IMPERSONATION_EXISTS, PREFIX, ROLE, WAREHOUSE,
};
use self::checks::Checks;
use self::grants::GRANTS;
use self::integration::Snowflake;
use super::{
    AutoBootstrap, BoxFuture, Identity, Mode, Names, Platform, Recorder, RunContext, Seen, Surplus,
    Validated, Validator,
};
use crate::domain::Observed;
use crate::input::Reader;

/// Entry of Snowflake in the list of platforms.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Snowflake",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::Any,
    operations: operations::OPERATIONS,
    sample: include_str!("../../../config/examples/snowflake.toml"),
    parse,
};

fn parse(config: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let validator: Box<dyn Validator> = Box::new(config::read(config)?);
    Some(validator)
}

impl Validator for Snowflake {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn examine(&self) -> BoxFuture<'_, Vec<(String, String)>> {
        Box::pin(async {
            let wrong = self.credentials.examine().await;
            wrong.map(|(path, reason)| (path.to_owned(), reason)).into_iter().collect()
        })
    }

    fn names(&self) -> Names {
        self.granted_names(&Observed::default())
    }

    fn names_seen(&self, observed: &Observed) -> Names {
        self.granted_names(observed)
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

impl Snowflake {
    async fn walk(&self, run: &RunContext) -> Validated {
        let mut recorder = Recorder::new(CATALOG, run);
        let key = self.credentials.key(&self.service.server, run.now).await;
        let session = recorder.log_in::<Checks<'_>, _, _>(CONNECT, key, || self.connect(run)).await;
        if let Some(checks) = session {
            self.check(&mut recorder, &checks, run).await;
            checks.session.into_inner().close().await;
        }
        recorder.finish()
    }

    /// The tests that need a connection; the recorder leaves out those of the other mode.
    async fn check(&self, recorder: &mut Recorder, checks: &Checks<'_>, run: &RunContext) {
        recorder.test::<(), _, _>(WAREHOUSE, || checks.warehouse()).await;
        if let Some(prefix) = &self.prefix {
            let work = async || {
                let mut seen = Seen::default();
                let found = checks.prefix(prefix, &mut seen).await;
                seen.with(found)
            };
            recorder.test::<(), _, _>(PREFIX, work).await;
        } else {
            recorder.skip(PREFIX, "table grants are not enabled");
        }
        if let Some(role) = &self.role {
            recorder.test::<(), _, _>(ROLE, || checks.role(role)).await;
        } else {
            recorder.skip(ROLE, "no `role` is configured");
        }
        match (&self.bootstrap, run.mode) {
            (Some(user), _) => {
                let work = async || {
                    let mut seen = Seen::default();
                    let found = self.bootstrap(user, run, &mut seen).await;
                    seen.with(found)
                };
                let key = user.credentials.key(&self.service.server, run.now).await;
                recorder.log_in::<(), _, _>(BOOTSTRAP, key, work).await;
            }
            (None, Mode::Preflight) => recorder.skip(BOOTSTRAP, "no `bootstrap` is configured"),
            (None, Mode::Recurring) => {}
        }
        recorder.test::<(), _, _>(DATABASE_ABSENT, || checks.database_absent()).await;
        recorder.test::<(), _, _>(DATABASE_EXISTS, || checks.database_exists()).await;
        let Some(role) = &self.impersonation else {
            let test = match run.mode {
                Mode::Preflight => IMPERSONATION_ABSENT,
                Mode::Recurring => IMPERSONATION_EXISTS,
            };
            return recorder.skip(test, "impersonation is not enabled");
        };
        let absent = || checks.impersonation_absent(role);
        recorder.test::<(), _, _>(IMPERSONATION_ABSENT, absent).await;
        let exists = || checks.impersonation_exists(role);
        recorder.test::<(), _, _>(IMPERSONATION_EXISTS, exists).await;
    }
}
