//! Failed calls to Databricks: their causes and the text of each.

use std::time::Duration;

use super::named::Named;
use crate::domain::{Class, Finding};
use crate::net::exchange::Answer;
use crate::net::oauth::NoToken;
use crate::platforms::failure;

/// Longest text of Databricks that is kept, in characters.
pub(super) const WORDS_MAX: usize = 500;
/// Longest name or id that is kept, in characters.
pub(super) const NAME_MAX: usize = 200;
/// Words that Databricks' own SDKs retry, whatever code and status stand beside them: databricks-sdk-py
/// 0.162.0 (`_base_client.py`) and databricks-sdk-go (`apierr/error_overrides.go`, `allTransientErrors`).
const PASSING: [&str; 9] = [
    "Please try again later or try a faster operation.",
    "Unexpected error",
    "UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
    "Unknown worker environment",
    "ClusterNotReadyException",
    "Timed out after ",
    "deadline exceeded",
];
/// Words about too many requests, in lower case: those of the SDKs, and of token endpoints
/// (databricks-sdk-go, issue 321).
const THROTTLED: [&str; 4] = [
    "rpc token bucket limit has been exceeded",
    "temporarily throttled",
    "too many requests",
    "exceeded the rate limit",
];
/// Codes of failures that pass, by the classes that the SDKs give them (`errors/platform.py`).
const UNAVAILABLE: [&str; 10] = [
    "ABORTED",
    "CANCELLED",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "INTERNAL_ERROR",
    "INTERNAL_SERVER_ERROR",
    "SERVICE_UNDER_MAINTENANCE",
    "TEMPORARILY_UNAVAILABLE",
    "UNKNOWN",
    "WORKSPACE_TEMPORARILY_UNAVAILABLE",
];
/// Codes of requests that do not fit the workspace.
const INVALID: [&str; 11] = [
    // The Unity Catalog API, or the feature, is not there; an object would be `.._NOT_EXIST`.
    "ENDPOINT_NOT_FOUND",
    "FEATURE_DISABLED",
    "NOT_IMPLEMENTED",
    "BAD_REQUEST",
    "INVALID_PARAMETER_VALUE",
    "INVALID_REQUEST",
    "INVALID_STATE",
    "MALFORMED_REQUEST",
    "MALFORMED_RESPONSE",
    "SCIM_400",
    "UC_NOT_ENABLED",
];

/// Names and ids in answers that have none.
pub(super) const NONE: &str = "none";

/// Failure of a call to Databricks; its detail does not name the workspace.
pub(super) type Failure = failure::Failure<Cause>;

/// Cause of a failed call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// Databricks refused the request.
    Refused(Box<Refusal>),
    /// The answer is not one that Databricks documents.
    Unexpected,
    /// A sign-in page answers, which no call of the API ends at.
    SignIn,
    /// The workspace does not accept connections from this network.
    Private,
    /// There is no answer, or none is asked for, such as with a secret that cannot be read.
    NoAnswer,
    /// A token endpoint did not issue a token.
    NoToken,
}

impl failure::Cause for Cause {
    fn no_answer(_class: Class) -> Self {
        Self::NoAnswer
    }

    /// A status without a code of Databricks may be a gateway's, and a token endpoint is an identity provider.
    fn is_doubtful(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                let name = refusal.name.as_str();
                name == NONE || name.chars().all(|char| char.is_ascii_digit())
            }
            Self::Private => false,
            Self::Unexpected | Self::SignIn | Self::NoAnswer | Self::NoToken => true,
        }
    }
}

/// Refusal in the words of Databricks, each on one line, bounded and without secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    /// Status code of the answer.
    pub(super) status: u16,
    /// Error code, such as `PERMISSION_DENIED`.
    pub(super) name: String,
    /// Message of the error.
    pub(super) message: String,
    /// Identifier of the request at Databricks.
    pub(super) request_id: String,
    /// Missing privilege in Unity Catalog, such as `USE CATALOG on CATALOG main`.
    pub(super) missing: Option<String>,
}

impl Refusal {
    /// Returns the refusal with each text bounded and without the secrets that `answer` knows.
    pub(super) fn cleaned(self, answer: &Answer) -> Self {
        let Self { status, name, message, request_id, missing } = self;
        Self {
            status,
            name: answer.line(&name, NAME_MAX),
            message: answer.line(&message, WORDS_MAX),
            request_id: answer.line(&request_id, NAME_MAX),
            missing: missing.map(|missing| answer.line(&missing, NAME_MAX)),
        }
    }
}

