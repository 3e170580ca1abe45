//! Refusals: requests that are answered before any handler sees them.

use axum::http::header;
use axum::response::Response;

use super::problem::{Code, Form, Problem};

/// Scheme by which browsers ask for a token.
const CHALLENGE: &str = "Basic realm=\"revalidated\"";

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
        self.problem().response(Form::at(path))
    }

    /// Returns the problem that it is answered by.
    pub(crate) fn problem(self) -> Problem {
        let (code, detail) = self.parts();
        let problem = Problem::new(code, detail);
        match self {
            Self::WrongToken | Self::NoToken => {
                problem.with_header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            // The rest of the body is not waited for.
            Self::Large | Self::Slow | Self::Cut => {
                problem.with_header(header::CONNECTION, "close")
            }
            Self::Overtime => problem.retry_after(1),
            Self::Scope | Self::Labels | Self::NoHost | Self::OtherHost | Self::OtherOrigin => {
                problem
            }
        }
    }

    const fn parts(self) -> (Code, &'static str) {
        match self {
            Self::WrongToken => (
                Code::Unauthorized,
                "The token is not one of [[http.token]]; `revalidated token NAME` makes one.",
            ),
            Self::NoToken => {
                (Code::Unauthorized, "A token is needed here: `Authorization: Bearer TOKEN`.")
            }
            Self::Scope => (
                Code::Forbidden,
                "The scope of this token, certificate or socket does not allow it.",
            ),
            Self::Labels => (
                Code::Forbidden,
                "The token is limited by labels, and this is about all integrations.",
            ),
            Self::NoHost => (Code::BadRequest, "The header Host is missing."),
            Self::OtherHost => (
                Code::Misdirected,
                "This server has another name than the header Host says; add it to `hosts` under [http].",
            ),
            Self::OtherOrigin => (Code::CrossOrigin, "A page of another site cannot act here."),
            Self::Large => (Code::TooLarge, "The body is larger than 64 KiB."),
            Self::Slow => (Code::Timeout, "The body did not come within 10 seconds."),
            Self::Cut => (Code::BadRequest, "The body was cut off."),
            Self::Overtime => (Code::Unavailable, "The answer was not ready within 30 seconds."),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            assert_eq!((&problem["status"], &problem["code"]), (&413.into(), &"too-large".into()));
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
