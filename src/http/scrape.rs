//! Routes for machines that watch the daemon: its metrics, and a sign of life.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::caller::{Caller, Scope};

/// Content type of the `OpenMetrics` text format.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Time limit for reading the state of a scrape.
const READ_MAX: Duration = Duration::from_secs(10);

/// Returns the route `GET /metrics`, with the text that `read` returns, one request after the other; 503 where it
/// returns none.
pub(crate) fn metrics<Read, Text>(read: Read) -> Router
where
    Read: Fn() -> Text + Clone + Send + Sync + 'static,
    Text: Future<Output = Option<String>> + Send,
{
    // Concurrent scrapes read the store one after the other.
    let turn = Arc::new(Mutex::new(()));
    let answer = async move |Extension(caller): Extension<Caller>, uri: Uri| {
        if let Err(refusal) = caller.needs(Scope::Metrics) {
            return refusal.answer(uri.path());
        }
        let text = async {
            let _turn = turn.lock().await;
            read().await
        };
        scraped(timeout(READ_MAX, text).await.ok().flatten())
    };
    Router::new().route("/metrics", get(answer))
}

/// Returns the route `GET /healthz`, which says that the process lives.
pub(crate) fn health() -> Router {
    Router::new().route("/healthz", get(async || "ok\n"))
}

fn scraped(text: Option<String>) -> Response {
    match text {
        Some(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, "the metrics cannot be read now\n").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower_service::Service;

    use super::super::refusal::Refusal;
    use super::*;

    /// Returns code, content type and body of the answer to a caller with this scope.
    async fn asked(text: Option<&'static str>, scope: Scope, line: &str) -> (u16, String, String) {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(Caller { scope, ..Caller::default() });
        let read = move || async move { text.map(str::to_owned) };
        let answer = metrics(read).merge(health()).call(request).await.unwrap();
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn metrics_need_a_scope_and_health_needs_none() {
        for (scope, metrics, health) in [
            (Scope::Anonymous, 401, 200),
            (Scope::Metrics, 200, 200),
            (Scope::Read, 200, 200),
            (Scope::Act, 200, 200),
        ] {
            assert_eq!(asked(Some("up 1\n"), scope, "GET /metrics").await.0, metrics, "{scope}");
            assert_eq!(asked(None, scope, "GET /healthz").await.0, health, "{scope}");
        }
        let refused = Caller { scope: Scope::Read, ..Caller::default() }.needs(Scope::Act);
        assert_eq!(refused, Err(Refusal::Scope));
    }

    #[tokio::test]
    async fn text_is_answered_as_it_is_and_another_path_or_method_is_refused() {
        let (status, kind, body) = asked(Some("up 1\n"), Scope::Metrics, "GET /metrics").await;
        assert_eq!((status, kind.as_str(), body.as_str()), (200, CONTENT_TYPE, "up 1\n"));
        for (line, code) in [("GET /", 404), ("POST /metrics", 405), ("GET /x", 404)] {
            assert_eq!(asked(Some(""), Scope::Act, line).await.0, code, "{line}");
        }
    }

    #[tokio::test]
    async fn unreadable_state_is_answered_by_503_instead_of_zeroes() {
        assert_eq!(asked(None, Scope::Metrics, "GET /metrics").await.0, 503);
    }
}
