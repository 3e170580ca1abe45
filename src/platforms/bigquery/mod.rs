//! Google `BigQuery`.
//!
//! Every test is a GET, a question about permissions, a query that is only planned, or a comparison
//! in memory; see `docs/platforms/bigquery.md`.

mod accounts;
mod advice;
mod aws;
mod catalog;
mod classify;
mod client;
mod config;
mod grants;
mod key;
mod loaded;
mod names;
mod near;
mod operations;
mod pasted;
mod permissions;
mod presence;
mod reply;
mod session;
mod source;
#[cfg(test)]
mod tests;
mod token;

use self::grants::GRANTS;
use super::connection::authority;
use super::tested::Passed;
use super::{
    AutoBootstrap, BoxFuture, Identity, LogInKey, Mode, Names, Platform, Recorder, RunContext,
    Seen, Surplus, Validated, Validator, principal,
};
use crate::domain::{FactKind, Finding, Observed, Test};
use crate::input::Reader;
use advice::Subject;
use catalog::{
    CATALOG, CONNECT, DATASET_CREATE, DATASET_DELETE, NOT_YET, PRESENT, TABLE_CREATE, TABLE_DELETE,
    TABLE_GET, TABLE_INSERT, TABLE_UPDATE,
};
use classify::{Cause, Failure};
use client::Request;
use config::{Config, Credentials};
use key::ServiceAccountKey;
use loaded::{Loaded, RunCredentials};
use permissions::{Evidence, Permission, Verdict};
use reply::{Dataset, dataset_list, planned};
use session::{Answers, Session, is_on_table};
use token::{Asking, Tokens};

/// Entry of Google `BigQuery`.
pub(super) const PLATFORM: Platform = Platform {
    kind: "Google BigQuery",
    version: 1,
    catalog: CATALOG,
    grants: GRANTS,
    auto_bootstrap: AutoBootstrap::MustBeFalse,
    operations: operations::OPERATIONS,
    sample: include_str!("../../../config/examples/bigquery.toml"),
    parse,
};

/// Tests of permissions, in the order of the catalog.
const PERMISSION_TESTS: [(Test, Permission); 7] = [
    (DATASET_CREATE, Permission::DatasetsCreate),
    (DATASET_DELETE, Permission::DatasetsDelete),
    (TABLE_CREATE, Permission::TablesCreate),
    (TABLE_DELETE, Permission::TablesDelete),
    (TABLE_GET, Permission::TablesGet),
    (TABLE_INSERT, Permission::TablesUpdateData),
    (TABLE_UPDATE, Permission::TablesUpdate),
];

fn parse(mut reader: Reader<'_>, _auto_bootstrap: bool) -> Option<Box<dyn Validator>> {
    let tokens = Tokens::new().map_err(|error| reader.fault("endpoints", error)).ok();
    let config = config::parse(&mut reader);
    if let Some(config) = &config {
        loaded::warn_of_credential(&reader, config);
    }
    reader.finish();
    Some(Box::new(BigQuery { config: config?, tokens: tokens? }))
}

/// Validator of an integration, as configured.
#[derive(Debug)]
struct BigQuery {
    config: Config,
    tokens: Tokens,
}

/// Session of a run, and the subject of its findings.
struct Connected<'a> {
    session: Session<'a>,
    subject: Subject<'a>,
}

impl BigQuery {
    async fn run(&self, run: &RunContext) -> Validated {
        let mut tests = Recorder::new(CATALOG, run);
        let loaded = Loaded::read(&self.config).await;
        let prepared = loaded.as_ref().map_err(Failure::clone);
        let prepared = match prepared {
            Ok(loaded) => self.prepare(loaded, run).await,
            Err(failure) => Err(failure),
        };
        let mut connected = match prepared {
            Ok(connected) => connected,
            Err(failure) => {
                tests.test::<(), (), _>(CONNECT, async || Err(unconnected(&failure))).await;
                if let Ok(loaded) = &loaded
                    && let Ok(project) = self.project(loaded)
                {
                    let subject = self.subject(loaded, project, run);
                    self.accounts(&mut tests, run, loaded, &subject).await;
                }
                return tests.finish();
            }
        };
        let work = async || {
            let mut seen = Seen::default();
            let found = self.connect(&connected, &mut seen).await;
            seen.with(found)
        };
        let key = self.log_in_key(&connected).await;
        let account = tests.log_in::<Option<String>, _, _>(CONNECT, key, work).await;
        let is_connected = account.is_some();
        connected.subject.account = account.flatten().or(connected.subject.account);
        let Connected { session, subject } = &connected;
        if is_connected || subject.account.is_some() {
            self.accounts(&mut tests, run, session.loaded, subject).await;
        }
        if !is_connected {
            return tests.finish();
        }
        let (found, step) = match run.mode {
            Mode::Preflight => {
                let work = async || self.not_yet(&connected).await;
                (tests.test::<bool, _, _>(NOT_YET, work).await.map(|_known| None), NOT_YET)
            }
            Mode::Recurring => {
                let mut gone = false;
                let work = async || self.present(&connected, &mut gone).await;
                let found = tests.test::<Dataset, _, _>(PRESENT, work).await;
                (found.map(Some).or(gone.then_some(None)), PRESENT)
            }
        };
        let Some(found) = found else {
            for (test, _) in PERMISSION_TESTS {
                tests.skip(test, after(step));
            }
            return tests.finish();
        };
        self.permissions(&mut tests, run, &connected, found.as_ref()).await;
        tests.finish()
    }

