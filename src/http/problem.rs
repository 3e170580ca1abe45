//! Problems: answers that say why there is no other one, in the form that the caller reads.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// Content type of problems under `/api/v1` (RFC 9457).
const PROBLEM_JSON: &str = "application/problem+json";
/// Page of the documentation that explains the codes.
const ANCHOR: &str = "docs/api.md#";

/// Stable word for a problem, by which programs decide.
#[derive(Clone, Copy, Debug, Eq, PartialEq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(crate) enum Code {
    /// A parameter of the path or the query is wrong.
    BadParameter,
    /// The body is not what the route takes.
    BadBody,
    /// The request as a whole is malformed.
    BadRequest,
    /// Without a token, or with a wrong one.
    Unauthorized,
    /// The caller may not do this.
    Forbidden,
    /// Sent by a page of another origin.
    CrossOrigin,
    /// Nothing of this name or id exists.
    NotFound,
    /// The path does not take this method.
    MethodNotAllowed,
    /// No form that the caller accepts exists.
    NotAcceptable,
    /// The state does not allow it.
    Conflict,
    /// The cursor belongs to another database.
    CursorGone,
    /// Events after the given one are no longer kept.
    EventsGone,
    /// It was there, and has ended.
    Ended,
    /// The state changed since it was read.
    PreconditionFailed,
    /// The body did not come in time.
    Timeout,
    /// The body is longer than allowed.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The name of the host is none of this server's.
    Misdirected,
    /// Another one is under way.
    TooManyRequests,
    /// The store could not be read.
    Internal,
    /// Too much is asked at once, or the daemon is not ready.
    Unavailable,
}

impl Code {
    /// Returns the stable word of the problem.
    pub(crate) const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns the status code of the answer.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::BadParameter | Self::BadBody | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CrossOrigin => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Conflict => StatusCode::CONFLICT,
            Self::CursorGone | Self::EventsGone | Self::Ended => StatusCode::GONE,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the name of the status code as the published interface writes it: `Not found`.
    const fn title(self) -> &'static str {
        match self {
            Self::BadParameter | Self::BadBody | Self::BadRequest => "Bad request",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden | Self::CrossOrigin => "Forbidden",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NotAcceptable => "Not acceptable",
            Self::Conflict => "Conflict",
            Self::CursorGone | Self::EventsGone | Self::Ended => "Gone",
            Self::PreconditionFailed => "Precondition failed",
            Self::Timeout => "Request timeout",
            Self::TooLarge => "Payload too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Misdirected => "Misdirected request",
            Self::TooManyRequests => "Too many requests",
            Self::Internal => "Internal server error",
            Self::Unavailable => "Service unavailable",
        }
    }
}

/// Parameter that is wrong, with the reason.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BadParameter {
    name: String,
    problem: String,
}

impl BadParameter {
    /// Names a parameter and its problem.
    pub(crate) fn new(name: &str, problem: String) -> Self {
        Self { name: name.to_owned(), problem }
    }
}

/// Reason why a request is answered by an error.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: String,
    parameters: Vec<BadParameter>,
    headers: Vec<(HeaderName, HeaderValue)>,
    members: Map<String, Json>,
}

/// Form in which a caller reads problems.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Three members, as the published interface has them.
    Published,
    /// The form of RFC 9457, `application/problem+json`.
    Problem,
}

impl Form {
    /// Returns the form of the problems at a path.
    pub(crate) fn at(path: &str) -> Self {
        let rest = path.strip_prefix("/api/v1");
        let is_own = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_own { Self::Problem } else { Self::Published }
    }
}

impl Problem {
    /// Problem with a sentence for people.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            parameters: Vec::new(),
            headers: Vec::new(),
            members: Map::new(),
        }
    }

    /// Problem of parameters that are wrong.
    pub(crate) fn parameters(parameters: Vec<BadParameter>) -> Self {
        let one = |one: &BadParameter| match one.name.as_str() {
            "" => one.problem.clone(),
            name => format!("`{}`: {}", name.escape_debug(), one.problem),
        };
        let detail: Vec<_> = parameters.iter().map(one).collect();
        Self { parameters, ..Self::new(Code::BadParameter, detail.join("; ")) }
    }

    /// Adds a header to the answer.
    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Asks the caller to come again after a number of seconds.
    #[must_use]
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Adds a member to the answer of [`Form::Problem`].
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Json>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the stable word.
    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// Returns the sentence for people.
    pub(crate) fn detail(&self) -> String {
        self.detail.clone()
    }

    /// Makes the answer in the form that the caller reads.
    pub(crate) fn response(self, form: Form) -> Response {
        let status = self.code.status();
        let mut body = Map::new();
        let content_type = match form {
            Form::Published => {
                body.insert("statusCode".to_owned(), status.as_u16().into());
                body.insert("error".to_owned(), self.code.title().into());
                body.insert("message".to_owned(), self.detail.into());
                "application/json; charset=utf-8"
            }
            Form::Problem => {
                let code = self.code.as_str();
                body.insert("type".to_owned(), format!("{ANCHOR}{code}").into());
                body.insert("title".to_owned(), self.code.title().into());
                body.insert("status".to_owned(), status.as_u16().into());
                body.insert("detail".to_owned(), self.detail.into());
                body.insert("code".to_owned(), code.into());
                let parameters = serde_json::to_value(self.parameters).unwrap_or_default();
                body.insert("parameters".to_owned(), parameters);
                body.extend(self.members);
                PROBLEM_JSON
            }
        };
        let fixed = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
        let mut response = (status, fixed, Json::Object(body).to_string()).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use strum::IntoEnumIterator as _;

    use super::*;

    async fn body(response: Response) -> Json {
        let bytes = to_bytes(response.into_body(), 10_000).await.unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test]
    async fn published_form_has_three_members_and_the_own_one_is_a_problem() {
        let problem = Problem::new(Code::NotFound, "No Integration found with ID 5.");
        let response = problem.clone().response(Form::Published);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let expected = serde_json::json!({
            "statusCode": 404, "error": "Not found", "message": "No Integration found with ID 5.",
        });
        assert_eq!(body(response).await, expected);
        let response = problem.with("oldest", 7).retry_after(1).response(Form::Problem);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_JSON);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        let found = body(response).await;
        let expected = serde_json::json!({
            "type": format!("{ANCHOR}not-found"), "title": "Not found", "status": 404,
            "detail": "No Integration found with ID 5.", "code": "not-found", "parameters": [], "oldest": 7,
        });
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn wrong_parameters_are_listed_and_cannot_break_the_header() {
        let wrong =
            vec![BadParameter::new("a\n", "x".to_owned()), BadParameter::new("", "y".to_owned())];
        let problem = Problem::parameters(wrong).with_header(header::ALLOW, "GET\r\nx: y");
        assert_eq!(problem.detail(), "`a\\n`: x; y");
        let response = problem.response(Form::Problem);
        assert!(!response.headers().contains_key(header::ALLOW));
        assert_eq!(body(response).await["parameters"][0]["name"], "a\n");
    }

    #[test]
    fn each_code_is_an_error_with_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Code::iter().map(Code::as_str).collect();
        assert_eq!(words.len(), Code::iter().count());
        for code in Code::iter() {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
        }
    }
}
