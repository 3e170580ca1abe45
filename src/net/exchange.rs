//! One request and its whole answer: bounded, with what failed said in one line, and tried again
//! where that can help.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::Instant;

use super::http::{BodyError, Connections, classify, read_capped};
use crate::domain::{Class, Timestamp, one_line};

/// The longest value of a header that is shown, in characters.
const HEADER_MAX: usize = 200;
/// Waits before the second and the third attempt.
const BACKOFF: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// The longest wait that a server can ask for within a run; one that asks for more is left alone.
const HINT_MAX: Duration = Duration::from_secs(5);

/// An answer, whole.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The status line's number.
    pub(crate) status: u16,
    /// As sent.
    pub(crate) headers: HeaderMap,
    /// As sent, bounded.
    pub(crate) body: Vec<u8>,
}

/// There is no whole answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NoAnswer {
    /// Whether trying again can help.
    pub(crate) class: Class,
    /// Why, in one line that never shows the URL, without a final period.
    pub(crate) detail: String,
}

/// A failure of one attempt, as [`retried`] looks at it.
pub(crate) trait Attempt {
    /// Whether trying again can help.
    fn class(&self) -> Class;

    /// The wait that the server asked for.
    fn hint(&self) -> Option<Duration> {
        None
    }
}

impl Attempt for NoAnswer {
    fn class(&self) -> Class {
        self.class
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

    /// The value of the header `name` in one bounded line.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(|value| one_line(value, HEADER_MAX))
    }

    /// The body read as JSON, whatever its type is said to be.
    ///
    /// # Errors
    ///
    /// Says what is wrong without showing any of the body, which may hold a token.
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

    /// The wait that the server asks for, as a number of seconds or a date.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        retry_after(&self.headers, now)
    }
}

/// Never shows headers or body: they may hold tokens.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { status, headers: _, body } = self;
        f.debug_struct("Answer")
            .field("status", status)
            .field("bytes", &body.len())
            .finish_non_exhaustive()
    }
}

impl Connections {
    /// Sends `request` and reads the answer, at most `bytes_max` of its body.
    ///
    /// # Errors
    ///
    /// Says why there is no whole answer. A body that is too large is [`Class::Unavailable`]: what
    /// sends one is not the platform.
    pub(crate) async fn fetch(
        &self,
        request: reqwest::Request,
        bytes_max: usize,
    ) -> Result<Answer, NoAnswer> {
        let silent = |error: reqwest::Error| {
            let (class, detail) = classify(&error);
            NoAnswer { class, detail }
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
        Ok(Answer { status, headers, body })
    }
}

/// A request of our own, ready to be sent.
///
/// # Errors
///
/// Says what in the URL or the headers cannot be sent; the configuration is wrong then.
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

/// Makes up to three attempts while they fail with what may pass by itself.
///
/// The attempts are of one type, and not what an `AsyncFnMut` returns, because the compiler cannot
/// tell that those are `Send` where a validator's future is boxed.
///
/// # Errors
///
/// The last failure.
pub(crate) async fn retried<T, E: Attempt, F: Future<Output = Result<T, E>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, E> {
    for wait in BACKOFF {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => {
                let wait = failure.hint().unwrap_or(wait);
                if !may_pass(failure.class()) || HINT_MAX < wait {
                    return Err(failure);
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
    attempt().await
}

/// A failure to open a session, as [`persist`] looks at it.
pub(crate) trait Persistent {
    /// How long to pause before each further attempt, in seconds; empty when none can help.
    fn pauses(&self) -> &'static [u64];
}

/// Makes one attempt to open a session, and more after a pause while the failure may pass and another
/// attempt of `longest` fits into `limit`.
///
/// # Errors
///
/// The last failure.
pub(crate) async fn persist<T, E: Persistent, F: Future<Output = Result<T, E>>>(
    limit: Duration,
    longest: Duration,
    attempt: impl Fn() -> F,
) -> Result<T, E> {
    let start = Instant::now();
    let mut made = 0;
    loop {
        let failure = match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => failure,
        };
        let pause = failure.pauses().get(made).copied().map(Duration::from_secs);
        let Some(pause) = pause.filter(|pause| start.elapsed() + *pause + longest <= limit) else {
            return Err(failure);
        };
        tokio::time::sleep(pause).await;
        made += 1;
    }
}

/// True when another attempt within the run may go better.
const fn may_pass(class: Class) -> bool {
    match class {
        Class::Throttled | Class::Unavailable | Class::Unreachable => true,
        Class::Denied | Class::Missing | Class::Invalid | Class::Expired | Class::Ours => false,
    }
}

/// The wait that `Retry-After` asks for, as a number of seconds or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_jiff(date).since(now))
}

/// `pairs` as the body of a form.
pub(crate) fn form(pairs: &[(&str, &str)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
}

/// RFC 3986 with nothing reserved left as it is: safe as one segment of a path and as a value in a
/// query.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let escape = format!("%{byte:02X}");
                encoded += &escape;
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_wait_is_a_number_of_seconds_or_a_date() {
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
    fn what_is_wrong_with_a_body_is_said_without_showing_it() {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("text/html"))];
        let table = [
            ("", "it is empty"),
            ("\"hunter2", "the JSON in it ends early (text/html content type, line 1)"),
            ("<p>hunter2</p>", "it is not JSON (text/html content type, line 1)"),
            ("\"hunter2\"", "it is JSON of another shape (text/html content type, line 1)"),
        ];
        for (body, expected) in table {
            let headers = HeaderMap::from_iter(kind.clone());
            let answer = Answer { status: 200, headers, body: body.as_bytes().to_vec() };
            assert_eq!(answer.json::<u64>().unwrap_err(), expected);
            assert!(!format!("{answer:?}").contains("hunter2"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_tried_again_and_not_for_long() {
        #[derive(Debug)]
        struct Failed(Class, Option<u64>);
        impl Attempt for Failed {
            fn class(&self) -> Class {
                self.0
            }
            fn hint(&self) -> Option<Duration> {
                self.1.map(Duration::from_secs)
            }
        }
        let table = [
            (Class::Denied, None, 1),
            (Class::Ours, None, 1),
            (Class::Unreachable, None, 3),
            (Class::Throttled, Some(5), 3),
            (Class::Throttled, Some(6), 1),
        ];
        for (class, hint, expected) in table {
            let mut tries = 0;
            let failed = retried(|| {
                tries += 1;
                std::future::ready(Err::<(), _>(Failed(class, hint)))
            });
            assert_eq!(failed.await.unwrap_err().0, class);
            assert_eq!(tries, expected, "{class:?} {hint:?}");
        }
        let mut tries = 0;
        let second = retried(|| {
            tries += 1;
            let failed = Failed(Class::Unavailable, None);
            std::future::ready(if tries == 2 { Ok(tries) } else { Err(failed) })
        });
        assert_eq!(second.await.unwrap(), 2);
    }

    #[test]
    fn nothing_reserved_is_left_in_a_path_or_a_query() {
        assert_eq!(percent_encoded("a b/ü*:+=&~"), "a%20b%2F%C3%BC%2A%3A%2B%3D%26~");
        assert_eq!(form(&[("a b", "c&d"), ("e", "ü")]), b"a+b=c%26d&e=%C3%BC");
    }
}
