//! Commands beside a running daemon: receivers, redelivery, replay, silences.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, passed, subscription, wanted};
use super::on_every_engine;
use crate::domain::{Class, DeliveryId, DisabledReason, Next, Selection, Status};
use crate::store::{
    Act, AuditFilter, Began, DeliveryFilter, DeliveryState, NewSilence, Page, Redelivered,
    Requested, Retention, Span, Trigger, Wanted,
};

on_every_engine!(
    disabled_receiver_gets_its_backlog_in_order_when_it_is_enabled,
    enabled_receiver_gets_all_attempts_again,
    redelivery_is_all_or_nothing_and_in_order,
    earlier_event_that_is_queued_again_goes_before_one_under_way,
    replay_queues_every_event_once,
    silence_mutes_its_selection_and_is_listed_while_it_is_open,
    planned_silence_mutes_from_its_beginning,
    run_that_is_asked_for_is_due_now_and_stored_as_such,
    every_act_of_a_person_is_in_the_audit_trail,
    audit_trail_is_read_in_pages_and_forgotten_with_the_history,
);

async fn disabled_receiver_gets_its_backlog_in_order_when_it_is_enabled(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.control().await.disable("a", bench.now).await.unwrap();
    let row = bench.control().await.receiver("a").await.unwrap().unwrap();
    assert_eq!(row.disabled, Some((DisabledReason::Manual, bench.now)));
    assert!(bench.claim("a", 9).await.is_empty());
    bench.run(failed(Class::Denied)).await;
    bench.control().await.enable("a", bench.now).await.unwrap();
    let bodies = bench.deliver("a").await;
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert_eq!(numbers, [0, 0, 1].map(Some));
    assert!(bench.control().await.receiver("unknown").await.unwrap().is_none());
}

async fn enabled_receiver_gets_all_attempts_again(bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    for _ in 0..3 {
        let sent = bench.claim("a", 1).await;
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO)).await;
    }
    bench.control().await.disable("a", bench.now).await.unwrap();
    bench.control().await.enable("a", bench.now).await.unwrap();
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
    let unknown =
        bench.control().await.redeliver(&[ids[0], DeliveryId(99)], bench.now).await.unwrap();
    assert_eq!(unknown, Redelivered::Unknown(vec![DeliveryId(99)]));
    assert!(bench.claim("a", 9).await.is_empty());
    bench.wait(Duration::from_secs(1));
    let again = bench.control().await.redeliver(&[ids[1], ids[0]], bench.now).await.unwrap();
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
    bench.control().await.redeliver(&[first[0].id], bench.now).await.unwrap();
    bench.attempt(&second[0], Next::RetryAfter(Duration::ZERO)).await;
    assert_eq!(bench.claim("a", 8).await[0].event_id, first[0].event_id);
}

async fn replay_queues_every_event_once(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.sync(&[wanted("one"), wanted("two")]).await;
    bench.deliver("a").await;
    bench.run(failed(Class::Denied)).await;
    let span = Span { since: START, until: None };
    let planned = bench.control().await.plan_replay(&subscription("a"), span).await.unwrap();
    let replayed = bench.control().await.replay(&subscription("a"), span, bench.now).await.unwrap();
    assert_eq!(planned, replayed);
    assert_eq!((replayed.events, replayed.integrations, replayed.already_pending), (3, 2, 1));
    let again = bench.control().await.replay(&subscription("a"), span, bench.now).await.unwrap();
    assert_eq!((again.events, again.already_pending), (0, 4));
    assert_eq!(bench.deliver("a").await.len(), 4);
    let late = bench.control().await.replay(&subscription("new"), span, bench.now).await.unwrap();
    assert_eq!((late.events, late.already_pending), (4, 0));
    assert_eq!(bench.deliver("new").await.len(), 4);
}

