//! Failed calls to AWS: their causes and the text of each.

use crate::domain::{Class, Finding};
use crate::platforms::failure;

/// Names and ids in answers that have none.
pub(super) const NONE: &str = "none";

/// Failure of a call to AWS.
pub(crate) type Failure = failure::Failure<Cause>;

/// Cause of a failed call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    /// AWS refused the request.
    Refused(Box<Refusal>),
    /// Something answered, but not as AWS documents it.
    Unexpected,
    /// No answer came, or no request could be made.
    NoAnswer,
}

impl failure::Cause for Cause {
    fn no_answer(_class: Class) -> Self {
        Self::NoAnswer
    }

    /// A status without a code may be a gateway's, and a certificate or redirect whoever's it is.
    fn is_doubtful(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.name == NONE,
            Self::Unexpected | Self::NoAnswer => true,
        }
    }
}

/// AWS's own words, each on one line and bounded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Refusal {
    /// The status of the answer.
    pub(crate) status: u16,
    /// The error code, such as `AccessDenied`.
    pub(crate) name: String,
    /// The sentence with it.
    pub(crate) message: String,
    /// Identifier of the request at AWS.
    pub(crate) request_id: String,
    /// Region of the bucket, when the request went to another.
    pub(crate) region: Option<String>,
}

impl Refusal {
    /// True for refusals that a grant ends, unlike those of a key that is not accepted at all.
    pub(crate) fn is_permission(&self) -> bool {
        let codes =
            ["AccessDenied", "AccessDeniedException", "AllAccessDisabled", "UnauthorizedOperation"];
        codes.contains(&self.name.as_str())
    }
}

impl Failure {
    /// Returns a refusal, classed by its code and status; one that is documented nowhere is of class
    /// `unknown`.
    pub(crate) fn refused(refusal: Refusal, unknown: Class) -> Self {
        let Refusal { status, name, message, request_id, region } = &refusal;
        let class = class_of(*status, name, message).unwrap_or(unknown);
        let detail = format!(
            "AWS responded with code [{status}], name [{name}] and message [{message}] for request \
             ID [{request_id}]"
        );
        let region = region.as_ref().map_or(String::new(), |region| format!(", region {region}"));
        let evidence = format!("HTTP {status} {name}: {message} (request ID {request_id}{region})");
        Self::new(Cause::Refused(Box::new(refusal)), class, detail).because(evidence)
    }

    /// Returns a failure for an answer that AWS does not document: a portal, a proxy, a cut body. It
    /// says nothing definite about the integration, whatever its status is.
    pub(crate) fn unexpected(status: u16, reason: &str, request_id: &str) -> Self {
        let class = if status == 429 { Class::Throttled } else { Class::Unavailable };
        let detail = format!(
            "the answer with code [{status}] for request ID [{request_id}] is not one of AWS: {reason}"
        );
        Self::new(Cause::Unexpected, class, detail)
    }

    /// Returns a failure without an answer.
    pub(crate) fn silent(class: Class, detail: impl Into<String>) -> Self {
        Self::new(Cause::NoAnswer, class, detail)
    }

    /// Returns AWS's words, if it refused.
    pub(crate) const fn refusal(&self) -> Option<&Refusal> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal),
            Cause::Unexpected | Cause::NoAnswer => None,
        }
    }

    /// Returns the remediation that AWS's own words lead to, for a request in `region`.
    pub(crate) fn remedy(&self, region: &str) -> Option<String> {
        self.refusal()?.remedy(region)
    }

    /// Returns the published sentence about `doing`, which could not be done, with AWS's words in it.
    pub(crate) fn sentence(&self, doing: &str) -> String {
        let name = self.refusal().map_or(String::new(), |refusal| format!("{}: ", refusal.name));
        format!("{name}{doing}: {}.", self.detail)
    }

    /// Returns a finding that says what could not be done. An answer that is not one of AWS brings
    /// its remediation along.
    pub(crate) fn finding(&self, doing: &str) -> Finding {
        let finding = self.evident(Finding::new(self.class, self.sentence(doing)));
        match &self.cause {
            Cause::Unexpected => finding.fix(
                "Something else answers in AWS's place, such as a gateway, a proxy or a sign-in \
                 page: check `endpoints`, `proxy` and the network between.",
            ),
            Cause::Refused(_) | Cause::NoAnswer => finding,
        }
    }
}

