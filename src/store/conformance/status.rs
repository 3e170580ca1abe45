//! Status, history and notifications are stored together, as the ledger decides.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, Factor, FactorKind, OwnFault, Selection, Status, Verdict};
use crate::store::{NewSilence, Recorded, Released, Wanted};

on_every_engine!(
    new_integration_is_announced_and_due_at_once,
    failure_and_recovery_are_one_incident,
    unchanged_run_is_stored_without_a_notification,
    equal_results_are_stored_for_each_run,
    edit_and_removal_follow_the_configuration,
    configuration_that_stays_changes_nothing,
    muted_failure_is_notified_when_the_silence_ends,
    shared_failure_is_one_outage_until_all_recover,
    fault_of_the_daemon_is_stored_once,
    everything_is_there_after_a_restart,
);

async fn new_integration_is_announced_and_due_at_once(bench: Bench) {
    let synced = bench.sync(&[wanted("one")]).await;
    assert_eq!((synced.ids.len(), synced.transitions.len()), (1, 0));
    let row = bench.row("one").await;
    assert_eq!((row.status, row.next_run_at), (Status::Creating, Some(START)));
    assert_eq!((row.sequence, row.labels["team"].as_str()), (1, "data"));
    assert_eq!(bench.kinds().await, ["integration.status.changed"]);
    let due = bench.view().due(START, 9).await.unwrap();
    assert_eq!(due[0].name, "one");
}

async fn failure_and_recovery_are_one_incident(bench: Bench) {
    let mut bench = bench.enabled().await;
    let recorded = bench.run(failed(Class::Denied)).await;
    let Recorded::Stored { run, verdict, transition, .. } = recorded else { panic!() };
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(transition.unwrap().to, Status::RecurringValidationError);
    let row = bench.row("one").await;
    assert_eq!(row.status, Status::RecurringValidationError);
    let incident = row.incident_id.unwrap();
    let shown = row.last_run.unwrap();
    assert_eq!((shown.id, shown.class), (run, Some(Class::Denied)));
    assert_eq!(shown.report.tests[0].remediation.as_deref(), Some("GRANT it"));
    let latest = &bench.view().transitions(row.id, first_page()).await.unwrap().rows[0];
    assert_eq!((latest.run, latest.incident_id.as_ref()), (Some(run), Some(&incident)));
    bench.run(passed()).await;
    assert_eq!(bench.row("one").await.incident_id, None);
    let kinds = bench.kinds().await;
    assert_eq!(kinds[2..], ["integration.validation.failed", "integration.validation.recovered"]);
    let bodies = bench.deliver("a").await;
    assert_eq!(bodies.len(), 4);
    assert!(bodies[2..].iter().all(|body| body["data"]["incidentId"] == incident.as_str()));
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4].map(Some));
}

async fn unchanged_run_is_stored_without_a_notification(bench: Bench) {
    let mut bench = bench.enabled().await;
    let before = bench.kinds().await.len();
    for _ in 0..3 {
        bench.run(passed()).await;
    }
    assert_eq!(bench.kinds().await.len(), before);
    let row = bench.row("one").await;
    assert_eq!((row.counters.passes, row.lease_until), (3, None));
    let runs = bench.view().runs(row.id, first_page()).await.unwrap().rows;
    assert_eq!(runs.len(), 4);
    assert!(runs.is_sorted_by(|one, other| other.id < one.id), "newest first");
}

async fn equal_results_are_stored_for_each_run(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Unreachable)).await;
    bench.run(passed()).await;
    let id = bench.id("one").await;
    let runs = bench.view().runs(id, first_page()).await.unwrap().rows;
    assert_eq!(runs[0].report, runs[2].report);
    assert_ne!(runs[0].report, runs[1].report);
    assert_eq!(runs[0].duration, Duration::from_millis(812));
}

async fn edit_and_removal_follow_the_configuration(bench: Bench) {
    let mut bench = bench.enabled().await;
    let other = Wanted { config: "{}".to_owned(), ..wanted("one") };
    bench.sync(std::slice::from_ref(&other)).await;
    assert_eq!(bench.status("one").await, Status::Editing);
    bench.run(failed(Class::Denied)).await;
    assert_eq!(bench.status("one").await, Status::EditError);
    let begun = bench.now.max(bench.row("one").await.next_run_at.unwrap());
    bench.now = begun;
    assert_eq!(bench.begun("one").await.active_config, Some(wanted("one").config));
    let synced = bench.sync(&[]).await;
    assert_eq!(synced.transitions.len(), 1, "a run is on");
    assert_eq!(bench.status("one").await, Status::Deleting);
    bench.wait(super::bench::LEASE);
    let drained = bench.store.drain_removed(bench.context()).await.unwrap();
    assert_eq!(drained.transitions.len(), 1);
    assert_eq!(bench.status("one").await, Status::Deleted);
    let old = bench.id("one").await;
    bench.sync(&[other]).await;
    assert_ne!(bench.id("one").await, old, "its name is free, its id is not");
}

