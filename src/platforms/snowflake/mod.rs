//! Snowflake: the documented SQL API over HTTPS, and the drivers' protocol for passwords only.
//!
//! Whatever is sent is a [`statement::Statement`]; see `docs/platforms/snowflake.md`.

mod bootstrap;
mod checks;
mod classify;
mod client;
mod config;
mod credentials;
mod driver;
mod link;
mod remedy;
mod reply;
mod statement;
#[cfg(test)]
mod tests;

use self::checks::Checks;
use self::credentials::Credentials;
use self::link::Service;
use self::statement::Name;
use super::{AutoBootstrap, BoxFuture, Identity, Mode, Platform, Recorder, RunContext, Validator};
use crate::domain::{Report, Test};
use crate::input::Reader;

/// Snowflake, as the table of contents lists it.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Snowflake",
    version: 1,
    catalog: CATALOG,
    auto_bootstrap: AutoBootstrap::Any,
    sample: include_str!("../../../config/examples/snowflake.toml"),
    parse,
};

const CATALOG: &[Test] = &[
    CONNECT,
    WAREHOUSE,
    PREFIX,
    ROLE,
    BOOTSTRAP,
    DATABASE_ABSENT,
    IMPERSONATION_ABSENT,
    DATABASE_EXISTS,
    IMPERSONATION_EXISTS,
];

const CONNECT: Test =
    Test::always("Initial validation: basic connection test", "Unable to connect to host.");
const WAREHOUSE: Test = Test::always(
    "Initial validation: default warehouse access test",
    "Unable to access default warehouse. If this was a manual installation, ensure that the user \
    has been granted usage on the specified warehouse.",
);
const PREFIX: Test = Test::always(
    "Initial validation: table grants role prefix is unique",
    "The Snowflake table grants role prefix IMMUTA is used by another Immuta instance connected \
    to the same Snowflake host. Please update the table grants role prefix for this Immuta \
    instance and try again.",
);
const ROLE: Test = Test::always(
    "Initial validation: validate access to privileged role",
    "User does not have access to the privileged role.",
);
const BOOTSTRAP: Test = Test::preflight("Validate automatic bootstrap user grants", "");
const DATABASE_ABSENT: Test = Test::preflight(
    "Validate automatic: database does not exist",
    "The database already exists. If this database can be safely dropped, please do so and try \
    again. Alternatively, specify a different database name.",
);
const IMPERSONATION_ABSENT: Test = Test::preflight(
    "Validate automatic: impersonation role does not exist",
    "Impersonation role already exists. If this role can be safely dropped please do so and try \
    again. Alternatively, specify a different role name.",
);
const DATABASE_EXISTS: Test = Test::recurring(
    "Recurring validation: database exists",
    "The Immuta-managed database [] does not exist or is not visible to the Immuta system account.",
);
const IMPERSONATION_EXISTS: Test = Test::recurring(
    "Recurring validation: impersonation role exists",
    "The impersonation role [] does not exist or is not visible to the Immuta system account.",
);

/// A configured Snowflake integration.
#[derive(Debug)]
struct Snowflake {
    identity: Identity,
    service: Service,
    credentials: Credentials,
    /// The default warehouse; it is looked at and never used.
    warehouse: Name,
    /// The database that Immuta manages.
    database: Name,
    /// The privileged role; without it, the user's default role.
    role: Option<Name>,
    /// What the names of the roles of table grants begin with, when these are enabled.
    prefix: Option<String>,
    /// Who owns those roles, besides [`Self::role`].
    owner: Option<Name>,
    /// The impersonation role, when impersonation is enabled.
    impersonation: Option<Name>,
    /// Who sets the integration up, when that is to be checked.
    bootstrap: Option<Bootstrap>,
}

/// The user that sets an integration up.
#[derive(Debug)]
struct Bootstrap {
    credentials: Credentials,
    role: Name,
}

fn parse(config: Reader<'_>) -> Option<Box<dyn Validator>> {
    let validator: Box<dyn Validator> = Box::new(config::read(config)?);
    Some(validator)
}

impl Validator for Snowflake {
    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Report> {
        Box::pin(self.walk(run))
    }
}

impl Snowflake {
    async fn walk(&self, run: &RunContext) -> Report {
        let mut recorder = Recorder::new(CATALOG, run);
        let session = recorder.test(CONNECT, || self.connect(run)).await;
        if let Some(checks) = session {
            self.check(&mut recorder, &checks, run).await;
            checks.session.into_inner().close().await;
        }
        recorder.finish()
    }

    /// The tests that need a connection; the recorder leaves out those of the other mode.
    async fn check(&self, recorder: &mut Recorder, checks: &Checks<'_>, run: &RunContext) {
        recorder.test::<(), _>(WAREHOUSE, || checks.warehouse()).await;
        if let Some(prefix) = &self.prefix {
            recorder.test::<(), _>(PREFIX, || checks.prefix(prefix)).await;
        } else {
            recorder.skip(PREFIX, "table grants are not enabled");
        }
        if let Some(role) = &self.role {
            recorder.test::<(), _>(ROLE, || checks.role(role)).await;
        } else {
            recorder.skip(ROLE, "no `role` is configured");
        }
        match (&self.bootstrap, run.mode) {
            (Some(user), _) => {
                recorder.test::<(), _>(BOOTSTRAP, || self.bootstrap(user, run)).await;
            }
            (None, Mode::Preflight) => recorder.skip(BOOTSTRAP, "no `bootstrap` is configured"),
            (None, Mode::Recurring) => {}
        }
        recorder.test::<(), _>(DATABASE_ABSENT, || checks.database_absent()).await;
        recorder.test::<(), _>(DATABASE_EXISTS, || checks.database_exists()).await;
        let Some(role) = &self.impersonation else {
            let test = match run.mode {
                Mode::Preflight => IMPERSONATION_ABSENT,
                Mode::Recurring => IMPERSONATION_EXISTS,
            };
            return recorder.skip(test, "impersonation is not enabled");
        };
        let absent = || checks.impersonation_absent(role);
        recorder.test::<(), _>(IMPERSONATION_ABSENT, absent).await;
        let exists = || checks.impersonation_exists(role);
        recorder.test::<(), _>(IMPERSONATION_EXISTS, exists).await;
    }
}

/// The text of `test` with `name` in its slot.
fn filled(test: Test, name: &Name) -> String {
    test.message.replacen("[]", &format!("[{name}]"), 1)
}
