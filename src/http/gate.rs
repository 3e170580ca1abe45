//! Gate of every request: checks before a handler sees it, the time limit, and headers of every answer.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, Uri, Version, header};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, sleep, timeout};
use tower_service::Service;
use tracing::{debug, info};

use super::access::{Access, WrongToken};
use super::admission::{Busy, READ_MAX, REQUEST_MAX, Streaming, Ticket};
use super::caller::Caller;
use super::peer::Peer;
use super::refusal::Refusal;
use super::requests::Requests;
use super::tls::Tls;
use crate::domain::one_line;

/// Largest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest path that is logged, in characters.
const LOGGED_MAX: usize = 200;
/// Paths that are asked for by any name: what checks health knows only an address.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];
/// Header by which browsers say which site a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Headers that proxies add.
const PROXIES: [HeaderName; 3] =
    [header::FORWARDED, header::VIA, HeaderName::from_static("x-forwarded-for")];
/// Headers of every answer that does not have its own.
const DEFAULTS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
             img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
    ),
];

/// Gate before the routes of one server.
pub(super) struct Gate {
    pub(super) access: Access,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) router: Router,
    pub(super) requests: Requests,
}

/// Two ends of a connection: the peer, and the ticket of this server.
#[derive(Clone)]
pub(super) struct Ends {
    pub(super) peer: Arc<Peer>,
    pub(super) ticket: Arc<Ticket>,
}

impl Gate {
    /// Answers a request by its handler, or refuses it.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        ends: &Ends,
    ) -> Response<Guarded> {
        let begun = Instant::now();
        ends.ticket.receive();
        let (head, body) = request.into_parts();
        let (method, path) = (head.method.clone(), head.uri.path().to_owned());
        let admitted = self.admit(head, body, ends).await;
        let busy = ends.ticket.begin();
        let (mut answer, by) = match admitted {
            Ok((request, by)) => (self.within_time(request, ends, &path).await, by),
            Err(refusal) => (refusal.answer(&path), ends.peer.name()),
        };
        for (name, value) in DEFAULTS {
            answer.headers_mut().entry(name).or_insert(value);
        }
        self.requests.answered(&method, answer.status());
        let (status, path) = (answer.status().as_u16(), one_line(&path, LOGGED_MAX));
        let ms = begun.elapsed().as_millis();
        if is_read(&method) || status < 400 {
            debug!(%method, path, status, by, ms, "request: {method} {path} {status}");
        } else {
            info!(%method, path, status, by, ms, "action refused: {method} {path} {status}");
        }
        answer.map(|body| Guarded { body, _busy: busy })
    }

    /// Checks a request and reads its body; returns it for the handler, with the name of its caller.
    async fn admit(
        &self,
        mut head: Parts,
        body: Incoming,
        ends: &Ends,
    ) -> Result<(Request<Body>, String), Refusal> {
        let rules = self.access.rules();
        check_host(&head, &ends.peer, |host| {
            let is_certified = || self.tls.as_ref().is_some_and(|tls| tls.is_for(host));
            rules.is_own_host(&ends.peer, host) || is_certified()
        })?;
        let judged = rules.judge(&ends.peer, &head.headers);
        let caller: Caller = judged.map_err(|WrongToken| Refusal::WrongToken)?;
        check_origin(&head)?;
        let body = read_body(&head, body).await?;
        let by = caller.by.clone();
        // On this machine compression costs more than it saves, unless a proxy passes the answer on.
        if ends.peer.is_local_user() && !PROXIES.iter().any(|name| head.headers.contains_key(name))
        {
            head.headers.remove(header::ACCEPT_ENCODING);
        }
        // No handler needs it, and so none can show it.
        head.headers.remove(header::AUTHORIZATION);
        head.extensions.insert(caller);
        head.extensions.insert(Streaming(Arc::clone(&ends.ticket)));
        Ok((Request::from_parts(head, Body::from(body)), by))
    }

    /// Has the request answered by its handler, unless that takes too long.
    async fn within_time(
        &self,
        request: Request<Body>,
        ends: &Ends,
        path: &str,
    ) -> axum::response::Response {
        let overtime = async {
            sleep(REQUEST_MAX).await;
            if ends.ticket.is_stream() {
                pending::<()>().await;
            }
        };
        let mut router = self.router.clone();
        tokio::select! {
            answered = router.call(request) => answered.unwrap_or_else(|never: Infallible| match never {}),
            () = overtime => Refusal::Overtime.answer(path),
        }
    }
}

/// Returns true for methods that change nothing.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Refuses requests that are for another host than one that `is_own`.
fn check_host(head: &Parts, peer: &Peer, is_own: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    if HEALTH.contains(&head.uri.path()) {
        return Ok(());
    }
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let Some(host) = hosts.next() else {
        let may_lack = head.version < Version::HTTP_11 || !matches!(peer, Peer::Tcp { .. });
        return if may_lack { Ok(()) } else { Err(Refusal::NoHost) };
    };
    if hosts.next().is_some() {
        return Err(Refusal::NoHost);
    }
    let is_own = |authority: &str| is_own(name(authority));
    let host = host.to_str().is_ok_and(is_own);
    // A proxy would go by the address of the request rather than by the header.
    let target = head.uri.authority().is_none_or(|target| is_own(target.as_str()));
    if host && target { Ok(()) } else { Err(Refusal::OtherHost) }
}

