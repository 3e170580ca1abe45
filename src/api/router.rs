//! Router made of the table of routes: what is not in the table cannot be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use tokio::time::Instant;
use tracing::{debug, info};

use super::asked::Asked;
use super::fresh::question_of;
use super::route::{Handled, Method, Reply, Route};
use super::routes::ROUTES;
use super::state::Api;
use crate::http::{Caller, Code, Form, Problem, Query, Refusal, Streaming};
use crate::store::Position;

/// Paths of the published interface that change integrations, which are refused with the reason.
const REFUSED: &[&str] = &[
    "/integrations/scripts",
    "/integrations/scripts/{*rest}",
    "/integrations/{id}/scripts",
    "/integrations/{id}/scripts/{*rest}",
    "/integrations/{id}/regenerate",
];

/// Bytes of a body at most.
const BODY_MAX: usize = 64 * 1024;

/// Router of the interface; a caller is an extension of each request.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let mut paths: BTreeMap<&'static str, Vec<&'static Route>> = BTreeMap::new();
    for route in ROUTES {
        paths.entry(route.path).or_default().push(route);
    }
    let mut router = Router::new();
    for (path, routes) in paths {
        let mut methods = MethodRouter::new();
        for route in &routes {
            let filter = match route.method {
                Method::Get => MethodFilter::GET,
                Method::Post => MethodFilter::POST,
                Method::Delete => MethodFilter::DELETE,
            };
            let answer = |State(api): State<Arc<Api>>, path: RawPathParams, request: Request| {
                answer(route, api, pairs(&path), request)
            };
            methods = methods.merge(on(filter, answer));
        }
        let allowed = allowed(&routes);
        let refuse = move |request: Request| {
            let allowed = allowed.clone();
            async move { other_method(&request, &allowed) }
        };
        router = router.route(path, methods.fallback(refuse));
    }
    for path in REFUSED {
        let refuse = |request: Request| async move { other_method(&request, "GET, HEAD, OPTIONS") };
        router = router.route(path, axum::routing::any(refuse));
    }
    let nowhere = |request: Request| async move {
        let detail = format!("nothing is at {}", crate::input::quoted(request.uri().path()));
        Problem::new(Code::NotFound, detail).response(Form::at(request.uri().path()))
    };
    router.fallback(nowhere).with_state(api)
}

