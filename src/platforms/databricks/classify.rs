//! What a failed call to Databricks means, and how it is told.

use std::time::Duration;

use crate::domain::{Class, Finding, REDACTED, Secret, one_line};
use crate::net::backoff::{Backoff, Retryable};
use crate::net::exchange::NoAnswer;
use crate::net::oauth::NoToken;

/// The longest piece of foreign words that is kept, in characters.
pub(super) const WORDS_MAX: usize = 500;
/// The longest piece of a name or id that is kept, in characters.
const NAME_MAX: usize = 200;
/// What Databricks' own SDKs take for reasons to try again, whatever the code is.
const PASSING: [&str; 5] = [
    "Please try again later or try a faster operation.",
    "Unexpected error",
    "UnknownWorkerEnvironmentException",
    "does not have any associated worker environments",
    "There is no worker environment with id",
];

/// Why a call had no documented answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    /// Whether trying again can help.
    pub(super) class: Class,
    /// What happened.
    cause: Cause,
    /// The wait that the server asked for.
    hint: Option<Duration>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Cause {
    /// Databricks refused.
    Refused(Box<Refusal>),
    /// Something answered, but not as Databricks documents it.
    Unexpected { status: u16, reason: String },
    /// The workspace is closed to the network we are in.
    Private,
    /// One sentence that needs no more, such as a secret that cannot be read.
    Said(String),
}

/// Databricks' own words, each on one line, bounded, and without our secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refusal {
    /// The status of the answer.
    pub(super) status: u16,
    /// The error code, such as `PERMISSION_DENIED`.
    pub(super) name: String,
    /// The sentence with it.
    pub(super) message: String,
    /// What Databricks calls the request.
    pub(super) request_id: String,
    /// The privilege that Unity Catalog misses, such as `USE CATALOG on CATALOG main`.
    pub(super) missing: Option<String>,
}

impl Refusal {
    /// Makes foreign words fit to be shown, `hidden` taken out of them.
    pub(super) fn cleaned(self, hidden: &[Secret]) -> Self {
        let Self { status, name, message, request_id, missing } = self;
        Self {
            status,
            name: clean(&name, hidden, NAME_MAX),
            message: clean(&message, hidden, WORDS_MAX),
            request_id: clean(&request_id, hidden, NAME_MAX),
            missing: missing.map(|missing| clean(&missing, hidden, NAME_MAX)),
        }
    }
}

/// `text` on one bounded line, without `hidden`, should it repeat them.
pub(super) fn clean(text: &str, hidden: &[Secret], chars_max: usize) -> String {
    let mut text = text.to_owned();
    for secret in hidden.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), REDACTED);
    }
    one_line(&text, chars_max)
}

impl Failure {
    /// A refusal, classed by its code, its status and its words.
    pub(super) fn refused(refusal: Refusal, hint: Option<Duration>) -> Self {
        let class = class_of(refusal.status, &refusal.name, &refusal.message);
        Self { class, cause: Cause::Refused(Box::new(refusal)), hint }
    }

    /// An answer that Databricks does not document: a portal, a proxy, a cut body. It says nothing
    /// definite about the integration, whatever its status is.
    pub(super) fn unexpected(
        status: u16,
        reason: impl Into<String>,
        hint: Option<Duration>,
    ) -> Self {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        Self { class, cause: Cause::Unexpected { status, reason: reason.into() }, hint }
    }

    /// No answer, for the reason in `detail`, which has no final period.
    pub(super) fn silent(class: Class, detail: impl Into<String>) -> Self {
        Self { class, cause: Cause::Said(detail.into()), hint: None }
    }

    /// A redirect of Databricks to its page about private links.
    pub(super) fn private_link() -> Self {
        Self { class: Class::Denied, cause: Cause::Private, hint: None }
    }

    /// A redirect of Databricks to its login page, which no call of its API ends at.
    pub(super) fn login_page() -> Self {
        let detail = "the host sends its API to a login page: it is not that of one workspace; \
            set `workspaceUrl` to the workspace's own host, or `workspaceId`";
        Self::silent(Class::Invalid, detail)
    }

