//! Failed calls to Google: their causes and the text of each.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::Class;
use crate::net::exchange::{Answer, NoAnswer};
use crate::net::oauth::{NoToken, Refusal as TokenRefusal};
use crate::platforms::failure;

/// The longest piece of Google's words that is kept, in characters.
const WORDS_MAX: usize = 500;
/// Text where an answer names nothing.
const NONE: &str = "none";

/// Failure of a call to Google.
pub(super) type Failure = failure::Failure<Cause>;

/// Cause of a failed call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// A Google API refused.
    Refused(Box<Refusal>),
    /// The token endpoint refused.
    NoToken,
    /// A service of this machine or its link refused: the metadata server, a workload's own source.
    Near,
    /// The answer is from none of Google's servers.
    Unexpected,
    /// The configuration or its credential cannot be used, which was found without asking anyone.
    Unusable,
    /// There is no answer.
    NoAnswer,
}

impl failure::Cause for Cause {
    fn no_answer(_class: Class) -> Self {
        Self::NoAnswer
    }

    fn describe(detail: &str) -> String {
        format!("No answer of Google: {}.", detail.trim_end_matches('.'))
    }

    /// A status without a reason of Google may be a gateway's, and tokens come from an identity provider.
    fn is_doubtful(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.reason == NONE,
            Self::Unusable => false,
            Self::NoToken | Self::Near | Self::Unexpected | Self::NoAnswer => true,
        }
    }
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
            && !self.is_perimeter()
    }

    /// True when a perimeter of VPC Service Controls refuses, where no permission helps.
    pub(super) fn is_perimeter(&self) -> bool {
        let reasons = ["vpcServiceControls", "SECURITY_POLICY_VIOLATED"];
        reasons.contains(&self.reason.as_str())
            || self.message.contains("VPC Service Controls")
            || self.message.contains("vpcServiceControlsUniqueIdentifier")
    }
}

impl Failure {
    /// True when Google refuses the token that was sent.
    pub(super) fn is_refused_token(&self) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.status == 401)
    }

    /// Returns a failure without an answer, or with none that says anything definite.
    pub(super) fn silent(class: Class, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self::new(Cause::NoAnswer, class, format!("{}.", detail.trim_end_matches('.')))
    }

    /// Returns the failure of a configuration or credential that cannot be used, whatever Google answers.
    pub(super) fn unusable(detail: impl Into<String>) -> Self {
        Self { cause: Cause::Unusable, ..Self::silent(Class::Invalid, detail) }
    }

    /// Returns the failure of an answer that Google does not document: a portal, a proxy, a cut body.
    /// It says nothing definite about the integration, whatever its status is.
    pub(super) fn unexpected(status: u16, reason: &str) -> Self {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let reason = reason.trim_end_matches('.');
        let detail = format!("The answer with code [{status}] is not one of Google: {reason}.");
        Self::new(Cause::Unexpected, class, detail)
    }

    /// Returns the failure that an answer without success describes.
    pub(super) fn read(answer: &Answer, retry_after: Option<Duration>) -> Self {
        let status = answer.status;
        if answer.is_redirect() {
            return Self::unexpected(status, "it redirects, and that is not followed");
        }
        match answer.json::<Envelope>() {
            Ok(Envelope { error }) => Self::refused(answer, error, retry_after),
            Err(reason) => Self::unexpected(status, &reason),
        }
    }

    fn refused(answer: &Answer, error: Answered, retry_after: Option<Duration>) -> Self {
        let status = answer.status;
        let Answered { message, errors, details, status: word } = error;
        let first = errors.into_iter().find_map(|error| error.reason);
        let info = details.into_iter().find(|detail| detail.reason.is_some()).unwrap_or_default();
        let given = [first.as_deref(), info.reason.as_deref()];
        let class = class_of(status, given, word.as_deref());
        let reason = named(given).or(word.as_deref()).unwrap_or(NONE);
        // Daily quotas and operations that Google blocked do not come back within a run.
        let is_long = given.into_iter().flatten().any(is_lasting);
        let retry_after = if is_long { Some(Duration::MAX) } else { retry_after };
        let clean = |text: &str| answer.line(text, WORDS_MAX);
        let Metadata { service, consumer } = info.metadata;
        let disabled = service.zip(consumer).filter(|_known| is_switched_off(given));
        let disabled = disabled.map(|(service, consumer)| (clean(&service), clean(&consumer)));
        let refusal = Refusal {
            status,
            reason: clean(reason),
            message: clean(message.as_deref().unwrap_or(NONE)),
            disabled,
        };
        let evidence = format!("HTTP {status} {}: {}", refusal.reason, refusal.message);
        let detail = refusal.sentence();
        let failure = Self::new(Cause::Refused(Box::new(refusal)), class, detail);
        failure.because(evidence).after(retry_after)
    }

    /// Returns the failure of a token endpoint.
    pub(super) fn no_token(failed: NoToken) -> Self {
        match failed {
            NoToken::Refused(TokenRefusal { class, status, error, description, .. }) => {
                let detail = format!(
                    "Token endpoint responded with code [{status}], error [{error}] and message \
                     [{description}]."
                );
                let evidence = format!("HTTP {status} {error}: {description}");
                Self::new(Cause::NoToken, class, detail).because(evidence)
            }
            NoToken::Silent(NoAnswer { class, detail }) => {
                Self::silent(class, format!("Token endpoint: {detail}"))
            }
        }
    }

    /// Returns Google's words, if an API of its refused.
    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal),
            Cause::NoToken
            | Cause::Near
            | Cause::Unexpected
            | Cause::Unusable
            | Cause::NoAnswer => None,
        }
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

/// Entry of `details`, of which only `google.rpc.ErrorInfo` has a reason.
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

