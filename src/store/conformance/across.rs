//! Reads across all integrations: strips, expiries, status changes, runs, outages, and the position.

use std::time::Duration;

use super::bench::{Bench, START, failed, first_page, passed, wanted, warned};
use super::on_every_engine;
use crate::domain::{
    Class, Expiry, ExpiryKind, Factor, FactorKind, Observed, Report, ReportStatus, RunId,
    SharedCause, Status, Timestamp,
};
use crate::store::{
    Attributed, Listed, NewSilence, Page, Retention, RunFilter, StoreError, SubjectRun,
    TimelineRow, TransitionFilter, TransitionRow, Wanted,
};

on_every_engine!(
    strip_has_the_latest_runs_of_each_integration_oldest_first,
    expiries_are_all_that_the_latest_passing_run_saw_soonest_first,
    expiries_of_deleted_integrations_are_left_out,
    status_changes_of_all_integrations_are_listed_newest_first,
    runs_of_all_integrations_are_chosen_by_time_result_and_class,
    outages_are_listed_with_members_until_and_after_their_end,
    timeline_begins_where_no_incident_was_open_and_says_what_retention_cut,
    position_stays_until_something_is_committed_by_anyone,
);

/// Reads a list page by page, `limit` rows at a time.
async fn pages<T>(limit: u32, read: impl AsyncFn(Page) -> Result<Listed<T>, StoreError>) -> Vec<T> {
    let (mut all, mut page) = (Vec::new(), Page::first(limit));
    loop {
        let Listed { rows, next } = read(page).await.unwrap();
        assert!(rows.len() <= usize::try_from(limit).unwrap());
        all.extend(rows);
        let Some(next) = next else { return all };
        page = Page::after(next, limit);
    }
}

