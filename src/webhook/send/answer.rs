//! Answers of receivers: their bounded beginning and the wait that they ask for.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode};

use crate::domain::Timestamp;
use crate::net::exchange::retry_after;

/// Size limit of what is read of an answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Size limit of what is stored of an answer or an error, in bytes.
pub(super) const DETAIL_BYTES_MAX: usize = 1024;

/// Returns the beginning of the answer's body, as far as it came.
pub(super) async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if body.len() == ANSWER_BYTES_MAX {
            break;
        }
    }
    body
}

/// Returns the wait that a receiver asks for by `Retry-After`, which only counts for 429 and 503.
pub(super) fn hint(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    retry_after(headers, now)
}