    /// A token endpoint that a client secret must not go to.
    pub(super) fn refused_endpoint(found: &str) -> Self {
        let found = one_line(found, NAME_MAX);
        let detail = format!(
            "the token endpoint [{found}] that was named is neither on the workspace's host nor \
             on an account host of Databricks; the client secret was not sent there"
        );
        Self::silent(Class::Invalid, detail)
    }

    /// The workspace did not say which tenant it belongs to.
    pub(super) fn no_tenant() -> Self {
        let detail = "the workspace does not name its Microsoft Entra tenant; set `azure.tenantId`";
        Self::silent(Class::Invalid, detail)
    }

    /// There is no token; the endpoint's words without `hidden`.
    pub(super) fn no_token(refused: &NoToken, hidden: &[Secret]) -> Self {
        Self::silent(refused.class(), clean(&refused.detail(), hidden, WORDS_MAX * 2))
    }

    /// True for an answer, whatever it is.
    pub(super) const fn is_answer(&self) -> bool {
        match &self.cause {
            Cause::Refused(_) | Cause::Unexpected { .. } => true,
            Cause::Private | Cause::Said(_) => false,
        }
    }

    /// True when the credential itself was refused, and not what it asked for.
    pub(super) fn is_about_credential(&self) -> bool {
        let Cause::Refused(refusal) = &self.cause else { return false };
        let Refusal { status, message, .. } = refusal.as_ref();
        let of_token = message.to_ascii_lowercase().contains("token");
        *status == 401 || self.class == Class::Expired || (*status == 403 && of_token)
    }

    /// How to mend it where the network is to blame and no credential can help.
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
            Cause::Refused(_) | Cause::Unexpected { .. } | Cause::Said(_) => None,
        }
    }

    /// The missing privilege, where Unity Catalog names it.
    pub(super) fn missing(&self) -> Option<&str> {
        match &self.cause {
            Cause::Refused(refusal) => refusal.missing.as_deref(),
            Cause::Unexpected { .. } | Cause::Private | Cause::Said(_) => None,
        }
    }

    /// One sentence about what `host` said, or that it said nothing.
    pub(super) fn sentence(&self, host: &str) -> String {
        match &self.cause {
            Cause::Refused(refusal) => {
                let Refusal { status, name, message, request_id, missing: _ } = refusal.as_ref();
                format!(
                    "[{host}] responded with code [{status}], name [{name}] and message \
                     [{message}] for request ID [{request_id}]."
                )
            }
            Cause::Unexpected { status, reason } => format!(
                "The answer of [{host}] with code [{status}] is not one of Databricks: {reason}."
            ),
            Cause::Private => format!(
                "The workspace [{host}] only accepts private connections and is not accessible \
                 from this network."
            ),
            Cause::Said(detail) => format!("[{host}]: {detail}."),
        }
    }

    /// A finding that begins with `doing` and goes on with [`Self::sentence`].
    pub(super) fn finding(&self, doing: &str, host: &str) -> Finding {
        let finding = Finding::new(self.class, format!("{doing} {}", self.sentence(host)));
        match &self.cause {
            Cause::Refused(refusal) => {
                let Refusal { status, name, message, request_id, missing } = refusal.as_ref();
                let missing =
                    missing.as_ref().map_or(String::new(), |missing| format!(", needs {missing}"));
                finding.because(format!(
                    "HTTP {status} {name}: {message} (request ID {request_id}{missing})"
                ))
            }
            Cause::Unexpected { .. } | Cause::Private | Cause::Said(_) => finding,
        }
    }
}

impl Retryable for Failure {
    fn backoff(&self) -> Backoff {
        Backoff::of(self.class).or_after(self.hint)
    }
}

impl From<NoAnswer> for Failure {
    fn from(NoAnswer { class, detail }: NoAnswer) -> Self {
        Self::silent(class, detail)
    }
}

/// The class of a refusal: by its code, then by its status and the words that Databricks uses for
/// what may pass and for tokens that have ended.
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
