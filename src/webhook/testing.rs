//! Scripted receiver on a port of its own, for tests of sending.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Receiver;
use crate::input::{Faults, Reader, Value};

/// Signing secret of 24 bytes.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Second signing secret of 24 bytes.
pub(super) const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Reaction to a request after it was read.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Sends this and waits for the next request.
    Says(String),
    /// Sends this and closes the connection.
    BreaksOff(String),
    /// Sends this, then repeats the second for ever, with pauses.
    Repeats(String, Vec<u8>, Duration),
    /// Sends nothing and keeps the connection open.
    Silence,
    /// Resets the TCP connection.
    Reset,
}

/// Request as the receiver got it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Method, path and version.
    pub(super) line: String,
    /// Headers, with names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Body as received, byte by byte.
    pub(super) body: Vec<u8>,
}

/// Receiver that stops when it is dropped.
#[derive(Debug)]
pub(super) struct Scripted {
    /// Address that it listens at.
    pub(super) addr: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Scripted {
    /// Starts a receiver that gives every request the same answer.
    pub(super) async fn start(answer: Answer) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer).await
    }

    /// Starts the same at this address.
    pub(super) async fn start_at(addr: SocketAddr, answer: Answer) -> Self {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (seen, count) = (Arc::clone(&requests), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.spawn(serve(stream, answer.clone(), Arc::clone(&seen)));
            }
        });
        Self { addr, requests, connections, task }
    }

    /// Returns the requests so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns the number of connections so far.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Returns a receiver as configured with its URL; `changes` are made to the table.
    pub(super) fn receiver(&self, changes: Json) -> Receiver {
        receiver(&format!("http://{}/hook", self.addr), changes)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Returns a receiver as configured; `changes` are made to its table.
pub(super) fn receiver(url: &str, changes: Json) -> Receiver {
    let mut table = json!({
        "name": "scripted",
        "url": url,
        "secrets": [SECRET],
        "allow": ["127.0.0.1"],
        "timeout": "5s",
    });
    let Json::Object(changes) = changes else { panic!("a table of changes") };
    for (key, value) in changes {
        table[key] = value;
    }
    let value = Value::from_json(&table, &"test".into());
    let faults = Faults::default();
    let receiver = Receiver::parse(Reader::new(&value, "receiver[0]", &faults).unwrap());
    receiver.unwrap_or_else(|| panic!("{:#?}", faults.into_parts().0))
}

/// Returns an answer with a content length.
pub(super) fn http(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Says(format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}"))
}

async fn serve(mut stream: TcpStream, answer: Answer, seen: Arc<Mutex<Vec<Request>>>) {
    while let Some(request) = read_request(&mut stream).await {
        seen.lock().unwrap().push(request);
        match &answer {
            Answer::Says(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Answer::BreaksOff(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Answer::Repeats(text, bytes, pause) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                while stream.write_all(bytes).await.is_ok() {
                    tokio::time::sleep(*pause).await;
                }
            }
            Answer::Silence => std::future::pending().await,
            Answer::Reset => {
                stream.set_zero_linger().unwrap();
                return;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let fields = rest.lines().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> =
        fields.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    let length: usize = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while body.len() < length {
        stream.read_buf(&mut body).await.unwrap();
    }
    Some(Request { line: line.to_owned(), headers, body })
}
