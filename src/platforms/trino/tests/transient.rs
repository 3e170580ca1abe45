//! Answers that the clients of Trino retry: trino-python-client `client.py` (502, 503, 504, and 429), the Java
//! client's `StatementClientV1` (the same); and errors of the cluster itself, of which Trino says in
//! `ErrorType` that they are no fault of the user's.

use super::SUBJECT;
use crate::platforms::testing::{Retried, none_is_definitive};

const STATUSES: [u16; 4] = [429, 502, 503, 504];
/// Errors of type `INSUFFICIENT_RESOURCES` and `EXTERNAL`, and of a cluster without workers.
const ERRORS: [(u32, &str, &str); 8] = [
    (65_536, "GENERIC_INTERNAL_ERROR", "INTERNAL_ERROR"),
    (65_541, "NO_NODES_AVAILABLE", "INTERNAL_ERROR"),
    (65_542, "REMOTE_TASK_ERROR", "INTERNAL_ERROR"),
    (65_549, "SERVER_SHUTTING_DOWN", "INTERNAL_ERROR"),
    (65_551, "SERVER_STARTING_UP", "INTERNAL_ERROR"),
    (131_073, "EXCEEDED_CPU_LIMIT", "INSUFFICIENT_RESOURCES"),
    (131_074, "QUERY_QUEUE_FULL", "INSUFFICIENT_RESOURCES"),
    (131_075, "EXCEEDED_TIME_LIMIT", "INSUFFICIENT_RESOURCES"),
];

#[tokio::test]
async fn answers_that_the_clients_retry_never_flip() {
    let mut answers = Vec::new();
    for operation in ["current-user", "catalogs", "next-catalogs", "access", "next-access"] {
        answers.extend(STATUSES.map(|status| Retried::page(operation, status)));
        for (code, name, kind) in ERRORS {
            let body = serde_json::json!({
                "id": "20261122_210000_00002_nodes",
                "infoUri": "http://127.0.0.1/ui/query.html?20261122_210000_00002_nodes",
                "stats": { "state": "FAILED" },
                "error": {
                    "message": "m", "errorCode": code, "errorName": name, "errorType": kind,
                },
            });
            let (status, content_type) = (200, "application/json");
            answers.push(Retried { operation, status, content_type, body: body.to_string() });
        }
    }
    none_is_definitive(SUBJECT, answers).await;
}
