//! Session of one run: the documented SQL API, or the drivers' protocol for passwords.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::classify::{Cause, Failure};
use super::credentials::{Bearer, Credentials, unique};
use super::driver::{Driver, Proof};
use super::link::{Link, QUERY_TAG, Service, too_slow, waits};
use super::reply::{self, Reply, Rows};
use super::statement::{Name, Statement};
use crate::net::backoff::retry;
use crate::net::exchange::percent_encoded;
use crate::platforms::{RunContext, Seen};

/// Session of one run as one user.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) credentials: &'a Credentials,
    pub(super) link: Link<'a>,
    bearer: Option<Bearer>,
    renewed: bool,
    driver: Driver,
    /// Why the credentials are not tried again in this run.
    refused: Option<Failure>,
    /// Claims of the access token.
    pub(super) seen: Seen,
}

impl<'a> Session<'a> {
    /// Prepares a run; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Says which secret of the connection cannot be read.
    pub(super) async fn open(
        service: &'a Service,
        credentials: &'a Credentials,
        run: &RunContext,
    ) -> Result<Self, Failure> {
        Ok(Self {
            credentials,
            link: Link::new(service, run).await?,
            bearer: None,
            renewed: false,
            driver: Driver::default(),
            refused: None,
            seen: Seen::default(),
        })
    }

    /// Runs `statement` as `role`, or as the user's default role.
    ///
    /// # Errors
    ///
    /// Says what Snowflake said. Credentials that were refused once are not sent again.
    pub(super) async fn ask(
        &mut self,
        statement: Statement<'_>,
        role: Option<&Name>,
    ) -> Result<Rows, Failure> {
        if let Some(failure) = &self.refused {
            return Err(failure.clone());
        }
        let asked = match self.credentials {
            Credentials::Password(password) => {
                let driver = &mut self.driver;
                driver.ask(&self.link, Proof::Password(password), role, statement).await
            }
            Credentials::Workload(workload) => {
                let driver = &mut self.driver;
                driver.ask(&self.link, Proof::Workload(workload), role, statement).await
            }
            Credentials::KeyPair(_) | Credentials::OAuth(_) | Credentials::Token(_) => {
                self.ask_api(statement, role).await
            }
        };
        if let Err(failure) = &asked
            && failure.cause.is_about_login()
        {
            self.refused = Some(failure.clone());
        }
        asked
    }

    /// Logs out, where there is anything to log out from.
    pub(super) async fn close(self) {
        self.driver.close(&self.link).await;
    }

    /// Asks the SQL API; an access token that is refused before its time is replaced once.
    async fn ask_api(
        &mut self,
        statement: Statement<'_>,
        role: Option<&Name>,
    ) -> Result<Rows, Failure> {
        let bearer = self.bearer().await?;
        let api = Api { link: &self.link, bearer: &bearer };
        let failure = match api.rows(statement, role).await {
            Err(failure) if is_about_token(failure.cause) && !self.renewed => failure,
            answered => return answered,
        };
        self.renewed = true;
        if !self.credentials.forget(&bearer.token).await {
            return Err(failure);
        }
        self.bearer = None;
        let bearer = self.bearer().await?;
        let api = Api { link: &self.link, bearer: &bearer };
        api.rows(statement, role).await
    }

    async fn bearer(&mut self) -> Result<Bearer, Failure> {
        if let Some(bearer) = &self.bearer {
            return Ok(bearer.clone());
        }
        let Link { connections, now, .. } = &self.link;
        let bearer = self.credentials.bearer(connections, *now, &mut self.seen).await;
        match &bearer {
            Ok(bearer) => self.bearer = Some(bearer.clone()),
            // Whatever the reason, asking for another in the same run would not help.
            Err(failure) => self.refused = Some(failure.clone()),
        }
        bearer
    }
}

const fn is_about_token(cause: Cause) -> bool {
    matches!(cause, Cause::TokenRefused | Cause::TokenExpired)
}

/// Requests of the SQL API.
struct Api<'a> {
    link: &'a Link<'a>,
    bearer: &'a Bearer,
}

/// Requests to the SQL API; there are no others.
#[derive(Clone, Copy)]
enum Request<'a> {
    /// Posts a statement with an id of its own; `again` when an earlier attempt may have arrived.
    Submit { id: &'a str, again: bool, body: &'a str },
    /// Ask for the statement of this handle again.
    Poll(&'a str),
    /// Give up the statement of this handle.
    Cancel(&'a str),
}

impl Request<'_> {
    fn built(self, server: &str, bearer: &Bearer) -> http::Result<http::Request<Vec<u8>>> {
        let root = format!("{server}/api/v2/statements");
        let (method, url, body) = match self {
            Self::Submit { id, again, body } => {
                let retry = if again { "&retry=true" } else { "" };
                ("POST", format!("{root}?requestId={id}&nullable=true{retry}"), body)
            }
            Self::Poll(handle) => ("GET", format!("{root}/{}", percent_encoded(handle)), ""),
            Self::Cancel(handle) => {
                ("POST", format!("{root}/{}/cancel", percent_encoded(handle)), "")
            }
        };
        let token = HeaderValue::try_from(format!("Bearer {}", bearer.token.expose()));
        let mut token = token.map_err(http::Error::from)?;
        token.set_sensitive(true);
        http::Request::builder()
            .method(method)
            .uri(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, token)
            .header("x-snowflake-authorization-token-type", bearer.kind)
            .body(body.as_bytes().to_vec())
    }
}

impl Api<'_> {
    async fn rows(&self, statement: Statement<'_>, role: Option<&Name>) -> Result<Rows, Failure> {
        let mut body = json!({
            "statement": statement.to_string(),
            "timeout": self.link.limit.as_secs().max(1),
            "parameters": { "QUERY_TAG": QUERY_TAG },
        });
        if let (Some(role), Some(body)) = (role, body.as_object_mut()) {
            body.insert("role".to_owned(), role.as_str().into());
        }
        let (id, body) = (unique()?.to_string(), body.to_string());
        let mut again = false;
        let submitted = retry(|| {
            let submit = Request::Submit { id: &id, again, body: &body };
            again = true;
            self.send(submit, &statement)
        });
        let handle = match submitted.await? {
            Reply::Done(rows) => return Ok(rows),
            Reply::Running(handle) => handle,
        };
        let polled = timeout(self.link.patience(), self.poll(&handle, &statement)).await;
        let found = polled.unwrap_or_else(|_elapsed| Err(too_slow()));
        if found.as_ref().is_err_and(|failure| !failure.class.is_definitive()) {
            let cancel = Request::Cancel(&handle).built(self.link.server, self.bearer);
            // Whether it could be cancelled or not, its own time limit ends it.
            let _answer = self.link.fetch(cancel).await;
        }
        found
    }

    /// Asks again until it is no longer running.
    async fn poll(&self, handle: &str, statement: &Statement<'_>) -> Result<Rows, Failure> {
        for wait in waits() {
            sleep(wait).await;
            let asked = retry(|| self.send(Request::Poll(handle), statement));
            if let Reply::Done(rows) = asked.await? {
                return Ok(rows);
            }
        }
        Err(too_slow())
    }

    async fn send(
        &self,
        request: Request<'_>,
        statement: &Statement<'_>,
    ) -> Result<Reply, Failure> {
        let answer = self.link.fetch(request.built(self.link.server, self.bearer)).await?;
        reply::api(&answer, statement, self.link.now)
    }
}
