//! Signed GETs, one unsigned form, and the answers to both.

use std::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, HOST};
use reqsign_aws_v4::{Credential, EMPTY_STRING_SHA256, RequestSigner};
use reqsign_core::{Context, SignRequest};

use super::classify::{Failure, NONE, Refusal};
use super::xml::{Element, ReplyError};
use crate::domain::{Class, Redactor, Secret, Timestamp};
use crate::net::backoff::retry;
use crate::net::exchange::{Answer, form, percent_encoded, request, retry_after};
use crate::net::http::Connections;

/// The largest answer that is read, in bytes; a full page of locations has about 400 KiB.
const BODY_MAX: usize = 1024 * 1024;
/// The longest piece of AWS's words that is kept, in characters.
const WORDS_MAX: usize = 500;
/// The wait that some services ask for, in milliseconds.
const RETRY_AFTER_MS: &str = "x-amz-retry-after";

/// A GET that is to be signed. Platforms make it from an enum of all the requests they can spell.
#[derive(Debug)]
pub(crate) struct Call {
    service: &'static str,
    url: String,
    account: Option<String>,
    /// Class of a refusal that is documented nowhere.
    unknown: Class,
}

impl Call {
    /// Returns a GET of `url`, signed for `service`.
    pub(crate) const fn get(service: &'static str, url: String) -> Self {
        Self { service, url, account: None, unknown: Class::Unavailable }
    }

    /// Marks the call as a log-in: an undocumented refusal of it is one of the credentials.
    pub(crate) fn log_in(self) -> Self {
        Self { unknown: Class::Denied, ..self }
    }

    /// Adds the account that the call is about.
    pub(crate) fn about(self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self }
    }
}

/// Sends requests to one region during one run.
#[derive(Debug)]
pub(crate) struct Client {
    http: Connections,
    region: String,
    now: Timestamp,
    /// Signing needs nothing of it.
    context: Context,
}

impl Client {
    /// Sends over `http`, signed for `region`; `now` is what waits given as dates count from.
    pub(crate) fn new(http: Connections, region: &str, now: Timestamp) -> Self {
        Self { http, region: region.to_owned(), now, context: Context::new() }
    }

    /// Returns the connections that carry the requests.
    pub(super) const fn connections(&self) -> &Connections {
        &self.http
    }

    /// Returns the region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// Returns the secrets of the run.
    pub(super) const fn redactor(&self) -> &Redactor {
        self.http.redactor()
    }

    /// Returns `text`, which is a part of an answer, without secrets on one bounded line.
    pub(crate) fn line(&self, text: &str) -> String {
        self.redactor().line(text, WORDS_MAX)
    }

    /// Sends `call`, signed with `credential`, and reads the answer with `read`. What may go better
    /// is tried three times.
    ///
    /// # Errors
    ///
    /// Returns the refusal of AWS, or the reason why there is no answer.
    pub(crate) async fn call<T>(
        &self,
        call: &Call,
        credential: &Credential,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        retry(async || {
            let answer = self.http.fetch(self.signed(call, credential).await?, BODY_MAX).await?;
            let id = credential.access_key_id.as_str();
            let shown = |text: &str| self.line(&text.replace(id, &shown_key(id)));
            self.understood(&answer, read, call.unknown, shown)
        })
        .await
    }

    /// Posts `pairs` to `url`, unsigned, and reads the answer with `read`; `secret` is among the
    /// pairs. What may go better is tried three times.
    ///
    /// # Errors
    ///
    /// Returns the refusal of AWS, or the reason why there is no answer.
    pub(super) async fn post<T>(
        &self,
        url: &str,
        pairs: &[(&str, &str)],
        secret: &Secret,
        read: fn(&Element) -> Result<T, ReplyError>,
    ) -> Result<T, Failure> {
        self.redactor().learn(secret);
        retry(async || {
            let built = http::Request::post(url)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
                .body(form(pairs));
            let answer = self.http.fetch(request(built)?, BODY_MAX).await?;
            self.understood(&answer, read, Class::Denied, |text| self.line(text))
        })
        .await
    }

    /// Parses the body of `answer`; a refusal that is documented nowhere is of class `unknown`.
    fn understood<T>(
        &self,
        answer: &Answer,
        read: fn(&Element) -> Result<T, ReplyError>,
        unknown: Class,
        clean: impl Fn(&str) -> String,
    ) -> Result<T, Failure> {
        let unexpected = |error: &dyn std::fmt::Display| {
            let id = clean(&request_id(answer, None));
            Failure::unexpected(answer.status, &clean(&error.to_string()), &id)
        };
        let failure = match Element::parse(&answer.body) {
            Ok(root) if answer.is_success() => match read(&root) {
                Ok(value) => return Ok(value),
                Err(error) => unexpected(&error),
            },
            Ok(root) if root.first("Code").is_some() => {
                Failure::refused(refusal(answer, &root, &clean), unknown)
            }
            Ok(_) => unexpected(&"no error code in it"),
            Err(error) => unexpected(&error),
        };
        Err(failure.after(hint(answer, self.now)))
    }

