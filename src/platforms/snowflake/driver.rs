//! The drivers' protocol: the only one that takes passwords and workload identities. One session per role.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value as Json, json};
use tokio::time::{sleep, timeout};

use super::classify::{Cause, Failure};
use super::credentials::{Password, unique};
use super::link::{Link, QUERY_TAG, too_slow, waits};
use super::obtain::read;
use super::reply::{self, Reply, Rows};
use super::statement::{Name, Statement};
use super::workload::Workload;
use crate::domain::Secret;
use crate::net::backoff::retry;
use crate::net::exchange::percent_encoded;

/// The longest wait for a log-out or an abortion, on which nothing depends.
const LOGOUT_MAX: Duration = Duration::from_secs(2);

/// The sessions of one run.
#[derive(Debug, Default)]
pub(super) struct Driver {
    /// Sessions by role: a token, or the failure of the log-in; a refused log-in is not tried
    /// again.
    sessions: Vec<(Option<Name>, Result<Secret, Failure>)>,
}

/// Requests of the drivers' protocol; there are no others.
#[derive(Clone, Copy)]
enum Request<'a> {
    /// Opens a session, with this body.
    Login(&'a str),
    /// Runs a statement in a session, under this id.
    Query { token: &'a Secret, id: &'a str, body: &'a str },
    /// Gives up a statement, which the body names by its id.
    Abort(&'a Secret, &'a str),
    /// Ask for the statement of this id again.
    Poll(&'a Secret, &'a str),
    /// Closes a session, with its token.
    Logout(&'a Secret),
}

impl Request<'_> {
    fn built(self, server: &str, role: Option<&Name>) -> Result<http::Request<Vec<u8>>, Failure> {
        let id = unique()?;
        let (method, path, token, body) = match self {
            Self::Login(body) => {
                let role =
                    role.map(|role| format!("&roleName={}", percent_encoded(&role.identifier())));
                let role = role.unwrap_or_default();
                ("POST", format!("/session/v1/login-request?requestId={id}{role}"), None, body)
            }
            Self::Query { token, id, body } => {
                ("POST", format!("/queries/v1/query-request?requestId={id}"), Some(token), body)
            }
            Self::Abort(token, body) => {
                ("POST", format!("/queries/v1/abort-request?requestId={id}"), Some(token), body)
            }
            Self::Poll(token, query) => {
                let query = percent_encoded(query);
                ("GET", format!("/queries/{query}/result?requestId={id}"), Some(token), "")
            }
            Self::Logout(token) => {
                ("POST", format!("/session?delete=true&requestId={id}"), Some(token), "")
            }
        };
        let invalid =
            |_error| Failure::of(Cause::BadRequest, "The session's token cannot be sent.");
        let mut built = http::Request::builder()
            .method(method)
            .uri(format!("{server}{path}"))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            let value = format!("Snowflake Token=\"{}\"", token.expose());
            let mut value = HeaderValue::try_from(value).map_err(invalid)?;
            value.set_sensitive(true);
            built = built.header(AUTHORIZATION, value);
        }
        built.body(body.as_bytes().to_vec()).map_err(|error| {
            Failure::of(Cause::BadRequest, format!("The request is not valid: {error}."))
        })
    }
}

impl Driver {
    /// Runs a statement as a role, logging in first where that is still to be done; a session that
    /// ended is replaced once.
    ///
    /// # Errors
    ///
    /// Says what Snowflake said.
    pub(super) async fn ask(
        &mut self,
        link: &Link<'_>,
        proof: Proof<'_>,
        role: Option<&Name>,
        statement: Statement<'_>,
    ) -> Result<Rows, Failure> {
        let token = self.session(link, proof, role).await?;
        match rows(link, &token, statement).await {
            Err(failure) if failure.cause == Cause::SessionLost => {
                self.sessions.retain(|(of, _)| of.as_ref() != role);
                let token = self.session(link, proof, role).await?;
                rows(link, &token, statement).await
            }
            answered => answered,
        }
    }

    /// Returns the session of `role`.
    async fn session(
        &mut self,
        link: &Link<'_>,
        proof: Proof<'_>,
        role: Option<&Name>,
    ) -> Result<Secret, Failure> {
        if let Some((_, session)) = self.sessions.iter().find(|(of, _)| of.as_ref() == role) {
            return session.clone();
        }
        let body = login(link, proof).await?.to_string();
        let session = SignIn { link, role, body: &body }.session().await;
        if let Ok(token) = &session {
            link.redactor().learn(token);
        }
        self.sessions.push((role.cloned(), session.clone()));
        session
    }

