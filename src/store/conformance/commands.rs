//! Commands beside a running daemon: receivers, redelivery, replay, silences.

use std::time::Duration;

use super::bench::{Bench, START, failed, subscription, wanted};
use super::on_every_engine;
use crate::domain::{Class, DeliveryId, DisabledReason, Next};
use crate::store::{DeliveryState, Redelivered, Span};

on_every_engine!(
    disabled_receiver_gets_its_backlog_in_order_when_it_is_enabled,
    redelivery_is_all_or_nothing_and_in_order,
    replay_queues_every_event_once,
);

async fn disabled_receiver_gets_its_backlog_in_order_when_it_is_enabled(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.control().disable("a", bench.now).unwrap();
    let row = bench.control().receiver("a").unwrap().unwrap();
    assert_eq!(row.disabled, Some((DisabledReason::Manual, bench.now)));
    assert!(bench.claim("a", 9).await.is_empty());
    bench.run(failed(Class::Denied)).await;
    bench.control().enable("a", bench.now).unwrap();
    let bodies = bench.deliver("a").await;
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert_eq!(numbers, [1, 2, 3].map(Some));
    assert!(bench.control().receiver("unknown").unwrap().is_none());
}

async fn redelivery_is_all_or_nothing_and_in_order(bench: Bench) {
    let mut bench = bench.enabled().await;
    let mut ids = Vec::new();
    while let [first] = bench.claim("a", 1).await.as_slice() {
        ids.push(first.id);
        bench.attempt(first, Next::Delivered).await;
    }
    let unknown = bench.control().redeliver(&[ids[0], DeliveryId(99)], bench.now).unwrap();
    assert_eq!(unknown, Redelivered::Unknown(vec![DeliveryId(99)]));
    assert!(bench.claim("a", 9).await.is_empty());
    bench.wait(Duration::from_secs(1));
    let again = bench.control().redeliver(&[ids[1], ids[0]], bench.now).unwrap();
    let Redelivered::Queued(queued) = again else { panic!("they are known") };
    assert!(queued.iter().all(|(_, _, was)| *was == DeliveryState::Delivered));
    let bodies = bench.deliver("a").await;
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
}

async fn replay_queues_every_event_once(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.sync(&[wanted("one"), wanted("two")]).await;
    bench.deliver("a").await;
    bench.run(failed(Class::Denied)).await;
    let span = Span { since: START, until: None };
    let planned = bench.control().plan_replay(&subscription("a"), span).unwrap();
    let replayed = bench.control().replay(&subscription("a"), span, bench.now).unwrap();
    assert_eq!(planned, replayed);
    assert_eq!((replayed.events, replayed.integrations, replayed.already_pending), (3, 2, 1));
    let again = bench.control().replay(&subscription("a"), span, bench.now).unwrap();
    assert_eq!((again.events, again.already_pending), (0, 4));
    assert_eq!(bench.deliver("a").await.len(), 4);
    let late = bench.control().replay(&subscription("new"), span, bench.now).unwrap();
    assert_eq!((late.events, late.already_pending), (4, 0));
    assert_eq!(bench.deliver("new").await.len(), 4);
}
