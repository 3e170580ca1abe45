//! The daemon itself: its status, the figures of its process, and its readiness.

use axum::http::{Method, header};
use serde_json::Value as Json;

use super::bench::{At, Bench, caller, reader};
use crate::http::{Caller, Scope};

#[tokio::test(flavor = "multi_thread")]
async fn status_has_what_fails_and_the_figures_of_the_process() {
    let bench = Bench::start().await;
    let mut status = bench.get("/api/v1/status").await.json();
    assert_eq!((&status["isWell"], &status["daemon"]["state"]), (&false.into(), &"running".into()));
    let failing = status["failing"].as_array().unwrap();
    assert_eq!(failing.len(), 2, "{status}");
    let has_reason = |one: &Json| one["details"]["problems"][0]["message"].is_string();
    assert!(failing.iter().all(has_reason), "{status}");
    assert_eq!(status["integrations"]["disabled"], 1, "{status}");
    assert_eq!(status["backup"], Json::Null, "the daemon makes none");
    let (mut own, version) = (status["live"].take(), bench.get("/api/v1/version").await.json());
    let mut live = bench.get("/api/v1/live").await.json();
    assert_eq!(live["epoch"], version["epoch"]);
    assert!(live["runsLimit"].as_u64().is_some_and(|limit| 0 < limit), "{live}");
    assert!(live["latenessP99Ms"].is_u64(), "two runs have begun: {live}");
    for shown in [&mut own, &mut live] {
        let loops = shown["loops"].as_array_mut().unwrap();
        let names: Vec<_> = loops.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["planner", "outbox"]);
        for one in loops {
            assert!(one["idleMs"].take().as_u64().is_some_and(|idle| idle < 90_000), "{one}");
        }
    }
    assert_eq!(own, live);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_made_anew_while_nothing_is_committed() {
    let bench = Bench::start().await;
    for path in ["/api/v1/live", "/api/v1/status"] {
        let first = bench.get(path).await;
        let tag = [(header::IF_NONE_MATCH, first.header("etag"))];
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        let second = bench.ask(At(Method::GET, path), &reader(), &tag, "").await;
        assert_eq!((second.status, first.body == second.body), (200, false), "{path}");
    }
    let (path, tag) = ("/api/v1/integrations", bench.get("/api/v1/integrations").await);
    let tag = [(header::IF_NONE_MATCH, tag.header("etag"))];
    assert_eq!(bench.ask(At(Method::GET, path), &reader(), &tag, "").await.status, 304);
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_whole_are_for_callers_who_see_the_whole() {
    let bench = Bench::start().await;
    let labels = [("team".to_owned(), "data".to_owned())].into();
    let some = Caller { labels, ..reader() };
    let metrics = caller(Scope::Metrics);
    for path in ["/api/v1/live", "/api/v1/status"] {
        for (caller, expected) in [(&reader(), 200), (&some, 403), (&metrics, 403)] {
            let got = bench.ask(At(Method::GET, path), caller, &[], "").await;
            assert_eq!(got.status, expected, "{path}: {}", got.text());
        }
    }
    bench.stop().await;
}
