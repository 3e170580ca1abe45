//! One heartbeat (dead man's switch): a request to a service that raises an alarm when none comes.
//!
//! The URL alone says which service it is. All of them take a GET as a sign of life; a failure has a form of
//! its own at each.

use std::time::Duration;

use reqwest::{Client, Method, Url};

use super::super::receiver::Heartbeat;
use super::access::shown;
use super::answer::{DETAIL_BYTES_MAX, beginning};
use super::error::{Limits, SendError, chain, no_answer};
use super::pool::Pool;
use super::{url, way_of};
use crate::domain::Redactor;
use crate::net::http::HttpOptions;
use crate::net::resolve::GuardedResolver;

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Beginning of the answer of Healthchecks, with status 200, to a URL that it does not know.
const UNKNOWN_CHECK: &str = "OK (not found)";

/// Content of one heartbeat.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beat<'a> {
    /// All is well with the daemon.
    Alive,
    /// The daemon works with a fault of its own, which this line names.
    Failing(&'a str),
}

/// Client of the service that gets the heartbeats.
#[derive(Debug)]
pub(crate) struct HeartbeatSender {
    heartbeat: Heartbeat,
    pool: Pool,
    /// Secrets that were ever sent to the service and are removed from its answers.
    redactor: Redactor,
}

impl HeartbeatSender {
    /// Returns a client with connections of its own.
    ///
    /// # Errors
    ///
    /// Fails when the certificate authorities cannot be read.
    pub(crate) fn new(heartbeat: Heartbeat) -> Result<Self, SendError> {
        let resolver = GuardedResolver::new(heartbeat.allow.clone());
        let Limits { timeout, connect_timeout } = limits(&heartbeat);
        let pool = Pool::new(HttpOptions {
            connect_timeout,
            total_timeout: timeout,
            idle_connections_max: 1,
            ..way_of(&heartbeat.access, resolver)
        })?;
        Ok(Self { heartbeat, pool, redactor: Redactor::default() })
    }

    /// Returns the time from one heartbeat to the next.
    pub(crate) const fn every(&self) -> Duration {
        self.heartbeat.every
    }

    /// Sends `beat` once.
    ///
    /// # Errors
    ///
    /// Fails with one line, without secrets, when the service does not take it.
    pub(crate) async fn send(&self, beat: Beat<'_>) -> Result<(), String> {
        match self.answer(beat).await {
            Ok(Answer { code: 200..=299, text }) if text.starts_with(UNKNOWN_CHECK) => {
                Err("the service does not know this URL".to_owned())
            }
            Ok(Answer { code: 200..=299, text: _ }) => Ok(()),
            Ok(Answer { code: code @ 300..=399, text: _ }) => {
                Err(format!("the service answered {code}; redirects are not followed"))
            }
            Ok(Answer { code, text }) if text.is_empty() => {
                Err(format!("the service answered {code}"))
            }
            Ok(Answer { code, text }) => Err(format!("the service answered {code}: {text}")),
            Err(error) => Err(chain(&error)),
        }
    }

    /// Reads everything that a heartbeat needs, without sending one; returns what cannot be used. What cannot be
    /// read is left out.
    pub(crate) async fn examine(&self) -> Vec<String> {
        let Heartbeat { target, allow, access, .. } = &self.heartbeat;
        let url = url(target, allow, &self.redactor).await.err();
        let shown = shown(access, &self.redactor).await;
        let connected = match &shown {
            Ok(shown) => self.pool.examine(&shown.way).await.err(),
            Err(_) => None,
        };
        let found = [url, shown.err(), connected.map(SendError::Client)].into_iter().flatten();
        found.filter(SendError::is_of_what_was_read).map(|error| chain(&error)).collect()
    }

    async fn answer(&self, beat: Beat<'_>) -> Result<Answer, SendError> {
        let Heartbeat { target, allow, access, .. } = &self.heartbeat;
        let url = url(target, allow, &self.redactor).await?;
        let shown = shown(access, &self.redactor).await?;
        let Request { method, url, body } = request(url, beat);
        let build = |client: &Client| {
            let request = client.request(method.clone(), url.clone());
            request.headers(shown.headers.clone()).body(body.clone())
        };
        let response = self.pool.send(build, &shown.way).await?;
        let response =
            response.map_err(|error| no_answer(&error, limits(&self.heartbeat), &self.redactor))?;
        let code = response.status().as_u16();
        let text = beginning(response).await;
        let text = self.redactor.line(&String::from_utf8_lossy(&text), DETAIL_BYTES_MAX);
        Ok(Answer { code, text })
    }
}

fn limits(heartbeat: &Heartbeat) -> Limits {
    let timeout = heartbeat.timeout;
    Limits { timeout, connect_timeout: CONNECT_TIMEOUT.min(timeout) }
}

/// Answer of the service.
struct Answer {
    /// Status of the answer.
    code: u16,
    /// Beginning of its body, on one line without secrets.
    text: String,
}

/// Request that is a heartbeat.
struct Request {
    method: Method,
    url: Url,
    body: String,
}

