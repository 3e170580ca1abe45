//! Commands beside a running daemon: receivers, redelivery, replay, silences.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, subscription, wanted};
use super::on_every_engine;
use crate::domain::{Class, DeliveryId, DisabledReason, Next, Selection};
use crate::store::{DeliveryFilter, DeliveryState, NewSilence, Redelivered, Span};

on_every_engine!(
    disabled_receiver_gets_its_backlog_in_order_when_it_is_enabled,
    enabled_receiver_gets_all_attempts_again,
    redelivery_is_all_or_nothing_and_in_order,
    earlier_event_that_is_queued_again_goes_before_one_under_way,
    replay_queues_every_event_once,
    silence_mutes_its_selection_and_is_listed_while_it_is_open,
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
    assert_eq!(numbers, [0, 0, 1].map(Some));
    assert!(bench.control().receiver("unknown").unwrap().is_none());
}

async fn enabled_receiver_gets_all_attempts_again(bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    for _ in 0..3 {
        let sent = bench.claim("a", 1).await;
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO)).await;
    }
    bench.control().disable("a", bench.now).unwrap();
    bench.control().enable("a", bench.now).unwrap();
    let sent = bench.claim("a", 1).await;
    assert_eq!(sent[0].attempt, 1);
    bench.attempt(&sent[0], Next::Delivered).await;
    let filter = DeliveryFilter { receiver: Some("a".to_owned()), ..Default::default() };
    let rows = bench.view().deliveries(filter, first_page()).await.unwrap().rows;
    let numbers: Vec<_> = rows[0].attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "and every one of them is kept");
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
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["transition"].as_i64()).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
}

async fn earlier_event_that_is_queued_again_goes_before_one_under_way(bench: Bench) {
    let bench = bench.enabled().await;
    let first = bench.claim("a", 1).await;
    bench.attempt(&first[0], Next::Delivered).await;
    let second = bench.claim("a", 1).await;
    bench.control().redeliver(&[first[0].id], bench.now).unwrap();
    bench.attempt(&second[0], Next::RetryAfter(Duration::ZERO)).await;
    assert_eq!(bench.claim("a", 8).await[0].event_id, first[0].event_id);
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

async fn silence_mutes_its_selection_and_is_listed_while_it_is_open(bench: Bench) {
    let mut bench = bench.enabled().await;
    let until = bench.now.plus(Duration::from_hours(3));
    let mut silence = NewSilence {
        acknowledges: None,
        selection: Selection { types: vec!["Snowflake".to_owned()], ..Selection::default() },
        comment: "moving".to_owned(),
        until,
    };
    let other = bench.control().silence(&silence, bench.now).unwrap();
    silence.selection =
        Selection { labels: [("team".to_owned(), "d*".to_owned())].into(), ..Selection::default() };
    let own = bench.control().silence(&silence, bench.now).unwrap();
    bench.run(failed(Class::Denied)).await;
    let mute = bench.row("one").await.mute.unwrap();
    assert_eq!((mute.by, mute.until), (format!("silence {own}"), until));
    assert!(bench.control().end_silence(other, bench.now).unwrap());
    assert!(!bench.control().end_silence(99, bench.now).unwrap(), "there is none");
    let listed = async |bench: &Bench, ended| {
        let rows = bench.view().silences(ended, bench.now, first_page()).await.unwrap().rows;
        rows.into_iter().map(|row| (row.id, row.ended_at.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(listed(&bench, false).await, [(own, false)]);
    assert_eq!(listed(&bench, true).await, [(other, true), (own, false)]);
    bench.now = until;
    assert!(!bench.control().end_silence(own, bench.now).unwrap(), "it has ended by itself");
    assert_eq!(listed(&bench, false).await, []);
    let found = bench.view().silence(own).await.unwrap().unwrap();
    assert_eq!((found.selection, found.comment), (silence.selection, silence.comment));
}