async fn strip_has_the_latest_runs_of_each_integration_oldest_first(mut bench: Bench) {
    bench.sync(&["n1", "n2", "n3"].map(wanted)).await;
    for report in [passed(), failed(Class::Denied), warned("old key")] {
        bench.run_of("n1", report).await;
        bench.run_of("n2", passed()).await;
    }
    let ids = [bench.id("n2").await, bench.id("n1").await, bench.id("n3").await];
    let strips = bench.view().strips(ids.to_vec(), 2).await.unwrap();
    assert_eq!(strips.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    let [(_, second), (_, first), (_, none)] = &strips[..] else { panic!("{strips:?}") };
    let kinds: Vec<_> = first.iter().map(|mark| (mark.status, mark.class)).collect();
    let expected = [(ReportStatus::Failed, Some(Class::Denied)), (ReportStatus::Warning, None)];
    assert_eq!(kinds, expected);
    assert!(first[0].started_at < first[1].started_at && first[0].run.0 < first[1].run.0);
    assert_eq!(first[0].duration, Duration::from_millis(812));
    assert_eq!((second.len(), none.len()), (2, 0));
    let all = bench.view().strips(vec![ids[1]], u32::MAX).await.unwrap();
    assert_eq!(all[0].1.len(), 3);
    assert!(bench.view().strips(Vec::new(), 90).await.unwrap().is_empty());
}

/// Runs an integration that sees expiries of tokens, by the days until them.
async fn see(bench: &mut Bench, name: &str, report: Report, days: &[u32]) {
    let day = Duration::from_hours(24);
    let expiry = |&days: &u32| Expiry {
        kind: ExpiryKind::Token,
        of: format!("t{days}"),
        at: START.plus(day * days),
    };
    let observed = Observed { expiries: days.iter().map(expiry).collect(), ..Observed::default() };
    bench.wait_until_due(name).await;
    let begun = bench.begun(name).await;
    let subject = begun.subjects()[0];
    bench.record_run(begun, SubjectRun { subject, report, observed, own_fault: None }).await;
}

/// Returns everything that expires before `until`, as `name: what`.
async fn expiries(bench: &Bench, until: Timestamp) -> Vec<String> {
    let view = bench.view();
    let rows = pages(2, async |page| view.expiries(until, page).await).await;
    assert!(rows.is_sorted_by_key(|row| row.at));
    rows.iter().map(|row| format!("{}: {}", row.integration.name, row.what)).collect()
}

async fn expiries_are_all_that_the_latest_passing_run_saw_soonest_first(mut bench: Bench) {
    let far = Timestamp(i64::MAX);
    bench.sync(&["n1", "n2"].map(wanted)).await;
    see(&mut bench, "n1", passed(), &[30, 90, 30]).await;
    see(&mut bench, "n2", passed(), &[30, 60]).await;
    let all = ["n1: the token t30", "n2: the token t30", "n2: the token t60", "n1: the token t90"];
    assert_eq!(expiries(&bench, far).await, all);
    let day = Duration::from_hours(24);
    assert_eq!(expiries(&bench, START.plus(day * 60)).await, all[..2], "the end is left out");
    see(&mut bench, "n1", failed(Class::Denied), &[120]).await;
    assert_eq!(expiries(&bench, far).await, all, "it may have ended early");
    see(&mut bench, "n1", failed(Class::Denied), &[7]).await;
    let earlier = ["n1: the token t7"].into_iter().chain(all).collect::<Vec<_>>();
    assert_eq!(expiries(&bench, far).await, earlier);
    see(&mut bench, "n1", passed(), &[365]).await;
    see(&mut bench, "n2", passed(), &[]).await;
    assert_eq!(expiries(&bench, far).await, ["n1: the token t365"]);
    let row = bench.view().expiries(far, first_page()).await.unwrap().rows.remove(0);
    assert_eq!(row.integration.labels, wanted("n1").labels);
    assert_eq!(Some((row.at, row.what)), bench.row("n1").await.expires);
}

async fn expiries_of_deleted_integrations_are_left_out(mut bench: Bench) {
    bench.sync(&["n1", "n2"].map(wanted)).await;
    for name in ["n1", "n2"] {
        see(&mut bench, name, passed(), &[30]).await;
    }
    bench.sync(&[wanted("n2")]).await;
    bench.store.drain_removed(bench.context()).await.unwrap();
    assert_eq!(expiries(&bench, Timestamp(i64::MAX)).await, ["n2: the token t30"]);
}

async fn status_changes_of_all_integrations_are_listed_newest_first(mut bench: Bench) {
    bench.sync(&["n1", "n2"].map(wanted)).await;
    bench.run_of("n1", passed()).await;
    bench.run_of("n2", passed()).await;
    bench.wait(Duration::from_secs(1));
    let begun = bench.now;
    bench.run_of("n1", failed(Class::Denied)).await;
    let flipped = bench.now;
    bench.wait(Duration::from_secs(1));
    bench.sync(&[wanted("n1")]).await;
    let view = bench.view();
    let shown = async |filter| {
        let rows = pages(2, async |page| view.all_transitions(filter, page).await).await;
        let text =
            |one: &Attributed<TransitionRow>| format!("{} {}", one.integration.name, one.row.to);
        rows.iter().map(text).collect::<Vec<_>>()
    };
    let all = [
        "n2 deleted",
        "n2 deleting",
        "n1 recurringValidationError",
        "n2 enabled",
        "n1 enabled",
        "n2 creating",
        "n1 creating",
    ];
    assert_eq!(shown(TransitionFilter::default()).await, all);
    let (since, until) = (Some(begun), Some(flipped));
    let table = [
        (TransitionFilter { since, until: None }, &all[..3]),
        (TransitionFilter { since, until }, &[]),
        (TransitionFilter { since: until, until: Some(bench.now) }, &all[2..3]),
        (TransitionFilter { since: None, until: since }, &all[3..]),
    ];
    for (filter, expected) in table {
        assert_eq!(shown(filter).await, expected, "{filter:?}");
    }
    let first = view.all_transitions(TransitionFilter::default(), Page::first(3)).await.unwrap();
    bench.sync(&["n1", "n9"].map(wanted)).await;
    let next = Page::after(first.next.unwrap(), 9);
    let rest = view.all_transitions(TransitionFilter::default(), next).await.unwrap();
    assert_eq!(rest.rows.len(), 4, "what is new belongs before the first page");
}

async fn runs_of_all_integrations_are_chosen_by_time_result_and_class(mut bench: Bench) {
    bench.sync(&["n1", "n2"].map(wanted)).await;
    let reports = [passed(), failed(Class::Denied), warned("old key"), failed(Class::Missing)];
    for report in reports {
        bench.run_of("n1", report).await;
        bench.run_of("n2", passed()).await;
        bench.wait(Duration::from_secs(1));
    }
    let view = bench.view();
    let chosen = async |filter| {
        let rows = pages(3, async |page| view.all_runs(filter, page).await).await;
        assert!(rows.is_sorted_by(|one, next| next.row.started_at <= one.row.started_at));
        rows.iter().map(|one| (one.integration.name.clone(), one.row.id.0)).collect::<Vec<_>>()
    };
    let all = RunFilter::default();
    let mut known: Vec<_> = chosen(all).await.into_iter().map(|(_, id)| id).collect();
    known.reverse();
    // Ids only grow; how far is the engine's affair. Here they are counted from 1.
    let place = |id: &i64| 1 + known.binary_search(id).unwrap();
    let ids = async |filter| -> Vec<usize> {
        chosen(filter).await.iter().map(|(_, id)| place(id)).collect()
    };
    assert_eq!(ids(all).await, [8, 7, 6, 5, 4, 3, 2, 1]);
    let first = bench.row("n1").await;
    let of_one = RunFilter { integration: Some(first.id), ..all };
    let since = Some(view.run(first.id, RunId(known[4])).await.unwrap().unwrap().started_at);
    let table = [
        (of_one, vec![7, 5, 3, 1]),
        (RunFilter { result: Some(ReportStatus::Passed), ..all }, vec![8, 6, 4, 2, 1]),
        (RunFilter { result: Some(ReportStatus::Failed), ..all }, vec![7, 3]),
        (RunFilter { result: Some(ReportStatus::Warning), ..all }, vec![5]),
        (RunFilter { result: Some(ReportStatus::Skipped), ..all }, vec![]),
        (RunFilter { class: Some(Class::Missing), ..all }, vec![7]),
        (
            RunFilter { class: Some(Class::Denied), result: Some(ReportStatus::Passed), ..all },
            vec![],
        ),
        (RunFilter { since, ..all }, vec![8, 7, 6, 5]),
        (RunFilter { until: since, ..all }, vec![4, 3, 2, 1]),
        (RunFilter { since, result: Some(ReportStatus::Failed), ..all }, vec![7]),
        (RunFilter { since, ..of_one }, vec![7, 5]),
        (RunFilter { until: since, result: Some(ReportStatus::Failed), ..of_one }, vec![3]),
    ];
    for (filter, expected) in table {
        assert_eq!(ids(filter).await, expected, "{filter:?}");
    }
    let failures = RunFilter { result: Some(ReportStatus::Failed), ..all };
    assert!(chosen(failures).await.iter().all(|(name, _)| name == "n1"));
    let cursor = view.all_runs(all, Page::first(1)).await.unwrap().next.unwrap();
    let other = view.all_runs(of_one, Page::after(cursor, 1)).await;
    assert!(matches!(other, Err(StoreError::WrongCursor)), "the order is another one: {other:?}");
}

async fn outages_are_listed_with_members_until_and_after_their_end(mut bench: Bench) {
    let on = |host: &str, name: &str| {
        let factors = vec![Factor { kind: FactorKind::Host, value: host.to_owned() }];
        Wanted { factors, ..wanted(name) }
    };
    let names = ["c", "a", "b"];
    let old = names.map(|name| on("old", name));
    bench.sync(&old).await;
    for report in [passed(), passed()] {
        for name in names {
            bench.run_of(name, report.clone()).await;
        }
        bench.wait(Duration::from_mins(20));
    }
    for _ in 0..3 {
        for name in names {
            bench.run_of(name, failed(Class::Unreachable)).await;
        }
    }
    let view = bench.view();
    let open = view.outages(true, first_page()).await.unwrap().rows;
    let [outage] = &open[..] else { panic!("{open:?}") };
    assert_eq!((outage.factor.value.as_str(), outage.cause), ("old", SharedCause::Unreached));
    assert_eq!((outage.members, outage.ended_at), (3, None));
    let members = view.outage_members(&outage.id).await.unwrap();
    let members: Vec<_> =
        members.iter().map(|one| (one.integration.name.as_str(), one.status)).collect();
    assert_eq!(members, ["a", "b", "c"].map(|name| (name, Status::RecurringValidationError)));
    assert!(view.outage_members("out_0").await.unwrap().is_empty());
    for name in ["c", "a"] {
        bench.run_of(name, passed()).await;
    }
    bench.sync(&[]).await;
    bench.store.release(9, bench.context()).await.unwrap();
    assert!(view.outages(true, first_page()).await.unwrap().rows.is_empty());
    let all = pages(1, async |page| view.outages(false, page).await).await;
    assert_eq!((all.len(), &all[0].id), (1, &outage.id));
    assert_eq!((all[0].ended_at, all[0].members), (Some(bench.now), 3));
    assert!(view.outage(&outage.id).await.unwrap().unwrap().ended_at.is_some());
}

async fn position_stays_until_something_is_committed_by_anyone(bench: Bench) {
    let bench = bench.enabled().await;
    let (view, outside) = (bench.view(), bench.outside().await);
    let both = async || (view.position().await.unwrap(), outside.position().await.unwrap());
    let mut before = both().await;
    view.integrations(first_page()).await.unwrap();
    assert_eq!(both().await, before, "reads are no commits");
    assert_eq!(view.clone().position().await.unwrap(), before.0);
    let begun = bench.begun("one").await;
    let mut moves = async |what: &str| {
        let after = both().await;
        assert!(after.0 != before.0 && after.1 != before.1, "{what}");
        assert_eq!(both().await, after, "{what}");
        before = after;
    };
    moves("a lease of the daemon").await;
    bench.record(begun, failed(Class::Denied)).await;
    moves("a run of the daemon").await;
    let until = bench.now.plus(Duration::from_mins(1));
    bench
        .control()
        .await
        .silence(&NewSilence { until, ..NewSilence::default() }, bench.now)
        .await
        .unwrap();
    moves("a command").await;
}

async fn timeline_begins_where_no_incident_was_open_and_says_what_retention_cut(mut bench: Bench) {
    bench.sync(&["n1", "n2"].map(wanted)).await;
    for report in [passed(), failed(Class::Denied), passed(), failed(Class::Denied)] {
        bench.run_of("n1", report).await;
    }
    let acknowledges = Some(bench.id("n1").await);
    let (from, until) = (bench.now, bench.now.plus(Duration::from_hours(1)));
    let new = NewSilence { acknowledges, from, until, ..NewSilence::default() };
    bench.control().await.silence(&new, bench.now).await.unwrap();
    bench.wait(Duration::from_hours(48));
    let since = bench.now;
    bench.run_of("n1", passed()).await;
    bench.wait(Duration::from_secs(1));
    let read = async |bench: &Bench, since, until| {
        let rows = bench.view().timelines(since, until).await.unwrap();
        let [first, second] = <[TimelineRow; 2]>::try_from(rows).unwrap();
        (first, second)
    };
    let steps = |row: &TimelineRow| row.changes.iter().map(|one| one.to).collect::<Vec<_>>();
    let failed = Status::RecurringValidationError;
    let (first, second) = read(&bench, since, bench.now).await;
    assert_eq!(steps(&first), [Status::Enabled, failed, Status::Enabled]);
    assert_eq!((first.created_at, first.lost_at, first.status), (START, None, Status::Enabled));
    assert_eq!(first.expires, None);
    assert_eq!(first.acknowledged, [from]);
    assert_eq!((steps(&second), second.otherwise), (vec![Status::Creating], None));
    let (first, _) = read(&bench, Timestamp(0), START.plus(Duration::from_millis(1))).await;
    assert_eq!(steps(&first), [Status::Creating, Status::Enabled]);
    assert!(bench.view().timelines(Timestamp(0), START).await.unwrap().is_empty());
    let retention = Retention {
        history: Duration::from_hours(24),
        deliveries: Duration::from_hours(24 * 365),
        runs_per_integration: u32::MAX,
        deliveries_max: u32::MAX,
        events_max: u32::MAX,
        batch: 100,
    };
    bench.store.prune(retention, bench.now).await.unwrap();
    let (first, second) = read(&bench, since, bench.now).await;
    assert_eq!(steps(&first), [Status::Enabled], "those before are too old");
    assert_eq!((first.lost_at, second.lost_at), (Some(from), Some(START)));
    assert_eq!((steps(&second), second.otherwise), (vec![], Some(Status::Creating)));
    let (first, _) = read(&bench, START, since).await;
    assert_eq!((steps(&first), first.otherwise), (vec![], Some(failed)));
}
