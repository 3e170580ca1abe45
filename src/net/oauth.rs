//! `OAuth` 2.0 client: token requests, the client-credentials grant, and tokens cached until shortly
//! before they expire.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::backoff::{Backoff, Retryable, retry};
use super::discovered;
use super::exchange::{Answer, NoAnswer, form, request};
use super::http::Connections;
use crate::domain::{Class, Secret, Timestamp, one_line};

/// The largest answer that is read, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// The longest error text that is kept, in characters.
const WORDS_MAX: usize = 300;
/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_mins(5);
/// The life of a token that does not tell its own.
const LIFE_DEFAULT: Duration = Duration::from_mins(10);

/// What is asked of a token endpoint.
#[derive(Clone, Copy)]
pub(crate) struct TokenRequest<'a> {
    /// The endpoint.
    pub(crate) url: &'a str,
    /// The grant, in the order it is sent.
    pub(crate) form: &'a [(&'a str, &'a str)],
    /// Client id and secret, when they are sent as HTTP Basic credentials.
    pub(crate) basic: Option<(&'a str, &'a Secret)>,
    /// Configured servers that led to a discovered endpoint; none when the configuration names the
    /// endpoint, or it is built in.
    pub(crate) anchors: Option<&'a [&'a str]>,
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// What is sent as bearer token.
    pub(crate) value: Secret,
    /// How long it lives from the moment it was asked for.
    pub(crate) life: Duration,
}

/// There is no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NoToken {
    /// The endpoint refused.
    Refused(Refusal),
    /// No answer came, or none that a token endpoint gives.
    Silent(NoAnswer),
}

/// A refusal in the endpoint's own words, each on one line and bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// Whether trying again can help.
    pub(crate) class: Class,
    /// The status of the answer.
    pub(crate) status: u16,
    /// The error code, such as `invalid_client`.
    pub(crate) error: String,
    /// The sentence with it; may be empty.
    pub(crate) description: String,
    /// Wait that the endpoint asked for.
    retry_after: Option<Duration>,
}

impl NoToken {
    /// Returns the error class.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class,
            Self::Silent(silent) => silent.class,
        }
    }

    /// What happened in one line without a final period:
    /// `the token endpoint responded with code [400], error [invalid_grant] and message [...]`.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Refused(Refusal { status, error, description, .. }) => format!(
                "the token endpoint responded with code [{status}], error [{error}] and message \
                 [{description}]"
            ),
            Self::Silent(NoAnswer { detail, .. }) => format!("the token endpoint: {detail}"),
        }
    }
}

impl Retryable for NoToken {
    fn backoff(&self) -> Backoff {
        match self {
            Self::Refused(refusal) => Backoff::of(refusal.class).or_after(refusal.retry_after),
            Self::Silent(silent) => silent.backoff(),
        }
    }
}

impl From<NoAnswer> for NoToken {
    fn from(silent: NoAnswer) -> Self {
        Self::Silent(silent)
    }
}

/// Asks for a token; what may go better is tried three times, a refusal once.
///
/// # Errors
///
/// Says what the endpoint said, or why there is no answer of its.
pub(crate) async fn token(
    connections: &Connections,
    asked: TokenRequest<'_>,
    now: Timestamp,
) -> Result<Token, NoToken> {
    let guarded = match asked.anchors {
        Some(anchors) => Some(discovered::guarded(connections, asked.url, anchors).await?),
        None => None,
    };
    let connections = guarded.as_ref().unwrap_or(connections);
    retry(async || {
        let answer = connections.fetch(asked.request()?, BODY_MAX).await?;
        read(&answer, now)
    })
    .await
}