    async fn signed(
        &self,
        call: &Call,
        credential: &Credential,
    ) -> Result<reqwest::Request, Failure> {
        let fault = |text: String| {
            let detail = self.line(&text);
            Failure::silent(Class::Local, format!("the request cannot be signed: {detail}"))
        };
        self.redactor().learn_text(&credential.secret_access_key);
        self.redactor().learn_text(credential.session_token.as_deref().unwrap_or_default());
        let Call { service, url, account, unknown: _ } = call;
        let mut built = http::Request::builder()
            .method(Method::GET)
            .uri(url)
            .header("x-amz-content-sha256", EMPTY_STRING_SHA256);
        if let Some(account) = account {
            built = built.header("x-amz-account-id", account);
        }
        let built = built.body(Vec::new()).map_err(|error| fault(error.to_string()))?;
        let (mut parts, body) = built.into_parts();
        RequestSigner::new(service, &self.region)
            .sign_request(&self.context, &mut parts, Some(credential), None)
            .await
            .map_err(|error| fault(error.to_string()))?;
        // The client writes the same host itself.
        parts.headers.remove(HOST);
        Ok(request(Ok(http::Request::from_parts(parts, body)))?)
    }
}

/// Returns the wait that the server asks for.
fn hint(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let milliseconds = answer.header(RETRY_AFTER_MS).and_then(|text| text.trim().parse().ok());
    milliseconds.map(Duration::from_millis).or_else(|| retry_after(&answer.headers, now))
}

fn refusal(answer: &Answer, root: &Element, clean: &impl Fn(&str) -> String) -> Refusal {
    let words = |name| root.first(name).map(clean);
    let region = answer.header("x-amz-bucket-region").map(|region| clean(&region));
    Refusal {
        status: answer.status,
        name: words("Code").unwrap_or_else(|| NONE.to_owned()),
        message: words("Message").unwrap_or_else(|| NONE.to_owned()),
        request_id: clean(&request_id(answer, Some(root))),
        region: region.or_else(|| words("Region")),
    }
}

/// Returns an access key id as it may be shown: its last four characters.
pub(crate) fn shown_key(id: &str) -> String {
    let tail = id.char_indices().rev().nth(3).and_then(|(at, _)| id.get(at..)).unwrap_or_default();
    format!("…{tail}")
}

fn request_id(answer: &Answer, root: Option<&Element>) -> String {
    let found =
        ["x-amz-request-id", "x-amzn-requestid"].iter().find_map(|name| answer.header(name));
    let written = || {
        let root = root?;
        let id = root.first("RequestId").or_else(|| root.first("RequestID"));
        id.map(str::to_owned)
    };
    found.or_else(written).unwrap_or_else(|| NONE.to_owned())
}

/// Returns `pairs` as a query, with every reserved character encoded as signatures need it.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(key, value)| format!("{key}={}", percent_encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_key_is_shown_by_its_tail() {
        assert_eq!(shown_key("AKIAIOSFODNN7EXAMPLE"), "…MPLE");
        assert_eq!(shown_key("AK"), "…");
    }

    #[test]
    fn a_wait_is_given_in_milliseconds_or_as_http_has_it() {
        let now: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let date = "Sun, 22 Nov 2026 21:00:03 GMT";
        let cases = [
            (vec![], None),
            (vec![("retry-after", "2")], Some(2_000)),
            (vec![("retry-after", date)], Some(3_000)),
            (vec![("x-amz-retry-after", "1500")], Some(1_500)),
            (vec![("x-amz-retry-after", "1500"), ("retry-after", "9")], Some(1_500)),
            (vec![("x-amz-retry-after", "soon"), ("retry-after", "9")], Some(9_000)),
        ];
        for (given, expected) in cases {
            let header = |(name, value): &(&'static str, &'static str)| {
                let name = http::HeaderName::from_static(name);
                (name, http::HeaderValue::from_static(value))
            };
            let headers = given.iter().map(header).collect();
            let answer = Answer { status: 503, headers, ..Answer::default() };
            assert_eq!(hint(&answer, now), expected.map(Duration::from_millis), "{given:?}");
        }
    }
}
