//! What a failed call to Google means, and how it is told.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::{Class, Finding, REDACTED, Secret, one_line};
use crate::net::backoff::{Backoff, Retryable};
use crate::net::exchange::{Answer, NoAnswer};
use crate::net::oauth::{NoToken, Refusal as TokenRefusal};

/// The longest piece of Google's words that is kept, in characters.
const WORDS_MAX: usize = 500;
/// How much of a secret makes a cut echo of it certain, in characters.
const ECHO_MIN: usize = 12;
/// What stands where an answer names nothing.
const NONE: &str = "none";

/// Why a call had no documented answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    /// Whether trying again can help.
    pub(super) class: Class,
    /// What happened.
    pub(super) cause: Cause,
    /// The wait that was asked for, or one so long that nobody tries again in this run.
    hint: Option<Duration>,
}

/// What happened to a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// A Google API refused.
    Refused(Box<Refusal>),
    /// The token endpoint refused: status, error code and sentence.
    NoToken(u16, String, String),
    /// Nothing that Google documents came, or nothing at all; one line that says why.
    Silent(String),
}

/// Google's own words, each on one line and bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    /// The status of the answer.
    pub(super) status: u16,
    /// The reason, such as `accessDenied`.
    pub(super) reason: String,
    /// The sentence with it.
    pub(super) message: String,
    /// The API that is switched off and the project it is switched off in, where that is why.
    pub(super) disabled: Option<(String, String)>,
}

impl Refusal {
    fn sentence(&self) -> String {
        let Self { status, reason, message, disabled } = self;
        match disabled {
            Some((service, consumer)) => format!("API [{service}] is disabled in [{consumer}]."),
            None => format!(
                "Google responded with code [{status}], reason [{reason}] and message [{message}]."
            ),
        }
    }

    /// True when nothing but a permission is missing.
    pub(super) fn is_permission(&self) -> bool {
        matches!(self.reason.as_str(), "accessDenied" | "IAM_PERMISSION_DENIED")
    }
}

impl Retryable for Failure {
    fn backoff(&self) -> Backoff {
        Backoff::of(self.class).or_after(self.hint)
    }
}

impl Failure {
    /// No answer, or none that says anything definite.
    pub(super) fn silent(class: Class, detail: impl Into<String>) -> Self {
        Self { class, cause: Cause::Silent(detail.into()), hint: None }
    }

    /// An answer that Google does not document: a portal, a proxy, a cut body. It says nothing
    /// definite about the integration, whatever its status is.
    pub(super) fn unexpected(status: u16, reason: &str) -> Self {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let detail = format!("The answer with code [{status}] is not one of Google: {reason}");
        Self::silent(class, detail)
    }

    /// What an answer without success says. `hint` is the wait it asks for, and `secrets` is what
    /// the request held.
    pub(super) fn read(answer: &Answer, hint: Option<Duration>, secrets: &[&Secret]) -> Self {
        let status = answer.status;
        if answer.is_redirect() {
            return Self::unexpected(status, "it redirects, and that is not followed");
        }
        match answer.json::<Envelope>() {
            Ok(Envelope { error }) => Self::refused(status, error, hint, secrets),
            Err(reason) => Self::unexpected(status, &reason),
        }
    }

    fn refused(status: u16, error: Answered, hint: Option<Duration>, secrets: &[&Secret]) -> Self {
        let Answered { message, errors, details, status: word } = error;
        let first = errors.into_iter().find_map(|error| error.reason);
        let info = details.into_iter().find(|detail| detail.reason.is_some()).unwrap_or_default();
        let given = [first.as_deref(), info.reason.as_deref()];
        let class = class_of(status, given);
        let reason = told(given).or(word.as_deref()).unwrap_or(NONE);
        // Daily quotas and operations that Google blocked do not come back within a run.
        let is_long = given.into_iter().flatten().any(is_lasting);
        let hint = if is_long { Some(Duration::MAX) } else { hint };
        let clean = |text: &str| redacted(text, secrets);
        let Metadata { service, consumer } = info.metadata;
        let disabled = service.zip(consumer).filter(|_known| is_switched_off(given));
        let disabled = disabled.map(|(service, consumer)| (clean(&service), clean(&consumer)));
        let refusal = Refusal {
            status,
            reason: clean(reason),
            message: clean(message.as_deref().unwrap_or(NONE)),
            disabled,
        };
        Self { class, cause: Cause::Refused(Box::new(refusal)), hint }
    }