impl Failure {
    /// Returns a refusal, classed by its code, its status and its words.
    pub(super) fn refused(refusal: Refusal, retry_after: Option<Duration>) -> Self {
        let Refusal { status, name, message, request_id, missing } = &refusal;
        let class = class_of(*status, name, message);
        let detail = format!(
            "responded with code [{status}], name [{name}] and message [{message}] for request ID \
             [{request_id}]"
        );
        let missing =
            missing.as_ref().map_or(String::new(), |missing| format!(", needs {missing}"));
        let evidence =
            format!("HTTP {status} {name}: {message} (request ID {request_id}{missing})");
        let failure = Self::new(Cause::Refused(Box::new(refusal)), class, detail);
        failure.because(evidence).after(retry_after)
    }

    /// Returns the failure of an answer that Databricks does not document: a portal, a proxy, a cut
    /// body. It says nothing definite about the integration, whatever its status is.
    pub(super) fn unexpected(status: u16, reason: &str, retry_after: Option<Duration>) -> Self {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let detail = format!("with code [{status}] is not one of Databricks: {reason}");
        Self::new(Cause::Unexpected, class, detail).after(retry_after)
    }

    /// Returns a failure without an answer, for the reason in `detail`, which has no final period.
    pub(super) fn silent(class: Class, detail: impl Into<String>) -> Self {
        Self::new(Cause::NoAnswer, class, detail)
    }

    /// Returns the failure of a redirect of Databricks to its page about private links.
    pub(super) fn private_link() -> Self {
        let detail = "only accepts private connections and is not accessible from this network";
        Self::new(Cause::Private, Class::Denied, detail)
    }

    /// Returns the failure of a redirect of Databricks to its login page, which no call of its API
    /// ends at.
    pub(super) fn login_page() -> Self {
        let detail = "sends its API to a login page: the host is not that of one workspace";
        Self::new(Cause::SignIn, Class::Invalid, detail)
    }

    /// Returns the failure of a sign-in page in place of an answer. A workspace shows one for a
    /// moment too, so it decides nothing by itself.
    pub(super) fn sign_in(title: &str) -> Self {
        let detail = format!(
            "answers with its sign-in page titled [{title}]: the host is not that of one workspace"
        );
        Self::new(Cause::SignIn, Class::Unavailable, detail)
    }

    /// Returns the failure of a token endpoint that a client secret must not go to.
    pub(super) fn refused_endpoint(found: &str) -> Self {
        let detail = format!(
            "the token endpoint [{found}] that was named is neither on the workspace's host nor \
             on an account host of Databricks; the client secret was not sent there"
        );
        Self::silent(Class::Invalid, detail)
    }

    /// Returns the failure of a workspace that does not say which tenant it belongs to.
    pub(super) fn no_tenant() -> Self {
        let detail = "the workspace does not name its Microsoft Entra tenant; set `azure.tenantId`";
        Self::silent(Class::Invalid, detail)
    }

    /// Returns the failure of a token endpoint, in its own words.
    pub(super) fn no_token(refused: &NoToken) -> Self {
        Self::new(Cause::NoToken, refused.class(), refused.detail())
    }

    /// True for an answer, whatever it is.
    pub(super) const fn is_answer(&self) -> bool {
        match &self.cause {
            Cause::Refused(_) | Cause::Unexpected | Cause::SignIn => true,
            Cause::Private | Cause::NoAnswer | Cause::NoToken => false,
        }
    }

    /// True when the credential itself was refused, and not what it asked for.
    pub(super) fn is_about_credential(&self) -> bool {
        let Cause::Refused(refusal) = &self.cause else { return false };
        let Refusal { status, message, .. } = refusal.as_ref();
        if Named::of(message).is_some_and(Named::spares_credential) || !self.class.is_definitive() {
            return false;
        }
        let of_token = message.to_ascii_lowercase().contains("token");
        *status == 401 || self.class == Class::Expired || (*status == 403 && of_token)
    }

    /// True when the credentials themselves were refused, so that they must not be sent again unchanged.
    pub(super) fn refuses_log_in(&self) -> bool {
        let is_spared = self.named().is_some_and(Named::spares_credential);
        let is_refused = self.cause == Cause::NoToken && self.class.is_definitive();
        self.is_about_credential() || (is_refused && !is_spared)
    }

