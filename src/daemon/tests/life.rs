//! Notes that the process lives, and outcomes of reloads that wait for the store.

use std::fs;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Bench, Hangs, Passes, SOON};
use crate::daemon::process::is_alive;
use crate::daemon::{life, plan, requests};
use crate::domain::{Changes, Reload, Timestamp};
use crate::store::{Control, Page, Requested, Trigger};

fn outcome(number: u64) -> Reload {
    Reload {
        number,
        begun_at: Timestamp(1),
        ended_at: Timestamp(2),
        refused: Some("1 fault in the configuration".to_owned()),
        faults: Vec::new(),
        is_configuration: true,
        changes: Changes::default(),
        passed_over: Vec::new(),
    }
}

#[tokio::test]
async fn this_process_is_written_down_from_its_start_to_its_end() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let shared = &bench.shared;
    life::begin(shared).await;
    let node = shared.view.node().await.unwrap();
    assert!(is_alive(node.process.unwrap()));
    assert!(node.started_at.is_some() && node.stopped_at.is_none());
    life::reloaded(shared, outcome(1)).await;
    assert_eq!(shared.view.node().await.unwrap().reload, Some(outcome(1)));
    assert_eq!(shared.latest.unstored(), None);
    life::end(shared).await;
    assert!(shared.view.node().await.unwrap().stopped_at.is_some());
}

#[tokio::test]
async fn outcome_that_cannot_be_stored_is_stored_once_it_can_be() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let shared = &bench.shared;
    let path = bench.folder.path().join("state.db");
    let aside = bench.folder.path().join("aside");
    fs::rename(&path, &aside).unwrap();
    life::reloaded(shared, outcome(2)).await;
    assert_eq!(shared.latest.unstored(), Some(outcome(2)));
    let stop = CancellationToken::new();
    let (lost, _taken) = oneshot::channel();
    let watching = tokio::spawn(life::watch(Arc::clone(shared), stop.clone(), lost));
    fs::rename(&aside, &path).unwrap();
    let stored = async {
        while shared.view.node().await.unwrap().reload.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, stored).await.unwrap();
    stop.cancel();
    timeout(SOON, watching).await.unwrap().unwrap();
}

#[tokio::test]
async fn run_that_a_command_asks_for_begins_within_seconds() {
    let bench = Bench::with(Arc::new(Passes)).await;
    let (shared, token) = (&bench.shared, CancellationToken::new);
    let (stop, abort) = (token(), token());
    let planner =
        tokio::spawn(plan::plan(Arc::clone(shared), bench.clock_watch(), stop.clone(), abort));
    let watching = tokio::spawn(requests::watch(Arc::clone(shared), stop.clone()));
    let runs = async || shared.view.runs(bench.id, Page::first(9)).await.unwrap().rows;
    let wait = async |count| {
        while runs().await.len() < count {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, wait(1)).await.expect("the first run");
    let path = bench.folder.path().join("state.db");
    let mut control = Control::open(&path.into(), "anna").await.unwrap();
    let asked = control.request(&[bench.id], shared.clock.now()).await.unwrap();
    assert_eq!(asked, [Requested::Due]);
    timeout(Duration::from_secs(5), wait(2)).await.expect("the run that was asked for");
    assert_eq!(runs().await[0].trigger, Trigger::Request);
    stop.cancel();
    timeout(SOON, planner).await.unwrap().unwrap();
    timeout(SOON, watching).await.unwrap().unwrap();
}

#[tokio::test]
async fn loop_that_stands_still_from_its_start_is_seen_at_the_first_look() {
    let bench = Bench::with(Arc::new(Hangs)).await;
    let control = super::super::control::Control::new(&bench.shared);
    let still = || control.pulse().unwrap().still();
    assert_eq!(still(), None, "it has had no time yet");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(91)).await;
    assert_eq!(still(), Some("planner"));
    bench.shared.planned();
    assert_eq!(still(), Some("outbox"));
    bench.shared.delivered();
    assert_eq!(still(), None);
    tokio::time::advance(Duration::from_secs(91)).await;
    bench.shared.delivered();
    assert_eq!(still(), Some("planner"));
}