/// Returns the request for `beat` at the service that `url` belongs to.
fn request(mut url: Url, beat: Beat<'_>) -> Request {
    let Beat::Failing(what) = beat else {
        return Request { method: Method::GET, url, body: String::new() };
    };
    let status = if url.path().contains("/api/push/") {
        Some([("status", "down"), ("msg", what)])
    } else if is_cronitor(&url) {
        Some([("state", "fail"), ("message", what)])
    } else {
        None
    };
    if let Some(status) = status {
        let is_kept = |key: &str| status.iter().all(|(name, _)| *name != key);
        let kept: Vec<_> = url
            .query_pairs()
            .filter(|(key, _)| is_kept(key))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(status);
        return Request { method: Method::GET, url, body: String::new() };
    }
    let path = format!("{}/fail", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Request { method: Method::POST, url, body: format!("{what}\n") }
}

/// Returns true for a URL of Cronitor: `/p/`, a key and the name of a monitor.
fn is_cronitor(url: &Url) -> bool {
    let parts: Vec<_> = url.path().trim_matches('/').split('/').collect();
    matches!(parts.as_slice(), ["p", _key, _monitor])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::input::{Faults, Reader, Value};
    use crate::webhook::testing::{Answer as Says, Scripted, http};

    fn sender(url: &str, changes: Json) -> HeartbeatSender {
        let mut table =
            json!({ "url": url, "every": "1m", "timeout": "5s", "allow": ["127.0.0.1"] });
        let Json::Object(changes) = changes else { panic!("a table of changes") };
        for (key, value) in changes {
            table[key] = value;
        }
        let value = Value::from_json(&table, &"test".into());
        let faults = Faults::default();
        let heartbeat = Heartbeat::parse(Reader::new(&value, "heartbeat", &faults).unwrap());
        HeartbeatSender::new(heartbeat.unwrap()).unwrap()
    }

    #[test]
    fn each_service_gets_its_own_form_of_a_failure() {
        let what = "daemon.degraded: disk & network";
        let table = [
            ("https://hc-ping.com/5d1f", "POST", "https://hc-ping.com/5d1f/fail"),
            (
                "https://hc-ping.com/key/slug?create=1",
                "POST",
                "https://hc-ping.com/key/slug/fail?create=1",
            ),
            (
                "https://up.betterstack.com/api/v1/heartbeat/x/",
                "POST",
                "https://up.betterstack.com/api/v1/heartbeat/x/fail",
            ),
            (
                "https://kuma.example.com/api/push/t0ken?status=up&msg=OK&ping=",
                "GET",
                "https://kuma.example.com/api/push/t0ken?ping=&status=down&msg=daemon.degraded%3A+disk+%26+network",
            ),
            (
                "https://cronitor.link/p/key/nightly?state=complete&env=eu",
                "GET",
                "https://cronitor.link/p/key/nightly?env=eu&state=fail&message=daemon.degraded%3A+disk+%26+network",
            ),
            ("https://hc.example.com/p/slug", "POST", "https://hc.example.com/p/slug/fail"),
        ];
        for (url, method, expected) in table {
            let alive = request(url.parse().unwrap(), Beat::Alive);
            assert_eq!(
                (alive.method.as_str(), alive.url.as_str(), alive.body.as_str()),
                ("GET", url, "")
            );
            let failing = request(url.parse().unwrap(), Beat::Failing(what));
            assert_eq!((failing.method.as_str(), failing.url.as_str()), (method, expected));
            let body = if method == "POST" { "daemon.degraded: disk & network\n" } else { "" };
            assert_eq!(failing.body, body, "{url}");
        }
    }

    #[tokio::test]
    async fn heartbeat_is_sent_with_the_credentials_of_its_table() {
        let scripted = Scripted::start(http("200 OK", "", "OK")).await;
        let url = format!("http://{}/t0ken", scripted.addr);
        let sender = sender(&url, json!({ "headers": { "X-Key": "k3y" }, "bearer": "b3arer" }));
        assert_eq!(sender.send(Beat::Alive).await, Ok(()));
        assert_eq!(sender.send(Beat::Failing("daemon.degraded: clock")).await, Ok(()));
        let requests = scripted.requests();
        assert_eq!(requests[0].line, "GET /t0ken HTTP/1.1");
        assert_eq!(requests[0].headers["x-key"], "k3y");
        assert_eq!(requests[0].headers["authorization"], "Bearer b3arer");
        assert_eq!(requests[1].line, "POST /t0ken/fail HTTP/1.1");
        assert_eq!(requests[1].body, b"daemon.degraded: clock\n");
    }

    #[tokio::test]
    async fn refusal_is_one_line_without_the_token() {
        let table = [
            (
                http("404 Not Found", "", "no monitor s3cr3t-t0ken\nhere"),
                "answered 404: no monitor",
            ),
            (http("500 Internal Server Error", "", ""), "answered 500"),
            (http("302 Found", "location: /elsewhere\r\n", ""), "redirects are not followed"),
            (http("200 OK", "", "OK (not found)"), "does not know this URL"),
            (Says::Reset, "no answer: "),
        ];
        for (answer, expected) in table {
            let scripted = Scripted::start(answer).await;
            let sender = sender(&format!("http://{}/ping/s3cr3t-t0ken", scripted.addr), json!({}));
            let problem = sender.send(Beat::Alive).await.unwrap_err();
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("t0ken") && !problem.contains('\n'), "{problem}");
        }
        let missing =
            sender("https://hc.example.com/", json!({ "url": { "file": "/nowhere/url" } }));
        let problem = missing.send(Beat::Alive).await.unwrap_err();
        assert!(problem.contains("its URL cannot be read"), "{problem}");
    }

    #[tokio::test]
    async fn address_that_is_not_public_is_refused_unless_it_is_allowed() {
        let scripted = Scripted::start(http("200 OK", "", "")).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, format!("https://127.0.0.1:{}/t0ken", scripted.addr.port())).unwrap();
        let sender = sender("x", json!({ "url": { "file": file }, "allow": [] }));
        let problem = sender.send(Beat::Alive).await.unwrap_err();
        assert!(problem.contains("127.0.0.1 is a loopback address"), "{problem}");
        assert_eq!(sender.examine().await.len(), 1);
        assert_eq!(scripted.connections(), 0);
    }
}