fn pairs(path: &RawPathParams) -> Vec<(String, String)> {
    path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Returns the methods of a path, as `Allow` lists them.
fn allowed(routes: &[&Route]) -> String {
    let mut names = vec!["OPTIONS"];
    for route in routes {
        names.push(route.method.into());
        if route.method == Method::Get {
            names.push("HEAD");
        }
    }
    names.sort_unstable();
    names.join(", ")
}

/// Answers OPTIONS, and refuses the other methods that the path does not take.
fn other_method(request: &Request, allowed: &str) -> Response {
    if request.method() == http::Method::OPTIONS {
        let answer = crate::http::Answer::new("text/plain", "");
        let answer = answer.with_status(StatusCode::NO_CONTENT);
        return answer.with_header(header::ALLOW, allowed).response(request.headers());
    }
    let path = request.uri().path();
    let detail = if path.starts_with("/integrations") {
        "integrations are created, edited and deleted in the daemon's configuration files, which \
         `revalidated check` verifies; this interface only shows them"
            .to_owned()
    } else {
        format!("this takes {allowed}")
    };
    Problem::new(Code::MethodNotAllowed, detail)
        .with_header(header::ALLOW, allowed)
        .response(Form::at(path))
}

/// Answers a request to a route, and logs what came of it.
async fn answer(
    route: &'static Route,
    api: Arc<Api>,
    path: Vec<(String, String)>,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    let (by, method) = (caller.by.clone(), route.method);
    let target = request.uri().path_and_query().map(ToString::to_string);
    let question = target.filter(|_| method == Method::Get && permit(route, &caller).is_ok());
    let question = question.map(|target| question_of(&caller, &target, &headers));
    let (fresh, handled) = match known(&api, question, &headers).await {
        Known::Same(response) => return response,
        Known::Open(question) => {
            (question, handle(route, Arc::clone(&api), path, caller, request).await)
        }
    };
    let response = match handled {
        Ok(Reply::Whole(answer)) => {
            if let Some((question, position, at)) = fresh.filter(|_| answer.is_kept()) {
                api.fresh.given(question, answer.tag(), position, at);
            }
            answer.response(&headers)
        }
        Ok(Reply::Packed(packed)) => {
            if let Some((question, position, at)) = fresh {
                api.fresh.given(question, packed.tag().to_owned(), position, at);
            }
            packed.response(&headers)
        }
        Ok(Reply::Streamed(response)) => response,
        Err(problem) => {
            if method != Method::Get {
                let code = problem.code().as_str();
                info!(by, code, "{} refused: {}", route.path, problem.detail());
            }
            problem.response(Form::at(route.path))
        }
    };
    debug!(by, status = response.status().as_u16(), "{} {}", <&str>::from(method), route.path);
    response
}

/// Knowledge about the answer to a request before it is made.
enum Known {
    /// The caller has it already.
    Same(Response),
    /// It must be made; then it may be remembered under this question, as of a position and an instant.
    Open(Option<(String, Position, Instant)>),
}

/// Returns the answer to a caller that has it already, without a read of more than the position.
async fn known(api: &Api, question: Option<String>, headers: &HeaderMap) -> Known {
    let Some(question) = question else { return Known::Open(None) };
    let (Ok(position), now) = (api.view.position().await, Instant::now()) else {
        return Known::Open(None);
    };
    let tag = api.fresh.tag(&question, position, now);
    match tag.and_then(|tag| crate::http::unchanged(headers, &tag)) {
        Some(response) => Known::Same(response),
        None => Known::Open(Some((question, position, now))),
    }
}

async fn handle(
    route: &'static Route,
    api: Arc<Api>,
    path: Vec<(String, String)>,
    caller: Caller,
    request: Request,
) -> Handled {
    permit(route, &caller)?;
    accept(route, request.headers())?;
    let (parts, body) = request.into_parts();
    let query = Query::read(parts.uri.query().unwrap_or_default(), &route.parameters())?;
    let body = to_bytes(body, BODY_MAX).await.map_err(|_unread| {
        Problem::new(Code::TooLarge, format!("the body has more than {BODY_MAX} bytes"))
    })?;
    if route.body.is_some() && !body.is_empty() && !is_json(&parts.headers) {
        let detail = "send the body as `application/json`";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let asked = Asked {
        api,
        caller,
        path,
        query,
        target: parts.uri.path().to_owned(),
        streaming: parts.extensions.get::<Streaming>().cloned(),
        headers: parts.headers,
        body: if route.body.is_some() { body.to_vec() } else { Vec::new() },
    };
    (route.handler)(asked).await
}

/// Refuses a caller without the permission that the route needs.
fn permit(route: &Route, caller: &Caller) -> Result<(), Problem> {
    if (route.public)(caller.public) {
        return Ok(());
    }
    caller.needs(route.scope).map_err(Refusal::problem)
}

/// Refuses a caller that accepts none of the forms which the route has.
fn accept(route: &Route, headers: &HeaderMap) -> Result<(), Problem> {
    let kinds = route.answers.iter().flat_map(|(_, shape)| shape.kinds()).copied();
    let yaml = route.is_published().then_some("application/yaml");
    let kinds: Vec<&str> = kinds.chain(yaml).collect();
    let values = headers.get_all(header::ACCEPT).into_iter();
    let wanted: Vec<&str> =
        values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).collect();
    let takes = |range: &&str| {
        let range = range.split(';').next().unwrap_or_default().trim();
        let family = range.strip_suffix("/*");
        range == "*/*"
            || kinds.contains(&range)
            || family.is_some_and(|family| kinds.iter().any(|kind| kind.starts_with(family)))
    };
    if wanted.is_empty() || wanted.iter().any(takes) {
        return Ok(());
    }
    Err(Problem::new(Code::NotAcceptable, format!("this is answered as {}", kinds.join(" or "))))
}

/// Returns true for a body that is said to be JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).map(str::trim);
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}