/// Codes of requests that come too often.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];
/// Codes of failures that pass by themselves.
const UNAVAILABLE: &[&str] = &[
    "BadDigest",
    "ConditionalRequestConflict",
    "IDPCommunicationError",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceException",
    "InvalidClusterState",
    "InvalidClusterStateFault",
    "OperationAborted",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TemporaryRedirect",
];

/// Returns the class of an error by its code, then by its status; none for one that is not
/// documented.
///
/// Throttling and passing codes are those that the SDKs try again: botocore `retries/standard.py`,
/// `retries/special.py` and `data/_retry.json`, aws-sdk-js-v3 `service-error-classification`,
/// aws-sdk-java-v2 `AwsErrorCode`, smithy-rs `aws_error_code`; of S3 also its list of error responses.
fn class_of(status: u16, code: &str, message: &str) -> Option<Class> {
    Some(match (code, status) {
        (code, _) if THROTTLED.contains(&code) => Class::Throttled,
        (_, 429 | 509) => Class::Throttled,
        ("InvalidIdentityToken" | "InvalidIdentityTokenException", _) => of_identity(message),
        (code, _) if UNAVAILABLE.contains(&code) => Class::Unavailable,
        (_, 408 | 500..=599) => Class::Unavailable,
        ("RequestExpired" | "RequestInTheFuture" | "RequestTimeTooSkewed", _) => Class::Local,
        ("SignatureDoesNotMatch" | "InvalidSignatureException", _) if is_about_time(message) => {
            Class::Local
        }
        ("ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired", _) => Class::Expired,
        (
            "AccessDenied"
            | "AccessDeniedException"
            | "AuthFailure"
            | "IDPRejectedClaim"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "MissingAuthenticationToken"
            | "NotSignedUp"
            | "OptInRequired"
            | "RegionDisabledException"
            | "UnauthorizedOperation"
            | "UnrecognizedClientException",
            _,
        )
        | (_, 401 | 403) => Class::Denied,
        ("ClusterNotFound" | "ClusterNotFoundFault" | "ResourceNotFoundException", _)
        | (_, 404) => Class::Missing,
        _ => return invalid(code),
    })
}

/// Returns the class of codes that say that the request, and so the configuration, does not fit.
fn invalid(code: &str) -> Option<Class> {
    let codes = [
        "AuthorizationHeaderMalformed",
        "AuthorizationQueryParametersError",
        "BadRequest",
        "IllegalLocationConstraintException",
        "IncorrectEndpoint",
        "InvalidAccessGrantsLocation",
        "InvalidAccessPoint",
        "InvalidAction",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidQueryParameter",
        "InvalidRequest",
        "InvalidURI",
        "MalformedPolicyDocument",
        "MalformedQueryString",
        "MethodNotAllowed",
        "MissingAction",
        "MissingParameter",
        "PackedPolicyTooLarge",
        "PermanentRedirect",
        "UnsupportedOperation",
        "UnsupportedOperationFault",
        "ValidationError",
        "ValidationException",
    ];
    codes.contains(&code).then_some(Class::Invalid)
}

/// Returns the class of a refused web identity. The SDKs try every one again (aws-sdk-go-v2
/// `web_identity_provider.go`, aws-sdk-php `AssumeRoleWithWebIdentityCredentialProvider`), since
/// keys are fetched and rotated meanwhile; these words name a cause that stays.
fn of_identity(message: &str) -> Class {
    let lasting = [
        "No OpenIDConnect provider found",
        "Incorrect token audience",
        "doesn't match configured thumbprint",
        "Issuer must be",
        "Missing a required claim",
        "not a valid",
    ];
    if lasting.iter().any(|words| message.contains(words)) {
        Class::Denied
    } else {
        Class::Unavailable
    }
}

