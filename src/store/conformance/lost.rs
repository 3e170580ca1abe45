//! Connections to a server that are lost, and commits whose answer is: everything is stored once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::bench::{Bench, failed, first_page, passed, wanted};
use super::server::Database;
use crate::domain::{Class, Status, Timestamp};
use crate::store::{NewSilence, Recorded};

/// End of a request that commits.
const COMMIT: &[u8] = b"COMMIT\0";

/// Proxy that can lose the answer to a commit, and with it the connection.
struct Proxy {
    port: u16,
    loses: Arc<AtomicBool>,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, loses) =
            (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
        let lost = Arc::clone(&loses);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&lost)));
            }
        });
        Self { port, loses }
    }

    /// Loses the answer to the next commit.
    fn lose_next(&self) {
        self.loses.store(true, Ordering::Relaxed);
    }

    fn has_lost(&self) -> bool {
        !self.loses.load(Ordering::Relaxed)
    }
}

async fn relay(client: TcpStream, server: TcpStream, loses: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = from_client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                let is_commit = up[..count].windows(COMMIT.len()).any(|part| part == COMMIT);
                to_server.write_all(&up[..count]).await.ok();
                if is_commit && loses.swap(false, Ordering::Relaxed) {
                    from_server.readable().await.ok();
                    return;
                }
            }
            read = from_server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                to_client.write_all(&down[..count]).await.ok();
            }
        }
    }
}

#[tokio::test]
async fn run_is_stored_once_when_the_answers_to_its_commits_are_lost() {
    let database = Database::plain();
    let proxy = Proxy::start(database.port()).await;
    let mut bench = Bench::through(database, proxy.port).await.enabled().await;
    let runs = async |bench: &Bench| bench.view().runs_since(Timestamp(0)).await.unwrap();
    let id = bench.id("one").await;
    let flips =
        async |bench: &Bench| bench.view().transitions(id, first_page()).await.unwrap().rows.len();
    for (report, change) in
        [(passed(), 0), (failed(Class::Denied), 1), (passed(), 1), (passed(), 0)]
    {
        bench.wait_until_due("one").await;
        let before = (runs(&bench).await, flips(&bench).await);
        proxy.lose_next();
        let begun = bench.begun("one").await;
        assert!(proxy.has_lost());
        proxy.lose_next();
        let recorded = bench.record(begun, report).await;
        assert!(proxy.has_lost() && matches!(recorded, Recorded::Stored { .. }), "{recorded:?}");
        assert_eq!((runs(&bench).await, flips(&bench).await), (before.0 + 1, before.1 + change));
    }
    let sent = bench.deliver("a").await;
    let numbers: Vec<_> = sent.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
}

#[tokio::test]
async fn silence_is_made_once_when_the_answer_to_its_commit_is_lost() {
    let database = Database::plain();
    let proxy = Proxy::start(database.port()).await;
    let bench = Bench::through(database, proxy.port).await;
    let until = bench.now.plus(Duration::from_hours(1));
    let new = NewSilence { until, ..NewSilence::default() };
    let mut control = bench.control().await;
    proxy.lose_next();
    let id = control.silence(&new, bench.now).await.unwrap();
    assert!(proxy.has_lost());
    let silences = bench.view().silences(true, bench.now, first_page()).await.unwrap().rows;
    assert_eq!(silences.iter().map(|row| row.id).collect::<Vec<_>>(), [id]);
}

/// Runs that are recorded while connections end; a multiple of six.
const RUNS: u32 = 30;

#[tokio::test]
async fn work_goes_on_while_the_server_ends_connections() {
    let mut bench = Bench::postgres().await;
    let all: Vec<_> = (0..6).map(|number| wanted(&format!("n{number}"))).collect();
    bench.sync(&all).await;
    let recorded = Arc::new(AtomicU32::new(0));
    let (seen, end) = (Arc::clone(&recorded), bench.database().ending());
    let ending = thread::spawn(move || {
        let (mut count, mut before) = (0, u32::MAX);
        loop {
            let now = seen.load(Ordering::Relaxed);
            if now == RUNS {
                return count;
            }
            // Once for each run: on a slow machine every attempt would meet an end.
            if now != before {
                count += end();
                before = now;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    for _round in 0..RUNS / 6 {
        for one in &all {
            bench.run_of(&one.name, passed()).await;
            recorded.fetch_add(1, Ordering::Relaxed);
        }
    }
    let ended: usize = ending.join().unwrap();
    assert!(0 < ended, "no connection was ended");
    assert_eq!(bench.view().runs_since(Timestamp(0)).await.unwrap(), RUNS);
    for one in &all {
        assert_eq!(bench.status(&one.name).await, Status::Enabled);
    }
}
