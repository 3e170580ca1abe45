//! Token endpoints: one form sent, one token or one refusal read.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::domain::{Class, Redactor, Secret, Timestamp};
use crate::net::backoff::{Backoff, Retryable, retry};
use crate::net::discovered;
use crate::net::exchange::{Answer, NoAnswer, form, request};
use crate::net::http::Connections;

/// Largest answer that is read, in bytes.
const BODY_MAX: usize = 256 * 1024;
/// Longest error text that is kept, in characters.
const WORDS_MAX: usize = 300;
/// Lifetime of a token whose answer names none.
const LIFETIME_DEFAULT: Duration = Duration::from_mins(10);
/// Fields of a form whose values are secrets.
const SECRET_FIELDS: [&str; 6] = [
    "assertion",
    "client_assertion",
    "client_secret",
    "password",
    "refresh_token",
    "subject_token",
];

/// Request to a token endpoint.
#[derive(Clone, Copy)]
pub(crate) struct TokenRequest<'a> {
    /// URL of the endpoint.
    pub(crate) url: &'a str,
    /// Form of the grant, in the order it is sent.
    pub(crate) form: &'a [(&'a str, &'a str)],
    /// Client id and secret that are sent as HTTP Basic credentials.
    pub(crate) basic: Option<(&'a str, &'a Secret)>,
    /// Configured servers that led to a discovered endpoint; none when the configuration names the
    /// endpoint, or it is built in.
    pub(crate) anchors: Option<&'a [&'a str]>,
}

/// Access token with its lifetime.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Token that is sent as bearer token.
    pub(crate) value: Secret,
    /// Lifetime, from the moment it was asked for.
    pub(crate) lifetime: Duration,
}

/// Reasons why there is no token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NoToken {
    /// Refusal by the endpoint.
    Refused(Refusal),
    /// No answer, or an unexpected one.
    Silent(NoAnswer),
}

/// Refusal in the words of the endpoint, each on one line and bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// Error class of the refusal.
    pub(crate) class: Class,
    /// Status code of the answer.
    pub(crate) status: u16,
    /// Error code, such as `invalid_client`.
    pub(crate) error: String,
    /// Description of the error; may be empty.
    pub(crate) description: String,
    /// Wait that the endpoint asked for.
    retry_after: Option<Duration>,
}

impl NoToken {
    /// Returns the same failure with a refusal of another class, for a provider whose descriptions say
    /// more than their codes.
    pub(crate) fn reclassified(self, class: impl FnOnce(&Refusal) -> Class) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(Refusal { class: class(&refusal), ..refusal }),
            Self::Silent(_) => self,
        }
    }

    /// Returns the error class.
    pub(crate) const fn class(&self) -> Class {
        match self {
            Self::Refused(refusal) => refusal.class,
            Self::Silent(silent) => silent.class,
        }
    }

    /// Returns the reason in one line without a final period:
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

/// Asks for a token: three times while the failure may pass, once for a refusal.
///
/// # Errors
///
/// Returns the refusal of the endpoint, or the reason why there is no answer.
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
    asked.teach(connections.redactor());
    retry(async || {
        let answer = connections.fetch(asked.request()?, BODY_MAX).await?;
        read(&answer, now)
    })
    .await
}

impl TokenRequest<'_> {
    /// Teaches `redactor` every secret that is sent.
    fn teach(&self, redactor: &Redactor) {
        if let Some((_, secret)) = self.basic {
            redactor.learn(secret);
        }
        for (_, value) in self.form.iter().filter(|(name, _)| SECRET_FIELDS.contains(name)) {
            redactor.learn_text(value);
        }
    }

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
    expires_in: Option<Lifetime>,
}

/// Lifetime in seconds, which some endpoints send as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lifetime {
    Number(u64),
    Text(String),
}

/// Names of an error's code: those of RFC 6749, of Okta, and of an API that stands before the endpoint, such
/// as that of Databricks.
const CODES: [&str; 3] = ["error", "errorCode", "error_code"];
/// Names of its description, in the same order.
const DESCRIPTIONS: [&str; 3] = ["error_description", "errorSummary", "message"];

