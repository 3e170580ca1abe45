//! Trino's REST protocol: a statement is posted, and pages are asked for until there are no more.

use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::Url;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::classify::{Cause, Failure};
use super::credentials::RunCredentials;
use super::reply::{Info, NextUri, QueryError, QueryResults};
use super::statement::Statement;
use crate::domain::{Class, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{Answer, NoAnswer, request};
use crate::net::http::Connections;

/// The largest page that is read, in bytes.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// The most that is read of one statement's pages together, in bytes.
const BYTES_MAX: usize = 4 * PAGE_BYTES_MAX;
/// The most pages of one statement; a query that waits in a queue answers with one every second.
const PAGES_MAX: u32 = 1000;
/// The longest wait between two pages without rows: a server that does not hold requests back is
/// not to be asked as fast as it can answer.
const PACE_MAX: Duration = Duration::from_millis(100);
/// The wait before a query that failed for a reason that may pass is posted again, once.
const SECOND_TRY_AFTER: Duration = Duration::from_secs(1);
/// Longest text of the server that is kept, in characters.
const WORDS_MAX: usize = 300;

/// Every request this platform sends.
#[derive(Clone, Copy, Debug)]
enum Request<'a> {
    /// Gets the version and state of the server, without credentials.
    Info,
    /// Posts a statement, which is answered with its first page.
    Post(&'a RunCredentials, Statement<'a>),
    /// Gets the next page of a statement.
    Next(&'a RunCredentials, &'a NextUri),
    /// Cancels a statement, so that the server frees its resources.
    Cancel(&'a RunCredentials, &'a NextUri),
}

impl<'a> Request<'a> {
    /// Returns the credentials that are shown.
    const fn credentials(&self) -> Option<&'a RunCredentials> {
        match self {
            Self::Info => None,
            Self::Post(credentials, _)
            | Self::Next(credentials, _)
            | Self::Cancel(credentials, _) => Some(credentials),
        }
    }

    fn built(&self, origin: &str) -> http::Result<http::Request<Vec<u8>>> {
        let (method, url, body) = match self {
            Self::Info => (Method::GET, format!("{origin}/v1/info"), Vec::new()),
            Self::Post(_, statement) => {
                let text = statement.text().into_owned();
                (Method::POST, format!("{origin}/v1/statement"), text.into_bytes())
            }
            Self::Next(_, uri) => (Method::GET, uri.as_str().to_owned(), Vec::new()),
            Self::Cancel(_, uri) => (Method::DELETE, uri.as_str().to_owned(), Vec::new()),
        };
        let mut built = http::Request::builder()
            .method(method)
            .uri(url)
            .header(ACCEPT, "application/json")
            .header("x-trino-source", "revalidated");
        if matches!(self, Self::Post(..)) {
            built = built.header(CONTENT_TYPE, "text/plain; charset=utf-8");
        }
        if let Some(RunCredentials { user, authorization, .. }) = self.credentials() {
            if let Some(user) = user {
                built = built.header("x-trino-user", user);
            }
            if let Some(authorization) = authorization {
                let mut value = HeaderValue::from_str(authorization.expose())?;
                value.set_sensitive(true);
                built = built.header(AUTHORIZATION, value);
            }
        }
        built.body(body)
    }
}

/// Sends requests to one coordinator during one run.
#[derive(Debug)]
pub(super) struct Client<'a> {
    /// Connections to send over.
    pub(super) http: Connections,
    /// Address of the coordinator, such as `https://host:8443`.
    pub(super) origin: &'a str,
    /// Wall clock at the start of the run, for waits that are asked for as dates.
    pub(super) now: Timestamp,
}

/// Progress of a statement.
#[derive(Default)]
struct Progress {
    next: Option<NextUri>,
    state: Option<String>,
}