    /// Reads the credentials and opens the connections, before anything is sent.
    async fn prepare<'a>(
        &'a self,
        loaded: &'a Loaded,
        run: &'a RunContext,
    ) -> Result<Connected<'a>, Failure> {
        loaded.teach(&run.redactor);
        let connections = self.config.endpoint.connections(&run.redactor).await?;
        let redactor = &run.redactor;
        let RunContext { now, log_ins, .. } = run;
        let asking = Asking { config: &self.config, now: *now, redactor, scope: None, log_ins };
        let project = self.project(loaded)?;
        let renewed = std::sync::atomic::AtomicBool::new(false);
        let session = Session { tokens: &self.tokens, loaded, connections, asking, renewed };
        Ok(Connected { session, subject: self.subject(loaded, project, run) })
    }

    fn subject<'a>(&'a self, loaded: &Loaded, project: String, run: &'a RunContext) -> Subject<'a> {
        let account = loaded.account().map(str::to_owned);
        Subject { config: &self.config, project, account, redactor: &run.redactor }
    }

    /// Returns the key of the log-in, by which a refusal is remembered; none without a key of a service account:
    /// tokens of workloads and of the machine are known only once their sources were asked.
    async fn log_in_key(&self, Connected { session, .. }: &Connected<'_>) -> Option<LogInKey> {
        let Config { credentials, scope, endpoints, .. } = &self.config;
        if !session.loaded.has_key() {
            return None;
        }
        let endpoint = endpoints.token.as_deref().unwrap_or_default();
        LogInKey::of(&["Google BigQuery", endpoint, scope], &[credentials.reference()?]).await
    }

    /// Gets a token, lists datasets and plans a query; the value is the service account.
    async fn connect(
        &self,
        connected: &Connected<'_>,
        seen: &mut Seen,
    ) -> Result<Option<String>, Finding> {
        let Connected { session, subject } = connected;
        let credentials = &session.loaded.credentials;
        if let RunCredentials::Key(ServiceAccountKey { key_id: Some(id), .. }) = credentials {
            seen.fact(FactKind::Claim, "key id", id);
        }
        let is_machine = session.loaded.is_machine();
        let advised = |failure: Failure| {
            let finding = unconnected(&failure);
            let is_refusal = is_machine && failure.is_refused_token();
            let finding = if is_refusal { finding.refusing_log_in() } else { finding };
            subject.after_connecting(finding, &failure, credentials)
        };
        let account = match credentials {
            RunCredentials::Machine => {
                let account = self.tokens.machine(session.asking).await.map_err(advised)?;
                session.may_send().await.map_err(advised)?;
                Some(account)
            }
            RunCredentials::Key(_)
            | RunCredentials::Workload(_)
            | RunCredentials::Impersonated(_) => subject.account.clone(),
        };
        let project = &subject.project;
        let listed = session.call(Request::ListDatasets { project }, dataset_list).await;
        listed.map_err(advised)?;
        let location = self.config.location.as_deref();
        let plan = session.call(Request::PlanQuery { project, location }, planned).await;
        plan.map_err(|failure| {
            let is_denied = matches!(failure.refusal(), Some(refusal) if refusal.is_permission());
            let finding = advised(failure);
            if is_denied {
                let fix = subject.grant("bigquery.jobs.create", "roles/bigquery.jobUser");
                return finding.fix(fix);
            }
            finding
        })?;
        seen.fact(FactKind::Grant, project, "bigquery.jobs.create");
        if let Some(account) = &account {
            seen.fact(FactKind::Principal, "", account);
        }
        Ok(account)
    }

    fn project(&self, loaded: &Loaded) -> Result<String, Failure> {
        let own = match &loaded.credentials {
            RunCredentials::Key(key) => key.project.clone(),
            RunCredentials::Workload(_)
            | RunCredentials::Impersonated(_)
            | RunCredentials::Machine => None,
        };
        let reason = "`credential` names no project: add `projectId`";
        self.config.project.clone().or(own).ok_or_else(|| Failure::unusable(reason))
    }

    /// Asks for permissions that give much, and lists those that the principal has.
    async fn beyond(&self, run: &RunContext) -> Surplus {
        let failed = |failure: Failure| {
            let detail = failure.detail;
            Surplus::unseen(format!("The permissions could not be asked for: {detail}"))
        };
        let loaded = match Loaded::read(&self.config).await {
            Ok(loaded) => loaded,
            Err(failure) => return failed(failure),
        };
        let Connected { session, subject } = match self.prepare(&loaded, run).await {
            Ok(connected) => connected,
            Err(failure) => return failed(failure),
        };
        let project = &subject.project;
        match session.call(Request::TestBeyond { project }, reply::permissions).await {
            Ok(found) => grants::beyond(project, &found),
            Err(failure) => failed(failure),
        }
    }

    fn name(&self, connected: &Connected<'_>) -> String {
        format!("{}:{}", connected.subject.project, self.config.dataset)
    }

    async fn permissions(
        &self,
        tests: &mut Recorder,
        run: &RunContext,
        connected: &Connected<'_>,
        found: Option<&Dataset>,
    ) {
        let Connected { session, subject } = connected;
        let account = subject.account.as_deref();
        let mut answers = Answers::new(session, &subject.project, &self.config.dataset, account);
        for (test, permission) in PERMISSION_TESTS {
            let is_later = run.mode == Mode::Recurring && !self.config.strict;
            if permission == Permission::DatasetsCreate && is_later {
                tests.skip(test, "Needed only while the dataset is being created.");
                continue;
            }
            let fails = run.mode == Mode::Recurring && self.config.strict && permission.is_vital();
            let work = async || {
                let verdict = verdict(permission, subject, found, &mut answers).await;
                let seen = std::mem::take(&mut answers.seen);
                seen.with(match subject.permission(permission, verdict) {
                    Some((finding, true)) if fails => Err(finding),
                    finding => Ok(Passed::from(()).warning(finding.map(|(finding, _)| finding))),
                })
            };
            tests.test::<(), _, _>(test, work).await;
        }
    }
}

