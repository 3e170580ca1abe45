//! Status, history and notifications are stored together, as the ledger decides.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, passed, wanted, warned};
use super::on_every_engine;
use crate::domain::{
    Class, Expiry, ExpiryKind, Fact, FactKind, Factor, FactorKind, Observed, OwnFault, Schedule,
    Status, Subject, Timestamp, Verdict,
};
use crate::store::{NewSilence, Recorded, Released, SubjectRun, Wanted};

on_every_engine!(
    new_integration_is_announced_and_due_at_once,
    failure_and_recovery_are_one_incident,
    half_confirmed_failure_is_kept_over_a_restart,
    unchanged_run_is_stored_without_a_notification,
    equal_results_are_stored_for_each_run,
    edit_and_removal_follow_the_configuration,
    edit_that_passes_becomes_the_active_configuration,
    described_change_is_stored_without_an_edit,
    configuration_that_stays_changes_nothing,
    muted_failure_is_notified_when_the_silence_ends,
    muted_warning_is_notified_after_a_restart,
    flapping_is_stored_and_ends_after_its_calm,
    facts_and_expiries_are_kept_and_drift_is_stored_with_its_run,
    shared_failure_is_one_outage_until_all_recover,
    fault_of_the_daemon_is_stored_once,
    everything_is_there_after_a_restart,
);

async fn new_integration_is_announced_and_due_at_once(bench: Bench) {
    let synced = bench.sync(&[wanted("one")]).await;
    assert_eq!((synced.ids.len(), synced.transitions.len()), (1, 0));
    let row = bench.row("one").await;
    assert_eq!((row.status, row.next_run_at), (Status::Creating, Some(START)));
    assert_eq!((row.sequence, row.labels["team"].as_str()), (0, "data"));
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
    assert_eq!(numbers, [0, 0, 1, 2].map(Some));
}

async fn half_confirmed_failure_is_kept_over_a_restart(bench: Bench) {
    let mut bench = bench.enabled().await;
    for _ in 0..2 {
        bench.run(failed(Class::Unreachable)).await;
    }
    let before = bench.row("one").await.evidence;
    assert_eq!((before.looks.len(), before.is_failing), (2, false));
    let mut bench = bench.restart().await;
    assert_eq!(bench.row("one").await.evidence, before);
    for status in [Status::Enabled, Status::RecurringValidationError] {
        bench.run(failed(Class::Unreachable)).await;
        assert_eq!(bench.row("one").await.status, status);
    }
    let known = bench.row("one").await.evidence;
    assert_eq!((known.looks.len(), known.is_failing), (4, true));
    bench.run(passed()).await;
    let works = bench.row("one").await.evidence;
    assert_eq!((works.looks.len(), works.is_failing, works.counters.passes), (0, false, 1));
}

async fn unchanged_run_is_stored_without_a_notification(bench: Bench) {
    let mut bench = bench.enabled().await;
    let before = bench.kinds().await.len();
    for _ in 0..3 {
        bench.run(passed()).await;
    }
    assert_eq!(bench.kinds().await.len(), before);
    let row = bench.row("one").await;
    assert_eq!((row.evidence.counters.passes, row.lease_until), (3, None));
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
    assert!(bench.view().integrations(first_page()).await.unwrap().rows.is_empty());
    assert_eq!(bench.view().deleted_integrations(first_page()).await.unwrap().rows.len(), 1);
    bench.sync(std::slice::from_ref(&other)).await;
    assert_eq!(bench.id("one").await, old, "a name that comes back is the same integration");
    assert!(bench.view().deleted_integrations(first_page()).await.unwrap().rows.is_empty());
    let renamed = Wanted { formerly: Some("one".to_owned()), ..wanted("two") };
    bench.sync(&[renamed]).await;
    assert_eq!(bench.id("two").await, old, "and so is one under another name");
}

