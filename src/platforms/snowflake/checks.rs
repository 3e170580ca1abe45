//! Tests of the catalog, one function each.

use tokio::sync::Mutex;

use super::bootstrap::missing_privileges;
use super::catalog::{
    BOOTSTRAP, CONNECT, DATABASE_ABSENT, DATABASE_EXISTS, IMPERSONATION_ABSENT,
    IMPERSONATION_EXISTS, ROLE, WAREHOUSE, filled,
};
use super::classify::{Cause, Failure};
use super::client::Session;
use super::integration::{Bootstrap, Snowflake};
use super::remedy::User;
use super::reply::{Row, Rows};
use super::statement::{Name, Statement};
use crate::domain::{Class, FactKind, Finding, Redactor, Test};
use crate::platforms::tested::{Failed, Passed};
use crate::platforms::{RunContext, Seen};

/// Longest name in a message, in characters.
const NAME_SHOWN_MAX: usize = 80;
/// Reason why an object that was not found may exist.
const CUT: &str = "The answer was cut short.";

/// Session that was opened, with its role.
#[derive(Debug)]
pub(super) struct Checks<'a> {
    pub(super) snowflake: &'a Snowflake,
    /// Session of the run; tests run one after another, so the lock is never contended.
    pub(super) session: Mutex<Session<'a>>,
    /// Configured role, or the default role of the user.
    pub(super) own: Name,
    redactor: Redactor,
}

impl Snowflake {
    /// Connects as the configured user and role, and asks for its name and role. A token may be limited to
    /// the role, and the user's default role may be revoked; where the role itself is refused, the log-in
    /// is not, and the test of the role says so.
    pub(super) async fn connect(&self, run: &RunContext) -> Result<Passed<Checks<'_>>, Failed> {
        let failed = |failure: Failure| self.finding(self.user(), CONNECT, &failure);
        let mut session =
            Session::open(&self.service, &self.credentials, run).await.map_err(failed)?;
        let mut rows = session.ask(Statement::Hello, self.role.as_ref()).await;
        let is_refused = |failure: &Failure| {
            matches!(failure.cause, Cause::RoleRefused | Cause::NoObject | Cause::NoPrivilege)
        };
        if self.role.is_some() && rows.as_ref().is_err_and(is_refused) {
            rows = session.ask(Statement::Hello, None).await;
        }
        let mut seen = std::mem::take(&mut session.seen);
        let rows = match rows.map_err(failed) {
            Ok(rows) => rows,
            Err(finding) => return Err(Failed { finding: Box::new(finding), seen }),
        };
        let facts = [
            (FactKind::ServerVersion, "", 0),
            (FactKind::Principal, "account", 1),
            (FactKind::Principal, "", 2),
        ];
        for (kind, of, position) in facts {
            seen.extend(fact(kind, of, "", rows.first(position)));
        }
        if self.role.is_none() {
            seen.extend(fact(FactKind::Principal, "default role", "", rows.first(3)));
        }
        let own =
            self.role.clone().unwrap_or_else(|| Name::stored(&run.redactor.redact(rows.first(3))));
        let redactor = run.redactor.clone();
        let checks = Checks { snowflake: self, session: Mutex::new(session), own, redactor };
        Ok(Passed::from(checks).seeing(seen))
    }

    /// Reports which of the privileges to set up are missing, in a session of its own.
    pub(super) async fn bootstrap(
        &self,
        user: &Bootstrap,
        run: &RunContext,
        seen: &mut Seen,
    ) -> Result<Passed<()>, Finding> {
        let failed = |failure: Failure| {
            let what = format!("Unable to read the grants of the bootstrap role [{}].", user.role);
            let role = Some(&user.role);
            self.unknown(User { credentials: &user.credentials, role }, &what, &failure)
        };
        let mut session =
            Session::open(&self.service, &user.credentials, run).await.map_err(failed)?;
        let found = missing_privileges(&mut session, &user.role).await;
        seen.extend(std::mem::take(&mut session.seen));
        session.close().await;
        let (missing, complete) = found.map_err(failed)?;
        if missing.is_empty() {
            return Ok(().into());
        }
        let list = missing.join(", ");
        let message = format!("The bootstrap role is missing privileges on the account: [{list}].");
        let role = user.role.quoted();
        let grant = format!("GRANT {list} ON ACCOUNT TO ROLE {role} WITH GRANT OPTION;");
        if complete {
            return Err(Finding::of(BOOTSTRAP, Class::Denied, message).fix(grant));
        }
        let warning = Finding::new(Class::Unavailable, format!("{message} {CUT}")).fix(grant);
        Ok(Passed::from(()).warning(Some(warning)))
    }

    /// Returns the user of the integration, with the configured role.
    fn user(&self) -> User<'_> {
        User { credentials: &self.credentials, role: self.role.as_ref() }
    }

    /// Returns the published text of `test` with the failure and its remediation. The text is a verdict, which
    /// a test without an answer does not have.
    fn finding(&self, user: User<'_>, test: Test, failure: &Failure) -> Finding {
        let is_answered = test == CONNECT || failure.class.is_definitive();
        let finding = if is_answered {
            failure.finding_of(test)
        } else {
            failure.finding_that("The question could not be answered.")
        };
        marked(failure, finding.fix(self.remedy(user, failure.cause, &failure.detail)))
    }

    /// Returns the sentence `what` with the failure and its remediation.
    fn unknown(&self, user: User<'_>, what: &str, failure: &Failure) -> Finding {
        marked(
            failure,
            failure.finding_that(what).fix(self.remedy(user, failure.cause, &failure.detail)),
        )
    }
}

