//! Failed calls to Databricks: their causes and the text of each.

use std::time::Duration;

use crate::domain::{Class, Finding};
use crate::net::exchange::Answer;
use crate::net::oauth::NoToken;
use crate::platforms::failure;

/// Longest text of Databricks that is kept, in characters.
pub(super) const WORDS_MAX: usize = 500;
/// Longest name or id that is kept, in characters.
pub(super) const NAME_MAX: usize = 200;
/// Error codes that Databricks' own SDKs retry, whatever the status is.
const PASSING: [&str; 5] = [
    "Please try again later or try a faster operation.",
    "Unexpected error",
    "UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
];

/// Failure of a call to Databricks; its detail does not name the workspace.
pub(super) type Failure = failure::Failure<Cause>;

/// Cause of a failed call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cause {
    /// Databricks refused the request.
    Refused(Box<Refusal>),
    /// The answer is not one that Databricks documents.
    Unexpected,
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
        let detail = "the host sends its API to a login page: it is not that of one workspace; \
            set `workspaceUrl` to the workspace's own host, or `workspaceId`";
        Self::silent(Class::Invalid, detail)
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
            Cause::Refused(_) | Cause::Unexpected => true,
            Cause::Private | Cause::NoAnswer | Cause::NoToken => false,
        }
    }

    /// True when the credential itself was refused, and not what it asked for.
    pub(super) fn is_about_credential(&self) -> bool {
        let Cause::Refused(refusal) = &self.cause else { return false };
        let Refusal { status, message, .. } = refusal.as_ref();
        let of_token = message.to_ascii_lowercase().contains("token");
        *status == 401 || self.class == Class::Expired || (*status == 403 && of_token)
    }

    /// Returns the remediation where the network is to blame and no credential can help.
    pub(super) fn network_advice(&self) -> Option<&'static str> {
        match &self.cause {
            Cause::Private => Some(
                "Run this in a network with a private endpoint of the workspace, and set \
                 `endpoint` if its name leads elsewhere.",
            ),
            Cause::Refused(refusal)
                if ["IP ACL", "IP access list"]
                    .iter()
                    .any(|words| refusal.message.contains(words)) =>
            {
                Some("Allow the address of this machine in the workspace's IP access list.")
            }
            Cause::Refused(_) | Cause::Unexpected | Cause::NoAnswer | Cause::NoToken => None,
        }
    }

    /// Returns the missing privilege, where Unity Catalog names it.
    pub(super) fn missing(&self) -> Option<&str> {
        match &self.cause {
            Cause::Refused(refusal) => refusal.missing.as_deref(),
            Cause::Unexpected | Cause::Private | Cause::NoAnswer | Cause::NoToken => None,
        }
    }

    /// Returns one sentence about what `host` answered, or that it did not.
    pub(super) fn sentence(&self, host: &str) -> String {
        let detail = &self.detail;
        match &self.cause {
            Cause::Refused(_) => format!("[{host}] {detail}."),
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

/// Returns the class of a refusal: by its code, then by its status and by the words of Databricks
/// for transient failures and expired tokens.
fn class_of(status: u16, code: &str, message: &str) -> Class {
    let is_final = matches!(status, 401 | 403 | 404);
    match (code, status) {
        ("REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED", _) | (_, 429) => Class::Throttled,
        _ if !is_final && message.contains("RPC token bucket limit has been exceeded") => {
            Class::Throttled
        }
        (
            "ABORTED"
            | "DEADLINE_EXCEEDED"
            | "INTERNAL_ERROR"
            | "SERVICE_UNDER_MAINTENANCE"
            | "TEMPORARILY_UNAVAILABLE"
            | "WORKSPACE_TEMPORARILY_UNAVAILABLE",
            _,
        )
        | (_, 408 | 500..=599) => Class::Unavailable,
        _ if !is_final && PASSING.iter().any(|words| message.contains(words)) => Class::Unavailable,
        // The Unity Catalog API, or the feature, is not there; an object would be `.._NOT_EXIST`.
        ("ENDPOINT_NOT_FOUND" | "FEATURE_DISABLED" | "NOT_IMPLEMENTED", _) => Class::Invalid,
        ("PERMISSION_DENIED" | "UNAUTHENTICATED" | "CUSTOMER_UNAUTHORIZED", _) | (_, 401 | 403) => {
            let is_over = message.to_ascii_lowercase().contains("expired");
            if is_over { Class::Expired } else { Class::Denied }
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
        _ => Class::Invalid,
    }
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
            (404, "NOT_FOUND", "Unexpected error", Class::Missing),
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
            (418, "X", "", Class::Invalid),
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