/// Returns the most specific reason: the API's own, unless it is a general one, then that of
/// `google.rpc.ErrorInfo`.
fn named([first, info]: [Option<&str>; 2]) -> Option<&str> {
    first.filter(|reason| class_of_reason(reason).is_some()).or(info).or(first)
}

/// Returns the class of a refusal by its reasons, then by its status and the word for it. A refusal that
/// is documented nowhere says nothing definite.
fn class_of(status: u16, reasons: [Option<&str>; 2], word: Option<&str>) -> Class {
    let named = reasons.into_iter().flatten().find_map(class_of_reason);
    let lasting = ["INVALID_ARGUMENT", "FAILED_PRECONDITION", "ALREADY_EXISTS", "OUT_OF_RANGE"];
    named.unwrap_or(match status {
        401 | 403 => Class::Denied,
        404 => Class::Missing,
        429 => Class::Throttled,
        408 | 500..=599 => Class::Unavailable,
        _ if word.is_some_and(|word| lasting.contains(&word)) => Class::Invalid,
        _ => Class::Unavailable,
    })
}

/// Returns the class of a reason of the `BigQuery` API ("Error messages", the table of errors), of the
/// older Google APIs or of `google.rpc.ErrorInfo`; none for general and unknown ones. What
/// `google-cloud-bigquery` tries again (`retry.py`, `_RETRYABLE_REASONS` and `job_retry_reasons`), and
/// what its table says to try again, may pass.
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
        "backendError" | "badGateway" | "internalError" | "jobBackendError"
        | "jobInternalError" | "serviceUnavailable" | "tableUnavailable" | "timeout" => {
            Class::Unavailable
        }
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
        | "policyViolation"
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
        | "duplicate"
        | "invalid"
        | "invalidParameter"
        | "invalidQuery"
        | "invalidUser"
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn failure(status: u16, body: &str) -> Failure {
        let answer = Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() };
        answer.redactor.learn_text("ya29.hunter2-hunter2");
        Failure::read(&answer, None)
    }

    /// Status, the API's reason, that of `google.rpc.ErrorInfo`, the class, the reason shown.
    type Row = (u16, Option<&'static str>, Option<&'static str>, Class, &'static str);

    const TABLE: [Row; 51] = [
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
        (400, Some("unheardOf"), None, Class::Unavailable, "unheardOf"),
        (409, None, None, Class::Unavailable, "none"),
        (403, Some("policyViolation"), None, Class::Denied, "policyViolation"),
        (400, Some("jobBackendError"), None, Class::Unavailable, "jobBackendError"),
        (400, Some("jobInternalError"), None, Class::Unavailable, "jobInternalError"),
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
            assert_eq!(found.retry_after, lasts.then_some(Duration::MAX), "{first:?}");
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
                assert!(found.detail.contains("is not one of Google: it is"), "{found:?}");
            }
        }
    }

    #[test]
    fn failure_is_doubtful_unless_google_names_a_reason() {
        let table = [
            (json!({ "message": "m", "errors": [{ "reason": "notFound" }] }), true),
            (json!({ "message": "m", "status": "PERMISSION_DENIED" }), true),
            (json!({ "message": "m", "errors": [{ "reason": "unheard" }] }), true),
            (json!({ "message": "m" }), false),
        ];
        for (error, certain) in table {
            let found = failure(404, &json!({ "error": error }).to_string());
            assert_eq!(!failure::Cause::is_doubtful(&found.cause), certain, "{error}");
        }
        assert!(failure::Cause::is_doubtful(&Cause::NoToken));
        assert!(!failure::Cause::is_doubtful(&Failure::unusable("no project").cause));
    }

    #[test]
    fn word_for_the_status_decides_where_there_is_no_reason() {
        for (word, class) in [
            ("INVALID_ARGUMENT", Class::Invalid),
            ("FAILED_PRECONDITION", Class::Invalid),
            ("ABORTED", Class::Unavailable),
            ("CANCELLED", Class::Unavailable),
        ] {
            let error = json!({ "error": { "message": "m", "status": word } });
            assert_eq!(failure(409, &error.to_string()).class, class, "{word}");
        }
    }

    #[test]
    fn perimeter_differs_from_a_missing_permission() {
        let message = "VPC Service Controls: Request is prohibited by organization's policy. \
            vpcServiceControlsUniqueIdentifier: abc";
        for (reason, message, is_permission, is_perimeter) in [
            ("policyViolation", message, false, true),
            ("accessDenied", message, false, true),
            ("accessDenied", "Access Denied: Dataset p:d", true, false),
        ] {
            let errors = json!([{ "reason": reason }]);
            let error = json!({ "error": { "message": message, "errors": errors } });
            let found = failure(403, &error.to_string());
            let refusal = found.refusal().unwrap();
            assert_eq!(refusal.is_permission(), is_permission, "{reason}");
            assert_eq!(refusal.is_perimeter(), is_perimeter, "{reason}");
        }
    }

    #[test]
    fn a_disabled_api_is_named() {
        let metadata = json!({ "service": "a.googleapis.com", "consumer": "projects/7" });
        let detail = json!({ "reason": "SERVICE_DISABLED", "metadata": metadata });
        let error = json!({ "error": { "message": "m", "details": [{}, detail] } });
        let found = failure(403, &error.to_string());
        assert_eq!(found.detail, "API [a.googleapis.com] is disabled in [projects/7].");
    }

    #[test]
    fn secret_in_any_part_of_a_refusal_is_removed() {
        let error = r#"{"error":{"message":"ya29.hunter2-hunter2","status":"ya29.hunter2-hun…"}}"#;
        assert!(!format!("{:?}", failure(400, error)).contains("hunter2"));
    }
}