impl TokenRequest<'_> {
    fn request(&self) -> Result<reqwest::Request, NoAnswer> {
        let mut built = http::Request::post(self.url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = self.basic {
            let pair = STANDARD.encode(format!("{id}:{}", secret.expose()));
            let value = HeaderValue::try_from(format!("Basic {pair}")).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            if let Ok(value) = value {
                built = built.header(AUTHORIZATION, value);
            }
        }
        request(built.body(form(self.form)))
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Option<String>,
    expires_in: Option<Life>,
}

/// Seconds, which some send as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Life {
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Denied {
    #[serde(alias = "errorCode")]
    error: Option<String>,
    #[serde(alias = "errorSummary", alias = "message")]
    error_description: Option<String>,
}

/// Reads the answer of a token endpoint.
///
/// # Errors
///
/// Says what the endpoint said, or that what answered is none.
pub(crate) fn read(answer: &Answer, now: Timestamp) -> Result<Token, NoToken> {
    let status = answer.status;
    let unexpected = |reason: String| {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let detail = format!("the answer with code [{status}] is not one of it: {reason}");
        NoToken::Silent(NoAnswer { class, detail })
    };
    if answer.is_success() {
        let Granted { access_token, expires_in } = answer.json().map_err(unexpected)?;
        let value = access_token.filter(|token| !token.is_empty()).map(Secret::new);
        let value =
            value.ok_or_else(|| unexpected("there is no `access_token` in it".to_owned()))?;
        let seconds = expires_in.and_then(|life| match life {
            Life::Number(seconds) => Some(seconds),
            Life::Text(text) => text.parse().ok(),
        });
        return Ok(Token { value, life: seconds.map_or(LIFE_DEFAULT, Duration::from_secs) });
    }
    let Denied { error, error_description } = answer.json().map_err(unexpected)?;
    let error = error.ok_or_else(|| unexpected("there is no `error` in it".to_owned()))?;
    let error = one_line(&error, WORDS_MAX);
    let description = one_line(&error_description.unwrap_or_default(), WORDS_MAX);
    let class = class_of(status, &error, &description);
    let retry_after = answer.retry_after(now);
    Err(NoToken::Refused(Refusal { class, status, error, description, retry_after }))
}

/// The class of a refusal, by its code and then by its status (RFC 6749, section 5.2; Microsoft
/// Entra's `AADSTS` numbers; Google's `google-auth` library for what may pass).
fn class_of(status: u16, error: &str, description: &str) -> Class {
    let says = |words: &str| description.contains(words);
    match error {
        "slow_down" => Class::Throttled,
        "temporarily_unavailable" | "server_error" | "internal_failure" => Class::Unavailable,
        // Microsoft Entra: the secret, or the certificate, of the application has expired.
        _ if says("AADSTS7000222") || says("AADSTS700024") => Class::Expired,
        // Google's words for an assertion dated by a wrong clock.
        "invalid_grant" if says("Token must be a short-lived token") => Class::Local,
        // Microsoft Entra: no such tenant, no such application.
        _ if says("AADSTS90002") || says("AADSTS700016") => Class::Missing,
        "invalid_scope" | "invalid_request" | "invalid_resource" | "unsupported_grant_type" => {
            Class::Invalid
        }
        _ => match status {
            429 => Class::Throttled,
            408 | 500..=599 => Class::Unavailable,
            _ => Class::Denied,
        },
    }
}

/// One token that is kept from run to run. Whoever comes while it is being fetched waits for it.
#[derive(Debug, Default)]
pub(crate) struct KeptToken(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    token: Secret,
    until: Timestamp,
}

impl KeptToken {
    /// The kept token, or a new one when there is none or it is about to end.
    ///
    /// # Errors
    ///
    /// What `fetch` says; nothing is kept then.
    pub(crate) async fn current<E>(
        &self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Token, E>,
    ) -> Result<Secret, E> {
        let mut kept = self.0.lock().await;
        if let Some(Kept { token, until }) = kept.as_ref()
            && now < *until
        {
            return Ok(token.clone());
        }
        *kept = None;
        let Token { value, life } = fetch().await?;
        let until = now.plus(life.saturating_sub(MARGIN));
        *kept = Some(Kept { token: value.clone(), until });
        Ok(value)
    }

    /// Drops the kept token, if it is still `token`: it was refused before its time.
    pub(crate) async fn forget(&self, token: &Secret) {
        let mut kept = self.0.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.token.expose() == token.expose()) {
            *kept = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: http::HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn tokens_are_read_with_their_life() {
        let table = [
            (r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#, 3599),
            (r#"{"access_token":"t","expires_in":"3600"}"#, 3600),
            (r#"{"access_token":"t","expires_in":"soon"}"#, 600),
            (r#"{"access_token":"t"}"#, 600),
        ];
        for (body, seconds) in table {
            let token = read(&answer(200, body), NOW).unwrap();
            assert_eq!(token.life.as_secs(), seconds, "{body}");
            assert_eq!(token.value.expose(), "t");
        }
    }

    #[test]
    fn refusals_are_classed_and_what_is_no_token_endpoint_shows_nothing() {
        let table = [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
                Class::Denied,
            ),
            (
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}"#,
                Class::Local,
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#,
                Class::Denied,
            ),
            (
                401,
                r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}"#,
                Class::Expired,
            ),
            (
                400,
                r#"{"error":"unauthorized_client","error_description":"AADSTS700016: Application not found"}"#,
                Class::Missing,
            ),
            (400, r#"{"error":"invalid_scope"}"#, Class::Invalid),
            (503, r#"{"error":"temporarily_unavailable"}"#, Class::Unavailable),
            (500, r#"{"error":"oops"}"#, Class::Unavailable),
            (429, r#"{"error":"oops"}"#, Class::Throttled),
            (403, r#"{"errorCode":"E0000006","errorSummary":"no"}"#, Class::Denied),
            (200, r#"{"access_token":""}"#, Class::Unavailable),
            (200, r#"{"access_token":7,"x":"hunter2"}"#, Class::Unavailable),
            (200, "<html>hunter2</html>", Class::Unavailable),
            (429, "hunter2", Class::Throttled),
            (404, "", Class::Unavailable),
        ];
        for (status, body, class) in table {
            let error = read(&answer(status, body), NOW).unwrap_err();
            assert_eq!(error.class(), class, "{status} {body}: {error:?}");
            assert!(!error.detail().contains("hunter2"), "{}", error.detail());
        }
    }

    #[tokio::test]
    async fn a_token_is_fetched_once_and_again_before_it_ends() {
        let kept = KeptToken::default();
        let fetched = std::cell::Cell::new(0);
        let get = async |now: Timestamp| {
            let fetch = async || {
                fetched.set(fetched.get() + 1);
                let value = Secret::new(format!("t{}", fetched.get()));
                Ok::<_, ()>(Token { value, life: Duration::from_hours(1) })
            };
            kept.current(now, fetch).await.unwrap()
        };
        let minutes = |minutes| NOW.plus(Duration::from_mins(minutes));
        for (now, expected) in [(0, "t1"), (54, "t1"), (55, "t2"), (60, "t2")] {
            assert_eq!(get(minutes(now)).await.expose(), expected, "after {now} minutes");
        }
        kept.forget(&Secret::new("t1".to_owned())).await;
        assert_eq!(get(minutes(60)).await.expose(), "t2");
        kept.forget(&Secret::new("t2".to_owned())).await;
        assert_eq!(get(minutes(60)).await.expose(), "t3");
        let failed = KeptToken::default();
        assert_eq!(failed.current(NOW, async || Err::<Token, _>("no")).await.unwrap_err(), "no");
    }
}
