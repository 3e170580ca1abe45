//! The thread that writes: commits together, answers afterwards, ends with its handles.

use super::super::super::open;
use super::super::super::writer::{Haste, Writer};
use super::*;

/// Keeps the thread of `writer` busy until the sender is dropped: what is queued meanwhile comes in one
/// transaction. Returns once the thread is busy, so that it takes nothing else along.
async fn plug(
    writer: &Writer,
) -> (mpsc::Sender<()>, impl Future<Output = Result<bool, StoreError>>) {
    let (go, wait) = mpsc::channel::<()>();
    let (busy, is_busy) = mpsc::channel::<()>();
    let work = move |_: &Connection| {
        busy.send(()).ok();
        Ok(wait.recv().is_err())
    };
    let answer = writer.queue(work, Haste::Now).await.unwrap();
    is_busy.recv().unwrap();
    (go, answer)
}

#[tokio::test]
async fn commands_that_wait_are_committed_together_and_answered_after() {
    let place = Place::new();
    let store = place.open();
    let (go, plug) = plug(&store.writer).await;
    let mut waiting = Vec::new();
    for number in 0..50 {
        let writer = store.writer.clone();
        waiting.push(tokio::spawn(async move {
            writer
                .write(move |tx| {
                    insert(tx, "+")?;
                    // The third command fails after it has written.
                    if number == 2 { Err(StoreError::Random) } else { Ok(()) }
                })
                .await
        }));
        tokio::task::yield_now().await;
    }
    let before = epoch(&place.path());
    assert!(waiting.iter().all(|one| !one.is_finished()), "nothing is committed yet");
    drop(go);
    assert!(plug.await.unwrap());
    for (number, one) in waiting.into_iter().enumerate() {
        assert_eq!(one.await.unwrap().is_ok(), number != 2, "command {number}");
    }
    assert_eq!(epoch(&place.path()), format!("{before}{}", "+".repeat(49)));
}

#[tokio::test]
async fn command_that_can_wait_shares_the_transaction_of_one_that_cannot() {
    let place = Place::new();
    let opened = open::open(&place.path(), true).unwrap();
    let writer = Writer::start(opened, Duration::from_hours(1)).unwrap();
    let before = epoch(&place.path());
    writer.write_soon(|tx| insert(tx, "1")).await.unwrap();
    let mut soon = std::pin::pin!(writer.write_soon(|tx| insert(tx, "2")));
    let waited = tokio::time::timeout(Duration::from_millis(20), &mut soon).await;
    assert!(waited.is_err(), "another has just been written");
    let (soon, now) = tokio::join!(soon, writer.write(|tx| insert(tx, "3")));
    assert!(soon.is_ok() && now.is_ok());
    assert_eq!(epoch(&place.path()), format!("{before}123"));
    writer.clone().close().await.unwrap();
}

#[tokio::test]
async fn many_commands_that_can_wait_get_a_transaction_at_once() {
    let place = Place::new();
    let opened = open::open(&place.path(), true).unwrap();
    let writer = Writer::start(opened, Duration::from_hours(1)).unwrap();
    let before = epoch(&place.path());
    writer.write_soon(|tx| insert(tx, "+")).await.unwrap();
    let many = (0..64).map(|_| {
        let writer = writer.clone();
        tokio::spawn(async move { writer.write_soon(|tx| insert(tx, "+")).await })
    });
    let mut written = 0;
    for one in many.collect::<Vec<_>>() {
        // Less than enough may be left at the end, and those wait.
        if let Ok(answer) = tokio::time::timeout(Duration::from_secs(5), one).await {
            answer.unwrap().unwrap();
            written += 1;
        } else {
            break;
        }
    }
    assert!((33..=64).contains(&written), "{written}");
    writer.clone().close().await.unwrap();
    assert_eq!(epoch(&place.path()), format!("{before}{}", "+".repeat(65)));
}

