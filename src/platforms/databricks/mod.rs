//! Databricks: a workspace with Unity Catalog.
//!
//! Every test is a GET of the REST API; see `docs/platforms/databricks.md`.

mod authority;
mod bearer;
mod beyond;
mod catalog;
mod classify;
mod client;
mod config;
mod credential_keys;
mod credentials;
mod expiry;
mod grants;
mod integration;
mod lookup;
mod named;
mod operations;
mod remedy;
mod reply;
mod session;
#[cfg(test)]
mod tests;
mod workload;

use tokio::time::Instant;

use self::grants::GRANTS;
use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, Names, Platform, Recorder, RunContext, Seen, Surplus,
    Validated, Validator, principal,
};
use crate::domain::{Class, FactKind, Finding, Observed};
use crate::input::Reader;
use crate::net::http::Connections;
use crate::platforms::connection::authority;
use bearer::Bearer;
use catalog::{AUDIT, BASIC, CATALOG, MANUAL, METASTORE, PRESENT};
use classify::{Failure, WORDS_MAX};
use client::{Client, Request};
use config::Config;
use expiry::CredentialExpiry;
use integration::{Databricks, NAME_MAX};
use reply::{Assignment, Me, Warehouse};
use session::Session;

/// The most groups that are compared with those of another run.
const GROUPS_COMPARED_MAX: usize = 100;

/// Entry of Databricks Unity Catalog.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Databricks",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::Any,
    operations: operations::OPERATIONS,
    sample: include_str!("../../../config/examples/databricks.toml"),
    parse,
};

fn parse(reader: Reader<'_>, auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let (config, expiry) = (config::parse(reader)?, CredentialExpiry::default());
    Some(Box::new(Databricks { config, auto_bootstrap, expiry }))
}

impl Databricks {
    async fn run(&self, run: &RunContext) -> Validated {
        let mut tests = Recorder::new(CATALOG, run);
        let end = Instant::now() + run.run_limit;
        let key = self.config.credentials.key(&self.config.server, run.now).await;
        let session = tests.log_in::<Session, _, _>(BASIC, key, async || {
            let mut seen = Seen::default();
            let found = self.session(run, &mut seen).await;
            seen.with(found)
        });
        let session = session.await;
        let (looked_at, passed_over, reason) = if self.auto_bootstrap {
            (PRESENT, MANUAL, "The catalog was set up automatically.")
        } else {
            (MANUAL, PRESENT, "The catalog was set up by hand; [Manual catalog setup] looks at it.")
        };
        tests.skip(passed_over, reason);
        if !self.config.audit {
            tests.skip(AUDIT, "Query audit is not enabled.");
        }
        let Some(session) = session else { return tests.finish() };
        let session = &session;
        let client = self.client(&session.connections, run);
        let assigned =
            tests.test::<(), _, _>(METASTORE, async || self.metastore(client, session).await).await;
        if assigned.is_some() {
            let work = async || {
                let mut seen = Seen::default();
                let found = self.catalog(client, session, &mut seen).await;
                seen.with(found)
            };
            tests.test::<(), _, _>(looked_at, work).await;
            if self.config.audit {
                let work = async || Ok::<_, Finding>(self.audit(client, session).await);
                tests.test::<(), _, _>(AUDIT, work).await;
            }
        }
        tests.saw(self.expiry.expiry(&self.config.credentials, client, session, end).await);
        tests.finish()
    }

    fn client<'a>(&'a self, connections: &'a Connections, run: &RunContext) -> Client<'a> {
        let Config { server, workspace, workspace_id, .. } = &self.config;
        let workspace_id = workspace_id.as_deref();
        Client { connections, server, workspace, workspace_id, now: run.now }
    }

    async fn session(&self, run: &RunContext, seen: &mut Seen) -> Result<Passed<Session>, Finding> {
        let unconnected = |failure: Failure| {
            let finding = failure.finding(BASIC.message, self.host());
            let is_refusal = failure.refuses_log_in();
            let finding = if is_refusal { finding.refusing_log_in() } else { finding };
            match self.remedy(&failure) {
                Some(remedy) => finding.fix(remedy),
                None => finding,
            }
        };
        let reached = self.config.endpoint.connections(&run.redactor).await.map_err(Failure::from);
        let connections = reached.map_err(unconnected)?;
        let client = self.client(&connections, run);
        let (bearer, me) = self.identified(client, run).await.map_err(unconnected)?;
        let who = client.line(&me.user_name, NAME_MAX);
        if me.active == Some(false) {
            let detail = format!("Principal [{who}] is not active in [{}].", self.host());
            let fix = format!("Activate {who} in the workspace's identity settings.");
            return Err(Finding::of(BASIC, Class::Denied, detail).fix(fix));
        }
        self.config.credentials.claims(&bearer, seen);
        seen.fact(FactKind::Principal, "", &who);
        if let Some(id) = reply::text_of(&me.id) {
            seen.fact(FactKind::Principal, "id", &id);
        }
        for group in me.groups().take(GROUPS_COMPARED_MAX) {
            let group = client.line(group, NAME_MAX);
            seen.fact(FactKind::Grant, "groups", &group);
        }
        let warning = self.warehouse(client, &bearer).await?;
        let message = format!("Connected to [{}] as [{who}].", self.host());
        let session = Session { connections, bearer, me };
        Ok(Passed::from(session).saying(message).warning(warning))
    }

