//! The node that serves a database, and what bringing the rows in line with a configuration changed.

use serde_json::json;

use super::bench::{Bench, START, wanted};
use super::on_every_engine;
use crate::domain::{Changes, HeartbeatState, IntegrationId, NameList, Reload, Timestamp};
use crate::store::{Configured, NodeNote, ProcessId, Wanted};

on_every_engine!(
    life_of_a_node_is_kept_until_the_next_one_begins,
    outcome_of_the_latest_reload_replaces_the_one_before,
    state_of_the_heartbeat_is_kept_for_a_life,
    changes_of_the_configuration_are_counted_by_kind,
    changed_configuration_is_one_event_however_much_it_changes,
    sync_that_changes_nothing_has_no_changes,
    configured_receivers_are_compared_with_those_before,
    swapped_names_keep_their_rows_and_are_swapped_once,
    chain_of_renames_is_followed,
    asked_id_is_given_to_a_new_integration_unless_another_has_it,
    table_of_a_receiver_is_kept_and_its_change_counted,
);

fn reload(number: u64, refused: Option<&str>) -> Reload {
    Reload {
        number,
        begun_at: START,
        ended_at: Timestamp(START.0 + 5),
        refused: refused.map(str::to_owned),
        faults: refused.map(|fault| format!("a.toml:1: {fault}")).into_iter().collect(),
        is_configuration: refused.is_some(),
        changes: Changes::default(),
        passed_over: Vec::new(),
    }
}

fn names(names: &[&str]) -> NameList {
    let count = u32::try_from(names.len()).unwrap();
    NameList { count, names: names.iter().map(|&name| name.to_owned()).collect() }
}

async fn life_of_a_node_is_kept_until_the_next_one_begins(bench: Bench) {
    let none = bench.view().node().await.unwrap();
    assert!(none.process.is_none() && none.started_at.is_none() && none.reload.is_none());
    let process = ProcessId { pid: 7, born: 9 };
    bench.store.note(NodeNote::Started(process, START)).await.unwrap();
    bench.store.note(NodeNote::Seen(Timestamp(START.0 + 1))).await.unwrap();
    let found = bench.view().node().await.unwrap();
    assert_eq!((found.process, found.started_at), (Some(process), Some(START)));
    assert_eq!((found.seen_at, found.stopped_at), (Some(Timestamp(START.0 + 1)), None));
    bench.store.note(NodeNote::Stopped(Timestamp(START.0 + 2))).await.unwrap();
    let bench = bench.restart().await;
    let found = bench.view().node().await.unwrap();
    assert_eq!(found.stopped_at, Some(Timestamp(START.0 + 2)));
    let next = ProcessId { pid: 8, born: 10 };
    bench.store.note(NodeNote::Started(next, Timestamp(START.0 + 3))).await.unwrap();
    let found = bench.view().node().await.unwrap();
    assert_eq!((found.process, found.stopped_at), (Some(next), None));
}

async fn outcome_of_the_latest_reload_replaces_the_one_before(bench: Bench) {
    for outcome in [reload(1, None), reload(2, Some("no")), reload(3, None)] {
        bench.store.note(NodeNote::Reloaded(Box::new(outcome.clone()))).await.unwrap();
        assert_eq!(bench.view().node().await.unwrap().reload, Some(outcome));
    }
    let process = ProcessId { pid: 7, born: 9 };
    bench.store.note(NodeNote::Started(process, START)).await.unwrap();
    assert_eq!(bench.view().node().await.unwrap().reload, None, "that of an earlier life");
}

async fn state_of_the_heartbeat_is_kept_for_a_life(bench: Bench) {
    let process = ProcessId { pid: 7, born: 9 };
    let kept = async || bench.view().node().await.unwrap().heartbeat;
    let problem = Some("withheld".to_owned());
    let state = HeartbeatState { every_secs: 60, delivered_at: Some(START), problem };
    for state in [Some(state.clone()), None, Some(state)] {
        bench.store.note(NodeNote::Heartbeat(state.clone())).await.unwrap();
        assert_eq!(kept().await, state);
    }
    bench.store.note(NodeNote::Started(process, START)).await.unwrap();
    assert_eq!(kept().await, None, "that of an earlier life");
}

