//! Evidence that decisions ask for: the common run needs its row and nothing else.

use std::slice;

use super::super::*;
use super::bench::Bench;
use super::samples::{failed, found, passed, wanted, warned};
use crate::domain::{Class, RunId, Subject};

#[test]
fn run_that_changes_nothing_needs_no_evidence_and_writes_twice() {
    let mut bench = Bench::enabled();
    bench.pass(Subject::Active);
    bench.wait_until_due();
    let begun = bench.begin_of("one");
    let finished = bench.finished(begun, vec![found(Subject::Active, passed())]);
    let (row, context) = (bench.row("one").clone(), bench.context());
    let decision = record(&Case::new(RunId(9)), &row, &finished, &context).unwrap();
    let [Effect::InsertRun { id, index: 0, rule, evidence }, Effect::SaveRow(saved)] =
        decision.effects.as_slice()
    else {
        panic!("{:?}", decision.effects)
    };
    assert_eq!((*id, rule.as_str()), (RunId(9), "a passing run"));
    assert!(evidence.is_empty(), "nothing was in doubt: {evidence:?}");
    assert_eq!((saved.active.last_run, saved.lease), (Some(9), None));
    let passes = |row: &Row| row.active.evidence.counters.passes;
    assert_eq!(passes(saved), passes(&row) + 1);
}

#[test]
fn runs_in_doubt_keep_their_evidence_and_calm_ones_keep_none() {
    let mut bench = Bench::enabled();
    let latest = |bench: &Bench| {
        let seen = bench.books.runs.last().unwrap().evidence.iter();
        seen.map(|look| (look.seen.clone(), look.weight, look.missing)).collect::<Vec<_>>()
    };
    let look = |seen: &str, weight, missing| (seen.to_owned(), weight, missing);
    assert_eq!(latest(&bench), [look("passed", 100, 0)], "the first run was judged");
    let mut run = |report| {
        bench.wait_until_due();
        bench.run(vec![found(Subject::Active, report)]);
        latest(&bench)
    };
    assert_eq!(run(passed()), [], "nothing was in doubt");
    assert_eq!(run(warned("soon")), []);
    let first = look("unreachable", 33, 67);
    assert_eq!(run(failed(Class::Unreachable)), slice::from_ref(&first));
    let second = look("unreachable", 33, 34);
    assert_eq!(run(failed(Class::Unreachable)), [first, second]);
    assert_eq!(run(passed()), [look("passed", 100, 0)], "it ends a doubt");
    assert_eq!(run(passed()), []);
    assert_eq!(run(failed(Class::Denied)), [look("denied", 100, 0)]);
    assert_eq!(run(failed(Class::Local)), [look("denied", 100, 0)], "the status stays");
    assert_eq!(run(passed()), [look("passed", 100, 0)]);
    assert_eq!(run(passed()), []);
}

#[test]
fn confirmed_failure_needs_no_more_than_the_first() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    assert!(!bench.books.needs.is_empty(), "a status change does");
    for report in [failed(Class::Denied), failed(Class::Unreachable)] {
        bench.run(vec![found(Subject::Active, report)]);
        assert_eq!(bench.books.needs, []);
    }
}

#[test]
fn repeated_warning_needs_the_warnings_before_it_only() {
    let mut bench = Bench::enabled();
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    bench.run(vec![found(Subject::Active, warned("soon"))]);
    assert_eq!(bench.books.needs, [Need::LatestGood(bench.id("one"), None)]);
}

#[test]
fn configuration_that_stays_needs_nothing_and_writes_nothing() {
    let bench = Bench::enabled();
    let (stored, context) = (bench.stored("one").clone(), bench.context());
    let case = Case::new(RunId(0));
    let decision = adjust(&case, &stored, &wanted("one"), false, &context).unwrap();
    assert_eq!((decision.effects.len(), decision.answer), (0, None));
}

#[test]
fn delivered_attempt_needs_no_evidence() {
    let mut bench = Bench::enabled();
    let sent = bench.claim("a");
    bench.attempt(&sent[0], crate::domain::Next::Delivered);
    assert_eq!(bench.books.needs, []);
}

#[test]
fn evidence_is_asked_for_by_name_and_taken_once() {
    let mut case = Case::new(RunId(0));
    assert_eq!(case.head().unwrap_err(), Need::StoreHead);
    let head = StoreHead { epoch: "e".to_owned(), sequence: 4 };
    assert!(case.answer(Need::StoreHead, Answer::StoreHead(head.clone())));
    assert!(!case.answer(Need::StoreHead, Answer::StoreHead(head.clone())));
    assert_eq!(case.head(), Ok(&head));
    assert!(case.answer(Need::Silences, Answer::Yes(true)));
    assert_eq!(case.silences().unwrap_err(), Need::Silences, "an answer of another kind");
}