    /// Returns the authenticated principal. A token that is refused before its expiry is replaced
    /// once.
    async fn identified(
        &self,
        client: Client<'_>,
        run: &RunContext,
    ) -> Result<(Bearer, Me), Failure> {
        let credentials = &self.config.credentials;
        let mut bearer = credentials.bearer(client.connections, &client, client.now).await?;
        if let Some(name) = credentials.of_machine() {
            let names = ["Databricks", client.server, "managed identity", name];
            run.log_ins.found(&names, &bearer.sent()).await?;
        }
        let mut found = client.call(Request::Me, Some(&bearer), reply::json::<Me>).await;
        if let Err(failure) = &found
            && bearer.kept
            && failure.is_about_credential()
        {
            credentials.forget(&bearer).await;
            let renewed = credentials.bearer(client.connections, &client, client.now).await?;
            // A metadata service may give the same token again.
            if credentials.of_machine().is_none() || renewed.sent() != bearer.sent() {
                bearer = renewed;
                found = client.call(Request::Me, Some(&bearer), reply::json::<Me>).await;
            }
        }
        Ok((bearer, found?))
    }

    /// A warning about the SQL warehouse, if it is to be looked at.
    async fn warehouse(
        &self,
        client: Client<'_>,
        bearer: &Bearer,
    ) -> Result<Option<Finding>, Finding> {
        let Some(id) = &self.config.warehouse else { return Ok(None) };
        let request = Request::Warehouse { id };
        let answer = client.call(request, Some(bearer), reply::json::<Warehouse>).await;
        let gone = || {
            let detail = format!("SQL warehouse [{id}] does not exist.");
            let fix = "Set `httpPath` to that of an existing SQL warehouse.";
            Finding::of(BASIC, Class::Missing, detail).fix(fix)
        };
        match answer {
            Ok(found) if matches!(found.state.as_str(), "DELETED" | "DELETING") => Err(gone()),
            Ok(found) => Ok(found.defect().map(|defect| {
                let defect = client.line(&defect, WORDS_MAX);
                let message = format!("SQL warehouse [{id}] is not healthy: {defect}.");
                Finding::new(Class::Unavailable, message)
            })),
            Err(failure) if failure.class == Class::Missing => Err(failure.evident(gone())),
            Err(failure) if failure.class == Class::Denied => {
                let doing = format!("SQL warehouse [{id}] could not be looked at.");
                let fix = format!(
                    "Grant CAN USE on it to the principal: databricks warehouses update-permissions \
                     {id} --json '{{\"access_control_list\": [..]}}'; `revalidated grants` prints it \
                     in full."
                );
                let fix = self.named_remedy(&failure).unwrap_or(fix);
                Ok(Some(failure.finding(&doing, self.host()).fix(fix)))
            }
            Err(failure) => Err(failure.finding(BASIC.message, self.host())),
        }
    }

    async fn metastore(
        &self,
        client: Client<'_>,
        session: &Session,
    ) -> Result<Passed<()>, Finding> {
        let Config { workspace_id, metastore_id: wanted, .. } = &self.config;
        let configured = workspace_id.as_deref().unwrap_or(self.host());
        let bearer = Some(&session.bearer);
        let fix = "Assign a metastore to the workspace in the account console.";
        let unassigned = |workspace: &str| {
            let message = format!("No metastore is assigned to workspace [{workspace}].");
            Finding::new(Class::Missing, message).fix(fix)
        };
        let answer = client.call(Request::Metastore, bearer, reply::json::<Assignment>).await;
        let found = answer.map_err(|failure| {
            if failure.class == Class::Missing {
                return failure.evident(unassigned(configured));
            }
            let doing =
                format!("The metastore of workspace [{configured}] could not be looked up.");
            let finding = failure.finding(&doing, self.host());
            if failure.class == Class::Denied {
                let added = || "Add the principal to the workspace.".to_owned();
                return finding.fix(self.named_remedy(&failure).unwrap_or_else(added));
            }
            finding
        })?;
        let shown = |text: &str| client.line(text, NAME_MAX);
        let workspace = shown(found.workspace_id().as_deref().unwrap_or(configured));
        let id = found.metastore_id.filter(|id| !id.is_empty());
        let id = shown(&id.ok_or_else(|| unassigned(&workspace))?);
        let seen = Seen::of(FactKind::Grant, "metastore", &id);
        let warning = wanted.as_ref().filter(|wanted| !wanted.eq_ignore_ascii_case(&id));
        let warning = warning.map(|wanted| {
            let message = format!("Metastore changed from [{wanted}] to [{id}].");
            let fix = "Set `metastoreId` to the new one if the change is meant to be.";
            Finding::new(Class::Invalid, message).fix(fix)
        });
        let message = format!("Metastore [{id}] is assigned to workspace [{workspace}].");
        Ok(Passed::from(()).saying(message).warning(warning).seeing(seen))
    }
}

impl Validator for Databricks {
    fn identity(&self) -> Identity {
        let Config { server, catalog, credentials, endpoint, .. } = &self.config;
        Identity {
            host: authority(server).to_owned(),
            target: Some(format!("{}/{}", self.host(), catalog.to_lowercase())),
            account: Some(format!("databricks {}", self.host())),
            principal: credentials.principal(),
            authority: endpoint.ca_file(),
            ..Identity::default()
        }
    }

    fn examine(&self) -> BoxFuture<'_, Vec<(String, String)>> {
        Box::pin(async { self.config.credentials.examine().await.into_iter().collect() })
    }

    fn names(&self) -> Names {
        self.granted_names(None)
    }

    fn names_seen(&self, observed: &Observed) -> Names {
        self.granted_names(principal(observed, ""))
    }

    fn surplus<'a>(
        &'a self,
        run: &'a RunContext,
        observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(self.beyond(run, observed))
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.run(run))
    }
}