/// True for a signature that is refused because of the clock, which STS reports as a wrong
/// signature.
fn is_about_time(message: &str) -> bool {
    message.starts_with("Signature expired") || message.starts_with("Signature not yet current")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_before_statuses() {
        let cases = [
            (400, "Throttling", Class::Throttled),
            (403, "RequestThrottled", Class::Throttled),
            (503, "SlowDown", Class::Throttled),
            (509, "X", Class::Throttled),
            (429, "X", Class::Throttled),
            (400, "IDPCommunicationError", Class::Unavailable),
            (400, "RequestTimeout", Class::Unavailable),
            (307, "TemporaryRedirect", Class::Unavailable),
            (500, "InternalError", Class::Unavailable),
            (504, "X", Class::Unavailable),
            (403, "RequestTimeTooSkewed", Class::Local),
            (400, "RequestExpired", Class::Local),
            (400, "ExpiredToken", Class::Expired),
            (403, "ExpiredTokenException", Class::Expired),
            (400, "InvalidToken", Class::Denied),
            (403, "InvalidClientTokenId", Class::Denied),
            (403, "InvalidAccessKeyId", Class::Denied),
            (403, "SignatureDoesNotMatch", Class::Denied),
            (403, "AccessDenied", Class::Denied),
            (403, "AllAccessDisabled", Class::Denied),
            (403, "RegionDisabledException", Class::Denied),
            (404, "NoSuchBucket", Class::Missing),
            (404, "AccessGrantsInstanceNotExistsError", Class::Missing),
            (404, "NoSuchAccessGrantsInstance", Class::Missing),
            (301, "PermanentRedirect", Class::Invalid),
            (400, "AuthorizationHeaderMalformed", Class::Invalid),
            (400, "InvalidBucketName", Class::Invalid),
            (400, "MalformedPolicyDocument", Class::Invalid),
            (404, "ClusterNotFound", Class::Missing),
            (400, "ClusterNotFound", Class::Missing),
            (400, "UnsupportedOperation", Class::Invalid),
            (400, "InvalidParameterValue", Class::Invalid),
            (400, "UnauthorizedOperation", Class::Denied),
            (400, "InvalidIdentityToken", Class::Unavailable),
            (409, "OperationAborted", Class::Unavailable),
            (408, "X", Class::Unavailable),
            (400, "InvalidClusterState", Class::Unavailable),
            (400, "IDPRejectedClaim", Class::Denied),
            (403, "IDPRejectedClaim", Class::Denied),
            (400, "RequestLimitExceeded", Class::Throttled),
            (503, "ServiceUnavailable", Class::Unavailable),
        ];
        for (status, code, expected) in cases {
            let found = class_of(status, code, "The message.");
            assert_eq!(found, Some(expected), "{status} {code}");
        }
    }

    #[test]
    fn failure_is_doubtful_unless_aws_names_it_by_a_code() {
        let refused = |name: &str| {
            let refusal = Refusal {
                status: 403,
                name: name.to_owned(),
                message: "m".to_owned(),
                request_id: "r".to_owned(),
                region: None,
            };
            Failure::refused(refusal, Class::Denied).finding("no").is_certain
        };
        let certain = ["NoSuchBucket", "AccessDenied", "SignatureDoesNotMatch", "Unheard", NONE];
        assert_eq!(certain.map(refused), [true, true, true, true, false]);
        assert!(!Failure::silent(Class::Expired, "the certificate").finding("no").is_certain);
    }

    #[test]
    fn undocumented_code_is_of_the_class_that_the_request_asks_for() {
        for unknown in [Class::Denied, Class::Unavailable] {
            let refusal = Refusal {
                status: 400,
                name: "Unheard".to_owned(),
                message: "Of.".to_owned(),
                request_id: "r".to_owned(),
                region: None,
            };
            assert_eq!(Failure::refused(refusal, unknown).class, unknown);
        }
    }

    #[test]
    fn refused_web_identity_passes_unless_its_words_name_a_lasting_cause() {
        let table = [
            (
                "Couldn't retrieve verification key from your identity provider,  please reference \
                 AssumeRoleWithWebIdentity documentation for requirements",
                Class::Unavailable,
            ),
            ("The ID Token provided is not yet valid.", Class::Unavailable),
            ("No OpenIDConnect provider found in your account for https://a", Class::Denied),
            ("Incorrect token audience", Class::Denied),
        ];
        for (message, class) in table {
            assert_eq!(class_of(400, "InvalidIdentityToken", message), Some(class), "{message}");
        }
    }

    #[test]
    fn a_wrong_clock_is_local_fault() {
        let late = "Signature expired: 20261122T000000Z is now earlier than 20261122T001000Z";
        let early = "Signature not yet current: 20261122T010000Z is still later than ..";
        for message in [late, early] {
            assert_eq!(class_of(403, "SignatureDoesNotMatch", message), Some(Class::Local));
        }
        let wrong = "The request signature we calculated does not match the one you provided.";
        assert_eq!(class_of(403, "SignatureDoesNotMatch", wrong), Some(Class::Denied));
    }

    #[test]
    fn answers_that_are_not_of_aws_decide_nothing() {
        for (status, class) in [(200, Class::Unavailable), (404, Class::Unavailable)] {
            let failure = Failure::unexpected(status, "not well-formed XML", "none");
            assert_eq!(failure.class, class);
            assert!(failure.evidence.is_none());
        }
        assert_eq!(Failure::unexpected(429, "", "").class, Class::Throttled);
    }

    const REFUSED: [&str; 14] = [
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "IDPRejectedClaim",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "MissingAuthenticationToken",
        "NotSignedUp",
        "OptInRequired",
        "RegionDisabledException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    ];

    #[test]
    fn code_that_the_sdks_retry_passes_with_any_status_of_a_refusal() {
        for status in [400, 403, 409, 503] {
            for code in THROTTLED {
                assert_eq!(class_of(status, code, "m"), Some(Class::Throttled), "{status} {code}");
            }
            for code in UNAVAILABLE.iter().chain(&["InvalidIdentityToken"]) {
                assert_eq!(
                    class_of(status, code, "m"),
                    Some(Class::Unavailable),
                    "{status} {code}"
                );
            }
        }
    }

    #[test]
    fn code_that_says_who_or_what_is_wrong_lasts() {
        for code in REFUSED {
            assert_eq!(class_of(400, code, "m"), Some(Class::Denied), "{code}");
        }
        for (code, class) in [
            ("ExpiredToken", Class::Expired),
            ("ExpiredTokenException", Class::Expired),
            ("TokenRefreshRequired", Class::Expired),
            ("RequestExpired", Class::Local),
            ("RequestInTheFuture", Class::Local),
            ("RequestTimeTooSkewed", Class::Local),
            ("ClusterNotFoundFault", Class::Missing),
            ("ResourceNotFoundException", Class::Missing),
            ("AuthorizationQueryParametersError", Class::Invalid),
            ("IllegalLocationConstraintException", Class::Invalid),
            ("IncorrectEndpoint", Class::Invalid),
            ("InvalidAccessPoint", Class::Invalid),
            ("InvalidAction", Class::Invalid),
            ("MethodNotAllowed", Class::Invalid),
            ("MissingParameter", Class::Invalid),
            ("PackedPolicyTooLarge", Class::Invalid),
            ("ValidationException", Class::Invalid),
        ] {
            assert_eq!(class_of(400, code, "m"), Some(class), "{code}");
        }
        assert_eq!(class_of(400, "Unheard", "m"), None);
    }
}
