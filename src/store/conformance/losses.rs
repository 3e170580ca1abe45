//! Nodes whose process has ended, and databases that have lost commits: what is freed, refused and taken again.

use std::time::Duration;

use super::bench::{Bench, failed, passed, wanted};
use super::nodes::{begun, finished, synced};
use crate::domain::{Class, Next, NodeIdentity};
use crate::store::{Began, FreedNode, Opening, ProcessId, Recorded};

#[tokio::test]
async fn neighbour_whose_process_has_ended_is_freed_at_once_and_others_are_not() {
    const ENDED: i32 = 7;
    let bench = Bench::postgres().await.enabled().await;
    let on = async |name: &str, machine: &str, pid: i32| {
        let opening = Opening {
            node: NodeIdentity { name: name.to_owned(), ..NodeIdentity::default() },
            process: Some(ProcessId { pid, born: 1 }),
            machine: machine.to_owned(),
            is_alive: |process| process.pid != ENDED,
            ..Opening::default()
        };
        let store = bench.opened(&opening).await.unwrap();
        synced(&store, &bench, vec![wanted("one")].into(), true).await;
        store
    };
    let watcher = on("watcher", "here", 6).await;
    let (ended, _alive) = (on("ended", "here", ENDED).await, on("alive", "here", 8).await);
    let _elsewhere = on("elsewhere", "there", ENDED).await;
    let id = bench.id("one").await;
    let Began::Run(lost) = begun(&ended, id, bench.now).await else { panic!("it is due") };
    assert!(bench.store.beat().await.unwrap().freed.is_empty(), "its machine is not known");
    let freed = watcher.beat().await.unwrap().freed;
    assert_eq!(freed, [FreedNode { name: "ended".to_owned(), runs: 1, has_ended: true }]);
    assert!(watcher.beat().await.unwrap().freed.is_empty(), "once");
    assert!(matches!(begun(&watcher, id, bench.now).await, Began::Run(_)));
    let late = ended.record(finished(lost, &bench), bench.context()).await.unwrap();
    assert!(matches!(late, Recorded::Overtaken));
}

/// Lets the database forget the latest heartbeats, as a failover to a standby that was behind does.
fn forget_heartbeats(bench: &Bench) {
    bench.database().administer("UPDATE revalidated.node SET beat = beat - 2");
}

#[tokio::test]
async fn leases_of_work_whose_end_was_lost_are_freed_and_those_in_flight_stay() {
    const LEASED: &str =
        "SET lease_owner = (SELECT incarnation FROM revalidated.node), lease_token = 7,
             lease_until_ms = 9000000000000";
    let mut bench = Bench::postgres().await;
    bench.sync(&[wanted("one"), wanted("two"), wanted("three")]).await;
    for name in ["one", "two", "three"] {
        bench.run_of(name, passed()).await;
    }
    for name in ["one", "two"] {
        bench.run_of(name, failed(Class::Denied)).await;
    }
    for _ in 0..3 {
        bench.store.beat().await.unwrap();
    }
    bench.wait_until_due("three").await;
    let in_flight = bench.begun("three").await;
    let sent = bench.claim("a", 1).await;
    let about = sent[0].integration.clone().unwrap();
    let administer = |sql: &str| bench.database().administer(sql);
    // Their ends were lost: the database has the leases that they had before.
    administer(&format!(
        "UPDATE revalidated.work {LEASED} WHERE integration_id <> {}",
        in_flight.id.0
    ));
    administer(&format!("UPDATE revalidated.lane {LEASED} WHERE lease_token IS NULL"));
    assert!(bench.claim("a", 9).await.is_empty());
    forget_heartbeats(&bench);
    assert!(bench.store.beat().await.unwrap().lost.is_some());
    let found = bench.claim("a", 9).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.integration.as_ref() != Some(&about)), "{found:?}");
    bench.attempt(&sent[0], Next::Delivered).await;
    assert!(matches!(bench.begin("three").await, Began::Running));
    for name in ["one", "two"] {
        let id = bench.id(name).await;
        let due = bench.row(name).await.next_run_at.unwrap();
        assert!(matches!(begun(&bench.store, id, due).await, Began::Run(_)), "{name}");
    }
    let stored = bench.record(in_flight, passed()).await;
    assert!(matches!(stored, Recorded::Stored { .. }), "{stored:?}");
}

#[tokio::test]
async fn node_whose_start_was_lost_takes_its_place_again() {
    let bench = Bench::postgres().await.enabled().await;
    let node = NodeIdentity { name: "b".to_owned(), ..NodeIdentity::default() };
    let opening = |pid| Opening {
        node: node.clone(),
        process: Some(ProcessId { pid, born: 1 }),
        machine: "here".to_owned(),
        is_alive: |process| process.pid != 7,
        ..Opening::default()
    };
    let store = bench.opened(&opening(8)).await.unwrap();
    store.beat().await.unwrap();
    let life = store.life();
    // The row is that of a life before: of a process that has ended, of this very one, or there is none.
    for row in ["incarnation = 5, holder_pid = 7", "incarnation = 6", ""] {
        let sql = if row.is_empty() {
            "DELETE FROM revalidated.node WHERE name = 'b'".to_owned()
        } else {
            format!("UPDATE revalidated.node SET {row} WHERE name = 'b'")
        };
        bench.database().administer(&sql);
        assert!(store.beat().await.unwrap().was_displaced, "{row}");
        assert_ne!(store.life(), life);
    }
    // Another process that is alive keeps it.
    let other = "UPDATE revalidated.node SET incarnation = 9, holder_pid = 9 WHERE name = 'b'";
    bench.database().administer(other);
    let refused = store.beat().await.unwrap_err();
    assert!(refused.is_taken(), "{refused}");
}

#[tokio::test]
async fn nothing_is_written_after_a_loss_until_a_heartbeat_has_noticed() {
    let bench = Bench::postgres().await.enabled().await;
    for _ in 0..3 {
        bench.store.beat().await.unwrap();
    }
    let write = async || bench.store.save_awake(Duration::from_hours(1), None).await;
    // Sessions that end by themselves are no sign.
    bench.database().ending()();
    write().await.unwrap();
    bench.database().ending()();
    forget_heartbeats(&bench);
    let refused = write().await.unwrap_err().unreachable().unwrap();
    assert!(refused.contains("it has lost commits"), "{refused}");
    assert!(bench.store.beat().await.unwrap().lost.is_some());
    write().await.unwrap();
}

#[tokio::test]
async fn node_that_starts_waits_until_the_others_have_beaten() {
    let bench = Bench::postgres().await.enabled().await;
    let other = bench.node("b").await.unwrap();
    let short = Duration::from_millis(700);
    assert!(tokio::time::timeout(short, other.meet_others()).await.is_err());
    let beats = async {
        tokio::time::sleep(short).await;
        bench.store.beat().await.unwrap();
    };
    let (met, ()) = tokio::join!(other.meet_others(), beats);
    met.unwrap();
    other.close().await.unwrap();
    bench.store.meet_others().await.unwrap();
}
