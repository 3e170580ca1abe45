//! Incidents as receivers know them: what is kept of them, and which alerts are sent again.

use super::super::{prune, resend, wake};
use super::*;
use crate::domain::ledger::{KnownIncident, NoticeState};
use crate::domain::{DisabledReason, Format, Timing};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

/// `one` fails, and `a` and `b` have been sent that as alerts.
fn firing() -> Bench {
    let mut bench = Bench::enabled();
    bench.format = Format::Alertmanager;
    bench.timing = Timing { resend: Some(MINUTE), ..Timing::default() };
    bench.fail(Subject::Active, Class::Denied);
    deliver(&mut bench, "a");
    deliver(&mut bench, "b");
    bench
}

fn deliver(bench: &mut Bench, receiver: &str) {
    while let [first, ..] = bench.claim(&[(receiver, 1)]).as_slice() {
        bench.attempt(first, Next::Delivered);
    }
}

fn known(bench: &Bench, receiver: &str) -> KnownIncident {
    let all = wake::all(&bench.conn).unwrap();
    all.into_iter().find(|one| one.receiver == receiver).unwrap()
}

fn every(receivers: &[&str]) -> BTreeMap<String, Duration> {
    receivers.iter().map(|&name| (name.to_owned(), MINUTE)).collect()
}

/// Claims the alerts that are due to be sent again; returns their receivers.
fn resent(bench: &mut Bench, receivers: &[&str]) -> Vec<String> {
    let (every, now) = (every(receivers), bench.now);
    let claimed = bench.write(|tx| resend::claim(tx, &every, now)).unwrap();
    claimed.into_iter().map(|one| one.receiver).collect()
}

#[test]
fn alert_is_sent_again_at_its_interval_under_the_same_event() {
    let mut bench = firing();
    assert!(resent(&mut bench, &["a", "b"]).is_empty(), "it has just been sent");
    bench.wait(MINUTE);
    let began = known(&bench, "a");
    let due = resend::due(&bench.conn, &every(&["a"]), bench.now).unwrap();
    assert_eq!((due.len(), &due[0].event_id), (1, &began.event));
    assert_eq!((&due[0].incident, due[0].format), (&began.incident.id, Some(Format::Alertmanager)));
    assert!(due[0].body.contains("integration.validation.failed"));
    let attempts = bench.count("attempt");
    assert_eq!(resent(&mut bench, &["a", "b"]), ["a", "b"]);
    assert!(resent(&mut bench, &["a", "b"]).is_empty(), "once in an interval");
    bench.wait(MINUTE);
    assert_eq!(resent(&mut bench, &["a"]), ["a"], "and again");
    assert_eq!(bench.count("attempt"), attempts, "no rows grow");
}

#[test]
fn alert_is_sent_again_at_once_after_a_clock_rollback() {
    let mut bench = firing();
    bench.now = bench.now.minus(DAY);
    assert_eq!(resent(&mut bench, &["a"]), ["a"]);
    assert!(resent(&mut bench, &["a"]).is_empty(), "once");
}

#[test]
fn alert_is_not_sent_again_after_its_end_nor_to_a_disabled_receiver() {
    let mut bench = firing();
    bench.wait(MINUTE);
    let now = bench.now;
    let disable =
        |tx: &Connection| super::super::receiver::disable(tx, "b", DisabledReason::Manual, now);
    bench.write(disable).unwrap();
    assert_eq!(resent(&mut bench, &["a", "b"]), ["a"]);
    let incident = known(&bench, "a").incident.id;
    assert!(resend::is_open(&bench.conn, &incident, "a").unwrap());
    bench.pass(Subject::Active);
    bench.wait(MINUTE);
    assert!(resent(&mut bench, &["a", "b"]).is_empty());
    assert!(!resend::is_open(&bench.conn, &incident, "a").unwrap());
}

#[test]
fn alert_whose_beginning_is_pending_is_not_sent_again() {
    let mut bench = Bench::enabled();
    bench.format = Format::Alertmanager;
    bench.timing = Timing { resend: Some(MINUTE), ..Timing::default() };
    bench.fail(Subject::Active, Class::Denied);
    bench.wait(MINUTE * 5);
    assert!(resent(&mut bench, &["a"]).is_empty());
    deliver(&mut bench, "a");
    assert_eq!(resent(&mut bench, &["a"]), ["a"]);
}

#[test]
fn end_is_claimed_with_the_body_and_the_format_of_its_beginning() {
    let mut bench = firing();
    let began = known(&bench, "a");
    bench.format = Format::Slack;
    bench.wait_until_due();
    bench.pass(Subject::Active);
    let end = bench.claim(&[("a", 1)]).remove(0);
    assert_eq!(end.format, Some(Format::Alertmanager));
    assert_eq!(end.incident, Some(began.incident.id));
    assert!(end.began.unwrap().contains("integration.validation.failed"));
    assert!(end.body.contains("integration.validation.recovered"));
}

#[test]
fn event_that_began_an_incident_is_kept_until_its_end_is_delivered() {
    let mut bench = firing();
    let began = known(&bench, "a").event;
    let prune_all = |bench: &mut Bench| {
        bench.wait(DAY * 400);
        let now = bench.now;
        bench.write(|tx| prune::prune(tx, kept_for(DAY, 100), now)).unwrap();
    };
    let is_kept = |bench: &Bench| {
        let sql = format!("(SELECT 1 FROM event WHERE id = '{began}')");
        bench.count(&sql) == 1
    };
    prune_all(&mut bench);
    assert!(is_kept(&bench), "the incident is open");
    bench.pass(Subject::Active);
    prune_all(&mut bench);
    assert!(is_kept(&bench), "its end is pending");
    deliver(&mut bench, "a");
    deliver(&mut bench, "b");
    prune_all(&mut bench);
    assert!(!is_kept(&bench));
    assert_eq!(bench.count("incident_receiver"), 0);
}

#[test]
fn receiver_that_waits_is_sent_the_failure_after_a_reload_without_the_wait() {
    let mut bench = Bench::enabled();
    deliver(&mut bench, "a");
    bench.timing = Timing { after: Some(DAY), ..Timing::default() };
    bench.fail(Subject::Active, Class::Denied);
    assert_eq!(known(&bench, "a").state, NoticeState::Waiting);
    assert!(bench.claim(&[("a", 1)]).is_empty());
    let context = bench.context();
    assert_eq!(bench.write(|tx| wake::wake(tx, 9, &context)).unwrap(), 0, "too early");
    bench.timing = Timing::default();
    bench.sync(&[wanted("one")]);
    let context = bench.context();
    assert_eq!(bench.write(|tx| wake::wake(tx, 9, &context)).unwrap(), 2);
    assert_eq!(known(&bench, "a").state, NoticeState::Sent);
    let sent = bench.claim(&[("a", 1)]).remove(0);
    assert!(sent.body.contains("integration.validation.failed"));
    check_invariants(&bench.conn);
}
