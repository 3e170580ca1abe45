//! Two configurations of one integration, and one that is renamed.

use super::super::*;
use super::bench::Bench;
use super::samples::{failed, found, passed, wanted, with_config};
use crate::domain::EventType::{StatusChanged, ValidationFailed, ValidationRecovered};
use crate::domain::{Class, Status, Subject};

#[test]
fn rotated_password_is_notified_while_a_typo_stands_in_an_edit() {
    let mut bench = Bench::enabled();
    bench.sync(&[with_config("typo")]);
    bench.fail(Subject::Candidate, Class::Invalid);
    let both = |active| {
        vec![found(Subject::Candidate, failed(Class::Invalid)), found(Subject::Active, active)]
    };
    bench.run(both(failed(Class::Denied)));
    assert_eq!(bench.status("one"), Status::RecurringValidationError);
    bench.run(both(passed()));
    assert_eq!(bench.status("one"), Status::EditError);
    bench.run(vec![found(Subject::Candidate, passed())]);
    assert_eq!(bench.status("one"), Status::Enabled);
    let expected = [
        StatusChanged,
        ValidationFailed,
        ValidationFailed,
        ValidationRecovered,
        ValidationFailed,
        ValidationRecovered,
        StatusChanged,
    ];
    assert_eq!(bench.notified("one", 3), expected);
}

#[test]
fn new_configuration_that_passes_ends_the_failure_of_the_one_in_force() {
    let mut bench = Bench::enabled();
    bench.sync(&[with_config("late")]);
    bench.fail(Subject::Candidate, Class::Invalid);
    let failures = vec![
        found(Subject::Candidate, failed(Class::Invalid)),
        found(Subject::Active, failed(Class::Denied)),
    ];
    bench.run(failures);
    bench.run(vec![found(Subject::Candidate, passed())]);
    assert_eq!((bench.status("one"), bench.row("one").pending), (Status::Enabled, None));
    assert_eq!(bench.stored("one").active_config.as_deref(), Some("late"));
}

#[test]
fn renamed_integration_that_fails_ends_its_incident_and_opens_another() {
    let mut bench = Bench::enabled();
    bench.fail(Subject::Active, Class::Denied);
    let old = bench.row("one").incident.clone().unwrap().id;
    let id = bench.id("one");
    bench.sync(&[Wanted { formerly: Some("one".to_owned()), ..wanted("two") }]);
    assert_eq!((bench.id("two"), bench.status("two")), (id, Status::Editing));
    assert_eq!(bench.row("two").incident, None);
    bench.run_of("two", failed(Class::Denied));
    assert_ne!(bench.row("two").incident.clone().unwrap().id, old);
    // The key may stay in the configuration.
    bench.sync(&[Wanted { formerly: Some("one".to_owned()), ..wanted("two") }, wanted("one")]);
    assert_ne!(bench.id("one"), id);
}
