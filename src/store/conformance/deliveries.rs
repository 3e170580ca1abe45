//! The outbox: order, leases, attempts, and the health of receivers.

use std::time::Duration;

use super::bench::{Bench, LEASE, failed, first_page, passed, schedule, wanted};
use super::on_every_engine;
use crate::domain::{Class, DisabledReason, EventType, Next};
use crate::store::{DeliveryFilter, DeliveryRow, DeliveryState};

on_every_engine!(
    delivery_waits_for_its_predecessor,
    permits_bound_each_receiver,
    lease_that_runs_out_is_claimed_again_under_the_same_event,
    overtaken_attempt_counts_only_as_a_receipt,
    receiver_that_is_gone_is_sent_nothing,
    next_delivery_is_the_first_that_may_be_sent,
    receiver_that_does_not_answer_is_probed_by_its_oldest_message,
    redelivered_message_is_sent_now,
    awake_clock_goes_on_where_it_was,
    filters_narrow_the_list,
    clock_rollback_makes_due_what_lies_ahead,
    open_incident_is_known_by_its_receivers_until_its_end,
);

async fn listed(bench: &Bench, receiver: &str) -> Vec<DeliveryRow> {
    let filter = DeliveryFilter { receiver: Some(receiver.to_owned()), ..Default::default() };
    bench.view().deliveries(filter, first_page()).await.unwrap().rows
}

