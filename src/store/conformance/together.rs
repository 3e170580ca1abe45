//! Writes that are made at once: none is lost, and none is done twice.

use std::collections::BTreeSet;

use tokio::join;

use super::bench::{Bench, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, Next};
use crate::store::{DeliveryFilter, DeliveryState};

on_every_engine!(
    claims_that_are_made_at_once_have_nothing_in_common,
    message_that_is_enqueued_while_its_predecessor_ends_is_sent,
    attempts_that_end_at_once_are_all_recorded,
    runs_that_end_at_once_are_all_recorded,
);

/// Names of some integrations.
const NAMES: [&str; 8] = ["n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"];

async fn claims_that_are_made_at_once_have_nothing_in_common(bench: Bench) {
    bench.sync(&NAMES.map(wanted)).await;
    let (one, two, three) = join!(bench.claim("a", 5), bench.claim("a", 5), bench.claim("a", 5));
    let claimed: Vec<_> = [one, two, three].into_iter().flatten().map(|one| one.id).collect();
    assert!(claimed.len() <= NAMES.len(), "{claimed:?}");
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), claimed.len(), "{claimed:?}");
    let rest = bench.claim("a", 9).await.len();
    assert_eq!(claimed.len() + rest, NAMES.len());
}

async fn pending(bench: &Bench, receiver: &str) -> usize {
    let (state, receiver) = (Some(DeliveryState::Pending), Some(receiver.to_owned()));
    let filter = DeliveryFilter { state, receiver, ..DeliveryFilter::default() };
    bench.view().deliveries(filter, first_page()).await.unwrap().rows.len()
}

async fn message_that_is_enqueued_while_its_predecessor_ends_is_sent(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.deliver("a").await;
    for round in 0..10 {
        bench.wait_until_due("one").await;
        let begun = bench.begun("one").await;
        let report = if round % 3 == 0 { failed(Class::Denied) } else { passed() };
        let sent = bench.claim("a", 9).await;
        let attempts = async {
            for one in &sent {
                bench.attempt(one, Next::Delivered).await;
            }
        };
        join!(bench.record(begun, report), attempts);
    }
    let bodies = bench.deliver("a").await;
    assert_eq!(pending(&bench, "a").await, 0, "{bodies:?}");
}

async fn attempts_that_end_at_once_are_all_recorded(bench: Bench) {
    bench.sync(&NAMES.map(wanted)).await;
    let sent: [_; 8] = bench.claim("a", 9).await.try_into().unwrap();
    let attempt = async |index: usize| {
        bench.attempt(&sent[index], Next::Delivered).await;
    };
    join!(attempt(0), attempt(1), attempt(2), attempt(3), attempt(4), attempt(5), attempt(6));
    assert_eq!(pending(&bench, "a").await, 1);
    attempt(7).await;
    assert_eq!(pending(&bench, "a").await, 0);
    let row = bench.control().await.receiver("a").await.unwrap().unwrap();
    assert_eq!((row.last_success_at, row.failing_since), (Some(bench.now), None));
}

async fn runs_that_end_at_once_are_all_recorded(bench: Bench) {
    let mut bench = bench;
    bench.sync(&NAMES.map(wanted)).await;
    for name in NAMES {
        bench.wait_until_due(name).await;
    }
    let record = async |name: &str| {
        let begun = bench.begun(name).await;
        bench.record(begun, passed()).await;
    };
    join!(record("n1"), record("n2"), record("n3"), record("n4"), record("n5"), record("n6"));
    join!(record("n7"), record("n8"));
    let events = bench.view().events(0, 100).await.unwrap();
    assert!(events.rows.is_sorted_by(|one, next| one.number < next.number));
    let (kinds, runs) = (bench.kinds().await.len(), bench.view().runs_since(bench.now).await);
    assert_eq!((kinds, runs.unwrap()), (2 * NAMES.len(), 8), "each is created and enabled");
    assert_eq!(bench.deliver("a").await.len(), kinds);
}
