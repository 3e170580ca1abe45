//! Heartbeats: sent while the daemon works, and kept back when it only seems to.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Bench, Hangs, SOON};
use crate::daemon::{deliver, health, heartbeat, plan};
use crate::domain::OwnFault;
use crate::input::{Faults, Reader, Value};
use crate::webhook::{Heartbeat, HeartbeatSender};

/// Time from one heartbeat to the next.
const EVERY: Duration = Duration::from_secs(1);

/// Service that gets heartbeats.
#[derive(Clone, Default)]
struct Service(Arc<Mutex<Vec<String>>>);

impl Service {
    /// Answers every request with 200; returns the service and its URL.
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/s3cr3t-t0ken", listener.local_addr().unwrap());
        let service = Self::default();
        let seen = service.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
                        let text = String::from_utf8_lossy(&bytes[..read]);
                        let line = text.split(" HTTP").next().unwrap().to_owned();
                        seen.0.lock().unwrap().push(line);
                        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK";
                        stream.write_all(answer).await.unwrap();
                    }
                });
            }
        });
        (service, url)
    }

    fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits for the next request.
    async fn next(&self) -> String {
        let before = self.requests().len();
        let come = async {
            while self.requests().len() == before {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, come).await.unwrap();
        self.requests()[before].clone()
    }

    /// Returns the number of requests within three periods.
    async fn counted(&self) -> usize {
        let before = self.requests().len();
        sleep(3 * EVERY).await;
        self.requests().len() - before
    }
}

/// Daemon whose loops can be stopped one by one.
struct Beating {
    bench: Bench,
    service: Service,
    planner: CancellationToken,
    outbox: CancellationToken,
    all: CancellationToken,
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.all.cancel();
    }
}

impl Beating {
    async fn start() -> Self {
        let bench = Bench::with(Arc::new(Hangs)).await;
        let (service, url) = Service::start().await;
        let table = json!({ "url": url, "every": "1s", "timeout": "10s", "allow": ["127.0.0.1"] });
        let table = Value::from_json(&table, &"test".into());
        let faults = Faults::default();
        let read = Heartbeat::parse(Reader::new(&table, "heartbeat", &faults).unwrap());
        let all = CancellationToken::new();
        let (planner, outbox) = (all.child_token(), all.child_token());
        let shared = &bench.shared;
        let sender = HeartbeatSender::new(read.unwrap()).unwrap();
        let mut active = shared.active.write().unwrap();
        Arc::get_mut(&mut active).unwrap().heartbeat = Some(Arc::new(sender));
        drop(active);
        let abort = CancellationToken::new;
        let planning =
            plan::plan(Arc::clone(shared), bench.clock_watch(), planner.clone(), abort());
        let delivering = deliver::deliver(Arc::clone(shared), outbox.clone(), abort());
        tokio::spawn(planning);
        tokio::spawn(delivering);
        tokio::spawn(heartbeat::beat(Arc::clone(shared), all.clone()));
        Self { bench, service, planner, outbox, all }
    }

    fn problem(&self) -> Option<String> {
        self.bench.shared.latest_heartbeat.get().and_then(|state| state.problem)
    }
}

#[tokio::test]
async fn heartbeat_comes_each_period_and_is_stored() {
    let beating = Beating::start().await;
    assert_eq!(beating.service.next().await, "GET /s3cr3t-t0ken");
    let began = Instant::now();
    beating.service.next().await;
    beating.service.next().await;
    assert!(EVERY < began.elapsed() && began.elapsed() < 4 * EVERY, "{:?}", began.elapsed());
    let state = beating.bench.shared.view.node().await.unwrap().heartbeat.unwrap();
    assert!(state.delivered_at.is_some() && state.problem.is_none(), "{state:?}");
}

#[tokio::test]
async fn heartbeat_stops_with_either_loop_within_a_period() {
    for (name, is_planner) in [("planner", true), ("outbox", false)] {
        let beating = Beating::start().await;
        beating.service.next().await;
        let stopped = if is_planner { &beating.planner } else { &beating.outbox };
        stopped.cancel();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(beating.service.counted().await, 0, "{name}");
        let problem = beating.problem().unwrap();
        assert_eq!(problem, format!("withheld: the {name} makes no progress"));
    }
}

#[tokio::test]
async fn heartbeat_stops_while_the_database_takes_no_write_and_resumes() {
    let beating = Beating::start().await;
    beating.service.next().await;
    let path = beating.bench.folder.path().join("state.db");
    let aside = beating.bench.folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(beating.service.counted().await, 0);
    let problem = beating.problem().unwrap();
    assert!(problem.starts_with("withheld: the database cannot be written: "), "{problem}");
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(beating.service.next().await, "GET /s3cr3t-t0ken");
}

#[tokio::test]
async fn fault_of_the_daemon_is_sent_at_once_and_so_is_its_end() {
    let beating = Beating::start().await;
    beating.service.next().await;
    let shared = &beating.bench.shared;
    health::begin(shared, OwnFault::Clock, "the clock of s3cr3t-host is ahead".to_owned()).await;
    let began = Instant::now();
    assert_eq!(beating.service.next().await, "POST /s3cr3t-t0ken/fail");
    assert!(began.elapsed() < EVERY / 2, "{:?}", began.elapsed());
    assert_eq!(beating.service.next().await, "POST /s3cr3t-t0ken/fail");
    health::end(shared, OwnFault::Clock).await;
    let began = Instant::now();
    assert_eq!(beating.service.next().await, "GET /s3cr3t-t0ken");
    assert!(began.elapsed() < EVERY / 2, "{:?}", began.elapsed());
}
