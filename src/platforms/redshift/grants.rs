//! Grants that a Redshift integration needs, and what its user has beyond them.
//!
//! Sources: the Redshift database developer guide (`CREATE USER`, `GRANT`, `PG_USER_INFO`, `SVV_ROLES`) and the
//! cluster management guide ("Resource policies for `GetClusterCredentials`").

use super::catalog::{CONNECT, DATABASE_ABSENT, DATABASE_EXISTS, ROLE_ABSENT, ROLE_EXISTS};
use super::client::Statement;
use super::integration::{Credentials, Redshift};
use super::remedy::quoted;
use crate::domain::{FactKind, Observed};
use crate::platforms::aws::credentials::Role;
use crate::platforms::aws::endpoint::partition_of;
use crate::platforms::{Form, Grant, Names, RunContext, Surplus};

/// Grants of the tests.
pub(super) const GRANTS: &[Grant] = &[
    Grant::of(
        Form::Sql,
        "CREATE USER <USER> PASSWORD '<password>';",
        &[CONNECT],
        "a user that can log in",
    ),
    Grant::of(
        Form::Sql,
        "CREATE USER <IAM USER> PASSWORD DISABLE;",
        &[CONNECT],
        "a user for whom AWS gives passwords",
    ),
    Grant::of(
        Form::Sql,
        "GRANT USAGE ON DATABASE <LOGIN DATABASE> TO <ANY USER>;",
        &[CONNECT],
        "to connect",
    )
    .only("where the database is of a datashare"),
    Grant::of(
        Form::Policy,
        r#"{"Effect": "Allow", "Action": "redshift:GetClusterCredentials", "Resource": ["arn:<PARTITION>:redshift:<REGION>:<ACCOUNT>:dbuser:<CLUSTER>/<IAM NAME>", "arn:<PARTITION>:redshift:<REGION>:<ACCOUNT>:dbname:<CLUSTER>/<LOGIN NAME>"]}"#,
        &[CONNECT],
        "to get passwords of that user, and to create none",
    ),
    Grant::of(
        Form::Caller,
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "<ASSUMED ROLE>"}"#,
        &[CONNECT],
        "to take up the role in `awsRoleToAssume`",
    ),
    Grant::of(
        Form::Trust,
        r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "<ARN of that identity>"}<TRUST CONDITION>}"#,
        &[CONNECT],
        "to let that identity take up the role",
    ),
    Grant::of(
        Form::Sql,
        "GRANT ROLE <IMPERSONATION ROLE> TO <ANY USER>;",
        &[ROLE_EXISTS],
        "to see it in `svv_roles`, which shows a user its own roles alone",
    )
    .only("where the impersonation role is a role and not a group"),
    Grant::none(
        &[DATABASE_ABSENT, ROLE_ABSENT, DATABASE_EXISTS],
        "`pg_database` and `pg_group` can be read by every user; with metadata security on, as far \
         as the user may use the database and is in the group",
    ),
];

impl Redshift {
    /// Returns the names of the configuration, as statements and policies have them.
    pub(super) fn granted_names(&self) -> Names {
        let user = self.credentials.user();
        let login = &self.server.database;
        let names = Names::default()
            .with("ANY USER", quoted(user))
            .with("LOGIN DATABASE", quoted(login))
            .with("LOGIN NAME", login)
            .maybe("IMPERSONATION ROLE", self.impersonation.as_deref().map(quoted));
        match &self.credentials {
            Credentials::Password { .. } => names.with("USER", quoted(user)),
            Credentials::Okta { .. } => names,
            Credentials::Iam(iam) => {
                let source = iam.credentials.source();
                let account = source.account();
                let account = account.and_then(|text| Some(text.strip_prefix("aws ")?.to_owned()));
                names
                    .with("IAM USER", quoted(user))
                    .with("IAM NAME", user)
                    .with("PARTITION", partition_of(&iam.region).id)
                    .with("REGION", &iam.region)
                    .with("ACCOUNT", account.unwrap_or_else(|| "<account>".to_owned()))
                    .with("CLUSTER", &iam.cluster)
                    .maybe("ASSUMED ROLE", source.role.as_ref().map(|role| role.arn.clone()))
                    .maybe("TRUST CONDITION", source.role.as_ref().map(Role::trust_condition))
            }
        }
    }

    /// Returns what the user has beyond the needs of the tests, by what the run saw and by its own entry in
    /// `pg_user`.
    pub(super) async fn beyond(&self, run: &RunContext, observed: &Observed) -> Surplus {
        let user = quoted(self.credentials.user());
        let grants = observed.facts.iter().filter(|(fact, _)| fact.kind == FactKind::Grant);
        let is_superuser = grants.flat_map(|(_, values)| values).any(|value| value == "superuser");
        let mut surplus = Surplus::unseen(
            "Privileges on schemas and tables are not looked at: each database shows only its own.",
        );
        if is_superuser {
            let revoke = format!("ALTER USER {user} NOCREATEUSER;");
            surplus.add("superuser, which may do everything in the cluster", Some(revoke));
        }
        match self.creates_databases(run).await {
            Ok(true) => {
                let revoke = format!("ALTER USER {user} NOCREATEDB;");
                surplus.add("CREATEDB, the right to create databases", Some(revoke));
            }
            Ok(false) => {}
            Err(detail) => {
                surplus.unseen.push(format!("The user's entry could not be read: {detail}"));
            }
        }
        surplus
    }

    /// Asks in a session of its own whether the user may create databases.
    async fn creates_databases(&self, run: &RunContext) -> Result<bool, String> {
        let credentials = self.credentials(run).await.map_err(|finding| finding.message)?;
        let limit = run.test_limit.min(run.run_limit);
        let session = self.server.open(&credentials, limit, &run.redactor).await;
        let session = session.map_err(|failure| failure.detail)?;
        let found = session.finds(Statement::CreatesDatabases).await;
        session.close().await;
        found.map_err(|failure| failure.detail)
    }
}
