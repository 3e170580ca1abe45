//! Reads of the integrations around one: shared factors, and the number of runs.

use super::bench::{Bench, failed, passed, wanted};
use super::on_every_engine;
use crate::domain::{Class, Fact, FactKind, Factor, FactorKind, Facts, Observed, Timestamp};
use crate::store::{SubjectRun, Wanted};

on_every_engine!(
    shared_factors_count_and_name_the_others_those_that_fail_first,
    runs_are_counted_from_an_instant_on,
    facts_are_those_of_the_last_passing_run,
    words_are_found_in_factors_and_in_messages_of_what_did_not_pass,
);

async fn shared_factors_count_and_name_the_others_those_that_fail_first(mut bench: Bench) {
    let sharing = |name: &str, host: &str| {
        let factors = [(FactorKind::Host, host), (FactorKind::Principal, "login")];
        let factors = factors.map(|(kind, value)| Factor { kind, value: value.to_owned() });
        Wanted { factors: factors.into(), ..wanted(name) }
    };
    let all = ["a", "b", "c", "d", "e"].map(|name| sharing(name, "shared"));
    let all: Vec<_> = all.into_iter().chain([sharing("f", "own")]).collect();
    bench.sync(&all).await;
    for name in ["b", "d"] {
        bench.run_of(name, passed()).await;
    }
    bench.run_of("d", failed(Class::Denied)).await;
    let shown = async |bench: &Bench, name: &str| {
        let rows = bench.view().sharing(bench.id(name).await).await.unwrap();
        let line = |row: crate::store::SharingRow| {
            let names: Vec<_> = row.named.into_iter().map(|(_, name)| name).collect();
            let (value, names) = (row.factor.value, names.join(" "));
            format!("{value}: {} others, {} failing, {names}", row.others, row.failing)
        };
        rows.into_iter().map(line).collect::<Vec<_>>()
    };
    let expected = ["shared: 4 others, 1 failing, d b c", "login: 5 others, 1 failing, d b c"];
    assert_eq!(shown(&bench, "a").await, expected);
    let alone = ["own: 0 others, 0 failing, ", "login: 5 others, 1 failing, d a b"];
    assert_eq!(shown(&bench, "f").await, alone);
}

async fn words_are_found_in_factors_and_in_messages_of_what_did_not_pass(mut bench: Bench) {
    let at = |name: &str, host: &str| {
        let factors = vec![Factor { kind: FactorKind::Host, value: host.to_owned() }];
        Wanted { factors, ..wanted(name) }
    };
    bench.sync(&[at("a", "WH.Example.com"), at("b", "other"), at("c", "other")]).await;
    bench.run_of("a", passed()).await;
    bench.run_of("b", failed(Class::Denied)).await;
    let words = ["example.com", "no", "other", "missing"].map(str::to_owned).to_vec();
    let found = bench.view().mentions(words).await.unwrap();
    let mut expected = Vec::new();
    for names in [&["a"][..], &["b"], &["b", "c"], &[]] {
        let mut ids = std::collections::BTreeSet::new();
        for name in names {
            ids.insert(bench.id(name).await);
        }
        expected.push(ids);
    }
    assert_eq!(found, expected);
    bench.run_of("b", passed()).await;
    let found = bench.view().mentions(vec!["no".to_owned()]).await.unwrap();
    assert_eq!(found, [[].into()], "the message is not that of the latest run any more");
}

async fn facts_are_those_of_the_last_passing_run(mut bench: Bench) {
    bench.sync(&[wanted("n1")]).await;
    let id = bench.id("n1").await;
    assert_eq!(bench.view().facts(id).await.unwrap(), None);
    let fact = Fact { kind: FactKind::Grant, of: "db".to_owned() };
    let facts = Facts::from([(fact, ["SELECT".to_owned()].into())]);
    bench.wait_until_due("n1").await;
    let begun = bench.begun("n1").await;
    let subject = begun.subjects()[0];
    let observed = Observed { facts: facts.clone(), ..Observed::default() };
    let run = SubjectRun { subject, report: passed(), observed, own_fault: None };
    bench.record_run(begun, run).await;
    bench.run_of("n1", failed(Class::Denied)).await;
    assert_eq!(bench.view().facts(id).await.unwrap(), Some(facts));
}

async fn runs_are_counted_from_an_instant_on(mut bench: Bench) {
    bench.sync(&[wanted("n1")]).await;
    for _ in 0..3 {
        bench.run_of("n1", passed()).await;
    }
    let view = bench.view();
    let id = bench.id("n1").await;
    let strips = view.strips(vec![id], 90).await.unwrap();
    let second = strips[0].1[1].started_at;
    assert_eq!(view.runs_since(Timestamp(0)).await.unwrap(), 3);
    assert_eq!(view.runs_since(second).await.unwrap(), 2);
    assert_eq!(view.runs_since(Timestamp(i64::MAX)).await.unwrap(), 0);
}