impl Checks<'_> {
    fn user(&self) -> User<'_> {
        self.snowflake.user()
    }

    pub(super) async fn ask(&self, statement: Statement<'_>) -> Result<Rows, Failure> {
        self.session.lock().await.ask(statement, self.snowflake.role.as_ref()).await
    }

    fn finding(&self, test: Test, failure: &Failure) -> Finding {
        self.snowflake.finding(self.user(), test, failure)
    }

    pub(super) fn unknown(&self, what: &str, failure: &Failure) -> Finding {
        self.snowflake.unknown(self.user(), what, failure)
    }

    /// Checks that the warehouse may be used; it is not started for this.
    pub(super) async fn warehouse(&self) -> Result<Passed<()>, Finding> {
        let wanted = &self.snowflake.warehouse;
        let failed = |checks: &Self, failure: Failure| checks.finding(WAREHOUSE, &failure);
        let granted = self.ask(Statement::UsableWarehouses(wanted)).await;
        // An owner needs no grant, and a server that does not know the clause shows less.
        let sees_privileges = match granted {
            Ok(rows) => {
                if let Some(row) = named(&rows, wanted) {
                    let seen = fact(FactKind::Grant, &format!("warehouse {wanted}"), "", "USAGE");
                    return Ok(usable(wanted, row).seeing(seen));
                }
                true
            }
            Err(failure) if failure.cause == Cause::Syntax => false,
            Err(failure) => return Err(failed(self, failure)),
        };
        let rows = self.ask(Statement::Warehouses(wanted)).await;
        let rows = rows.map_err(|failure| failed(self, failure))?;
        let row = named(&rows, wanted);
        let own = &self.own;
        let (class, detail) = match row {
            Some(row) if !sees_privileges || own.is(row.text("owner")) => {
                let seen = owner(&format!("warehouse {wanted}"), row);
                return Ok(usable(wanted, row).seeing(seen));
            }
            Some(_) => (
                Class::Denied,
                format!("Warehouse [{wanted}] is visible to role [{own}], but USAGE is missing."),
            ),
            None if rows.complete => (
                Class::Missing,
                format!("Warehouse [{wanted}] does not exist or is not visible to role [{own}]."),
            ),
            None => (Class::Unavailable, CUT.to_owned()),
        };
        Err(Finding::of(WAREHOUSE, class, detail).fix(format!(
            "GRANT USAGE ON WAREHOUSE {} TO ROLE {};",
            wanted.quoted(),
            own.quoted()
        )))
    }

    /// Returns a name without secrets in one bounded line.
    pub(super) fn shown(&self, name: &str) -> String {
        self.redactor.line(name, NAME_SHOWN_MAX)
    }

    /// Checks that the user can act as the privileged role.
    pub(super) async fn role(&self, role: &Name) -> Result<Passed<()>, Finding> {
        let rows = self.ask(Statement::CurrentRole).await;
        let rows = rows.map_err(|failure| {
            let is_hidden = failure.cause == Cause::NoObject;
            let failure = if is_hidden { failure.caused_by(Cause::RoleRefused) } else { failure };
            self.finding(ROLE, &failure)
        })?;
        let found = rows.first(0);
        if role.is(found) {
            return Ok(Passed::from(()).seeing(fact(FactKind::Grant, "roles", "", found)));
        }
        let detail = format!("The session has role [{}] instead of [{role}].", self.shown(found));
        let finding = Finding::of(ROLE, Class::Denied, detail);
        let user = User { role: Some(role), ..self.user() };
        Err(finding.fix(self.snowflake.remedy(user, Cause::RoleRefused, "")))
    }

    pub(super) async fn database_absent(&self) -> Result<(), Failed> {
        let name = &self.snowflake.database;
        let Some(seen) = self.finds_database().await? else { return Ok(()) };
        let finding =
            Finding::of(DATABASE_ABSENT, Class::Invalid, format!("Found database [{name}]."));
        let drop = format!("Only if nothing in it is needed: DROP DATABASE {};", name.quoted());
        Err(Failed { finding: Box::new(finding.fix(drop)), seen })
    }

    pub(super) async fn database_exists(&self) -> Result<Passed<()>, Finding> {
        let name = &self.snowflake.database;
        if let Some(seen) = self.finds_database().await? {
            return Ok(Passed::from(()).seeing(seen));
        }
        let finding = Finding::new(Class::Missing, filled(DATABASE_EXISTS, name));
        Err(finding.fix(format!(
            "If it is there: GRANT USAGE ON DATABASE {name} TO ROLE {role}; if it was dropped: \
            UNDROP DATABASE {name}; or run the integration's set-up script again.",
            name = name.quoted(),
            role = self.own.quoted()
        )))
    }

    async fn finds_database(&self) -> Result<Option<Seen>, Finding> {
        let name = &self.snowflake.database;
        let rows = self.ask(Statement::Databases(name)).await;
        self.finds("database", name, rows)
    }

    pub(super) async fn impersonation_absent(&self, role: &Name) -> Result<(), Failed> {
        let Some(seen) = self.finds_role(role).await? else { return Ok(()) };
        let detail = format!("Found role [{role}].");
        let finding = Finding::of(IMPERSONATION_ABSENT, Class::Invalid, detail);
        let drop = format!("Only if it is not needed: DROP ROLE {};", role.quoted());
        Err(Failed { finding: Box::new(finding.fix(drop)), seen })
    }

    pub(super) async fn impersonation_exists(&self, role: &Name) -> Result<Passed<()>, Finding> {
        if let Some(seen) = self.finds_role(role).await? {
            return Ok(Passed::from(()).seeing(seen));
        }
        let finding = Finding::new(Class::Missing, filled(IMPERSONATION_EXISTS, role));
        Err(finding.fix(format!(
            "CREATE ROLE {}; or run the integration's set-up script again.",
            role.quoted()
        )))
    }

    async fn finds_role(&self, role: &Name) -> Result<Option<Seen>, Finding> {
        let rows = self.ask(Statement::Roles(role)).await;
        self.finds("impersonation role", role, rows)
    }

    /// Returns the owner of the object of this name, if there is one.
    fn finds(
        &self,
        kind: &str,
        name: &Name,
        rows: Result<Rows, Failure>,
    ) -> Result<Option<Seen>, Finding> {
        let what = format!("Unable to look up {kind} [{name}].");
        let rows = rows.map_err(|failure| self.unknown(&what, &failure))?;
        match named(&rows, name) {
            Some(row) => Ok(Some(owner(&format!("{kind} {name}"), row))),
            None if rows.complete => Ok(None),
            None => Err(Finding::new(Class::Unavailable, format!("{what} {CUT}"))),
        }
    }
}

