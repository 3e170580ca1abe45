//! Receivers that are gone, fail for days, are enabled again, and are told anew.

mod order;

use super::super::{
    DeliveryFilter, DeliveryState, Redelivered, Replayed, Span, outbox, prune, receiver,
};
use super::*;
use crate::domain::{DeliveryId, DisabledReason, EventType};

const DAY: Duration = Duration::from_hours(24);
const SECOND: Duration = Duration::from_secs(1);

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
        let (tell, now) = (self.tell(), self.now);
        let wanting = tell.subscriptions.iter().find(|one| one.receiver == name).unwrap().clone();
        self.write(|tx| outbox::replay(tx, &wanting, Span { since, until: None }, Some(now)))
            .unwrap()
    }

    fn redeliver(&mut self, ids: &[DeliveryId]) -> Redelivered {
        let now = self.now;
        self.write(|tx| outbox::redeliver(tx, ids, now)).unwrap()
    }

    /// Delivers to `name` until nothing is left; what it was told, by integration and sequence.
    fn drain(&mut self, name: &str) -> Vec<(Option<String>, i64)> {
        let mut told = Vec::new();
        while let [first, ..] = self.claim(&[(name, 1)]).as_slice() {
            let body: serde_json::Value = serde_json::from_str(&first.body).unwrap();
            told.push((first.integration.clone(), body["data"]["sequence"].as_i64().unwrap()));
            self.attempt(first, Next::Delivered);
        }
        told
    }

    fn deliveries(&self, name: &str) -> Vec<super::super::DeliveryRow> {
        let receiver = Some(name.to_owned());
        let filter = DeliveryFilter { receiver, ..Default::default() };
        history::deliveries(&self.conn, &filter, &Page::first(1000)).unwrap().rows
    }
}

#[test]
fn a_receiver_that_is_gone_is_disabled_at_once_and_the_others_are_told() {
    let mut bench = Bench::enabled();
    let first = bench.claim(&[("a", 1)]);
    bench.attempt(&first[0], Next::Gone);
    let disabled = bench.disabled.unwrap();
    assert_eq!((disabled.reason, disabled.pending), (DisabledReason::Gone, 2));
    let row = bench.receiver("a");
    assert_eq!(row.disabled, Some((DisabledReason::Gone, bench.now)));
    assert_eq!(
        (row.pending, row.oldest_pending_at),
        (2, Some(START)),
        "what it was told last included"
    );
    assert!(bench.claim(&[("a", 8)]).is_empty());
    let names = ["a".to_owned()];
    assert_eq!(queue::next_delivery_at(&bench.conn, &names).unwrap(), None, "nobody spins");
    let told = bench.last_event();
    assert_eq!(told["type"], "receiver.disabled");
    assert_eq!(told["data"]["receiver"], "a");
    assert_eq!(told["data"]["reason"], "gone");
    assert_eq!((&told["data"]["sequence"], &told["data"]["pending"]), (&1.into(), &2.into()));
    assert_eq!(bench.count("delivery WHERE integration_id IS NULL AND receiver = 'a'"), 0);
    assert!(bench.drain("b").contains(&(None, 1)));
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(bench.receiver("a").pending, 3, "it goes on being owed");
    bench.wait(SECOND);
    bench.enable("a");
    let told: Vec<_> = bench.drain("a").into_iter().map(|(_, sequence)| sequence).collect();
    assert_eq!(told, [1, 2, 3], "the backlog in order");
    let row = bench.receiver("a");
    assert_eq!((row.disabled, row.failing_since, row.pending), (None, None, 0));
    assert_eq!(row.last_success_at, Some(bench.now));
    check_invariants(&bench.conn);
}

#[test]
fn only_failures_for_five_days_disable_a_receiver() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY * 5;
    let fail = |bench: &mut Bench| {
        let sent = bench.claim(&[("a", 1)]);
        bench.attempt(&sent[0], Next::RetryAfter(DAY));
    };
    fail(&mut bench);
    let since = bench.now;
    for _ in 0..4 {
        bench.wait(DAY);
        fail(&mut bench);
        assert_eq!((bench.disabled, bench.receiver("a").failing_since), (None, Some(since)));
    }
    bench.wait(DAY.saturating_sub(SECOND));
    bench.set_due("a");
    fail(&mut bench);
    assert_eq!(bench.disabled, None);
    bench.wait(SECOND);
    bench.set_due("a");
    fail(&mut bench);
    assert_eq!(bench.disabled.unwrap().reason, DisabledReason::Failing);
    assert_eq!(bench.last_event()["data"]["failingSince"], since.to_string());
    let events = bench.count("event");
    bench.wait(DAY);
    assert!(bench.claim(&[("a", 1)]).is_empty());
    assert_eq!(bench.count("event"), events, "told once");
}

