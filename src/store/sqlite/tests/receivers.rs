//! Notifications of a receiver stay in order through disabling, enabling, replay and redelivery.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::super::{DeliveryFilter, Redelivered, Replayed, Span, outbox, receiver};
use super::*;
use crate::domain::{DeliveryId, DisabledReason};

impl Bench {
    fn enable(&mut self, name: &str) {
        let now = self.now;
        self.write(|tx| receiver::enable(tx, name, now)).unwrap();
    }

    fn disable(&mut self, name: &str) {
        let now = self.now;
        self.write(|tx| receiver::disable(tx, name, DisabledReason::Manual, now)).unwrap();
    }

    fn receiver(&self, name: &str) -> super::super::ReceiverRow {
        receiver::receiver(&self.conn, name).unwrap().unwrap()
    }

    fn replay(&mut self, name: &str, since: Timestamp) -> Replayed {
        let (context, now) = (self.context(), self.now);
        let wanting =
            context.subscriptions.iter().find(|one| one.receiver == name).unwrap().clone();
        self.write(|tx| outbox::replay(tx, &wanting, Span { since, until: None }, Some(now)))
            .unwrap()
    }

    fn redeliver(&mut self, ids: &[DeliveryId]) -> Redelivered {
        let now = self.now;
        self.write(|tx| outbox::redeliver(tx, ids, now)).unwrap()
    }

    /// Delivers to `name` until nothing is left; returns the events by integration and sequence.
    fn drain(&mut self, name: &str) -> Vec<(Option<String>, i64)> {
        let mut notified = Vec::new();
        while let [first, ..] = self.claim(&[(name, 1)]).as_slice() {
            let body: serde_json::Value = serde_json::from_str(&first.body).unwrap();
            notified.push((first.integration.clone(), body["data"]["sequence"].as_i64().unwrap()));
            self.attempt(first, Next::Delivered);
        }
        notified
    }

    fn deliveries(&self, name: &str) -> Vec<super::super::DeliveryRow> {
        let receiver = Some(name.to_owned());
        let filter = DeliveryFilter { receiver, ..Default::default() };
        history::deliveries(&self.conn, &filter, &Page::first(1000)).unwrap().rows
    }
}

#[derive(Clone, Debug)]
enum Step {
    Fail,
    Pass,
    Claim(u32),
    Attempt(u8),
    Enable,
    Disable,
    Replay(u8),
    Redeliver(u8),
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Fail),
        3 => Just(Step::Pass),
        5 => (1..4_u32).prop_map(Step::Claim),
        6 => any::<u8>().prop_map(Step::Attempt),
        2 => Just(Step::Enable),
        1 => Just(Step::Disable),
        1 => any::<u8>().prop_map(Step::Replay),
        2 => any::<u8>().prop_map(Step::Redeliver),
        2 => (0..9000_u16).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..60)
}

/// Checks that what is claimed is the head of its queue.
fn is_first(bench: &Bench, sent: &PendingDelivery) -> bool {
    let sql = format!(
        "delivery AS early JOIN delivery AS sent ON sent.id = {} AND early.receiver = sent.receiver
             AND early.integration_id IS sent.integration_id AND early.number < sent.number
         WHERE early.state = 'pending'",
        sent.id.0
    );
    bench.count(&sql) == 0
}

fn take(bench: &mut Bench, leased: &mut Vec<PendingDelivery>, step: &Step) {
    match *step {
        Step::Fail => drop(bench.fail(Subject::Active, Class::Denied)),
        Step::Pass => drop(bench.pass(Subject::Active)),
        Step::Claim(most) => {
            let claimed = bench.claim(&[("a", most), ("b", 1)]);
            assert!(claimed.iter().all(|one| is_first(bench, one)), "{claimed:?}");
            let asleep = |one: &PendingDelivery| bench.receiver(&one.receiver).disabled.is_some();
            assert!(!claimed.iter().any(asleep), "{claimed:?}");
            leased.extend(claimed);
        }
        Step::Attempt(choice) => {
            if leased.is_empty() {
                return;
            }
            let sent = leased.swap_remove(usize::from(choice) % leased.len());
            let next = match choice % 8 {
                0 => Next::Failed,
                1 | 2 => Next::RetryAfter(Duration::from_secs(5)),
                3 => Next::Gone,
                _ => Next::Delivered,
            };
            bench.attempt(&sent, next);
        }
        Step::Enable => bench.enable("a"),
        Step::Disable => bench.disable("a"),
        Step::Replay(ago) => {
            let since = bench.now.minus(Duration::from_secs(u64::from(ago) * 100));
            bench.replay("a", since);
            assert_eq!(bench.replay("a", since).events, 0);
        }
        Step::Redeliver(choice) => {
            let ids: Vec<_> = bench.deliveries("a").iter().map(|row| row.id).collect();
            if !ids.is_empty() {
                bench.redeliver(&[ids[usize::from(choice) % ids.len()]]);
            }
        }
        Step::Wait(secs) => bench.wait(Duration::from_secs(secs.into())),
    }
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn deliveries_go_out_in_order_whatever_happens(steps in steps()) {
        let mut bench = Bench::enabled();
        bench.disable_after = Duration::from_hours(3);
        let mut leased = Vec::new();
        for step in steps {
            take(&mut bench, &mut leased, &step);
            check_invariants(&bench.conn);
        }
        bench.wait(Duration::from_hours(24));
        for name in ["a", "b"] {
            bench.enable(name);
            let notified = bench.drain(name);
            let mut sorted = notified.clone();
            sorted.sort();
            let per_integration = |from: &[(Option<String>, i64)], about: Option<&str>| {
                let about = from.iter().filter(|(name, _)| name.as_deref() == about);
                about.map(|(_, sequence)| *sequence).collect::<Vec<_>>()
            };
            for about in [None, Some("one")] {
                prop_assert_eq!(per_integration(&notified, about), per_integration(&sorted, about));
            }
            prop_assert_eq!(bench.receiver(name).pending, 0);
        }
    }
}