async fn edit_that_passes_becomes_the_active_configuration(bench: Bench) {
    let mut bench = bench.enabled().await;
    let other = Wanted {
        kind: "Native S3".to_owned(),
        config: "bucket".to_owned(),
        catalog_version: 2,
        ..wanted("one")
    };
    bench.sync(std::slice::from_ref(&other)).await;
    bench.run(failed(Class::Denied)).await;
    assert_eq!(bench.row("one").await.kind, "Redshift", "that of the one in force");
    bench.wait_until_due("one").await;
    let begun = bench.begun("one").await;
    assert_eq!(begun.kind, "Redshift", "that of the active configuration");
    assert_eq!(begun.active_config, Some(wanted("one").config));
    bench.record(begun, passed()).await;
    assert_eq!(bench.status("one").await, Status::Enabled);
    bench.wait_until_due("one").await;
    let begun = bench.begun("one").await;
    assert_eq!(begun.kind, "Native S3");
    bench.record(begun, passed()).await;
    assert!(bench.sync(&[other]).await.transitions.is_empty(), "its catalog is known");
    bench.sync(&[wanted("one")]).await;
    bench.run(failed(Class::Denied)).await;
    bench.wait_until_due("one").await;
    assert_eq!(bench.begun("one").await.active_config.as_deref(), Some("bucket"));
}

async fn described_change_is_stored_without_an_edit(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(passed()).await;
    let before = bench.row("one").await.next_run_at;
    let mut described = wanted("one");
    described.labels.insert("tier".to_owned(), "gold".to_owned());
    described.config_shown = r#"{"host":"ONE"}"#.to_owned();
    assert!(bench.sync(std::slice::from_ref(&described)).await.transitions.is_empty());
    let row = bench.row("one").await;
    assert_eq!((row.labels.len(), row.next_run_at), (2, before));
    assert_eq!(row.config_shown, described.config_shown);
    described.schedule = Schedule::parse("30 4 * * *", "Europe/Berlin").unwrap();
    bench.sync(std::slice::from_ref(&described)).await;
    let row = bench.row("one").await;
    assert_eq!((row.cron.as_str(), row.zone.as_str()), ("30 4 * * *", "Europe/Berlin"));
    assert_eq!(row.next_run_at, described.schedule.next_due(row.id, bench.now));
}

async fn configuration_that_stays_changes_nothing(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(passed()).await;
    let before = format!("{:?}", bench.row("one").await);
    for startup in [false, true] {
        let synced = bench.store.sync(vec![wanted("one")].into(), startup, bench.context()).await;
        assert!(synced.unwrap().transitions.is_empty());
        assert_eq!(format!("{:?}", bench.row("one").await), before);
    }
}

async fn muted_failure_is_notified_when_the_silence_ends(bench: Bench) {
    let mut bench = bench.enabled().await;
    let until = bench.now.plus(Duration::from_hours(1));
    let silence = NewSilence { until, ..NewSilence::default() };
    let id = bench.control().await.silence(&silence, bench.now).await.unwrap();
    bench.run(failed(Class::Denied)).await;
    let row = bench.row("one").await;
    assert_eq!((row.status, row.notified), (Status::RecurringValidationError, Status::Enabled));
    assert_eq!(row.mute.unwrap().by, format!("silence {id}"));
    assert_eq!(bench.view().next_release_at().await.unwrap(), Some(until));
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap(), Released::default());
    let before = bench.kinds().await.len();
    assert!(bench.control().await.end_silence(id, bench.now).await.unwrap());
    assert!(!bench.control().await.end_silence(id, bench.now).await.unwrap(), "only once");
    let released = bench.store.release(9, bench.context()).await.unwrap();
    assert_eq!((released.integrations, released.outages), (1, 0));
    assert_eq!(bench.kinds().await[before..], ["integration.validation.failed"]);
    assert_eq!(bench.view().next_release_at().await.unwrap(), None);
}

async fn muted_warning_is_notified_after_a_restart(bench: Bench) {
    let mut bench = bench.enabled().await;
    let until = bench.now.plus(Duration::from_hours(3));
    let silence = NewSilence { until, ..NewSilence::default() };
    bench.control().await.silence(&silence, bench.now).await.unwrap();
    bench.run(warned("it expires")).await;
    let before = bench.kinds().await.len();
    let mut bench = bench.restart().await;
    bench.now = until;
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap().integrations, 1);
    assert_eq!(bench.kinds().await[before..], ["integration.validation.warning"]);
}

