//! Answers that the connectors of Snowflake retry: snowflake-connector-python `network.py`
//! (`is_retryable_http_code`: 400, 403, 405, 408, 429 and 5xx without an answer of Snowflake's own),
//! gosnowflake `retry.go`; the SQL API reference for its own statuses.

use super::SUBJECT;
use crate::platforms::testing::{Retried, none_is_definitive};

const STATUSES: [u16; 9] = [400, 403, 405, 408, 429, 500, 502, 503, 504];
/// Codes with the statuses that the SQL API gives them: statements that were cancelled, or timed out.
const CODES: [(u16, &str); 4] =
    [(422, "000604"), (408, "000630"), (429, "390100"), (503, "390100")];

#[tokio::test]
async fn answers_that_the_connectors_retry_never_flip() {
    let mut answers = Vec::new();
    for operation in ["hello", "current-role", "databases", "roles", "usable"] {
        answers.extend(STATUSES.map(|status| Retried::page(operation, status)));
        for (status, code) in CODES {
            let body = serde_json::json!({ "code": code, "message": "m", "sqlState": "57014" });
            let (content_type, body) = ("application/json", body.to_string());
            answers.push(Retried { operation, status, content_type, body });
        }
    }
    none_is_definitive(SUBJECT, answers).await;
}