/// Returns the verdict on `permission`. The dataset's access list, and then a table, are asked only
/// where what was asked before leaves it open.
async fn verdict(
    permission: Permission,
    subject: &Subject<'_>,
    found: Option<&Dataset>,
    answers: &mut Answers<'_>,
) -> Verdict {
    let project = answers.on_project().await;
    let (mut access, mut table) = (Ok(Vec::new()), Ok(Vec::new()));
    let account = subject.account.as_deref();
    let known =
        Evidence { project: &project, table: &table, access: &access, account }.verdict(permission);
    if matches!(known, Verdict::Granted) || found.is_none() || !permission.is_of_dataset() {
        return known;
    }
    access = answers.on_dataset().await;
    let known =
        Evidence { project: &project, table: &table, access: &access, account }.verdict(permission);
    if matches!(known, Verdict::Granted) || !is_on_table(permission) {
        return known;
    }
    table = answers.on_table().await;
    Evidence { project: &project, table: &table, access: &access, account }.verdict(permission)
}

fn unconnected(failure: &Failure) -> Finding {
    let finding = failure.finding_of(CONNECT);
    let is_refusal = failure.class.is_definitive() && failure.cause == Cause::NoToken;
    if is_refusal { finding.refusing_log_in() } else { finding }
}

fn after(test: Test) -> String {
    format!("Not run because [{}] did not pass.", test.name)
}

impl Validator for BigQuery {
    fn identity(&self) -> Identity {
        let host = authority(&self.config.endpoints.bigquery).to_owned();
        // The file that names the account may not be readable yet.
        let loaded = Loaded::read_now(&self.config).ok();
        let own = loaded.as_ref().and_then(|loaded| loaded.account().map(str::to_owned));
        let target = own.or_else(|| self.config.service_account.clone());
        let project = loaded.and_then(|loaded| self.project(&loaded).ok());
        let project = project.or_else(|| self.config.project.clone());
        let named = target.as_ref().map(|account| format!("google {account}"));
        let is_machine = matches!(self.config.credentials, Credentials::Machine);
        let machine = is_machine.then(|| "google identity of this machine".to_owned());
        let location = self.config.location.as_deref();
        Identity {
            host,
            target,
            account: project.map(|project| format!("google {project}")),
            region: location.map(|location| format!("google {}", location.to_lowercase())),
            principal: named.or(machine),
            authority: self.config.endpoint.ca_file(),
            ..Identity::default()
        }
    }

    fn names(&self) -> Names {
        self.names_seen(&Observed::default())
    }

    fn names_seen(&self, observed: &Observed) -> Names {
        let loaded = Loaded::read_now(&self.config).ok();
        let project = loaded.as_ref().and_then(|loaded| self.project(loaded).ok());
        let account = loaded.as_ref().and_then(|loaded| loaded.account().map(str::to_owned));
        let account = account.or_else(|| self.config.service_account.clone());
        let account = account.or_else(|| principal(observed, "").map(str::to_owned));
        let member = match account {
            Some(account) => Some(format!("serviceAccount:{account}")),
            None if loaded.is_some_and(|loaded| loaded.is_federated()) => {
                Some("<principal of the workload identity>".to_owned())
            }
            None => None,
        };
        grants::names(project.or_else(|| self.config.project.clone()), member)
    }

    fn surplus<'a>(
        &'a self,
        run: &'a RunContext,
        _observed: &'a Observed,
    ) -> BoxFuture<'a, Surplus> {
        Box::pin(self.beyond(run))
    }

    fn validate<'a>(&'a self, run: &'a RunContext) -> BoxFuture<'a, Validated> {
        Box::pin(self.run(run))
    }
}