/// Runs a good command and `bad` in one transaction; returns both answers.
async fn grouped(
    place: &Place,
    bad: fn(&Connection) -> Result<(), StoreError>,
) -> [Result<(), StoreError>; 2] {
    let store = place.open();
    let writer = &store.writer;
    let (go, plug) = plug(writer).await;
    let good = writer.write(|tx| insert(tx, "+"));
    let bad = writer.write(bad);
    let start = async move { drop(go) };
    let (_, good, bad, ()) = tokio::join!(plug, good, bad, start);
    let after = writer.write(|tx| insert(tx, "!")).await;
    assert!(after.is_ok(), "the writer goes on");
    store.close().await.unwrap();
    [good, bad]
}

#[tokio::test]
async fn failed_commit_is_the_answer_to_each_command_in_it() {
    let place = Place::new();
    closed(&place).await;
    let before = epoch(&place.path());
    let answers = grouped(&place, |tx| {
        tx.pragma_update(None, "defer_foreign_keys", true)?;
        tx.execute("UPDATE delivery SET integration_id = 99", [])?;
        Ok(())
    });
    for answer in answers.await {
        assert!(matches!(answer, Err(StoreError::Commit(_))), "{answer:?}");
    }
    assert_eq!(epoch(&place.path()), format!("{before}!"));
}

#[tokio::test]
async fn transaction_rolled_back_midway_is_the_answer_to_each_command_in_it() {
    let place = Place::new();
    closed(&place).await;
    let before = epoch(&place.path());
    let [good, bad] = grouped(&place, |tx| {
        let trigger = "CREATE TEMP TRIGGER IF NOT EXISTS stop BEFORE UPDATE ON meta
            WHEN new.epoch LIKE '%?' BEGIN SELECT raise(ROLLBACK, 'disk full'); END";
        tx.execute_batch(trigger)?;
        insert(tx, "?")
    })
    .await;
    assert!(matches!(good, Err(StoreError::Commit(_))), "{good:?}");
    assert!(matches!(bad, Err(StoreError::Engine(_))), "{bad:?}");
    assert_eq!(epoch(&place.path()), format!("{before}!"));
}

#[tokio::test]
async fn nothing_is_written_after_a_transaction_was_rolled_back() {
    let place = Place::new();
    let store = place.open();
    let before = epoch(&place.path());
    let writer = &store.writer;
    let (go, plug) = plug(writer).await;
    // It does not say that it has failed.
    let silent = writer.write(|tx| {
        tx.execute_batch("ROLLBACK")?;
        Ok(())
    });
    let after = writer.write(|tx| insert(tx, "+"));
    let (_, silent, after, ()) = tokio::join!(plug, silent, after, async move { drop(go) });
    assert!(silent.is_err() && after.is_err());
    assert_eq!(epoch(&place.path()), before);
}

#[tokio::test]
async fn closing_waits_for_what_is_queued_and_ends_all_handles() {
    let place = Place::new();
    let store = place.open();
    let before = epoch(&place.path());
    let other = store.clone();
    let (go, plug) = plug(&other.writer).await;
    let write = other.writer.write(|tx| insert(tx, "+"));
    let start = async move { drop(go) };
    let (_, written, closed, ()) = tokio::join!(plug, write, store.close(), start);
    written.unwrap();
    closed.unwrap();
    assert_eq!(epoch(&place.path()), format!("{before}+"));
    let late = other.writer.write(|tx| insert(tx, "late")).await;
    assert!(matches!(late, Err(StoreError::Stopped)));
}

#[tokio::test]
async fn dropping_every_handle_frees_the_file() {
    let place = Place::new();
    let store = place.open();
    let view = store.view();
    drop(store);
    let freed = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        Store::open(&place.path()).is_ok()
    });
    assert!(freed, "the writer has ended");
    assert!(view.integrations(Page::first(9)).await.is_ok(), "who reads, reads on");
}