impl Client<'_> {
    /// Returns version and state of the server; none where a proxy in front of it hides them.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no answer of Trino.
    pub(super) async fn info(&self) -> Result<Option<Info>, Failure> {
        let found = retry(|| async {
            let answer = self.attempt(Request::Info).await?;
            let info = read(&answer, Info::is_known)?;
            Ok(Some(info))
        });
        match found.await {
            Err(failure) if is_hidden(&failure) => Ok(None),
            found => found,
        }
    }

    /// Runs `statement` and returns the first column of its rows. It is abandoned at `until`.
    ///
    /// # Errors
    ///
    /// Returns the refusal of Trino, or the reason why there is no answer.
    pub(super) async fn query(
        &self,
        credentials: &RunCredentials,
        statement: Statement<'_>,
        until: Until,
    ) -> Result<Vec<String>, Failure> {
        let found = self.run(credentials, statement, until).await;
        let is_time_left = Instant::now() + SECOND_TRY_AFTER < until.give_up;
        match found {
            Err(failure) if failure.is_passing_query() && is_time_left => {
                sleep(SECOND_TRY_AFTER).await;
                self.run(credentials, statement, until).await
            }
            found => found,
        }
    }

    async fn run(
        &self,
        credentials: &RunCredentials,
        statement: Statement<'_>,
        until: Until,
    ) -> Result<Vec<String>, Failure> {
        let mut progress = Progress::default();
        let found =
            timeout_at(until.give_up, self.pages(credentials, statement, &mut progress)).await;
        let failure = match found {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(failure)) => failure,
            Err(_elapsed) => {
                let state = progress.state.map(|state| format!("; it is {state}"));
                let state = state.unwrap_or_default();
                let why = format!("the query did not end within the time limit{state}");
                Failure::silent(Class::Unreachable, &why)
            }
        };
        // Credentials that were refused are not shown again, not even to clean up.
        if let Some(uri) = progress.next.filter(|_| !credentials.is_refused()) {
            let sent = self.attempt(Request::Cancel(credentials, &uri));
            drop(timeout(until.clean_up, sent).await);
        }
        Err(failure)
    }

    async fn pages(
        &self,
        credentials: &RunCredentials,
        statement: Statement<'_>,
        progress: &mut Progress,
    ) -> Result<Vec<String>, Failure> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let mut asked = Request::Post(credentials, statement);
        let mut next;
        for page in 0..PAGES_MAX {
            let (mut results, length) = retry(|| async {
                let answer = self.attempt(asked).await?;
                Ok::<_, Failure>((read(&answer, QueryResults::is_known)?, answer.body.len()))
            })
            .await?;
            progress.state = results.state().map(|state| self.line(state));
            progress.next = None;
            if let Some(error) = results.error {
                let id = self.line(results.id.as_deref().unwrap_or("none"));
                return Err(Failure::query(&id, &self.cleaned(error)));
            }
            let found = results.first_column();
            let Some(uri) = results.next_uri else {
                rows.extend(found);
                return Ok(rows);
            };
            let uri = NextUri::parse(&uri, self.origin);
            let uri = uri.map_err(|why| Failure::silent(Class::Invalid, &self.line(&why)))?;
            progress.next = Some(uri.clone());
            next = uri;
            asked = Request::Next(credentials, &next);
            bytes += length;
            if BYTES_MAX < bytes {
                let why = format!("the answer is larger than {BYTES_MAX} bytes");
                return Err(Failure::silent(Class::Unavailable, &why));
            }
            if found.is_empty() {
                sleep(PACE_MAX.min(Duration::from_millis(10) * page)).await;
            }
            rows.extend(found);
        }
        let why = format!("the answer has more than {PAGES_MAX} pages");
        Err(Failure::silent(Class::Unavailable, &why))
    }

    async fn attempt(&self, asked: Request<'_>) -> Result<Answer, Failure> {
        let built = request(asked.built(self.origin))?;
        let answer = self.http.fetch(built, PAGE_BYTES_MAX).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        if let Some(credentials) = asked.credentials().filter(|_| answer.status == 401) {
            credentials.refuse();
        }
        let challenge = answer.header("www-authenticate");
        let failure = Failure::refused(answer.status, &words(&answer), challenge.as_deref());
        Err(failure.after(answer.retry_after(self.now)))
    }

    /// Returns `text`, which is a part of an answer, without secrets on one bounded line.
    pub(super) fn line(&self, text: &str) -> String {
        self.http.redactor().line(text, WORDS_MAX)
    }

    fn cleaned(&self, error: QueryError) -> QueryError {
        let QueryError { message, error_code, error_name, error_type } = error;
        let clean = |text: Option<String>| {
            text.map(|text| self.line(&text)).filter(|text| !text.is_empty())
        };
        QueryError {
            message: clean(message),
            error_code,
            error_name: clean(error_name),
            error_type: clean(error_type),
        }
    }
}

/// Time at which a statement is abandoned, and the longest time for cleaning up after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// Time from which the answer is not waited for.
    pub(super) give_up: Instant,
    /// Longest wait for the server to cancel the statement.
    pub(super) clean_up: Duration,
}

/// True when a proxy before the coordinator does not let its public page through.
fn is_hidden(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::Refused { status: 401 | 403 | 404, .. })
}

/// Reads an answer that `is_known` knows as one of Trino's.
fn read<T: serde::de::DeserializeOwned>(
    answer: &Answer,
    is_known: impl Fn(&T) -> bool,
) -> Result<T, Failure> {
    let read: Result<T, String> = answer.json();
    let read = read.and_then(|read| {
        if is_known(&read) { Ok(read) } else { Err("nothing in it is known".to_owned()) }
    });
    read.map_err(|why| {
        let why = format!("what answered with HTTP {} is not Trino: {why}", answer.status);
        NoAnswer { class: Class::Unavailable, detail: why }.into()
    })
}

/// Returns the text of a refusal in one bounded line; a page for people is left out.
fn words(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    if answer.is_redirect() {
        let to = answer.header("location").and_then(|text| Url::parse(&text).ok());
        let to = to.map_or_else(|| "elsewhere".to_owned(), |to| to.origin().ascii_serialization());
        return answer
            .line(&format!("the server sends to [{to}], which is not followed"), WORDS_MAX);
    }
    if text.trim_start().starts_with('<') {
        return "a page for a browser".to_owned();
    }
    answer.line(&text, WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    #[test]
    fn token_with_control_characters_is_refused_without_showing_it() {
        let credentials = RunCredentials::token(None, &Secret::new("hunter2\n".to_owned()));
        let built = Request::Post(&credentials, Statement::One).built("https://a");
        let error = request(built).unwrap_err();
        assert!(!error.detail.contains("hunter2"), "{}", error.detail);
    }
}