async fn silence_mutes_its_selection_and_is_listed_while_it_is_open(bench: Bench) {
    let mut bench = bench.enabled().await;
    let until = bench.now.plus(Duration::from_hours(3));
    let mut silence = NewSilence {
        acknowledges: None,
        selection: Selection { types: vec!["Snowflake".to_owned()], ..Selection::default() },
        author: "anna".to_owned(),
        comment: "moving".to_owned(),
        from: bench.now,
        until,
    };
    let other = bench.control().await.silence(&silence, bench.now).await.unwrap();
    silence.selection =
        Selection { labels: [("team".to_owned(), "d*".to_owned())].into(), ..Selection::default() };
    let own = bench.control().await.silence(&silence, bench.now).await.unwrap();
    bench.run(failed(Class::Denied)).await;
    let mute = bench.row("one").await.mute.unwrap();
    assert_eq!((mute.by, mute.until), (format!("silence {own}"), until));
    assert!(bench.control().await.end_silence(other, bench.now).await.unwrap());
    assert!(!bench.control().await.end_silence(99, bench.now).await.unwrap(), "there is none");
    let listed = async |bench: &Bench, ended| {
        let rows = bench.view().silences(ended, bench.now, first_page()).await.unwrap().rows;
        rows.into_iter().map(|row| (row.id, row.ended_at.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(listed(&bench, false).await, [(own, false)]);
    assert_eq!(listed(&bench, true).await, [(other, true), (own, false)]);
    bench.now = until;
    assert!(
        !bench.control().await.end_silence(own, bench.now).await.unwrap(),
        "it has ended by itself"
    );
    assert_eq!(listed(&bench, false).await, []);
    let found = bench.view().silence(own).await.unwrap().unwrap();
    assert_eq!((found.selection, found.comment), (silence.selection, silence.comment));
    assert_eq!((found.author.as_str(), found.from), ("anna", silence.from));
}

async fn planned_silence_mutes_from_its_beginning(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.sync(&[wanted("one"), wanted("two")]).await;
    bench.run_of("two", passed()).await;
    let from = bench.now.plus(Duration::from_mins(90));
    let until = from.plus(Duration::from_hours(2));
    let silence = NewSilence { from, until, ..NewSilence::default() };
    let id = bench.control().await.silence(&silence, bench.now).await.unwrap();
    bench.run(failed(Class::Denied)).await;
    assert_eq!(bench.row("one").await.mute, None, "it is only planned");
    let listed = bench.view().silences(false, bench.now, first_page()).await.unwrap().rows;
    assert_eq!((listed.len(), listed[0].from), (1, from));
    bench.now = from;
    bench.run_of("two", failed(Class::Denied)).await;
    assert_eq!(bench.row("two").await.mute.unwrap().by, format!("silence {id}"));
    assert!(bench.control().await.end_silence(id, bench.now).await.unwrap());
}

async fn run_that_is_asked_for_is_due_now_and_stored_as_such(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(passed()).await;
    let gone = Wanted { disabled: true, ..wanted("off") };
    bench.sync(&[wanted("one"), gone]).await;
    let (one, off) = (bench.id("one").await, bench.id("off").await);
    assert!(!bench.view().has_requests(bench.now).await.unwrap());
    let asked = bench.control().await.request(&[one, off], bench.now).await.unwrap();
    assert_eq!(asked, [Requested::Due, Requested::NotValidated(Status::Disabled)]);
    assert!(bench.view().has_requests(bench.now).await.unwrap());
    let begun = bench.begun("one").await;
    assert!(!bench.view().has_requests(bench.now).await.unwrap(), "it is being run");
    bench.wait(Duration::from_secs(1));
    assert_eq!(
        bench.control().await.request(&[one], bench.now).await.unwrap(),
        [Requested::AfterRun]
    );
    assert!(matches!(bench.begin("one").await, Began::Running), "one after the other");
    bench.record(begun, passed()).await;
    let begun = bench.begun("one").await;
    assert_eq!(begun.trigger, Trigger::Request);
    bench.record(begun, passed()).await;
    let runs = bench.view().runs(one, first_page()).await.unwrap().rows;
    let triggers: Vec<_> = runs.iter().map(|run| run.trigger).collect();
    assert_eq!(triggers[..2], [Trigger::Request, Trigger::Request]);
    let (latest, view) = (runs[0].id, bench.view());
    assert_eq!(view.run(one, latest).await.unwrap().map(|run| run.id), Some(latest));
    assert!(view.run(off, latest).await.unwrap().is_none(), "it is one of another integration");
    let row = bench.row("one").await;
    assert!(row.trigger == Trigger::Schedule && bench.now < row.next_run_at.unwrap());
}

async fn every_act_of_a_person_is_in_the_audit_trail(bench: Bench) {
    let mut bench = bench.enabled().await;
    let id = bench.id("one").await;
    let sent = bench.claim("a", 1).await;
    bench.attempt(&sent[0], Next::Delivered).await;
    let (now, mut control) = (bench.now, bench.control().await);
    let until = now.plus(Duration::from_hours(1));
    let comment = "moving".to_owned();
    let silence = NewSilence { comment, until, ..NewSilence::default() };
    let acknowledgement = NewSilence { acknowledges: Some(id), until, ..NewSilence::default() };
    control.silence(&silence, now).await.unwrap();
    control.silence(&acknowledgement, now).await.unwrap();
    control.end_silence(2, now).await.unwrap();
    control.end_silence(9, now).await.unwrap();
    control.disable("a", now).await.unwrap();
    control.enable("a", now).await.unwrap();
    control.redeliver(&[sent[0].id], now).await.unwrap();
    control.redeliver(&[DeliveryId(99)], now).await.unwrap();
    control
        .replay(&subscription("new"), Span { since: START, until: Some(now) }, now)
        .await
        .unwrap();
    control.request(&[id], now).await.unwrap();
    control.reload(Some(4), now).await.unwrap();
    let rows = bench.view().audit(AuditFilter::default(), first_page()).await.unwrap().rows;
    let lines: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| format!("{}: {} ({})", row.act.as_str(), row.target, row.comment))
        .collect();
    let expected = [
        "silences add: 1: everything (moving)".to_owned(),
        "acknowledge: 2: one ()".to_owned(),
        "silences end: 2: one ()".to_owned(),
        "receivers disable: a ()".to_owned(),
        "receivers enable: a ()".to_owned(),
        format!("redeliver: {} ()", sent[0].id.0),
        format!("replay: new from {START} to {now} ()"),
        "revalidate: one ()".to_owned(),
        "reload:  (allows 4 removals)".to_owned(),
    ];
    assert_eq!(lines, expected);
    assert!(rows.iter().all(|row| row.author == "anna" && row.at == now));
    bench.wait(Duration::from_secs(1));
    let node = bench.view().node().await.unwrap();
    assert_eq!(node.removals_allowed, Some(4));
}

async fn audit_trail_is_read_in_pages_and_forgotten_with_the_history(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..3 {
        bench.control().await.disable("a", bench.now).await.unwrap();
        bench.control().await.enable("a", bench.now).await.unwrap();
        bench.wait(Duration::from_hours(1));
    }
    let view = bench.view();
    let first = view.audit(AuditFilter::default(), Page::first(4)).await.unwrap();
    let next =
        view.audit(AuditFilter::default(), Page::after(first.next.unwrap(), 4)).await.unwrap();
    let ids: Vec<_> = first.rows.iter().chain(&next.rows).map(|row| row.id).collect();
    assert_eq!((ids, next.next), (vec![6, 5, 4, 3, 2, 1], None));
    let count =
        async |filter: AuditFilter| view.audit(filter, first_page()).await.unwrap().rows.len();
    let everything = AuditFilter::default;
    assert_eq!(count(AuditFilter { act: Some(Act::EnableReceiver), ..everything() }).await, 3);
    assert_eq!(count(AuditFilter { author: Some("bert".to_owned()), ..everything() }).await, 0);
    assert_eq!(count(AuditFilter { target: Some("a".to_owned()), ..everything() }).await, 6);
    let since = bench.now.minus(Duration::from_hours(1));
    assert_eq!(count(AuditFilter { since: Some(since), ..everything() }).await, 2);
    assert_eq!(count(AuditFilter { until: Some(since), ..everything() }).await, 4);
    let hour = Duration::from_hours(1);
    let retention = Retention {
        history: hour,
        deliveries: hour,
        runs_per_integration: 9,
        deliveries_max: 99,
        events_max: 99,
        batch: 99,
    };
    // Age counts the time for which the daemon was awake.
    bench.store.save_awake(hour * 2, Some(bench.now)).await.unwrap();
    bench.wait(hour * 9);
    bench.store.save_awake(hour * 9, Some(bench.now)).await.unwrap();
    bench.store.prune(retention, bench.now).await.unwrap();
    assert_eq!(count(everything()).await, 0);
}