async fn delivery_waits_for_its_predecessor(bench: Bench) {
    let mut bench = bench.enabled().await;
    let first = bench.claim("a", 9).await;
    assert_eq!(first.len(), 1);
    assert!(first[0].body.contains(r#""status":"creating""#));
    bench.attempt(&first[0], Next::RetryAfter(Duration::from_secs(5))).await;
    assert!(bench.claim("a", 9).await.is_empty(), "the second waits as long as the first");
    bench.wait(Duration::from_secs(5));
    let again = bench.claim("a", 9).await;
    assert_eq!((again[0].id, again[0].attempt), (first[0].id, 2));
    bench.attempt(&again[0], Next::Failed).await;
    let second = bench.claim("a", 9).await;
    assert!(second[0].body.contains(r#""status":"enabled""#));
    assert_eq!(bench.claim("b", 9).await.len(), 1, "receivers do not wait for others");
    let rows = listed(&bench, "a").await;
    assert_eq!(rows[1].state, DeliveryState::Failed);
    let codes: Vec<_> = rows[1].attempts.iter().map(|one| (one.number, one.code)).collect();
    assert_eq!(codes, [(1, Some(500)), (2, Some(500))]);
}

async fn open_incident_is_known_by_its_receivers_until_its_end(bench: Bench) {
    let mut bench = bench.enabled().await;
    assert!(bench.view().known_incidents().await.unwrap().is_empty());
    bench.run(failed(Class::Denied)).await;
    let known = bench.view().known_incidents().await.unwrap();
    let receivers: Vec<_> = known.iter().map(|one| one.receiver.as_str()).collect();
    assert_eq!(receivers, ["a", "b"]);
    let incident = bench.row("one").await.incident_id.unwrap();
    assert!(known.iter().all(|one| one.incident.id == incident));
    assert!(bench.view().knows(incident.clone(), "a".to_owned()).await.unwrap());
    let notices = bench.view().notices(&incident).await.unwrap();
    let states = [DeliveryState::Pending; 2].map(Some);
    assert_eq!(notices.iter().map(|one| one.delivery).collect::<Vec<_>>(), states);
    bench.deliver("a").await;
    let [a, b] = bench.view().notices(&incident).await.unwrap().try_into().unwrap();
    assert_eq!((a.receiver.as_str(), b.receiver.as_str()), ("a", "b"));
    assert_eq!((a.delivery, a.ended_at), (Some(DeliveryState::Delivered), Some(bench.now)));
    assert_eq!((b.delivery, b.ended_at), (Some(DeliveryState::Pending), None));
    assert!(bench.view().notices("inc_unknown").await.unwrap().is_empty());
    bench.run(passed()).await;
    assert!(!bench.view().knows(incident, "a".to_owned()).await.unwrap());
    bench.deliver("a").await;
    let rows = listed(&bench, "a").await;
    assert_eq!(rows.len(), 4, "created, enabled, failed, recovered");
}

async fn receiver_that_does_not_answer_is_probed_by_its_oldest_message(mut bench: Bench) {
    bench.sync(&["one", "two", "three"].map(wanted)).await;
    let away = Next::Probe { keeps_place: true, asked: Duration::ZERO };
    let all = bench.claim("a", 9).await;
    for sent in &all {
        bench.attempt(sent, away).await;
    }
    let next_at = async |bench: &Bench| {
        bench.view().next_delivery_at(vec!["a".to_owned()]).await.unwrap().unwrap().since(bench.now)
    };
    for wait in [1, 2, 4].map(Duration::from_secs) {
        assert!(bench.claim("a", 9).await.is_empty());
        assert_eq!(next_at(&bench).await, wait);
        bench.wait(wait);
        let probe = bench.claim("a", 9).await;
        assert_eq!(probe.iter().map(|one| one.id).collect::<Vec<_>>(), [all[0].id]);
        assert_eq!(probe[0].attempt, 2, "probes do not count");
        assert_eq!(probe[0].tried_awake, Some(Duration::ZERO));
        assert!(bench.claim("a", 9).await.is_empty(), "one at a time");
        assert_eq!(next_at(&bench).await, LEASE);
        bench.attempt(&probe[0], away).await;
    }
    let behind: Vec<_> = listed(&bench, "a").await.into_iter().map(|row| row.behind).collect();
    assert_eq!(behind, [Some(all[0].id), Some(all[0].id), None]);
    bench.wait(Duration::from_secs(8));
    let probe = bench.claim("a", 9).await;
    bench.attempt(&probe[0], Next::Delivered).await;
    let rest: Vec<_> = bench.claim("a", 9).await.into_iter().map(|one| one.id).collect();
    assert_eq!(rest, [all[1].id, all[2].id]);
}

async fn redelivered_message_is_sent_now(bench: Bench) {
    let bench = bench.enabled().await;
    let first = bench.claim("a", 9).await;
    let asked = Duration::from_hours(5);
    bench.attempt(&first[0], Next::Probe { keeps_place: true, asked }).await;
    let rows = listed(&bench, "a").await;
    assert_eq!((rows[0].behind, rows[1].behind), (Some(first[0].id), None));
    assert_eq!(rows[1].due_at, bench.now.plus(asked));
    bench.control().await.redeliver(&[first[0].id], bench.now).await.unwrap();
    assert_eq!(bench.claim("a", 9).await[0].id, first[0].id);
}

async fn awake_clock_goes_on_where_it_was(bench: Bench) {
    assert_eq!(bench.view().awake().await.unwrap(), Duration::ZERO);
    for hours in [5, 3] {
        bench.store.save_awake(Duration::from_hours(hours), Some(bench.now)).await.unwrap();
    }
    assert_eq!(bench.view().awake().await.unwrap(), Duration::from_hours(5));
}

async fn permits_bound_each_receiver(bench: Bench) {
    bench.sync(&["one", "two", "three"].map(wanted)).await;
    assert_eq!(bench.claim("a", 2).await.len(), 2);
    assert_eq!(bench.claim("a", 9).await.len(), 1);
    assert_eq!(bench.claim("a", 9).await.len(), 0);
    assert_eq!(bench.claim("unknown", 9).await.len(), 0);
    assert_eq!(bench.claim("b", 9).await.len(), 3);
}

async fn lease_that_runs_out_is_claimed_again_under_the_same_event(mut bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    let first = bench.claim("a", 9).await;
    bench.wait(LEASE);
    let second = bench.claim("a", 9).await;
    assert_eq!(first[0].event_id, second[0].event_id);
    assert_eq!(first[0].body, second[0].body, "the same bytes");
    bench.attempt(&second[0], Next::Delivered).await;
    bench.attempt(&first[0], Next::RetryAfter(Duration::ZERO)).await;
    let row = &listed(&bench, "a").await[0];
    assert_eq!(row.state, DeliveryState::Delivered, "a late failure does not undo a receipt");
    assert_eq!(row.attempts.len(), 2);
}

async fn overtaken_attempt_counts_only_as_a_receipt(mut bench: Bench) {
    bench.sync(&[wanted("one")]).await;
    let first = bench.claim("a", 9).await;
    bench.wait(LEASE);
    let second = bench.claim("a", 9).await;
    bench.attempt(&first[0], Next::Failed).await;
    assert_eq!(listed(&bench, "a").await[0].state, DeliveryState::Pending);
    assert!(bench.claim("a", 9).await.is_empty(), "the other one is still under way");
    bench.attempt(&first[0], Next::Delivered).await;
    assert_eq!(listed(&bench, "a").await[0].state, DeliveryState::Delivered);
    bench.attempt(&second[0], Next::Failed).await;
    assert_eq!(listed(&bench, "a").await[0].state, DeliveryState::Delivered);
}

async fn receiver_that_is_gone_is_sent_nothing(bench: Bench) {
    let bench = bench.enabled().await;
    let first = bench.claim("a", 9).await;
    let disabled = bench.attempt(&first[0], Next::Gone).await.unwrap();
    assert_eq!((disabled.reason, disabled.pending), (DisabledReason::Gone, 2));
    assert!(bench.claim("a", 9).await.is_empty());
    let next = bench.view().next_delivery_at(vec!["a".to_owned()]).await.unwrap();
    assert_eq!(next, None);
    let rows = bench.view().receivers(first_page()).await.unwrap().rows;
    assert_eq!(rows[0].disabled, Some((DisabledReason::Gone, bench.now)));
    assert_eq!((rows[0].pending, rows[1].pending), (2, 3), "the other one is notified");
    assert_eq!(bench.kinds().await.last().unwrap(), "receiver.disabled");
}

async fn next_delivery_is_the_first_that_may_be_sent(bench: Bench) {
    let bench = bench.enabled().await;
    let next =
        async |bench: &Bench| bench.view().next_delivery_at(vec!["a".to_owned()]).await.unwrap();
    assert_eq!(next(&bench).await, Some(super::bench::START));
    let claimed = bench.claim("a", 1).await;
    assert_eq!(next(&bench).await, Some(bench.now.plus(LEASE)));
    bench.attempt(&claimed[0], Next::RetryAfter(Duration::from_secs(7))).await;
    assert_eq!(next(&bench).await, Some(bench.now.plus(Duration::from_secs(7))));
}

async fn filters_narrow_the_list(bench: Bench) {
    let bench = bench.enabled().await;
    bench.sync(&[wanted("one"), wanted("two")]).await;
    let by = async |filter: DeliveryFilter| {
        let rows = bench.view().deliveries(filter, first_page()).await.unwrap().rows;
        assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row.id)), "newest first");
        rows.len()
    };
    let all = DeliveryFilter::default;
    assert_eq!(by(all()).await, 6);
    assert_eq!(by(DeliveryFilter { integration: Some("two".to_owned()), ..all() }).await, 2);
    assert_eq!(by(DeliveryFilter { receiver: Some("b".to_owned()), ..all() }).await, 3);
    let none = DeliveryFilter { kind: Some(EventType::DaemonDegraded), ..all() };
    let changes = DeliveryFilter { kind: Some(EventType::StatusChanged), ..all() };
    assert_eq!((by(none).await, by(changes).await), (0, by(all()).await));
    assert_eq!(by(DeliveryFilter { since: Some(bench.now), ..all() }).await, 2);
    assert_eq!(by(DeliveryFilter { until: Some(bench.now), ..all() }).await, 4);
    assert_eq!(by(DeliveryFilter { state: Some(DeliveryState::Failed), ..all() }).await, 0);
}

async fn clock_rollback_makes_due_what_lies_ahead(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(passed()).await;
    let sent = bench.claim("a", 1).await;
    bench.attempt(&sent[0], Next::RetryAfter(Duration::from_hours(5))).await;
    bench.wait(Duration::from_mins(1));
    let due = async |bench: &Bench| {
        let delivery = bench.view().next_delivery_at(vec!["a".to_owned()]).await.unwrap();
        (bench.row("one").await.next_run_at, delivery)
    };
    let (id, before) = (bench.id("one").await, due(&bench).await);
    let reschedule = async |bench: &Bench| {
        let schedules = vec![(id, schedule())];
        bench.store.after_clock_rollback(schedules, bench.now).await.unwrap()
    };
    assert_eq!((reschedule(&bench).await, due(&bench).await), (0, before), "nothing lies ahead");
    bench.now = bench.now.minus(Duration::from_hours(72));
    assert!(2 <= reschedule(&bench).await);
    assert_eq!(due(&bench).await, (schedule().next_due(id, bench.now), Some(bench.now)));
}
