//! Runs that people ask for: due at once, whatever the schedule says.

use super::kit::*;
use crate::domain::Status;
use crate::domain::ledger::{Decision, Requested, Row, request};

fn asked(row: &Row) -> (Vec<String>, Requested) {
    let Decision { effects, answer } = request(row, NOW);
    (lines(&effects), answer)
}

#[test]
fn request_makes_whatever_is_validated_due_now() {
    let due = vec!["due 7 +0 s by request".to_owned()];
    for &status in Status::ALL {
        let row = Row { lease: None, next_run_at: None, ..in_status(status) };
        let is_out = matches!(status, Status::Deleting | Status::Deleted | Status::Disabled);
        let expected = if is_out {
            (Vec::new(), Requested::NotValidated(status))
        } else {
            (due.clone(), Requested::Due)
        };
        assert_eq!(asked(&row), expected, "{status}");
    }
}

#[test]
fn request_during_a_run_is_answered_by_the_next_one() {
    let due = vec!["due 7 +0 s by request".to_owned()];
    assert_eq!(asked(&row()), (due.clone(), Requested::AfterRun));
    let expired = row().lease.map(|lease| crate::domain::ledger::Lease { until: NOW, ..lease });
    assert_eq!(asked(&Row { lease: expired, ..row() }), (due, Requested::Due));
}