impl Bench {
    fn set_due(&mut self, name: &str) {
        let sql = "UPDATE delivery SET due_at_ms = ?1 WHERE receiver = ?2 AND due_at_ms IS NOT NULL
                   AND state = 'pending'";
        self.conn.execute(sql, (self.now.0, name)).unwrap();
    }
}

#[test]
fn one_success_ends_the_failures() {
    let mut bench = Bench::enabled();
    bench.disable_after = DAY * 5;
    let sent = bench.claim(&[("a", 1)]);
    bench.attempt(&sent[0], Next::RetryAfter(DAY * 4));
    bench.wait(DAY * 4);
    let sent = bench.claim(&[("a", 1)]);
    bench.attempt(&sent[0], Next::Delivered);
    assert_eq!(bench.receiver("a").failing_since, None);
    bench.wait(DAY * 4);
    let sent = bench.claim(&[("a", 1)]);
    bench.attempt(&sent[0], Next::Failed);
    assert_eq!(bench.disabled, None);
}

#[test]
fn what_is_under_way_when_a_receiver_is_disabled_changes_nothing() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one"), wanted("two")]);
    let both = bench.claim(&[("a", 2)]);
    bench.attempt(&both[0], Next::Gone);
    bench.attempt(&both[1], Next::Gone);
    assert_eq!(bench.disabled, None, "told once");
    assert_eq!(bench.count("event WHERE integration_id IS NULL"), 1);
    bench.enable("a");
    bench.enable("a");
    assert_eq!(bench.claim(&[("a", 8)]).len(), 2);
}

#[test]
fn a_backlog_has_all_its_attempts_again() {
    let mut bench = Bench::new();
    bench.sync(&[wanted("one")]);
    for _ in 0..3 {
        let sent = bench.claim(&[("a", 1)]);
        bench.attempt(&sent[0], Next::RetryAfter(Duration::ZERO));
    }
    bench.disable("a");
    assert_eq!(bench.receiver("a").disabled.unwrap().0, DisabledReason::Manual);
    bench.enable("a");
    let sent = bench.claim(&[("a", 1)]);
    assert_eq!(sent[0].attempt, 1);
    bench.attempt(&sent[0], Next::Delivered);
    let numbers: Vec<_> = bench.deliveries("a")[0].attempts.iter().map(|one| one.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4], "and every one of them is kept");
}

#[test]
fn redelivering_owes_what_has_ended_under_its_id_and_in_order() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.drain("a");
    let rows = bench.deliveries("a");
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let unknown = bench.redeliver(&[ids[0], DeliveryId(99)]);
    assert_eq!(unknown, Redelivered::Unknown(vec![DeliveryId(99)]));
    assert!(bench.drain("a").is_empty(), "all or nothing");
    bench.wait(SECOND);
    let Redelivered::Queued(owed) = bench.redeliver(&[ids[0], ids[2]]) else { panic!() };
    assert!(owed.iter().all(|(_, to, was)| to == "a" && *was == DeliveryState::Delivered));
    check_invariants(&bench.conn);
    let first = bench.claim(&[("a", 8)]);
    assert_eq!((first.len(), &first[0].event_id), (1, &rows[2].event_id));
    assert_eq!(first[0].attempt, 1);
    let Redelivered::Queued(owed) = bench.redeliver(&[ids[2]]) else { panic!() };
    assert_eq!(owed[0].2, DeliveryState::Pending, "owed already");
    bench.attempt(&first[0], Next::Delivered);
    assert_eq!(bench.claim(&[("a", 8)])[0].event_id, rows[0].event_id);
    check_invariants(&bench.conn);
}

#[test]
fn an_earlier_event_that_is_owed_anew_goes_before_one_under_way() {
    let mut bench = Bench::enabled();
    let first = bench.claim(&[("a", 1)]);
    bench.attempt(&first[0], Next::Delivered);
    let second = bench.claim(&[("a", 1)]);
    bench.redeliver(&[first[0].id]);
    check_invariants(&bench.conn);
    bench.attempt(&second[0], Next::RetryAfter(Duration::ZERO));
    check_invariants(&bench.conn);
    assert_eq!(bench.claim(&[("a", 8)])[0].event_id, first[0].event_id);
}