async fn changes_of_the_configuration_are_counted_by_kind(bench: Bench) {
    let first = bench.sync(&[wanted("one"), wanted("two"), wanted("three")]).await.changes;
    assert_eq!(first.added, names(&["one", "two", "three"]));
    assert_eq!((first.changed.count, first.removed.count), (0, 0));
    let edited = Wanted { config: r#"{"host":"other"}"#.to_owned(), ..wanted("one") };
    let labels = [("team".to_owned(), "another".to_owned())].into();
    let labelled = Wanted { labels, ..wanted("two") };
    let changes = bench.sync(&[edited.clone(), labelled.clone(), wanted("four")]).await.changes;
    assert_eq!(changes.added, names(&["four"]));
    assert_eq!(changes.changed, names(&["one", "two"]));
    assert_eq!(changes.removed, names(&["three"]));
    let disabled = Wanted { disabled: true, ..edited };
    let changes = bench.sync(&[disabled.clone(), labelled.clone(), wanted("four")]).await.changes;
    assert_eq!(changes.changed, names(&["one"]));
    let again = bench.sync(&[disabled.clone(), labelled.clone(), wanted("four")]).await.changes;
    assert_eq!(again, Changes::default());
    let shown = r#"{"host":"third"}"#.to_owned();
    let edited = Wanted { config: shown.clone(), config_shown: shown, ..disabled };
    for count in [1, 0] {
        let all = [edited.clone(), labelled.clone(), wanted("four")];
        let changes = bench.sync(&all).await.changes;
        assert_eq!(changes.changed.count, count, "an edit of what is disabled counts once");
    }
}

async fn changed_configuration_is_one_event_however_much_it_changes(mut bench: Bench) {
    bench.receivers = vec!["a", "all"];
    let all: Vec<_> = (0..30).map(|number| wanted(&format!("i{number:02}"))).collect();
    assert!(bench.sync(&all).await.is_announced);
    assert!(!bench.sync(&all).await.is_announced, "nothing has changed");
    assert!(bench.sync(&all[..27]).await.is_announced);
    let sent = bench.deliver("all").await;
    let applied: Vec<_> =
        sent.into_iter().filter(|body| body["type"] == "configuration.applied").collect();
    let [first, second] = applied.as_slice() else { panic!("{applied:?}") };
    let data = &first["data"];
    assert_eq!((&data["sequence"], &data["added"]["count"]), (&1.into(), &30.into()), "{first}");
    assert_eq!(data["added"]["names"].as_array().unwrap().len(), 20);
    assert_eq!(data["receiversAdded"], json!({ "count": 2, "names": ["a", "all"] }));
    let gone = json!({ "count": 3, "names": ["i27", "i28", "i29"] });
    assert_eq!((&second["data"]["sequence"], &second["data"]["removed"]), (&2.into(), &gone));
}

async fn sync_that_changes_nothing_has_no_changes(bench: Bench) {
    let bench = bench.enabled().await;
    let again = bench.sync(&[wanted("one")]).await.changes;
    assert_eq!(again, Changes::default());
    let begun = bench.begun("one").await;
    let removed = bench.sync(&[]).await.changes;
    assert_eq!(removed.removed, names(&["one"]), "while a run is under way");
    let again = bench.sync(&[]).await.changes;
    assert_eq!(again, Changes::default(), "it is counted once");
    bench.store.give_back(begun).await.unwrap();
}

async fn configured_receivers_are_compared_with_those_before(mut bench: Bench) {
    let first = bench.sync(&[]).await.changes;
    assert_eq!(first.receivers_added, names(&["a", "b"]));
    bench.receivers = vec!["b", "c"];
    let changes = bench.sync(&[]).await.changes;
    assert_eq!(changes.receivers_added, names(&["c"]));
    assert_eq!(changes.receivers_removed, names(&["a"]));
    bench.receivers = vec!["a", "b", "c"];
    assert_eq!(bench.sync(&[]).await.changes.receivers_added, names(&["a"]));
}

fn renamed(name: &str, formerly: &str) -> Wanted {
    Wanted { formerly: Some(formerly.to_owned()), ..wanted(name) }
}

async fn swapped_names_keep_their_rows_and_are_swapped_once(bench: Bench) {
    let before = bench.sync(&[wanted("one"), wanted("two")]).await.ids;
    let swapped = [renamed("one", "two"), renamed("two", "one")];
    for changed in [2, 0] {
        let synced = bench.sync(&swapped).await;
        assert_eq!((synced.ids["one"], synced.ids["two"]), (before["two"], before["one"]));
        assert_eq!(synced.changes.changed.count, changed);
        assert_eq!((synced.changes.added.count, synced.changes.removed.count), (0, 0));
        assert_eq!(bench.id("one").await, before["two"]);
    }
    let back = bench.sync(&[renamed("one", "two"), renamed("two", "one"), wanted("three")]).await;
    assert_eq!(back.ids["one"], before["two"], "another change swaps nothing");
}

async fn chain_of_renames_is_followed(bench: Bench) {
    let before = bench.sync(&[wanted("one"), wanted("two")]).await.ids;
    let synced = bench.sync(&[renamed("two", "one"), renamed("three", "two")]).await;
    assert_eq!((synced.ids["two"], synced.ids["three"]), (before["one"], before["two"]));
    assert_eq!(synced.changes.changed, names(&["two", "three"]));
}

async fn asked_id_is_given_to_a_new_integration_unless_another_has_it(bench: Bench) {
    let asking = |name: &str, id| Wanted { id: Some(IntegrationId(id)), ..wanted(name) };
    let ids = bench.sync(&[asking("five", 5), wanted("six"), asking("other", 5)]).await.ids;
    assert_eq!((ids["five"].0, ids["six"].0, ids["other"].0), (5, 6, 7));
    let ids = bench.sync(&[asking("five", 50), asking("two", 2)]).await.ids;
    assert_eq!((ids["five"].0, ids["two"].0), (5, 2));
    let used = bench.view().in_use().await.unwrap();
    assert_eq!(used.ids[&IntegrationId(7)], "other", "removed, and known still");
}

async fn table_of_a_receiver_is_kept_and_its_change_counted(bench: Bench) {
    let with = async |table: &str| {
        let receivers = [("a".to_owned(), table.to_owned())].into();
        let configured = Configured { receivers, ..Configured::default() };
        bench.store.sync(configured, false, bench.context()).await.unwrap().changes
    };
    assert_eq!(with("{}").await.receivers_added, names(&["a", "b"]));
    assert_eq!(with("{}").await, Changes::default());
    let other = r#"{"format":"slack"}"#;
    assert_eq!(with(other).await.receivers_changed, names(&["a"]));
    let kept = bench.view().in_use().await.unwrap().receivers;
    assert_eq!((kept["a"].as_deref(), kept["b"].as_deref()), (Some(other), None));
}