async fn configuration_that_stays_changes_nothing(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(passed()).await;
    let before = format!("{:?}", bench.row("one").await);
    for startup in [false, true] {
        let synced = bench.store.sync(vec![wanted("one")], startup, bench.context()).await;
        assert!(synced.unwrap().transitions.is_empty());
        assert_eq!(format!("{:?}", bench.row("one").await), before);
    }
}

async fn muted_failure_is_notified_when_the_silence_ends(bench: Bench) {
    let mut bench = bench.enabled().await;
    let until = bench.now.plus(Duration::from_hours(1));
    let silence = NewSilence {
        acknowledges: None,
        selection: Selection::default(),
        comment: "moving".to_owned(),
        until,
    };
    let id = bench.control().silence(&silence, bench.now).unwrap();
    bench.run(failed(Class::Denied)).await;
    let row = bench.row("one").await;
    assert_eq!((row.status, row.notified), (Status::RecurringValidationError, Status::Enabled));
    assert_eq!(row.mute.unwrap().by, format!("silence {id}"));
    assert_eq!(bench.view().next_release_at().await.unwrap(), Some(until));
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap(), Released::default());
    let before = bench.kinds().await.len();
    assert!(bench.control().end_silence(id, bench.now).unwrap());
    assert!(!bench.control().end_silence(id, bench.now).unwrap(), "only once");
    let released = bench.store.release(9, bench.context()).await.unwrap();
    assert_eq!((released.integrations, released.outages), (1, 0));
    assert_eq!(bench.kinds().await[before..], ["integration.validation.failed"]);
    assert_eq!(bench.view().next_release_at().await.unwrap(), None);
}

async fn shared_failure_is_one_outage_until_all_recover(mut bench: Bench) {
    let names = ["n0", "n1", "n2"];
    let host = Factor { kind: FactorKind::Host, value: "db".to_owned() };
    let all = names.map(|name| Wanted { factors: vec![host.clone()], ..wanted(name) });
    bench.sync(&all).await;
    let run = async |bench: &mut Bench, name: &str, report| {
        bench.now = bench.now.max(bench.row(name).await.next_run_at.unwrap());
        let begun = bench.begun(name).await;
        bench.record(begun, report).await;
    };
    for name in names {
        run(&mut bench, name, passed()).await;
    }
    for _ in 0..3 {
        for name in names {
            run(&mut bench, name, failed(Class::Unreachable)).await;
        }
    }
    let outage = bench.row("n0").await.outage_id.unwrap();
    assert_eq!(bench.view().outage(&outage).await.unwrap().unwrap().factor, host);
    for name in names {
        assert_eq!(bench.row(name).await.outage_id.as_ref(), Some(&outage));
        run(&mut bench, name, passed()).await;
    }
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap().outages, 1);
    let bodies = bench.deliver("a").await;
    let kinds: Vec<_> = bodies.iter().filter_map(|body| body["type"].as_str()).collect();
    let outages = ["integrations.outage", "integrations.outage.resolved"];
    assert_eq!(kinds.iter().filter(|kind| outages.contains(kind)).count(), 2);
    assert!(!kinds.contains(&"integration.validation.failed"), "announced with the outage");
}

async fn fault_of_the_daemon_is_stored_once(bench: Bench) {
    let (fault, message) = (OwnFault::Disk, || "full".to_owned());
    assert!(bench.store.degrade(fault, message(), bench.context()).await.unwrap());
    assert!(!bench.store.degrade(fault, message(), bench.context()).await.unwrap());
    let lasting = bench.view().own_faults().await.unwrap();
    assert_eq!((lasting.len(), lasting[0].fault, lasting[0].since), (1, fault, START));
    assert!(bench.store.restore(fault, bench.context()).await.unwrap());
    assert!(!bench.store.restore(fault, bench.context()).await.unwrap());
    assert_eq!(bench.kinds().await, ["daemon.degraded", "daemon.recovered"]);
    let bodies = bench.deliver("a").await;
    let numbers: Vec<_> = bodies.iter().map(|body| body["data"]["sequence"].as_i64()).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
}

async fn everything_is_there_after_a_restart(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    let before = (format!("{:?}", bench.row("one").await), bench.kinds().await);
    let bench = bench.restart().await;
    assert_eq!((format!("{:?}", bench.row("one").await), bench.kinds().await), before);
    assert_eq!(bench.deliver("a").await.len(), 3);
}