#[test]
fn a_replay_owes_every_event_of_its_time_once() {
    let mut bench = Bench::enabled();
    bench.sync(&[wanted("one"), wanted("two")]);
    let later = bench.now;
    bench.fail(Subject::Active, Class::Denied);
    bench.drain("a");
    let events = bench.count("event");
    let replayed = bench.replay("a", START);
    assert_eq!((replayed.events, replayed.integrations), (4, 2));
    assert_eq!(replayed.span, Some((START, bench.now)));
    check_invariants(&bench.conn);
    let again = bench.replay("a", START);
    assert_eq!((again.events, again.already_pending), (0, 4), "a second one finds nothing to do");
    let mut told = bench.drain("a");
    told.sort();
    let one = |sequence| (Some("one".to_owned()), sequence);
    assert_eq!(told, [one(1), one(2), one(3), (Some("two".to_owned()), 1)]);
    assert_eq!(bench.count("event"), events, "and no event is new");
    assert_eq!(bench.replay("a", later).events, 2, "from then on");
    bench.receivers.push("new");
    let replayed = bench.replay("new", START);
    assert_eq!(replayed.events, 4, "a receiver that was not there can be told, too");
    assert_eq!(bench.drain("new").len(), 4);
    check_invariants(&bench.conn);
}

#[test]
fn events_are_read_on_from_a_number_and_a_gap_is_told() {
    let mut bench = Bench::enabled();
    let first = bench.claim(&[("a", 1)]);
    bench.attempt(&first[0], Next::Gone);
    let all = history::events(&bench.conn, 0, 9).unwrap();
    let numbers: Vec<_> = all.rows.iter().map(|event| event.number).collect();
    assert_eq!((numbers, all.latest, all.is_behind), (vec![1, 2, 3], 3, false));
    assert_eq!(all.rows[2].integration, None);
    assert_eq!(all.rows[0].integration.as_deref(), Some("one"));
    assert_eq!((all.rows[0].created_at, all.rows[0].kind), (START, EventType::StatusChanged));
    assert!(all.rows[2].body.contains(&all.epoch));
    assert_eq!(history::events(&bench.conn, 1, 1).unwrap().rows[0].number, 2);
    bench.enable("a");
    for name in ["a", "b"] {
        bench.drain(name);
    }
    bench.wait(DAY * 2);
    prune_once(&mut bench);
    bench.wait(DAY * 2);
    prune_once(&mut bench);
    let none = history::events(&bench.conn, 2, 9).unwrap();
    assert_eq!((none.rows.len(), none.latest, none.is_behind), (0, 3, true));
    assert!(!history::events(&bench.conn, 3, 9).unwrap().is_behind);
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(history::events(&bench.conn, 3, 9).unwrap().rows[0].number, 4, "none comes twice");
}

fn prune_once(bench: &mut Bench) -> super::super::Pruned {
    let retention = Retention { history: DAY * 365, ..kept_for(DAY, 100) };
    let now = bench.now;
    bench.write(|tx| prune::prune(tx, retention, now)).unwrap()
}

#[test]
fn what_nobody_fetches_is_given_up_in_order_and_forgotten() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    bench.drain("b");
    bench.disable("a");
    assert_eq!(prune_once(&mut bench).dead, 0, "not old enough");
    bench.wait(DAY);
    bench.fail(Subject::Active, Class::Denied);
    bench.pass(Subject::Active);
    bench.wait(SECOND);
    assert_eq!(prune_once(&mut bench).dead, 3);
    check_invariants(&bench.conn);
    let states: Vec<_> = bench.deliveries("a").iter().map(|row| row.state).collect();
    assert_eq!(states[0], DeliveryState::Pending, "what is young waits on");
    assert!(states[1..].iter().all(|state| *state == DeliveryState::Failed));
    bench.receivers = vec!["b"];
    let synced = bench.sync(&[wanted("one")]);
    let idle: Vec<_> = synced.idle.iter().map(|row| (row.name.as_str(), row.pending)).collect();
    assert_eq!(idle, [("a", 1)]);
    bench.enable("a");
    bench.wait(DAY * 2);
    assert_eq!(prune_once(&mut bench).dead, 1, "nor for one that is no longer configured");
    assert!(bench.sync(&[wanted("one")]).idle.is_empty());
    bench.wait(DAY * 2);
    prune_once(&mut bench);
    assert_eq!(receiver::receiver(&bench.conn, "a").unwrap().map(|row| row.name), None);
    assert_eq!(bench.receiver("b").name, "b");
}
