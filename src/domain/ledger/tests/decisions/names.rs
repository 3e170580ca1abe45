//! Names that change or come back.

use super::kit::*;
use super::operations::{adjusted, in_force, wanted};
use crate::domain::ledger::{Progress, Row, Wanted};
use crate::domain::{Cause, Class, EndedBy, EventType, Status};

#[test]
fn renamed_integration_keeps_its_row_and_ends_its_incident_under_the_former_name() {
    let renamed = Wanted { name: "mart".to_owned(), ..wanted() };
    let well = Row { next_run_at: scheduled(), lease: None, ..row() };
    let (effects, step) = adjusted(&World::new(), &in_force(well), &renamed);
    assert_eq!((lines(&effects), step), (vec!["describe mart {}".to_owned()], None));
    for failing in [failing_row(Class::Denied), in_status(Status::EditError)] {
        let (effects, step) = adjusted(&World::new(), &in_force(failing), &renamed);
        assert_eq!(step.map(|step| step.to), Some(Status::Editing), "it is validated anew");
        let event = data(&effects, EventType::ValidationRecovered);
        assert_eq!((event.status, event.ended_by), (Status::Editing, Some(EndedBy::Renamed)));
        assert_eq!(event.integration.name, "warehouse");
        assert_eq!(data(&effects, EventType::StatusChanged).integration.name, "mart");
        let row = saved(&effects);
        assert_eq!((&*row.name, row.id, row.incident), ("mart", ID, None));
    }
}

#[test]
fn deleted_integration_that_comes_back_is_created_anew_in_its_row() {
    let deleted = Row { next_run_at: None, lease: None, ..in_status(Status::Deleted) };
    let (effects, step) = adjusted(&World::new(), &in_force(deleted.clone()), &wanted());
    assert_eq!(step.map(|step| (step.cause, step.to)), Some((Cause::Returned, Status::Creating)));
    let found = lines(&effects);
    assert!(found.contains(&"discard 7".to_owned()), "nothing is in force: {found:#?}");
    assert!(found.contains(&"propose warehouse {}".to_owned()), "{found:#?}");
    let row = saved(&effects);
    assert_eq!((row.active, row.next_run_at), (Progress::default(), Some(NOW)));
    assert_eq!((row.sequence, row.transitions), (1, 5), "its numbers go on");
    let off = Wanted { disabled: true, ..wanted() };
    let (effects, _) = adjusted(&World::new(), &in_force(deleted), &off);
    let row = saved(&effects);
    assert_eq!((row.status, row.next_run_at), (Status::Disabled, None));
}
