//! Answers that the SDKs of AWS retry: botocore `retries/standard.py` (`TransientRetryableChecker`,
//! `ThrottledRetryableChecker`), `retries/special.py` and `data/_retry.json`; aws-sdk-js-v3
//! `service-error-classification`.

use super::SUBJECT;
use crate::platforms::testing::{Retried, none_is_definitive};

const CODES: [&str; 26] = [
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "IDPCommunicationError",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "OperationAborted",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
    "TemporaryRedirect",
    "BadDigest",
    "ConditionalRequestConflict",
];
const STATUSES: [u16; 7] = [408, 429, 500, 502, 503, 504, 509];

#[tokio::test]
async fn answers_that_the_sdks_retry_never_flip() {
    let mut answers = Vec::new();
    for operation in ["caller", "instance", "locations", "objects"] {
        for code in CODES {
            let error = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
            let body = match operation {
                "objects" => error,
                _ => format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"),
            };
            let (status, content_type) = (400, "application/xml");
            answers.push(Retried { operation, status, content_type, body });
        }
        answers.extend(STATUSES.map(|status| Retried::page(operation, status)));
        // A gateway without a route answers in AWS's place.
        answers.push(Retried::page(operation, 404));
    }
    none_is_definitive(SUBJECT, answers).await;
}
