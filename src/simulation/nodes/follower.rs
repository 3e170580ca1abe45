//! Follower: a reader who asks again and again, in real time, for events after the latest number that it has seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::server;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(1);

/// Follower on a thread of its own.
pub(super) struct Follower {
    has_ended: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(i64, String)>>,
}

impl Follower {
    /// Starts to follow the events of a database.
    pub(super) fn start(database: String) -> Self {
        let has_ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&has_ended);
        let thread = std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap().block_on(follow(&database, &ends))
        });
        Self { has_ended, thread }
    }

    /// Returns the events that it has seen, in this order.
    pub(super) fn end(self) -> Vec<(i64, String)> {
        self.has_ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn follow(database: &str, has_ended: &AtomicBool) -> Vec<(i64, String)> {
    const SQL: &str = "SELECT number, id FROM revalidated.event WHERE $1 < number ORDER BY number";
    let client = server::session(database).await;
    let statement = client.prepare(SQL).await.unwrap();
    let mut seen: Vec<(i64, String)> = Vec::new();
    loop {
        let is_last = has_ended.load(Ordering::Relaxed);
        let after = seen.last().map_or(0, |(number, _)| *number);
        let rows = client.query(&statement, &[&after]).await.unwrap();
        seen.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
        if is_last {
            return seen;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
