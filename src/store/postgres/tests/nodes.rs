//! Heartbeats of nodes, as people see them.

use std::time::Duration;

use super::fresh;

#[tokio::test]
async fn node_was_seen_last_at_its_latest_heartbeat() {
    let (_database, store, tx) = fresh().await;
    drop(tx);
    let view = store.view();
    let seen = async || view.nodes().await.unwrap().first().unwrap().row.seen_at.unwrap();
    let started = seen().await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    store.beat().await.unwrap();
    assert!(started < seen().await);
}
