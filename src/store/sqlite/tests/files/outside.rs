//! Reads from outside: bounded in number and time, without delaying the planner; commits are announced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

use super::*;
use crate::store::sqlite::reader::{self, Readers};

/// Never ends by itself.
const ENDLESS: &str = "
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number)
    SELECT count(*) FROM number";

fn endless(tx: &Connection) -> Result<i64, StoreError> {
    Ok(tx.query_row(ENDLESS, [], |row| row.get(0))?)
}

fn quick(tx: &Connection) -> Result<i64, StoreError> {
    Ok(tx.query_row("SELECT 7", [], |row| row.get(0))?)
}

fn bounded(limit: Duration) -> Readers {
    let connections = vec![Connection::open_in_memory().unwrap()];
    Readers::start_bounded(connections, 1, limit).unwrap()
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_ended_and_the_next_one_is_answered() {
    let readers = bounded(Duration::from_millis(200));
    for _ in 0..3 {
        let ended = readers.read(|tx| endless(tx)).await;
        assert!(matches!(ended, Err(StoreError::TooSlow)), "{ended:?}");
        assert_eq!(readers.read(|tx| quick(tx)).await.unwrap(), 7);
    }
}

#[tokio::test]
async fn more_reads_than_may_wait_are_refused_at_once() {
    let readers = bounded(Duration::from_mins(10));
    let begun = Arc::new(AtomicBool::new(false));
    let (other, flag) = (readers.clone(), Arc::clone(&begun));
    let running = tokio::spawn(async move {
        let read = other.read(move |tx| {
            flag.store(true, Ordering::SeqCst);
            endless(tx)
        });
        read.await
    });
    while !begun.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    let other = readers.clone();
    let waiting = tokio::spawn(async move { other.read(|tx| quick(tx)).await });
    // The other task runs until it waits.
    tokio::task::yield_now().await;
    let refused = readers.read(|tx| quick(tx)).await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    // Who asked goes away: the read is interrupted, and the one that waits is answered.
    running.abort();
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn read_that_is_abandoned_between_two_statements_is_ended() {
    let readers = bounded(Duration::from_mins(10));
    let (release, released) = mpsc::channel::<()>();
    let (starts, started) = oneshot::channel();
    let other = readers.clone();
    let running = tokio::spawn(async move {
        let read = other.read(move |tx| {
            quick(tx)?;
            let _waited = (starts.send(()), released.recv());
            endless(tx)
        });
        read.await
    });
    started.await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    drop(release);
    let next = tokio::time::timeout(Duration::from_secs(10), readers.read(|tx| quick(tx)));
    assert_eq!(next.await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn the_planner_does_not_wait_for_reads_from_outside() {
    let place = Place::new();
    let store = place.open();
    let outside = View::outside(&place.path()).unwrap();
    let reads: Vec<_> = (0..reader::OUTSIDE_READERS + reader::OUTSIDE_QUEUE_MAX)
        .map(|_| {
            let outside = outside.clone();
            tokio::spawn(async move { outside.readers.read(|tx| endless(tx)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let view = store.view();
    let due = tokio::time::timeout(Duration::from_secs(5), view.due(START, 9));
    assert!(due.await.unwrap().unwrap().is_empty());
    for read in reads {
        read.abort();
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn each_commit_is_announced_with_the_number_of_the_latest_event() {
    let place = Place::new();
    let store = place.open();
    let mut changes = store.changes();
    assert_eq!(*changes.borrow_and_update(), 0);
    let context = NotificationContext { now: START, ..NotificationContext::default() };
    store.sync(vec![wanted("one")].into(), false, context).await.unwrap();
    changes.changed().await.unwrap();
    let latest = store.view().events(0, 9).await.unwrap().latest;
    assert!(0 < latest);
    assert_eq!(*changes.borrow_and_update(), latest);
    store.drain_removed(NotificationContext { now: START, ..Default::default() }).await.unwrap();
    changes.changed().await.unwrap();
    assert_eq!(*changes.borrow_and_update(), latest, "a commit without an event");
    store.close().await.unwrap();
}
