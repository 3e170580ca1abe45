//! Refusals: requests that are answered before any handler sees them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Beginning of the paths whose errors are problems of RFC 9457.
const API: &str = "/api/v1";
/// Scheme by which browsers ask for a token.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"revalidated\"");

/// Refusal of a request, with its reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// The token is none of the configured ones.
    WrongToken,
    /// Nothing was proved, and something must be.
    NoToken,
    /// The proof that was given is not enough.
    Scope,
    /// The token is limited by labels, and this is about all integrations.
    Labels,
    /// The request has no name of the host that it is for.
    NoHost,
    /// The request is for another host.
    OtherHost,
    /// A page of another site sends it.
    OtherOrigin,
    /// The body is larger than any body may be.
    Large,
    /// The body did not come in time.
    Slow,
    /// The body was cut off.
    Cut,
    /// The answer was not ready in time.
    Overtime,
}

impl Refusal {
    /// Returns the answer, in the form of the interface that `path` belongs to.
    pub(crate) fn answer(self, path: &str) -> Response {
        let (status, code, message) = self.parts();
        let title = status.canonical_reason().unwrap_or_default();
        let number = status.as_u16();
        let rest = path.strip_prefix(API);
        let (kind, body) = if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            let body = json!({ "type": "about:blank", "title": title, "status": number,
                "detail": message, "code": code });
            ("application/problem+json", body)
        } else {
            let body = json!({ "statusCode": number, "error": title, "message": message });
            ("application/json", body)
        };
        let kind = [(header::CONTENT_TYPE, kind)];
        let mut answer = (status, kind, body.to_string()).into_response();
        let headers = answer.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if matches!(self, Self::Large | Self::Slow | Self::Cut) {
            // The rest of the body is not waited for.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }

    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::WrongToken => (
                StatusCode::UNAUTHORIZED,
                "wrong-token",
                "The token is not one of [[http.token]]; `revalidated token NAME` makes one.",
            ),
            Self::NoToken => (
                StatusCode::UNAUTHORIZED,
                "no-token",
                "A token is needed here: `Authorization: Bearer TOKEN`.",
            ),
            Self::Scope => (
                StatusCode::FORBIDDEN,
                "scope",
                "The scope of this token, certificate or socket does not allow it.",
            ),
            Self::Labels => (
                StatusCode::FORBIDDEN,
                "labels",
                "The token is limited by labels, and this is about all integrations.",
            ),
            Self::NoHost => (StatusCode::BAD_REQUEST, "no-host", "The header Host is missing."),
            Self::OtherHost => (
                StatusCode::MISDIRECTED_REQUEST,
                "other-host",
                "This server has another name than the header Host says; add it to `hosts` under [http].",
            ),
            Self::OtherOrigin => {
                (StatusCode::FORBIDDEN, "other-origin", "A page of another site cannot act here.")
            }
            Self::Large => {
                (StatusCode::PAYLOAD_TOO_LARGE, "large", "The body is larger than 64 KiB.")
            }
            Self::Slow => {
                (StatusCode::REQUEST_TIMEOUT, "slow", "The body did not come within 10 seconds.")
            }
            Self::Cut => (StatusCode::BAD_REQUEST, "cut", "The body was cut off."),
            Self::Overtime => (
                StatusCode::SERVICE_UNAVAILABLE,
                "overtime",
                "The answer was not ready within 30 seconds.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body(refusal: Refusal, path: &str) -> serde_json::Value {
        let body = axum::body::to_bytes(refusal.answer(path).into_body(), 4096).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn refusal_has_the_form_of_its_interface() {
        let published = json!({ "statusCode": 401, "error": "Unauthorized",
            "message": "A token is needed here: `Authorization: Bearer TOKEN`." });
        for path in ["/integrations", "/", "/api/v10", "/healthz"] {
            assert_eq!(body(Refusal::NoToken, path).await, published, "{path}");
        }
        for path in ["/api/v1", "/api/v1/integrations"] {
            let problem = body(Refusal::Large, path).await;
            assert_eq!((&problem["status"], &problem["code"]), (&413.into(), &"large".into()));
        }
    }

    #[test]
    fn browser_is_asked_for_a_token_and_a_body_that_is_not_read_ends_the_connection() {
        let has = |refusal: Refusal, name| refusal.answer("/").headers().contains_key(name);
        assert!(has(Refusal::WrongToken, header::WWW_AUTHENTICATE));
        assert!(!has(Refusal::Scope, header::WWW_AUTHENTICATE));
        assert!(has(Refusal::Slow, header::CONNECTION) && !has(Refusal::Scope, header::CONNECTION));
    }
}