/// Marks the finding of a refused log-in.
fn marked(failure: &Failure, finding: Finding) -> Finding {
    if failure.cause.refuses_log_in() { finding.refusing_log_in() } else { finding }
}

/// Returns a fact, if its value is not empty.
fn fact(kind: FactKind, of: &str, what: &str, value: &str) -> Seen {
    if value.is_empty() {
        return Seen::default();
    }
    Seen::of(kind, of, format!("{what} {value}").trim_start())
}

/// Returns the owner of `object` as a fact.
pub(super) fn owner(object: &str, row: Row<'_>) -> Seen {
    fact(FactKind::Grant, object, "owner", row.text("owner"))
}

/// Returns the row of exactly this name: a pattern matches others too.
fn named<'r>(rows: &'r Rows, name: &Name) -> Option<Row<'r>> {
    rows.iter().find(|row| row.text("name") == name.as_str())
}

/// Returns a pass for a warehouse that may be used, with a warning if it never resumes.
fn usable(name: &Name, row: Row<'_>) -> Passed<()> {
    let sleeps = row.text("state").eq_ignore_ascii_case("suspended") && !row.is_true("auto_resume");
    let warning = sleeps.then(|| {
        let message = format!("Warehouse [{name}] is suspended and auto-resume is off.");
        let remedy = format!("ALTER WAREHOUSE {} SET AUTO_RESUME = TRUE;", name.quoted());
        Finding::new(Class::Unavailable, message).fix(remedy)
    });
    Passed::from(()).warning(warning)
}
