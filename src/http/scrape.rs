//! Routes for machines that watch the daemon: its metrics, and a sign of life.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::caller::{Caller, Scope};

/// Content type of the `OpenMetrics` text format.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Content type of the classic text format.
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
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
    let answer = async move |Extension(caller): Extension<Caller>, uri: Uri, headers: HeaderMap| {
        if let Err(refusal) = caller.needs_all(Scope::Metrics) {
            return refusal.answer(uri.path());
        }
        let text = async {
            let _turn = turn.lock().await;
            read().await
        };
        scraped(&headers, timeout(READ_MAX, text).await.ok().flatten())
    };
    Router::new().route("/metrics", get(answer))
}

/// Returns true for clients that read text but not `OpenMetrics`: older scrapers, and browsers.
fn wants_classic(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter();
    let accept = accept.filter_map(|accept| accept.to_str().ok()).collect::<Vec<_>>().join(",");
    !accept.contains("application/openmetrics-text") && accept.contains("text/")
}

/// Returns metrics in the classic text format: the names of counters and of the version have their suffix in all
/// lines, and what that format does not know is left out.
fn classic(text: &str) -> String {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types: BTreeMap<_, _> = types.collect();
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        let described = ["# HELP ", "# TYPE "].into_iter().find_map(|begin| {
            let (name, rest) = line.strip_prefix(begin)?.split_once(' ')?;
            Some((begin, name, rest))
        });
        lines.push(match described {
            Some((begin, name, rest)) => match types.get(name) {
                Some(&"counter") => format!("{begin}{name}_total {rest}"),
                Some(&"info") if begin == "# TYPE " => format!("{begin}{name}_info gauge"),
                Some(&"info") => format!("{begin}{name}_info {rest}"),
                Some(&"unknown") if begin == "# TYPE " => format!("{begin}{name} untyped"),
                Some(_) | None => line.to_owned(),
            },
            None => line.to_owned(),
        });
    }
    lines.join("\n") + "\n"
}

/// Returns the answer to a request with these headers, in the text format that it takes; 503 without metrics.
pub(crate) fn scraped(request: &HeaderMap, text: Option<String>) -> Response {
    let is_classic = wants_classic(request);
    let text = text.map(|text| if is_classic { classic(&text) } else { text });
    let kind = if is_classic { CLASSIC } else { METRICS };
    let vary = (header::VARY, "accept");
    match text {
        Some(text) => ([(header::CONTENT_TYPE, kind), vary], text).into_response(),
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
        let answer = metrics(read).call(request).await.unwrap();
        let kind = answer.headers().get(header::CONTENT_TYPE);
        let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 4096).await.unwrap();
        (status, kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn metrics_need_a_scope() {
        for (scope, code) in
            [(Scope::Anonymous, 401), (Scope::Metrics, 200), (Scope::Read, 200), (Scope::Act, 200)]
        {
            assert_eq!(asked(Some("up 1\n"), scope, "GET /metrics").await.0, code, "{scope}");
        }
        let refused = Caller { scope: Scope::Read, ..Caller::default() }.needs(Scope::Act);
        assert_eq!(refused, Err(Refusal::Scope));
        let labels = BTreeMap::from([("team".to_owned(), "data".to_owned())]);
        let limited = Caller { scope: Scope::Act, labels, ..Caller::default() };
        assert_eq!(limited.needs(Scope::Act), Ok(()));
        assert_eq!(limited.needs_all(Scope::Metrics), Err(Refusal::Labels));
    }

    #[tokio::test]
    async fn text_is_answered_as_it_is_and_another_path_or_method_is_refused() {
        let (status, kind, body) = asked(Some("up 1\n"), Scope::Metrics, "GET /metrics").await;
        assert_eq!((status, kind.as_str(), body.as_str()), (200, METRICS, "up 1\n"));
        for (line, code) in [("GET /", 404), ("POST /metrics", 405), ("GET /x", 404)] {
            assert_eq!(asked(Some(""), Scope::Act, line).await.0, code, "{line}");
        }
    }

    #[test]
    fn client_that_reads_text_alone_gets_the_classic_format() {
        for (accept, expected) in [
            (None, false),
            (Some("*/*"), false),
            (Some("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"), false),
            (Some("text/plain;version=0.0.4"), true),
            (Some("text/html,application/xhtml+xml,*/*;q=0.8"), true),
            (Some("application/json"), false),
        ] {
            let headers = accept.map(|accept| (header::ACCEPT, accept.parse().unwrap()));
            assert_eq!(wants_classic(&headers.into_iter().collect()), expected, "{accept:?}");
        }
    }

    #[test]
    fn classic_format_has_suffixes_in_all_lines_and_nothing_that_it_does_not_know() {
        let text = "# HELP a_runs Runs that were stored.\n# TYPE a_runs counter\n\
                    a_runs_total{result=\"# TYPE a b\"} 1\n# HELP a_wait_seconds Waits.\n\
                    # TYPE a_wait_seconds histogram\n# UNIT a_wait_seconds seconds\n\
                    a_wait_seconds_sum 0.5\n# HELP a_build Version.\n# TYPE a_build info\n\
                    a_build_info{version=\"1\"} 1\n# EOF\n";
        let expected = "# HELP a_runs_total Runs that were stored.\n# TYPE a_runs_total counter\n\
                        a_runs_total{result=\"# TYPE a b\"} 1\n# HELP a_wait_seconds Waits.\n\
                        # TYPE a_wait_seconds histogram\na_wait_seconds_sum 0.5\n\
                        # HELP a_build_info Version.\n# TYPE a_build_info gauge\n\
                        a_build_info{version=\"1\"} 1\n";
        assert_eq!(classic(text), expected);
    }

    #[tokio::test]
    async fn unreadable_state_is_answered_by_503_instead_of_zeroes() {
        assert_eq!(asked(None, Scope::Metrics, "GET /metrics").await.0, 503);
    }
}
