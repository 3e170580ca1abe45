//! Answers that the libraries of Google retry: google-cloud-python-bigquery `retry.py` (`_RETRYABLE_REASONS`,
//! `_UNSTRUCTURED_RETRYABLE_TYPES`), google-cloud-go `bigquery.go` (`retryableError`), google-auth
//! `exponential_backoff.py` and `_default_retryable_status_codes`.

use super::{TESTED, key};
use crate::platforms::testing::{Retried, none_is_definitive};

const REASONS: [(u16, &str); 13] = [
    (403, "rateLimitExceeded"),
    (403, "userRateLimitExceeded"),
    (403, "quotaExceeded"),
    (500, "backendError"),
    (500, "internalError"),
    (502, "badGateway"),
    (503, "serviceUnavailable"),
    (400, "jobRateLimitExceeded"),
    (400, "jobBackendError"),
    (400, "jobInternalError"),
    (400, "tableUnavailable"),
    (400, "timeout"),
    (429, "rateLimitExceeded"),
];
const STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];

#[tokio::test]
async fn answers_that_the_libraries_retry_never_flip() {
    let mut answers = Vec::new();
    for operation in ["datasets", "dataset", "plan", "project"] {
        for (status, reason) in REASONS {
            let body = serde_json::json!({ "error": {
                "code": status, "message": "m",
                "errors": [{ "domain": "global", "reason": reason, "message": "m" }],
            } });
            let (content_type, body) = ("application/json", body.to_string());
            answers.push(Retried { operation, status, content_type, body });
        }
        answers.extend(STATUSES.map(|status| Retried::page(operation, status)));
    }
    for (status, error) in [(500, "internal_failure"), (503, "temporarily_unavailable")] {
        let body = serde_json::json!({ "error": error }).to_string();
        let (operation, content_type) = ("token", "application/json");
        answers.push(Retried { operation, status, content_type, body });
    }
    answers.extend(STATUSES.map(|status| Retried::page("token", status)));
    // Making the key takes longer than some answers wait.
    key();
    none_is_definitive(TESTED, answers).await;
}