/// Returns the name in `name:port`.
fn name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => authority,
    }
}

/// Refuses actions that a page of another site sends with the user's credentials (cross-site request forgery).
fn check_origin(head: &Parts) -> Result<(), Refusal> {
    if is_read(&head.method) {
        return Ok(());
    }
    let text = |name: &HeaderName| head.headers.get(name).map(HeaderValue::as_bytes);
    let is_own = match (text(&FETCH_SITE), text(&header::ORIGIN)) {
        (Some(site), _) => site == b"same-origin" || site == b"none",
        (None, Some(origin)) => {
            let origin = std::str::from_utf8(origin).ok();
            let origin: Option<Uri> = origin.and_then(|origin| origin.parse().ok());
            let origin = origin.and_then(|origin| origin.authority().cloned());
            let host = text(&header::HOST);
            origin.is_some_and(|origin| {
                host.is_some_and(|host| host.eq_ignore_ascii_case(origin.as_str().as_bytes()))
            })
        }
        // A program rather than a browser.
        (None, None) => true,
    };
    if is_own { Ok(()) } else { Err(Refusal::OtherOrigin) }
}

/// Reads the body, which is bounded in size and time.
async fn read_body(head: &Parts, body: Incoming) -> Result<Vec<u8>, Refusal> {
    let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let length = length.map_or(Ok(0), str::parse::<usize>);
    if length.is_ok_and(|length| BODY_BYTES_MAX < length) {
        return Err(Refusal::Large);
    }
    timeout(READ_MAX, collect(body)).await.unwrap_or(Err(Refusal::Slow))
}

async fn collect(mut body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut read = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // What comes after the data is of no use.
        let Ok(data) = frame.map_err(|_error| Refusal::Cut)?.into_data() else { continue };
        if BODY_BYTES_MAX < read.len() + data.len() {
            return Err(Refusal::Large);
        }
        read.extend_from_slice(&data);
    }
    Ok(read)
}

/// Body of an answer; the request is under way until it has been sent.
pub(super) struct Guarded {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::super::access::Rules;
    use super::*;

    fn head(method: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn page_of_another_site_can_read_nothing_into_an_action() {
        let host = ("host", "status.example.com:8443");
        let table = [
            ("GET", vec![("sec-fetch-site", "cross-site")], true),
            ("POST", vec![], true),
            ("POST", vec![("sec-fetch-site", "same-origin"), ("origin", "https://x")], true),
            ("POST", vec![("sec-fetch-site", "none")], true),
            ("POST", vec![("sec-fetch-site", "same-site")], false),
            ("POST", vec![("sec-fetch-site", "cross-site")], false),
            ("DELETE", vec![("sec-fetch-site", "")], false),
            ("POST", vec![("origin", "https://Status.example.com:8443"), host], true),
            ("POST", vec![("origin", "https://status.example.com"), host], false),
            ("DELETE", vec![("origin", "https://evil.example.com"), host], false),
            ("POST", vec![("origin", "null"), host], false),
            ("POST", vec![("origin", "https://x")], false),
        ];
        for (method, headers, expected) in table {
            let found = check_origin(&head(method, &headers)).is_ok();
            assert_eq!(found, expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn request_is_for_one_host_and_that_is_this_one() {
        let ip = "10.0.0.1".parse().unwrap();
        let tcp = Peer::Tcp { ip, local: ip, certificate: None };
        let rules = Rules::default();
        let is_own = |peer: &Peer, host: &str| host == "certified" || rules.is_own_host(peer, host);
        let checked =
            |peer: &Peer, head: &Parts| match check_host(head, peer, |host| is_own(peer, host)) {
                Ok(()) => "ok",
                Err(Refusal::NoHost) => "none",
                Err(_) => "other",
            };
        let table = [
            (vec!["localhost"], "ok"),
            (vec!["localhost:9465"], "ok"),
            (vec!["10.0.0.1:9465"], "ok"),
            (vec!["[::1]:9465"], "ok"),
            (vec!["[::1]"], "ok"),
            (vec!["certified:9465"], "ok"),
            (vec!["evil.example.com"], "other"),
            (vec!["evil.example.com:80"], "other"),
            (vec!["localhost:evil"], "other"),
            (vec![""], "other"),
            (vec![], "none"),
            (vec!["localhost", "evil.example.com"], "none"),
        ];
        for (hosts, expected) in table {
            let hosts: Vec<_> = hosts.into_iter().map(|host| ("host", host)).collect();
            assert_eq!(checked(&tcp, &head("GET", &hosts)), expected, "{hosts:?}");
        }
        let mut old = head("GET", &[]);
        old.version = Version::HTTP_10;
        assert_eq!(checked(&tcp, &old), "ok");
        assert_eq!(checked(&Peer::Socket { uid: None }, &head("GET", &[])), "ok");
        let mut absolute = head("GET", &[("host", "localhost")]);
        absolute.uri = "http://evil.example.com/".parse().unwrap();
        assert_eq!(checked(&tcp, &absolute), "other");
        let mut health = head("GET", &[("host", "any.example.com")]);
        health.uri = "/healthz".parse().unwrap();
        assert_eq!(checked(&tcp, &health), "ok");
    }
}