/// Returns the first of `names` in `json` that is a text, or a number as text.
fn word(json: &Json, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match json.get(name)? {
        Json::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    })
}

/// Reads the answer of a token endpoint.
///
/// # Errors
///
/// Returns the refusal, or the reason why the answer is not one of a token endpoint.
pub(crate) fn read(answer: &Answer, now: Timestamp) -> Result<Token, NoToken> {
    let status = answer.status;
    let unexpected = |reason: String| {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let reason = answer.unlike_json(reason);
        let detail = format!("the answer with code [{status}] is not one of it: {reason}");
        NoToken::Silent(NoAnswer { class, detail })
    };
    if answer.is_success() {
        let Granted { access_token, expires_in } = answer.json().map_err(unexpected)?;
        let value = access_token.filter(|token| !token.is_empty()).map(Secret::new);
        let value =
            value.ok_or_else(|| unexpected("there is no `access_token` in it".to_owned()))?;
        let seconds = expires_in.and_then(|lifetime| match lifetime {
            Lifetime::Number(seconds) => Some(seconds),
            Lifetime::Text(text) => text.parse().ok(),
        });
        answer.redactor.learn(&value);
        return Ok(Token {
            value,
            lifetime: seconds.map_or(LIFETIME_DEFAULT, Duration::from_secs),
        });
    }
    let json: Json = answer.json().map_err(unexpected)?;
    let error = word(&json, &CODES);
    let error = error.ok_or_else(|| unexpected("there is no `error` in it".to_owned()))?;
    let error = answer.line(&error, WORDS_MAX);
    let description = word(&json, &DESCRIPTIONS).unwrap_or_default();
    let description = answer.line(&description, WORDS_MAX);
    let class = class_of(status, &error, &description);
    let retry_after = answer.retry_after(now);
    Err(NoToken::Refused(Refusal { class, status, error, description, retry_after }))
}

