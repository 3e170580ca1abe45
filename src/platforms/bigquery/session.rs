//! Session of one run: calls, with one new token when the kept one was refused, and the answers
//! about permissions, each asked once.

use std::sync::atomic::{AtomicBool, Ordering};

use super::classify::Failure;
use super::client::{Client, Request};
use super::loaded::Loaded;
use super::permissions::{Permission, roles};
use super::reply::{Access, access, first_table, permissions};
use super::token::{Asking, Tokens};
use crate::domain::{Class, FactKind, Secret};
use crate::net::exchange::Answer;
use crate::net::http::Connections;
use crate::platforms::Seen;

/// Session of a run with a service account.
#[derive(Debug)]
pub(super) struct Session<'a> {
    /// Tokens that are kept from run to run.
    pub(super) tokens: &'a Tokens,
    /// Credentials that were read.
    pub(super) loaded: &'a Loaded,
    /// Connections to send over.
    pub(super) connections: Connections,
    /// Time, configuration and redactor of the run.
    pub(super) asking: Asking<'a>,
    /// True once a token was refused in this run.
    pub(super) renewed: AtomicBool,
}

impl Session<'_> {
    /// Sends `asked` and reads the answer with `read`; a token that is refused before its time is
    /// replaced once in a run.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Google, or the reason why there is no answer.
    pub(super) async fn call<T>(
        &self,
        asked: Request<'_>,
        read: fn(&Answer) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let Asking { config, now, .. } = self.asking;
        let client = Client { connections: &self.connections, endpoints: &config.endpoints, now };
        let token = self.token().await?;
        let found = client.call(asked, &token, read).await;
        let Err(failure) = found else { return found };
        if !failure.is_refused_token() {
            return Err(failure);
        }
        self.tokens.forget(self.loaded, &token).await;
        if self.renewed.swap(true, Ordering::Relaxed) {
            return Err(failure);
        }
        let renewed = self.token().await?;
        // A metadata service may give the same token again.
        if self.loaded.is_machine() && renewed.expose() == token.expose() {
            return Err(failure);
        }
        client.call(asked, &renewed, read).await
    }

    /// Asks for permission to send the token that the machine's metadata service gave.
    ///
    /// # Errors
    ///
    /// Google has refused the same one, or there is no token.
    pub(super) async fn may_send(&self) -> Result<(), Failure> {
        let token = self.token().await?;
        let Asking { config, log_ins, .. } = self.asking;
        let names = ["Google BigQuery", "machine", &config.endpoints.bigquery, &config.scope];
        Ok(log_ins.found(&names, &[token.expose()]).await?)
    }

    async fn token(&self) -> Result<Secret, Failure> {
        self.tokens.current(self.loaded, &self.connections, self.asking).await
    }
}

/// Answers of Google about permissions in this run.
#[derive(Debug)]
pub(super) struct Answers<'a> {
    session: &'a Session<'a>,
    project: &'a str,
    dataset: &'a str,
    account: Option<&'a str>,
    on_project: Option<Result<Vec<String>, Failure>>,
    on_dataset: Option<Result<Vec<Access>, Failure>>,
    on_table: Option<Result<Vec<String>, Failure>>,
    /// Permissions that were granted, since they were last taken.
    pub(super) seen: Seen,
}

impl<'a> Answers<'a> {
    /// Starts without any answer.
    pub(super) fn new(
        session: &'a Session<'a>,
        project: &'a str,
        dataset: &'a str,
        account: Option<&'a str>,
    ) -> Self {
        Self {
            session,
            project,
            dataset,
            account,
            on_project: None,
            on_dataset: None,
            on_table: None,
            seen: Seen::default(),
        }
    }

    /// Returns the permissions that are granted on the project; asked once, even when the answer
    /// never comes.
    pub(super) async fn on_project(&mut self) -> Result<Vec<String>, Failure> {
        if self.on_project.is_none() {
            self.on_project = Some(Err(unanswered()));
            let asked = Request::TestProject { project: self.project };
            let found = self.session.call(asked, permissions).await;
            self.seen.extend(granted(self.project, &found));
            self.on_project = Some(found);
        }
        self.on_project.clone().unwrap_or_else(|| Err(unanswered()))
    }

    /// Returns the access list of the dataset; asked once, and only where the project leaves a
    /// permission open: it needs `bigquery.datasets.getIamPolicy`.
    pub(super) async fn on_dataset(&mut self) -> Result<Vec<Access>, Failure> {
        if self.on_dataset.is_none() {
            self.on_dataset = Some(Err(unanswered()));
            let Self { project, dataset, account, .. } = *self;
            let asked = Request::GetAccess { project, dataset };
            let found = self.session.call(asked, access).await;
            for role in roles(found.as_deref().unwrap_or_default(), account) {
                let of = format!("{project}:{dataset}");
                self.seen.fact(FactKind::Grant, &of, &format!("role {role}"));
            }
            self.on_dataset = Some(found);
        }
        self.on_dataset.clone().unwrap_or_else(|| Err(unanswered()))
    }

    /// Returns the permissions that are granted on the first table of the dataset; empty without a
    /// table, and asked once.
    pub(super) async fn on_table(&mut self) -> Result<Vec<String>, Failure> {
        if self.on_table.is_none() {
            self.on_table = Some(Err(unanswered()));
            self.on_table = Some(self.ask_table().await);
        }
        self.on_table.clone().unwrap_or_else(|| Err(unanswered()))
    }

    async fn ask_table(&mut self) -> Result<Vec<String>, Failure> {
        let Self { project, dataset, .. } = *self;
        let asked = Request::ListTables { project, dataset };
        let Some(table) = self.session.call(asked, first_table).await? else {
            return Ok(Vec::new());
        };
        let asked = Request::TestTable { project, dataset, table: &table };
        let found = self.session.call(asked, permissions).await;
        self.seen.extend(granted(&format!("tables of {project}:{dataset}"), &found));
        found
    }
}

/// Returns the permissions that are granted on an object, as facts.
fn granted(of: &str, found: &Result<Vec<String>, Failure>) -> Seen {
    let mut seen = Seen::default();
    for permission in found.as_ref().into_iter().flatten() {
        seen.fact(FactKind::Grant, of, permission);
    }
    seen
}

/// Returns true when a table can answer for `permission`.
pub(super) fn is_on_table(permission: Permission) -> bool {
    Permission::OF_TABLES.contains(&permission)
}

/// Returns the failure of an answer that is still awaited when the time of the test is over.
fn unanswered() -> Failure {
    Failure::silent(Class::Unreachable, "No answer of Google: no answer within the time limit")
}