    /// Why there is no token; `secrets` is what was sent for it.
    pub(super) fn no_token(failed: NoToken, secrets: &[&Secret]) -> Self {
        match failed {
            NoToken::Refused(TokenRefusal { class, status, error, description, .. }) => {
                let cause = Cause::NoToken(
                    status,
                    redacted(&error, secrets),
                    redacted(&description, secrets),
                );
                Self { class, cause, hint: None }
            }
            NoToken::Silent(NoAnswer { class, detail }) => {
                Self::silent(class, format!("Token endpoint: {detail}"))
            }
        }
    }

    /// Google's words, if an API of its refused.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal),
            Cause::NoToken(..) | Cause::Silent(_) => None,
        }
    }

    /// What happened, in one sentence.
    pub(super) fn sentence(&self) -> String {
        match &self.cause {
            Cause::Refused(refusal) => refusal.sentence(),
            Cause::NoToken(status, error, description) => format!(
                "Token endpoint responded with code [{status}], error [{error}] and message \
                 [{description}]."
            ),
            Cause::Silent(detail) => format!("{}.", detail.trim_end_matches('.')),
        }
    }

    /// `finding` with what Google said, for those who look closer.
    pub(super) fn evident(&self, finding: Finding) -> Finding {
        match &self.cause {
            Cause::Refused(refusal) => {
                let Refusal { status, reason, message, .. } = &**refusal;
                finding.because(format!("HTTP {status} {reason}: {message}"))
            }
            Cause::NoToken(status, error, description) => {
                finding.because(format!("HTTP {status} {error}: {description}"))
            }
            Cause::Silent(_) => finding,
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(NoAnswer { class, detail }: NoAnswer) -> Self {
        Self::silent(class, format!("No answer of Google: {detail}"))
    }
}

#[derive(Deserialize)]
struct Envelope {
    error: Answered,
}

#[derive(Deserialize)]
struct Answered {
    message: Option<String>,
    #[serde(default)]
    errors: Vec<One>,
    #[serde(default)]
    details: Vec<Detail>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct One {
    reason: Option<String>,
}

/// One of several kinds; only `google.rpc.ErrorInfo` has a reason.
#[derive(Default, Deserialize)]
struct Detail {
    reason: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    service: Option<String>,
    consumer: Option<String>,
}

/// The reason that says most: the API's own, unless it is a word for everything, then that of
/// `google.rpc.ErrorInfo`.
fn told([first, info]: [Option<&str>; 2]) -> Option<&str> {
    first.filter(|reason| class_of_reason(reason).is_some()).or(info).or(first)
}

/// The class of a refusal by its reasons, then by its status.
fn class_of(status: u16, reasons: [Option<&str>; 2]) -> Class {
    let named = reasons.into_iter().flatten().find_map(class_of_reason);
    named.unwrap_or(match status {
        401 | 403 => Class::Denied,
        404 => Class::Missing,
        429 => Class::Throttled,
        408 | 500..=599 => Class::Unavailable,
        _ => Class::Invalid,
    })
}

/// The class of a reason of the `BigQuery` API, of the older Google APIs or of
/// `google.rpc.ErrorInfo`; none for one that is a word for everything, or is not known.
fn class_of_reason(reason: &str) -> Option<Class> {
    Some(match reason {
        "rateLimitExceeded"
        | "userRateLimitExceeded"
        | "jobRateLimitExceeded"
        | "quotaExceeded"
        | "dailyLimitExceeded"
        | "blocked"
        | "RATE_LIMIT_EXCEEDED"
        | "RESOURCE_QUOTA_EXCEEDED" => Class::Throttled,
        "internalError" | "backendError" | "badGateway" | "serviceUnavailable"
        | "tableUnavailable" | "timeout" => Class::Unavailable,
        "ACCESS_TOKEN_EXPIRED" | "KEY_EXPIRED" => Class::Expired,
        // Who it is, what it may do, from where it may do it, and who pays.
        "authError"
        | "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        | "ACCOUNT_STATE_INVALID"
        | "CREDENTIALS_MISSING"
        | "accessDenied"
        | "insufficientPermissions"
        | "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
        | "IAM_PERMISSION_DENIED"
        | "USER_PROJECT_DENIED"
        | "CONSUMER_SUSPENDED"
        | "vpcServiceControls"
        | "SECURITY_POLICY_VIOLATED"
        | "ORG_RESTRICTION_VIOLATION"
        | "billingNotEnabled"
        | "billingTierLimitExceeded"
        | "BILLING_DISABLED" => Class::Denied,
        "notFound" => Class::Missing,
        "accessNotConfigured"
        | "SERVICE_DISABLED"
        | "CONSUMER_INVALID"
        | "invalid"
        | "invalidQuery"
        | "INVALID_ARGUMENT" => Class::Invalid,
        _ => return None,
    })
}

/// True when the API that was called is switched off in the project that calls.
fn is_switched_off(reasons: [Option<&str>; 2]) -> bool {
    let names = ["accessNotConfigured", "SERVICE_DISABLED"];
    reasons.into_iter().flatten().any(|reason| names.contains(&reason))
}

/// True when the reason does not pass within a run.
fn is_lasting(reason: &str) -> bool {
    matches!(reason, "quotaExceeded" | "dailyLimitExceeded" | "blocked")
}

/// `text` on one bounded line, without `secrets`, should it repeat them whole or cut short.
pub(super) fn redacted(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, REDACTED);
        let head: String = secret.chars().take(ECHO_MIN).collect();
        if head.chars().count() == ECHO_MIN
            && let Some((before, _)) = text.split_once(&head)
        {
            text = format!("{before}{REDACTED}");
        }
    }
    one_line(&text, WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failure(status: u16, body: &str) -> Failure {
        let answer =
            Answer { status, headers: http::HeaderMap::new(), body: body.as_bytes().to_vec() };
        Failure::read(&answer, None, &[&Secret::new("ya29.hunter2-hunter2".to_owned())])
    }

    /// Status, the API's reason, that of `google.rpc.ErrorInfo`, the class, the reason shown.
    type Row = (u16, Option<&'static str>, Option<&'static str>, Class, &'static str);

    const TABLE: [Row; 46] = [
        (401, Some("authError"), None, Class::Denied, "authError"),
        (401, Some("authError"), Some("ACCESS_TOKEN_EXPIRED"), Class::Denied, "authError"),
        (401, Some("required"), Some("CREDENTIALS_MISSING"), Class::Denied, "CREDENTIALS_MISSING"),
        (401, None, Some("ACCESS_TOKEN_EXPIRED"), Class::Expired, "ACCESS_TOKEN_EXPIRED"),
        (401, None, Some("KEY_EXPIRED"), Class::Expired, "KEY_EXPIRED"),
        (401, None, Some("ACCOUNT_STATE_INVALID"), Class::Denied, "ACCOUNT_STATE_INVALID"),
        (
            401,
            None,
            Some("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
            Class::Denied,
            "ACCESS_TOKEN_TYPE_UNSUPPORTED",
        ),
        (401, None, None, Class::Denied, "none"),
        (403, Some("accessDenied"), None, Class::Denied, "accessDenied"),
        (
            403,
            Some("insufficientPermissions"),
            Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            Class::Denied,
            "insufficientPermissions",
        ),
        (
            403,
            Some("forbidden"),
            Some("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
            Class::Denied,
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        ),
        (
            403,
            Some("forbidden"),
            Some("IAM_PERMISSION_DENIED"),
            Class::Denied,
            "IAM_PERMISSION_DENIED",
        ),
        (403, Some("forbidden"), Some("USER_PROJECT_DENIED"), Class::Denied, "USER_PROJECT_DENIED"),
        (403, Some("forbidden"), Some("CONSUMER_SUSPENDED"), Class::Denied, "CONSUMER_SUSPENDED"),
        (403, Some("vpcServiceControls"), None, Class::Denied, "vpcServiceControls"),
        (403, None, Some("SECURITY_POLICY_VIOLATED"), Class::Denied, "SECURITY_POLICY_VIOLATED"),
        (403, None, Some("ORG_RESTRICTION_VIOLATION"), Class::Denied, "ORG_RESTRICTION_VIOLATION"),
        (403, Some("billingNotEnabled"), None, Class::Denied, "billingNotEnabled"),
        (403, Some("billingTierLimitExceeded"), None, Class::Denied, "billingTierLimitExceeded"),
        (403, Some("forbidden"), Some("BILLING_DISABLED"), Class::Denied, "BILLING_DISABLED"),
        (403, Some("forbidden"), None, Class::Denied, "forbidden"),
        (
            403,
            Some("accessNotConfigured"),
            Some("SERVICE_DISABLED"),
            Class::Invalid,
            "accessNotConfigured",
        ),
        (403, Some("forbidden"), Some("SERVICE_DISABLED"), Class::Invalid, "SERVICE_DISABLED"),
        (403, None, Some("CONSUMER_INVALID"), Class::Invalid, "CONSUMER_INVALID"),
        (403, Some("rateLimitExceeded"), None, Class::Throttled, "rateLimitExceeded"),
        (403, Some("userRateLimitExceeded"), None, Class::Throttled, "userRateLimitExceeded"),
        (403, Some("quotaExceeded"), None, Class::Throttled, "quotaExceeded"),
        (403, Some("dailyLimitExceeded"), None, Class::Throttled, "dailyLimitExceeded"),
        (403, Some("blocked"), None, Class::Throttled, "blocked"),
        (400, Some("jobRateLimitExceeded"), None, Class::Throttled, "jobRateLimitExceeded"),
        (429, None, Some("RATE_LIMIT_EXCEEDED"), Class::Throttled, "RATE_LIMIT_EXCEEDED"),
        (403, None, Some("RESOURCE_QUOTA_EXCEEDED"), Class::Throttled, "RESOURCE_QUOTA_EXCEEDED"),
        (429, None, None, Class::Throttled, "none"),
        (404, Some("notFound"), None, Class::Missing, "notFound"),
        (404, None, None, Class::Missing, "none"),
        (400, Some("invalid"), None, Class::Invalid, "invalid"),
        (400, Some("invalidQuery"), None, Class::Invalid, "invalidQuery"),
        (400, None, Some("INVALID_ARGUMENT"), Class::Invalid, "INVALID_ARGUMENT"),
        (409, Some("duplicate"), None, Class::Invalid, "duplicate"),
        (400, Some("tableUnavailable"), None, Class::Unavailable, "tableUnavailable"),
        (400, Some("timeout"), None, Class::Unavailable, "timeout"),
        (408, None, None, Class::Unavailable, "none"),
        (500, Some("internalError"), None, Class::Unavailable, "internalError"),
        (500, Some("backendError"), None, Class::Unavailable, "backendError"),
        (502, Some("badGateway"), None, Class::Unavailable, "badGateway"),
        (503, Some("serviceUnavailable"), None, Class::Unavailable, "serviceUnavailable"),
    ];

    #[test]
    fn reasons_decide_before_statuses() {
        for (status, first, info, class, shown) in TABLE {
            let errors: Vec<_> = first.iter().map(|reason| json!({ "reason": reason })).collect();
            let details: Vec<_> = info.iter().map(|reason| json!({ "reason": reason })).collect();
            let error = json!({ "message": "m", "errors": errors, "details": details });
            let found = failure(status, &json!({ "error": error }).to_string());
            assert_eq!(found.class, class, "{status} {first:?} {info:?}");
            assert_eq!(found.refusal().unwrap().reason, shown, "{status} {first:?} {info:?}");
            let lasts = first.is_some_and(is_lasting);
            assert_eq!(found.hint, lasts.then_some(Duration::MAX), "{first:?}");
        }
    }

    #[test]
    fn answers_that_are_not_of_google_decide_nothing() {
        for (status, class) in
            [(404, Class::Unavailable), (403, Class::Unavailable), (429, Class::Throttled)]
        {
            for body in ["<p>no</p>", "{}", r#"{"error":"no"}"#, "", r#"{"error":{"errors":7}}"#] {
                let found = failure(status, body);
                assert_eq!(found.class, class, "{status} {body}");
                assert!(found.sentence().contains("is not one of Google: it is"), "{found:?}");
            }
        }
    }

    #[test]
    fn a_disabled_api_is_named() {
        let metadata = json!({ "service": "a.googleapis.com", "consumer": "projects/7" });
        let detail = json!({ "reason": "SERVICE_DISABLED", "metadata": metadata });
        let error = json!({ "error": { "message": "m", "details": [{}, detail] } });
        let found = failure(403, &error.to_string());
        assert_eq!(found.sentence(), "API [a.googleapis.com] is disabled in [projects/7].");
    }

    #[test]
    fn echoes_of_secrets_are_taken_out_even_cut_short() {
        let secret = Secret::new("ya29.hunter2-hunter2".to_owned());
        let table = [
            ("token ya29.hunter2-hunter2 is bad", "token [REDACTED] is bad"),
            ("token ya29.hunter2-hun…", "token [REDACTED]"),
            ("ya29 is fine", "ya29 is fine"),
        ];
        for (text, expected) in table {
            assert_eq!(redacted(text, &[&secret]), expected);
        }
        let error =
            r#"{"error":{"message":"ya29.hunter2-hunter2","status":"ya29.hunter2-hunter2"}}"#;
        assert!(!format!("{:?}", failure(400, error)).contains("hunter2"));
    }
}
