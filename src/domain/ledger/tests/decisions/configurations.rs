//! Two configurations of one integration: each is judged, stored and notified of apart.

use super::kit::*;
use super::record::{record, row_with_lease};
use crate::domain::ledger::{Need, Progress, Recorded, Row};
use crate::domain::{Class, Counters, EndedBy, EventType, ReportStatus, Status};

#[test]
fn each_configuration_keeps_its_own_results_rule_and_counters() {
    let failing = || failed(Class::Missing);
    let definitive = "a definitive failure (missing) counts at once";
    let table = [
        (passed(), failing(), Status::Enabled, Some(100), None),
        (failing(), passed(), Status::EditError, Some(101), Some(100)),
        (failing(), failing(), Status::RecurringValidationError, Some(101), Some(100)),
    ];
    for (new, active, after, in_force, candidate) in table {
        let row = in_status(Status::EditError);
        let (effects, _) = record(&World::new(), &row, &finished(row.status, [new, active]));
        let row = saved(&effects);
        assert_eq!((row.status, row.active.last_run), (after, in_force), "{:#?}", lines(&effects));
        assert_eq!(row.candidate.last_run, candidate, "{after}");
        let is_edited = after != Status::Enabled;
        assert_eq!(row.pending, is_edited.then_some(Status::EditError), "{after}");
    }
    let row = in_status(Status::EditError);
    let run = finished(row.status, [failing(), failed(Class::Unreachable)]);
    let (effects, _) = record(&World::new(), &row, &run);
    let found = lines(&effects);
    assert_eq!(found[0], format!("run 100 of subject 0: {definitive}"));
    assert!(
        found[1].starts_with("run 101 of subject 1: transient failure (unreachable) 1 of the 2")
    );
    let row = saved(&effects);
    assert_eq!(row.active.evidence.counters, Counters { failures: 1, passes: 0 });
    assert_eq!(row.candidate.evidence.counters, Counters { failures: 1, passes: 0 });
    assert_eq!(row.status, Status::EditError, "a failure of one does not confirm the other");
    let row = Row { candidate: Progress::default(), ..in_status(Status::Editing) };
    let (effects, _) = record(&World::new(), &row, &finished(row.status, [failing()]));
    let row = saved(&effects);
    assert_eq!((row.active.last_run, row.candidate.last_run), (Some(90), Some(100)));
}

#[test]
fn events_of_a_new_configuration_show_the_results_of_the_one_in_force() {
    let world = World::new().knowing(Need::Results(90), stored(&warned("w")));
    let row = in_status(Status::Editing);
    let (effects, _) = record(&world, &row, &finished(row.status, [failed(Class::Missing)]));
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!((event.status, status_of(&event)), (Status::EditError, Some(ReportStatus::Warning)));
    assert_eq!(event.changes[0].to, ReportStatus::Failed, "the change is the new one's");
    assert!(event.incident_id.is_some());
    // What is created is the only one that there is.
    let row = in_status(Status::Creating);
    let (effects, _) = record(&world, &row, &finished(row.status, [failed(Class::Missing)]));
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!(
        (event.status, status_of(&event)),
        (Status::CreateError, Some(ReportStatus::Failed))
    );
}

#[test]
fn failure_in_force_is_notified_while_an_edit_fails_and_so_is_its_end() {
    let row = in_status(Status::EditError);
    let both = finished(row.status, [failed(Class::Missing), failed(Class::Denied)]);
    let (effects, answer) = record(&World::new(), &row, &both);
    let Recorded::Stored { run, index, .. } = answer else { panic!("{answer:?}") };
    assert_eq!((run.0, index), (101, 1), "the one in force decides");
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!(event.status, Status::RecurringValidationError);
    assert_eq!(event.incident_id.as_deref(), Some("inc_1"), "the incident goes on");
    assert_eq!(event.changes[0].class, Some(Class::Denied));
    let failing = row_with_lease(saved(&effects));
    let mut run = finished(Status::EditError, [failed(Class::Missing), passed()]);
    (run.begun.status, run.begun.pending) = (failing.status, failing.pending);
    let (effects, _) = record(&World::new(), &failing, &run);
    let row = saved(&effects);
    assert_eq!((row.status, row.pending), (Status::EditError, Some(Status::EditError)));
    let ended = data(&effects, EventType::ValidationRecovered);
    assert_eq!(
        (ended.incident_id.as_deref(), ended.ended_by),
        (Some("inc_1"), Some(EndedBy::Passed))
    );
    assert_eq!((ended.status, status_of(&ended)), (Status::EditError, Some(ReportStatus::Passed)));
    // What still fails is an incident of its own.
    let event = data(&effects, EventType::ValidationFailed);
    assert_eq!((event.status, event.previous_status), (Status::EditError, Some(Status::EditError)));
    assert_ne!(event.incident_id, ended.incident_id);
    assert_eq!(event.changes[0].class, Some(Class::Missing));
    assert_eq!(event.failing_since, failing.candidate.failing_since);
}

#[test]
fn error_status_of_an_older_version_opens_its_incident_with_the_next_failure() {
    let row = Row { incident: None, ..in_status(Status::CreateError) };
    let (effects, _) = record(&World::new(), &row, &finished(row.status, [failed(Class::Denied)]));
    assert_eq!(events(&effects, EventType::ValidationFailed).len(), 1);
    assert!(saved(&effects).incident.is_some());
    let known = row_with_lease(saved(&effects));
    let (effects, _) =
        record(&World::new(), &known, &finished(row.status, [failed(Class::Denied)]));
    assert!(is_quiet(&effects), "once");
}