/// Returns the class of a refusal by its code, then by its status (RFC 6749, section 5.2; Google's
/// `google-auth` library for codes that may pass).
fn class_of(status: u16, error: &str, description: &str) -> Class {
    let described = description.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| described.contains(words));
    match error {
        "slow_down" | "REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED" => Class::Throttled,
        // `{"error":"invalid_request","error_description":"Temporarily throttled, too many requests"}`:
        // databricks-sdk-go, issue 321.
        _ if status == 429 || says(&["throttled", "too many requests"]) => Class::Throttled,
        "temporarily_unavailable"
        | "server_error"
        | "internal_failure"
        | "INTERNAL_ERROR"
        | "TEMPORARILY_UNAVAILABLE" => Class::Unavailable,
        // google-auth looks for these in the description too (`oauth2/_client.py`, `_can_retry`).
        _ if ["internal_failure", "server_error", "temporarily_unavailable"]
            .contains(&described.as_str()) =>
        {
            Class::Unavailable
        }
        // databricks-sdk-go, issue 1072.
        _ if says(&["temporarily unavailable", "try again later"]) => Class::Unavailable,
        // The endpoint could not look at the request, whatever code it adds.
        _ if status == 408 || (500..=599).contains(&status) => Class::Unavailable,
        // Google could not fetch the keys of the workload's own issuer.
        "invalid_grant" if description.contains("connecting to the given credential's issuer") => {
            Class::Unavailable
        }
        // Google's words for an assertion dated by a wrong clock.
        "invalid_grant" if description.contains("Token must be a short-lived token") => {
            Class::Local
        }
        "invalid_scope" | "invalid_request" | "invalid_resource" | "unsupported_grant_type" => {
            Class::Invalid
        }
        _ => Class::Denied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fuzz::fuzz;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    #[test]
    fn fuzz_answers_to_log_ins_are_tokens_or_failures_without_secrets() {
        let seeds = [
            r#"{"access_token":"s3cr3t-t0ken","expires_in":3599,"token_type":"Bearer"}"#,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: no.","error_codes":[7]}"#,
            "<html><head><title>Sign in</title></head><body>portal</body></html>",
        ];
        fuzz(&seeds.map(|seed| seed.as_bytes().to_vec()), |bytes| {
            for status in [200, 302, 400, 401, 429, 503] {
                let answer = Answer { status, body: bytes.to_vec(), ..Answer::default() };
                match read(&answer, NOW) {
                    Ok(token) => assert!(!token.value.expose().is_empty()),
                    Err(no_token) => {
                        let detail = no_token.detail();
                        assert!(!detail.contains(char::is_control), "{detail}");
                        assert!(detail.chars().count() < 1200, "{detail}");
                    }
                }
            }
        });
    }

    #[test]
    fn token_is_read_with_its_lifetime() {
        let table = [
            (r#"{"access_token":"t","expires_in":3599,"token_type":"Bearer"}"#, 3599),
            (r#"{"access_token":"t","expires_in":"3600"}"#, 3600),
            (r#"{"access_token":"t","expires_in":"soon"}"#, 600),
            (r#"{"access_token":"t"}"#, 600),
        ];
        for (body, seconds) in table {
            let token = read(&answer(200, body), NOW).unwrap();
            assert_eq!(token.lifetime.as_secs(), seconds, "{body}");
            assert_eq!(token.value.expose(), "t");
        }
    }

    /// Answers of token endpoints, by status and body, with the class of their refusal.
    const REFUSALS: &[(u16, &str, Class)] = &[
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
            400,
            r#"{"error":"invalid_grant","error_description":"Error connecting to the given credential's issuer."}"#,
            Class::Unavailable,
        ),
        (401, r#"{"error":"invalid_client","error_description":"wrong secret"}"#, Class::Denied),
        (400, r#"{"error":"invalid_scope"}"#, Class::Invalid),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"internal_failure"}"#,
            Class::Unavailable,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Temporarily throttled, too many requests"}"#,
            Class::Throttled,
        ),
        (
            503,
            r#"{"message":"The service at /oidc/v1/token is temporarily unavailable. Please try again later. [TraceId: -]","error_code":"TEMPORARILY_UNAVAILABLE"}"#,
            Class::Unavailable,
        ),
        (400, r#"{"error_code":"INTERNAL_ERROR","message":"x"}"#, Class::Unavailable),
        (
            403,
            r#"{"error_code":403,"message":"Source IP address: 203.0.113.7 is blocked by Databricks IP ACL for workspace: 1"}"#,
            Class::Denied,
        ),
        (
            400,
            r#"{"error":"access_denied","error_description":"Scopes 'all-apis' are not assigned to the client"}"#,
            Class::Denied,
        ),
        (403, r#"{"error_code":null,"message":"no"}"#, Class::Unavailable),
        (502, "<html><title>Bad gateway</title>hunter2</html>", Class::Unavailable),
        (503, r#"{"error":"temporarily_unavailable"}"#, Class::Unavailable),
        (429, r#"{"error":"invalid_request"}"#, Class::Throttled),
        (500, r#"{"error":"invalid_client"}"#, Class::Unavailable),
        (403, r#"{"errorCode":"E0000006","errorSummary":"no"}"#, Class::Denied),
        (200, r#"{"access_token":""}"#, Class::Unavailable),
        (200, r#"{"access_token":7,"x":"hunter2"}"#, Class::Unavailable),
        (200, "<html>hunter2</html>", Class::Unavailable),
        (429, "hunter2", Class::Throttled),
        (404, "", Class::Unavailable),
    ];

    #[test]
    fn refusal_has_a_class_and_unexpected_answer_is_not_shown() {
        for (status, body, class) in REFUSALS {
            let error = read(&answer(*status, body), NOW).unwrap_err();
            assert_eq!(error.class(), *class, "{status} {body}: {error:?}");
            assert!(!error.detail().contains("hunter2"), "{}", error.detail());
        }
    }
}
