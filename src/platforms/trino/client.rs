//! Trino's REST protocol: a statement is posted, and pages are asked for until there are no more.

use std::time::Duration;

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::classify::{Failure, Kind};
use super::credentials::RunCredentials;
use super::refusal;
use super::reply::{Info, NextUri, Place, QueryError, QueryResults};
use super::statement::Statement;
use crate::domain::{Class, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{Answer, request};
use crate::net::farewell;
use crate::net::http::Connections;

/// Largest page that is read, in bytes.
const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Most that is read of one statement's pages together, in bytes.
const BYTES_MAX: usize = 4 * PAGE_BYTES_MAX;
/// Most pages of one statement; a query that waits in a queue answers with one every second.
const PAGES_MAX: u32 = 1000;
/// Longest wait between two pages without rows: a server that does not hold requests back is not to
/// be asked as fast as it can answer.
const PACE_MAX: Duration = Duration::from_millis(100);
/// Wait before a query that failed for a reason that may pass is posted again, once.
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

    fn built(&self, base: &str) -> http::Result<http::Request<Vec<u8>>> {
        let (method, url, body) = match self {
            Self::Info => (Method::GET, format!("{base}/v1/info"), Vec::new()),
            Self::Post(_, statement) => {
                let text = statement.text().into_owned();
                (Method::POST, format!("{base}/v1/statement"), text.into_bytes())
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
        if let Some(RunCredentials { user, authorization, headers, .. }) = self.credentials() {
            for (name, value) in headers {
                built = built.header(name, value);
            }
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
    /// Server of the coordinator, and the name that it may have besides.
    pub(super) place: Place<'a>,
    /// Path of a proxy before those of Trino, such as `/trino`, or nothing.
    pub(super) prefix: &'a str,
    /// Wall clock at the start of the run, for waits that are asked for as dates.
    pub(super) now: Timestamp,
}

/// Progress of a statement. What was not ended when this is dropped is cancelled at the server, so that
/// a run that is torn down leaves no query behind.
struct Progress<'a> {
    client: &'a Client<'a>,
    credentials: &'a RunCredentials,
    next: Option<NextUri>,
    state: Option<String>,
    is_taken: bool,
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        // Credentials that were refused are not shown again, not even to clean up.
        let next = self.next.take().filter(|_| !self.credentials.is_refused());
        if let Some(uri) = next {
            self.client.cancel_later(self.credentials, &uri);
        }
    }
}

impl Client<'_> {
    /// Returns version and state of the server; none where a proxy in front of it hides them.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no answer of Trino.
    pub(super) async fn info(&self) -> Result<Option<Info>, Failure> {
        let found = retry(|| async {
            let answer = self.exchange(Request::Info).await?;
            // A proxy before the coordinator may not let its public page through.
            if matches!(answer.status, 401 | 403 | 404) {
                return Ok(None);
            }
            let info = read(&self.checked(Request::Info, answer)?, Info::is_known)?;
            Ok::<_, Failure>(Some(info))
        });
        found.await
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
            Err(failure) if failure.is_passing() && is_time_left => {
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
        let (next, state, is_taken) = (None, None, false);
        let mut progress = Progress { client: self, credentials, next, state, is_taken };
        let found = timeout_at(until.give_up, self.pages(statement, &mut progress)).await;
        let failure = match found {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(failure)) => failure,
            Err(_elapsed) => silence(progress.state.as_deref()),
        };
        let failure = failure.taken(progress.is_taken);
        if let Some(uri) = progress.next.take().filter(|_| !credentials.is_refused()) {
            let sent = self.exchange(Request::Cancel(credentials, &uri));
            drop(timeout(until.clean_up, sent).await);
        }
        Err(failure)
    }

    async fn pages(
        &self,
        statement: Statement<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>, Failure> {
        let credentials = progress.credentials;
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
            progress.is_taken = true;
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
            let uri = NextUri::parse(&uri, self.place);
            let uri = uri.map_err(|page| Failure::next_page(&page, &self.line(&page.why)))?;
            progress.next = Some(uri.clone());
            next = uri;
            asked = Request::Next(credentials, &next);
            bytes += length;
            if BYTES_MAX < bytes {
                let why = format!("the answer is larger than {BYTES_MAX} bytes");
                return Err(Failure::of(Kind::Unexpected, Class::Unavailable, &why));
            }
            if found.is_empty() {
                sleep(PACE_MAX.min(Duration::from_millis(10) * page)).await;
            }
            rows.extend(found);
        }
        let why = format!("the answer has more than {PAGES_MAX} pages");
        Err(Failure::of(Kind::Unexpected, Class::Unavailable, &why))
    }

    /// Sends a request; an answer whose status refuses is a failure.
    async fn attempt(&self, asked: Request<'_>) -> Result<Answer, Failure> {
        let answer = self.exchange(asked).await?;
        self.checked(asked, answer)
    }

    async fn exchange(&self, asked: Request<'_>) -> Result<Answer, Failure> {
        let base = format!("{}{}", self.place.origin, self.prefix);
        let built = request(asked.built(&base)).map_err(Failure::silent)?;
        self.http.fetch(built, PAGE_BYTES_MAX).await.map_err(Failure::silent)
    }

    fn checked(&self, asked: Request<'_>, answer: Answer) -> Result<Answer, Failure> {
        if answer.is_success() {
            return Ok(answer);
        }
        if let Some(credentials) = asked.credentials().filter(|_| answer.status == 401) {
            credentials.refuse();
        }
        let is_of_page = matches!(asked, Request::Next(..));
        let failure = Failure::refused(&refusal::read(&answer, is_of_page, WORDS_MAX));
        Err(failure.after(answer.retry_after(self.now)))
    }

    /// Cancels a query without waiting for the answer.
    fn cancel_later(&self, credentials: &RunCredentials, uri: &NextUri) {
        let Ok(built) = request(Request::Cancel(credentials, uri).built("")) else { return };
        let http = self.http.clone();
        farewell::send(async move {
            drop(http.fetch(built, PAGE_BYTES_MAX).await);
        });
    }

    /// Returns `text`, which is a part of an answer, without secrets on one bounded line.
    pub(super) fn line(&self, text: &str) -> String {
        self.http.redactor().line(text, WORDS_MAX)
    }

    fn cleaned(&self, error: QueryError) -> QueryError {
        let QueryError { message, error_code, error_name, error_type } = error;
        let clean = |text: Option<String>| {
            text.map(|text| self.line(&refusal::steady(&text))).filter(|text| !text.is_empty())
        };
        QueryError {
            message: clean(message),
            error_code,
            error_name: clean(error_name),
            error_type: clean(error_type),
        }
    }
}

/// Returns the failure of a query that did not end in time, whose latest `state` is known once the
/// statement was taken.
fn silence(state: Option<&str>) -> Failure {
    if let Some(state) = state {
        let why = format!("the query waits: it is {state} at the end of the time limit");
        return Failure::of(Kind::Waiting, Class::Unavailable, &why);
    }
    let why = "no answer to the statement within the time limit";
    Failure::of(Kind::Silence, Class::Unreachable, why)
}

/// Time at which a statement is abandoned, and the longest time for cleaning up after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Until {
    /// Time from which the answer is not waited for.
    pub(super) give_up: Instant,
    /// Longest wait for the server to cancel the statement.
    pub(super) clean_up: Duration,
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
        let title = refusal::title(answer, WORDS_MAX);
        let title = title.map(|title| format!(", titled [{title}]")).unwrap_or_default();
        let why = format!("what answered with HTTP {} is not Trino: {why}{title}", answer.status);
        Failure::of(Kind::Unexpected, Class::Unavailable, &why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    #[test]
    fn token_with_control_characters_is_refused_without_showing_it() {
        let credentials = RunCredentials::token(None, Secret::new("hunter2\n".to_owned()));
        let built = Request::Post(&credentials, Statement::One).built("https://a");
        let error = request(built).unwrap_err();
        assert!(!error.detail.contains("hunter2"), "{}", error.detail);
    }
}
