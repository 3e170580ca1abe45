//! Answers that the SDKs of Databricks retry: databricks-sdk-py `_base_client.py` (`_is_retryable`) and
//! `errors/platform.py`, databricks-sdk-go `apierr/errors.go` (`IsRetriable`) and `error_overrides.go`.

use super::SUBJECT;
use crate::platforms::testing::{Retried, none_is_definitive};

/// Words in a message, with the status and the code that came with them.
const WORDS: [(u16, &str, &str); 11] = [
    (
        400,
        "BAD_REQUEST",
        "com.databricks.backend.manager.util.UnknownWorkerEnvironmentException: x",
    ),
    (400, "BAD_REQUEST", "Workspace x does not have any associated worker environments"),
    (400, "INVALID_PARAMETER_VALUE", "There is no worker environment with id 5"),
    (400, "BAD_REQUEST", "Unknown worker environment"),
    (400, "INVALID_STATE", "ClusterNotReadyException"),
    (400, "INVALID_STATE", "Unexpected error"),
    (504, "DEADLINE_EXCEEDED", "Please try again later or try a faster operation."),
    (404, "RESOURCE_DOES_NOT_EXIST", "RPC token bucket limit has been exceeded"),
    (403, "PERMISSION_DENIED", "Too many requests, slow down"),
    (400, "BAD_REQUEST", "java.util.concurrent.TimeoutException: Timed out after 5 seconds"),
    (403, "PERMISSION_DENIED", "StatusRuntimeException: DEADLINE_EXCEEDED: deadline exceeded"),
];
const CODES: [(u16, &str); 9] = [
    (429, "REQUEST_LIMIT_EXCEEDED"),
    (429, "RESOURCE_EXHAUSTED"),
    (500, "INTERNAL_ERROR"),
    (500, "UNKNOWN"),
    (500, "DATA_LOSS"),
    (409, "ABORTED"),
    (499, "CANCELLED"),
    (503, "TEMPORARILY_UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
];
const STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];

#[tokio::test]
async fn answers_that_the_sdks_retry_never_flip() {
    let mut answers = Vec::new();
    for operation in ["me", "metastore", "catalog", "permissions", "warehouse"] {
        let codes = CODES.map(|(status, code)| (status, code, "m"));
        for (status, code, message) in WORDS.into_iter().chain(codes) {
            let body = serde_json::json!({ "error_code": code, "message": message }).to_string();
            answers.push(Retried { operation, status, content_type: "application/json", body });
        }
        answers.extend(STATUSES.map(|status| Retried::page(operation, status)));
    }
    // Token endpoints say it in other members (databricks-sdk-go, issue 321).
    for (status, description) in [(400, "Temporarily throttled"), (429, "slow"), (503, "later")] {
        let body = serde_json::json!({
            "error": "invalid_request", "error_description": description,
        });
        let (operation, content_type) = ("token", "application/json");
        answers.push(Retried { operation, status, content_type, body: body.to_string() });
    }
    none_is_definitive(SUBJECT, answers).await;
}