async fn flapping_is_stored_and_ends_after_its_calm(bench: Bench) {
    let mut bench = bench.enabled().await;
    let before = bench.kinds().await.len();
    for _ in 0..2 {
        bench.run(failed(Class::Denied)).await;
        bench.run(passed()).await;
    }
    // Amid changes of status one passing run is not enough.
    bench.run(passed()).await;
    let kinds = bench.kinds().await.split_off(before);
    assert_eq!(kinds.last().unwrap(), "integration.flapping.started");
    let row = bench.row("one").await;
    assert_eq!(row.flapping_since, Some(bench.now));
    assert_eq!(row.mute.as_ref().map(|mute| mute.until), row.flapping_until);
    bench.now = row.flapping_until.unwrap();
    assert_eq!(bench.store.release(9, bench.context()).await.unwrap().integrations, 1);
    let kinds = bench.kinds().await.split_off(before + kinds.len());
    assert_eq!(kinds, ["integration.flapping.ended", "integration.validation.recovered"]);
    assert_eq!(bench.row("one").await.flapping_since, None);
}

async fn facts_and_expiries_are_kept_and_drift_is_stored_with_its_run(bench: Bench) {
    let mut bench = bench.enabled().await;
    let seen = |grant: &str| {
        let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
        let facts = [(fact, [grant.to_owned()].into())].into();
        let expiry = Expiry { kind: ExpiryKind::Token, of: grant.to_owned(), at: Timestamp(9) };
        Observed { facts, expiries: [expiry].into(), ..Observed::default() }
    };
    let run = async |bench: &mut Bench, report, observed| {
        bench.wait_until_due("one").await;
        let begun = bench.begun("one").await;
        let known = begun.fingerprint.clone();
        let subject = Subject::Active;
        bench.record_run(begun, SubjectRun { subject, report, observed, own_fault: None }).await;
        known
    };
    run(&mut bench, passed(), seen("read")).await;
    assert_eq!(
        run(&mut bench, failed(Class::Denied), seen("none")).await,
        Some(seen("read").facts)
    );
    let row = bench.row("one").await;
    assert_eq!(row.expires, Some((Timestamp(9), "the token read".to_owned())));
    let run_row = row.last_run.unwrap();
    let expected =
        serde_json::json!([{ "kind": "grant", "of": "db", "lost": ["read"], "gained": ["none"] }]);
    assert_eq!(serde_json::to_value(&run_row.drift).unwrap(), expected);
    let listed = bench.view().runs(row.id, first_page()).await.unwrap().rows;
    assert_eq!(listed[0].drift, run_row.drift);
    let known = run(&mut bench, passed(), seen("none")).await;
    assert_eq!(known, Some(seen("read").facts), "a failing run changes no facts");
    assert_eq!(bench.row("one").await.last_run.unwrap().drift, []);
}

async fn shared_failure_is_one_outage_until_all_recover(mut bench: Bench) {
    let names = ["n0", "n1", "n2"];
    let host = Factor { kind: FactorKind::Host, value: "db".to_owned() };
    let all = names.map(|name| Wanted { factors: vec![host.clone()], ..wanted(name) });
    bench.sync(&all).await;
    for name in names {
        bench.run_of(name, passed()).await;
    }
    for _ in 0..3 {
        for name in names {
            bench.run_of(name, failed(Class::Unreachable)).await;
        }
    }
    let outage = bench.row("n0").await.outage_id.unwrap();
    assert_eq!(bench.view().outage(&outage).await.unwrap().unwrap().factor, host);
    for name in names {
        assert_eq!(bench.row(name).await.outage_id.as_ref(), Some(&outage));
        bench.run_of(name, passed()).await;
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
    bench.sync(&[]).await;
    assert!(bench.store.degrade(fault, message(), bench.context()).await.unwrap());
    assert!(!bench.store.degrade(fault, message(), bench.context()).await.unwrap());
    let lasting = bench.view().own_faults().await.unwrap();
    assert_eq!((lasting.len(), lasting[0].fault, lasting[0].since), (1, fault, START));
    assert!(bench.store.restore(fault, bench.context()).await.unwrap());
    assert!(!bench.store.restore(fault, bench.context()).await.unwrap());
    assert_eq!(bench.kinds().await, ["daemon.degraded", "daemon.recovered"]);
    let bodies = bench.deliver("a").await;
    let number = |body: &serde_json::Value| body["data"]["sequence"].as_i64().unwrap();
    assert_eq!(number(&bodies[1]), number(&bodies[0]) + 1);
}

async fn everything_is_there_after_a_restart(bench: Bench) {
    let mut bench = bench.enabled().await;
    bench.run(failed(Class::Denied)).await;
    let before = (format!("{:?}", bench.row("one").await), bench.kinds().await);
    let bench = bench.restart().await;
    assert_eq!((format!("{:?}", bench.row("one").await), bench.kinds().await), before);
    assert_eq!(bench.deliver("a").await.len(), 3);
}
