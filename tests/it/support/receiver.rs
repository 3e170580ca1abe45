//! Receiver that keeps its requests, and answers with the codes that a test gives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::wait_for;

/// Headers and body of one request.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone, Default)]
struct Seen {
    deliveries: Arc<Mutex<Vec<Delivery>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

/// Listens on a loopback port of its own until the test ends.
pub(crate) struct Receiver {
    pub(crate) url: String,
    seen: Seen,
    _runtime: tokio::runtime::Runtime,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let seen = Seen::default();
        let router = Router::new().route("/hook", post(keep)).with_state(seen.clone());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, _runtime: runtime }
    }

    /// Answers the next requests with `codes`, and those after that with 200.
    pub(crate) fn answer(&self, codes: &[u16]) {
        let codes = codes.iter().map(|&code| StatusCode::from_u16(code).unwrap());
        self.seen.answers.lock().unwrap().extend(codes);
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.seen.deliveries.lock().unwrap().clone()
    }

    /// Waits for a message that `integration` has `status`, after the first `skip` messages.
    pub(crate) fn wait(&self, integration: &str, status: &str, skip: usize) -> Delivery {
        let what = format!("message that {integration} is {status}");
        wait_for(&what, Duration::from_secs(20), || {
            self.deliveries().into_iter().skip(skip).find(|delivery| {
                let data = &delivery.json()["data"];
                data["integration"]["name"] == integration && data["status"] == status
            })
        })
    }
}

async fn keep(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    seen.deliveries.lock().unwrap().push(Delivery { headers, body });
    let mut answers = seen.answers.lock().unwrap();
    if answers.is_empty() { StatusCode::OK } else { answers.remove(0) }
}
