//! HTTP exchanges: one request and its whole answer, bounded, with a failure in one line.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::backoff::{Backoff, Retryable};
use super::http::{BodyError, Connections, classify, read_capped};
pub(crate) use crate::domain::percent_encoded;
use crate::domain::{Class, Redactor, Timestamp};

/// Longest header value that is shown, in characters.
const HEADER_MAX: usize = 200;
/// Longest title of a page that is shown, in characters.
const TITLE_MAX: usize = 100;

/// Whole answer of a server.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    /// Status code of the answer.
    pub(crate) status: u16,
    /// Headers as they were sent.
    pub(crate) headers: HeaderMap,
    /// Body as sent, bounded.
    pub(crate) body: Vec<u8>,
    /// Secrets of the run that asked.
    pub(crate) redactor: Redactor,
}

/// Reason why there is no whole answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NoAnswer {
    /// Error class, which decides about retries.
    pub(crate) class: Class,
    /// Reason in one line that never shows the URL, without a final period.
    pub(crate) detail: String,
}

impl Retryable for NoAnswer {
    fn backoff(&self) -> Backoff {
        Backoff::of(self.class)
    }
}

impl Answer {
    /// True for 200 to 299.
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// True for 300 to 399, which are never followed.
    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }

    /// Returns the value of the header `name` in one bounded line without secrets.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(|value| self.line(value, HEADER_MAX))
    }

    /// Returns `text`, which is a part of the answer, without secrets on one line of at most
    /// `chars_max` characters.
    pub(crate) fn line(&self, text: &str, chars_max: usize) -> String {
        self.redactor.line(text, chars_max)
    }

    /// Returns the body read as JSON, of any content type.
    ///
    /// # Errors
    ///
    /// Names the fault without showing any of the body, which may hold a token.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match error.classify() {
                Category::Io | Category::Syntax => "it is not JSON",
                Category::Data => "it is JSON of another shape",
                Category::Eof if self.body.is_empty() => return "it is empty".to_owned(),
                Category::Eof => "the JSON in it ends early",
            };
            let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_else(|| "no".to_owned());
            format!("{what} ({kind} content type, line {})", error.line())
        })
    }

    /// Returns the title of a page, in one bounded line without secrets: what a gateway, a proxy or a
    /// portal says of itself.
    pub(crate) fn title(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let lower = text.to_ascii_lowercase();
        let start = lower.find("<title")?;
        let open = lower.get(start..)?.find('>')?.checked_add(start)?.checked_add(1)?;
        let end = lower.get(open..)?.find("</title")?.checked_add(open)?;
        let title = self.line(text.get(open..end)?.trim(), TITLE_MAX);
        (!title.is_empty()).then_some(title)
    }

    /// Returns what is wrong with an answer that should be JSON, for `reason`; a page is named by its
    /// title.
    pub(crate) fn unlike_json(&self, reason: String) -> String {
        self.title().map_or(reason, |title| format!("it is a page titled [{title}]"))
    }

    /// Returns the wait that `Retry-After` asks for.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(&self.headers, now)
    }
}

/// Never shows headers or body: they may hold tokens.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, headers: _, body, redactor: _ } = self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("bytes", &body.len())
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// Sends `request` to its own address and reads the answer, as [`Self::fetch`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Self::fetch`].
    pub(super) async fn exchanged(
        &self,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Result<Answer, NoAnswer> {
        let silent = |error: reqwest::Error| {
            let (class, detail) = classify(&error);
            NoAnswer { class, detail: self.redactor().redact(&detail) }
        };
        let mut response = self.execute(request).await.map_err(silent)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = read_capped(response, bytes_max).await.map_err(|error| match error {
            BodyError::TooLarge(_) => {
                NoAnswer { class: Class::Unavailable, detail: error.to_string() }
            }
            BodyError::Cut(error) => silent(error),
        })?;
        Ok(Answer { status, headers, body, redactor: self.redactor().clone() })
    }
}

/// Converts a request so that it can be sent.
///
/// # Errors
///
/// Fails for a URL or headers that cannot be sent; the configuration is wrong then.
pub(crate) fn request(
    built: http::Result<http::Request<Vec<u8>>>,
) -> Result<reqwest::Request, NoAnswer> {
    let invalid = |detail: String| NoAnswer { class: Class::Invalid, detail };
    let built = built.map_err(|error| invalid(format!("the request is not valid: {error}")))?;
    built.try_into().map_err(|_error: reqwest::Error| {
        // The library's words show the URL.
        invalid("the request is not valid: its URL cannot be used".to_owned())
    })
}

/// Returns the wait that `Retry-After` asks for, as a number of seconds or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_jiff(date).since(now))
}

/// Encodes `pairs` as the body of a form.
pub(crate) fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now: Timestamp = "2026-11-22T21:00:00Z".parse().unwrap();
        let table = [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 120 ", Some(120)),
            ("18446744073709551616", Some(u64::MAX)),
            ("Sun, 22 Nov 2026 21:02:00 GMT", Some(120)),
            ("Sun, 22 Nov 2026 20:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1e9", None),
            ("soon", None),
            ("120, 240", None),
            ("Sun, 99 Nov 2026 20:00:00 GMT", None),
            ("ä", None),
        ];
        for (text, seconds) in table {
            let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn unreadable_body_is_described_without_showing_it() {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("text/html"))];
        let table = [
            ("", "it is empty"),
            ("\"hunter2", "the JSON in it ends early (text/html content type, line 1)"),
            ("<p>hunter2</p>", "it is not JSON (text/html content type, line 1)"),
            ("\"hunter2\"", "it is JSON of another shape (text/html content type, line 1)"),
        ];
        for (body, expected) in table {
            let headers = HeaderMap::from_iter(kind.clone());
            let answer = Answer {
                status: 200,
                headers,
                body: body.as_bytes().to_vec(),
                ..Answer::default()
            };
            assert_eq!(answer.json::<u64>().unwrap_err(), expected);
            assert!(!format!("{answer:?}").contains("hunter2"));
        }
    }

    #[test]
    fn page_is_named_by_its_title_without_secrets() {
        let table = [
            ("<html><head><title>Sign\n in</title>", Some("Sign in")),
            ("<TITLE lang=\"en\"> 403 hunter2-hunter2 </TITLE>", Some("403 [REDACTED]")),
            ("<title></title>", None),
            ("<title>no end", None),
            ("{\"title\":\"x\"}", None),
            ("\u{130}<title>\u{130}x</title>", Some("\u{130}x")),
        ];
        for (body, expected) in table {
            let answer = Answer { body: body.as_bytes().to_vec(), ..Answer::default() };
            answer.redactor.learn_text("hunter2-hunter2");
            assert_eq!(answer.title().as_deref(), expected, "{body}");
            let found = answer.unlike_json("it is not JSON".to_owned());
            assert_eq!(found.contains("titled"), expected.is_some(), "{found}");
        }
    }

    #[test]
    fn reserved_characters_are_encoded_in_forms() {
        assert_eq!(form(&[("a b", "c&d"), ("e", "ü")]), b"a+b=c%26d&e=%C3%BC");
    }
}