    /// Returns the cause that the answer names in words.
    pub(super) fn named(&self) -> Option<Named> {
        match &self.cause {
            Cause::Private => Some(Named::Network),
            Cause::Refused(refusal) => Named::of(&refusal.message),
            Cause::NoToken => Named::of(&self.detail),
            Cause::Unexpected | Cause::SignIn | Cause::NoAnswer => None,
        }
    }

    /// Returns the missing privilege, where Unity Catalog names it.
    pub(super) fn missing(&self) -> Option<&str> {
        match &self.cause {
            Cause::Refused(refusal) => refusal.missing.as_deref(),
            Cause::Unexpected
            | Cause::SignIn
            | Cause::Private
            | Cause::NoAnswer
            | Cause::NoToken => None,
        }
    }

    /// Returns one sentence about what `host` answered, or that it did not.
    pub(super) fn sentence(&self, host: &str) -> String {
        let detail = &self.detail;
        match &self.cause {
            Cause::Refused(_) | Cause::SignIn => format!("[{host}] {detail}."),
            Cause::Unexpected => format!("The answer of [{host}] {detail}."),
            Cause::Private => format!("The workspace [{host}] {detail}."),
            Cause::NoAnswer | Cause::NoToken => format!("[{host}]: {detail}."),
        }
    }

    /// Returns a finding that begins with `doing` and goes on with [`Self::sentence`].
    pub(super) fn finding(&self, doing: &str, host: &str) -> Finding {
        self.evident(Finding::new(self.class, format!("{doing} {}", self.sentence(host))))
    }
}

/// Returns the class of a refusal: by the words that the SDKs retry, then by its code, then by its status.
/// An answer that none of them knows decides nothing.
fn class_of(status: u16, code: &str, message: &str) -> Class {
    let lower = message.to_lowercase();
    let is_throttled = THROTTLED.iter().any(|words| lower.contains(words));
    match (code, status) {
        ("REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED", _) | (_, 429) => Class::Throttled,
        _ if is_throttled => Class::Throttled,
        (_, 408 | 499 | 500..=599) => Class::Unavailable,
        (code, _) if UNAVAILABLE.contains(&code) || is_passing(message) => Class::Unavailable,
        (code, _) if INVALID.contains(&code) => Class::Invalid,
        ("PERMISSION_DENIED" | "UNAUTHENTICATED" | "CUSTOMER_UNAUTHORIZED", _) | (_, 401 | 403) => {
            if lower.contains("expired") {
                Class::Expired
            } else {
                Class::Denied
            }
        }
        (
            "CATALOG_DOES_NOT_EXIST"
            | "METASTORE_DOES_NOT_EXIST"
            | "NOT_FOUND"
            | "RESOURCE_DOES_NOT_EXIST"
            | "SCHEMA_DOES_NOT_EXIST"
            | "TABLE_DOES_NOT_EXIST",
            _,
        )
        | (_, 404) => Class::Missing,
        _ => Class::Unavailable,
    }
}

