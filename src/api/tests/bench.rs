//! Bench: a real daemon on a new database, asked through the router without a network.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body::Body as _;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tower_service::Service as _;

use super::super::{Api, router};
use crate::daemon::{Daemon, load};
use crate::http::{Caller, Scope};

/// Time within which everything in these tests happens.
const SOON: Duration = Duration::from_secs(30);
/// Secret that is planted in the configuration and must be in no answer.
pub(super) const SECRET: &str = "wJalrXUtnFEMIplantedbPxRfiCYEXAMPLEKEY";
/// Name that must come back as it is.
pub(super) const HOSTILE: &str = "a/é %<script>\u{1f30a}";
/// Answer that a platform gives to every request.
const REFUSAL: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>\
    <Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>";

/// A running daemon and its interface.
pub(super) struct Bench {
    router: axum::Router,
    stop: Option<oneshot::Sender<()>>,
    running: Option<tokio::task::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

/// Server that refuses every log-in, and takes every message.
async fn platform() -> SocketAddr {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |request: Request| async move {
        if request.uri().path().starts_with("/hook") {
            return StatusCode::NO_CONTENT.into_response();
        }
        (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/xml")], REFUSAL).into_response()
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    address
}

fn integration(name: &str, rest: &str, at: SocketAddr) -> String {
    let name = serde_json::to_string(name).unwrap();
    format!(
        "[[integration]]\nname = {name}\ntype = \"Native S3\"\nautoBootstrap = false\n{rest}\n\
         schedule = \"0 0 1 1 *\"\n\
         [integration.config]\nname = {name}\nawsAccountId = \"123456789012\"\nawsRegion = \"us-east-1\"\n\
         awsLocationRole = \"arn:aws:iam::123456789012:role/location\"\n\
         awsLocationPath = \"s3://data\"\nauthenticationType = \"accessKey\"\n\
         awsAccessKeyId = \"AKIATESTTESTTESTTEST\"\nawsSecretAccessKey = \"{SECRET}\"\n\
         endpoints = {{ sts = \"http://{at}\", s3 = \"http://{at}\", s3Control = \"http://{at}\" }}\n"
    )
}

fn configuration(folder: &Path, at: SocketAddr) -> String {
    let store = folder.join("state.db");
    [
        format!("[store]\npath = \"{}\"\n", store.display()),
        format!(
            "[[receiver]]\nname = \"on-call\"\nurl = \"http://{at}/hook/{SECRET}\"\n\
             secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\nevents = [\"*\"]\n\
             allow = [\"127.0.0.0/8\"]\n"
        ),
        "[[maintenance]]\nname = \"leap-day\"\nschedule = \"0 3 29 2 *\"\nduration = \"1h\"\n"
            .to_owned(),
        integration("lake", "labels = { team = \"data\" }", at),
        integration(HOSTILE, "labels = { team = \"web\" }", at),
        integration("idle", "disabled = true", at),
    ]
    .join("\n")
}

impl Bench {
    /// Starts a daemon with three integrations: two that are refused, and one that is disabled.
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("revalidated.toml");
        std::fs::write(&config, configuration(folder.path(), platform().await)).unwrap();
        let assembly = load(Some(&config)).await.unwrap();
        let daemon = Daemon::start(assembly, None).await.unwrap();
        let api = Api::new(&daemon, "https://r.example".to_owned());
        let router = router(Arc::clone(&api));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(async move {
            daemon.until(async { drop(stopped.await) }).await.unwrap();
        });
        let (stop, running) = (Some(stop), Some(running));
        let bench = Self { router, stop, running, _folder: folder };
        bench.wait_until("/api/v1/summary", |json| json["integrations"]["failing"] == 2).await;
        bench
    }

    /// Stops the daemon in good order.
    pub(super) async fn stop(mut self) {
        drop(self.stop.take());
        timeout(SOON, self.running.take().unwrap()).await.unwrap().unwrap();
    }

    /// Waits until an answer is as wanted.
    pub(super) async fn wait_until(&self, path: &str, is_so: impl Fn(&Json) -> bool) -> Json {
        let wait = async {
            loop {
                let json = self.get(path).await.json();
                if is_so(&json) {
                    return json;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, wait).await.unwrap()
    }

    /// Asks as a caller that may read.
    pub(super) async fn get(&self, path: &str) -> Got {
        self.ask(At(Method::GET, path), &reader(), &[], "").await
    }

    /// Acts as a caller that may, with a body of JSON.
    pub(super) async fn post(&self, path: &str, body: &str) -> Got {
        let json = [(header::CONTENT_TYPE, "application/json")];
        self.ask(At(Method::POST, path), &actor(), &json, body).await
    }

    /// Asks as a caller, with headers and a body.
    pub(super) async fn ask(
        &self,
        at: At<'_>,
        caller: &Caller,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Got {
        Got::of(self.respond(at, caller, headers, body).await).await
    }

    /// Returns the response with its body unread.
    pub(super) async fn respond(
        &self,
        at: At<'_>,
        caller: &Caller,
        headers: &[(HeaderName, &str)],
        body: &str,
    ) -> Response {
        let mut request = Request::builder().method(at.0).uri(at.1);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(caller.clone());
        self.router.clone().call(request).await.unwrap()
    }
}

/// Caller of a scope, by its name.
pub(super) fn caller(scope: Scope) -> Caller {
    Caller { scope, by: "anna".to_owned(), ..Caller::default() }
}

/// Caller that may read.
pub(super) fn reader() -> Caller {
    caller(Scope::Read)
}

/// Caller that may act.
pub(super) fn actor() -> Caller {
    caller(Scope::Act)
}

/// Method and path of a request.
pub(super) struct At<'p>(pub(super) Method, pub(super) &'p str);

/// Answer with its whole body.
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10 << 20).await.unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Returns the body as JSON.
    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the body as text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Returns a header as text; empty without it.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Reader of a stream, event by event.
pub(super) struct Reader {
    body: Body,
    text: String,
}

impl Reader {
    /// Reads the stream of a response.
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Returns the lines of the next event; comments and pauses are passed over.
    pub(super) async fn next(&mut self) -> Vec<String> {
        let next = async {
            loop {
                if let Some((event, rest)) = self.text.split_once("\n\n") {
                    let lines: Vec<_> = event.lines().map(str::to_owned).collect();
                    self.text = rest.to_owned();
                    if lines.iter().any(|line| line.starts_with("event:")) {
                        return lines;
                    }
                    continue;
                }
                let frame = std::future::poll_fn(|context| {
                    std::pin::Pin::new(&mut self.body).poll_frame(context)
                });
                let data = frame.await.unwrap().unwrap().into_data().unwrap();
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        };
        timeout(SOON, next).await.unwrap()
    }
}