    /// Closes all sessions of the run.
    pub(super) async fn close(self, link: &Link<'_>) {
        for (role, session) in self.sessions {
            let Ok(token) = session else { continue };
            if let Ok(request) = Request::Logout(&token).built(link.server, role.as_ref()) {
                let _answer = timeout(LOGOUT_MAX, link.fetch(Ok(request))).await;
            }
        }
    }
}

/// A log-in on its way.
struct SignIn<'a> {
    link: &'a Link<'a>,
    role: Option<&'a Name>,
    body: &'a str,
}

impl SignIn<'_> {
    async fn session(&self) -> Result<Secret, Failure> {
        retry(|| self.send()).await
    }

    async fn send(&self) -> Result<Secret, Failure> {
        let Self { link, role, body } = self;
        let answer = link.fetch(Ok(Request::Login(body).built(link.server, *role)?)).await?;
        reply::session(&answer, link.now)
    }
}

/// Proof of the user's identity at a log-in.
#[derive(Clone, Copy)]
pub(super) enum Proof<'a> {
    /// Password of the user.
    Password(&'a Password),
    /// Token that attests the identity of a workload.
    Workload(&'a Workload),
}

async fn login(link: &Link<'_>, proof: Proof<'_>) -> Result<Json, Failure> {
    let mut data = json!({
        "CLIENT_APP_ID": "revalidated",
        "CLIENT_APP_VERSION": env!("CARGO_PKG_VERSION"),
        "SESSION_PARAMETERS": {
            "QUERY_TAG": QUERY_TAG,
            "STATEMENT_TIMEOUT_IN_SECONDS": link.limit.as_secs().max(1),
        },
        "CLIENT_ENVIRONMENT": { "APPLICATION": "revalidated", "OS": std::env::consts::OS },
    });
    let own = match proof {
        Proof::Password(Password { account, user, secret }) => {
            let secret = read(secret, link.redactor()).await?;
            json!({ "ACCOUNT_NAME": account, "LOGIN_NAME": user, "PASSWORD": secret.expose() })
        }
        Proof::Workload(workload) => {
            let token = workload.attestation(link.now, link.redactor()).await?;
            if workload.is_of_machine() {
                let names = ["Snowflake", link.server, "workload", &workload.account];
                link.log_ins.found(&names, &[token.expose()]).await?;
            }
            let provider: &str = workload.provider.into();
            json!({
                "ACCOUNT_NAME": workload.account, "AUTHENTICATOR": "WORKLOAD_IDENTITY",
                "PROVIDER": provider, "TOKEN": token.expose(),
            })
        }
    };
    if let (Some(data), Json::Object(own)) = (data.as_object_mut(), own) {
        data.extend(own);
    }
    Ok(json!({ "data": data }))
}

async fn rows(link: &Link<'_>, token: &Secret, statement: Statement<'_>) -> Result<Rows, Failure> {
    let text = statement.to_string();
    let body = json!({ "sqlText": text, "asyncExec": false, "sequenceId": 1 }).to_string();
    let id = unique()?.to_string();
    let query = Asked { link, statement };
    let submitted = retry(|| query.send(Request::Query { token, id: &id, body: &body })).await;
    let found = match submitted {
        Ok(Reply::Done(rows)) => return Ok(rows),
        Ok(Reply::Running(query_id)) => {
            let polled = timeout(link.patience(), query.poll(token, &query_id)).await;
            polled.unwrap_or_else(|_elapsed| Err(too_slow()))
        }
        Err(failure) if matches!(failure.cause, Cause::NoAnswer(_)) => Err(failure),
        Err(failure) => return Err(failure),
    };
    if found.as_ref().is_err_and(|failure| !failure.class.is_definitive()) {
        // As Snowflake's drivers do; whether it could be aborted or not, its own time limit ends it.
        let body = json!({ "sqlText": text, "requestId": id }).to_string();
        if let Ok(request) = Request::Abort(token, &body).built(link.server, None) {
            let _answer = timeout(LOGOUT_MAX, link.fetch(Ok(request))).await;
        }
    }
    found
}

/// A statement on its way.
struct Asked<'a> {
    link: &'a Link<'a>,
    statement: Statement<'a>,
}

impl Asked<'_> {
    /// Asks again until it is no longer running.
    async fn poll(&self, token: &Secret, id: &str) -> Result<Rows, Failure> {
        for wait in waits() {
            sleep(wait).await;
            let asked = retry(|| self.send(Request::Poll(token, id)));
            if let Reply::Done(rows) = asked.await? {
                return Ok(rows);
            }
        }
        Err(too_slow())
    }

    async fn send(&self, request: Request<'_>) -> Result<Reply, Failure> {
        let Self { link, statement } = self;
        let answer = link.fetch(Ok(request.built(link.server, None)?)).await?;
        reply::query(&answer, statement, link.now)
    }
}