/// True for the words that the SDKs retry.
fn is_passing(message: &str) -> bool {
    let environment = message.split_once("worker env ");
    PASSING.iter().any(|words| message.contains(words))
        || environment.is_some_and(|(_, rest)| rest.contains(" not found"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_statuses() {
        let table = [
            (429, "REQUEST_LIMIT_EXCEEDED", "", Class::Throttled),
            (400, "RESOURCE_EXHAUSTED", "", Class::Throttled),
            (403, "REQUEST_LIMIT_EXCEEDED", "", Class::Throttled),
            (429, "X", "", Class::Throttled),
            (400, "X", "RPC token bucket limit has been exceeded.", Class::Throttled),
            (500, "INTERNAL_ERROR", "", Class::Unavailable),
            (400, "TEMPORARILY_UNAVAILABLE", "", Class::Unavailable),
            (504, "DEADLINE_EXCEEDED", "", Class::Unavailable),
            (409, "ABORTED", "", Class::Unavailable),
            (503, "SERVICE_UNDER_MAINTENANCE", "", Class::Unavailable),
            (400, "WORKSPACE_TEMPORARILY_UNAVAILABLE", "", Class::Unavailable),
            (408, "X", "", Class::Unavailable),
            (502, "X", "", Class::Unavailable),
            (400, "X", "There is no worker environment with id 7", Class::Unavailable),
            (
                400,
                "INVALID_PARAMETER_VALUE",
                "Unknown worker environment WorkerEnvId(workerenv-1)",
                Class::Unavailable,
            ),
            (404, "NOT_FOUND", "worker env WorkerEnvId(workerenv-1) not found", Class::Unavailable),
            (400, "INVALID_STATE", "ClusterNotReadyException: not yet", Class::Unavailable),
            (404, "NOT_FOUND", "Unexpected error", Class::Unavailable),
            (400, "X", "Temporarily throttled, too many requests", Class::Throttled),
            (499, "CANCELLED", "", Class::Unavailable),
            (400, "SCIM_400", "invalidFilter d", Class::Invalid),
            (400, "none", "no reason", Class::Unavailable),
            (409, "RESOURCE_CONFLICT", "", Class::Unavailable),
            (404, "ENDPOINT_NOT_FOUND", "", Class::Invalid),
            (404, "FEATURE_DISABLED", "", Class::Invalid),
            (501, "NOT_IMPLEMENTED", "", Class::Unavailable),
            (401, "401", "Credential was not sent", Class::Denied),
            (401, "UNAUTHENTICATED", "", Class::Denied),
            (403, "PERMISSION_DENIED", "", Class::Denied),
            (403, "403", "Invalid access token.", Class::Denied),
            (403, "CUSTOMER_UNAUTHORIZED", "", Class::Denied),
            (403, "403", "Unauthorized access to Org: 7: the token has expired", Class::Expired),
            (401, "X", "ExpiredJwt: Expired token", Class::Expired),
            (404, "METASTORE_DOES_NOT_EXIST", "", Class::Missing),
            (404, "CATALOG_DOES_NOT_EXIST", "", Class::Missing),
            (404, "SCHEMA_DOES_NOT_EXIST", "", Class::Missing),
            (404, "TABLE_DOES_NOT_EXIST", "", Class::Missing),
            (400, "RESOURCE_DOES_NOT_EXIST", "", Class::Missing),
            (404, "none", "", Class::Missing),
            (400, "INVALID_PARAMETER_VALUE", "", Class::Invalid),
            (400, "INVALID_STATE", "", Class::Invalid),
            (418, "X", "", Class::Unavailable),
        ];
        for (status, code, message, expected) in table {
            assert_eq!(class_of(status, code, message), expected, "{status} {code} {message}");
        }
    }

    #[test]
    fn answers_of_others_decide_nothing() {
        for (status, class) in
            [(200, Class::Unavailable), (404, Class::Unavailable), (429, Class::Throttled)]
        {
            let failure = Failure::unexpected(status, "it is not JSON", None);
            assert_eq!(failure.class, class);
            assert_eq!(failure.finding("No.", "h").evidence, None);
        }
    }

    #[test]
    fn failure_is_doubtful_unless_databricks_names_it_by_a_code() {
        let refused = |status, name: &str| {
            let refusal = Refusal {
                status,
                name: name.to_owned(),
                message: "m".to_owned(),
                request_id: String::new(),
                missing: None,
            };
            Failure::refused(refusal, None)
        };
        let table = [
            (refused(404, "UNHEARD"), true),
            (refused(403, "PERMISSION_DENIED"), true),
            (refused(404, "TABLE_DOES_NOT_EXIST"), true),
            (refused(404, NONE), false),
            (refused(403, "403"), false),
            (Failure::private_link(), true),
            (Failure::login_page(), false),
            (Failure::silent(Class::Expired, "the certificate"), false),
        ];
        for (failure, certain) in table {
            assert_eq!(failure.finding("No.", "h").is_certain, certain, "{failure:?}");
        }
    }

    #[test]
    fn only_what_is_about_the_credential_is_worth_a_new_token() {
        let about = |status, name: &str, message: &str| {
            let refusal = Refusal {
                status,
                name: name.to_owned(),
                message: message.to_owned(),
                request_id: String::new(),
                missing: None,
            };
            Failure::refused(refusal, None).is_about_credential()
        };
        assert!(about(401, "401", ""));
        assert!(about(403, "403", "Invalid access token."));
        assert!(about(403, "403", "the session has expired"));
        assert!(!about(403, "PERMISSION_DENIED", "User does not have USE CATALOG on Catalog 'x'."));
        assert!(!about(404, "NOT_FOUND", "no token"));
        assert!(!Failure::private_link().is_about_credential());
    }
}
